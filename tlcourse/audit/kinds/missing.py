"""What is missing: gaps, words and numbers that stand for them, and on what missingness depends."""

from collections.abc import Hashable, Iterator

import numpy as np
import pandas as pd
from scipy.stats import norm

from tlcourse.audit import words
from tlcourse.audit.advice import mend
from tlcourse.audit.columns import Column, Table
from tlcourse.audit.dates import forms, parse
from tlcourse.audit.findings import Finding

CLASSES = 20  # up to so many, a column is taken class by class
ALPHA = 0.001  # chance of a false alarm for all columns of the check together
WEAK = 0.1  # a correlation below is of no use, however sure
MANY = 0.3  # share of gaps from which lesson 07a measured that the indicator pays


def missing_words(table: Table) -> Iterator[Finding]:
    """Find words that stand for a missing cell; `words.missing` has the rule."""
    for column in table.every:
        found = column.texts and [t for t in column.texts.unique if t in column.texts.missing]
        if found:
            named = ", ".join(map(repr, found[:5]))
            what = f"{named} {'stands' if len(found) == 1 else 'stand'} for a missing cell"
            what += _how_many(column)
            own = [repr(t) for t in found if not words.is_known(t)]
            what += f"; first ask what {own[0]} means" if own else ""
            way = "numbers" if _bare_but_for(column, found) else None
            if column is table.target:
                way = "target of numbers" if way else _way_of_target(column)
            line = mend("missing words", column.name, way, words=found)
            yield Finding("missing words", column.name, what, line, column.texts.rows(set(found)))


def _bare_but_for(column: Column, words: list[str]) -> bool:
    """Whether all other cells are bare numbers, so that the column becomes one of numbers."""
    texts = column.texts
    others = [v for t, v in zip(texts.unique, texts.values, strict=True) if t not in set(words)]
    return column.numeric and not texts.notation and bool(np.isfinite(others).all())


def _way_of_target(column: Column) -> str:
    """Return how to mend a target of text: where most cells have the word, it may be a class."""
    return "class" if column.gone.mean() > 0.5 else "target"


def _how_many(column: Column) -> str:
    """Say what share of a column is missing after all, if it is much."""
    share = column.gone.mean()
    if share < MANY:
        return ""
    text = f"; {share:.0%} of the column is missing then"
    return text + "; or does it mean 'none'? Then it is a category" * (not column.numeric)


def missing_codes(table: Table) -> Iterator[Finding]:
    """Find numbers that stand for a missing one; `codes.codes` has the rule."""
    for column in table.every:
        if column.numeric and column.codes and not column.dates:
            named = " and ".join(f"{code:g}" for code in column.codes)
            what = (
                f"{named}: repeated, and apart from all other numbers: a code for 'not measured'?"
            )
            what += " Or truly none of it? Then leave it" * (0 in column.codes) + _how_many(column)
            values = [int(code) if code % 1 == 0 else code for code in column.codes]
            way = "target" if column is table.target else None
            line = mend("missing codes", column.name, way, codes=values)
            where = np.flatnonzero(np.isin(column.values, column.codes))
            yield Finding("missing codes", column.name, what, line, where)


def missing_values(table: Table) -> Iterator[Finding]:
    """Find cells without content; a column without any content is a finding of its own."""
    beside = [table.groups] if table.groups is not None else []
    for column in [*table.columns, *beside]:
        share, where = column.missing.mean(), np.flatnonzero(column.missing)
        if share == 1:
            line = mend("empty columns", column.name)
            yield Finding("empty columns", column.name, "no cell has content", line, where)
        elif share > 0:
            what = f"{share:.1%} of the cells are empty"
            if not column.numeric and share > 0.5:
                what += "; does an empty cell mean 'no'? Then that is a category"
            told = column in [one for one, _, _ in patterns(table)]  # the indicator is there then
            way = "text" if column is table.groups else _way(column, 0 if told else share)
            code = parse(forms(column.texts.counts)) if way == "dates as text" else ""
            code = code.replace("{column}", f"frame[{column.name!r}]")
            line = mend("missing values", column.name, way, code=code)
            yield Finding("missing values", column.name, what, line, where)


def _way(column: Column, share: float) -> str | None:
    """Return which of the ways to fill fits a column; numbers that are text are mended before."""
    if column.dates:
        return "dates"
    if not column.numeric and forms(column.texts.counts):
        return "dates as text"
    split = column.texts and column.texts.notation and column.texts.notation.split
    if not column.numeric and not split:
        return "text"
    return "flags" if column.flags else ("indicator" if share >= MANY else None)


def missing_pattern(table: Table) -> Iterator[Finding]:
    """Find missingness that depends on another column or on the target; `patterns` has the rule."""
    for column, r, other in patterns(table):
        what = f"whether a cell is missing depends on {other!r}, r = {r:.2f}"
        way = "text" if not column.numeric else None
        line = mend("missing pattern", column.name, way)
        where = np.flatnonzero(column.gone)
        yield Finding("missing pattern", column.name, what, line, where, other)


def patterns(table: Table) -> list[tuple[Column, float, Hashable]]:
    """Return the columns whose missingness depends on another one: each, how much, on which."""
    if "patterns" not in table.memory:
        table.memory["patterns"] = list(_patterns(table))
    return table.memory["patterns"]


def _patterns(table: Table) -> Iterator[tuple[Column, float, Hashable]]:
    """Find missingness that depends on another column or on the target: not MCAR, at best MAR.

    A column's missingness (0 or 1) is correlated with the ranks of each other column, or with each of
    its classes. The limit is that of Bonferroni for all pairs together, 0.1 % for a false alarm, and
    r beyond ±0.1. Whether cells are missing because of what would have stood in them (MNAR) no table tells.
    """
    gaps = [(j, c) for j, c in enumerate(table.every) if 10 <= c.gone.sum() <= table.n - 10]
    gaps = [(j, c) for j, c in gaps if c is not table.target]
    views = [(j, c, view) for j, c in enumerate(table.every) for view in _views(c)] if gaps else []
    if not views:
        return
    Z = np.column_stack([standard(view) for _, _, view in views])
    owner = np.array([j for j, _, _ in views])
    limit = norm.isf(ALPHA / 2 / (len(gaps) * len(views))) / np.sqrt(table.n)
    for j, column in gaps:
        r = np.abs(standard(column.gone.astype(float)) @ Z) / table.n
        r[owner == j] = 0
        if r.max() > max(limit, WEAK):
            yield column, float(r.max()), views[r.argmax()][1].name


def _views(column: Column) -> list[np.ndarray]:
    """Return what of a column missingness may depend on: its order, or each of its classes."""
    if len(column.counts) < 2:
        return []
    if column.numeric:
        return [pd.Series(column.measured).rank().to_numpy()]
    if len(column.counts) <= CLASSES:
        return [
            (column.cells == code).astype(float) for code in np.unique(column.cells) if code >= 0
        ]
    return []


def standard(values: np.ndarray) -> np.ndarray:
    """Return values with mean 0 and variance 1; 0 where there is none, or nothing varies."""
    known = np.isfinite(values)
    size = np.abs(values[known]).max(initial=0) or 1.0
    deviation = values[known] / size  # so that squares of huge numbers do not overflow
    deviation -= deviation.mean() if len(deviation) else 0
    spread = np.sqrt((deviation**2).mean()) if len(deviation) else 0
    scaled = np.zeros(len(values))
    scaled[known] = deviation / spread if spread > 1e-12 else 0
    return scaled
