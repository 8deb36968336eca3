"""Make the book: a web site of the lessons as they are stored, which needs no network to read.

    python tools/book.py

`make book` makes the environment it needs first. A copy of the pages goes to ``_book/source``, and in
that copy alone pictures get their caption as alternative text, terms lead to the glossary, and each
lesson ends with the functions of the library it calls, and links to their source.
"""

import ast
import gc
import html
import json
import os
import re
import shutil
import sys
import tomllib
from pathlib import Path

import nbformat
import yaml
from nbformat.v4 import new_markdown_cell

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "_book"
SITE = BUILD / "_build" / "html"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REPOSITORY = PROJECT["urls"]["Repository"]
# Where each page lies in the book; the lessons are added. Folders stay as they are in the repository.
PAGES = {
    "README.md": "index.md",
    "chapters/glossary.md": "chapters/glossary.md",
    "datasets/README.md": "datasets/README.md",
    "chapters/assignments/README.md": "chapters/assignments/README.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "LICENSE-text.md": "LICENSE-text.md",
}
ASSETS = ROOT / "book" / "assets"
HIDDEN = {"colab"}  # tags of cells that are of no use to a reader without a kernel
BADGE = re.compile(r"\[!\[Open in Colab\]\([^)]*\)\]")
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)")
CAPTION = re.compile(r"^\*\*Figure \d+\.\*\*.*(?:\n.+)*$", re.MULTILINE)  # a whole paragraph
CHINESE = re.compile("[\u4e00-\u9fff][\u4e00-\u9fff\u3000-\u303f\uff00-\uffef]*")
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
    for entry in re.findall(r"^\| (?!term \||-)(.+?) \|", text, re.MULTILINE):
        for term in re.split(r", | \(", entry.rstrip(")")):
            anchors.setdefault(term.lower(), anchor(entry))
    return anchors


def anchor(entry):
    """Name the place of a glossary entry."""
    return "term-" + re.sub(r"[^a-z0-9]+", "-", entry.lower().replace("²", "2")).strip("-")


def mark_terms(text):
    """Give every entry of the glossary its anchor."""
    row = re.compile(r"^\| (?!term \||-)(.+?) \|", re.MULTILINE)
    return row.sub(lambda match: f"| [{match[1]}]{{#{anchor(match[1])}}} |", text)


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


def definitions(package):
    """Return the first line of the docstring of every public function and class of the library.

    Parameters
    ----------
    package : path
        The folder ``tlcourse``.

    Returns
    -------
    dict of str to str
        By dotted name, such as ``tlcourse.lessons.ch03_tuning.search.matern``.
    """
    found = {}
    for path in sorted(package.rglob("*.py")):
        for node in public(path):
            name = f"{dotted(path, package)}.{node.name}"
            found[name] = (ast.get_docstring(node) or "").split("\n\n")[0]
    return found


def functions_used(notebook, known):
    """Return the dotted names of the library's functions that a notebook's code names, sorted.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
    known : collection of str
        Dotted names of all that could be found, from `definitions`.
    """
    source = "\n".join(
        re.sub(r"(?m)^\s*[%!].*$", "", cell.source)
        for cell in notebook.cells
        if cell.cell_type == "code"
    )
    tree, names, used = ast.parse(source), {}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tlcourse"):
            names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            first, _, rest = ast.unparse(node).partition(".")
            used.add(names.get(first, "") + f".{rest}" * bool(rest))
    return sorted(used & set(known))


def source_table(names, known):
    """Return a Markdown section: each function, what it does, and a link to its source."""
    rows = []
    for name in names:
        module, _, function = name.rpartition(".")
        short = name.removeprefix("tlcourse.")
        page = f"../_modules/{module.replace('.', '/')}.html#{function}"
        link = f'<a href="{page}" aria-label="source of {short}">source</a>'
        does = html.escape(known[name].replace("\n", " ").replace("|", r"\|"), quote=False)
        rows.append(f"| [`{short}`](#{name}) | {does} | {link} |")
    head = ["## The library's functions in this lesson", "", "| function | what it does | code |"]
    return "\n".join([*head, "|---|---|---|", *rows])


def lesson(notebook, anchors, known):
    """Turn a stored lesson into a page of the book, in place."""
    notebook.cells = [c for c in notebook.cells if not HIDDEN & set(c.metadata.get("tags", []))]
    describe_figures(notebook)
    linked = set()
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = BADGE.sub("[Open in Colab]", cell.source)
            cell.source = mark_chinese(link_terms(text, anchors, linked))
    notebook.cells.append(new_markdown_cell(source_table(functions_used(notebook, known), known)))


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


