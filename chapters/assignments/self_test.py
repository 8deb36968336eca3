"""Grade the hostile submissions on this machine, in a temporary copy of the course; say what held."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import hostile
import psutil
import walls
from repairing import read

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Print one line for each submission and each thing to keep; return 1 unless all held."""
    try:
        walls.chosen()
    except walls.NoWall as problem:
        sys.exit(str(problem))
    print(f"the wall: {walls.way() or 'none, and --trust says to go on'}", flush=True)
    with tempfile.TemporaryDirectory(prefix="self-test-") as folder:
        course = Path(folder, "course")
        make_course(course)
        before = fingerprints(course)
        report = grade(course)
        held = [says(name, report) for name in hostile.CASES]
        held += [
            holds("source, release, program and handed-in work", fingerprints(course) == before)
        ]
        held += [holds("nothing of others was found", not found(course))]
        held += [holds("no process is left", not processes())]
        held += [holds("nothing was left in your home", not left(Path.home()))]
    print("everything held" if all(held) else "SOMETHING GAVE WAY: do not grade with this wall")
    return int(not all(held))


def make_course(course: Path) -> None:
    """Make a copy of the course in which every hostile submission was handed in."""
    course.mkdir()
    for path in HERE.glob("*.py"):
        shutil.copy(path, course)
    shutil.copytree(HERE / "source", course / "source")
    run(course, "-m", "nbgrader", "generate_assignment", hostile.ASSIGNMENT, "--force")
    place = Path(hostile.ASSIGNMENT, hostile.FILE)
    release, source = read(course / "release" / place), read(course / "source" / place)
    for name in hostile.CASES:
        hand_in(hostile.made(name, release, source), course / "submitted" / name / place)


def hand_in(submission, path: Path) -> None:
    """Write a submission, or make the link that it is."""
    path.parent.mkdir(parents=True)
    if isinstance(submission, Path):
        path.symlink_to(submission)
    else:
        path.write_text(json.dumps(submission), encoding="utf-8")


def grade(course: Path) -> list[str]:
    """Return the lines that grading prints."""
    trusted = ["--trust"] if os.environ.get("TLCOURSE_TRUST") == "1" else []
    options = [*trusted, "--jobs", "2", "--cell-seconds", "5"]
    return run(course, "grading.py", *options, hostile.ASSIGNMENT).splitlines()


def run(course: Path, *command: str) -> str:
    """Run Python in the course's folder; return what it prints."""
    done = subprocess.run(
        [sys.executable, *command], cwd=course, capture_output=True, text=True, check=False
    )
    if not done.stdout and done.returncode:
        sys.exit(done.stderr[-2000:])
    return done.stdout


def says(name: str, report: list[str]) -> bool:
    """Print what a submission got; tell whether it is what it deserves."""
    line = next((line for line in report if line.startswith(f"{name} ")), "no line")
    points = re.search(r" s  (\d+) of 20", line)
    got, due = int(points[1]) if points else None, hostile.CASES[name][1]
    words = [("not graded" if number is None else f"{number} points") for number in (got, due)]
    reason = line.partition("NOT GRADED: ")[2]
    return holds(f"{name}: {words[0]}, deserved: {words[1]} {reason}".rstrip(), got == due)


def holds(what: str, held: bool) -> bool:
    """Print whether something held, and return it."""
    print(f"{'held' if held else 'GAVE WAY':9} {what}", flush=True)
    return held


def fingerprints(course: Path) -> dict[str, str]:
    """Return what stands in every file that no submission may change."""
    files = [
        path for part in ("source", "release", "submitted") for path in course.rglob(f"{part}/**/*")
    ]
    files += course.glob("*.py")
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.is_file()
    }


def found(course: Path) -> list[str]:
    """Return what submissions say they found."""
    graded = (course / "autograded").glob("*/*/*.ipynb")
    texts = [
        output.get("text", "")
        for path in graded
        for cell in read(path).cells
        for output in cell.get("outputs", [])
    ]
    return [line for text in texts for line in text.splitlines() if line.startswith("FOUND")]


def processes() -> list[int]:
    """Return the processes that a submission left."""
    every = psutil.process_iter(["cmdline"])
    return [p.pid for p in every if any(hostile.LEFT in word for word in p.info["cmdline"] or ())]


def left(home: Path) -> list[Path]:
    """Return what a submission left in a home folder."""
    startup = home / ".ipython" / "profile_default" / "startup"
    return [*home.glob(f"{hostile.LEFT}*"), *startup.glob(f"{hostile.LEFT}*")]
