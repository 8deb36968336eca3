"""What a student wrote is shown to others as words and pictures: nothing of it runs in a browser.

Outputs lose every form that can run, when a submission is graded. Markdown is cleaned after it became
HTML, in feedback and form grader. A content-security policy, the second wall, tells the browser to
run nothing in feedback, and in the form grader only what stands in the head of its own page.
"""

import base64
import binascii
import hashlib
import re
import secrets
from html import escape

import bleach
from bs4 import BeautifulSoup
from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

PICTURES = {"image/png", "image/jpeg"}
TAGS = [
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "code",
    "dd",
    "del",
    "details",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "small",
    "span",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
]
ATTRIBUTES = {"th": ["colspan", "rowspan"], "td": ["colspan", "rowspan"], "ol": ["start"]}
DATA = re.compile(r"data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/=\s]*")
HIGHLIGHTED = re.compile(r"highlight( hl-[\w-]+)?|[a-z]{1,2}\d?")  # the classes that pygments gives
LONGEST = 20_000  # characters of words in one cell
MOST_TAGS = 10_000  # in one text
UNSEEN = re.compile(r"</?(script|style)\b", re.IGNORECASE)
OPENED = re.compile(r"<(/?)(?!(?:br|hr|img|input|col)\b)[a-zA-Z]")
DEEPEST = 200  # tags open at once
PROTOCOLS = ["http", "https", "mailto", "data"]  # data: in pictures only, see may_stay
JAVASCRIPT = "text/javascript"
FEEDBACK_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)


# ── words and pictures ──────────────────────────────────────────────────────────────────────


def harmless(outputs: list) -> list[dict]:
    """Return outputs of a notebook without any form that can run, and with no metadata.

    Parameters
    ----------
    outputs : list of dict
        In the notebook format, but a process that a student owns may have sent anything.
    """
    return [clean for output in outputs if (clean := one_harmless(output))]


def one_harmless(output) -> dict | None:
    """Return a new output with what may be shown of the given one, or None."""
    kind = output.get("output_type") if isinstance(output, dict) else None
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return {"output_type": kind, "name": name, "text": text(output.get("text"))}
    if kind == "error":
        lines = output.get("traceback")
        traceback = [text(line) for line in lines] if isinstance(lines, list) else []
        words = {key: text(output.get(key)) for key in ("ename", "evalue")}
        return {"output_type": kind, **words, "traceback": traceback}
    data = output.get("data") if kind in ("display_data", "execute_result") else None
    shown = shown_forms(data) if isinstance(data, dict) else {}
    return {"output_type": "display_data", "data": shown, "metadata": {}} if shown else None


def shown_forms(data: dict) -> dict[str, str]:
    """Return the forms of an output that are shown: pictures, cleaned tables, text."""
    shown = {mime: text(data[mime]) for mime in PICTURES & data.keys() if is_base64(data[mime])}
    if html := clean_html(text(data.get("text/html"))).strip():
        shown["text/html"] = html
    if "text/plain" in data:
        shown["text/plain"] = text(data["text/plain"])
    return shown


def text(value) -> str:
    """Return a text that can be written to a file; empty for anything else."""
    return value.encode("utf-8", "replace").decode() if type(value) is str else ""


def is_base64(value) -> bool:
    """Tell whether a value is the text of a picture, and no way out of an attribute."""
    try:
        return bool(base64.b64decode("".join(text(value).split()), validate=True))
    except (binascii.Error, ValueError):
        return False


def clean_html(html: str) -> str:
    """Return HTML with tags that only lay out words, and pictures that are part of it."""
    plain = DATA.sub("", html)
    if len(plain) > 10 * LONGEST or plain.count("<") > MOST_TAGS or deepest(plain) > DEEPEST:
        return f"<pre>{escape(plain[:LONGEST])}</pre>"
    html = without_unseen(html)
    return bleach.clean(html, tags=TAGS, attributes=may_stay, protocols=PROTOCOLS, strip=True)


def deepest(html: str) -> int:
    """Return about how many tags are open at once: those that nobody closes count."""
    depth = most = 0
    for end in OPENED.findall(html):
        depth = depth - 1 if end else depth + 1
        most = max(most, depth)
    return most


def without_unseen(html: str) -> str:
    """Return HTML without scripts and styles and what is in them, in one pass over it."""
    kept, place, inside = [], 0, ""
    for mark in UNSEEN.finditer(html):
        closes, name = mark[0][1] == "/", mark[1].lower()
        if not inside and not closes:
            kept.append(html[place : mark.start()])
            inside = name
        elif closes and name == inside:
            end = html.find(">", mark.end())
            place, inside = (len(html) if end < 0 else end + 1), ""
    return "".join(kept) + ("" if inside else html[place:])


