"""Audit a CSV file: python -m tlcourse audit table.csv --label COLUMN.

The exit status is 0 if nothing was found, 1 if something was, 2 if the call or the file cannot be used,
and 3 if the audit itself broke.
"""

import argparse
import traceback

from tlcourse import console
from tlcourse.audit import audit
from tlcourse.audit.tables import read_column, read_csv

BROKEN = 3
STATUS = f"0 nothing found, 1 something found, 2 no such file, column or option, {BROKEN} an error of ours"


def main(arguments=None) -> int:
    """Print the report on a CSV file; return what `STATUS` says."""
    try:
        return report_on(arguments)
    except Exception:  # noqa: BLE001 - Python itself would end with 1: "something was found"
        traceback.print_exc()
        return BROKEN


def report_on(arguments) -> int:
    """Print the report; return 1 if something was found, 0 if not."""
    parser = argparse.ArgumentParser(
        "python -m tlcourse audit",
        description="Print what is wrong with a CSV file, and what to do.",
        epilog=f"exit status: {STATUS}",
    )
    parser.add_argument("table", help="a CSV file with a header")
    column = {"metavar": "COLUMN", "type": console.as_written}
    parser.add_argument("--label", **column, help="the column to predict")
    parser.add_argument("--groups", **column, help="the column that says what belongs together")
    parser.add_argument("--other", metavar="FILE", help="a second CSV file, such as the test set")
    given = parser.parse_args(arguments)
    try:
        header, X, beside = divided(given.table, given.label, given.groups)
        second = {}
        if given.other:
            names, other, theirs = divided(given.other, given.label, given.groups, needed=False)
            if set(names) != set(header):
                odd = ", ".join(sorted(set(names) ^ set(header)))
                raise ValueError(
                    f"the two files have different columns ({odd}): give both the same."
                )
            order = [names.index(name) for name in header]
            other = [[row[j] for j in order] for row in other]
            second = {"other": other, "other_groups": theirs[1] if beside[1] else None}
        report = audit(X, beside[0], beside[1], names=header, **second)
    except ValueError as error:
        parser.error(str(error))  # prints one sentence and ends with status 2
    print(report)
    return int(len(report) > 0)


def divided(path: str, label: str | None, groups: str | None, needed: bool = True):
    """Return a CSV file's other columns: their names and rows; and label and groups, each a `Column`."""
    header, rows = read_csv(path)
    for name in filter(None, (label, groups)):
        if needed and name not in header:
            raise ValueError(f"{path} has no column {name!r}: it has {', '.join(header)}.")
    kept = [j for j, name in enumerate(header) if name not in (label, groups)]
    beside = [
        read_column(name, [row[header.index(name)] for row in rows]) if name in header else None
        for name in (label, groups)
    ]
    return [header[j] for j in kept], [[row[j] for j in kept] for row in rows], beside
