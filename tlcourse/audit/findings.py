"""What a finding is, and the checks that look at the cells: what stands in them, what is missing.

Every check is a function of a `Table` (some take more) that yields one `Finding` for each thing that it
finds. Its limits are chosen so that nothing is found in three clean tables (wine, breast cancer,
digits). A limit is a habit, not a law: a finding asks you to look.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import norm, rankdata

from tlcourse.audit.tables import Column, Table

CODES = (-99999, -9999, -999, -99, 99, 999, 9999, 99999)  # numbers that mean "not measured"
SEPARATORS = re.compile(r"[\s_]+|(?<=[^\W\d_]{2})-(?=[^\W\d_]{2})")  # the hyphen of new-york
CLASSES = 20  # up to so many, a label is taken class by class
ALPHA = 0.001  # chance of a false alarm for all columns of a check together


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a table.

    Attributes
    ----------
    check : str
        Which check found it.
    column : str
        The column's name; "(rows)" where whole rows are concerned.
    what, todo : str
        What was found, and what to do about it: a sentence each.
    where : numpy.ndarray of int, shape (rows,)
        The positions of the rows that it concerns, counted from 0.
    """

    check: str
    column: str
    what: str
    todo: str
    where: np.ndarray = field(repr=False, compare=False)

    @property
    def rows(self) -> int:
        """How many rows it concerns."""
        return len(self.where)

    def __str__(self) -> str:
        return f"{self.column}, {counted(self.rows, 'row')}: {self.what}\n      → {self.todo}"


def counted(n: int, noun: str) -> str:
    """Return a number and what it counts: "1 row", "2,000 rows"."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def rows(mask) -> np.ndarray:
    """Return the positions at which a mask is true."""
    return np.flatnonzero(mask)


# ── what stands in the cells ────────────────────────────────────────────────────────────────


def column_names(table: Table) -> Iterator[Finding]:
    """Find names that several columns share."""
    for name, times in Counter(table.names).items():
        if times > 1:
            what = f"{times} columns have this name"
            todo = "rename them: code that asks by name gets only one, or both."
            yield Finding("column names", name, what, todo, np.arange(table.n))


def mixed_types(table: Table) -> Iterator[Finding]:
    """Find numbers that are written as text, and text in a column of numbers."""
    for column in table.columns:
        if column.written:
            example = next(iter(column.written.values()))
            what = f"numbers written as text, with {column.notation.marks}, such as {example!r}"
            todo = column.notation.todo
            if column.missing.any():
                todo += " Missing cells become np.nan."
            where = np.array(list(column.written))
            yield Finding("numbers as text", column.name, what, todo, where)
        stray = {row: text for row, text in column.stray.items() if row not in column.written}
        if stray:
            what = f"text among numbers, such as {next(iter(stray.values()))!r}"
            todo = "correct these cells at their source, or make them missing."
            yield Finding("mixed types", column.name, what, todo, np.array(list(stray)))


def spelling(text: str) -> str:
    """Return what a text says, however it is spelt: the same for "New York", "new-york " and "NEW_YORK.".

    Spelling is capitals, white space, ``_``, a hyphen between two words, and dots at the end. All else
    carries meaning: signs (B+ and B-), decimal marks (1.1M and 11M), a space between digits.
    """
    text = re.sub(r"(?<=[^\W\d_])\.+$", "", text.strip())
    text = re.sub(r"(?<!\d) | (?!\d)", "", SEPARATORS.sub(" ", text))
    return text.casefold()


def spellings(table: Table) -> Iterator[Finding]:
    """Find texts that differ only in their spelling."""
    for column in (column for column in table.columns if not column.numeric):
        texts = Counter(column.values[~column.missing].tolist())
        alike = defaultdict(list)
        for text, _ in texts.most_common():
            alike[spelling(text) or text].append(text)
        usual = {other: first for first, *others in alike.values() for other in others}
        if usual:
            other, first = next(iter(usual.items()))
            what = f"one category written in several ways, such as {other!r} for {first!r}"
            todo = "give each category one spelling before you encode it."
            where = rows([text in usual for text in column.values])
            yield Finding("spellings", column.name, what, todo, where)


def infinities(table: Table) -> Iterator[Finding]:
    """Find infinite numbers."""
    for column in table.columns:
        if column.numeric and np.isinf(column.values).any():
            todo = "find the division by zero that made them; make them missing."
            yield Finding(
                "infinities", column.name, "infinite numbers", todo, rows(np.isinf(column.values))
            )


# ── what is missing ─────────────────────────────────────────────────────────────────────────


def missing_values(table: Table) -> Iterator[Finding]:
    """Find cells without content; a column without any content is a finding of its own."""
    for column in table.columns:
        share = column.missing.mean()
        if share == 1:
            what, todo = "the column is empty", "drop it."
            yield Finding("empty columns", column.name, what, todo, np.arange(table.n))
        elif share > 0:
            todo = _filling(column)
            if share > 0.5:
                todo = "ask whether the column is worth keeping; if so, add an indicator of missingness."
            what = f"{share:.1%} of the cells are missing"
            yield Finding("missing values", column.name, what, todo, rows(column.missing))


def _filling(column: Column) -> str:
    """Return how to fill the gaps of a column: by a call that runs on what the column holds."""
    first = f"read {', '.join(map(repr, column.words))} as np.nan; " if column.words else ""
    fill = "fill them inside the Pipeline: "
    if column.numeric:
        todo = f"{first}{fill}SimpleImputer(strategy='median', add_indicator=True)."
        return days_first(column, todo)
    own = "SimpleImputer(strategy='constant', fill_value='missing')"
    todo = f"{fill}SimpleImputer(strategy='most_frequent'), or {own} as a category of its own"
    return f"{first}{todo}; both fill np.nan only, not '' or None."


def days_first(column: Column, todo: str) -> str:
    """Return advice for numbers; for dates, say first how to make them numbers."""
    return f"turn the dates into days, with nan for NaT; {todo}" if column.dates else todo


def codes_of(column: Column) -> list[int]:
    """Return the numbers such as -999 that occur more than once, far away from all the others."""
    others = column.finite[~np.isin(column.finite, CODES)]
    if not len(others):
        return []
    low, high = others[0], others[-1]
    beyond = [code for code in CODES if max(code - high, low - code) > high - low]
    return [code for code in beyond if np.sum(column.finite == code) > 1]


def missing_codes(table: Table) -> Iterator[Finding]:
    """Find numbers that stand for a missing one."""
    for column in table.columns:
        for code in codes_of(column):
            what = f"{code} looks like a code for 'not measured'"
            todo = f"make it missing: replace {code} by nan, in a column of floats."
            yield Finding("missing codes", column.name, what, todo, rows(column.values == code))


def measured(column: Column) -> np.ndarray:
    """Return a column's numbers without infinities and codes for missing ones: those are NaN."""
    values = np.where(np.isfinite(column.values), column.values, np.nan)
    return np.where(np.isin(values, codes_of(column)), np.nan, values)


