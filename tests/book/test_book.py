"""The book as a reader meets it, in a real browser that reaches nothing but the book's own files.

`make test` builds it first and looks at a few pages in the browser, `make test-book` at all of them.
"""

import functools
import json
import re
import threading
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

import pytest
from visitor import CDN, is_elsewhere, visit

ROOT = Path(__file__).parent.parent.parent
SITE = ROOT / "_book" / "_build" / "html"
AXE = ROOT / ".book-venv" / "node_modules" / "axe-core" / "axe.min.js"
SET_APART = re.compile(
    r"<(pre|code|style|script)\b.*?</\1>|<(span|div) class=\"math\b.*?</\2>", re.DOTALL
)
WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 390, "height": 844}  # a telephone
PAGES = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
PAGES = [page for page in PAGES if not page.startswith("_static/")]
# One of each kind: the front, two lessons, the library, the search.
FEW = ["index", "chapters/01_concepts", "chapters/06_maml", "library/tlcourse/index", "search"]
FEW = [f"{name}.html" for name in FEW]
DEFINED = re.compile(r"^(?:def|class) ([a-zA-Z]\w*)", re.MULTILINE)  # what is public
SETTLED = """async () => {
    await document.fonts.ready;
    if (window.MathJax) await MathJax.startup.promise;
}"""
VIOLATIONS = """async rules => (await axe.run(document, {
        resultTypes: ['violations'],
        ...(rules ? {runOnly: {type: 'rule', values: rules}} : {}),
    })).violations
    .filter(rule => ['serious', 'critical'].includes(rule.impact))
    .map(rule => `${rule.id}: ${rule.nodes[0].html.slice(0, 200)}`)"""
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"

if not PAGES:
    pytest.skip("there is no book yet: make book", allow_module_level=True)


class Page(HTMLParser):
    """What a page links to, what it loads, its anchors, and its pictures' alternative texts."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loads, self.anchors, self.pictures = set(), set(), set(), []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, pairs):
        values = dict(pairs)
        self.anchors |= {values[key] for key in ("id", "name") if values.get(key)}
        if tag == "a" and values.get("href"):
            self.links.add(values["href"])
        if tag == "img":
            self.pictures.append(values.get("alt") or "")
        self.loads |= {values[key] for key in ("src", "data") if values.get(key)}
        if tag == "link" and values.get("rel") in ("stylesheet", "icon", "preload"):
            self.loads.add(values["href"])


@functools.cache
def page(name):
    return Page(SITE / name)


def broken(name):
    """Yield what a page links to or loads and the site does not have."""
    for address in page(name).links | page(name).loads:
        if is_elsewhere(address):
            continue
        target, anchor = urldefrag(urljoin(name, address))
        target = unquote(target).split("?")[0]
        exists = (SITE / target).is_file()
        has_anchors = exists and target.endswith(".html")
        if not exists or anchor and has_anchors and unquote(anchor) not in page(target).anchors:
            yield address


def test_no_page_has_a_broken_link_a_resource_from_elsewhere_or_a_picture_without_words():
    for name in PAGES:
        assert sorted(broken(name)) == [], name
        loads = {address for address in page(name).loads if not address.startswith("data:")}
        assert [address for address in loads if is_elsewhere(address)] == [], name
        assert CDN.search((SITE / name).read_text(encoding="utf-8")) is None, name
        assert all(words.strip() for words in page(name).pictures), name


def test_every_formula_of_a_page_is_seen_as_one():
    """What is left of a page without formulas and code holds no dollar and no TeX command."""
    for path in sorted(SITE.glob("chapters/*.html")):
        article = path.read_text(encoding="utf-8").split("<article")[1].split("</article>")[0]
        text = re.sub(r"<[^>]+>", "", SET_APART.sub("", article))
        assert re.findall(r".{20}(?:\$|\\[a-z]+).*", text) == [], path.name


def test_every_figure_of_the_lessons_is_in_the_book():
    pictures = 0
    for path in sorted((ROOT / "chapters").glob("[0-9]*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        outputs = [o for cell in notebook["cells"] for o in cell.get("outputs", [])]
        stored = sum("image/png" in output.get("data", {}) for output in outputs)
        assert len(page(f"chapters/{path.stem}.html").pictures) == stored, path.name
        pictures += stored
    assert pictures > 50


def test_a_lesson_leads_to_the_glossary_and_from_its_code_to_the_library():
    for name in (name for name in PAGES if name.startswith("chapters/0")):
        links = page(name).links
        assert sum("glossary.html#term-" in link for link in links) >= 8, name
        called = {link for link in links if "library/tlcourse/" in link and "#tlcourse." in link}
        assert len(called) >= (12 if "00_" in name else 20), name


def test_every_room_has_its_page_with_links_to_the_source_of_its_functions():
    for path in (ROOT / "tlcourse").rglob("*.py"):
        room = path.relative_to(ROOT).with_suffix("").as_posix().removesuffix("/__init__")
        if path.name == "__main__.py":
            continue
        defined = DEFINED.findall(path.read_text(encoding="utf-8"))
        links = page(f"library/{room}/index.html").links
        for name in defined:
            assert any(link.endswith(f"_modules/{room}.html#{name}") for link in links), (
                room,
                name,
            )


# --- in a browser ----------------------------------------------------------------------------


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site():
    """Serve the book; yield its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(SITE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="module")
