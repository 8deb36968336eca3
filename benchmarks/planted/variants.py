"""Variants of faults, each of which changes a draft, and the cases that they make."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from .columns import one_of
from .draft import Draft

PER = 10  # planted tables of a kind and seed, and as many look-alikes
SEPARATORS, ENCODINGS = [",", ",", ";", "\t"], ["utf-8", "utf-8-sig"]


@dataclass(frozen=True)
class New:
    """A variant: a new column ``make(r, n)``, whose name is one of "this|that"."""

    name: str
    about: str
    make: Callable
    open: tuple = ()  # kinds that may be found in it or not
    as_file: bool | None = None

    def __call__(self, d):
        """Put the column into a draft."""
        column = d.put(self.name, self.make(d.r, d.n))
        d.allow(column, *self.open)
        d.mark(column)
        d.as_file = self.as_file


def choices(text, open=()):
    """Return variants: new columns of categories, "name: this|that; name: ..."."""
    columns = [part.strip().split(": ") for part in text.split(";")]
    return [New(name, values, one_of(values), open) for name, values in columns]


@dataclass(frozen=True)
class Derived:
    """A variant: a new column ``make(r, x)`` beside a column x of one of the roles.

    The roles may be "class" or "quantity": x is a new target then, a class as bool: is it the first?
    """

    roles: str
    name: str  # "~" is the name of x
    about: str
    make: Callable
    open: tuple = ()

    def __call__(self, d):
        """Put the column into a draft."""
        if self.roles in ("class", "quantity"):
            d.add_target(self.roles)
        column = d.target or d.one(self.roles)
        x = d.first if self.roles == "class" else d.frame[column].to_numpy()
        new = d.put(self.name.replace("~", column), self.make(d.r, x))
        for name in (column, new):
            d.allow(name, *self.open)
        d.mark(*[new] if d.target else [column, new])


@dataclass(frozen=True)
class Cells:
    """A variant: cells of a column of one of the roles get other values, or none.

    How many cells is a list of shares of the rows, or a range (low, high), its end apart.
    """

    about: str
    roles: str
    many: list | tuple
    values: Callable | None = None  # of the draft, the column and the positions of the cells
    open: tuple = ()
    least: int = 1
    text: float = 0  # how often the column's numbers become text by that

    def __call__(self, d):
        """Change the cells of a draft."""
        target = self.roles in ("class", "quantity")
        if target and not d.target:
            d.add_target(self.roles)
        column = d.target if target else d.one(self.roles)
        rows, x = d.some(self.many, self.least), d.frame[column]
        if d.r.random() < self.text:
            d.frame[column] = x.map(str)
        if self.values is None:
            d.lose(column, rows)
        else:
            d.write(column, rows, self.values(d, x, rows))
        d.allow(column, *self.open)
        d.mark(column, rows=rows)


@dataclass(frozen=True)
class Change:
    """A variant: any change of a draft, in words and as a function."""

    about: str
    change: Callable

    def __call__(self, d):
        """Change a draft."""
        self.change(d)


@dataclass
class Case:
    """A table to audit. What may be said of it is a set of (kind, column).

    In place of a column stands "*" for any column, and a frozenset for a pair.
    """

    kind: str | None  # of the fault that it has or seems to have; None: it is clean
    about: str
    clean: pd.DataFrame  # before it was changed
    frame: pd.DataFrame
    other: pd.DataFrame | None
    named: dict  # target and groups, where given
    true: set  # right besides what was planted
    open: set  # neither right nor wrong
    rows: np.ndarray | None  # positions of the planted cells, where they are known
    written: dict | None  # how pandas.DataFrame.to_csv writes it, if it is a file
    planted: set = field(default_factory=set)


@dataclass(frozen=True)
class Kind:
    """A kind of fault: variants that are planted, and variants that only look like it."""

    planted: list
    alike: list
    beside: tuple = ()  # kinds that may be said of the planted columns too
    of: str = "column"  # what has the fault: a "column", a "pair", or the "table" or its rows
    rows: tuple = (30, 600)  # this and what follows: of the drafts
    need: str = "measure"
    target: str | None = None
    keyed: float = 0.25
    rows_alike: tuple | None = None  # of look-alikes, where that differs
    files: float = 0.3  # how often the table is a file

    def case(self, name, seed, number, plant):
        """Return one case: planted, or a look-alike."""
        r = np.random.default_rng([seed, zlib.crc32(name.encode()), number, not plant])
        variants = self.planted if plant else self.alike
        variant = variants[(number + PER * seed) % len(variants)]
        rows = self.rows if plant else self.rows_alike or self.rows
        d = Draft(r, rows, self.need, self.target, self.keyed)
        clean = d.frame.copy()
        variant(d)
        about = getattr(variant, "about", None) or variant.__doc__
        made = finished(d, name, f"seed {seed} no. {number}, {about}", clean, self.files)
        if plant:
            columns = ["*"] if self.of == "table" else d.marked
            places = [frozenset(d.marked)] if self.of == "pair" else columns
            made.planted = {(name, place) for place in places}
            made.open |= {(kind, column) for kind in self.beside for column in columns}
        return made


def finished(d, kind, about, clean, files=0.3):
    """Return the case that a draft is."""
    as_file = d.r.random() < files if d.as_file is None else d.as_file
    form = {"sep": str(d.r.choice(SEPARATORS)), "encoding": str(d.r.choice(ENCODINGS))}
    form = form | {"header": d.header} if as_file else None
    named = {key: x for key in ("target", "groups") if (x := getattr(d, key)) is not None}
    size = f"{d.domain} {d.n} x {d.frame.shape[1]}{' file' * as_file}"
    about, said = f"{size}, {about} {d.marked}", d.open | d.by_chance(kind)
    return Case(kind, about, clean, d.frame, d.other, named, d.true, said, d.rows, form)
