"""Autograde a class: one line a student, and no submission stops the others.

    python grading.py 01_concepts              everybody
    python grading.py 01_concepts ada grace    only these two
    python grading.py --jobs 2 01_concepts     two at a time
    python grading.py --self-test              try hostile submissions on this machine

A submission is run behind a wall (walls.py) and judged from outside of it (judging.py).
"""

import argparse
import dataclasses
import multiprocessing
import os
import shutil
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import judging
import repairing
import walls
from nbgrader.apps import NbGraderAPI
from repairing import disagreement, grade_id, read, released, repaired, unreadable
from traitlets.config import PyFileConfigLoader

# ── one student ─────────────────────────────────────────────────────────────────────────────


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


def grade(api, assignment, student):
    """Autograde one student; return whether that worked, and what to tell the instructor."""
    path, release = released(assignment)
    folder = Path("submitted", student, assignment)
    if problem := unreadable(folder):
        return False, problem
    handed_in, remarks = folder / path.name, []
    others = [path for path in folder.glob("*.ipynb") if path.is_file()]
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
        return False, reason(result)
    if content(path) != on_disk:
        return False, "the release was changed while this ran: look at what the submission does"
    with api.gradebook as gradebook:
        if names := idle(gradebook, assignment, student, path, release):
            return False, f"not run, or without a verdict: {', '.join(names)}"
        scored = gradebook.find_submission(assignment, student)
        points = f"{scored.code_score:g} of {scored.max_code_score:g}"
    return True, "; ".join([points, *remarks])


def reason(result):
    """Return why nbgrader gave up, from what it logged."""
    text = f"{result.get('log') or ''}\n{result.get('error') or ''}"
    lines = [line.strip() for line in text.splitlines()]
    own = [line for line in lines if line.startswith("judging.NotGraded: ")]
    if own:
        return own[-1].partition(": ")[2]
    errors = [line for line in lines if "Error: " in line]
    return f"nbgrader gave up: {errors[-1] if errors else result.get('error')}"


def content(path):
    """Return what stands in a file, or None."""
    return path.read_bytes() if path.exists() else None


# ── a class ─────────────────────────────────────────────────────────────────────────────────


def prepare(kept, times, lock=None):
    """Prepare a process that grades: the releases as they are now, the times, the gradebook's lock."""
    sys.dont_write_bytecode = True  # what is compiled later would be seen behind a wall
    warnings.filterwarnings("ignore", module="nbgrader|nbformat")  # of use to their authors only
    repairing.KEPT.update(kept)
    judging.LIMITS = dataclasses.replace(judging.LIMITS, **times)
    judging.BOOKS = lock or judging.BOOKS


def line_of(assignment, student):
    """Grade one student; return whether that worked, and the line that says so."""
    start = time.perf_counter()
    api = NbGraderAPI(config=PyFileConfigLoader("nbgrader_config.py").load_config())
    with judging.BOOKS:
        try:
            worked, words = grade(api, assignment, student)
        except Exception as error:  # noqa: BLE001 - one submission never stops the others
            worked, words = False, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    line = f"{student:20} {time.perf_counter() - start:5.1f} s  "
    return worked, line + ("" if worked else "NOT GRADED: ") + words


def lines_of(chosen, students):
    """Yield what `line_of` returns for each student, in order."""
    times = {"seconds": chosen.seconds, "cell_seconds": chosen.cell_seconds}
    prepared = {chosen.assignment: released(chosen.assignment)}, times
    if chosen.jobs == 1 or len(students) == 1:
        prepare(*prepared)
        yield from (line_of(chosen.assignment, student) for student in students)
        return
    context = multiprocessing.get_context("spawn")
    workers = {"max_workers": chosen.jobs, "mp_context": context, "initializer": prepare}
    with ProcessPoolExecutor(**workers, initargs=(*prepared, context.Lock())) as pool:
        yield from pool.map(line_of, [chosen.assignment] * len(students), students)


def parsed(arguments):
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description="Autograde a class, one line a student.")
    parser.add_argument("assignment", nargs="?", help="such as 01_concepts")
    parser.add_argument("students", nargs="*", help="default: everyone in submitted/")
    parser.add_argument("--jobs", type=int, default=1, help="how many students at a time")
    seconds, one = judging.LIMITS.seconds, judging.LIMITS.cell_seconds
    parser.add_argument("--seconds", type=float, default=seconds, help="for each student")
    parser.add_argument("--cell-seconds", type=float, default=one, help="for each cell")
    trust = "grade without a wall where none can be built: a submission then runs as you"
    parser.add_argument("--trust", action="store_true", help=trust)
    parser.add_argument("--self-test", action="store_true", help="try hostile submissions")
    chosen = parser.parse_args(arguments)
    if not chosen.assignment and not chosen.self_test:
        parser.error("name an assignment, such as 01_concepts.")
    if chosen.jobs < 1 or min(chosen.seconds, chosen.cell_seconds) <= 0:
        parser.error("--jobs, --seconds and --cell-seconds are positive numbers.")
    return chosen


def main(arguments=None):
    """Grade the students named on the command line, or all; return 1 if one could not be graded."""
    chosen = parsed(arguments)
    if chosen.trust:
        os.environ["TLCOURSE_TRUST"] = "1"
    if chosen.self_test:
        import self_test

        return self_test.main()
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
    try:
        walls.chosen()
    except walls.NoWall as problem:
        sys.exit(str(problem))
    failed, start = 0, time.perf_counter()
    for worked, line in lines_of(chosen, students):
        failed += not worked
        print(line, flush=True)
    each = (time.perf_counter() - start) / len(students)
    print(f"{len(students)} students, {each:.1f} s each, {failed} not graded")
    return int(failed > 0)


if __name__ == "__main__":
    import grading  # under its own name, as the processes that grade several at a time know it

    sys.exit(grading.main())