def may_stay(tag: str, name: str, value: str) -> bool:
    """Tell whether an attribute may stay: no identity of the page's own parts may be taken."""
    if name == "class":
        return bool(HIGHLIGHTED.fullmatch(value))
    if tag == "img":
        return DATA.fullmatch(value) is not None if name == "src" else name in ("alt", "title")
    if tag == "a":
        return name == "href" and not value.strip().lower().startswith("data:")
    return name in ATTRIBUTES.get(tag, ())


@pass_context
def clean_markdown(context, source: str) -> str:
    """Return Markdown as clean HTML: nbconvert's filter ``markdown2html``, and then cleaned."""
    if len(DATA.sub("", source)) > LONGEST:  # some of it would take minutes
        return f"<pre>{escape(source[:LONGEST])}</pre>"
    pictures = attached(context.get("cell", {}).get("attachments"))
    renderer = IPythonRenderer(
        escape=False, attachments=pictures, embed_images=False, exclude_anchor_links=True
    )
    try:
        return clean_html(MarkdownWithMath(renderer=renderer).render(source))
    except Exception:  # noqa: BLE001 - whatever somebody may nest
        return f"<pre>{escape(source)}</pre>"


def attached(attachments) -> dict:
    """Return the pictures among the attachments of a cell, whatever somebody wrote there."""
    named = attachments.items() if isinstance(attachments, dict) else ()
    return {
        name: {mime: data[mime] for mime in PICTURES & data.keys() if is_base64(data[mime])}
        for name, data in named
        if isinstance(data, dict)
    }


# ── what the browser is told ────────────────────────────────────────────────────────────────


class Feedback(HTMLExporter):
    """How feedback is made: a page without scripts, in which the browser runs none."""

    def from_notebook_node(self, nb, resources=None, **options):
        """Return the page and what belongs to it."""
        html, resources = super().from_notebook_node(nb, resources, **options)
        page = BeautifulSoup(html, "html.parser")
        for script in page.find_all("script"):
            script.decompose()  # for formulas and widgets, of which there are none
        policy = {"http-equiv": "Content-Security-Policy", "content": FEEDBACK_POLICY}
        page.head.insert(0, page.new_tag("meta", attrs=policy))
        return str(page), resources


def guarded(page: str, origin: str, static: str) -> tuple[str, str]:
    """Return the form grader's page and the policy under which a browser shall show it.

    Scripts in its head run, because a student's words stand in its body; they are marked by a number
    that nobody can know before.

    Parameters
    ----------
    page : str
        HTML.
    origin : str
        Of the server, such as ``"http://localhost:8888"``.
    static : str
        The address, on the server, of the form grader's own files.
    """
    soup, nonce = BeautifulSoup(page, "html.parser"), secrets.token_urlsafe(16)
    for script in soup.find_all("script"):
        own = script.find_parent("head") and script.get("type", JAVASCRIPT) == JAVASCRIPT
        if own and not script.get("src", "").startswith("http"):  # MathJax, for formulas
            script["nonce"] = nonce
        else:
            script.decompose()
    names = " ".join(hash_of(words) for words in ("toggle_name(true);", "toggle_name(false);"))
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}' 'unsafe-hashes' {names}; "
        f"style-src 'unsafe-inline' {origin}{static}; img-src data: {origin}{static}; "
        f"font-src data: {origin}{static}; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'self'"
    )
    return str(soup), policy


def hash_of(words: str) -> str:
    """Return how a policy names an inline handler."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(words.encode()).digest()).decode()}'"


def guard_form_grader() -> None:
    """Let the form grader show submissions under a policy; it calls nbgrader_config.py first."""
    from nbgrader.server_extensions.formgrader import handlers

    class Guarded(handlers.SubmissionHandler):
        """A page of the form grader that shows a submission."""

        def write(self, chunk):
            """Write the page, guarded."""
            if isinstance(chunk, str) and "<head>" in chunk:
                origin = f"{self.request.protocol}://{self.request.host}"
                chunk, policy = guarded(chunk, origin, f"{self.base_url}/formgrader/static/")
                self.set_header("Content-Security-Policy", policy)
            super().write(chunk)

    class Closed(handlers.SubmissionFilesHandler):
        """A file beside a submission: whatever it is, nothing in it runs."""

        @property
        def content_security_policy(self):
            """The policy of such a file."""
            return "default-src 'none'; sandbox"

    safe = {handlers.SubmissionHandler: Guarded, handlers.SubmissionFilesHandler: Closed}
    handlers.default_handlers[:] = [
        (pattern, safe.get(handler, handler), *more)
        for pattern, handler, *more in handlers.default_handlers
    ]