def contents(lessons, rooms):
    """Return the list of contents as jupyter-book reads it."""
    titles = {
        "Lessons": {f"chapters/{name}": title for name, title in lessons.items()},
        "To look things up": {
            "chapters/glossary": "Glossary · 术语表",
            "datasets/README": "Data sets",
            "library/index": "The library",
        },
        "For instructors": {"chapters/assignments/README": "Assignments"},
        "The project": {
            "CONTRIBUTING": "How to help",
            "CHANGELOG": "What changed",
            "LICENSE-text": "Licence",
        },
    }
    parts = []
    for caption, pages in titles.items():
        chapters = [{"file": file, "title": title} for file, title in pages.items()]
        parts.append({"caption": caption, "chapters": chapters})
    library = parts[1]["chapters"][-1]
    library["sections"] = [{"file": f"library/{room}"} for room in rooms]
    return {"format": "jb-book", "root": "index", "parts": parts}


def library_pages(package):
    """Return a page for each room of the library, and one that lists them.

    Parameters
    ----------
    package : path
        The folder ``tlcourse``.

    Returns
    -------
    dict of str to str
        Markdown by file name; ``index`` comes first.
    """
    pages, rows = {"index": ""}, ["| room | what it holds |", "|---|---|"]
    for room in sorted(path for path in package.iterdir() if is_room(path)):
        modules = sorted(room.glob("*.py")) if room.is_dir() else [room]
        modules = [path for path in modules if path.stem != "__main__"]
        lines = [f"# {room.stem}", ""]
        for path in modules:
            module = dotted(path, package)
            lines += [f"## {module}"] * (len(modules) > 1)
            lines += ["```{eval-rst}", f".. autoapimodule:: {module}", "", *members(path, module)]
            lines += ["```", ""]
        pages[room.stem] = "\n".join(lines)
        doc = ast.get_docstring(ast.parse(modules[0].read_text(encoding="utf-8"))) or ""
        rows.append(f"| [{room.stem}]({room.stem}.md) | {doc.splitlines()[0]} |")
    words = "The rooms of `tlcourse`. Beside each function, **[source]** shows its code."
    return pages | {"index": "\n".join(["# The library", "", words, "", *rows, ""])}


def dotted(path, package):
    """Return the name a module is imported by."""
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def public(path):
    """Return the functions and classes that a module defines for others, as syntax trees."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    kinds = ast.FunctionDef | ast.ClassDef
    return [node for node in body if isinstance(node, kinds) and not node.name.startswith("_")]


def members(path, module):
    """Return the directives that describe a module's functions and classes."""
    lines = []
    for node in public(path):
        if isinstance(node, ast.ClassDef):
            lines += [f".. autoapiclass:: {module}.{node.name}", "   :members:", ""]
        else:
            lines += [f".. autoapifunction:: {module}.{node.name}", ""]
    return lines


def is_room(path):
    """Whether a path in the library is a room: a module, or a folder of modules."""
    if path.is_dir():
        return (path / "__init__.py").exists()
    return path.suffix == ".py" and path.stem != "__init__"


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
    anchors, known = glossary_terms(glossary), definitions(ROOT / "tlcourse")
    for page, place in PAGES.items():
        text = lead_on((ROOT / page).read_text(encoding="utf-8"), page, pages)
        text = mark_terms(text) if page.endswith("glossary.md") else text
        write(source / place, mark_chinese(text))
    titles = {}
    for path in lessons:
        notebook = nbformat.read(path, as_version=4)
        titles[path.stem] = short_title(notebook)
        lesson(notebook, anchors, known)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = lead_on(cell.source, f"chapters/{path.name}", pages)
        write(source / "chapters" / path.name, nbformat.writes(notebook))
    rooms = library_pages(ROOT / "tlcourse")
    for room, text in rooms.items():
        write(source / "library" / f"{room}.md", text)
    settings = yaml.safe_load((ROOT / "book" / "settings.yml").read_text(encoding="utf-8"))
    write(source / "_config.yml", json.dumps(settings | {"repository": {"url": REPOSITORY}}))
    write(source / "_toc.yml", json.dumps(contents(titles, [*rooms][1:])))
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
