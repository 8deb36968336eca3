"""How a submission is judged: its cells run behind a wall, its functions are tried from out here.

The process behind the wall runs the notebook's cells and then holds its functions. The graded
tests, with hidden cases, expected values and verdict, run here, where no line of a student's ever
runs: a test that calls `freeze` calls a stand-in, which sends the inputs behind the wall and brings
plain numbers back. `Judge` does that within nbgrader's autograding, in the place of its own
execution, so that points, form grader, feedback and export stay as they are.
"""

import contextlib
import io
import sys
import tempfile
from pathlib import Path

import walls
from cleaning import harmless
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from watching import Watch

LIMITS = walls.Limits()
CUT = [{"output_type": "stream", "name": "stdout", "text": "(the notebook shows too much)\n"}]
BOOKS = contextlib.nullcontext()  # the lock of the gradebook, where several students are graded


class NotGraded(Exception):
    """There is no verdict, for a reason that is the message."""


class Judge(NbGraderPreprocessor):
    """The step of nbgrader's autograding that runs a notebook and decides about its tests."""

    def preprocess(self, notebook, resources):
        """Return the notebook with its outputs and verdicts; nbgrader books the points by them."""
        place = Path(resources["nbgrader"]["student"], resources["nbgrader"]["assignment"])
        for path in Path("autograded", place).rglob("*"):  # nbgrader copied what else there was
            if path.is_file() and path.suffix != ".ipynb":
                path.unlink()
        send_probes(place.name)
        with unlocked(BOOKS):
            judge(notebook, Path("submitted", place), LIMITS)
        return notebook, resources


def send_probes(assignment: str) -> None:
    """Send parts of the exercises behind the wall as they are: their files are not to be seen there."""
    import cloudpickle

    from tlcourse.teaching.exercise import catalogue

    catalogue(assignment)
    for name, module in list(sys.modules.items()):
        if name.startswith("tlcourse.lessons.") and ".exercises" in name:
            cloudpickle.register_pickle_by_value(module)


@contextlib.contextmanager
def unlocked(lock):
    """Let others use the gradebook meanwhile."""
    if not hasattr(lock, "release"):
        yield
        return
    lock.release()
    try:
        yield
    finally:
        lock.acquire()


# ── one submission ──────────────────────────────────────────────────────────────────────────


def judge(notebook, folder: Path | None, limits: walls.Limits) -> None:
    """Run a notebook's cells behind a wall and judge its graded tests; both fill in its outputs.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Repaired, with the hidden tests in its graded cells.
    folder : Path or None
        What was handed in; its other files are there for the notebook to read.
    limits : walls.Limits

    Raises
    ------
    NotGraded
        If there is no verdict: no wall, a submission that ended its process, no time left.
    """
    from tlcourse.teaching import check

    check.SECONDS = limits.cell_seconds  # on a crowded machine a right answer may need long
    tests = [cell for cell in notebook.cells if is_test(cell)]
    with held(folder, limits) as child:
        run(notebook, child, limits)
        for number, cell in enumerate(tests, start=1):
            cell.outputs = verdict(cell, child)
            if child.budget <= 0:
                raise NotGraded(f"it used up its {limits.seconds:g} s at {name_of(cell)}")
            cell.execution_count = number


def is_test(cell) -> bool:
    """Tell whether a cell is graded by machine."""
    mark = cell.metadata.get("nbgrader", {})
    return bool(cell.cell_type == "code" and mark.get("grade") and not mark.get("solution"))


def name_of(cell) -> str:
    """Return the name of the exercise that a graded cell tests."""
    return cell.metadata.nbgrader.grade_id.removeprefix("test-")


def run(notebook, child, limits: walls.Limits) -> None:
    """Run the cells that are not graded; remember each function as it is where its test stands."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    room = limits.outputs
    for number, cell in enumerate(cells, start=1):
        if is_test(cell):
            child.run([{"hold": name_of(cell)}])
            continue
        (found,) = child.run([cell.source], seconds=limits.cell_seconds)
        if isinstance(found, str):  # it ended the process; the others run in a new one
            found = [
                {"output_type": "error", "ename": "Stopped", "evalue": found, "traceback": [found]}
            ]
        shown = harmless(found)
        room -= sum(len(str(output)) for output in shown)
        cell.outputs = [new_output(**output) for output in (shown if room > 0 else CUT)]
        cell.execution_count = number


def verdict(cell, child) -> list:
    """Run a graded cell out here, with a stand-in for the function behind the wall.

    Returns
    -------
    list of nbformat.NotebookNode
        The outputs of the cell: none, or the reason why it gets no points.
    """
    name, printed = name_of(cell), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        try:
            exec(cell.source, {"__name__": "__main__", name: child.student(name)})  # noqa: S102
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the verdict
            kind, words = type(error).__name__, " ".join(str(error).split())[:1000]
            return [new_output("error", ename=kind, evalue=words, traceback=[f"{kind}: {words}"])]
    return []


# ── the process that holds a submission ─────────────────────────────────────────────────────


@contextlib.contextmanager
def held(folder: Path | None, limits: walls.Limits):
    """Start the process that holds a submission; afterwards nothing of it is left."""
    from tlcourse.teaching.child import Child
    from tlcourse.teaching.guard import Mistake

    room = Path(tempfile.mkdtemp(prefix="graded-"))
    room.chmod(0o755)  # behind the wall it is seen by nobody
    child = watch = None
    try:
        walls.bring(folder, room / "brought")
        command, environment = walls.chosen()(room, limits), walls.environment(room)
        child = Child(command, room, environment, limits.seconds)
        watch = Watch(child, limits)
        child.ready()
        yield child
        if watch.said:
            raise NotGraded(watch.said)
    except (walls.NoWall, Mistake) as problem:
        raise NotGraded(str(problem)) from None
    except NotGraded as reason:
        raise NotGraded(watch.said or str(reason)) from None
    finally:
        if child:
            child.close()
        if watch:
            watch.stop()
        walls.clear(room)
