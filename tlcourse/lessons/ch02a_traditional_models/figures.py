"""Figures of lesson 02a: many methods side by side, and a decision tree as a picture."""

import re
from collections.abc import Mapping, Sequence

import ipywidgets
import numpy as np
from IPython.display import display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from sklearn.tree import plot_tree

from tlcourse import plots
from tlcourse.lessons.ch02a_traditional_models import tables
from tlcourse.teaching import widgets


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


# ── the explorer ────────────────────────────────────────────────────────────────────────────


def rule_explorer(trees: Mapping, names: Sequence[str], classes: Sequence[str]) -> ipywidgets.VBox:
    """Return a menu of data sets and a slider for the depth of a tree, with its picture and rules.

    Parameters
    ----------
    trees : dict
        ``(data set, depth)`` to a fitted tree and two accuracies, on the source and on the target.
    names, classes : sequence of str
        Of the features, and of the classes.
    """
    data, depths = (list(dict.fromkeys(keys)) for keys in zip(*trees, strict=True))

    def draw(split, depth):
        tree, source, target = trees[split, depth]
        display(tree_picture(tree, names, classes))
        print(*tables.rules(tree, names, classes), sep="\n")
        print(f"balanced accuracy: {source:.3f} on its source, {target:.3f} on the target")

    return widgets.explorer(
        draw, split=widgets.menu("split by", data), depth=widgets.stops("depth", depths, depths[1])
    )