def reader(browser, site):
    """One tab for all pages: what is loaded once stays loaded."""
    tab, faults = visit(browser, site)
    yield tab, faults
    tab.close()


def read(tab, address):
    """Open a page and wait until its letters and formulas are there."""
    tab.goto(address)
    tab.evaluate(SETTLED)
    tab.add_style_tag(content="* { transition: none !important; }")
    tab.evaluate(AXE.read_text(encoding="utf-8"))


REST = [pytest.param(name, marks=pytest.mark.every_page) for name in PAGES if name not in FEW]


@pytest.mark.parametrize("name", FEW + REST)
def test_a_page_opens_without_a_fault_and_everyone_can_read_it(reader, site, name):
    tab, faults = reader
    faults.clear()
    tab.set_viewport_size(WIDE)
    tab.emulate_media(color_scheme="light")
    read(tab, site + name)
    assert tab.evaluate(VIOLATIONS) == []
    tab.emulate_media(color_scheme="dark")
    tab.wait_for_selector(
        "html[data-theme=dark]", state="attached"
    )  # the page is told a moment later
    assert tab.evaluate(VIOLATIONS, ["color-contrast"]) == []
    tab.set_viewport_size(NARROW)
    assert tab.evaluate(OVERFLOW) == 0
    assert faults == []


def test_a_tab_notices_what_it_should(browser, site):
    tab, faults = visit(browser, site)
    read(tab, site + "index.html")
    tab.evaluate("""() => {
        document.querySelector('.bd-article p').style.color = '#aaa';
        document.querySelector('.bd-article p').style.width = '2000px';
        const picture = document.createElement('img');
        picture.src = 'https://example.org/a.png';
        document.querySelector('.bd-article').append(picture);
        console.error('a fault');
    }""")
    tab.wait_for_timeout(200)
    rules = {line.split(":")[0] for line in tab.evaluate(VIOLATIONS)}
    assert {"color-contrast", "image-alt"} <= rules
    tab.set_viewport_size(NARROW)
    assert tab.evaluate(OVERFLOW) > 0
    assert {"a fault", "not loaded: https://example.org/a.png"} <= set(faults)
    tab.close()


def test_the_search_finds_a_lesson(browser, site):
    tab, faults = visit(browser, site)
    tab.goto(site + "search.html?q=MAML", wait_until="networkidle")
    tab.locator("#search-results li").first.wait_for()
    assert tab.locator("#search-results a[href*='chapters/06_maml.html']").count()
    assert faults == []
    tab.close()


def test_formulas_are_set(browser, site):
    tab, faults = visit(browser, site)
    tab.goto(site + "chapters/03_tuning.html", wait_until="networkidle")
    tab.locator("mjx-container").first.wait_for()
    assert tab.locator("mjx-container").count() > 20
    assert tab.locator("mjx-merror").count() == 0
    assert faults == []
    tab.close()
