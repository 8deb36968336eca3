"""A page with pictures of what an audit found: one file that holds everything."""

import base64
from html import escape
from itertools import groupby

from tlcourse.audit import drawings
from tlcourse.audit.advice import ADVICE, IMPORTS
from tlcourse.audit.columns import Table
from tlcourse.audit.findings import Finding, Report, counted

DRAWN = 30  # findings with a picture; the others are told
LISTED = 200  # findings that are listed
STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
pre{background:#f3f3f3;padding:.5rem;overflow-x:auto;white-space:pre-wrap}img{max-width:100%}
h2{border-top:1px solid #ccc;padding-top:1rem}small{color:#555}"""


def page(report: Report, name: str, target=None) -> str:
    """Return an HTML page: what is missing where, each finding with its line, suspicious columns drawn.

    Parameters
    ----------
    report : Report
    name : str
        Of the table, for the title.
    target : hashable, optional
        The column to predict.
    """
    table = Table(report.frame, target if target in report.frame.columns else None)
    other = None if report.other is None else Table(report.other)
    body = [f"<h1>{escape(name)}</h1>", f"<p>{escape(_summary(report))}</p>"]
    body += [f"<p><small>{escape(note)}</small></p>" for note in report.notes]
    if table.n and any(column.gone.any() for column in table.every):
        body += [
            "<h2>What is missing where</h2>",
            picture(drawings.missing_map(table.every), "gaps"),
        ]
    left = DRAWN
    for kind, found in groupby(report.findings[:LISTED], lambda finding: finding.kind):
        body += [f"<h2>{escape(kind)}</h2>", f"<p>{escape(ADVICE[kind].why)}</p>"]
        for finding in found:
            body.append(_told(finding))
            if left > 0 and (drawn := _drawn(finding, table, other)):
                body.append(drawn)
                left -= 1
    if len(report):
        body += ["<h2>What the lines need</h2>", f"<pre>{escape(IMPORTS)}</pre>"]
    head = f'<meta charset="utf-8"><title>{escape(name)}</title><style>{STYLE}</style>'
    return f'<!DOCTYPE html><html lang="en"><head>{head}</head><body>{"".join(body)}</body></html>'


def _summary(report: Report) -> str:
    n, width = report.frame.shape
    counts = f"{counted(n, 'row')}, {counted(width, 'column')}: {counted(len(report), 'finding')}"
    return (
        counts if len(report) else f"{counts}. Silence is no proof: some faults show in no table."
    )


def _told(finding: Finding) -> str:
    rows = ", ".join(map(str, finding.rows))
    places = f" Rows {rows}{' …' if finding.count > len(finding.rows) else ''}." if rows else ""
    words = f"<b>{escape(str(finding.column))}</b>: {escape(finding.what)}. "
    count = f"<small>{counted(finding.count, 'row')}.{places}</small>"
    return f"<p>{words}{count}</p><pre>{escape(finding.mend)}</pre>"


def _drawn(finding: Finding, table: Table, other: Table | None) -> str:
    """Return the picture of a finding, or nothing where there is nothing to draw."""
    columns = {column.name: column for column in table.every}
    column = columns.get(finding.column)
    if column is None or finding.kind in ("identifiers", "column names", "other columns"):
        return ""
    if finding.kind in ("shift", "other units", "unseen categories"):
        theirs = {c.name: c for c in other.every}
        figure = drawings.shift(column, theirs[finding.column])
    else:
        beside = columns.get(finding.beside) if finding.beside is not None else None
        figure = drawings.drawing(column, finding, beside)
    return picture(figure, f"{finding.kind}: {finding.column}")


def picture(figure, words: str) -> str:
    """Return a picture as HTML that needs no other file."""
    data = base64.b64encode(drawings.svg(figure)).decode()
    return f'<img alt="{escape(words)}" src="data:image/svg+xml;base64,{data}">'
