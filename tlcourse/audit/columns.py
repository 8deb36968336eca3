"""What the checks know of a column: its numbers, its texts, and which cells are missing."""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from tlcourse.audit import codes, dates, words
from tlcourse.audit.written import Notation, notation

JUDGED = 20_000  # different texts of a column that are read one by one; the most frequent ones
CLASSES = 10  # different numbers of a target up to which they may be classes
FEWER = (
    4  # times that numbers outnumber other texts, words for missing apart, in a column of numbers
)
COUNTS = 15  # different numbers, at most, of a column that counts
TENTHS = 0.3  # of the cells: more zeros are rather a part of the column
MOSTLY = 0.8
SAME = 0.95  # of the rows in which one of two columns is 0, both are
QUARTER = 0.25  # of the cells with content, at least, are numbers in a column of numbers


@dataclass(frozen=True)
class Texts:
    """The texts of a column, read as a whole.

    Attributes
    ----------
    unique : list of str
        The different texts, in the order in which they appear.
    place : numpy.ndarray of int, shape (n,)
        Which of them stands in each row; -1 where the cell is missing.
    values : numpy.ndarray, shape (len(unique),)
        The number that each stands for, NaN where it is none.
    missing : frozenset of str
        Those that stand for a missing cell.
    notation : Notation or None
        How the numbers are written, where ``float`` does not read them.
    """

    unique: list[str]
    place: np.ndarray
    values: np.ndarray
    missing: frozenset[str]
    notation: Notation | None

    def rows(self, texts) -> np.ndarray:
        """Return the rows in which one of these texts stands."""
        chosen = np.array([text in texts for text in self.unique] + [False])
        return np.flatnonzero(chosen[self.place])

    @cached_property
    def counts(self) -> Counter:
        """How often each text occurs."""
        return Counter(dict(zip(self.unique, self._numbers, strict=True)))

    @property
    def _numbers(self) -> list[int]:
        return np.bincount(self.place + 1, minlength=len(self.unique) + 1)[1:].tolist()


class Column:
    """A column of a table.

    Parameters
    ----------
    name : hashable
    series : pandas.Series, shape (n,)

    Attributes
    ----------
    missing : numpy.ndarray of bool, shape (n,)
        Which cells have no content.
    texts : Texts or None
        The texts, if the cells are text.
    values : numpy.ndarray, shape (n,)
        The numbers; NaN where there is none, or the column is one of text. Dates and times are days.
    identifier : bool or None
        What `kinds.pairs.is_identifier` has found out; None before it was asked.
    numeric, dates, flags : bool
        Whether it is a column of numbers (also if written as text), of dates, or of true and false.
    """

    def __init__(self, name: Hashable, series: pd.Series):
        self.name, self.n, self.identifier = name, len(series), None
        kind = series.dtype
        self.dates = pd.api.types.is_datetime64_any_dtype(kind) or kind.kind == "m"
        self.flags = pd.api.types.is_bool_dtype(kind)
        self.texts = None
        if self.dates or pd.api.types.is_numeric_dtype(kind) and kind.kind != "c":
            self.values = _days(series) if self.dates else _floats(series)
            self.missing, self.numeric = np.isnan(self.values), True
            return
        place, unique = _different(series)
        self.texts = _read(place, unique)
        self.missing = self.texts.place < 0
        known = ~self.missing & ~np.isin(np.arange(self.n), self.texts.rows(self.texts.missing))
        values = np.append(self.texts.values, np.nan)[self.texts.place]
        self.numeric = bool((~np.isnan(values[known])).any())
        self.values = values if self.numeric else np.full(self.n, np.nan)

    @cached_property
    def different(self) -> tuple[np.ndarray, np.ndarray]:
        """The different finite numbers, rising, and how often each occurs."""
        return np.unique(self.values[np.isfinite(self.values)], return_counts=True)

    @cached_property
    def codes(self) -> list[float]:
        """The numbers that stand for a missing one."""
        return [] if self.flags else codes.codes(*self.different)

    @cached_property
    def measured(self) -> np.ndarray:
        """The numbers without infinities and codes for missing ones: those are NaN."""
        values = np.where(np.isfinite(self.values), self.values, np.nan)
        return np.where(np.isin(values, self.codes), np.nan, values) if self.codes else values

    @cached_property
    def gone(self) -> np.ndarray:
        """Which cells are missing, have a word or a code for it, or hold no number among numbers."""
        if self.numeric:
            return np.isnan(self.measured)
        mask = self.missing.copy()
        mask[self.texts.rows(self.texts.missing)] = True
        return mask

    @cached_property
    def cells(self) -> np.ndarray:
        """A number from 0 for each content, -1 where it is missing; spellings of one text are equal."""
        if self.numeric:
            return pd.factorize(self.measured)[0]
        spelt = [words.spelling(text) for text in self.texts.unique]
        place = np.append(pd.factorize(np.array(spelt, dtype=object))[0], -1)[self.texts.place]
        return np.where(self.gone, -1, place)

    @cached_property
    def counts(self) -> np.ndarray:
        """How often each content occurs, of which the column has ``len(counts)``; missing ones aside."""
        counts = np.bincount(self.cells[self.cells >= 0])
        return counts[counts > 0]

    @cached_property
    def whole(self) -> bool:
        """Whether all numbers are whole."""
        numbers = self.different[0]
        return bool(len(numbers) and (numbers % 1 == 0).all())


