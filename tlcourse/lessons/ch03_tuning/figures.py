"""Figures of lesson 3: searches compared, and a Gaussian process at work on a line."""

from collections.abc import Mapping

import ipywidgets
import numpy as np
from IPython.display import display

from tlcourse import plots
from tlcourse.teaching import widgets


def searches(curves: Mapping, ylabel="best validation error so far", title=None, first: int = 1):
    """Plot the best value so far against the number of trials: mean and 95 % interval over seeds.

    Parameters
    ----------
    curves : dict of str to array_like, shape (seeds, trials)
        Smaller is better.
    ylabel, title : str, optional
    first : int
        The trial of the first column.

    Returns
    -------
    plots.Figure
    """
    figure, ax = plots.new_figure(title)
    trials = np.shape(next(iter(curves.values()), [[]]))[1]
    plots.mean_curves(ax, np.arange(first, first + trials), curves)
    ax.set(xlabel="trials", ylabel=ylabel)
    plots.legend_below(figure, ax)
    return figure


def surrogate(line, truth, tried, values, mean, std, gain):
    """Plot a Gaussian process on a line, and below it where the next trial pays most.

    Parameters
    ----------
    line, truth : array_like, shape (m,)
        Places and the true objective.
    tried, values : array_like, shape (n,)
        The trials.
    mean, std, gain : array_like, shape (m,)
        What the process believes, how sure it is, and the acquisition function.

    Returns
    -------
    plots.Figure
    """
    figure = plots.Figure((plots.WIDTH, 5.2), plots.DPI, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    above.plot(line, truth, ":", color="black", label="true objective")
    above.plot(line, mean, color="#0072B2", label="mean of the process")
    band = {"color": "#0072B2", "alpha": 0.15, "linewidth": 0}
    above.fill_between(line, mean - 1.96 * std, mean + 1.96 * std, label="95 % band", **band)
    above.plot(tried, values, "o", color="#D55E00", label="trials", zorder=3)
    below.plot(line, gain, "--", color="#009E73", label="acquisition")
    following = np.asarray(line)[np.argmax(gain)]
    for ax in (above, below):
        ax.axvline(following, color=plots.GUIDE, linestyle="-.", linewidth=1)
        ax.spines[["top", "right"]].set_visible(False)
    below.plot(following, np.max(gain), "D", color="black", label="next trial")
    above.set_ylabel("objective (scaled)")
    below.set(xlabel="setting, scaled to [0, 1]", ylabel="acquisition")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


# ── the explorer ────────────────────────────────────────────────────────────────────────────


def surrogate_explorer(steps: Mapping) -> ipywidgets.VBox:
    """Return a slider for the trials made and a menu of acquisition functions, with their picture.

    Parameters
    ----------
    steps : dict
        ``(acquisition, trials)`` to the arguments of `surrogate`.
    """
    kinds, trials = (list(dict.fromkeys(keys)) for keys in zip(*steps, strict=True))
    return widgets.explorer(
        lambda kind, made: display(surrogate(*steps[kind, made])),
        kind=widgets.menu("acquisition", kinds),
        made=widgets.stops("trials", trials, trials[0]),
    )
