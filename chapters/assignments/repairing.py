"""Mend what a class hands in, before nbgrader grades it; see README.md, "What damaged notebooks get".

`Repair` and `Exporter` are part of nbgrader's own autograding (see nbgrader_config.py), so the form
grader's button repairs as well. They work on a copy: what a student handed in is never changed.
"""

import copy
import os
import re
import stat
from pathlib import Path

import nbformat
from nbconvert.exporters import NotebookExporter
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import ClearHiddenTests, NbGraderPreprocessor

NOTE = (
    "**Repaired before grading.** Your answers were kept; only marks of nbgrader were mended:\n\n"
)
LARGEST_NOTEBOOK, LARGEST_FOLDER, MOST_FILES = 20 * 2**20, 100 * 2**20, 500
MOST_PARTS = 200_000  # lists and dicts in a notebook's file: each takes a hundred times its bytes
TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?( ?[A-Z]{1,5}| ?[+-]\d\d:?\d\d)?")
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
        cell["source"] = str(cell.get("source", "")).encode("utf-8", "replace").decode()
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


def unreadable(folder):
    """Return a sentence on what must not be read in a submission's folder, or an empty one.

    A link may lead to the solutions, a pipe has no end, and a folder may fill the disk.
    """
    size = count = 0
    for place, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            about = Path(place, name).lstat()
            if not stat.S_ISREG(about.st_mode) and not stat.S_ISDIR(about.st_mode):
                return f"{name!r} is a link or no file: ask for the file itself"
            if name.endswith(".ipynb") and about.st_size > LARGEST_NOTEBOOK:
                return f"{name!r} has {about.st_size / 2**20:.0f} MB: ask for it without outputs"
            if problem := unfit(Path(place, name)):
                return problem
            size, count = size + about.st_size, count + 1
    if size > LARGEST_FOLDER or count > MOST_FILES:
        return f"{count} files, {size / 2**20:.0f} MB were handed in: ask for the notebook only"
    return "a link was handed in" if Path(folder).is_symlink() else ""


def unfit(path):
    """Return a sentence on a file that would keep nbgrader busy for hours, or an empty one."""
    if path.suffix == ".ipynb" and path.is_file():
        content = path.read_bytes()
        if content.count(b"{") + content.count(b"[") > MOST_PARTS:
            return f"{path.name!r} has too many parts for a notebook: ask for it without outputs"
    if path.name == "timestamp.txt" and (path.stat().st_size > 100 or not is_time(path)):
        return "'timestamp.txt' holds no time: nbgrader would take it for the hour of handing in"
    return ""


def is_time(path):
    """Tell whether a file holds one time, as nbgrader writes it: 2026-11-28 20:15:00 UTC."""
    return bool(TIME.fullmatch(path.read_text(encoding="utf-8", errors="replace").strip()))


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
    """Leave out the release's cells that only draw, and take half of the time, or only check."""
    extra = [c.source for c in release.cells if "not-graded" in c.metadata.get("tags", [])]
    extra += [c.source for c in release.cells if c.source.startswith('check("')]
    notebook.cells = [cell for cell in notebook.cells if cell.source not in extra]
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

    def __init__(self, **options):
        """Refuse what must not be read; nbgrader copies every file, and whatever a link leads to."""
        super().__init__(**options)
        for folder in getattr(self.parent, "assignments", {}):
            if problem := unreadable(Path(folder)):
                raise ValueError(problem)

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
