"""Every committed answer to an exercise, right and wrong, from one file of each a wing."""

from importlib import import_module
from pathlib import Path

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
