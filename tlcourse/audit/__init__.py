"""Chapter 7: a check list for tables that runs: what is wrong, in which column, why, and what to do.

    print(audit.table(frame, target="ill", other=test))

or, for a file of your own, ``python -m tlcourse audit table.csv --target COLUMN``. `kinds` has the
checks, `advice` what to do, `reading` the files.
"""

from collections.abc import Hashable
from difflib import get_close_matches

import numpy as np
import pandas as pd
from tqdm import tqdm

from tlcourse.audit import reading
from tlcourse.audit.advice import ADVICE, IMPORTS, mend
from tlcourse.audit.columns import Table
from tlcourse.audit.findings import ROWS, Finding, Report, counted
from tlcourse.audit.kinds import BETWEEN, CHECKS, COMMON, FIRST, LAST
from tlcourse.audit.kinds.second import other_columns, share_codes
from tlcourse.audit.kinds.target import is_classes

__all__ = ["ADVICE", "IMPORTS", "Finding", "Report", "file", "table"]
PATIENCE = 5  # seconds until a progress bar appears
AGAIN = "mend this first, then audit again: all other lines ask for columns by their names"


@np.errstate(all="ignore")  # huge numbers overflow: what comes out is infinite, and far
def table(
    frame: pd.DataFrame,
    target: Hashable = None,
    other: pd.DataFrame | None = None,
    groups: Hashable = None,
) -> Report:
    """Look for what is wrong with a table, before anything is learned from it.

    Parameters
    ----------
    frame : pandas.DataFrame, shape (n, columns)
        Or what `pandas.DataFrame` takes: an array, a dictionary, a list of rows.
    target : hashable, optional
        Name of the column to predict: classes or a quantity.
    other : pandas.DataFrame, optional
        A second table, such as the test set, or the target of a transfer.
    groups : hashable, optional
        Name of the column that says what rows belong together: the patient, the writer, the site.

    Returns
    -------
    Report
        Empty where nothing was found. Silence is no proof: wrong labels, cells that are missing because
        of what would have stood in them, or a leak in your own code show in no table.

    Raises
    ------
    ValueError
        If this is no table, or has no such column. A bad *table* (empty, one row, nothing but NaN, ...)
        is no error but a finding.
    """
    frame, other = _as_frame(frame), None if other is None else _as_frame(other)
    for name in (target, groups):
        if name is not None and name not in frame.columns:
            names = list(map(str, frame.columns))
            near = "".join(f"; do you mean {n!r}?" for n in get_close_matches(str(name), names, 1))
            raise ValueError(
                f"there is no column {name!r}{near or ':'} the table has {', '.join(names[:20])}."
            )
    if len(frame) < 2 or not frame.shape[1]:
        what = f"{counted(len(frame), 'row')} and {counted(frame.shape[1], 'column')}"
        line = mend("too few rows", ROWS)
        found = Finding("too few rows", ROWS, what, line, np.arange(len(frame)))
        return Report((found,), (), frame, other)
    first = Table(frame, target, groups)
    found = tuple(finding for check in FIRST for finding in check(first))
    if found:
        return Report(found[:1], (AGAIN,), frame, other)
    second = None if other is None or not len(other) else Table(other, target, groups)
    if second:
        share_codes(first, second)
    calls = [(check, (first, second)) for check in COMMON if second]
    calls += [(check, (first,)) for check in CHECKS]
    calls += [(check, (first, second)) for check in BETWEEN if second]
    calls += [(check, (first,)) for check in LAST]
    calls += [(other_columns, (first, second))] if second else []
    bar = tqdm(calls, desc="checks", leave=False, delay=PATIENCE)
    found = tuple(finding for check, tables in bar for finding in check(*tables))
    return Report(found, _notes(first), frame, other)


def _as_frame(table) -> pd.DataFrame:
    """Return a table as a data frame whose rows are counted from 0.

    Raises
    ------
    ValueError
        If it is none.
    """
    if isinstance(table, pd.DataFrame):
        return table.reset_index(drop=True)
    try:
        return pd.DataFrame(table)
    except Exception as error:
        raise ValueError(f"this is no table ({error}): pass rows and columns.") from error


def file(path, target: str | None = None, other=None, groups: str | None = None) -> Report:
    """Look for what is wrong with a table in a file; see `table` and `reading.read`.

    Raises
    ------
    ValueError
        In one sentence, if a file cannot be read or has no such column.
    """
    first = reading.read(path)
    second = None if other is None else reading.read(other)
    report = table(first.frame, target, second and second.frame, groups)
    notes = [*first.notes, *(f"other table: {note}" for note in (second.notes if second else ()))]
    names = [found for found in first.findings if found.kind == "column names"]  # renamed last
    found = [f for f in first.findings if f not in names] + [*report.findings, *names]
    return Report(tuple(found), (*notes, *report.notes), report.frame, report.other)


def _notes(table: Table) -> tuple[str, ...]:
    """Return what was assumed about the target, and what to know about its order."""
    if table.target is None:
        return ()
    name, kinds = table.target.name, len(table.target.counts)
    if not is_classes(table.target):
        return (f"target {name!r}: a quantity, {counted(kinds, 'different value')}",)
    notes = (f"target {name!r}: {counted(kinds, 'class')}".replace("classs", "classes"),)
    changes = np.count_nonzero(np.diff(table.target.cells))
    if kinds > 1 and changes < kinds and table.n >= 10 * kinds:
        notes += ("the rows are sorted by class: shuffle them when you divide them",)
    return notes
