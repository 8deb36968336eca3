"""Figures of lesson 07a: three ways to lose cells, what filling them costs, a table with faults."""

from collections.abc import Mapping, Sequence

import ipywidgets
import numpy as np
from IPython.display import display

from tlcourse import plots
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
    for ax, (name, (X, holed)) in zip(axes, tables.items(), strict=True):
        gone = np.isnan(holed[:, value])
        look = {"s": 22, "alpha": 0.8}
        ax.scatter(X[~gone, 0], X[~gone, value], c="#0072B2", marker="o", label="seen", **look)
        ax.scatter(X[gone, 0], X[gone, value], c="#D55E00", marker="x", label="hidden", **look)
        ax.axhline(X[:, value].mean(), color="black", label="true mean")
        seen = X[~gone, value].mean()
        ax.axhline(seen, color="#0072B2", linestyle="--", label="mean of what is seen")
        ax.set_title(name, fontsize=11)
        ax.set_xlabel(labels[0])
    axes[0].set_ylabel(labels[1])
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
    for ax, (mechanism, ways) in zip(axes, values.items(), strict=True):
        plots.mean_curves(ax, shares, ways)
        ax.set_title(mechanism, fontsize=11)
        ax.set_xticks(shares, [f"{share:.0%}" for share in shares])
        ax.set_xlabel("hidden cells")
    axes[0].set_ylabel(ylabel)
    plots.legend_below(figure, ax, top)
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
    learned = {
        name: [outliers.cure_and_learn(X, y, name, drop, seed, **faults) for seed in seeds]
        for name in outliers.cures()
    }
    accuracy = {name: np.mean([run[-1] for run in runs]) for name, runs in learned.items()}
    clean = [outliers.cure_and_learn(X, y, "mean", False, seed)[-1] for seed in seeds]
    Z, given, test, _ = learned[cure][0]
    figure = plots.Figure((plots.WIDTH, 3.8), plots.DPI, layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_rows(left, Z[:, [0, -1]], given, test)
    left.set(xlabel=f"{names[0]}, prepared", ylabel=names[-1])
    _draw_accuracies(right, accuracy, cure, np.mean(clean))
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
    return figure


def _draw_rows(ax, points, labels, test) -> None:
    """Draw rows as points, one colour a class, those of the test hollow."""
    is_test = np.isin(np.arange(len(labels)), test)
    for k, (color, marker) in zip(np.unique(labels), CLASSES, strict=False):
        for part, face in ((~is_test, color), (is_test, "none")):
            x, y = points[part & (labels == k)].T
            ax.scatter(x, y, 24, marker=marker, edgecolors=color, facecolors=face)
    ax.set_title("full: training, hollow: test; one shape a class", fontsize=10)


def _draw_accuracies(ax, accuracy: Mapping, chosen: str, clean: float) -> None:
    """Draw a bar for each cure, the chosen one hatched, and a line for the table without faults."""
    for place, (cure, value) in enumerate(accuracy.items()):
        look = {"color": "#0072B2", "hatch": "//"} if cure == chosen else {"color": "#AAAAAA"}
        ax.barh(place, value, edgecolor="white", **look)
        ax.text(0.02, place, f"{cure}: {value:.2f}", va="center", backgroundcolor="#FFFFFFCC")
    ax.axvline(clean, color="black", linestyle="--")
    ax.set_title(f"test accuracy (dashed: no fault, {clean:.2f})", fontsize=10)
    ax.set(xlim=(0, 1.02), yticks=[])
    ax.invert_yaxis()


def fault_explorer(X, y, names: Sequence[str], seeds: Sequence[int]) -> ipywidgets.VBox:
    """Return sliders for four faults, a menu of cures and a check box, with their picture."""
    return widgets.explorer(
        lambda **chosen: display(picture(X, y, names, seeds, **chosen)),
        **{name: widgets.slider(name, 0, most, 0, step) for name, (most, step) in FAULTS.items()},
        cure=widgets.menu("cure", outliers.cures()),
        drop=ipywidgets.Checkbox(False, description="drop doubtful labels"),
    )
