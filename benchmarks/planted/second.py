"""Faults of a second table: other distribution, units or categories, or rows of the first table."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from .columns import category, distinct, each, normal, rating, sentence
from .numeric import UNITS, measured
from .rows import differ
from .variants import Change, Kind


@dataclass(frozen=True)
class Other:
    """A variant: a column of one of the roles has other cells in the second table."""

    about: str
    roles: str
    cells: Callable  # of the draft, the column's cells in the first table, and those in the second
    open: tuple = ()

    def __call__(self, d):
        """Divide a draft at random, and change the second part."""
        d.split()
        column = d.one(self.roles)
        d.other[column] = self.cells(d, d.frame[column], d.other[column])
        d.allow(column, *self.open)
        d.mark(column)


def by(low, high):
    """Return a function: numbers are moved by a number of standard deviations, in a range."""

    def moved(d, x, y):
        return (y + x.std() * d.r.uniform(low, high)).round(2 if x.std() > 0.3 else 4)

    return moved


def swapped(d, x, y):
    """Return categories, where most of the most frequent one became the rarest one."""
    names = x.value_counts().index
    return y.mask((y == names[0]) & (d.r.random(len(y)) < 0.75), names[-1])


def without_rarest(d, x, y):
    """Return categories without the rarest one."""
    names = x.value_counts().index
    return y.replace(names[-1], names[0])


def one_more(d, x, y):
    """Return categories with one that the first table lacks."""
    rows, y = d.some([0, 0.02, 0.08], of=y), y.astype(object)
    y.iloc[rows] = d.r.choice(["hydrogen", "Lisbon", "third type", "新类"])
    return y


def smaller(d):
    """Divide a table, and keep a third of the second part, in another order."""
    d.split()
    d.other = d.shuffled(d.other).iloc[: max(70, len(d.other) // 3)]


def in_other_units(about, name, mean, sd, digits, factor, offset):
    """Return a variant: a measurement is in another unit."""

    def change(d):
        column = d.put(name, measured(d.r, d.n, mean, sd).round(digits))
        d.split()
        d.other[column] = (d.other[column] * factor + offset).round(digits)
        d.mark(column)

    return Change(about, change)


def other_values(name, make, key=False):
    """Return a variant: a new column, most of whose values are new in the second table."""

    def change(d):
        column = d.put(name, make(d.r, d.n), "key" if key else "new")
        d.true |= {("identifiers", column)} if key else set()
        d.split()

    return Change(f"other values of {name}", change)


def shared(d):
    """Put rows of the first table into the second one."""
    differ(d)
    d.split()
    rows = d.frame.iloc[d.some([0.01, 0.07, 0.25])]
    d.other = d.shuffled(pd.concat([d.other, rows], ignore_index=True))


def nearly_shared(d):
    """Put rows of the first table into the second one, with another measure."""
    d.split()
    rows, column = d.frame.iloc[d.some((10, 11))].copy(), d.one("measure")
    rows[column] = (rows[column] + d.frame[column].std() * d.r.uniform(0.4, 1.4, 10)).round(2)
    d.other = pd.concat([d.other, rows], ignore_index=True)


def coarse(d):
    """Divide a table of three coarse columns, whose rows are equal by chance."""
    d.replace(q1=rating(5), q2=rating(5), sex=category("f|m"))
    d.split()


SPLIT = Change("divided at random", lambda d: d.split())
HARDLY = Other("hardly moved", "measure", by(0.1, 0.1))
SWAPPED = Other("swapped", "category", swapped)
SHIFTED = [
    SWAPPED,
    Other("moved up", "measure", by(0.75, 2)),
    SWAPPED,
    Other("moved down", "measure", by(-2, -0.75)),
]
OTHER_UNITS = [in_other_units(about, *unit) for about, unit in UNITS.items()]
SAME_UNITS = [
    SPLIT,
    Other("grown", "measure|price|count", lambda d, x, y: y * d.r.uniform(0.9, 1.4), ("shift",)),
    Other("moved", "measure", by(1.2, 1.2), ("shift",)),
]
UNSEEN = [Other("one more", "category", one_more)]
SEEN = [
    Other("one less", "category", without_rarest, ("shift",)),
    other_values("opinion", each(sentence)),
    other_values("ref_no", distinct("R{:05d}"), key=True),
    other_values("price_x", normal(60, 9, 2)),
]
NOT_SHARED = [coarse, nearly_shared, SPLIT]
MANY, MIXED, TWO = (200, 1500), "measure|category", "measure|measure"
KINDS = {
    "shift": Kind(SHIFTED, [SPLIT, HARDLY, smaller], rows=(300, 1500), rows_alike=MANY, need=MIXED),
    "other units": Kind(OTHER_UNITS, SAME_UNITS, ("shift", "outliers"), rows=(200, 1200)),
    "unseen categories": Kind(UNSEEN, SEEN, ("shift",), rows=MANY, need=MIXED),
    "overlap": Kind([shared], NOT_SHARED, of="table", rows=(120, 1500), need=TWO),
}
