"""The assignments' notebooks, and their graded cells run as grading runs them, without a process."""

import assignment as tool
import pytest
import repairing
import walls
from answers import here


def read(kind, name):
    """The notebook of an assignment: its "source" or its "release"."""
    return repairing.read(tool.COURSE / kind / name / f"{name}_exercises.ipynb")


def cell(notebook, name):
    """The cell that nbgrader knows as `name`."""
    return next(c for c in notebook.cells if repairing.grade_id(c) == name)


def needs_a_wall():
    """Skip a test that runs hostile submissions where nothing would hold them."""
    if walls.way() is None:
        pytest.skip("this system lets nobody build a wall around a submission")


def play(notebook, name, function):
    """Run a graded cell as if `function` were defined in the notebook."""
    names = {"__name__": "__main__", name: here(name, function)}
    exec(cell(notebook, f"test-{name}").source, names)  # noqa: S102 - as judging does


def grade(notebook, name, function):
    """Run a graded cell; return what it says against the function, or None."""
    try:
        play(notebook, name, function)
    except AssertionError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - what a student's function may raise
        return repr(error)
    return None
