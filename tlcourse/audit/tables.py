"""Read any table, from an array, a list, a data frame or a CSV file, into columns to inspect.

A column is either one of numbers or one of text. Numbers that were stored as text are read as
numbers, marks and units beside them included (`written`); words such as ``NA``, ``?`` or an empty
cell are read as missing.
"""

import csv
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tlcourse.audit.written import Notation, notation

# What pandas, too, reads from a file as missing.
NOTHING = {"", "NA", "N/A", "n/a", "NaN", "nan", "<NA>", "NaT", "NULL", "null", "None"}
MISSING_WORDS = NOTHING | {"?", "-", "--", "na"}


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
    values : numpy.ndarray, shape (n,)
        Of float, with NaN where there is no number, or of str, "" where there is no text.
    missing : numpy.ndarray of bool, shape (n,)
        Cells without content.
    stray : dict of int to str
        Row and content of the cells of text in a column of numbers.
    written : dict of int to str
        Row and content of the cells that hold more than a bare number, such as "$1,234.56".
    notation : Notation, optional
        How these are written.
    words : tuple of str
        What stands in missing cells, where a reader other than this one may take it for content.
    dates : bool
        Whether the numbers are dates or times, counted in days.
    """

    name: str
    values: np.ndarray
    missing: np.ndarray
    stray: dict[int, str]
    written: dict[int, str] = field(default_factory=dict)
    notation: Notation | None = None
    words: tuple[str, ...] = ()
    dates: bool = False

    @property
    def numeric(self) -> bool:
        """Whether this is a column of numbers."""
        return self.values.dtype.kind == "f"

    @cached_property
    def finite(self) -> np.ndarray:
        """The finite numbers, in order of size; of a column of text, none."""
        return np.sort(self.values[np.isfinite(self.values)]) if self.numeric else np.empty(0)

    @cached_property
    def codes(self) -> np.ndarray:
        """A number for each cell, shape (n,): equal content, equal number; a missing one is -1."""
        return codes(self)[0]

    @cached_property
    def counts(self) -> np.ndarray:
        """How often each content occurs, of which the column has ``len(counts)``; missing ones aside."""
        counts = np.bincount(self.codes[~self.missing])
        return counts[counts > 0]


@dataclass(frozen=True)
class Table:
    """Columns of equal length; `n` counts the rows."""

    columns: list[Column]
    n: int

    @property
    def names(self) -> list[str]:
        """The columns' names, in order."""
        return [column.name for column in self.columns]


def codes(*columns: Column) -> list[np.ndarray]:
    """Return a number for each cell of several columns, in order of size or alphabet."""
    cells = np.concatenate(
        [c.values if same_kind(columns) else c.values.astype(str) for c in columns]
    )
    if cells.dtype.kind == "f":
        coded = np.unique(cells, return_inverse=True)[1]
    else:
        order = {text: i for i, text in enumerate(sorted(set(cells.tolist())))}
        coded = np.fromiter(map(order.get, cells.tolist()), dtype=int, count=len(cells))
    coded = np.where(np.concatenate([c.missing for c in columns]), -1, coded)
    return np.split(coded, np.cumsum([len(c.values) for c in columns])[:-1])


def same_kind(columns: Sequence[Column]) -> bool:
    """Whether all columns are of numbers, or all of text."""
    return len({column.numeric for column in columns}) == 1


def read_column(name, cells) -> Column:
    """Read one column from any sequence of cells.

    Where at least half of the cells with content are numbers, the column is one of numbers, and the
    others are stray text. (Whole columns that parse are the usual case, and quick.)
    """
    cells = np.asarray(cells)
    dates = cells.dtype.kind in "mM"
    if dates:  # dates and times become days, because their order matters
        days = cells.astype(f"{cells.dtype.kind}8[s]").astype("int64") / 86_400
        cells = np.where(np.isnat(cells), np.nan, days)
    try:
        if any("_" in cell for cell in cells.tolist() if isinstance(cell, str)):
            raise ValueError("Python would read 1_1 as 11")
        values = cells.astype(float)
        return Column(str(name), values, np.isnan(values), {}, dates=dates)
    except (TypeError, ValueError, OverflowError):
        return _parsed(str(name), [str(cell) for cell in cells])


