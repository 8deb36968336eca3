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


@pytest.fixture
def checkout(tmp_path):
    """A copy of a lesson, an assignment, and the pages that name the address."""
    course, name = Path("chapters/assignments"), "03_tuning"
    wanted = [course / "source" / name / f"{name}_exercises.ipynb", f"chapters/{name}.ipynb"]
    wanted += ["pyproject.toml", *(p.relative_to(ROOT) for p in (ROOT / course).glob("*.py"))]
    for path in [*wanted, *address.PAGES]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    return tmp_path


def move(checkout, new=NEW):
    project = checkout / "pyproject.toml"
    project.write_text(project.read_text().replace(address.PLACEHOLDER, new))


def test_every_address_is_the_one_in_pyproject():
    ours = address.address().removeprefix("https://github.com/")
    names = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    found = repositories(ROOT)
    strange = [(n, path) for n, path in found if path in names and n not in {ours, *OTHERS}]
    assert strange == [], "run tools/address.py, or name a repository that is only cited in OTHERS"
    assert address.written() == address.address()


def test_a_notebook_begins_with_the_cell_that_installs_the_course():
    for path in NOTEBOOKS:
        cells = nbformat.read(ROOT / path, as_version=4).cells
        marked = [n for n, c in enumerate(cells) if address.TAG in c.metadata.get("tags", [])]
        assert marked == [1], path
        assert cells[1].source == address.INSTALL.format(address=address.address()), path


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


def test_only_the_own_address_is_replaced():
    old, new = "https://github.com/o/r", "https://github.com/ada/c"
    for text, found in {
        f"{old}/issues": f"{new}/issues",
        f"git+{old}": f"git+{new}",
        ".com/github/o/r/blob/main": ".com/github/ada/c/blob/main",
        f"{old}2": f"{old}2",
        f"{old}.": f"{new}.",
    }.items():
        assert address.replaced(text, old, new) == found


def test_no_placeholder_and_no_address_that_is_not_written_yet_is_published(checkout):
    with pytest.raises(SystemExit, match="is a placeholder: put the repository's own address"):
        address.check(checkout)
    move(checkout)
    with pytest.raises(SystemExit, match="run python tools/address.py to write it"):
        address.check(checkout)
