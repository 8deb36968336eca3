"""Numbers that are far from all others, and numbers in two units."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import ks_2samp

from tlcourse.audit.advice import mend
from tlcourse.audit.columns import Column, Table
from tlcourse.audit.findings import Finding

UNITS = (  # mile and km, kg and lb, in and cm ... glucose in mmol/l and mg/dl, inHg and hPa, creatinine
    1.609344,
    2.20462,
    2.54,
    3.28084,
    10,
    12,
    18.016,
    25.4,
    28.35,
    30.48,
    33.8639,
    39.37,
    60,
    88.42,
    100,
    453.6,
    1000,
    3600,
    1e6,
)
ENOUGH = 20  # numbers that a column needs
FEW = 5  # different numbers in each unit
SHARE = 0.03  # of the numbers in each unit
CLOSE = 0.08  # a Kolmogorov-Smirnov distance below says nothing, however sure; ties make it larger
ALIKE = 0.01  # the two groups are of one shape unless a test says otherwise at this level
SKEWED = 1.35  # times that one side of the middle four fifths may be wider in a symmetric column
MANY = 20  # children, rooms, visits: so few, counted, are no slip
REPEATED = 3  # times: a bound, such as 0 % or 100 %, a code or a usual content
RARE = 0.05  # more far numbers than this share are no outliers, but a part of the column
SAMPLE = 20_000  # numbers by which two shapes are compared


# ── two units ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Units:
    """Two groups of numbers: those from `cut` on are `factor` times too large, or in °F if it is 0."""

    cut: float
    factor: float
    inside: np.ndarray


def two_units(table: Table) -> Iterator[Finding]:
    """Find numbers in two units: two groups, with an empty space between, of one shape.

    The column is cut where it is emptiest. The space must be twice as wide as any in the groups, and on
    a logarithmic scale 0.3 of the conversion (0.4 below ten times, half where a group has under 20
    numbers). Converted, the large group must look like the small one: Kolmogorov and Smirnov, p > 1 %,
    and middle halves as wide. The conversion that fits best is named. Where the other columns differ
    between the groups too, these are two kinds of rows and not two units. Small whole numbers are
    counts: they are left alone.
    """
    for column in table.every:
        units = _units(column)
        if units is None or _two_kinds_of_rows(table, column, units.inside):
            continue
        way = None if units.factor else "temperature"
        named = f"about {units.factor:g} times apart" if units.factor else "such as °C and °F"
        what = f"two groups of numbers, {named}: two units?"
        line = mend("two units", column.name, way, cut=units.cut, factor=units.factor)
        yield Finding("two units", column.name, what, line, np.flatnonzero(units.inside))


def _units(column: Column) -> Units | None:
    values = column.measured
    known = np.sort(values[np.isfinite(values)])
    counts = column.whole and len(known) and known[-1] <= 100
    if len(known) < ENOUGH or column.dates or column.flags or counts or known[0] == known[-1]:
        return None
    found = _by_factor(known) if known[0] > 0 else None
    found = found or _by_temperature(known)
    if found is None:
        return None
    cut, factor = found
    large = values >= cut
    return Units(cut, factor, large if large.sum() * 2 <= len(known) else values < cut)


def _by_factor(known: np.ndarray) -> tuple[float, float] | None:
    low, high, gap, rest = _halves(np.log(known))
    if gap < 2 * rest:
        return None
    distance = np.median(high) - np.median(low)
    near = [unit for unit in UNITS if abs(distance - np.log(unit)) < 0.02 + _error(low, high)]
    near = [unit for unit in near if gap > _wide(unit, min(len(low), len(high))) * np.log(unit)]
    fits = {unit: _alike(low, high - np.log(unit)) for unit in near if _as_wide(low, high)}
    best = max(fits, key=fits.get, default=None)
    if best is None or fits[best] < ALIKE:
        return None
    return float(np.exp((low[-1] + high[0]) / 2)), best


def _wide(unit: float, fewer: int) -> float:
    """Return what part of the conversion must be empty: more where chance explains a space."""
    return 0.5 if fewer < ENOUGH else 0.4 if unit < 10 else 0.3


def _by_temperature(known: np.ndarray) -> tuple[float, float] | None:
    low, high, gap, rest = _halves(known)
    few = min(len(low), len(high)) < 10
    weather = -60 < low[0] and low[-1] < 60 and high[-1] < 140  # or a body; but no weights
    if few or gap < 2 * rest or not weather:
        return None
    celsius = (high - 32) / 1.8
    same = _as_wide(low, celsius) and _alike(low, celsius) > ALIKE
    return (float((low[-1] + high[0]) / 2), 0.0) if same else None


def _halves(known: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Cut rising numbers at the widest space: both groups, that space, and the widest among the rest.

    The rest leaves out the fringes, a hundredth at each end of a group, where numbers are far apart.
    """
    steps = np.diff(known)
    edge = max(2, int(SHARE * len(known)))
    inner = steps[edge:-edge] if len(steps) > 2 * edge else steps
    cut = int(inner.argmax()) + edge + 1 if len(steps) > 2 * edge else int(steps.argmax()) + 1
    low, high = known[:cut], known[cut:]
    if min(len(np.unique(low)), len(np.unique(high))) < FEW:
        return low, high, 0.0, 1.0
    fringe = [group[len(group) // 50 : len(group) - len(group) // 50] for group in (low, high)]
    rest = max(np.diff(group).max(initial=0) for group in fringe)
    return low, high, float(steps[cut - 1]), float(rest)


def _as_wide(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether the middle halves of two groups are about equally wide, for their sizes."""
    widths = [np.subtract(*np.quantile(group, [0.75, 0.25])) for group in (a, b)]
    if min(widths) <= 0:
        return max(widths) <= 0
    error = 1.17 * np.sqrt(1 / len(a) + 1 / len(b))
    return bool(abs(np.log(widths[0] / widths[1])) < 0.3 + 1.5 * error)


def _error(low: np.ndarray, high: np.ndarray) -> float:
    """Return three standard errors of the distance between two medians."""
    return 3 * 1.25 * float(np.sqrt(low.var() / len(low) + high.var() / len(high)))


def _alike(a: np.ndarray, b: np.ndarray) -> float:
    """Return how sure it is that two groups are of one shape; near 1 where they hardly differ."""
    a, b = (group[:: len(group) // SAMPLE + 1] for group in (a, b))
    test = ks_2samp(a, b, method="asymp")
    ties = max(np.unique(group, return_counts=True)[1].max() / len(group) for group in (a, b))
    close = test.statistic < CLOSE + ties
    return 1 - float(test.statistic) if close else float(test.pvalue)


def _two_kinds_of_rows(table: Table, column: Column, inside: np.ndarray) -> bool:
    """Whether most of the other columns of numbers differ between the rows inside and outside."""
    outside = ~inside & ~np.isnan(column.measured)
    differ = []
    for other in table.every:
        if other is not column and other.numeric and not other.dates and len(other.counts) > FEW:
            groups = [other.measured[rows] for rows in (inside, outside)]
            a, b = (np.sort(group[np.isfinite(group)]) for group in groups)
            if min(len(a), len(b)) >= FEW:
                differ.append(_alike(a, b) < 1e-3)
    return bool(differ) and np.mean(differ) >= 0.5


# ── outliers ────────────────────────────────────────────────────────────────────────────────


def outliers(table: Table) -> Iterator[Finding]:
    """Find a few numbers far outside the middle half of their column, and apart from all others.

    In interquartile ranges beyond a quartile: 5, and 3.5 on the logarithmic scale too, so that a long
    tail (incomes, areas) is no finding, zeros left out; 6 and 2 where the middle four fifths are
    symmetric; where some numbers are below 0 or the long tail is the lower one, 7 (12 if not
    symmetric). Between the far ones and the rest an empty space of 1 range of the logarithm (2 to 4 of
    the numbers, and as wide as all before it) must lie: tails have none. In few rows the limits are
    farther by a standard error, and where the middle nine tenths are wide for the middle half, as in
    Student's t, by the third power of that.
    Whole numbers up to 20 are counts, and left alone, and so is what occurs three times. More than one
    number in twenty is no outlier but a part of the column, perhaps in another unit.
    """
    for column in table.every:
        if not column.numeric or column.flags or _units(column) is not None:
            continue
        if column.whole and np.nanmax(column.measured, initial=0) <= MANY:
            continue
        values = column.measured
        far = _far(column)
        if far.sum() > max(1, RARE * np.isfinite(values).sum()):
            continue
        far &= ~np.isin(values, column.different[0][column.different[1] >= REPEATED])
        if far.any():
            extreme, median = values[far][np.abs(values[far]).argmax()], np.nanmedian(values)
            what = f"far from all others, such as {extreme:g}; the median is {median:g}"
            way = "target" if column is table.target else None
            line = mend("outliers", column.name, way, where=_where(column, values, far))
            yield Finding("outliers", column.name, what, line, np.flatnonzero(far))


def _where(column: Column, values: np.ndarray, far: np.ndarray) -> str:
    """Return an expression of pandas for the far cells of a column."""
    name = f"frame[{column.name!r}]"
    if column.dates:
        return f"np.isin(np.arange(len(frame)), {np.flatnonzero(far).tolist()})"
    middle, far_ones = np.nanmedian(values), values[far]
    parts = []
    if (far_ones > middle).any():
        parts.append(f"({name} >= {float(far_ones[far_ones > middle].min())})")
    if (far_ones < middle).any():
        parts.append(f"({name} <= {float(far_ones[far_ones < middle].max())})")
    return " | ".join(parts)


def _far(column: Column) -> np.ndarray:
    values = column.measured
    skew = _skew(values)
    symmetric = 1 / SKEWED < skew < SKEWED
    if np.nanmin(values, initial=np.inf) < 0 or skew <= 1 / SKEWED:
        return _apart(values, *((7, 2) if symmetric else (12, 4)))
    values = np.where(values > 0, values, np.nan)
    logs = np.log(values)
    if symmetric:
        return _apart(values, 6, 2) & (_distance(logs) > 2)
    return _apart(logs, 3.5, 1, times=1) & (_distance(values) > 5)


def _skew(values: np.ndarray) -> float:
    """Return how much farther the upper tenth begins from the median than the lower one ends."""
    known = values[np.isfinite(values)]
    if len(known) < 10:
        return np.inf
    low, middle, high = np.quantile(known, [0.1, 0.5, 0.9])
    return float((high - middle) / max(middle - low, 1e-300))


def _apart(values: np.ndarray, limit: float, space: float, times: float = 2) -> np.ndarray:
    """Return which values lie beyond the limit and an empty space, both in quartile ranges.

    Behind the space, they are also `times` as far from the quartile as the last one before it: of a
    heavy tail (Student's t with 5 degrees of freedom) the largest is twice as far in 3 % of columns.
    """
    distance = _distance(values)
    far = np.zeros(len(values), dtype=bool)
    error = 1.2 / np.sqrt(np.isfinite(values).sum())  # the relative one of a quartile range
    limit *= 1 + error
    limit *= max(1, _tail(values[distance <= limit]) - error) ** 3
    if not np.nanmax(distance, initial=0) > limit:
        return far
    upper = values > np.nanmedian(values)
    for side in (upper, ~upper):
        order = np.sort(distance[side & np.isfinite(distance)])
        wide = np.diff(order) > np.maximum(space, (times - 1) * order[:-1])
        if wide.any():
            far |= side & (distance > order[wide.argmax()])
    return far & (distance > limit)


def _tail(values: np.ndarray) -> float:
    """Return how wide the middle nine tenths are for the middle half: 1 if normal, 1.14 if t with 5 df."""
    a, b, c, d = np.quantile(values, [0.05, 0.25, 0.75, 0.95])
    return float((d - a) / (c - b) / 2.439) if c > b else 1.0


def _scale(values: np.ndarray) -> tuple[float, float, float]:
    """Return the quartiles and their distance, or the 5 % and 95 % quantiles if the quartiles are equal."""
    known = values[np.isfinite(values)]
    low, high = np.quantile(known, [0.25, 0.75])
    if low == high:
        low, high = np.quantile(known, [0.05, 0.95])
    return low, high, high - low


def _distance(values: np.ndarray) -> np.ndarray:
    """How many interquartile ranges each number lies beyond the quartiles."""
    if np.isfinite(values).sum() < 10:
        return np.zeros(len(values))
    low, high, scale = _scale(values)
    return np.maximum(values - high, low - values) / scale if scale > 0 else np.zeros(len(values))