def _parsed(name: str, texts: list[str]) -> Column:
    missing = np.array([text.strip() in MISSING_WORDS for text in texts])
    cells = np.array(texts, dtype=object)
    words = set(cells[missing]) - NOTHING
    how = notation(Counter(cells[~missing]))
    numbers = {text: _number(text) for text in set(texts)} | (how.values if how else {})
    written = {i: text for i, text in enumerate(texts) if how and text in how.texts}
    values = np.array([numbers[text] for text in texts])
    unread = np.isnan(values) & ~missing
    stray = {int(i): texts[i] for i in np.flatnonzero(unread)}
    if 2 * unread.sum() > (~missing).sum():
        values, stray = np.where(missing, "", cells), {}
    return Column(name, values, missing, stray, written, how, tuple(sorted(words)))


def _number(text: str) -> float:
    try:
        return math.nan if "_" in text else float(text)
    except ValueError:
        return math.nan


def read(table, names: Sequence[str] | None = None) -> Table:
    """Read a table.

    Parameters
    ----------
    table : array, list of rows or pandas.DataFrame, shape (n, columns)
        Numbers and text; anything that has ``columns`` and ``iloc`` counts as a data frame.
    names : sequence of str, optional
        By default a data frame's own names, or "column 0", "column 1" and so on.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        If this is no table of rows and columns, or `names` does not fit.
    """
    if hasattr(table, "iloc") and hasattr(table, "columns"):
        cells = [table.iloc[:, j].to_numpy() for j in range(len(table.columns))]
        names, n = list(table.columns) if names is None else names, len(table)
    else:
        array = _two_dimensional(table)
        cells, n = list(array.T), len(array)
    names = [f"column {j}" for j in range(len(cells))] if names is None else names
    if len(names) != len(cells):
        raise ValueError(f"{len(names)} names for {len(cells)} columns: give each column one name.")
    return Table([read_column(*pair) for pair in zip(names, cells, strict=True)], n)


def _two_dimensional(table) -> np.ndarray:
    if hasattr(table, "toarray"):
        raise ValueError("the table is a sparse matrix: pass table.toarray().")
    if not hasattr(table, "__iter__"):
        raise ValueError(f"{table!r} is no table: pass an array, a list of rows or a data frame.")
    if not hasattr(table, "dtype"):  # as objects: else NumPy turns numbers beside words into text
        table = list(table)
        if len({len(row) if hasattr(row, "__len__") else -1 for row in table}) > 1:
            raise ValueError("the rows have different lengths: give each one cell a column.")
        table = np.array(table, dtype=object) if table else np.empty((0, 0))
    if np.ma.isMaskedArray(table):
        table = table.astype(float).filled(np.nan)
    array = np.asarray(table)
    if array.ndim != 2:
        raise ValueError(
            f"a table has rows and columns, this array has {array.ndim} dimension(s): reshape it to "
            "(rows, columns), pictures with images.reshape(len(images), -1)."
        )
    return array


def read_csv(path) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of a CSV file whose cells are divided by ``,``, ``;`` or tabs.

    Raises
    ------
    ValueError
        In one sentence, if there is no such file, it is not text, or a line has too few or too many
        cells.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            first = file.readline()
            file.seek(0)
            header, *rows = list(csv.reader(file, delimiter=max(",;\t", key=first.count))) or [[]]
    except OSError as error:
        raise ValueError(f"{path} cannot be opened: {error.strerror}.") from None
    except (UnicodeDecodeError, csv.Error):
        raise ValueError(f"{path} is no CSV file in UTF-8: save it as one.") from None
    rows = [row for row in rows if row]
    for line, row in enumerate(rows, start=2):
        if len(row) != len(header):
            cells = f"{len(row)} cells, and the header has {len(header)}"
            raise ValueError(
                f"{path}, row {line} has {cells}: put quotes around text with a comma."
            )
    return header, rows
