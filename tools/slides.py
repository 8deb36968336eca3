"""Make a deck of slides for each lesson, from the cells that carry the tag ``slide``.

    python tools/slides.py

`make slides` makes the environment it needs first. The decks go to ``_book/slides``, with all that they
load beside them. Of a code cell a slide shows what it drew or printed; with the tag ``code``, its lines.
A figure's slide takes the caption from the cell below.
"""

import logging
import re
import shutil
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_markdown_cell, new_notebook

import book

TAG, WITH_CODE = "slide", "code"
DECKS = book.BUILD / "slides"
# Paragraphs of a lesson that no audience needs.
LEFT_OUT = re.compile(
    r"^(\[!\[|\*\*(Prerequisites|Time|Handbook rows|Next|References|A problem)\b|> \*\*中文)"
)


def tags(cell):
    """Return a cell's tags as a set."""
    return set(cell.metadata.get("tags", []))


def paragraphs(text):
    """Return Markdown without the paragraphs that no audience needs."""
    kept = [part for part in re.split(r"\n{2,}", text) if not LEFT_OUT.match(part)]
    return "\n\n".join(kept)


def begin(cell, kind="slide"):
    """Let a cell begin a slide, or go on with it (``kind="-"``)."""
    cell.metadata["slideshow"] = {"slide_type": kind}
    return cell


def slides_of(notebook):
    """Return the cells of a deck: one slide a tagged cell; a figure and its caption are one slide.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        A stored lesson.
    """
    book.describe_figures(notebook)
    cells = []
    for cell, after in zip(notebook.cells, [*notebook.cells[1:], None], strict=True):
        if TAG not in tags(cell):
            continue
        if cell.cell_type == "markdown":
            text = paragraphs(book.CAPTION.sub("", cell.source)).strip()
            cells.append(begin(new_markdown_cell(text)))
            continue
        alt = cell.metadata.pop("mystnb", {}).get("image", {}).get("alt", "")
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                output.metadata["image/png"] = {"alt": alt}
        if WITH_CODE not in tags(cell):
            cell.metadata["transient"] = {"remove_source": True}
        cells.append(begin(cell))
        if alt:
            cells.append(begin(new_markdown_cell(book.CAPTION.search(after.source)[0]), "-"))
    return cells


class Stop(logging.Handler):
    """Ends the making of the slides at a warning, as the book's ends."""

    def emit(self, record):
        """Say what the warning says, and stop."""
        sys.exit(f"The slides were not made: {record.getMessage()}")


def deck(notebook, name):
    """Return a lesson's deck as HTML; a warning ends the program."""
    from nbconvert import SlidesExporter  # only the book's environment needs it

    exporter = SlidesExporter(
        extra_template_basedirs=[str(book.ROOT / "book")],
        template_name="deck",
        reveal_url_prefix="reveal",
        reveal_theme="white",
    )
    exporter.log.addHandler(Stop(logging.WARNING))
    if not any(TAG in tags(cell) for cell in notebook.cells):
        sys.exit(f"Lesson {name} has no slide: give some of its cells the tag {TAG!r}.")
    slides = new_notebook(cells=slides_of(notebook), metadata={"title": name})
    html, _ = exporter.from_notebook_node(slides)
    return html


def main():
    """Write all decks, and reveal.js and MathJax beside them."""
    shutil.rmtree(DECKS, ignore_errors=True)
    book.copy_assets(DECKS)
    reveal = Path(sys.prefix) / "node_modules" / "reveal.js"
    for part in (
        "dist/reveal.css",
        "dist/reveal.js",
        "dist/theme/white.css",
        "plugin/notes/notes.js",
    ):
        (DECKS / "reveal" / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(reveal / part, DECKS / "reveal" / part)
    shutil.copytree(reveal / "dist" / "theme" / "fonts", DECKS / "reveal/dist/theme/fonts")
    for path in sorted((book.ROOT / "chapters").glob("[0-9]*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        book.write(DECKS / f"{path.stem}.html", deck(notebook, book.short_title(notebook)))
        print(DECKS / f"{path.stem}.html")


if __name__ == "__main__":
    main()
