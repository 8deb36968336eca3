"""The checks that look at whole columns: which say nothing, or the same, or are in a strange unit."""

from collections.abc import Iterator

import numpy as np

from tlcourse.audit.findings import Finding, days_first, measured, rows, standard
from tlcourse.audit.tables import Column, Table

UNITS = (2.2046, 2.54, 3.2808, 10, 12, 25.4, 39.37, 60, 100, 1000, 3600, 1e6)  # lb, cm, ft ...
SPREADS = 1e6  # the largest spread of a column over the smallest

# ── columns that say nothing, or say it twice ───────────────────────────────────────────────


def constants(table: Table) -> Iterator[Finding]:
    """Find columns with one value only.

    Zeros are no finding in a table of counts or pixels, where 0 means "nothing here" and is the
    content of more than a fifth of all cells: another sample may well have something there.
    """
    zeros = np.mean([np.mean(column.values == 0) for column in table.columns])
    for column in table.columns:
        blank = zeros > 0.2 and column.numeric and not column.values.any()
        if len(column.counts) == 1 and not column.stray and not blank:
            what, todo = "all cells have the same content", "drop the column."
            yield Finding("constant columns", column.name, what, todo, rows(~column.missing))


def is_identifier(column: Column) -> bool:
    """Whether a column only numbers or names the rows.

    That is, all cells differ, and they are text, or whole numbers without a hole, or whole numbers
    that rise or fall with the row. Numbers written as text measure something: they are none.
    """
    n = len(column.values)
    if n < 10 or column.missing.any() or column.stray or len(column.counts) < n or column.written:
        return False
    if not column.numeric:
        return True
    if len(column.finite) < n or (column.finite % 1).any():
        return False
    steps = np.diff(column.values)
    return np.ptp(column.finite) == n - 1 or (steps > 0).all() or (steps < 0).all()


def identifiers(table: Table) -> Iterator[Finding]:
    """Find columns that number or name the rows."""
    for column in filter(is_identifier, table.columns):
        what = "every row has its own entry: a name, a row number or a time"
        todo = "do not learn from it; keep it to order, group or join the rows."
        yield Finding("identifiers", column.name, what, todo, np.arange(table.n))


def copies(table: Table) -> Iterator[Finding]:
    """Find columns that say the same as an earlier one, perhaps in another unit or order."""
    columns = [column for column in table.columns if len(column.counts) > 1]
    if not columns:
        return
    Z = np.column_stack([standard(numbers(column)) for column in columns])
    likely = np.abs(Z.T @ Z) / len(Z) > 0.8
    for j, column in enumerate(columns):
        for first in (columns[i] for i in rows(likely[:j, j])):
            both = ~(column.missing | first.missing)
            if _same(column, first, both):
                what = f"says the same as column {first.name!r}"
                todo = "drop one of the two."
                yield Finding("duplicate columns", column.name, what, todo, rows(both))
                break


def numbers(column: Column) -> np.ndarray:
    """Return a column's numbers, or those that stand for its texts; NaN where there is none."""
    if column.numeric:
        return np.where(np.isfinite(column.values), column.values, np.nan)
    return np.where(column.missing, np.nan, column.codes)


def _same(column: Column, first: Column, both: np.ndarray) -> bool:
    if column.numeric != first.numeric or both.sum() < 3:
        return False
    a, b = standard(numbers(column)[both]), standard(numbers(first)[both])
    return a.any() and bool(np.allclose(a, b, atol=1e-6) or np.allclose(a, -b, atol=1e-6))


# ── numbers that are too large, too small or in two units ───────────────────────────────────


def two_units(table: Table) -> Iterator[Finding]:
    """Find a column in two groups, with an empty space between, whose medians are a unit apart."""
    for column in (c for c in table.columns if len(c.finite) >= 20 and not c.dates):
        sizes = np.sort(measured(column))
        sizes = sizes[~np.isnan(sizes)]
        if sizes[0] <= 0:
            continue
        cut = int(np.diff(np.log(sizes)).argmax()) + 1
        low, high = sizes[:cut], sizes[cut:]
        ratio = np.median(high) / np.median(low)
        # Medians vary by chance; a large factor is still told from all others.
        factor = known_unit(ratio, tolerance=0.15 if ratio < 50 else 0.35)
        small = min(low, high, key=len)
        apart = factor and (high[0] / low[-1]) ** 2 > factor
        if apart and len(small) >= 0.05 * len(sizes) and len(set(small.tolist())) >= 5:
            what = f"two groups of numbers, about {factor:g} times apart: two units?"
            todo = f"find out, then multiply or divide one group by {factor:g}."
            inside = (column.values >= small[0]) & (column.values <= small[-1])
            yield Finding("two units", column.name, what, todo, rows(inside))


def known_unit(ratio: float, tolerance: float) -> float | None:
    """Return the factor between two units that is nearest to a ratio above 1, if it is near enough."""
    unit = min(UNITS, key=lambda unit: abs(ratio / unit - 1))
    return unit if abs(ratio / unit - 1) < tolerance else None


def outliers(table: Table) -> Iterator[Finding]:
    """Find numbers far outside the middle half of their column, if they are not in another unit.

    Far is more than 5 times the interquartile range beyond a quartile, and 3.5 times on the logarithmic
    scale too, so that a long tail (incomes, areas) is no finding. A column with negative numbers
    has no logarithm: there, far is 20 times.
    """
    explained = {finding.column for finding in two_units(table)}
    for column in (c for c in table.columns if c.numeric and c.name not in explained):
        values = measured(column)
        if (values < 0).any():
            far = _distance(values) > 20
        else:
            logs = np.log(values, where=values > 0, out=np.full(table.n, np.nan))
            far = (_distance(values) > 5) & (_distance(logs) > 3.5)
        if far.any():
            extreme, median = values[far][np.abs(values[far]).argmax()], np.nanmedian(values)
            what = f"far from all others, such as {extreme:g}; the median is {median:g}"
            todo = "correct the errors among them; clip the rest (3 interquartile ranges) in the Pipeline."
            yield Finding("outliers", column.name, what, days_first(column, todo), rows(far))


def _distance(values: np.ndarray) -> np.ndarray:
    """How many interquartile ranges each number lies beyond the quartiles."""
    known = values[np.isfinite(values)]
    if len(known) < 10:
        return np.zeros(len(values))
    low, high = np.quantile(known, [0.25, 0.75])
    if low == high:  # half of the numbers are equal
        low, high = np.quantile(known, [0.05, 0.95])
    return np.maximum(values - high, low - values) / (high - low) if high > low else 0 * values


def scales(table: Table) -> Iterator[Finding]:
    """Find a column whose spread is more than a million times that of another."""
    spread = {
        c.name: np.subtract(*np.quantile(c.finite, [0.95, 0.05]))
        for c in table.columns
        if len(c.finite)
    }
    spread = {name: size for name, size in spread.items() if size > 0}
    if spread and max(spread.values()) > SPREADS * min(spread.values()):
        largest, smallest = max(spread, key=spread.get), min(spread, key=spread.get)
        what = f"its spread is {spread[largest] / spread[smallest]:.1g} times that of {smallest!r}"
        todo = "choose other units, and put a StandardScaler into the Pipeline."
        column = next(column for column in table.columns if column.name == largest)
        yield Finding("scales", largest, what, days_first(column, todo), np.arange(table.n))
