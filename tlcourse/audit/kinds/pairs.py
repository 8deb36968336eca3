"""Whole columns: that say nothing, number the rows, or say what another one says."""

import re
from collections.abc import Iterator
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.stats import kstest

from tlcourse.audit.advice import mend
from tlcourse.audit.columns import Column, Table
from tlcourse.audit.dates import forms
from tlcourse.audit.findings import Finding

NAMES = re.compile(
    r"(^|[\W_\d])(ids?|uid|uuid|guid|key|idx|nr|no|number|serial|account|phone|email|ssn|isbn|ean|sku|"
    r"barcode|hash|token|identifier|record|row)[\W_\d]*$|编号|序号|学号|身份证|电话",
    re.IGNORECASE,
)
PLACES = re.compile(r"zip|post|plz|邮编", re.IGNORECASE)  # of which several rows may come
SIZE = re.compile(r"\s*[\d.,]+\s*[x×*]\s*[\d.,]+")  # 38 x 40 says how large, and names nothing
PLACE = re.compile(r"\s*\(?-?\d+(\.\d+|°.*), ?-?\d+(\.\d+|°.*)|\s*-?\d+(\.\d+)?°")  # coordinates
UNDIVIDED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
ENOUGH = 10  # rows that a column of identifiers needs; twice as many if nothing in its name says so
UNIQUE = (
    0.95  # of the cells differ in a column of identifiers; the others may be rows entered twice
)
PROSE = 4.5  # words on average: longer text is content
SAMPLE = 4_000  # rows by which pairs of columns are chosen
STEADY = 0.999  # rank correlation of columns in step, at least
EXCEPT = 0.01  # of the rows may be out of step
SMOOTH = 20  # times that a column's range must exceed what rounding explains
HUGE = 1e150  # its square is infinite
VARIES = 5  # rows, at least, that differ from a column's most frequent content


def constants(table: Table) -> Iterator[Finding]:
    """Find columns with one content only, and without a gap: where one is, it tells rows apart.

    Zeros are no finding in a table of counts or pixels, where 0 means "nothing here" and is the
    content of more than a fifth of all cells: another sample may well have something there.
    """
    shares = [np.mean(column.values == 0) for column in table.every]
    for column, share in zip(table.every, shares, strict=True):
        zeros = (sum(shares) - share) / max(1, len(shares) - 1)  # of the other columns
        blank = zeros > 0.2 and column.numeric and not column.values.any()
        if len(column.counts) == 1 and not column.gone.any() and not blank:
            line = mend("constant columns", column.name)
            rows = np.arange(table.n)
            yield Finding("constant columns", column.name, "all cells have one content", line, rows)


# ── identifiers ─────────────────────────────────────────────────────────────────────────────


def is_identifier(column: Column) -> bool:
    """Whether a column only numbers or names the rows.

    At least 95 % of its cells differ, none is missing, and one of these holds:

    - whole numbers without a hole, such as 1, 2, 3 ... in any order; years apart, 1800 to 2100;
    - its name says so (it ends in id, key, number ...);
    - text that is no number, date, post code or prose, and has letters, or six digits or more in one
      pattern;
    - whole numbers of six digits or more, all of one length, spread evenly over that range.

    Measurements, sorted or not, fulfil none of these.
    """
    if column.identifier is None:
        column.identifier = _numbers_or_names(column)
    return column.identifier


def _numbers_or_names(column: Column) -> bool:
    if column.n < ENOUGH or column.dates or column.gone.any() or PLACES.search(str(column.name)):
        return False
    if len(column.counts) < UNIQUE * column.n:
        return False
    named = bool(NAMES.search(_words(column.name)))
    if column.numeric:
        if column.texts is not None and column.texts.notation or not column.whole:
            return False
        return _without_holes(column) or named or _keys(column)
    texts = column.texts
    if texts.notation or forms(texts.counts):
        return bool(named and not texts.notation)
    return named or column.n >= 2 * ENOUGH and _are_names(texts.unique)


