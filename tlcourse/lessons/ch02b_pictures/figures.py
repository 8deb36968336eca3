"""Figures of lesson 02b: accuracy against how many blocks are frozen."""

from collections.abc import Mapping

import ipywidgets
import numpy as np
from IPython.display import display

from tlcourse import plots
from tlcourse.teaching import widgets


def freeze_depth(
    accuracy: Mapping,
    baseline: tuple[str, float] | None = None,
    mark: tuple[str, int] | None = None,
):
    """Plot accuracy against the number of frozen blocks: mean and 95 % t interval over seeds.

    Parameters
    ----------
    accuracy : dict of str to array_like, shape (seeds, depths)
        Test accuracy from 0 to 1 by source; column d froze the first d blocks, the last column all.
    baseline : (str, float), optional
        Name and mean accuracy of what uses no backbone, drawn as a horizontal line.
    mark : (str, int), optional
        The source and the number of frozen blocks whose point gets a ring.

    Returns
    -------
    plots.Figure
    """
    figure, ax = plots.new_figure(None)
    depths = range(np.shape(next(iter(accuracy.values()), [[]]))[1])
    plots.mean_curves(ax, depths, accuracy)
    if baseline:
        name, level = baseline
        ax.axhline(level, color=plots.GUIDE, linewidth=1, linestyle=(0, (1, 2)), label=name)
    if mark:
        source, depth = mark
        if source not in accuracy or depth not in depths:
            raise ValueError(f"no point {source!r} at {depth}: mark one of the sources and depths.")
        ring = {"markersize": 20, "markeredgewidth": 2, "fillstyle": "none", "color": "black"}
        ax.plot(depth, np.mean(accuracy[source], axis=0)[depth], "o", zorder=4, **ring)
    names = [str(d) for d in depths]
    names[0], names[-1] = "0\n(all tuned)", f"{names[-1]}\n(head only)"
    ax.set_xticks(depths, names)
    ax.set_xlabel("frozen blocks, counted from the input")
    ax.set_ylabel("test accuracy")
    plots.legend_below(figure, ax)
    return figure


# ── the explorer ────────────────────────────────────────────────────────────────────────────


def depth_explorer(accuracy: Mapping, probe: np.ndarray) -> ipywidgets.VBox:
    """Return a menu of sources and a slider for the frozen blocks, with what that choice is worth.

    Parameters
    ----------
    accuracy : dict of str to array, shape (seeds, depths)
        Test accuracy by source and number of frozen blocks; "random" is among the sources.
    probe : array, shape (seeds,)
        Test accuracy of the linear probe, the same seeds in the same order.
    """
    most = next(iter(accuracy.values())).shape[1] - 1

    def draw(source, depth):
        display(freeze_depth(accuracy, mark=(source, depth)))
        print(f"{source}, {depth} blocks frozen, minus three others:")
        display(plots.paired_differences(depth_differences(accuracy, probe, source, depth)))

    return widgets.explorer(
        draw,
        source=widgets.menu("source", accuracy),
        depth=widgets.counter("frozen blocks", most, 2),
    )


def depth_differences(accuracy: Mapping, probe: np.ndarray, source: str, depth: int) -> dict:
    """Return how far one choice is ahead of three others, seed by seed."""
    chosen = accuracy[source][:, depth]
    return {
        "the linear probe": chosen - probe,
        f"{source}, all tuned": chosen - accuracy[source][:, 0],
        "from scratch": chosen - accuracy["random"][:, 0],
    }
