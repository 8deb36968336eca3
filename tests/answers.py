"""Every committed answer to an exercise, right and wrong, from one file of each a wing."""

import pickle
from importlib import import_module
from pathlib import Path

from tlcourse.teaching.check import examine
from tlcourse.teaching.child import pickled
from tlcourse.teaching.guard import Student
from tlcourse.teaching.holder import Holder
from tlcourse.teaching.plain import unpack

TESTS = Path(__file__).parent


def answers(kind):
    """The committed answers of one kind, from one file a lesson."""
    files = sorted(TESTS.glob(f"lessons/*/{kind}_answers.py"))
    return [
        row
        for path in files
        for row in getattr(import_module(f"lessons.{path.parent.name}.{path.stem}"), kind.upper())
    ]


RIGHT, WRONG = answers("right"), answers("wrong")
RIGHT_ONE = dict(reversed(RIGHT))  # the first of each exercise


def cases(rows, name):
    """Those of one exercise: the answer's name, the answer, and what else stands in its row."""
    return [(function.__name__, function, *more) for n, function, *more in rows if n == name]


class Here(Student):
    """A function without a process, and without a time limit: a test may run beside many others."""

    end = property(lambda self: float("inf"), lambda self, _: None)


def here(name, function):
    """The function as a check sees it, without a process: inputs are copied, answers are packed."""
    holder = Holder()
    holder.functions[name] = function

    def ask(*message, seconds=0, known=()):
        return unpack(holder.answer(pickle.loads(pickled(message))), known)

    return Here(name, ask, ask("find", name)["value"])


def examined(name, function, seed=0):
    """The verdict on a function, without a process."""
    return examine(name, here(name, function), seed)
