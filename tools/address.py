"""Write the repository's address, which stands once in pyproject.toml, wherever readers need it.

    python tools/address.py           badges, links and install cells of all notebooks and pages
    python tools/address.py --check   stop with an error while the address is the placeholder

The last address written is the one in CITATION.cff. Whoever moves the course changes the line in
pyproject.toml and runs this.
"""

import re
import sys
import tomllib
from pathlib import Path

import assignment
import execute
import nbformat

ROOT = Path(__file__).parent.parent
PLACEHOLDER = "https://github.com/tlcourse/tlcourse"
PAGES = ["CITATION.cff", "CONTRIBUTING.md", "README.md", "chapters/assignments/README.md"]
NOTEBOOKS = ["chapters/[0-9]*.ipynb", "chapters/assignments/source/*/*.ipynb"]
TAG = "colab"
INSTALL = """\
import importlib.util
import os

if importlib.util.find_spec("tlcourse") is None:  # on Colab; elsewhere it is there already
    newest = "tlcourse @ git+{address}"
    source = os.environ.get("TLCOURSE_SOURCE", newest)
    %pip install -q "$source\""""


def address(root: Path = ROOT) -> str:
    """Return the repository's address as pyproject.toml states it."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["urls"]["Repository"]


def written(root: Path = ROOT) -> str:
    """Return the address that was written last: that of CITATION.cff."""
    text = (root / "CITATION.cff").read_text(encoding="utf-8")
    return re.search(r"^repository-code: (\S+)$", text, re.MULTILINE).group(1)


def replaced(text: str, old: str, new: str) -> str:
    """Return `text` with one repository for another, in links and in Colab's addresses too."""
    old, new = (re.sub(r"^https://github\.com/", "", name) for name in (old, new))
    return re.sub(rf"(github(?:\.com)?/){re.escape(old)}(?![\w.-]*\w)", rf"\g<1>{new}", text)


def with_address(notebook, old: str, new: str):
    """Return the notebook with a new address in its texts, and in the cell that installs the course."""
    for cell in notebook.cells:
        cell["source"] = replaced(cell.source, old, new)
        if TAG in cell.metadata.get("tags", []):
            cell["source"] = INSTALL.format(address=new)
    return execute.normalise(notebook)


def stamp(root: Path = ROOT) -> None:
    """Write the address of pyproject.toml into every page and notebook below `root`."""
    old, new = written(root), address(root)
    for path in [path for pattern in NOTEBOOKS for path in sorted(root.glob(pattern))]:
        notebook = with_address(nbformat.read(path, as_version=4), old, new)
        path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n")
    for folder in sorted(root.glob("chapters/assignments/source/*")):
        assignment.release(folder.name, folder.parent.parent)
    for page in map(root.joinpath, PAGES):
        page.write_text(replaced(page.read_text(encoding="utf-8"), old, new), encoding="utf-8")


def check(root: Path = ROOT) -> None:
    """Stop unless the course can be published under its address."""
    if address(root) == PLACEHOLDER:
        sys.exit(
            f"{PLACEHOLDER} is a placeholder: put the repository's own address under "
            "[project.urls] in pyproject.toml and run python tools/address.py."
        )
    if address(root) != written(root):
        sys.exit("pyproject.toml has a new address: run python tools/address.py to write it.")


if __name__ == "__main__":
    check() if "--check" in sys.argv[1:] else stamp()
