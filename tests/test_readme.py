"""The README's table and figure are those of the executed notebooks."""

import json

import nbformat
import pytest
import readme

from tlcourse import verdicts


@pytest.fixture(scope="module")
def notebooks():
    paths = sorted((readme.ROOT / "chapters").glob("[0-9]*.ipynb"))
    return {path.name: nbformat.read(path, as_version=4) for path in paths}


def test_the_table_in_the_readme_is_that_of_the_notebooks(notebooks):
    text = (readme.ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.chapter_table(notebooks) in text, "stale: run python tools/readme.py"
    page = (readme.ROOT / "chapters" / "verdicts.md").read_text(encoding="utf-8")
    assert readme.claims_page(notebooks) in page, "stale: run python tools/readme.py"
    assert len(text.splitlines()) <= 200, "the rest belongs into the book"


def test_the_tables_of_the_gpu_are_those_that_were_stored(notebooks):
    text = readme.GPU.with_name("README.md").read_text(encoding="utf-8")
    stored = json.loads(readme.GPU.read_text(encoding="utf-8"))
    assert readme.gpu_table(stored, notebooks) in text, "stale: run python tools/readme.py"
    assert readme.gpu_steps(stored["steps"]) in text, "stale: run python tools/readme.py"


def test_a_lesson_that_did_not_run_on_the_gpu_or_changed_has_no_line(notebooks):
    run = {"device": "G", "torch": "9", "jobs": 1, "processes": 1, "seconds": 7.4}

    def found(name):
        lines = readme.verdict_lines(notebooks[name])
        turned = lines[0].replace("holds", "fails")
        real = ["MNIST, 5: .9", "other"]
        return run | {"verdicts": [turned, *lines[1:]], "other": [turned], "real data": real}

    changed = run | {"verdicts": ["H1.1 | old | holds"], "other": [], "real data": []}
    first, third = "03_tuning.ipynb", "04_regularization.ipynb"
    stored = {"quick": {first: found(first), third: changed}, "full": {first: found(first)}}
    n = len(readme.verdict_lines(notebooks[first]))
    assert readme.gpu_table(stored, notebooks).splitlines()[2:] == [
        f"| 3 | quick | 7 s (a) | {n - 1} of {n} |",
        f"| 3 | full | 7 s (a) | {n - 1} of {n} |",
        "",
        "(a) G, PyTorch 9, 1 lessons side by side, each with 1 process<br>",
        "",
        "- Lesson 3, full: MNIST, 5: .9",
    ]


def test_a_block_is_replaced_and_nothing_else():
    text = "a\n<!-- x: by me -->\nold\n<!-- end of x -->\nb"
    assert readme.replaced(text, "x", "new\n") == text.replace("old", "new")


def test_the_figure_is_that_of_chapter_1(notebooks):
    stored = (readme.ROOT / "chapters" / "figures" / "01_concepts.png").read_bytes()
    assert stored == readme.figure_before(notebooks["01_concepts.ipynb"], "**Figure 2.**")


def test_every_claim_of_a_chapter_has_its_line(notebooks):
    for notebook in notebooks.values():
        lines = readme.verdict_lines(notebook)
        assert lines
        for line in lines:
            assert line.split(" | ")[2] in readme.OLD | readme.SYMBOLS


def test_a_tally_says_which_verdicts_were_written_before_the_protocol(notebooks):
    lines = readme.chapter_table(notebooks).splitlines()
    tallies = [line for line in lines if line.startswith("| [")]
    assert len(tallies) == len(notebooks)
    for line, notebook in zip(tallies, notebooks.values(), strict=True):
        under_protocol = any("verdicts.Claims(" in cell.source for cell in notebook.cells)
        assert line.endswith(" † |") != under_protocol, "make execute"
    found = readme.chapter_table({}).splitlines()[-1]
    assert found.count("0 ") == 8, "all six verdicts, and two of as good as"
    assert f"† {verdicts.NOTE}: read these verdicts with care." in lines
    rewritten = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    assert not readme.written_before_the_protocol(rewritten)


def test_a_missing_figure_is_a_sentence(notebooks):
    with pytest.raises(ValueError, match="no figure stands before"):
        readme.figure_before(notebooks["01_concepts.ipynb"], "**Figure 99.**")
