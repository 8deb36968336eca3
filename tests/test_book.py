"""What tools/book.py and tools/slides.py do to the pages; `make test-book` tests the result in a browser."""

from pathlib import Path

import nbformat
import pytest
import slides
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import book

ROOT = Path(__file__).parent.parent
LESSONS = sorted((ROOT / "chapters").glob("[0-9]*.ipynb"))
GLOSSARY = """| term | 中文 | meaning |
|---|---|---|
| head | 输出头 | the last layer |
| support set, query set | 支持集 | labelled, and asked |
| DWA (dynamic weight average) | 动态 | a rule |
"""
ANCHORS = {
    "head": "term-head",
    "support set": "term-support-set-query-set",
    "query set": "term-support-set-query-set",
    "dwa": "term-dwa-dynamic-weight-average",
    "dynamic weight average": "term-dwa-dynamic-weight-average",
}


def figure():
    return new_output("display_data", {"image/png": "AAAA"})


def test_every_entry_of_the_glossary_gets_its_anchor():
    assert book.glossary_terms(GLOSSARY) == ANCHORS
    marked = book.mark_terms(GLOSSARY)
    assert "| [head]{#term-head} | 输出头 |" in marked
    assert "[term]" not in marked
    assert marked.count("{#") == 3


def test_no_two_entries_of_the_glossary_share_an_anchor():
    text = (ROOT / "chapters" / "glossary.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert len({book.anchor(row.split(" | ")[0].removeprefix("| ")) for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("the *head* is", "the [*head*](#term-head) is"),
        ("two *Heads*, one *head*", "two [*Heads*](#term-head), one *head*"),
        ("***DWA*** weighs", "[***DWA***](#term-dwa-dynamic-weight-average) weighs"),
        ("a **head** or a head", "a **head** or a head"),
        ("*headless*, *Baselines:*", "*headless*, *Baselines:*"),
    ],
)
def test_the_first_italic_use_of_a_term_leads_to_the_glossary(text, linked):
    assert book.link_terms(text, ANCHORS, set()) == linked


def test_a_figure_is_described_by_the_caption_below_it():
    caption = new_markdown_cell("**Figure 2.** *Error* of `f`, see [below](#x).\n\nMore.")
    notebook = new_notebook(cells=[new_code_cell("plot()", outputs=[figure()]), caption])
    book.describe_figures(notebook)
    alt = notebook.cells[0].metadata["mystnb"]["image"]["alt"]
    assert alt == "Figure 2. Error of f, see below."


def test_a_caption_is_a_whole_paragraph():
    found = book.CAPTION.search("**Figure 1.** One line\nand the next.\n\nNot this one.")
    assert found[0] == "**Figure 1.** One line\nand the next."


def test_chinese_words_say_so():
    marked = book.mark_chinese("| head | 输出头，层 | the *last* layer |")
    assert marked == '| head | <span lang="zh-Hans">输出头，层</span> | the *last* layer |'


def test_functions_are_found_by_whatever_name_a_lesson_gives_them():
    source = "from tlcourse import plots as p, data\nfrom tlcourse.teaching.check import check\n%time x = 1\n"
    source += "p.curves(data.digits().pool)\ncheck('f', len)\nother.curves()"
    known = [
        "tlcourse.plots.curves",
        "tlcourse.data.digits",
        "tlcourse.teaching.check.check",
        "tlcourse.x",
    ]
    found = book.functions_used(new_notebook(cells=[new_code_cell(source)]), known)
    assert found == [
        "tlcourse.teaching.check.check",
        "tlcourse.data.digits",
        "tlcourse.plots.curves",
    ]


def test_links_lead_to_pages_of_the_book_or_to_the_repository():
    pages = {"README.md": "index.md", "chapters/a.ipynb": "chapters/a.ipynb"}
    text = "[a](chapters/a.ipynb#b) [m](Makefile) [w](https://example.org)"
    led = book.lead_on(text, "README.md", pages)
    repository = f"{book.REPOSITORY}/blob/main/Makefile"
    assert led == f"[a](chapters/a.ipynb#b) [m]({repository}) [w](https://example.org)"
    assert book.lead_on("[up](../README.md)", "chapters/a.ipynb", pages) == "[up](../index.md)"


def test_a_slide_shows_what_a_cell_drew_with_its_caption_and_not_how():
    tagged = {"tags": [slides.TAG]}
    cells = [
        new_markdown_cell("# A\n\n**Time.** long\n\n- one", metadata=tagged),
        new_code_cell("hidden()"),
        new_code_cell("plot()", outputs=[figure()], metadata=tagged),
        new_markdown_cell("**Figure 1.** A curve.\n\n## Not on the slide"),
        new_code_cell("shown()", metadata={"tags": [slides.TAG, slides.WITH_CODE]}),
    ]
    made = slides.slides_of(new_notebook(cells=cells))
    assert [c.source for c in made] == [
        "# A\n\n- one",
        "plot()",
        "**Figure 1.** A curve.",
        "shown()",
    ]
    assert [c.metadata.slideshow.slide_type for c in made] == ["slide", "slide", "-", "slide"]
    assert "transient" in made[1].metadata and "transient" not in made[3].metadata
    assert made[1].outputs[0].metadata["image/png"]["alt"] == "Figure 1. A curve."


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_lesson_marks_the_cells_of_its_slides(path):
    notebook = nbformat.read(path, as_version=4)
    assert 8 < sum(slides.TAG in slides.tags(cell) for cell in notebook.cells) <= 24
    assert slides.TAG in slides.tags(notebook.cells[0])
