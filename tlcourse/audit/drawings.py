"""Pictures of what was found: what is missing where, suspicious columns, the shift between two tables."""

import io
import warnings
from collections import Counter

import matplotlib
import numpy as np

from tlcourse.audit.columns import Column
from tlcourse.audit.findings import Finding
from tlcourse.plots.base import FAINT, RIGHT, WRONG, Figure

STRIPES = 120  # parts into which the rows are divided where it is shown what is missing
COLUMNS = 40  # columns of that picture
BARS = 12  # texts of a column that are drawn
POINTS = 2_000
SHORT = 24  # characters of a label


def svg(figure: Figure) -> bytes:
    """Return a picture as SVG whose words are text: the reader's own fonts show any script."""
    stream = io.BytesIO()
    with warnings.catch_warnings(), matplotlib.rc_context({"svg.fonttype": "none"}):
        warnings.simplefilter(
            "ignore"
        )  # matplotlib's own font lacks some signs; the reader's may not
        figure.savefig(stream, format="svg")
    return stream.getvalue()


def label(text) -> str:
    """Return a label of one line that fits, without signs that no XML may hold."""
    text = "".join(char if char.isprintable() else "�" for char in str(text))
    return text if len(text) <= SHORT else text[: SHORT - 1] + "…"


def _axes(height: float = 2.2):
    figure = Figure((6.5, height), 100, layout="constrained")
    ax = figure.subplots()
    ax.spines[["top", "right"]].set_visible(False)
    return figure, ax


def missing_map(columns: list[Column]) -> Figure:
    """Draw what is missing where: a column of the table a line, its rows from left to right.

    Parameters
    ----------
    columns : list of Column
    """
    shown = sorted(columns, key=lambda column: -column.gone.mean())[:COLUMNS]
    parts = np.array_split(np.arange(shown[0].n), min(STRIPES, shown[0].n))
    shares = [[column.gone[part].mean() for part in parts] for column in shown]
    figure, ax = _axes(1 + 0.22 * len(shown))
    ax.imshow(
        shares, aspect="auto", cmap="Greys", vmin=0, vmax=1, extent=(0, shown[0].n, len(shown), 0)
    )
    names = [label(column.name) for column in shown]
    ax.set_yticks(np.arange(len(shown)) + 0.5, names, parse_math=False, fontsize=8)
    ax.set_xlabel("row (black: missing)")
    return figure


def drawing(column: Column, finding: Finding, beside: Column | None) -> Figure:
    """Draw a suspicious column: the rows of the finding in one colour, all others in another.

    Parameters
    ----------
    column : Column
    finding : Finding
    beside : Column or None
        The other column of a pair; two columns of numbers are drawn against each other.
    """
    marked = np.zeros(column.n, dtype=bool)
    marked[finding.where] = True
    if beside is not None and column.numeric and beside.numeric:
        return _scatter(beside, column)
    return _histogram(column, marked) if _drawable(column) else _bars(column, marked)


def _drawable(column: Column) -> bool:
    return (
        column.numeric and bool(np.isfinite(column.values).any()) and len(column.different[0]) > 1
    )


def _histogram(column: Column, marked: np.ndarray) -> Figure:
    values = column.values
    known = np.isfinite(values)
    figure, ax = _axes()
    with np.errstate(all="ignore"):
        edges = np.linspace(values[known].min(), values[known].max(), 41)
    if np.isfinite(edges).all() and (np.diff(edges) > 0).all():
        for rows, colour, name in ((~marked, RIGHT, "other rows"), (marked, WRONG, "found")):
            if (known & rows).any():
                ax.hist(values[known & rows], edges, color=colour, label=name)
        _legend(ax)
        ax.set_yscale("symlog")
    ax.set_ylabel("rows")
    return figure


def _bars(column: Column, marked: np.ndarray) -> Figure:
    if column.texts is None:
        cells = [f"{value:g}" for value in column.values]
    else:
        cells = [*column.texts.unique, "(empty)"]
        cells = [cells[place] for place in column.texts.place.tolist()]
    found = Counter(cell for cell, mark in zip(cells, marked.tolist(), strict=True) if mark)
    every = Counter(cells)
    names = [cell for cell, _ in (found or every).most_common(BARS // 2)]
    names += [cell for cell, _ in every.most_common(BARS) if cell not in names][: BARS - len(names)]
    figure, ax = _axes(0.8 + 0.22 * len(names))
    place = np.arange(len(names))
    ax.barh(place, [every[name] for name in names], color=RIGHT, label="other rows")
    ax.barh(place, [found[name] for name in names], color=WRONG, label="found")
    ax.set_yticks(place, [label(name) for name in names], parse_math=False, fontsize=8)
    ax.invert_yaxis()
    ax.set_xlabel("rows")
    _legend(ax)
    return figure


def _legend(ax) -> None:
    """Name the colours above the picture, where they cover nothing."""
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, fontsize=8)


def _scatter(x: Column, y: Column) -> Figure:
    some = np.linspace(0, x.n - 1, min(x.n, POINTS)).astype(int)
    figure, ax = _axes(3)
    ax.plot(x.measured[some], y.measured[some], ".", color=RIGHT, markersize=3)
    for column, limit in ((x, ax.set_xlim), (y, ax.set_ylim)):
        low, high = _most(column.measured[some])
        limit(low - 0.02 * (high - low), high + 0.02 * (high - low))
    ax.set_xlabel(label(x.name), parse_math=False)
    ax.set_ylabel(label(y.name), parse_math=False)
    return figure


def _most(values: np.ndarray) -> tuple[float, float]:
    """Return between which numbers 99 % lie, so that a few far ones leave room for the others."""
    known = values[np.isfinite(values)]
    low, high = np.quantile(known, [0.005, 0.995]) if len(known) else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def shift(mine: Column, theirs: Column) -> Figure:
    """Draw how a column is distributed in both tables."""
    figure, ax = _axes()
    if mine.numeric and theirs.numeric:
        pair = [column.measured[~column.gone] for column in (mine, theirs)]
        edges = np.linspace(*_most(np.concatenate(pair)), 41)
        for values, colour, name in zip(
            pair, (FAINT, WRONG), ("this table", "the other"), strict=True
        ):
            weights = np.full(len(values), 1 / max(1, len(values)))
            ax.hist(values, edges, weights=weights, color=colour, alpha=0.7, label=name)
    else:
        tables = [Counter(_contents(column)) for column in (mine, theirs)]
        names = [name for name, _ in (tables[0] + tables[1]).most_common(BARS)]
        for side, (counts, colour) in enumerate(zip(tables, (FAINT, WRONG), strict=True)):
            shares = [counts[name] / max(1, counts.total()) for name in names]
            name = ("this table", "the other")[side]
            ax.bar(np.arange(len(names)) + 0.4 * side, shares, 0.4, color=colour, label=name)
        ticks = [label(name) for name in names]
        ax.set_xticks(np.arange(len(names)) + 0.2, ticks, parse_math=False, fontsize=8, rotation=30)
    ax.set_ylabel("share of rows")
    _legend(ax)
    return figure


def _contents(column: Column) -> list[str]:
    if column.texts is None:
        return [f"{value:g}" for value in column.measured[~column.gone]]
    return [column.texts.unique[place] for place in column.texts.place[~column.gone]]
