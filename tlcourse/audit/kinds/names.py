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

    Every name must be one of its column's contents, or a number in a column of numbers, within three
    ranges of it; and one must be a decimal number, or numbers that neither rise nor fall from column to
    column: years and sizes (1990, 1991 ...) are names.
    """
    names = list(table.frame.columns)
    if not all(isinstance(name, str) for name in names) or len(names) < 2 or table.n < 3:
        return
    numbers = [number(_unmangled(name, names)) for name in names]
    known = [x for x in numbers if np.isfinite(x)]
    steps = np.diff(known)
    in_order = (steps > 0).all() or (steps < 0).all()
    if not known or in_order and len(known) > 1 and all(x % 1 == 0 for x in known):
        return
    pairs = zip(table.every, numbers, strict=True)
    if all(_looks_like_data(column, x) for column, x in pairs):
        what = f"the first row looks like data: {', '.join(map(repr, names[:5]))}"
        yield Finding("no header", ROWS, what, mend("no header", ROWS), np.arange(0))


def _unmangled(name: str, names: list[str]) -> str:
    """Return a name without the number that pandas hangs on a repeated one: "5.2.1" was "5.2"."""
    stem, _, end = name.rpartition(".")
    return stem if end.isdigit() and stem in names else name


def _looks_like_data(column: Column, name: float) -> bool:
    if column.numeric:
        numbers = column.different[0]
        if not np.isfinite(name) or not len(numbers):
            return False
        width = 3 * np.ptp(numbers) + 1e-9
        return bool(numbers[0] - width <= name <= numbers[-1] + width)
    stem = str(column.name).rpartition(".")[0] or column.name
    return column.texts is not None and bool({column.name, stem} & set(column.texts.unique))


def column_names(table: Table) -> Iterator[Finding]:
    """Find names that several columns share, and names with spaces around them."""
    names = list(table.frame.columns)
    stripped = [str(name).strip() for name in names]
    for name, times in Counter(stripped).items():
        odd = [
            n
            for n, s in zip(names, stripped, strict=True)
            if s == name and isinstance(n, str) and n != s
        ]
        if times > 1 or odd:
            what = f"{times} columns have this name" if times > 1 else "spaces around the name"
            first = odd[0] if odd else names[stripped.index(name)]
            rows = np.arange(table.n)
            yield Finding("column names", first, what, mend("column names", first), rows)
