"""Lesson 00: figures."""

from collections.abc import Mapping

import numpy as np

from tlcourse import plots
from tlcourse.lessons.ch00_first_transfer import measure, photographs

SHOWN = 5  # labels a class, of the message above the figure


def stored(claims) -> dict[str, np.ndarray]:
    """Return the accuracy of each method at each budget in the stored draws, shape (seeds, budgets)."""
    return {
        method: np.transpose([claims.accuracy(f"{k} labels: {method}") for k in measure.BUDGETS])
        for method in measure.METHODS
    }


def label_efficiency(budgets, accuracy: Mapping, majority: float) -> plots.Figure:
    """Plot accuracy against labels a class, and what always naming the larger class gives.

    Parameters
    ----------
    budgets : sequence of int
    accuracy : dict of str to array, shape (seeds, budgets)
        The borrowed network first, then that of random weights, then others.
    majority : float
        Share of the larger class in the test.
    """
    ours, rival, *_ = (values.mean(0) for values in accuracy.values())
    column = list(budgets).index(SHOWN)
    title = (
        f"{SHOWN} labels a class: {100 * (ours - rival)[column]:.0f} points ahead of the same network "
        "with random weights"
    )
    # Short names, so that the legend has room; a method of the whole course keeps its name and look.
    short = {m if m in plots.STYLES else m.split(" + ")[0]: a for m, a in accuracy.items()}
    figure = plots.label_efficiency(budgets, short, title)
    figure.axes[0].axhline(majority, color=plots.GUIDE, linewidth=1, linestyle=":")
    where = {"xytext": (0, 4), "textcoords": "offset points", "ha": "right"}
    figure.axes[0].annotate("always the larger class", (budgets[-1], majority), **where)
    return figure


def claims(judged) -> plots.Figure:
    """Draw the two claims, with what the intervals say as the message.

    Parameters
    ----------
    judged : sequence of Judged
        From `verdicts.Claims.judge`: what was learned, then the labels saved.
    """
    names = (
        "5 labels: borrowed,\nminus random weights",
        "5 labels, borrowed,\nminus 50 with colours",
    )
    title = f"Pretraining: {judged[0].verdict}. Five labels against fifty: {judged[1].verdict}."
    return plots.judged(judged, names, ("without pretraining better", "borrowed better"), title)


def wrong(pictures, rows: np.ndarray, said: np.ndarray) -> plots.Figure:
    """Show photographs that were named wrongly, each with what it was taken for.

    Parameters
    ----------
    pictures : torchvision.datasets.ImageFolder
    rows : int array, shape (n,)
        Which of them, n ≥ 1.
    said : int array, shape (n,)
        The class that each was given.
    """
    words = [
        f"{pictures.classes[pictures.targets[row]]}, said {pictures.classes[k]}"
        for row, k in zip(rows, said, strict=True)
    ]
    return plots.photographs(photographs.thumbnails(pictures, rows), words, [False] * len(rows))
