"""A table that is HTML in a notebook and aligned text elsewhere."""

import html
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Rows of texts under a header, and perhaps a note below.

    Attributes
    ----------
    rows : sequence of sequence of str
        The header first.
    note : str
    """

    rows: Sequence[Sequence[str]]
    note: str = ""

    def __repr__(self) -> str:
        """All rows as aligned text, and the note."""
        widths = [max(map(len, column)) for column in zip(*self.rows, strict=True)]
        lines = [
            "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in self.rows
        ]
        return "\n".join([*lines, f"({self.note})"] if self.note else lines)

    def _repr_html_(self) -> str:
        def line(row, tag):
            left = ' style="text-align: left"'
            cells = "".join(f"<{tag}{left}>{html.escape(cell)}</{tag}>" for cell in row)
            return f"<tr>{cells}</tr>"

        header, *rows = self.rows
        body = "".join(line(row, "td") for row in rows)
        style = "caption-side: bottom; text-align: left; color: inherit"
        note = f'<caption style="{style}">({html.escape(self.note)})</caption>' if self.note else ""
        return f"<table>{note}<thead>{line(header, 'th')}</thead><tbody>{body}</tbody></table>"
