"""Figures of lesson 2a: many methods side by side, and a decision tree as a picture."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from sklearn.tree import plot_tree

from tlcourse import plots
from tlcourse.experiment import interval


def method_dots(
    panels: Mapping[str, Mapping], mark: str, title=None, xlabel="balanced test accuracy"
):
    """Plot the mean of each method with its 95 % t interval, one panel a data set.

    Parameters
    ----------
    panels : dict of str to dict of str to array_like, shape (seeds,)
        A score from 0 to 1 by data set and method; every panel has the same methods.
    mark : str
        The method to compare with: a dotted line goes through its mean.
    title, xlabel : str, optional

    Returns
    -------
    Figure
    """
    kinds = [list(methods) for methods in panels.values()]
    if not kinds or any(names != kinds[0] for names in kinds) or mark not in kinds[0]:
        raise ValueError("every panel needs the same methods, and `mark` must be one of them.")
    height = 1.2 + 0.32 * len(kinds[0])
    figure, axes = plots.new_figure(title, columns=len(panels), height=height)
    for ax, (name, methods) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        for row, (method, values) in enumerate(methods.items()):
            low, mean, high = interval(values)
            colour, shape = ("#D55E00", "D") if method == mark else ("#0072B2", "o")
            bar = [[mean - low], [high - mean]]
            ax.errorbar(mean, row, xerr=bar, fmt=shape, color=colour, capsize=3, markersize=7)
        ax.axvline(np.mean(methods[mark]), color=plots.GUIDE, linestyle=(0, (1, 2)), linewidth=1)
        ax.set_title(name, fontsize=11)
        ax.set_xlabel(xlabel)
        ax.set_yticks(range(len(methods)), list(methods))
        ax.set_ylim(len(methods) - 0.5, -0.5)
    return figure


def tree_picture(tree, names: Sequence[str], classes: Sequence[str], title: str | None = None):
    """Draw a fitted decision tree: a condition in each box, yes to the left, no to the right."""
    figure, ax = plots.new_figure(title, height=4.2)
    FigureCanvasAgg(figure)  # plot_tree measures its boxes, which needs a canvas that draws
    size = 8 if tree.get_depth() < 4 else 6
    boxes = plot_tree(tree, feature_names=list(names), class_names=list(classes), impurity=False,
                      filled=True, label="root", fontsize=size, precision=3, ax=ax)  # fmt: skip
    for box in boxes:  # counts of rows are whole numbers, and are not all printed as such
        box.set_text(re.sub(r"(?<=[\[ ])(\d+)\.0(?=[,\]])", r"\1", box.get_text()))
    return figure


def weights_against_truth(estimated, true, title: str | None = None):
    """Plot estimated importance weights against the true ones, both of mean 1, on log scales."""
    figure, ax = plots.new_figure(title, height=3.6)
    ax.loglog(true, estimated, "o", color="#0072B2", alpha=0.5, markersize=5)
    ends = [min(np.min(true), np.min(estimated)), max(np.max(true), np.max(estimated))]
    ax.plot(ends, ends, color=plots.GUIDE, linestyle=(0, (1, 2)), label="perfect estimate")
    ax.set_xlabel("true weight (we made the split)")
    ax.set_ylabel("estimated weight")
    ax.legend(frameon=False)
    return figure
