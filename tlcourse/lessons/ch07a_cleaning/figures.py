"""Figures of lesson 7a: three ways to lose cells, what filling them costs, a table with faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ipywidgets
import numpy as np
from IPython.display import display

from tlcourse import plots
from tlcourse.data.tables import halves
from tlcourse.lessons.ch07a_cleaning import outliers
from tlcourse.teaching import widgets

CLASSES = (("#0072B2", "o"), ("#D55E00", "^"), ("#009E73", "s"))


def mechanisms(tables: Mapping, value: int, labels: Sequence[str]):
    """Plot which values of one column are hidden, against the column that is always seen.

    Parameters
    ----------
    tables : dict of str to (array, array)
        By panel: the true table, shape (n, d), and the same with NaN where a value is hidden. Column
        0 runs to the right, column `value` upwards.
    value : int
    labels : (str, str)
        Of the two axes.

    Returns
    -------
    plots.Figure
    """
    figure, axes = plots.new_figure(None, columns=len(tables), height=3.6)
    for ax, (name, (X, holed)) in zip(np.atleast_1d(axes), tables.items(), strict=True):
        gone = np.isnan(holed[:, value])
        for rows, style in ((~gone, ("#0072B2", "o", "seen")), (gone, ("#D55E00", "x", "hidden"))):
            color, marker, label = style
            ax.scatter(X[rows, 0], X[rows, value], 22, color, label=label, marker=marker, alpha=0.8)
        ax.axhline(X[:, value].mean(), color="black", label="true mean")
        seen = X[~gone, value].mean()
        ax.axhline(seen, color="#0072B2", linestyle="--", label="mean of what is seen")
        ax.set_title(name, fontsize=11)
        ax.set_xlabel(labels[0])
    np.atleast_1d(axes)[0].set_ylabel(labels[1])
    plots.legend_below(figure, ax, top=None)
    return figure


def by_mechanism(shares: Sequence[float], values: Mapping, ylabel: str, top: float | None = 1.01):
    """Plot what was measured against the share of gaps, one panel a mechanism.

    Parameters
    ----------
    shares : sequence of float
    values : dict of str to dict of str to array_like, shape (seeds, shares)
        By mechanism, then by way to fill gaps.
    ylabel : str
    top : float, optional
        Where the axes end.

    Returns
    -------
    plots.Figure
    """
    figure, axes = plots.new_figure(None, columns=len(values), height=5.2)
    for ax, (mechanism, ways) in zip(np.atleast_1d(axes), values.items(), strict=True):
        plots.mean_curves(ax, shares, ways)
        ax.set_title(mechanism, fontsize=11)
        ax.set_xticks(shares, [f"{share:.0%}" for share in shares])
        ax.set_xlabel("hidden cells")
    np.atleast_1d(axes)[0].set_ylabel(ylabel)
    plots.legend_below(figure, ax, top)
    return figure


def spoilt(Z, labels, test, accuracy: Mapping, chosen: str, names: Sequence[str], clean: float):
    """Plot two columns of a prepared table, and the accuracy of each way to prepare it.

    Parameters
    ----------
    Z : array, shape (n, 2)
        Two prepared columns.
    labels : array of int, shape (n,)
        Three classes at most.
    test : array of int
        Test rows, drawn hollow.
    accuracy : dict of str to float
        By way.
    chosen : str
        The way that prepared `Z`.
    names : (str, str)
        Of the columns.
    clean : float
        Accuracy without any fault.

    Returns
    -------
    plots.Figure
    """
    figure = plots.Figure((plots.WIDTH, 3.8), plots.DPI, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1))
    is_test = np.isin(np.arange(len(labels)), test)
    for k, (color, marker) in zip(np.unique(labels), CLASSES, strict=False):
        for part, face in ((~is_test, color), (is_test, "none")):
            rows = part & (labels == k)
            look = {"marker": marker, "edgecolors": color, "facecolors": face, "s": 24}
            left.scatter(Z[rows, 0], Z[rows, 1], **look)
    left.set(xlabel=f"{names[0]}, prepared", ylabel=names[1])
    left.set_title("full: training, hollow: test; one shape a class", fontsize=10)
    for place, (way, value) in enumerate(accuracy.items()):
        look = {"color": "#0072B2", "hatch": "//"} if way == chosen else {"color": "#AAAAAA"}
        right.barh(place, value, edgecolor="white", **look)
        right.text(0.02, place, f"{way}: {value:.2f}", va="center", backgroundcolor="#FFFFFFCC")
    right.axvline(clean, color="black", linestyle="--")
    right.set_title(f"test accuracy (dashed: no fault, {clean:.2f})", fontsize=10)
    right.set(xlim=(0, 1.02), yticks=[])
    right.invert_yaxis()
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
    return figure


# ── the explorer ────────────────────────────────────────────────────────────────────────────


FAULTS = {"missing": (0.5, 0.1), "outliers": (0.1, 0.02), "noise": (0.6, 0.1), "shift": (2.0, 0.5)}


def picture(X, y, names: Sequence[str], seeds: Sequence[int], cure: str, drop: bool, **faults):
    """Return the picture of one setting: the mean accuracy over seeds, the table of the first.

    Parameters
    ----------
    X, y : array, shapes (n, d) and (n,)
    names : sequence of str
        Of the columns; the first and the last are drawn.
    seeds : sequence of int
        Of the split and of the faults.
    cure : str
        One of `outliers.cures`.
    drop : bool
        Leave out rows with doubtful labels.
    **faults : float
        See `outliers.spoil`.
    """
    accuracy, drawn, clean = {name: [] for name in outliers.cures()}, None, []
    for seed in seeds:
        train, test = halves(y, seed)
        clean.append(outliers.cure_and_learn(X, y, train, test, "mean", False, seed)[1])
        faulty, given = outliers.spoil(X, y, test, seed, **faults)
        for name, found in accuracy.items():
            Z, score = outliers.cure_and_learn(faulty, given, train, test, name, drop, seed)
            found.append(score)
            if drawn is None and name == cure:
                drawn = Z[:, [0, -1]], given, test
    means = {name: float(np.mean(found)) for name, found in accuracy.items()}
    columns = names[0], names[-1]
    return spoilt(*drawn, means, cure, columns, float(np.mean(clean)))


def fault_explorer(X, y, names: Sequence[str], seeds: Sequence[int]) -> ipywidgets.VBox:
    """Return sliders for four faults, a menu of cures and a check box, with their picture."""
    return widgets.explorer(
        lambda **chosen: display(picture(X, y, names, seeds, **chosen)),
        **{name: widgets.slider(name, 0, most, 0, step) for name, (most, step) in FAULTS.items()},
        cure=widgets.menu("cure", outliers.cures()),
        drop=ipywidgets.Checkbox(False, description="drop doubtful labels"),
    )