def missing_pattern(table: Table, label: Column | None) -> Iterator[Finding]:
    """Find missingness that depends on another column or on the label: not MCAR, at best MAR.

    A column's missingness (0 or 1) is correlated with the ranks of each other column, and with each
    class of a label. Whether cells are missing because of what would have stood in them (MNAR) no
    table can tell.
    """
    gaps = [(j, c) for j, c in enumerate(table.columns) if 10 <= c.missing.sum() <= table.n - 10]
    if not gaps:
        return
    views = [(column.name, _ranks(column)) for column in table.columns]
    if label and len(label.counts) <= CLASSES:
        views += [(label.name, label.codes == code) for code in set(label.codes.tolist())]
    elif label:
        views.append((label.name, _ranks(label)))
    Z = np.column_stack([standard(view.astype(float)) for _, view in views])
    limit = norm.isf(ALPHA / 2 / (len(gaps) * len(views))) / np.sqrt(table.n)
    for j, column in gaps:
        r = np.abs(standard(column.missing.astype(float)) @ Z) / table.n
        r[j] = 0
        if r.max() > max(limit, 0.1):
            what = (
                f"whether a cell is missing depends on {views[r.argmax()][0]!r}, r = {r.max():.2f}"
            )
            todo = "do not drop these rows; impute from the other columns, and add an indicator."
            if not column.numeric:
                todo = "do not drop these rows; make the missing cells a category of its own."
            yield Finding("missing pattern", column.name, what, todo, rows(column.missing))


def _ranks(column: Column) -> np.ndarray:
    return np.where(column.missing, np.nan, rankdata(column.codes))


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
