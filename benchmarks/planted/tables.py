"""Faults of whole columns and tables: what names the rows, what is said twice, names, headers."""

import string

import numpy as np
import pandas as pd

from . import columns as make
from .columns import KEYS, distinct, each, lognormal, normal, sentence, stamps
from .variants import Change, Derived, Kind, New

LETTERS = list(string.ascii_uppercase + string.digits)


def a_row_a_year(d):
    """Leave 80 rows at most, and give each a year."""
    d.frame = d.frame.iloc[:80]
    d.put("year_of", np.arange(2021 - d.n, 2021))


NO_KEYS = [
    a_row_a_year,
    New("depth", "sorted", lambda r, n: (np.cumsum(r.exponential(0.7, n) + 0.01) + 1).round(2)),
    New("asking_price", "distinct", lambda r, n: 90_000 + 50 * r.choice(16_000, n, replace=False)),
    New("story", "free text", each(sentence)),
    New("stamp_", "a row an hour", stamps("h")),
    New("inhabitants", "nearly distinct", lognormal(13_000, 1.1, 0), ("outliers",)),
    New("load", "sorted, all digits", lambda r, n: np.sort(r.normal(50, 9, n))),
    New("mass_g", "all digits", lambda r, n: r.normal(3500, 420, n)),
    New("day_", "a row a day", lambda r, n: pd.date_range("2015-01-01", periods=n)),
    New("altitude", "sorted, gaps", lambda r, n: 200 + np.sort(r.choice(8800, n, replace=False))),
]
ALL_KEYS = [
    *[New(*key) for key in KEYS],
    New("isbn", "numbers of books", distinct("978-{:010d}", 10**10)),
    New("vin", "letters and digits", each(lambda r: "".join(r.choice(LETTERS, 12)))),
    New("index|Unnamed: 0|row", "numbers of the rows, from 0", lambda r, n: np.arange(n)),
]

# --- what is said twice ----------------------------------------------------------------------

PAIRS = ("duplicate columns", "columns in step", "one-to-one columns")


def resolved(x, steps):
    """Return numbers with so few digits that a standard deviation has 10 times `steps` at most."""
    return np.round(x, int(max(0, np.ceil(np.log10(steps / np.std(x))))))


