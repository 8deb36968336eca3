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
from nbconvert.exporters import NotebookExporter
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import NbGraderAPI
from nbgrader.preprocessors import ClearHiddenTests, NbGraderPreprocessor
from traitlets.config import PyFileConfigLoader

NOTE = (
    "**Repaired before grading.** Your answers were kept; only marks of nbgrader were mended:\n\n"
)
KEPT = {}  # releases as they were when grading began: a submission that runs may rewrite the files


# ── repairing ───────────────────────────────────────────────────────────────────────────────


def grade_id(cell):
    """Return the name that nbgrader knows a cell by, or None for an ordinary cell."""
    mark = (cell.get("metadata") or {}).get("nbgrader")
    return mark.get("grade_id") if isinstance(mark, dict) else None


def repaired(submission, release):
    """Mend what copying, deleting and other editors do to a notebook.

    Every cell that nbgrader locks in the release occurs once afterwards. One that is missing comes
    back at the end, where all functions are defined. Of several copies the last one counts, the
    others stay as ordinary cells. Only the release says what is run: a cell that it knows gets the
    release's metadata back (a locked one its type and its text too), any other cell and the notebook
    itself keep none of theirs. A tag such as ``skip-execution`` would spare a cell its test.

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
    tagged = [
        name
        for name, original in master.items()
        if original.metadata.nbgrader.grade
        and any(tags(c) not in (None, [], tags(original)) for c in cells[name])
    ]
    if tagged:
        found.append(f"{', '.join(tagged)} had other tags: put back as in the release")
    for cell in notebook.cells:
        cell["metadata"] = nbformat.NotebookNode()
    for name, original in master.items():
        if len(cells[name]) > 1:
            found.append(f"{name} was there {len(cells[name])} times: the last one counts")
        if cells[name]:
            place = next(i for i, c in enumerate(notebook.cells) if c is cells[name][-1])
            notebook.cells[place] = restored(cells[name][-1], original)
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
    notebook.update(nbformat=4, nbformat_minor=5, metadata=copy.deepcopy(release.metadata))
    return notebook, found


def tags(cell):
    """Return a cell's tags, whatever somebody wrote there."""
    return (cell.get("metadata") or {}).get("tags")


def restored(cell, original):
    """Return the release's cell, and of the submission's what a student may write: the answer."""
    mended = copy.deepcopy(original)
    if not original.metadata.nbgrader.locked:
        mended.source = cell.source
        if mended.cell_type == "markdown" and "attachments" in cell:
            mended.attachments = cell.attachments
    return mended


def read(path):
    """Return the notebook in a file; some editors put a byte-order mark in front."""
    return nbformat.reads(Path(path).read_text(encoding="utf-8-sig"), as_version=4)


def released(assignment, name="*"):
    """Return the path of an assignment's release, and the notebook."""
    if assignment in KEPT:
        return KEPT[assignment]
    (path,) = Path("release", assignment).glob(f"{name}.ipynb")
    return path, read(path)


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
        release = released(where["assignment"], where["notebook"])[1]
        with Gradebook(where["db_url"]) as gradebook:
            problem = disagreement(gradebook, where["assignment"], where["notebook"], release)
        if problem:
            raise ValueError(problem)
        return shortened(repaired(notebook, release)[0], release), resources


class Exporter(NotebookExporter):
    """How nbgrader reads what was handed in: also with a byte-order mark in front."""

    def from_file(self, file_stream, resources=None, **options):
        """Return the converted notebook and what belongs to it."""
        text = file_stream.read().removeprefix("\ufeff")
        notebook = nbformat.reads(text, as_version=4)
        return self.from_notebook_node(notebook, resources=resources, **options)


# ── can the points be trusted? ──────────────────────────────────────────────────────────────


