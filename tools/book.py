"""Make the book: a web site of the lessons as they are stored, which needs no network to read.

    python tools/book.py

`make book` makes the environment it needs first. A copy of the pages goes to ``_book/source``, and in
that copy alone pictures get their caption as alternative text, and terms lead to the glossary. The pages
of the library, and the links to them from the lessons' code, are made by Sphinx: book/settings.yml.
"""

import gc
import json
import os
import re
import shutil
import sys
import tomllib
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "_book"
SITE = BUILD / "_build" / "html"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REPOSITORY = PROJECT["urls"]["Repository"]
# The parts of the book after the lessons: titles by page. The library's pages are Sphinx's.
PARTS = {
    "To look things up": {
        "chapters/decide.md": "Decide: the course on one page",
        "chapters/glossary.md": "Glossary · 术语表",
        "chapters/handbook.md": "The handbook",
        "chapters/verdicts.md": "Verdicts",
        "datasets/README.md": "Data sets",
        "book/running.md": "Running the course",
        "benchmarks/README.md": "Benchmarks",
    },
    "The library": {
        "library/tlcourse/index": "What every lesson uses",
        "library/tlcourse/data/index": "Data",
        "library/tlcourse/teaching/index": "Teaching",
        "library/tlcourse/audit/index": "Audit",
        "library/tlcourse/lessons/index": "Lessons",
    },
    "For instructors": {"chapters/assignments/README.md": "Assignments"},
    "The project": {
        "CONTRIBUTING.md": "How to help",
        "CHANGELOG.md": "What changed",
        "LICENSE-text.md": "Licence",
    },
}
# Where each page lies in the book; the lessons are added. Folders stay as they are in the repository.
PAGES = {page: page for pages in PARTS.values() for page in pages if page.endswith(".md")}
PAGES["README.md"] = "index.md"
ASSETS = ROOT / "book" / "assets"
HIDDEN = {"colab"}  # tags of cells that are of no use to a reader without a kernel
BADGE = re.compile(r"\[!\[Open in Colab\]\([^)]*\)\]")
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)")
CAPTION = re.compile(r"^\*\*Figure \d+\.\*\*.*(?:\n.+)*$", re.MULTILINE)  # a whole paragraph
CHINESE = re.compile("[\u4e00-\u9fff][\u4e00-\u9fff\u3000-\u303f\uff00-\uffef]*")
ENTRY = re.compile(r"^\| (?!term \||-)(.+?) \|", re.MULTILINE)  # a row of the glossary
ITALIC = re.compile(r"(?<!\*)(\*{3}|\*)(?=\S)([^*\n]+?)(?<=\S)\1(?!\*)")


# ── the terms ───────────────────────────────────────────────────────────────────────────────


def glossary_terms(text):
    """Return the anchor of every term in the glossary's table.

    Parameters
    ----------
    text : str
        The glossary, a Markdown table whose first column holds terms; ``a, b`` and ``a (b)`` are two.

    Returns
    -------
    dict of str to str
        Anchors by term in small letters.
    """
    anchors = {}
    for entry in ENTRY.findall(text):
        for term in re.split(r", | \(", entry.rstrip(")")):
            anchors.setdefault(term.lower(), anchor(entry))
    return anchors


def anchor(entry):
    """Name the place of a glossary entry."""
    return "term-" + re.sub(r"[^a-z0-9]+", "-", entry.lower().replace("²", "2")).strip("-")


def mark_terms(text):
    """Give every entry of the glossary its anchor."""
    return ENTRY.sub(lambda match: f"| [{match[1]}]{{#{anchor(match[1])}}} |", text)


def link_terms(text, anchors, linked):
    """Let the first italic use of each term lead to the glossary.

    Parameters
    ----------
    text : str
        Markdown.
    anchors : dict of str to str
        From `glossary_terms`.
    linked : set of str
        Anchors that have their link already; those of this text are added.
    """

    def link(match):
        place = find_term(match[2], anchors)
        if place is None or place in linked:
            return match[0]
        linked.add(place)
        return f"[{match[0]}](#{place})"

    return ITALIC.sub(link, text)


def mark_chinese(text):
    """Say which words are Chinese, so that a screen reader reads them out, and a browser picks a font."""
    return CHINESE.sub(lambda match: f'<span lang="zh-Hans">{match[0]}</span>', text)


def find_term(words, anchors):
    """Return the anchor of a term, also of its plural; None if the glossary has none."""
    words = words.lower()
    return anchors.get(words) or anchors.get(words.removesuffix("s"))


# ── the lessons ─────────────────────────────────────────────────────────────────────────────


def plain(text):
    """Return Markdown as the words a screen reader should say."""
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text)
    return re.sub(r"[*`$\\]|(?<=\s)_|_(?=\s)", "", text).strip()


