"""The league table: every method of the course on one task, our digits with 5 labels a class."""

from collections.abc import Sequence
from dataclasses import fields

from tlcourse import data
from tlcourse.league.blocks import LIVE, Block, Row
from tlcourse.league.methods import LABELS, METHODS, RESTS_ON
from tlcourse.lessons.ch01_concepts.measure import groups, right, target
from tlcourse.verdicts import Care, Table

__all__ = ["BLOCK", "LABELS", "METHODS", "row", "table"]


def _read(seed: int, name: str) -> dict:
    """Learn with one of `METHODS` from one draw of labels, and say which digits are read correctly."""
    train = data.few_labels(target().pool, LABELS, seed)
    return {name: right(METHODS[name](train, seed), target().test)}


# Block 50 adapted MAML in 10 steps, before its candidates were compared: 20 were chosen.
BLOCK = Block(52, 20, tuple(METHODS), _read, RESTS_ON, groups)


def row(name: str, seeds: int = LIVE) -> Row:
    """Compute two seeds of a method again; what is returned says whether they are as stored.

    Parameters
    ----------
    name : str
        One of `METHODS`.
    seeds : int
        How many; at full scale all. With a ``TLCOURSE_SEED`` of your own they are yours, and nothing is
        compared.

    Raises
    ------
    ValueError
        If there is no such method.
    """
    return BLOCK.again(name, seeds)


def table(methods: Sequence[str] | None = None) -> Table:
    """Return the stored accuracy of methods, the best first, with what each was given.

    Parameters
    ----------
    methods : sequence of str, optional
        Of `METHODS`; by default all.

    Raises
    ------
    ValueError
        If there is no such method.
    """
    stored = BLOCK.results()
    chosen = list(stored if methods is None else methods)
    if unknown := [name for name in chosen if name not in stored]:
        raise ValueError(f"no method {', '.join(unknown)}: there are {', '.join(stored)}.")
    columns = [field.name for field in fields(Care)]
    header = [
        "method",
        "lesson",
        "accuracy",
        *(c.replace("_", " ") for c in columns),
        "sees beside",
    ]
    ranked = sorted(chosen, key=lambda name: -stored[name].mean())
    note = (
        f"our digits, {LABELS} labels a class, tested on {len(target().test)} others; {BLOCK.n} seeds; "
        "95 % intervals over seeds and the people who wrote. Neighbours whose intervals overlap may change "
        "places"
    )
    return Table([header, *(_row(name, stored[name], columns) for name in ranked)], note)


def _row(name: str, found, columns) -> list[str]:
    method = METHODS[name]
    care = method.care()
    cells = (getattr(care, column) for column in columns)
    words = [("yes" if c else "no") if isinstance(c, bool) else f"{c:,}" for c in cells]
    return [name, method.lesson, BLOCK.share(found), *words, method.beside or "nothing"]