def _words(name) -> str:
    """Return a column's name with its words apart: "CustomerID" is "Customer ID"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", str(name))


def _without_holes(column: Column) -> bool:
    numbers = column.different[0]
    if 1800 <= numbers[0] and numbers[-1] <= 2100:  # one row a year: time, and no name
        return False
    return len(numbers) == numbers[-1] - numbers[0] + 1


def _keys(column: Column) -> bool:
    numbers = column.different[0]
    digits = len(f"{numbers[0]:.0f}")
    if numbers[0] < 1e5 or numbers[-1] >= 10**digits or column.n < 2 * ENOUGH:
        return False
    low = 10 ** (digits - 1)
    return kstest((numbers - low) / (9 * low), "uniform").pvalue > 0.01


def _are_names(texts: list[str]) -> bool:
    """Whether texts are names or keys: few words each, with letters, or digits in one pattern."""
    words = np.mean([_count_words(text) for text in texts])
    letters = np.mean([bool(re.search(r"[^\W\d_]", text)) for text in texts])
    sizes = np.mean([bool(SIZE.match(text) or PLACE.match(text)) for text in texts])
    patterns = {re.sub(r"\d", "0", text) for text in texts[:1000]}
    times = np.mean([bool(re.match(r"\d{1,2}:\d{2}", text)) for text in texts])
    keys = len(patterns) == 1 and min(pattern.count("0") for pattern in patterns) >= 6
    return bool(words <= PROSE and max(times, sizes) < 0.5 and (letters > 0.9 or keys))


def _count_words(text: str) -> float:
    """Count words; where a script writes none apart, 1.6 signs count as one (Chinese, Japanese)."""
    return len(text.split()) + len(UNDIVIDED.findall(text)) / 1.6


def identifiers(table: Table) -> Iterator[Finding]:
    """Find columns that number or name the rows; `is_identifier` has the rule."""
    for column in filter(is_identifier, table.columns):
        line = mend("identifiers", column.name)
        what = "every row has its own entry: it numbers or names the rows"
        yield Finding("identifiers", column.name, what, line, np.arange(table.n))


# ── pairs ───────────────────────────────────────────────────────────────────────────────────


class Pairs:
    """The pairs of columns of a table that say the same, each with its kind; later columns first drop out."""

    def __init__(self, table: Table):
        self.table = table
        self.columns = [c for c in table.columns if _varies(c)]
        self.sample = np.linspace(0, table.n - 1, min(table.n, SAMPLE)).astype(int)

    @cached_property
    def found(self) -> list[tuple[str, Column, Column]]:
        """Kind, earlier and later column."""
        found, gone = [], set()
        for j, later in enumerate(self.columns):
            for i in np.flatnonzero(self._likely[:j, j]):
                earlier = self.columns[i]
                kind = None if i in gone else self._kind(earlier, later)
                if kind:
                    found.append((kind, earlier, later))
                    gone.add(j)
                    break
        return found

    @cached_property
    def _likely(self) -> np.ndarray:
        """Which pairs are worth a look, by the sample: in step, or with as many contents."""
        ranks = [self._ranks(column) for column in self.columns]
        if not ranks:
            return np.zeros((0, 0), dtype=bool)
        with np.errstate(invalid="ignore", divide="ignore"):
            r = np.abs(np.nan_to_num(np.corrcoef(np.array(ranks)))).reshape(len(ranks), -1)
        several = np.array([len(c.counts) for c in self.columns])
        coarse = several <= max(2, self.table.n / 2)
        same = (several[:, None] == several) & coarse[:, None] & coarse
        return (r > 0.99) | same

    def _ranks(self, column: Column) -> np.ndarray:
        view = (column.measured if column.numeric else column.cells.astype(float))[self.sample]
        gaps = np.isnan(view) | column.gone[self.sample]
        ranks = pd.Series(np.where(gaps, np.nan, view)).rank().to_numpy()
        return np.where(gaps, np.nanmean(ranks) if (~gaps).any() else 0, ranks)

    def _kind(self, a: Column, b: Column) -> str | None:
        both = ~(a.gone | b.gone)
        if both.sum() < 2 * ENOUGH:
            return None
        if a.numeric and b.numeric:
            equal = a.dates == b.dates and np.array_equal(a.measured, b.measured, equal_nan=True)
            if equal:
                return "duplicate columns"
            if in_step(a.measured[both], b.measured[both]):
                return "columns in step"
        elif a.numeric == b.numeric and np.array_equal(a.gone, b.gone) and _equal(a, b):
            return "duplicate columns"
        return "one-to-one columns" if _one_to_one(a.cells[both], b.cells[both]) else None


def pairs(table: Table) -> Pairs:
    """Return the pairs of a table; they are looked for once."""
    if "pairs" not in table.memory:
        table.memory["pairs"] = Pairs(table)
    return table.memory["pairs"]


def _varies(column: Column) -> bool:
    counts = column.counts
    unclear = column.texts is not None and column.texts.notation and not column.numeric
    return len(counts) > 1 and counts.sum() - counts.max() >= VARIES and not unclear


def _equal(a: Column, b: Column) -> bool:
    lists = [np.array([*c.texts.unique, ""], dtype=object)[c.texts.place] for c in (a, b)]
    return bool((lists[0] == lists[1])[~a.gone].all())


def in_step(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether one column is a + b times the other, up to the rounding of both.

    The line is fitted to the medians of the lowest and the highest fifth, then to the rows that lie on
    it. What rounding explains is half a step of y plus b times half a step of x, a quarter more for the
    fit; a step is the distance that all numbers of a column are multiples of. 99 % of the rows must
    lie within, and the range must be twenty times as wide: coarse columns agree by chance.

    Parameters
    ----------
    x, y : numpy.ndarray, shape (n,)
    """
    if max(np.abs(x).max(), np.abs(y).max()) > HUGE:
        return False
    order = np.argsort(x, kind="stable")
    fifth = max(2, len(x) // 5)
    ends = [order[:fifth], order[-fifth:]]
    width = np.median(x[ends[1]]) - np.median(x[ends[0]])
    if width <= 0:
        return False
    slope = (np.median(y[ends[1]]) - np.median(y[ends[0]])) / width
    residual = y - slope * x
    residual -= np.median(residual)
    near = np.abs(residual) <= np.quantile(np.abs(residual), 1 - EXCEPT)
    if slope == 0 or np.ptp(x[near]) == 0:
        return False
    slope, start = np.polyfit(x[near] - x[near].mean(), y[near], 1)
    residual = np.abs(y - start - slope * (x - x[near].mean()))
    width_y = np.ptp(y[near])
    bound = 1.25 * (step(y) / 2 + abs(slope) * step(x) / 2) + 1e-7 * width_y
    return bool(np.mean(residual <= bound) >= 1 - EXCEPT and width_y > SMOOTH * bound)


def step(values: np.ndarray) -> float:
    """Return the distance of which all numbers' distances are multiples, 0 if there is none.

    The smallest distance is tried first, then powers of ten: 0.1 for numbers with one decimal place.
    """
    numbers = np.unique(values)
    if len(numbers) < 2:
        return 0.0
    from_first = numbers - numbers[0]
    powers = [10.0**k for k in range(6, -7, -1)]
    least = np.diff(numbers).min()
    for size in [least, *(power for power in powers if power < least)]:
        multiples = from_first / size
        exact = 1e-3 + 1e-9 * np.abs(multiples)
        if multiples[-1] < 1e8 and (np.abs(multiples - np.round(multiples)) < exact).all():
            return float(size)
    return 0.0


def _one_to_one(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether each content of one column goes with one of the other; each, on average, in two rows."""
    together = pd.factorize(a.astype(np.int64) * (b.max() + 1) + b)[0].max() + 1
    kinds = [len(np.unique(side)) for side in (a, b)]
    largest = np.bincount(a).max()
    repeats = together <= len(a) / 2 and len(a) - largest >= VARIES
    return bool(kinds[0] == kinds[1] == together > 1 and repeats)


def say_the_same(table: Table) -> Iterator[Finding]:
    """Find pairs of columns that say the same: equal, in step up to rounding, or one to one."""
    words = {
        "duplicate columns": "the same cells as {!r}",
        "columns in step": "in step with {!r}, up to rounding: the same in another unit",
        "one-to-one columns": "each content goes with one of {!r}: the same in other words",
    }
    for kind, earlier, later in pairs(table).found:
        what = words[kind].format(earlier.name)
        line = mend(kind, later.name)
        yield Finding(kind, later.name, what, line, np.arange(table.n), earlier.name)
