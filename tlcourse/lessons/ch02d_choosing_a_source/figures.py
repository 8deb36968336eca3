"""Figures of lesson 02d: sources side by side, scores against the truth, photographs."""

from collections.abc import Mapping, Sequence

import ipywidgets
import numpy as np
from IPython.display import display
from sklearn.metrics import ConfusionMatrixDisplay

from tlcourse.lessons.ch02d_choosing_a_source.selection import kendall_tau
from tlcourse.plots import (
    DPI,
    GUIDE,
    RIGHT,
    WRONG,
    Figure,
    legend_below,
    mean_and_arms,
    new_figure,
    styles,
)
from tlcourse.teaching import widgets


def accuracy_by_source(accuracy: Mapping, names: Sequence[str], baselines: Mapping):
    """Plot the accuracy of each source, one row a source, best on top.

    Parameters
    ----------
    accuracy : dict of str to array, shape (seeds, sources)
        Test accuracy by way of transfer; the first way orders the rows.
    names : sequence of str
        The sources.
    baselines : dict of str to array, shape (seeds,)
        What does without a source: a vertical line each.

    Returns
    -------
    Figure
        Mean and 95 % t interval over seeds.
    """
    figure, ax = new_figure(None, height=1.4 + 0.3 * len(names))
    order = np.argsort(np.mean(next(iter(accuracy.values())), axis=0))
    places = np.arange(len(names))
    for shift, (way, style) in enumerate(styles(list(accuracy)).items()):
        mean, arms = mean_and_arms(np.asarray(accuracy[way])[:, order])
        ax.errorbar(
            mean, places - 0.22 * shift, xerr=arms, capsize=3,
            linestyle="none", marker="os"[shift], color=style["color"], label=way,
        )  # fmt: skip
    for dashes, (name, values) in zip([(0, (1, 2)), (0, (5, 2))], baselines.items(), strict=False):
        ax.axvline(np.mean(values), color=GUIDE, linewidth=1.3, linestyle=dashes, label=name)
    ax.set_yticks(places, np.array(names)[order])
    ax.set_xlabel("test accuracy, mean and 95 % interval over seeds")
    legend_below(figure, ax, top=None)
    return figure


def score_against_accuracy(
    promised, accuracy, names: Sequence[str], score: str, tau: float, way: str = "fine-tuned"
):
    """Plot what a score promises against the accuracy that came out, and name each source.

    Parameters
    ----------
    promised, accuracy : array, shape (seeds, sources)
    names : sequence of str
    score : str
        Name of the score.
    tau : float
        Its rank correlation, for the title.
    way : str
        How the accuracy was reached, for the axis.

    Returns
    -------
    Figure
        A circle a source, means over seeds. Names stand in the order of the accuracy.
    """
    figure, ax = new_figure(f"{score}: Kendall's tau {tau:+.2f} over {len(names)} sources")
    x, y = np.mean(promised, axis=0), np.mean(accuracy, axis=0)
    ax.plot(x, y, "o", color=RIGHT, markersize=8)
    edges = np.array(ax.get_ylim())
    # Names at the right margin, evenly spread: near their points they would cover each other.
    for place, k in zip(np.linspace(*edges, len(names)), np.argsort(y), strict=True):
        line = {"arrowstyle": "-", "color": GUIDE, "linewidth": 0.5}
        where = {"xycoords": "data", "textcoords": ("axes fraction", "data"), "va": "center"}
        ax.annotate(names[k], (x[k], y[k]), (1.03, place), arrowprops=line, **where)
    ax.set_xlabel(f"{score} (larger promises more)")
    ax.set_ylabel(f"test accuracy, {way}")
    return figure


def rank_correlations(over_seeds: Mapping, over_sources: Mapping):
    """Plot Kendall's tau of each score with both of its intervals.

    Parameters
    ----------
    over_seeds, over_sources : dict of str to (low, tau, high)
        From `selection.tau_interval`.

    Returns
    -------
    Figure
    """
    figure, ax = new_figure(None, height=1.4 + 0.35 * len(over_seeds))
    ax.axvline(0, color=GUIDE, linewidth=1)
    rows = np.arange(len(over_seeds))
    for results, shift, width, color, label in [
        (over_seeds, -0.12, 3, RIGHT, "seeds drawn anew"),
        (over_sources, 0.12, 1, WRONG, "seeds and sources drawn anew"),
    ]:
        low, _, high = np.array(list(results.values())).T
        ax.hlines(rows + shift, low, high, color=color, linewidth=width, label=label)
    tau = [result[1] for result in over_seeds.values()]
    ax.plot(tau, rows, "D", color="black", label="Kendall's tau")
    ax.set_yticks(rows, list(over_seeds))
    ax.invert_yaxis()
    ax.set_xlim(-1.05, 1.05)
    ax.set_xlabel("rank correlation with the true accuracy, 95 % bootstrap intervals")
    legend_below(figure, ax, top=None)
    return figure


def confusion(counts: np.ndarray, names: Sequence[str]):
    """Plot a confusion matrix: each row in per cent of its class, the diagonal is right.

    Parameters
    ----------
    counts : array, shape (classes, classes)
        How often a picture of the row's class was taken for the column's.
    names : sequence of str

    Returns
    -------
    Figure
    """
    side = 2 + 0.6 * len(names)
    figure = Figure((side + 1, side), DPI, layout="constrained")
    ax = figure.subplots()
    share = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ConfusionMatrixDisplay(share, display_labels=names).plot(
        ax=ax, cmap="cividis", values_format=".0f", xticks_rotation=45, colorbar=False,
        im_kw={"vmin": 0, "vmax": 100},
    )  # fmt: skip
    for label in ax.get_xticklabels():  # ends at its tick, however long it is
        label.set(ha="right", rotation_mode="anchor")
    ax.set_xlabel("taken for")
    ax.set_ylabel("is")
    ax.set_title("per cent of each class", loc="left", fontsize=10)
    return figure


# ── the explorer ────────────────────────────────────────────────────────────────────────────


def score_explorer(promised: Mapping, accuracy: Mapping, names: Sequence[str]) -> ipywidgets.VBox:
    """Return menus for a transferability score and a way of transfer, with the scatter of both.

    Parameters
    ----------
    promised : dict of str to array, shape (seeds, sources)
        What each score says.
    accuracy : dict of str to array, shape (seeds, sources)
        Test accuracy by way of transfer.
    names : sequence of str
        The sources.
    """

    def draw(score, way):
        chosen = promised[score], accuracy[way]
        tau = kendall_tau(*(values.mean(axis=0) for values in chosen))
        display(score_against_accuracy(*chosen, names, score, tau, way))

    return widgets.explorer(
        draw, score=widgets.menu("score", promised), way=widgets.menu("transfer", accuracy)
    )
