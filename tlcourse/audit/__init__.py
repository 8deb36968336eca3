"""Chapter 7: a check list for tables that runs: what is wrong, in which column, and what to do.

    print(audit(X, y, groups=patient, other=X_test))

or, for a file of your own, ``python -m tlcourse audit table.csv --label COLUMN``. The checks are
in `findings` (cells), `columns` and `rows`; `tables` reads what you have.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from tlcourse.audit import columns, findings, rows
from tlcourse.audit.findings import Finding, counted
from tlcourse.audit.tables import Column, Table, read, read_column

SHOWN = 5  # findings of one check that a report prints


@dataclass(frozen=True)
class Report:
    """What an audit found. It prints as an ordered check list; as data it is a sequence of findings.

    Attributes
    ----------
    findings : tuple of Finding
        In the order in which to act on them.
    quiet : tuple of str
        The checks that found nothing.
    shape : tuple of int
        Rows and columns of the table.
    """

    findings: tuple[Finding, ...]
    quiet: tuple[str, ...]
    shape: tuple[int, int]

    def __len__(self) -> int:
        return len(self.findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __getitem__(self, place: int) -> Finding:
        return self.findings[place]

    def __repr__(self) -> str:
        n, width = self.shape
        lines = [f"{n:,} rows, {width:,} columns: {counted(len(self), 'finding')}"]
        for number, (check, found) in enumerate(groupby(self, lambda f: f.check), start=1):
            found = list(found)
            lines += [f"{number:>3}. {check}", *(f"     {finding}" for finding in found[:SHOWN])]
            if len(found) > SHOWN:
                lines.append(f"     … and {len(found) - SHOWN} more, see report.findings")
        if self.quiet:
            lines.append(f"nothing found: {', '.join(self.quiet)}")
        return "\n".join(lines)


def audit(X, y=None, groups=None, other=None, other_groups=None, names=None) -> Report:
    """Look for what is wrong with a table, before anything is learned from it.

    Parameters
    ----------
    X : array, list of rows or pandas.DataFrame, shape (n, columns)
        Numbers, text or both. Without the label.
    y : sequence, shape (n,), optional
        Labels: classes, or numbers to predict.
    groups : sequence, shape (n,), optional
        What rows belong together: the patient, the writer, the site.
    other : table with the same columns, optional
        Such as the test set, or the target of a transfer.
    other_groups : sequence, shape (rows of `other`,), optional
    names : sequence of str, optional
        Names of the columns, where `X` has none.

    Returns
    -------
    Report
        Empty where nothing was found. Silence is no proof: wrong labels, cells that are missing because
        of what would have stood in them, or a leak in your own code show in no table.

    Raises
    ------
    ValueError
        If this is no table, or lengths or columns do not fit. A bad *table* (empty, one row, nothing
        but NaN, ...) is no error but a finding.
    """
    table = read(X, names)
    label = _beside("y", "label", y, table)
    group = _beside("groups", "groups", groups, table)
    second = None if other is None else _aligned(read(other), table)
    if other_groups is not None and (second is None or group is None):
        raise ValueError("other_groups is given: pass groups and other too.")
    shape = table.n, len(table.columns)
    if table.n < 2 or not table.columns:
        what = f"{counted(table.n, 'row')} and {counted(shape[1], 'column')}: nothing to judge"
        found = Finding("size", rows.ROWS, what, "load more rows.", np.arange(table.n))
        return Report((found,), (), shape)
    checks = _of_the_table(table, label, group)
    if second is not None:
        theirs = _beside("other_groups", "groups", other_groups, second)
        checks |= _between(table, second, group, theirs)
    with np.errstate(all="ignore"):  # huge numbers overflow: what comes out is infinite, and far
        found = {name: list(check()) for name, check in checks.items()}
    quiet = tuple(name for name in found if not found[name])
    return Report(tuple(finding for each in found.values() for finding in each), quiet, shape)


def _of_the_table(table: Table, label: Column | None, group: Column | None) -> dict[str, Callable]:
    """Return the checks of one table, in the order in which to act on what they find."""
    checks = {
        "column names": lambda: findings.column_names(table),
        "mixed types": lambda: findings.mixed_types(table),
        "spellings": lambda: findings.spellings(table),
        "infinities": lambda: findings.infinities(table),
        "missing codes": lambda: findings.missing_codes(table),
        "missing values": lambda: findings.missing_values(table),
        "missing pattern": lambda: findings.missing_pattern(table, label),
        "constant columns": lambda: columns.constants(table),
        "identifiers": lambda: columns.identifiers(table),
        "duplicate columns": lambda: columns.copies(table),
        "two units": lambda: columns.two_units(table),
        "outliers": lambda: columns.outliers(table),
        "scales": lambda: columns.scales(table),
        "duplicate rows": lambda: rows.duplicate_rows(table, label),
    }
    if label is not None:
        checks["labels"] = lambda: rows.labels(label)
        checks["label conflicts"] = lambda: rows.label_conflicts(table, label)
        checks["label leaks"] = lambda: rows.label_leaks(table, label)
    if group is not None:
        checks["groups"] = lambda: rows.repeated_groups(group)
    return checks


def _between(table: Table, other: Table, group, theirs) -> dict[str, Callable]:
    """Return the checks of two tables; `theirs` are the groups of the other one, or None."""
    checks = {}
    if other.n:
        checks["overlap"] = lambda: rows.overlap(table, other)
        checks["shift"] = lambda: rows.shifts(table, other)
        checks["unseen categories"] = lambda: rows.unseen(table, other)
    if theirs is not None:
        checks["shared groups"] = lambda: rows.shared_groups(group, theirs)
    return checks


def _beside(argument: str, name: str, cells, table: Table) -> Column | None:
    """Read what stands beside a table: one entry a row."""
    if cells is None or isinstance(cells, Column):
        return cells
    name = getattr(cells, "name", None) or name
    cells = cells.to_numpy() if hasattr(cells, "to_numpy") else cells
    cells = np.asarray(cells, dtype=None if hasattr(cells, "dtype") else object)
    if cells.ndim != 1 or len(cells) != table.n:
        raise ValueError(
            f"{argument} has shape {cells.shape} and the table {table.n} rows: pass one entry a row."
        )
    return read_column(name, cells)


def _aligned(other: Table, table: Table) -> Table:
    """Put the other table's columns in the order of the first one, by name where there are names."""
    if len(other.columns) != len(table.columns):
        counts = f"{len(other.columns)} columns, the table {len(table.columns)}"
        raise ValueError(f"other has {counts}: pass the same columns, without the label.")
    place = {name: j for j, name in enumerate(other.names)}
    if set(place) == set(table.names) and len(place) == len(table.columns):
        return Table([other.columns[place[name]] for name in table.names], other.n)
    return other
