"""Whole rows: repeated ones, equal ones with different classes, groups."""

from collections.abc import Iterator

import numpy as np
from scipy.stats import poisson
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from tlcourse.audit.advice import mend
from tlcourse.audit.columns import Column, Table
from tlcourse.audit.findings import ROWS, Finding
from tlcourse.audit.kinds.pairs import is_identifier, pairs
from tlcourse.audit.kinds.target import HUGE, is_classes, target_leaks

LIKE = 5  # times that columns may agree more often than by chance
LEVEL = 0.1  # of the test
WIDEST = 200  # columns that are left out one by one
ENOUGH = 30  # rows that a promise is measured on


def telling(table: Table) -> list[Column]:
    """Return the columns that rows are compared by: no identifiers, and one of two that say the same.

    A line before has dropped the others, and those with one content only.
    """
    again = {id(later) for _, _, later in pairs(table).found}
    varied = [c for c in table.columns if len(c.counts) > 1 or len(c.counts) == 1 and c.gone.any()]
    return [c for c in varied if id(c) not in again and not is_identifier(c)]


def hashes(cells: list[np.ndarray]) -> np.ndarray:
    """Return a number for the content of each cell: shape (columns, n); the sum stands for a row."""
    mixed = np.empty((len(cells), len(cells[0]) if cells else 0), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for j, column in enumerate(cells):
            x = (column.astype(np.int64) + 2).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
            x = (x ^ (x >> np.uint64(31)) ^ np.uint64(j + 1)) * np.uint64(0xBF58476D1CE4E5B9)
            mixed[j] = (x ^ (x >> np.uint64(27))) * np.uint64(2 * j + 1)
    return mixed


def repeats(keys: np.ndarray, known: int = 0) -> np.ndarray:
    """Return the positions whose key stands in an earlier one, or among the first `known`."""
    order = np.argsort(keys, kind="stable")
    new = np.ones(len(keys), dtype=bool)
    new[1:] = np.diff(keys[order].astype(np.uint64)) != 0
    first = order[np.maximum.accumulate(np.where(new, np.arange(len(keys)), 0))]
    again = np.flatnonzero(~new)
    rows = order[again]
    if known:
        keep = (first[again] < known) & (rows >= known)
        rows = rows[keep]
    return np.sort(rows)


def copies(cells: list[np.ndarray], known: int = 0) -> np.ndarray:
    """Return the rows that repeat an earlier one, if that cannot be chance.

    Two conditions. If the columns were independent, fewer than one pair of rows would agree (or up to ten,
    if a test says that far more do). And for each column left out: of the pairs that agree in all others, some agree in this one too by chance, as often
    as any two of its cells are equal, or up to five times as often, for columns that say similar things
    agree together. The copies must be more than that, at a level of 10 % (Poisson).

    Parameters
    ----------
    cells : list of numpy.ndarray of int, each of shape (n,)
        For each column a number for each content.
    known : int
        Look for rows after this position that repeat one before it; 0 for any earlier row.
    """
    mixed = hashes(cells)
    if len(mixed) < 2 or (chance := _pairs_by_chance(cells)) >= 10:
        return np.zeros(0, dtype=int)
    with np.errstate(over="ignore"):
        whole = mixed.sum(axis=0, dtype=np.uint64)
        found = repeats(whole, known)
        if not len(found):
            return found
        pairs = agreeing(whole, known)
        if chance >= 1 and poisson.sf(pairs - 1, LIKE * chance) > LEVEL:
            return found[:0]
        for j in np.linspace(0, len(mixed) - 1, min(len(mixed), WIDEST)).astype(int):
            near = agreeing(whole - mixed[j], known) - pairs
            if poisson.sf(pairs - 1, LIKE * near * _equal_cells(cells[j])) > LEVEL:
                return found[:0]
    return found


def agreeing(keys: np.ndarray, known: int = 0) -> float:
    """Return how many pairs of rows have equal keys; if `known`, one of the first rows and a later one."""
    unique, place = np.unique(keys, return_inverse=True)
    counts = np.bincount(place[known:], minlength=len(unique)).astype(float)
    before = np.bincount(place[:known], minlength=len(unique)).astype(float)
    return float((counts * before).sum() if known else (counts * (counts - 1) / 2).sum())


def _equal_cells(column: np.ndarray) -> float:
    """Return the share of pairs of cells that are equal."""
    return float(((np.bincount(column + 1) / len(column)) ** 2).sum())


def _pairs_by_chance(cells: list[np.ndarray]) -> float:
    """Return how many pairs of rows would agree if columns were independent."""
    n = len(cells[0])
    return n**2 / 2 * np.prod([_equal_cells(column) for column in cells])


def duplicate_rows(table: Table) -> Iterator[Finding]:
    """Find rows that repeat an earlier one, target included; `copies` has the rule."""
    compared = telling(table)
    cells = [column.cells for column in compared]
    found = copies(cells)
    if len(found) and table.target is not None:
        found = copies([*cells, table.target.cells, table.target.cells])
    if len(found):
        beside = [c for c in (table.target,) if c is not None]
        names = [c.name for c in [*compared, *beside]]
        names = None if len(names) == len(table.every) else names
        line = mend("duplicate rows", ROWS, subset=names)
        yield Finding("duplicate rows", ROWS, "equal to an earlier row", line, found)


def label_conflicts(table: Table) -> Iterator[Finding]:
    """Find equal rows that have different classes."""
    if table.target is None or not is_classes(table.target):
        return
    compared = telling(table)
    cells = [column.cells for column in compared]
    if not len(copies(cells)):
        return
    with np.errstate(over="ignore"):
        keys = np.unique(hashes(cells).sum(axis=0, dtype=np.uint64), return_inverse=True)[1]
    classes, known = table.target.cells, ~table.target.gone
    low, high = np.full(keys.max() + 1, classes.max() + 1), np.full(keys.max() + 1, -1)
    np.minimum.at(low, keys[known], classes[known])
    np.maximum.at(high, keys[known], classes[known])
    where = np.flatnonzero((high > low)[keys] & known)
    if len(where):
        names = [column.name for column in compared]
        line = mend("label conflicts", ROWS, subset=names, target=table.target.name)
        what = "equal rows with different classes"
        yield Finding("label conflicts", ROWS, what, line, where)


def groups(table: Table) -> Iterator[Finding]:
    """Find groups (patients, writers, sites) that have several rows; say what forgetting them promises."""
    if table.groups is None:
        return
    cells = table.groups.cells
    counts = np.bincount(cells[cells >= 0])
    several = np.flatnonzero((cells >= 0) & (np.append(counts, 0)[cells] > 1))
    if len(several):
        what = f"{int((counts > 1).sum()):,} groups have several rows{_promised(table)}"
        name = table.groups.name
        gaps = ".fillna('unknown').astype(str)" if table.groups.missing.any() else ""
        line = mend("groups", name, groups=f"frame[{name!r}]{gaps}")
        yield Finding("groups", name, what, line, several)


def _promised(table: Table) -> str:
    """Say what a random forest gets on new groups, and what a random division would have promised."""
    target = table.target
    rows = [] if target is None else np.flatnonzero(~(target.gone | table.groups.gone))
    leaks = [finding.column for finding in target_leaks(table)] if target else []
    columns = [c for c in table.columns if c.name not in leaks and not is_identifier(c)]
    classes = target is not None and is_classes(target)
    if len(rows) < ENOUGH or not columns or not (classes or target.numeric):
        return ""
    from tlcourse.data.groups import promise  # brings PyTorch: only who has groups waits

    X = np.stack([c.measured if c.numeric else c.cells for c in columns], axis=1)[rows]
    X = np.clip(X, -HUGE, HUGE)  # a forest computes in 32 bits
    y = np.unique((target.cells if classes else target.measured)[rows], return_inverse=True)
    forest = RandomForestClassifier if classes else RandomForestRegressor
    score = "has {:.0f} % balanced accuracy" if classes else "explains {:.0f} % of the variance"
    try:
        found = promise(
            X,
            y[1] if classes else y[0][y[1]],
            table.groups.cells[rows],
            model=forest(50, max_features="sqrt", random_state=0),
            said=f"a random forest {score}",
        )
    except ValueError as error:  # a class of one group
        return f"; {str(error).rstrip('.')}"
    return f"; {str(found).rstrip('.')}"
