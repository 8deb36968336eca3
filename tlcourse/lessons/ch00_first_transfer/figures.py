"""Lesson 00: figures."""

from collections.abc import Mapping

import numpy as np

from tlcourse import plots
from tlcourse.lessons.ch00_first_transfer import photographs


def label_efficiency(budgets, accuracy: Mapping, majority: float) -> plots.Figure:
    """Plot accuracy against labels a class, and what always naming the larger class gives.

    Parameters
    ----------
    budgets : sequence of int
    accuracy : dict of str to array, shape (seeds, budgets)
    majority : float
        Share of the larger class in the test.
    """
    ours, *rivals = accuracy
    best = max(accuracy[name][:, -1].mean() for name in rivals)
    ahead = [k for k, mean in zip(budgets, accuracy[ours].mean(0), strict=True) if mean > best]
    title = f"the borrowed network needs {ahead[0]} labels a class to pass the others' best" * bool(
        ahead
    )
    figure = plots.label_efficiency(budgets, accuracy, title or None)
    figure.axes[0].axhline(majority, color=plots.GUIDE, linewidth=1, linestyle=":")
    where = {"xytext": (0, 4), "textcoords": "offset points", "ha": "right"}
    figure.axes[0].annotate("always the larger class", (budgets[-1], majority), **where)
    return figure


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
