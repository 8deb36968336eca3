"""Instant checks for the exercises: one call says whether a function is right, and if not, why.

>>> check("balanced_draw", balanced_draw)
✗ balanced_draw: position 7 is drawn twice: draw without replacement.
>>> hint("balanced_draw")
hint 1 of 3: `np.flatnonzero(labels == k)` gives the positions of class k.

A check needs no network, no widget and no JavaScript; it prints, and in a notebook it may add a
drawing. Grading uses `examine`, which returns the same verdict instead of printing it.
"""

import difflib
import functools
import io
import os
import time
from dataclasses import dataclass

import torch
from IPython import get_ipython
from IPython.display import Image, display
from matplotlib.figure import Figure

from tlcourse.teaching.child import Child
from tlcourse.teaching.exercise import Exercise, catalogue
from tlcourse.teaching.guard import NotYet, Student, TimeUp
from tlcourse.teaching.holder import MARK
from tlcourse.teaching.plain import words
from tlcourse.teaching.values import Mistake, describe

SECONDS = 10.0  # a right answer needs less than one of them on a slow machine
_hints_given: dict[str, int] = {}


@dataclass(frozen=True)
class Answer:
    """The verdict on a student's function.

    Attributes
    ----------
    solved : bool
        Whether every random case came out right.
    message : str
        One sentence; names the first mistake that was found.
    drawing : matplotlib.figure.Figure or None
        The student's result beside the expected one, where that helps.
    printed : str
        The beginning of what the function printed meanwhile.
    """

    solved: bool
    message: str
    drawing: Figure | None = None
    printed: str = ""


def check(name: str, function=None) -> None:
    """Print whether `function` solves the exercise, and if not, what is wrong with it.

    Parameters
    ----------
    name : str
        Name of the exercise, such as ``"freeze"``.
    function : callable
        What the student wrote: the function itself, not a call of it.
    """
    answer = examine(name, function)
    if answer.printed:
        print("Your function printed:", answer.printed.rstrip(), sep="\n")
    print(answer.message)
    if answer.drawing is not None and hasattr(get_ipython(), "kernel"):
        # A PNG of our own: display(figure) needs a pyplot backend that may not be there.
        png = io.BytesIO()
        answer.drawing.savefig(png, format="png", dpi=110)
        display(Image(png.getvalue(), metadata={"alt": answer.message}))


def examine(name: str, function=None, seed: int = 0) -> Answer:
    """Try a function on random cases of an exercise.

    Parameters
    ----------
    name : str
        Name of the exercise.
    function : callable
        What the student wrote, or a `guard.Student`, which is in a process already.
    seed : int
        Moves the random cases; grading uses another one than `check`.

    Returns
    -------
    Answer
        Never raises for what the function does, save for KeyboardInterrupt: stopping the cell is
        the student's wish.
    """
    if MARK in os.environ:
        return Answer(False, f"{name}: not checked while a notebook is graded.")
    try:
        exercise = find(name)
        student = function if isinstance(function, Student) else handed_over(exercise, function)
    except Mistake as mistake:
        return Answer(False, f"✗ {mistake}")
    return judged(exercise, student, seed)


def judged(exercise: Exercise, student: Student, seed: int) -> Answer:
    """Return the verdict on a function that is in a process of its own."""
    name, drawing = exercise.name, None
    student.end, student.contradicted = time.monotonic() + SECONDS, set()
    try:
        usable(exercise, student)
        with torch.random.fork_rng(devices=[]):  # some cases are networks
            exercise.verify_all(student, seed)
    except NotYet:
        message = f"not yet: {name} is still empty; hint({name!r}) gives you a first step."
        return Answer(False, message, printed=student.printed)
    except TimeUp as late:
        problem = f"{late} All {exercise.cases} cases together may take {SECONDS:g} seconds."
    except Mistake as mistake:
        problem, drawing = str(mistake), mistake.drawing
    except Exception as error:  # noqa: BLE001 - a result so odd that comparing it failed
        problem = f"the result of {student.last_call} cannot be read ({type(error).__name__}): "
        problem += f"return {exercise.returns} If it does, restart the kernel."
    else:
        message = f"✓ {name}: right on {exercise.cases} random cases."
        return Answer(True, message, printed=student.printed)
    return Answer(False, f"✗ {name}: {problem}", drawing, student.printed)


def handed_over(exercise: Exercise, function) -> Student:
    """Take a function to the process that checks run in, or raise Mistake."""
    call = f'check("{exercise.name}", {exercise.name})'
    if function is None or function is ...:
        raise Mistake(f"there is no function to check: write {call}, without parentheses after it.")
    if not callable(function) or issubclass(type(function), type | torch.nn.Module):
        raise Mistake(
            f"you passed {words(function)}, not a function: write {call}, which hands over the "
            "function itself instead of calling it."
        )
    try:
        return process().hold(exercise.name, function)
    except Mistake as mistake:
        raise Mistake(f"{exercise.name}: {mistake}") from None


@functools.cache
def process() -> Child:
    """Return the process that this program's checks run in; the first call starts it."""
    return Child()


def usable(exercise: Exercise, student: Student) -> None:
    """Raise Mistake or NotYet unless there is a function, and it is written."""
    if (what := student.about.get("what")) is not None:
        raise Mistake(f"{exercise.name} is {describe(what)}, not a function.")
    if student.about.get("stub"):
        raise NotYet


def hint(name: str) -> None:
    """Print the hints of an exercise given so far and one more, each time it is called."""
    try:
        exercise = find(name)
    except Mistake as mistake:
        print(mistake)
        return
    total = len(exercise.hints)
    given = _hints_given.get(name, 0) + 1
    for number, text in enumerate(exercise.hints[:given], start=1):
        print(f"hint {number} of {total}: {text}")
    if given > total:
        print("That was the last hint.")
    _hints_given[name] = given


def statement(name: str) -> str:
    """Return what an exercise asks for, as Markdown."""
    return find(name).statement()


def find(name: str) -> Exercise:
    """Return the exercise called `name`; raise Mistake with a suggestion if there is none."""
    exercises = catalogue()
    if not isinstance(name, str):
        raise Mistake('the first input is the name in quotes, as in check("freeze", freeze).')
    if name not in exercises:
        close = difflib.get_close_matches(name.lower(), exercises, n=1)
        guess = f" Did you mean {close[0]!r}?" if close else ""
        raise Mistake(f"there is no exercise {name!r}.{guess} There are: {', '.join(exercises)}.")
    return exercises[name]
