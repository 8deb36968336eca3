"""A second table, such as the test set or the target domain: what is otherwise there."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency, ks_2samp, mannwhitneyu, poisson

from tlcourse.audit.advice import mend
from tlcourse.audit.columns import Column, Table
from tlcourse.audit.dates import forms
from tlcourse.audit.findings import ROWS, Finding
from tlcourse.audit.kinds.numbers import UNITS
from tlcourse.audit.kinds.pairs import is_identifier
from tlcourse.audit.kinds.rows import copies, telling
from tlcourse.audit.words import spelling

ALPHA = 0.003  # chance of a false alarm for all columns together
WORTH = 0.1  # the smallest Kolmogorov-Smirnov distance, or difference of shares, that is worth a finding
SAMPLE = 100_000  # rows by which columns are compared
NEAR = 0.05  # relative distance of a ratio of medians from that of two units


def shared(table: Table, other: Table) -> Iterator[tuple[Column, Column]]:
    """Return the columns that both tables have, the target apart."""
    theirs = {column.name: column for column in other.columns}
    return ((mine, theirs[mine.name]) for mine in table.columns if mine.name in theirs)


def share_codes(table: Table, other: Table) -> None:
    """Let what stands for missing in a column of one table do so in the other: else they would differ."""
    for mine, theirs in shared(table, other):
        if mine.numeric and theirs.numeric:
            mine.codes = theirs.codes = sorted({*mine.codes, *theirs.codes})


def other_columns(table: Table, other: Table) -> Iterator[Finding]:
    """Find columns that only one of the tables has; the target may be missing in the other one."""
    mine, theirs = ({c.name for c in t.columns} for t in (table, other))
    beside = [c.name for c in (table.target, table.groups) if c is not None]
    for name in [c.name for c in [*table.columns, *other.columns] if c.name in mine ^ theirs]:
        if name not in beside:
            which = "this" if name in mine else "the other"
            rows = np.arange(table.n if name in mine else other.n)
            line = mend("other columns", name, which if which == "the other" else None)
            yield Finding("other columns", name, f"a column of {which} table only", line, rows)


def shifts(table: Table, other: Table) -> Iterator[Finding]:
    """Find columns that are distributed otherwise in the other table: another unit, or a shift.

    Numbers by the tests of Kolmogorov and Smirnov (shape) and of Mann and Whitney (location),
    categories by chi-squared; Bonferroni for all columns, 0.3 % for one false alarm in the table, and
    a distance of at least 0.1, for in many rows any difference is sure. If a factor of known units, or
    the step from °F to °C or back, makes both tables agree, it is another unit.
    """
    both = [pair for pair in shared(table, other) if not is_identifier(pair[0])]
    for mine, theirs in both:
        rows = np.arange(other.n)
        if mine.numeric != theirs.numeric:
            if mine.gone.all() or theirs.gone.all():
                continue
            what = "numbers in one table and text in the other"
            yield Finding("shift", mine.name, what, mend("shift", mine.name), rows)
            continue
        distance, p = _difference(mine, theirs)
        if not (p < ALPHA / len(both) and distance > WORTH):
            continue
        factor = _unit_between(mine, theirs, ALPHA / len(both))
        way = None if factor else _temperature_between(mine, theirs, ALPHA / len(both))
        if way:
            what = f"agrees with the other table after that is turned {way}"
            yield Finding("other units", mine.name, what, mend("other units", mine.name, way), rows)
        elif factor:
            what = f"agrees with the other table after that is multiplied by {factor:.4g}"
            line = mend("other units", mine.name, factor=factor)
            yield Finding("other units", mine.name, what, line, rows)
        else:
            what = f"the other table is distributed otherwise, distance {distance:.2f} of at most 1"
            yield Finding("shift", mine.name, what, mend("shift", mine.name), rows)


def _difference(mine: Column, theirs: Column) -> tuple[float, float]:
    """Return distance and p-value."""
    if mine.numeric:
        return _moved(*(_some(c.measured[~c.gone]) for c in (mine, theirs)))
    a, b = (pd.Series(_spelt(c)[~c.gone], dtype=object).value_counts() for c in (mine, theirs))
    counts = pd.concat([a, b], axis=1).fillna(0).to_numpy()
    if min(counts.sum(axis=0), default=0) < 10 or len(counts) > counts.sum() / 10:
        return 0.0, 1.0
    rare = counts.sum(axis=1) < 10
    counts = np.vstack([counts[~rare], counts[rare].sum(axis=0)]) if rare.any() else counts
    counts = counts[counts.sum(axis=1) > 0]
    if len(counts) < 2:
        return 0.0, 1.0
    shares = counts / counts.sum(axis=0)
    return float(np.abs(np.diff(shares)).sum() / 2), float(chi2_contingency(counts).pvalue)


def _moved(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    if min(len(a), len(b)) < 10:
        return 0.0, 1.0
    shape = ks_2samp(a, b, method="asymp")
    return float(shape.statistic), float(min(1, 2 * min(shape.pvalue, mannwhitneyu(a, b).pvalue)))


def _some(values: np.ndarray) -> np.ndarray:
    return values[:: len(values) // SAMPLE + 1]


def _texts(column: Column) -> np.ndarray:
    return np.array([*column.texts.unique, ""], dtype=object)[column.texts.place]


def _spelt(column: Column) -> np.ndarray:
    """Return the texts however they are spelt: "Red" beside "red" is another spelling, and no shift."""
    return np.array([*map(spelling, column.texts.unique), ""], dtype=object)[column.texts.place]


def _unit_between(mine: Column, theirs: Column, alpha: float) -> float | None:
    """Return what to multiply the other table by, if a known unit makes both agree."""
    if not mine.numeric or mine.dates or mine.flags:
        return None
    a, b = (_some(c.measured[~c.gone]) for c in (mine, theirs))
    ours, others = np.median(a), np.median(b)
    if ours * others <= 0:
        return None
    ratio = ours / others
    factors = [f for unit in UNITS for f in (unit, 1 / unit)]
    near = [f for f in factors if abs(np.log(ratio / f)) < max(NEAR, 3 * _error(a, b))]
    widths = [np.subtract(*np.quantile(x, [0.75, 0.25])) for x in (a, b)]
    if min(widths) > 0:  # a shift keeps the width, another unit changes it
        wider = np.log(widths[0] / widths[1])
        near = [f for f in near if abs(wider - np.log(f)) < abs(wider)]
    agree = {f: _moved(a, b * f) for f in near}
    agree = {f: p for f, (distance, p) in agree.items() if p >= alpha or distance <= WORTH}
    return max(agree, key=agree.get, default=None)


def _temperature_between(mine: Column, theirs: Column, alpha: float) -> str | None:
    """Return which way the other table must be turned, if °C and °F make both agree."""
    if not mine.numeric or mine.dates or mine.flags:
        return None
    a, b = (_some(c.measured[~c.gone]) for c in (mine, theirs))
    if min(a.min(), b.min()) < -60 or max(a.max(), b.max()) > 260:  # no weather, no body
        return None
    turned = {"from °F to °C": (b - 32) / 1.8, "from °C to °F": 1.8 * b + 32}
    for way, values in turned.items():
        distance, p = _moved(a, values)
        if abs(np.median(a) - np.median(b)) > 10 and (p >= alpha or distance <= WORTH):
            return way
    return None


def _error(a: np.ndarray, b: np.ndarray) -> float:
    """Return the standard error of the logarithm of the ratio of two medians."""
    parts = [1.25**2 * x.var() / len(x) / np.median(x) ** 2 for x in (a, b)]
    return float(np.sqrt(sum(parts)))


def unseen(table: Table, other: Table) -> Iterator[Finding]:
    """Find rows of the other table with a category that this one lacks.

    Where categories occur once, a new one is no news: as many are expected to be new in a table of
    the same size (Good 1953). Only more than that, twice its standard error added, is a finding at a
    level of 0.3 %. Dates and columns whose cells mostly differ are left out.
    """
    targets = [(table.target, other.target)] if table.target and other.target else []
    for mine, theirs in [*shared(table, other), *targets]:
        texts = theirs.texts
        if mine.numeric or theirs.numeric or mine.texts is None or texts is None:
            continue
        known = set(mine.texts.unique)
        new = [
            text
            for text in texts.unique
            if text not in known | texts.missing and texts.counts[text]
        ]
        if not new or not _categories(mine):
            continue
        alone = np.sum(mine.counts == 1)
        expected = (alone + 2 * np.sqrt(alone)) * other.n / table.n
        if poisson.sf(len(new) - 1, expected) < ALPHA:
            what = f"categories that this table lacks, such as {new[0][:60]!r}"
            line = mend("unseen categories", mine.name)
            yield Finding("unseen categories", mine.name, what, line, texts.rows(set(new)))


def _categories(column: Column) -> bool:
    several = len(column.counts) <= column.n / 2 and not column.texts.notation
    return several and not forms(column.texts.counts)


def overlap(table: Table, other: Table) -> Iterator[Finding]:
    """Find rows of the other table that are in this one too; `rows.copies` says when it is no chance."""
    theirs = {column.name: column for column in other.columns}
    both = [(mine, theirs[mine.name]) for mine in telling(table) if mine.name in theirs]
    cells = [_together(*pair) for pair in both]
    found = copies(cells, known=table.n) - table.n if cells else np.zeros(0, dtype=int)
    if len(found):
        line = mend("overlap", ROWS, table=_part(table, [mine.name for mine, _ in both]))
        what = "rows of the other table that are in this one too"
        yield Finding("overlap", ROWS, what, line, found)


def _part(table: Table, names: list) -> str:
    """Return an expression of pandas for some columns of the table, the shorter of two."""
    rest = [column.name for column in table.every if column.name not in names]
    if len(rest) < len(names):
        return f"frame.drop(columns={rest}, errors='ignore')"  # a line before may have dropped it
    return f"frame[{names}]"


def _together(mine: Column, theirs: Column) -> np.ndarray:
    if mine.numeric and theirs.numeric:
        return pd.factorize(np.concatenate([mine.measured, theirs.measured]))[0]
    texts = [_texts(c) if c.texts is not None else c.values.astype(str) for c in (mine, theirs)]
    return pd.factorize(np.concatenate(texts))[0]


def shared_groups(table: Table, other: Table) -> Iterator[Finding]:
    """Find rows of the other table whose group is in this one too."""
    if table.groups is None or other.groups is None:
        return
    cells = _together(table.groups, other.groups)
    mine, theirs = cells[: table.n], cells[table.n :]
    found = np.flatnonzero(np.isin(theirs, mine[mine >= 0]) & ~other.groups.gone)
    if len(found):
        name = table.groups.name
        what = "groups of the other table are in this one"
        yield Finding("shared groups", name, what, mend("shared groups", name), found)
