"""What tools/book.py and tools/slides.py do to the pages; `make test-book` tests the result in a browser."""

from pathlib import Path

import nbformat
import slides
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import book

ROOT = Path(__file__).parent.parent
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
    entries = text.count("\n| ") - 1  # without the head
    assert len(set(book.glossary_terms(text).values())) == entries


def test_the_first_italic_use_of_a_term_leads_to_the_glossary():
    for text, linked in {
        "the *head* is": "the [*head*](#term-head) is",
        "two *Heads*, one *head*": "two [*Heads*](#term-head), one *head*",
        "***DWA*** weighs": "[***DWA***](#term-dwa-dynamic-weight-average) weighs",
        "a **head** or a head": "a **head** or a head",
        "*headless*, *Baselines:*": "*headless*, *Baselines:*",
    }.items():
        assert book.link_terms(text, ANCHORS, set()) == linked


def test_a_figure_is_described_by_the_caption_below_it():
    caption = new_markdown_cell("**Figure 2.** *Error* of `f`,\nsee [below](#x).\n\nMore.")
    notebook = new_notebook(cells=[new_code_cell("plot()", outputs=[figure()]), caption])
    book.describe_figures(notebook)
    alt = notebook.cells[0].metadata["mystnb"]["image"]["alt"]
    assert alt == "Figure 2. Error of f,\nsee below.", "a caption is a whole paragraph"


def test_chinese_words_say_so():
    marked = book.mark_chinese("| head | 输出头，层 | the *last* layer |")
    assert marked == '| head | <span lang="zh-Hans">输出头，层</span> | the *last* layer |'


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
    sources = ["# A\n\n- one", "plot()", "**Figure 1.** A curve.", "shown()"]
    assert [c.source for c in made] == sources
    assert [c.metadata.slideshow.slide_type for c in made] == ["slide", "slide", "-", "slide"]
    assert "transient" in made[1].metadata and "transient" not in made[3].metadata
    assert made[1].outputs[0].metadata["image/png"]["alt"] == "Figure 1. A curve."


def test_every_lesson_marks_the_cells_of_its_slides():
    for path in sorted((ROOT / "chapters").glob("[0-9]*.ipynb")):
        marked = [slides.TAG in slides.tags(c) for c in nbformat.read(path, as_version=4).cells]
        assert 8 < sum(marked) <= 24 and marked[0], path.name
