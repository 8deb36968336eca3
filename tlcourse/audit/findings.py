"""What the audit says: a finding about a column or about rows, and the report that holds them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import pandas as pd

from tlcourse.audit.advice import ADVICE

ROWS = "(rows)"  # stands for the column where whole rows are concerned
FIRST = 5  # rows that a finding names, and findings of one kind that a report prints


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a table, or that a learner has to be told.

    Attributes
    ----------
    kind : str
        One of the names in `advice.ADVICE`.
    column : hashable
        The column's name, the later one of a pair; "(rows)" where whole rows are concerned.
    what : str
        What was found.
    mend : str
        A line of pandas or scikit-learn that mends it. It runs where `frame` is the table, `other` the
        second one, and after ``advice.IMPORTS``.
    where : numpy.ndarray of int, shape (rows,)
        The positions of the rows that it concerns, counted from 0; of the other table where `kind` is
        about that one.
    beside : hashable, optional
        The earlier column of a pair.
    """

    kind: str
    column: object
    what: str
    mend: str
    where: np.ndarray = field(repr=False, compare=False)
    beside: object = None

    @property
    def why(self) -> str:
        """Why it matters for learning or transfer."""
        return ADVICE[self.kind].why

    @property
    def rows(self) -> tuple[int, ...]:
        """The first five rows that it concerns."""
        return tuple(self.where[:FIRST].tolist())

    @property
    def count(self) -> int:
        """How many rows it concerns."""
        return len(self.where)

    def __str__(self) -> str:
        name = self.column if self.column == ROWS else repr(self.column)
        more = ", …" if self.count > FIRST else ""
        places = f": {', '.join(map(str, self.rows))}{more}" if self.count else ""
        return f"{name}: {self.what} ({counted(self.count, 'row')}{places})\n      → {self.mend}"


@dataclass(frozen=True)
class Report:
    """What an audit found. It prints as an ordered check list; as data it is a sequence of findings.

    Attributes
    ----------
    findings : tuple of Finding
        In the order in which to act on them.
    notes : tuple of str
        What was assumed, such as how a file was read and whether the target is a class.
    frame, other : pandas.DataFrame or None
        The tables, as they were audited.
    """

    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    frame: pd.DataFrame = field(repr=False)
    other: pd.DataFrame | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __getitem__(self, place: int) -> Finding:
        return self.findings[place]

    def __repr__(self) -> str:
        return self.text(FIRST)

    def text(self, most: int | None = None) -> str:
        """Return the check list, with up to so many findings of a kind; all by default."""
        n, width = self.frame.shape
        size = f"{counted(n, 'row')}, {counted(width, 'column')}"
        lines = [f"{size}: {counted(len(self), 'finding')}", *self.notes]
        if self.other is not None and len(self):
            lines.append("what you do to `frame`, do to `other` too")
        for number, (kind, found) in enumerate(groupby(self, lambda f: f.kind), start=1):
            found = list(found)
            lines += [f"{number:>3}. {kind}. {ADVICE[kind].why}"]
            lines += [f"     {finding}" for finding in found[:most]]
            if more := len(found[most:]) if most else 0:
                lines.append(f"     … and {more} more: report.text() or --all shows them")
        return "\n".join(lines)


def counted(n: int, noun: str) -> str:
    """Return a number and what it counts: "1 row", "2,000 rows"."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