def tenth_changed(r, x):
    """Return cells of which a tenth is exchanged."""
    x, rows = x.copy(), r.permutation(len(x))[: max(2, len(x) // 10)]
    x[rows] = r.permutation(x)[: len(rows)]
    return x


def coded(r, x):
    """Return a number for each category."""
    names, codes = np.unique(x.astype(str), return_inverse=True)
    return 1 + r.permutation(len(names))[codes]


def in_step(about, factor, offset):
    """Return a variant: a measure again, in other units."""
    name = "~_conv|charge_|alt"
    return Derived("measure|price", name, about, lambda r, x: resolved(offset + factor * x, 60))


def complement(r, x):
    """Return what is missing to a round number."""
    return resolved(np.ceil(x.max() / 10) * 10 - x, 60)


def near(about, change, *other):
    """Return a variant: a column that goes with a measure, but not in step."""
    return Derived("measure", "derived", about, lambda r, x: resolved(change(r, x), 200), other)


def sum_of_two(d):
    """Add the weighted sum of two measures."""
    a = d.one("measure")
    x, y = d.frame[a], d.frame[d.one("measure", but=a)]
    d.put("derived", resolved(x + 0.4 * x.std() / y.std() * y, 200))


def told(first, second, words):
    """Return a variant: a column of categories, and one that says something of each."""

    def change(d):
        known = d.r.choice(list(words), d.n)
        d.mark(d.put(first, known), d.put(second, [words[x] for x in known]))

    return Change(f"{first} tells {second}", change)


def two_answers(d):
    """Add two answers that mostly agree."""
    before = d.r.integers(0, 2, d.n)
    d.put("pre", before)
    d.put("post", before ^ (d.r.random(d.n) < 0.15))


WEEK = dict(enumerate(["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"], start=1))
DEPARTMENTS = {101: "财务", 205: "人事", 311: "销售", 402: "技术", 530: "仓库"}
NAMES = "~_2|~ (copy)|col_x|~_NEW"
COPIES = [
    Derived(roles, NAMES, "a copy", lambda r, x: x)
    for roles in ("measure|price", "measure|category|text|price|date")
]
NO_COPIES = [
    Derived("measure", "again", "a tenth differs", tenth_changed, PAIRS[1:]),
    Derived("category", "again", "a tenth differs", tenth_changed, PAIRS[1:]),
    Derived("measure", "again", "in another order", lambda r, x: r.permutation(x)),
    near("measured again", lambda r, x: r.normal(x, 0.2 * x.std())),
]
IN_STEP = [
    in_step("°C to °F", 1.8, 32),
    in_step("cm to inches", 1 / 2.54, 0),
    in_step("with tax", 1.19, 0),
    in_step("minutes times a rate", 0.17, 0),
    Derived("measure|price", "~_conv|alt", "the complement", complement),
]
OUT_OF_STEP = [
    sum_of_two,
    near("correlated, 0.997", lambda r, x: r.normal(3 + 1.2 * x, 0.08 * x.std())),
    near("square", lambda r, x: x**2 * 0.785, "one-to-one columns"),
    near("with a fee", lambda r, x: 1.1 * x + 0.3 * x.std() * r.integers(0, 4, len(x))),
    near("three taxes", lambda r, x: x * r.choice([1.07, 1.19, 1], len(x))),
    near("logarithm", lambda r, x: np.log(x), "one-to-one columns"),
]
ONE_TO_ONE = [
    Derived("category", "~_code", "numbered", coded),
    told("country", "iso", {"Germany": "DE", "France": "FR", "Italy": "IT", "Spain": "ES"}),
    told("weekday_no", "Wochentag", WEEK),
    told("dept_no", "部门", DEPARTMENTS),
]
MANY_TO_ONE = [
    two_answers,
    told("town", "land", {"Berlin": "DE", "Bonn": "DE", "Lyon": "FR", "Paris": "FR", "Rome": "IT"}),
    Derived("category", "kode", "nearly", lambda r, x: tenth_changed(r, coded(r, x))),
    told("month_no", "quarter", {month: f"Q{(month + 2) // 3}" for month in range(1, 13)}),
]

# --- names of columns, headers, and too few rows ----------------------------------------------


def renamed(d, names):
    """Give the columns these names. What was true of a column stays true of it."""
    new = dict(zip(d.frame, names, strict=True))
    d.true |= {(kind, new.get(c, c)) for kind, c in d.true}
    said = {(kind, new.get(c, c)) for kind, c in d.open | d.true}
    d.open |= said | {(kind, f"{c}.1") for kind, c in said}  # a reader's name of a second one
    d.frame.columns = names
    d.mark(*(after for before, after in new.items() if before != after))


def same_name(d):
    """Give a column the name of an earlier one."""
    names = list(d.frame)
    first, later = np.sort(d.r.choice(len(names), 2, replace=False))
    names[later] = names[first]
    renamed(d, names)


def spaces(*around):
    """Return a variant: names of columns with spaces around them."""

    def change(d):
        names = list(d.frame)
        for form, place in zip(around, d.r.permutation(len(names)), strict=False):
            names[place] = form.format(names[place])
        renamed(d, names)

    return Change("spaces around", change)


def good_names(*names):
    """Return a variant: columns have these names."""
    return Change(", ".join(names), lambda d: renamed(d, [*names, *list(d.frame)[len(names) :]]))


def without_header(d):
    """Write a file without the names of columns."""
    d.header, d.as_file = False, True


def row_as_names(d):
    """Take the first row for the names of the columns."""
    names = [str(x) for x in d.frame.iloc[0]]
    if len(set(names)) < len(names):
        return without_header(d)
    d.frame = d.frame.iloc[1:].reset_index(drop=True)
    d.frame.columns, d.as_file = names, False


def wide(d):
    """Take columns named by years, as official statistics do."""
    regions = [f"Region {LETTERS[i % 26]}{i // 26}" for i in range(400)]
    years = {str(2012 + i): lognormal(55, 0.4, 1) for i in range(d.r.integers(4, 9))}
    d.replace(region=lambda r, n: regions[:n], **years)
    d.allow("region", "identifiers")


def numbered(d):
    """Take the columns of a plain array, which are numbered."""
    d.replace(**{str(i): normal(5, 1, 2) for i in range(4)})
    d.frame.columns, d.as_file = range(4), False


def taken(**columns):
    """Return a variant: these columns are taken instead of all."""
    return Change(f"columns {', '.join(columns)}", lambda d: d.replace(**columns))


def cut(rows, as_file=False):
    """Return a variant: only so many rows are left, drawn from a range."""

    def change(d):
        d.frame, d.as_file = d.frame.iloc[: d.r.integers(*rows)], as_file
        d.allow("*", "*")

    return Change(f"rows: {rows[0]} to {rows[1] - 1}", change)


def no_column(d):
    """Leave rows without a column."""
    d.frame, d.as_file = pd.DataFrame(index=range(d.r.integers(40))), False


COLOUR, FIVE = make.category("red|green|blue|black"), normal(5, 1, 3)
BAD_NAMES = [same_name, spaces(" {}"), spaces("{} ", "  {} ")]
GOOD_NAMES = [
    good_names("name with spaces inside"),
    good_names("q1.1", "q1.2", "q2.1"),
    good_names("x_1", "x_2"),
    good_names("Temp. (°C)", "Δ-T [%]"),
    good_names("Score_A", "Score_a2"),
]
NO_HEADER = [without_header, without_header, row_as_names]
HEADER = [
    wide,
    numbered,
    taken(first=COLOUR, second=COLOUR, third=COLOUR, text=each(sentence)),
    taken(V1=FIVE, V2=FIVE, V3=FIVE, V4=FIVE, label=make.between(1, 4)),
    Change("a table", lambda d: None),
]
FEW = [cut((0, 1)), cut((1, 2)), cut((0, 2), as_file=True), no_column]
ENOUGH = [cut((2, 4)), cut((20, 31), as_file=True), cut((2, 4), as_file=True), cut((20, 31))]

MIXED, SOME = "measure|category", (40, 1200)
CODED = (*PAIRS, "missing codes")
STEP = {"rows": (40, 1500), "rows_alike": (60, 1500), "need": "measure|measure"}
KINDS = {
    "identifiers": Kind(ALL_KEYS, NO_KEYS, rows=(40, 1500), keyed=0),
    "duplicate columns": Kind(COPIES, NO_COPIES, PAIRS, "pair", need=MIXED, rows_alike=(60, 800)),
    "columns in step": Kind(IN_STEP, OUT_OF_STEP, PAIRS, "pair", **STEP),
    "one-to-one columns": Kind(ONE_TO_ONE, MANY_TO_ONE, CODED, "pair", rows=SOME, need=MIXED),
    "column names": Kind(BAD_NAMES, GOOD_NAMES, of="table", need="measure|measure", files=0.5),
    "no header": Kind(NO_HEADER, HEADER, ("*",), "table", rows=(40, 400), need=MIXED, files=0.6),
    "too few rows": Kind(FEW, ENOUGH, ("*",), "table", rows=(31, 40), keyed=0),
}
