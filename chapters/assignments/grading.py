"""Autograde a class: one line a student, and no submission stops the others.

    python grading.py 01_concepts              everybody
    python grading.py 01_concepts ada grace    only these two

`Repair` is part of nbgrader's own autograding (see nbgrader_config.py), so the formgrader's button
repairs as well. It works on a copy: what a student handed in is never changed.
"""

import argparse
import copy
import shutil
import sys
import time
import warnings
from pathlib import Path

import nbformat
from nbgrader.apps import NbGraderAPI
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets.config import PyFileConfigLoader

NOTE = (
    "**Repaired before grading.** Your answers were kept; only marks of nbgrader were mended:\n\n"
)


# ── repairing ───────────────────────────────────────────────────────────────────────────────


def grade_id(cell):
    """Return the name that nbgrader knows a cell by, or None for an ordinary cell."""
    mark = cell.metadata.get("nbgrader")
    return mark.get("grade_id") if isinstance(mark, dict) else None


def repaired(submission, release):
    """Mend what copying, deleting and other editors do to a notebook.

    Every cell that nbgrader locks in the release occurs once afterwards. One that is missing comes
    back at the end, where all functions are defined. Of several copies the last one counts, the
    others stay as ordinary cells.

    Parameters
    ----------
    submission, release : nbformat.NotebookNode
        What a student handed in, and what the class was given.

    Returns
    -------
    nbformat.NotebookNode
        A mended copy, with a note to the student in front if there was anything to mend.
    list of str
        What was mended.
    """
    notebook, found = copy.deepcopy(submission), []
    master = {grade_id(cell): cell for cell in release.cells if grade_id(cell)}
    cells = {name: [c for c in notebook.cells if grade_id(c) == name] for name in master}
    for cell in notebook.cells:
        cell.metadata.pop("nbgrader", None)
    for name, original in master.items():
        if len(cells[name]) > 1:
            found.append(f"{name} was there {len(cells[name])} times: the last one counts")
        if cells[name]:
            cells[name][-1].metadata["nbgrader"] = copy.deepcopy(original.metadata.nbgrader)
        elif original.metadata.nbgrader.locked:
            notebook.cells.append(copy.deepcopy(original))
            found.append(f"{name} was missing: put back at the end")
        else:
            found.append(f"{name} was missing: its function counts wherever it is defined")
    if not any(cells.values()):
        found = ["every mark of nbgrader was lost: the graded cells are put back at the end"]
    if found:
        note = NOTE + "\n".join(f"- {line}" for line in found)
        notebook.cells.insert(0, nbformat.v4.new_markdown_cell(note))
    for position, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{position}"  # some editors copy ids, some write none
    notebook.update(nbformat=4, nbformat_minor=5)
    return notebook, found


def read(path):
    """Return the notebook in a file."""
    return nbformat.read(path, as_version=4)


def shortened(notebook, release):
    """Leave out the release's cells tagged not-graded: they only draw, and take half of the time."""
    drawings = [c.source for c in release.cells if "not-graded" in c.metadata.get("tags", [])]
    notebook.cells = [cell for cell in notebook.cells if cell.source not in drawings]
    return notebook


class Repair(NbGraderPreprocessor):
    """The first step of nbgrader's autograding: mend the notebook, and leave out what only draws."""

    def preprocess(self, notebook, resources):
        """Return the notebook to grade; nbgrader works in the course's folder."""
        where = resources["nbgrader"]
        release = read(Path("release", where["assignment"], f"{where['notebook']}.ipynb"))
        return shortened(repaired(notebook, release)[0], release), resources


# ── grading ─────────────────────────────────────────────────────────────────────────────────


def grade(api, assignment, student):
    """Autograde one student; return whether that worked, and what to tell the instructor."""
    (release,) = Path("release", assignment).glob("*.ipynb")
    folder = Path("submitted", student, assignment)
    handed_in, remarks = folder / release.name, []
    others = list(folder.glob("*.ipynb"))
    if not handed_in.exists() and len(others) == 1:
        shutil.copy(others[0], handed_in)
        remarks.append(f"the file was called {others[0].name!r}")
    if not handed_in.exists():
        return False, f"{release.name} is missing; there are {len(others)} other notebooks"
    try:
        remarks += repaired(read(handed_in), read(release))[1]
    except Exception as error:  # noqa: BLE001 - whatever a student may call a notebook
        return False, f"{release.name} cannot be read as a notebook ({type(error).__name__})"
    result = api.autograde(assignment, student)
    if not result["success"]:
        lines = [line for line in result.get("log", "").splitlines() if "Error: " in line]
        return False, f"nbgrader gave up: {lines[-1].strip() if lines else result.get('error')}"
    with api.gradebook as gradebook:
        scored = gradebook.find_submission(assignment, student)
        points = f"{scored.code_score:g} of {scored.max_code_score:g}"
    return True, "; ".join([points, *remarks])


def main(arguments=None):
    """Grade the students named on the command line, or all; return 1 if one could not be graded."""
    parser = argparse.ArgumentParser(description="Autograde a class, one line a student.")
    parser.add_argument("assignment", help="such as 01_concepts")
    parser.add_argument("students", nargs="*", help="default: everyone in submitted/")
    chosen = parser.parse_args(arguments)
    everyone = sorted(path.parent.name for path in Path("submitted").glob(f"*/{chosen.assignment}"))
    students = chosen.students or everyone
    if not list(Path("release", chosen.assignment).glob("*.ipynb")):
        sys.exit(
            f"there is no release of {chosen.assignment}: nbgrader generate_assignment makes it."
        )
    if not students:
        sys.exit(
            f"there is no submitted/<student>/{chosen.assignment}: collect the notebooks first."
        )
    warnings.filterwarnings("ignore", module="nbgrader|nbformat")  # of use to their authors only
    api = NbGraderAPI(config=PyFileConfigLoader("nbgrader_config.py").load_config())
    failed, start = 0, time.perf_counter()
    for student in students:
        before = time.perf_counter()
        worked, words = grade(api, chosen.assignment, student)
        failed += not worked
        line = f"{student:20} {time.perf_counter() - before:5.1f} s  "
        print(line + ("" if worked else "NOT GRADED: ") + words, flush=True)
    each = (time.perf_counter() - start) / len(students)
    print(f"{len(students)} students, {each:.1f} s each, {failed} not graded")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
