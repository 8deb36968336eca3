"""Audit a table: python -m tlcourse audit table.csv --target COLUMN.

The exit status is 0 if nothing was found, 1 if something was, 2 if the call or a file cannot be used,
and 3 if the audit itself broke.
"""

import argparse
import os
import traceback
from pathlib import Path

from tlcourse import audit, console
from tlcourse.audit.advice import IMPORTS
from tlcourse.audit.findings import FIRST

BROKEN = 3
STATUS = (
    "0 nothing found, 1 something found, 2 could not read: no such file, column or option, "
    f"{BROKEN} an error of ours"
)


def main(arguments=None) -> int:
    """Print the report on a table; return what `STATUS` says."""
    try:
        return report_on(arguments)
    except BrokenPipeError:
        raise
    except Exception:  # noqa: BLE001 - Python itself would end with 1: "something was found"
        traceback.print_exc()
        return BROKEN


def report_on(arguments) -> int:
    """Print the report; return 1 if something was found, 0 if not."""
    parser = argparse.ArgumentParser(
        "python -m tlcourse audit",
        description="Print what is wrong with a table, why it matters, and the line that mends it.",
        epilog=f"exit status: {STATUS}",
    )
    parser.add_argument("table", help="a file: CSV and its relatives, Parquet, Excel")
    column = {"metavar": "COLUMN", "type": console.as_written}
    parser.add_argument("--target", "--label", **column, help="the column to predict")
    parser.add_argument("--groups", **column, help="the column that says what belongs together")
    parser.add_argument("--other", metavar="TABLE", help="a second table, such as the test set")
    parser.add_argument(
        "--all", action="store_true", help="print every finding, not five of a kind"
    )
    parser.add_argument("--html", metavar="FILE", help="write a page with pictures too")
    given = parser.parse_args(arguments)
    try:
        report = audit.file(given.table, given.target, given.other, given.groups)
        written = given.html and write_page(report, given.table, given.html, given.target)
    except ValueError as error:
        parser.error(str(error))  # prints one sentence and ends with status 2
    print(report.text(None if given.all else FIRST))
    if len(report):
        imports = IMPORTS.replace("\n", "\n  ")
        print(f"The lines above run, on `frame` and `other`, after:\n  {imports}")
    if written:
        print(f"page with pictures: {written}")
    return int(len(report) > 0)


def write_page(report: audit.Report, name: str, path: str, target: str | None) -> Path:
    """Write the page with pictures; return where.

    Raises
    ------
    ValueError
        In one sentence, if the file cannot be written.
    """
    from tlcourse.audit.page import page  # matplotlib takes its time: only who asks waits

    file = Path(os.path.expanduser(path))
    html = page(report, name, target)
    try:
        file.write_text(html, encoding="utf-8")
    except OSError as error:
        raise ValueError(f"{path} cannot be written: {error.strerror}.") from None
    return file
