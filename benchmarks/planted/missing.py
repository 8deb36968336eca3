"""Faults of cells without content, and of content that stands for none."""

import numpy as np
import pandas as pd

from . import columns as make
from .columns import FIRST, one_of, sentence
from .variants import Cells, Change, Kind, New, choices

SHARES = [0, 0.02, 0.1, 0.3, 0.6]
CODED = [0.02, 0.05, 0.1, 0.25, 0.45]
RARE = ("missing pattern", "missing codes", "outliers")
CONTENT = choices("country: NA|ZA|DE|FR|US|CN|NO; allergies: none|none|pollen|nuts; rhesus: +|+|-")

# --- cells without content -------------------------------------------------------------------


def all_of(name, *values):
    """Return variants: a column whose cells are all one value."""
    return [New(name, f"all {v!r}", lambda r, n, v=v: [v] * n) for v in values]


def all_but(few, value, other):
    """Make cells of one value, but a few of another."""
    return lambda r, n: r.permutation([other] * few + [value] * (n - few))


def lost_by(about, reason):
    """Return a variant: a measure is often missing where a reason holds, and seldom elsewhere."""

    def change(d):
        column, often, seldom = d.one("measure"), d.r.uniform(0.3, 0.8), d.r.uniform(0, 0.05)
        shares = np.where(reason(d, column), often, seldom)
        d.lose(column, np.flatnonzero(d.r.random(d.n) < shares))
        d.mark(column)

    return Change(about, change)


def one_category(d, column):
    """Return which rows are of one category."""
    cells = d.frame[d.one("category")]
    return cells == d.r.choice(cells.unique())


def large(d, column):
    """Return in which rows another measure is large."""
    cells = d.frame[d.one("measure", but=column)]
    return cells > cells.quantile(d.r.uniform(0.5, 0.8))


def lost_at_random(d):
    """Lose cells of one to three columns at random."""
    share = d.r.uniform(0.03, 0.4)
    for column in d.all("measure|category|price")[: d.r.integers(1, 4)]:
        d.lose(column, np.flatnonzero(d.r.random(d.n) < share))


def few_answers(d):
    """Add a column with few answers, texts or numbers."""
    text = d.r.random() < 0.5
    cells = [sentence(d.r) if text else round(d.r.uniform(5, 9), 1) for _ in range(d.n)]
    column, answered = d.put("second_dose", cells), d.some((1, 4))
    d.lose(column, np.setdiff1d(range(d.n), answered))
    d.allow(column, "constant columns", "identifiers", "missing codes")


def ticked(d):
    """Add cells that are ticked or empty."""
    column = d.put("ticked", ["x"] * d.n)
    d.lose(column, d.some([0.3]))
    d.allow(column, *RARE)


LOST = Cells("lost", "measure|category|text|date|count|price", SHARES)
BLANKS = ["", " ", "  "]
BLANK = Cells("blank", "category|text", SHARES, lambda d, x, rows: d.r.choice(BLANKS, len(rows)))
LABEL_LOST = Cells("a label lost", "class", [0.1], least=2)
REASONS = [
    lost_by("lost in a category", one_category),
    lost_by("lost where another is large", large),
    lost_by("lost in a class", lambda d, column: d.first),
]
EMPTY = all_of("remarks2|Unnamed: 7|fax|middle_name", np.nan, None, "", " ", pd.NaT)
SAME = all_of("unit|source", "kg", 1, 0.0, "2023-01-01", True, "Rom", 2023, "n", 3.5, "版本一")
NOT_SAME = [
    ticked,
    New("recalled", "one cell differs", all_but(1, "no", "yes"), RARE),
    New("accident", "three cells differ", all_but(3, 0, 1), RARE),
]

# --- numbers that stand for "not measured" ---------------------------------------------------


def coded(about, roles, code):
    """Return a variant: a number ``code(d, x)`` stands in a share of the cells, three at least."""

    def values(d, x, rows):
        number = code(d, x)
        return int(number) if float(number).is_integer() else float(number)

    return Cells(about, roles, CODED, values, least=3)


def drawn(*codes):
    """Return a function that draws one of several numbers."""
    return lambda d, x: d.r.choice(codes)


def beyond(d):
    """Write a number beyond the scale of ratings."""
    if not d.all("rating"):
        d.put("likert", make.rating(5)(d.r, d.n), "rating")
    five, more = [9, 99, -1, 88, 999], [99, -1, -9, 999]
    coded("", "rating", lambda d, x: d.r.choice(five if x.max() <= 5 else more))(d)


