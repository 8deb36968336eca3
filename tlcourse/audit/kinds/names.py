"""The names of the columns: several alike, or a row of data in their place."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from tlcourse.audit.advice import mend
from tlcourse.audit.columns import Column, Table
from tlcourse.audit.findings import ROWS, Finding
from tlcourse.audit.words import number


def no_header(table: Table) -> Iterator[Finding]:
    """Find names that are a row of data.

    Every column of numbers must have a number for its name, within three of its ranges, and one of these
    numbers must be a decimal, or they must not go up or down by equal steps: years and counts (1990, 1991
    ...) are names. If there are columns of text that repeat, one of their names must be a content.
    """
    names = list(table.frame.columns)
    if not all(isinstance(name, str) for name in names) or len(names) < 2 or table.n < 3:
        return
    numbers = [number(_unmangled(name, names)) for name in names]
    known = [x for x in numbers if np.isfinite(x)]
    if not known:
        return
    pairs = list(zip(table.every, numbers, strict=True))
    of_numbers = [_fits(column, x) for column, x in pairs if column.numeric]
    of_text = [
        _is_content(column) for column, _ in pairs if not column.numeric and _repeats(column)
    ]
    told = any(of_text) if of_text or _even(known) else True
    if of_numbers and all(of_numbers) and told:
        what = f"the first row looks like data: {', '.join(map(repr, names[:5]))}"
        yield Finding("no header", ROWS, what, mend("no header", ROWS), np.arange(0))


def _even(numbers: list[float]) -> bool:
    """Whether numbers are whole, and one, or go up or down by equal steps."""
    steps = np.diff(numbers)
    equal = not len(steps) or (steps[0] != 0 and np.ptp(steps) == 0)
    return equal and all(x % 1 == 0 for x in numbers)


def _unmangled(name: str, names: list[str]) -> str:
    """Return a name without the number that pandas hangs on a repeated one: "5.2.1" was "5.2"."""
    stem, _, end = name.rpartition(".")
    return stem if end.isdigit() and stem in names else name


def _fits(column: Column, name: float) -> bool:
    numbers = column.different[0]
    if not np.isfinite(name) or not len(numbers):
        return False
    width = 3 * np.ptp(numbers) + 1e-9
    return bool(numbers[0] - width <= name <= numbers[-1] + width)


def _repeats(column: Column) -> bool:
    return column.texts is not None and len(column.counts) <= column.n / 2


def _is_content(column: Column) -> bool:
    stem = column.name.rpartition(".")[0] or column.name
    return bool({column.name, stem} & set(column.texts.unique))


def shared_names(table: Table) -> Iterator[Finding]:
    """Find names that several columns share, spaces around them apart."""
    names = list(table.frame.columns)
    stripped = [str(name).strip() for name in names]
    for name, times in Counter(stripped).items():
        if times > 1:
            alike = [n for n, s in zip(names, stripped, strict=True) if s == name]
            first = next((n for n in alike if n != name), alike[0])
            what, rows = f"{times} columns have this name", np.arange(table.n)
            yield Finding("column names", first, what, mend("column names", first), rows)


def padded_names(table: Table) -> Iterator[Finding]:
    """Find names with spaces around them."""
    for name in table.frame.columns:
        if isinstance(name, str) and name != name.strip():
            rows, line = np.arange(table.n), mend("column names", name)
            yield Finding("column names", name, "spaces around the name", line, rows)
