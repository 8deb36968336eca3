"""Curves: accuracy against labels, steps, severity, depth."""

from collections.abc import Mapping, Sequence

import numpy as np

from tlcourse.plots.base import band, legend_below, mean_curves, new_figure, styles


def label_efficiency(
    budgets: Sequence[float],
    accuracy: Mapping,
    title: str | None = None,
    mark: tuple[str, float] | None = None,
    faint: Sequence[str] = (),
):
    """Plot accuracy against labels a class: mean curve and 95 % t interval over seeds.

    Parameters
    ----------
    budgets : sequence of float
        Labels a class, positive.
    accuracy : dict of str to array_like, shape (seeds, budgets)
        Test accuracy from 0 to 1 by method.
    title : str, optional
    mark : (str, float), optional
        The method and the budget whose point gets a ring.
    faint : sequence of str
        Methods drawn in grey, so that at most four curves carry a colour.

    Returns
    -------
    Figure
    """
    figure, ax = new_figure(title)
    mean_curves(ax, budgets, accuracy, faint)
    if mark:
        _ring(ax, budgets, accuracy, *mark)
    _label_axis(ax, budgets)
    ax.set_ylabel("test accuracy")
    legend_below(figure, ax)
    return figure


def label_efficiency_on(budgets: Sequence[float], panels: Mapping, title: str | None = None):
    """Plot accuracy against labels a class on several data sets, one panel each, with given intervals.

    Parameters
    ----------
    budgets : sequence of float
        Labels a class, positive.
    panels : dict of str to dict of str to array_like, shape (budgets, 3)
        Low, mean and high by data set and method, such as `experiment.two_way_interval` returns; every
        panel has the same methods.
    title : str, optional

    Returns
    -------
    Figure
    """
    kinds = [set(methods) for methods in panels.values()]
    if not kinds or not kinds[0] or any(names != kinds[0] for names in kinds):
        raise ValueError("every panel needs the same methods, at least one.")
    figure, axes = new_figure(title, columns=len(panels))
    for ax, (name, methods) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        for method, style in styles(list(methods)).items():
            band(ax, budgets, np.transpose(methods[method]), style)
        ax.set_title(name, fontsize=11)
        _label_axis(ax, budgets)
    np.atleast_1d(axes)[0].set_ylabel("test accuracy")
    legend_below(figure, ax)
    return figure


def _label_axis(ax, budgets):
    """Label the axis of labels a class: logarithmic, a tick a budget."""
    ax.set_xscale("log")
    ax.set_xticks(budgets, [f"{b:g}" for b in budgets])
    ax.set_xticks([], minor=True)
    ax.set_xlabel("labels per class (log scale)")


def _ring(ax, budgets, accuracy, method, budget):
    """Draw a ring round one point of a mean curve."""
    if method not in accuracy or budget not in list(budgets):
        raise ValueError(f"no point {method!r} at {budget}: mark one of the methods and budgets.")
    mean = np.mean(accuracy[method], axis=0)[list(budgets).index(budget)]
    style = {"markersize": 20, "markeredgewidth": 2, "fillstyle": "none", "color": "black"}
    ax.plot(budget, mean, "o", zorder=4, clip_on=False, **style)
