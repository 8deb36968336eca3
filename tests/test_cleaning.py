"""Nothing that a student wrote runs in a browser: what is left of it, and what the browser is told."""

import re

import cleaning
import hostile
import nbformat
from bs4 import BeautifulSoup
from graded import read
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_markdown_cell, new_notebook, new_output

NAME = "01_concepts"


def page_of(cells, exporter=cleaning.Feedback):
    """A notebook as a page, with the filter of the settings."""
    made = exporter(template_name="classic", filters={"markdown2html": cleaning.clean_markdown})
    return made.from_notebook_node(new_notebook(cells=cells))[0]


def what_runs(soup):
    """Every part of a page that a browser may run or load."""
    tags = [
        "script",
        "iframe",
        "object",
        "embed",
        "svg",
        "style",
        "form",
        "button",
        "input",
        "link",
        "base",
        "meta",
    ]
    parts = soup.find_all(tags)
    for tag in soup.find_all(True):
        names = [name for name in tag.attrs if name.startswith("on") or name in ("id", "srcdoc")]
        parts += names
        address = re.sub(r"\s", "", str(tag.get("href") or tag.get("src") or "")).lower()
        if not address.startswith(("https://", "http://", "data:image/", "#")) and address:
            parts.append(address)
    return parts


def test_nothing_is_left_that_runs_and_words_and_pictures_stay():
    release, source = read("release", NAME), read("source", NAME)
    notebook = hostile.made("runs_in_browsers", release, source)
    words = [cell for cell in notebook.cells if cell.cell_type != "code"]
    body = BeautifulSoup(page_of(words), "html.parser").body
    assert [part for words in body.select(".rendered_html") for part in what_runs(words)] == []
    pictures = [image["src"] for image in body.find_all("img") if image.get("src")]
    expected = sum("data:image/png;base64" in cell.source for cell in release.cells)
    assert len(pictures) == expected >= 6
    assert "Draw labels" in body.get_text() and body.find("table") and body.find("code")


BOMBS = {
    "never closed": "<div>" * 30_000,
    "scripts that never end": "<script " * 30_000,
    "crossed": "<p>" + "".join(f"<b a{i}>" for i in range(1000)) + "<p>x" * 1000,
    "long": "a<b>b</b>" * 30_000,
}


def test_what_would_keep_a_parser_busy_is_shown_as_it_was_written():
    for name, html in BOMBS.items():
        assert cleaning.clean_html(html).startswith("<pre>"), name
    table = "<table>" + "<tr><td>1</td></tr>" * 500 + "</table>"
    assert "<td>1</td>" in cleaning.clean_html(table)
    for html in (
        "a<script>x()</script>b<STYLE>c</style >c",
        "a<script>x<script>y</script>bc",
        "abc<script>x()",
        "abc<style>x</script>y",
    ):
        assert cleaning.clean_html(html) == "abc", html


def test_outputs_keep_text_tables_and_pictures_only():
    table = "<table><tbody><tr><td onclick='x()'>7</td></tr></tbody></table><script>x()</script>"
    data = {"text/html": table, "application/javascript": "x()", "text/plain": "7"}
    given = [
        {"output_type": "display_data", "data": data, "metadata": {"isolated": True}},
        {"output_type": "display_data", "data": {"image/png": 'x" onerror="y'}, "metadata": {}},
        {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo="}},
        {"output_type": "stream", "name": "<b>", "text": ["odd"]},
        {"output_type": "error", "ename": 3, "evalue": "e", "traceback": "no list"},
        {"output_type": "update_display_data", "data": {}},
        "no output",
        None,
    ]
    found = cleaning.harmless(given)
    cell = nbformat.v4.new_code_cell(outputs=[new_output(**output) for output in found])
    nbformat.validate(new_notebook(cells=[cell]))
    assert found[0]["data"] == {
        "text/html": "<table><tbody><tr><td>7</td></tr></tbody></table>",
        "text/plain": "7",
    }
    assert [list(output.get("data", ())) for output in found[1:]] == [["image/png"], [], []]


def test_feedback_says_that_nothing_may_run_and_the_form_grader_that_its_own_head_may():
    page = BeautifulSoup(page_of([new_markdown_cell("*word*")]), "html.parser")
    assert page.find_all("script") == [] and page.em.string == "word"
    assert "default-src 'none'" in page.head.meta["content"]
    unsafe = page_of([new_markdown_cell("<script>x()</script>")], HTMLExporter)
    unsafe = unsafe.replace("</head>", "<script src='/static/own.js'></script></head>")
    shown, policy = cleaning.guarded(unsafe, "http://here", "/static/")
    scripts = BeautifulSoup(shown, "html.parser").find_all("script")
    assert scripts and all(script["nonce"] in policy for script in scripts)
    assert "x()" not in shown and "'unsafe-inline' http" in policy
    assert "script-src 'nonce-" in policy and cleaning.guarded(unsafe, "", "")[1] != policy
