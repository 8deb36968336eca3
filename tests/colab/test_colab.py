"""Colab, emulated: an environment without the course, and a notebook alone in an empty folder.

By default the environment is this one, seen without the course, and one small notebook runs in it.
`make test-colab` builds another one with the versions that Colab has (colab.txt), and names its Python in
TLCOURSE_COLAB: then every lesson and every assignment runs there.
"""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import course_wheel
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from readme import verdict_lines

CHAPTERS = course_wheel.ROOT / "chapters"
LESSONS = sorted(CHAPTERS.glob("[0-9]*.ipynb"))
RELEASES = sorted(CHAPTERS.glob("assignments/release/*/*.ipynb"))
COLAB = os.environ.get("TLCOURSE_COLAB")
everything = pytest.mark.skipif(not COLAB, reason="make test-colab runs all notebooks")
ADDED = {"tlcourse", "scikit-optimize", "pyaml"}  # by the first cell, and nothing else is touched
USE = """\
import os, pathlib, tlcourse
from tlcourse import data, models
from tlcourse.lessons.ch02c_language import documents
from tlcourse.lessons.ch02d_choosing_a_source import zoo
from tlcourse.lessons.ch06_maml import episodes
from tlcourse.teaching import quiz
from tlcourse.check import check
print(pathlib.Path(tlcourse.__file__).parent.parent)
models.load_backbone("letters"), episodes.load("maml"), data.digits()
check("freeze", lambda model: None)
print(sorted(os.listdir()))"""


def seen_without_the_course(folder):
    """Make an environment that has every package of this one but the course; return its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "bare"], check=True)
    packages = folder / "packages"
    packages.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if "tlcourse" not in entry.name:
            (packages / entry.name).symlink_to(entry)
    own = sysconfig.get_path("purelib", vars={"base": str(folder / "bare")})
    # pip sees what is there, and cannot remove it: it lies outside the environment.
    (Path(own) / "colab.pth").write_text(f"{packages}\n")
    return folder / "bare" / "bin" / "python"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return course_wheel.build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    return Path(COLAB) if COLAB else seen_without_the_course(tmp_path_factory.mktemp("colab"))


@pytest.fixture
def run(python, wheel, tmp_path):
    """Run a notebook as Colab's user does; return it executed."""
    home, folder = tmp_path / "home", tmp_path / "content"
    home.mkdir()
    folder.mkdir()
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG") or k.startswith("PIP_")}
    environment = kept | {"HOME": str(home), "TLCOURSE_SOURCE": str(wheel), "TQDM_DISABLE": "1"}

    def execute(notebook, *options):
        path = folder / "lesson.ipynb"
        nbformat.write(notebook, path)
        command = [python, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace"]
        command += [
            "--ExecutePreprocessor.timeout=900"
        ]  # of a cell, so that nothing waits for ever
        command += [*options, str(path)]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        assert os.listdir(folder) == ["lesson.ipynb"]
        assert [name for name in os.listdir(home) if not name.startswith(".")] == []
        return nbformat.read(path, as_version=4)

    return execute


def freeze(python):
    """The packages that an environment has, each with its version."""
    code = (
        "from importlib.metadata import distributions\n"
        "for d in distributions(): print(d.metadata['Name'], d.version, sep='==')"
    )
    command = [python, "-c", code]
    return set(subprocess.check_output(command, text=True).splitlines())


def test_the_first_cell_installs_the_course_and_touches_nothing_else(python, run):
    if COLAB:  # from an earlier run
        subprocess.run([python, "-m", "pip", "uninstall", "-q", "-y", *ADDED], check=True)
    before = freeze(python)
    first = nbformat.read(LESSONS[0], as_version=4).cells[1]
    assert "colab" in first.metadata["tags"]
    notebook = run(new_notebook(cells=[first, new_code_cell(USE)]))
    printed = "".join(o.get("text", "") for o in notebook.cells[1].outputs)
    assert str(python.parent.parent) in printed, "not the installed course"
    assert "['lesson.ipynb']" in printed
    after = freeze(python)
    assert before <= after
    assert {line.partition("==")[0] for line in after - before} <= ADDED


@everything
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_gives_the_same_verdicts(path, run):
    stored = nbformat.read(path, as_version=4)
    notebook = run(stored)
    assert verdict_lines(notebook) == verdict_lines(nbformat.read(path, as_version=4))
    drawn, due = pictures(notebook), pictures(nbformat.read(path, as_version=4))
    # Where real data sets are missing, as here, a lesson says so and goes on without their figures.
    printed = "".join(o.get("text", "") for c in notebook.cells for o in c.get("outputs", []))
    assert drawn >= due > 0 or "TLCOURSE_DATA" in printed


def pictures(notebook):
    """The number of figures in a notebook."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return sum("image/png" in output.get("data", {}) for output in outputs)


@everything
@pytest.mark.parametrize("path", RELEASES, ids=lambda path: path.stem)
def test_an_assignment_fails_exactly_where_it_is_graded(path, run):
    notebook = run(nbformat.read(path, as_version=4), "--allow-errors")
    failed = [
        c for c in notebook.cells if any(o.output_type == "error" for o in c.get("outputs", []))
    ]
    graded = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade")
              and c.cell_type == "code"]  # fmt: skip
    assert [c.id for c in failed] == [c.id for c in graded]
