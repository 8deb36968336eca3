"""Make what students get, after an assignment's source notebook or an exercise was edited.

    python tools/assignment.py 01_concepts

Three things in the source are made, not written: the statements (from `tlcourse.teaching.check.statement`), the
figures to expect (from what the solutions draw), and the release (by nbgrader). Everything else
is edited in the notebook itself.
"""

import re
import subprocess
import sys
from pathlib import Path

import execute
import nbformat

from tlcourse.teaching.check import statement

COURSE = Path(__file__).parent.parent / "chapters" / "assignments"
PICTURE = re.compile(r"data:image/png;base64,[^)]*")


def with_statements(notebook):
    """Write each exercise's statement below the heading of its cell ``ask-<name>``."""
    for cell in notebook.cells:
        kind, _, name = cell.metadata.get("nbgrader", {}).get("grade_id", "").partition("-")
        if kind == "ask":
            heading = cell.source.partition("\n")[0]
            cell.source = f"{heading}\n\n{statement(name).strip()}"
    return notebook


def with_figures(notebook):
    """Put the next figure that the executed notebook draws into each cell tagged expected-figure.

    In the text, as a data URI: Colab shows no attachments, and a file would not travel along.
    """
    for position, cell in enumerate(notebook.cells):
        if "expected-figure" in cell.metadata.get("tags", []):
            picture = f"data:image/png;base64,{drawn_near(notebook, position)}"
            cell.source = PICTURE.sub(lambda match, new=picture: new, cell.source)
    return notebook


def drawn_near(notebook, position):
    """Return the PNG (base64) drawn first after `position`; after the last one, the one before."""
    pictures = {
        place: output.data["image/png"].strip()
        for place, cell in enumerate(notebook.cells)
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    }
    return pictures[min((place for place in pictures if place > position), default=max(pictures))]


def without_outputs(notebook):
    """Clear what running the notebook left."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)
    return notebook


def main(assignment):
    """Rewrite the source notebook where it is stale, and the release."""
    for path in sorted((COURSE / "source" / assignment).glob("*.ipynb")):
        notebook = with_statements(nbformat.read(path, as_version=4))
        execute.execute(notebook, path.parent)
        notebook = execute.normalise(without_outputs(with_figures(notebook)))
        path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n")
    release(assignment)


def release(assignment, course=COURSE):
    """Let nbgrader make of an assignment's source what students get."""
    command = ["generate_assignment", assignment, "--force", "--no-db"]
    subprocess.run([sys.executable, "-m", "nbgrader", *command], cwd=course, check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