def nines(d, x):
    """Return a number of nines, eights or sevens above all others."""
    codes = [99, 999, 9999, 99999] if d.r.random() < 0.6 else [99.9, 888, 999.9, 7777, 88888]
    return next(code for code in codes if code > 1.8 * x.max())


CODES = [
    beyond,
    coded("far below", "measure", lambda d, x: 0 if x.min() > 0.15 * x.max() else -1),
    coded("negative", "measure|count", drawn(-200, -200, -200, -999, -9999, -99, -1, -77)),
    coded("nines", "measure", nines),
    coded("no pattern", "measure", drawn(-999.25, -200, -1000, -500, -9.99, -1)),
]
LARGE, POINTS = np.array([1.35, 1.5]), [4.99, 9.99, 14.99, 19.99, 29.99, 49.99]
NO_CODES = [
    Cells("two large", "measure", (2, 3), lambda d, x, rows: x.max() * LARGE, ("outliers",)),
    New("children", "counts with zeros", make.counts(1.2)),
    New("rain", "amounts with real zeros", make.rain),
    New("cigarettes", "60 % zeros", lambda r, n: r.integers(1, 31, n) * (r.random(n) < 0.4)),
    New("saturation", "a ceiling", lambda r, n: r.normal(97, 2.2, n).round().clip(85, 100)),
    New("winter", "temperatures around zero", make.normal(-3, 5, 1)),
    New("list_price", "price points", one_of(POINTS, [0.2, 0.3, 0.2, 0.15, 0.1, 0.05])),
    New("score", "ratings to 10", make.rating(10)),
    New("balance", "both signs", lambda r, n: r.normal(0, 400, n).round(2) * (np.arange(n) > 2)),
    New("ward_beds", "2, 4, 6 or 12", one_of([2, 4, 6, 12], [0.4, 0.3, 0.25, 0.05])),
]

# --- words that stand for "not measured" -----------------------------------------------------

WORDS = (
    "UNKNOWN|unknown|Unknown|N/A|n/a|?|-|ERROR|not measured|not available|missing|#N/A|--|NaN|NULL|"
    "not recorded"
)
FOREIGN = {"de": "unbekannt|k.A.|keine Angabe", "fr": "inconnu|non renseigné", "zh": "未知|无数据"}


def words(d, x, rows):
    """Return one or two words for "missing"."""
    pool = WORDS.split("|") + 4 * FOREIGN.get(d.language, "?").split("|")
    return np.resize(d.r.choice(pool, d.r.integers(1, 3), replace=False), len(rows)).astype(object)


def unknown_cause(r):
    """Return a line of text; some say that something is unknown."""
    return sentence(r) + " The cause is unknown." * (r.random() < 0.1)


WORDED = [
    Cells("a word", roles, [0.02, 0.06, 0.15, 0.3], words, least=2, text=0.6)
    for roles in ("measure|price", "category")
]
NO_WORDS = [
    *CONTENT,
    *choices("error_type: timeout error|disk error|no error; grade: A|A-|B+|B|B-|C"),
    *choices("garage: no|one car|two cars; shift_: early|late|night|other"),
    New("report", "unknown within free text", make.each(unknown_cause)),
    New("question", "ends in ?", make.each(lambda r: sentence(r).rstrip("?.! ") + "?")),
    New("first_name", "names with Nan", one_of([*FIRST, "Nan", "Nanette"])),
]

OF_EMPTY = ("missing values", "constant columns", "missing pattern")
OF_WORDS = ("numbers as text", "text among numbers", "missing values", "spellings", "identifiers")
MIXED = "measure|category"
BY = {"need": "measure|measure|category", "target": "class", "rows_alike": (100, 1500)}
KINDS = {
    "missing values": Kind([LOST, LOST, LOST, BLANK, LOST], [*CONTENT, LABEL_LOST], need=MIXED),
    "missing pattern": Kind(REASONS, [lost_at_random], rows=(250, 1500), **BY),
    "missing codes": Kind(CODES, NO_CODES, ("outliers",), rows=(60, 1500)),
    "missing words": Kind(WORDED, NO_WORDS, OF_WORDS, rows=(40, 1200), need=MIXED, files=0.5),
    "empty columns": Kind(EMPTY, [few_answers], OF_EMPTY),
    "constant columns": Kind(SAME, NOT_SAME, ("missing codes",), rows_alike=(60, 600)),
}
