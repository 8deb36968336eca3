"""Every word of prose is in a British dictionary or in book/words.txt, which holds ours."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parent.parent.parent
CSPELL = ROOT / ".book-venv" / "node_modules" / "cspell" / "bin.mjs"
NODE = ROOT / ".book-venv" / ("Scripts" if sys.platform == "win32" else "bin")
# What is no prose: blocks and words of code, formulas, addresses, tags of HTML.
CODE = re.compile(
    r"```.*?```|``[^`]+``|`[^`]+`|\$\$.*?\$\$|\$[^$]+\$|\]\([^)]*\)|https?://\S+|<[^>]+>", re.DOTALL
)
# References name people: a dictionary knows none of them.
REFERENCES = re.compile(r"^\*\*References\b.*$", re.MULTILINE)
PAGES = ["*.md", "chapters/*.md", "chapters/assignments/*.md", "datasets/*.md"]
NOTEBOOKS = ["chapters/[0-9]*.ipynb", "chapters/assignments/source/*/*.ipynb"]


def prose(text):
    return REFERENCES.sub("", CODE.sub(" ", text))


def texts():
    """Yield the name and the prose of every page and every lesson."""
    for path in (path for pattern in PAGES for path in sorted(ROOT.glob(pattern))):
        yield path, prose(path.read_text(encoding="utf-8"))
    for path in (path for pattern in NOTEBOOKS for path in sorted(ROOT.glob(pattern))):
        cells = nbformat.read(path, as_version=4).cells
        yield path, prose("\n\n".join(c.source for c in cells if c.cell_type == "markdown"))


def unknown(folder):
    """Return the words of all text files in a folder that no dictionary has, each with its file."""
    command = ["node", CSPELL, "--no-progress", "--no-summary", "--no-gitignore", "--unique"]
    command += ["--config", ROOT / "book" / "spelling.json", "**/*.txt"]
    environment = os.environ | {"PATH": f"{NODE}{os.pathsep}{os.environ['PATH']}"}
    run = subprocess.run(
        command, cwd=folder, env=environment, check=False, capture_output=True, text=True
    )
    assert run.returncode in (0, 1), run.stderr
    return run.stdout.splitlines()


if not CSPELL.exists():
    pytest.skip("the spell checker is missing: make book", allow_module_level=True)


def test_all_prose_is_spelled_as_in_britain(tmp_path):
    for number, (path, text) in enumerate(texts()):
        (tmp_path / f"{number:02}-{path.stem}.txt").write_text(text, encoding="utf-8")
    assert unknown(tmp_path) == []


def test_a_typing_error_and_an_american_spelling_are_found(tmp_path):
    text = prose("The colour of `teh` $accurracy$ is regularised.\n\nA behavior, a mistkae.")
    (tmp_path / "page.txt").write_text(text, encoding="utf-8")
    words = [re.search(r"\((\w+)\)", line)[1] for line in unknown(tmp_path)]
    assert words == ["behavior", "mistkae"]
