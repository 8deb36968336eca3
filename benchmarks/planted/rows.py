"""Faults of rows and of targets: repeated rows, groups, labels, classes, leaks."""

import numpy as np

from . import columns as make
from .columns import each, rating, sentence, stamps
from .tables import PAIRS, taken
from .variants import Cells, Change, Derived, Kind, New

SHARES = [0.01, 0.05, 0.15]


def differ(d):
    """Add a number of many digits, so that no rows are equal by chance."""
    d.put("reading", d.r.normal(50, 9, d.n).round(3))


def move(d, rows):
    """Add .3 to 1.3 standard deviations to a measure."""
    column = d.one("measure")
    x = d.frame[column].astype(float)
    x.iloc[rows] += x.std() * d.r.uniform(0.3, 1.3, len(rows))
    d.frame[column] = x.round(2)


def other_class(d, rows):
    """Give rows the other class."""
    d.write(d.target, rows, np.where(d.first[rows], d.classes[1], d.classes[0]))


def other_quantity(d, rows):
    """Give rows another quantity."""
    y = d.frame[d.target].iloc[rows]
    d.write(d.target, rows, (y + d.r.normal(0, 5, len(rows))).round(2))


def again(about, *changes, target=None, shares=SHARES, true=(), open=()):
    """Return a variant: rows come again, at the end of the table, and are changed there."""

    def change(d):
        if target:
            d.add_target(target)
        copies = d.repeat(d.some(shares, 2))
        for one in changes:
            one(d, copies)
        d.true, d.open = d.true | set(true), d.open | set(open)

    return Change(about, change)


def repeated(d):
    """Repeat rows, at the end or anywhere."""
    differ(d)
    again("", shares=[0.01, 0.05, 0.2])(d)
    if d.r.random() < 0.5:
        d.frame = d.shuffled(d.frame)


def repeated_whole(d):
    """Repeat rows together with what names them."""
    for name in d.all("key"):
        d.roles[name] = "new"
        d.true.discard(("identifiers", name))
        d.allow(name, "identifiers")
    repeated(d)


FACE, SEX = make.between(1, 7), make.category("f|m")
SURVEY = taken(q1=rating(5), q2=rating(5), sex=SEX, region=make.category("N|S|E"))
DICE = taken(toss=FACE, toss2=FACE, hand=make.category("left|right"))
EQUAL = [("duplicate rows", "*")]
DIFFERENT = [
    again("the same class", target="class", true=EQUAL),
    again("another measure and class", move, other_class, target="class"),
    again("another quantity", other_quantity, target="quantity", open=EQUAL),
]


def numbered(d, groups):
    """Return the names of groups, as numbers or as text."""
    return [f"P{1000 + x}" for x in groups] if d.r.random() < 0.5 else 1000 + groups


def grouped(d):
    """Add the group of each row, with several rows for most."""
    count = max(5, int(d.n * d.r.choice([0.1, 0.3, 0.6, 0.9])))
    groups = numbered(d, d.r.integers(0, count, d.n))
    d.groups = d.put("patient|customer_no|machine_id|Kunde", groups, "group")


def one_row_each(d):
    """Add the group of each row, with one row each."""
    d.groups = d.put("patient", numbered(d, d.r.permutation(d.n)), "key")
    d.allow(d.groups, "identifiers")


def class_none(d):
    """Call one class "none"."""
    d.add_target("class")
    d.frame[d.target] = np.where(d.first, "none", "some")


def measure_lost(d):
    """Lose a measure, and no label."""
    d.add_target("class")
    d.lose(d.one("measure"), d.some([0.1]))


UNLABELLED = [
    Cells("empty label", "class", [0, 0.05, 0.3], lambda d, x, rows: ""),
    *[Cells("no label", of, [0, 0.05, 0.3]) for of in ("quantity", "class", "quantity")],
]
LABELLED = [class_none, measure_lost]

# --- the target ------------------------------------------------------------------------------


def target(about, cells):
    """Return a variant: a target ``cells(d, score)``; the score goes with what is hidden."""

    def change(d):
        d.add_target("class")
        d.frame[d.target] = cells(d, 0.5 * d.hidden + d.r.standard_normal(d.n))

    return Change(about, change)


