"""The README's table and figure are those of the executed notebooks."""

import nbformat
import pytest
import readme


@pytest.fixture(scope="module")
def notebooks():
    paths = sorted((readme.ROOT / "chapters").glob("[0-9]*.ipynb"))
    return {path.name: nbformat.read(path, as_version=4) for path in paths}


def test_the_table_in_the_readme_is_that_of_the_notebooks(notebooks):
    text = (readme.ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.chapter_table(notebooks) in text, "stale: run python tools/readme.py"


def test_the_figure_is_that_of_chapter_1(notebooks):
    stored = (readme.ROOT / "chapters" / "figures" / "01_concepts.png").read_bytes()
    assert stored == readme.figure_before(notebooks["01_concepts.ipynb"], "**Figure 4.**")


def test_every_claim_of_a_chapter_has_its_line(notebooks):
    for notebook in notebooks.values():
        lines = readme.verdict_lines(notebook)
        assert lines
        for line in lines:
            assert line.split(" | ")[2] in readme.SYMBOLS


def test_a_missing_figure_is_a_sentence(notebooks):
    with pytest.raises(ValueError, match="no figure stands before"):
        readme.figure_before(notebooks["01_concepts.ipynb"], "**Figure 99.**")