def _days(series: pd.Series) -> np.ndarray:
    if series.dtype.kind == "m":
        return (series / pd.Timedelta(days=1)).to_numpy(dtype=float)
    if series.dt.tz is not None:
        series = series.dt.tz_convert(None)
    seconds = series.to_numpy().astype("M8[s]")
    return np.where(np.isnat(seconds), np.nan, seconds.astype("int64") / 86_400)


def _floats(series: pd.Series) -> np.ndarray:
    return series.to_numpy(dtype=float, na_value=np.nan)


def _different(series: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Return the place of each cell's text among the different ones, and these."""
    try:
        place, unique = pd.factorize(series)
    except TypeError:  # lists and other things without a hash
        place, unique = pd.factorize(series.map(str, na_action="ignore"))
    texts = [_text(cell) for cell in unique]
    again, different = pd.factorize(np.array(texts, dtype=object))
    again = np.append(np.where([not text.strip() for text in texts], -1, again), -1)
    return again.astype(int)[place], [text for text in different]


def _text(cell) -> str:
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))  # 7.0 among texts was a 7
    return str(cell)


def _read(place: np.ndarray, unique: list[str]) -> Texts:
    """Find out what the texts of a column are: numbers, words for missing, or other."""
    plain = np.array([words.number(text) for text in unique], dtype=float)
    numbers = np.bincount(place + 1, minlength=len(unique) + 1)[1:]
    count = Counter({text: int(k) for text, k in zip(unique, numbers, strict=True) if k})
    missing = words.missing(count, among_numbers=False)
    rest = Counter(
        {text: k for text, k in count.most_common(JUDGED) if text.strip() and text not in missing}
    )
    names = words.are_names(rest) or len(dates.forms(rest)) > 1
    how = None if names else notation(rest)
    if how or names:
        read = how.read if how else (lambda _: np.nan)
        plain = np.array([read(text) for text in unique], dtype=float)
    strays = Counter({t: count[t] for t, x in zip(unique, plain, strict=True) if np.isnan(x)})
    few = not how and len(count) - len(strays) <= CLASSES
    among = words.missing(strays, among_numbers=True, few=few)
    if _are_numbers(count, strays, among, few, marked=how is not None):
        missing = among
    else:
        plain = np.full(len(unique), np.nan)
    return Texts(unique, place, plain, frozenset(missing), how)


def _are_numbers(count: Counter, strays: Counter, among: set, few: bool, marked: bool) -> bool:
    """Whether a column is one of numbers, some other texts and words for missing aside.

    Grades are not (K, 1, 2, 3, 4), nor codes of which some have letters, nor 0 beside + and -.
    """
    left = strays - Counter({text: strays[text] for text in among})
    if few and max(left.values(), default=0) >= words.OFTEN or words.are_codes(left):
        return False
    numbers = count.total() - strays.total()
    enough = max(1, (1 if marked else FEWER) * left.total(), QUARTER * count.total())
    return numbers >= enough and len(count) - len(strays) > len(among)


def _none_of(counted: Column, column: Column) -> bool:
    """Whether one column counts what the other measures, and both are 0 together: no car, no garage."""
    numbers = counted.different[0]
    if counted is column or not counted.whole or not 2 < len(numbers) <= COUNTS or numbers[0] != 0:
        return False
    a, b = counted.values == 0, column.values == 0
    return bool((a & b).sum() >= SAME * (a | b).sum())


def _keep_true_zeros(columns: list[Column]) -> None:
    """Take 0 from the codes for missing where it says "none": no garage, no tip.

    So it is where a count is 0 in the same rows; and where more than three cells of ten are 0, unless
    0 is a code in another column too, with fewer, whose rows have it mostly here too.
    """
    zeros = [column for column in columns if 0 in column.codes]
    few = [column for column in zeros if np.mean(column.values == 0) <= TENTHS]
    for column in zeros:
        alike = any(np.mean(column.values[other.values == 0] == 0) > MOSTLY for other in few)
        alone = column not in few and not alike
        if alone or any(_none_of(other, column) for other in columns):
            column.codes.remove(0)


class Table:
    """The columns of a table, the target and the groups among them.

    Parameters
    ----------
    frame : pandas.DataFrame, shape (n, columns)
    target, groups : hashable, optional
        Names of columns.
    """

    def __init__(self, frame: pd.DataFrame, target: Hashable = None, groups: Hashable = None):
        self.frame, self.n, self.memory = frame, len(frame), {}
        every = [Column(name, frame.iloc[:, j]) for j, name in enumerate(frame.columns)]
        self.target = next((c for c in every if target is not None and c.name == target), None)
        if self.target is not None and len(self.target.different[0]) <= CLASSES:
            self.target.codes = []  # 9 beside 1, 2, 3, 4, 5 may be a class
        _keep_true_zeros([column for column in every if column.numeric])
        self.groups = next((c for c in every if groups is not None and c.name == groups), None)
        self.every = every
        self.columns = [c for c in every if c not in (self.target, self.groups)]
