"""The repository's address: said once, written everywhere, and no placeholder is published."""

import re
import shutil
import subprocess
from pathlib import Path

import address
import execute
import nbformat
import pytest

ROOT = Path(__file__).parent.parent
OTHERS = {"holgern/scikit-optimize", "googlecolab/backend-info"}  # repositories that we only cite
REPOSITORY = re.compile(r"(?:github\.com|\.com/github)/([\w.-]+/[\w-]+)")
NOTEBOOKS = sorted(
    path.relative_to(ROOT)
    for pattern in (*address.NOTEBOOKS, "chapters/assignments/release/*/*.ipynb")
    for path in ROOT.glob(pattern)
)
NEW = "https://github.com/ada/transfer-course"


def repositories(root):
    """The repositories named in a checkout's pages and notebooks, with the files that name them."""
    files = [p for kind in ("*.md", "*.cff", "*.yml", "*.ipynb") for p in root.rglob(kind)]
    files = [p for p in files if not {".venv", ".git"} & set(p.relative_to(root).parts)]
    return {
        (name, str(path.relative_to(root)))
        for path in files
        for name in REPOSITORY.findall(path.read_text(encoding="utf-8"))
    }


def tracked_copy(folder, wanted):
    """Copy the wanted files of this repository."""
    for path in wanted:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, folder / path)
    return folder


@pytest.fixture
def checkout(tmp_path):
    name = "03_tuning"
    course = Path("chapters/assignments")
    source = course / "source" / name / f"{name}_exercises.ipynb"
    lesson = Path("chapters/03_tuning.ipynb")
    pages = ["pyproject.toml", course / "nbgrader_config.py", *address.PAGES]
    return tracked_copy(tmp_path, [lesson, source, course / "grading.py", *pages])


def move(checkout, new=NEW):
    project = checkout / "pyproject.toml"
    project.write_text(project.read_text().replace(address.PLACEHOLDER, new))


def test_every_address_is_the_one_in_pyproject():
    ours = address.address().removeprefix("https://github.com/")
    names = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    strange = [
        (name, path) for name, path in repositories(ROOT)
        if path in names and name != ours and name not in OTHERS
    ]  # fmt: skip
    assert strange == [], "run tools/address.py, or name a repository that is only cited in OTHERS"
    assert address.written() == address.address()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=str)
def test_a_notebook_begins_with_the_cell_that_installs_the_course(path):
    cells = nbformat.read(ROOT / path, as_version=4).cells
    marked = [n for n, c in enumerate(cells) if address.TAG in c.metadata.get("tags", [])]
    assert marked == [1]
    assert cells[1].source == address.INSTALL.format(address=address.address())


def test_a_new_address_is_written_everywhere(checkout):
    move(checkout)
    address.stamp(checkout)
    named = {name for name, _ in repositories(checkout)} - OTHERS
    assert named == {"ada/transfer-course"}
    for path in checkout.glob("chapters/[0-9]*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        assert notebook == execute.normalise(notebook)
        assert f"git+{NEW}" in notebook.cells[1].source
    (release,) = checkout.glob("chapters/assignments/release/*/*.ipynb")
    assert f"git+{NEW}" in nbformat.read(release, as_version=4).cells[1].source
    address.check(checkout)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://github.com/o/r/issues", "https://github.com/ada/c/issues"),
        ("git+https://github.com/o/r", "git+https://github.com/ada/c"),
        (".com/github/o/r/blob/main", ".com/github/ada/c/blob/main"),
        ("https://github.com/o/r2", "https://github.com/o/r2"),
        ("https://github.com/o/r.", "https://github.com/ada/c."),
    ],
)
def test_only_the_own_address_is_replaced(text, found):
    assert address.replaced(text, "https://github.com/o/r", "https://github.com/ada/c") == found


def test_a_placeholder_is_not_published(checkout):
    with pytest.raises(SystemExit, match="is a placeholder: put the repository's own address"):
        address.check(checkout)


def test_an_address_that_is_not_written_yet_is_not_published(checkout):
    move(checkout)
    with pytest.raises(SystemExit, match="run python tools/address.py to write it"):
        address.check(checkout)