def rare(d, score):
    """Return which rows are of a rare class, three at least."""
    return np.argsort(np.argsort(-score)) < max(3, int(d.n * d.r.uniform(0.01, 0.05)))


def three_classes(d, score):
    """Return classes, of which one is rare."""
    common = np.where(d.r.random(d.n) < 0.4, "third", d.classes[1])
    return np.where(rare(d, score), d.classes[0], common)


IMBALANCED = [
    target("two classes", lambda d, s: np.where(rare(d, s), *d.classes)),
    target("three classes", three_classes),
    target("0 and 1", lambda d, s: rare(d, s).astype(int)),
]
BALANCED = [
    New("urgent", "another column", make.one_of("yes|no", [0.04, 0.96])),
    target("18 : 82", lambda d, s: np.where(s > np.quantile(s, 0.82), *d.classes)),
    target("whole quantity", lambda d, s: (250 + 60 * s).round().astype(int)),
    target("whole prices", lambda d, s: 100 * np.exp(7.3 + 0.7 * s).astype(int)),
    target("skewed quantity", lambda d, s: np.exp(3 + 0.9 * s).round(2)),
]


def flipped(x, r, share):
    """Return bools of which a share is wrong."""
    return x ^ (r.random(len(x)) < share)


def where(x, r, yes, no=(0, 0)):
    """Return normal numbers, (mean, sd) where x holds and elsewhere."""
    return np.where(x, r.normal(*yes, len(x)), r.normal(*no, len(x))).round(2)


def villages(r, x):
    """Return categories of many values."""
    return [f"V{i}" for i in r.integers(0, max(30, len(x) // 4), len(x))]


LEAKS = [
    Derived("class", "result_code", "the class as a number", lambda r, x: 1 + x),
    Derived("class", "flag", "99 %", lambda r, x: np.where(flipped(x, r, 0.01), "set", "open")),
    Derived("quantity", "gross", "with tax", lambda r, y: (1.19 * y).round(1)),
    Derived("quantity", "estimate", "3 %", lambda r, y: r.normal(y, 0.03 * y.std()).round(2)),
    Derived("class", "refund", "an amount", lambda r, x: x * (1 + r.gamma(3, 10, len(x))).round(2)),
    Derived("class", "discharge_score", "apart", lambda r, x: where(x, r, (12, 1), (2, 1))),
]
NEW = ("unseen categories",)
NO_LEAKS = [
    Derived("class", "strong", "90 % right", lambda r, x: where(x, r, (2.6, 1), (0, 1))),
    Derived("class", "answer2", "88 %", lambda r, x: np.where(flipped(x, r, 0.12), "a", "b")),
    Derived("quantity", "size_", "r = .91", lambda r, y: r.normal(y, 0.45 * y.std()).round(1)),
    Derived("class", "note_", "free text", lambda r, x: each(sentence)(r, len(x)), NEW),
    Derived("class", "when", "unique times", lambda r, x: stamps("7h")(r, len(x)), NEW),
    Derived("class", "village", "many values", villages, NEW),
]

TWO, FEW = "measure|measure", (60, 1200)
LABELS = {"rows": (60, 1000), "need": TWO, "keyed": 0}
OF_LEAKS = (*PAIRS, "two units", "missing codes", "missing pattern")
ONCE = [SURVEY, again("another measure", move), DICE]
CONFLICTS = [again("another class", other_class, target="class")]
REPEATED, TOO = [repeated, repeated, repeated_whole], ("label conflicts",)
KINDS = {
    "duplicate rows": Kind(REPEATED, ONCE, TOO, "table", rows=FEW, need=TWO, keyed=0.5),
    "groups": Kind([grouped], [one_row_each], of="table", rows=FEW, keyed=0, target="class"),
    "missing labels": Kind(UNLABELLED, LABELLED, of="table", rows=(40, 1000)),
    "label conflicts": Kind(CONFLICTS, DIFFERENT, ("duplicate rows",), "table", **LABELS),
    "imbalance": Kind(IMBALANCED, BALANCED, of="table", rows=(150, 2000)),
    "target leaks": Kind(LEAKS, NO_LEAKS, OF_LEAKS, rows=(100, 1500)),
}