def describe_figures(notebook):
    """Give each picture its caption, in the cell below it, as alternative text."""
    for cell, after in zip(notebook.cells, notebook.cells[1:], strict=False):
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", [])):
            caption = plain(CAPTION.search(after.source)[0])
            cell.metadata["mystnb"] = {"image": {"alt": caption}}


def lesson(notebook, anchors):
    """Turn a stored lesson into a page of the book, in place."""
    notebook.cells = [c for c in notebook.cells if not HIDDEN & set(c.metadata.get("tags", []))]
    describe_figures(notebook)
    linked = set()
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = BADGE.sub("[Open in Colab]", cell.source)
            cell.source = mark_chinese(link_terms(text, anchors, linked))


# ── the pages ───────────────────────────────────────────────────────────────────────────────


def lead_on(text, page, pages):
    """Let relative links lead to pages of the book, and all others to the repository.

    Parameters
    ----------
    text : str
        Markdown of the file `page`.
    page : str
        Its path in the repository.
    pages : dict of str to str
        Places in the book by path in the repository.
    """
    here = os.path.dirname(page)

    def link(match):
        path = os.path.normpath(os.path.join(here, match[2])).replace(os.sep, "/")
        if path not in pages:
            return f"[{match[1]}]({REPOSITORY}/blob/main/{path})"
        target = os.path.relpath(pages[path], os.path.dirname(pages[page])).replace(os.sep, "/")
        return f"[{match[1]}]({target}{match[3] or ''})"

    return LINK.sub(link, text)


def short_title(notebook):
    """Return a lesson's title for the list of contents: ``3 · Tuning``."""
    title = notebook.cells[0].source.splitlines()[0].removeprefix("# ")
    return re.split(r"[:?]", title.removeprefix("Chapter "))[0]


def contents(lessons):
    """Return the list of contents as jupyter-book reads it; each page of the library lists its rooms."""
    titles = {"Lessons": {f"chapters/{name}": title for name, title in lessons.items()}} | PARTS
    parts = [
        {"caption": caption, "chapters": [{"file": f, "title": t} for f, t in pages.items()]}
        for caption, pages in titles.items()
    ]
    return {"format": "jb-book", "root": "index", "parts": parts}


def write_sources(source):
    """Write the pages of the book, their pictures and settings.

    Parameters
    ----------
    source : path
        A folder that does not exist.
    """
    lessons = sorted((ROOT / "chapters").glob("[0-9]*.ipynb"))
    pages = PAGES | {f"chapters/{path.name}": f"chapters/{path.name}" for path in lessons}
    glossary = (ROOT / "chapters" / "glossary.md").read_text(encoding="utf-8")
    anchors = glossary_terms(glossary)
    for page, place in PAGES.items():
        text = lead_on((ROOT / page).read_text(encoding="utf-8"), page, pages)
        text = mark_terms(text) if page.endswith("glossary.md") else text
        write(source / place, mark_chinese(text))
    titles = {}
    for path in lessons:
        notebook = nbformat.read(path, as_version=4)
        titles[path.stem] = short_title(notebook)
        lesson(notebook, anchors)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = lead_on(cell.source, f"chapters/{path.name}", pages)
        write(source / "chapters" / path.name, nbformat.writes(notebook))
    settings = yaml.safe_load((ROOT / "book" / "settings.yml").read_text(encoding="utf-8"))
    write(source / "_config.yml", json.dumps(settings | {"repository": {"url": REPOSITORY}}))
    write(source / "_toc.yml", json.dumps(contents(titles)))
    shutil.copytree(ROOT / "chapters" / "figures", source / "chapters" / "figures")
    copy_assets(source / "assets")


def write(path, text):
    """Write a text file, and the folders it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def copy_assets(folder):
    """Copy what the pages load: our style sheet, and of MathJax what a browser needs."""
    shutil.copytree(ASSETS, folder)
    mathjax = Path(sys.prefix) / "node_modules" / "mathjax" / "es5"
    if not mathjax.exists():
        sys.exit(
            "MathJax is missing from the book's environment: delete .book-venv, then make book."
        )
    (folder / "mathjax").mkdir()
    shutil.copy(mathjax / "tex-chtml-full.js", folder / "mathjax")
    for part in ("a11y", "input", "output/chtml", "sre", "ui"):
        shutil.copytree(mathjax / part, folder / "mathjax" / part)


def build():
    """Write the sources anew and let jupyter-book make the site; a warning is an error."""
    source = BUILD / "source"
    for old in (source, BUILD / "_build"):
        shutil.rmtree(old, ignore_errors=True)
    write_sources(source)
    command = ["build", "--warningiserror", "--keep-going", "--path-output", BUILD, source]
    from jupyter_book.cli.main import main  # only the book's environment has it

    gc.disable()  # Sphinx keeps what it makes: looking for garbage takes more than half of the time
    try:
        main([str(word) for word in command])
    except SystemExit as end:
        return end.code


if __name__ == "__main__":
    status = build()
    print(
        "The book did not build: see the warnings above." if status else f"Open {SITE}/index.html"
    )
    sys.exit(status)