def disagreement(gradebook, assignment, name, release):
    """Return a sentence where gradebook and release differ in what is graded, or an empty one.

    Whoever answers rightly what the release asks would get no points for what the gradebook asks.
    """
    again = f"run nbgrader generate_assignment {assignment} --force"
    try:
        known = gradebook.find_notebook(name, assignment)
    except MissingEntry:
        return f"the gradebook does not know {name}: {again}"
    sources = {cell.name: cell.source for cell in known.source_cells}
    booked = {
        cell.name: (float(cell.max_score), cell.cell_type, visible(sources.get(cell.name) or ""))
        for cell in known.grade_cells
    }
    booked |= {cell.name: (float(cell.max_score), cell.cell_type) for cell in known.task_cells}
    given = {}
    for cell in release.cells:
        mark = cell.metadata.get("nbgrader") or {}
        if mark.get("grade"):
            given[grade_id(cell)] = float(mark["points"]), cell.cell_type, cell.source
        elif mark.get("task"):
            given[grade_id(cell)] = float(mark["points"]), cell.cell_type
    names = sorted(name for name in booked | given if booked.get(name) != given.get(name))
    return f"release and gradebook disagree about {', '.join(names)}: {again}" if names else ""


def visible(source):
    """Return of a graded cell what students see: hidden tests are in the gradebook only."""
    cell = nbformat.v4.new_code_cell(source, metadata={"nbgrader": {"grade": True}})
    return ClearHiddenTests().preprocess_cell(cell, {}, 0)[0].source


def idle(gradebook, assignment, student, release_path, release):
    """Return the names of the tests that did not run or got no verdict: nbgrader counts both as 0.

    (One that did not run may even count as passed: it shows no error.)
    """
    marked = [c for c in release.cells if grade_id(c) and c.cell_type == "code"]
    marks = {grade_id(c): c.metadata.nbgrader for c in marked}
    tests = [name for name, mark in marks.items() if mark.grade and not mark.solution]
    path = Path("autograded", student, assignment, release_path.name)
    ran = {grade_id(c): c.get("execution_count") for c in read(path).cells} if path.exists() else {}
    scored = gradebook.find_submission(assignment, student)
    scores = {grade.name: grade.auto_score for part in scored.notebooks for grade in part.grades}
    return [name for name in tests if ran.get(name) is None or scores.get(name) is None]


# ── grading ─────────────────────────────────────────────────────────────────────────────────


def grade(api, assignment, student):
    """Autograde one student; return whether that worked, and what to tell the instructor."""
    path, release = released(assignment)
    folder = Path("submitted", student, assignment)
    handed_in, remarks = folder / path.name, []
    others = list(folder.glob("*.ipynb"))
    if not handed_in.exists() and len(others) == 1:
        shutil.copy(others[0], handed_in)
        remarks.append(f"the file was called {others[0].name!r}")
    if not handed_in.exists():
        return False, f"{path.name} is missing; there are {len(others)} other notebooks"
    try:
        remarks += repaired(read(handed_in), release)[1]
    except Exception as error:  # noqa: BLE001 - whatever a student may call a notebook
        return False, f"{path.name} cannot be read as a notebook ({type(error).__name__})"
    with api.gradebook as gradebook:
        problem = disagreement(gradebook, assignment, path.stem, release)
    if problem:
        return False, problem
    on_disk = content(path)
    result = api.autograde(assignment, student)
    if not result["success"]:
        lines = [line for line in result.get("log", "").splitlines() if "Error: " in line]
        return False, f"nbgrader gave up: {lines[-1].strip() if lines else result.get('error')}"
    if content(path) != on_disk:
        return False, "the release was changed while this ran: look at what the submission does"
    with api.gradebook as gradebook:
        if names := idle(gradebook, assignment, student, path, release):
            return False, f"not run, or without a verdict: {', '.join(names)}"
        scored = gradebook.find_submission(assignment, student)
        points = f"{scored.code_score:g} of {scored.max_code_score:g}"
    return True, "; ".join([points, *remarks])


def content(path):
    """Return what stands in a file, or None."""
    return path.read_bytes() if path.exists() else None


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
    KEPT[chosen.assignment] = released(chosen.assignment)
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
    import grading  # as nbgrader_config.py does: the same module, so both have the release KEPT

    sys.exit(grading.main())
