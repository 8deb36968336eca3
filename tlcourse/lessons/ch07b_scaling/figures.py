"""Figures of lesson 07b: how the columns of two tables compare."""

from collections.abc import Mapping

import numpy as np
from matplotlib.ticker import NullFormatter, ScalarFormatter

from tlcourse import plots


def column_ratios(panels: Mapping[str, tuple], factor: float, title: str | None = None):
    """Plot ratios of spreads against ratios of medians, a point a column, one panel a case.

    Parameters
    ----------
    panels : dict of str to (medians, spreads)
        Target over source for each column, positive, such as `scaling.ratios` returns.
    factor : float
        A ring marks where columns lie that were multiplied by it; another one marks 1.
    title : str, optional

    Returns
    -------
    Figure
    """
    if not panels:
        raise ValueError("there is nothing to plot: pass the ratios of at least one case.")
    figure, axes = plots.new_figure(title, columns=len(panels), height=4)
    for ax, (name, (medians, spreads)) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        ax.plot([0.1, 10], [0.1, 10], color=plots.GUIDE, linewidth=1, linestyle=(0, (1, 2)))
        ring = {"markersize": 26, "markeredgewidth": 1.5, "fillstyle": "none", "color": "#D55E00"}
        ax.plot([1, factor], [1, factor], "o", linestyle="", **ring)
        ax.plot(medians, spreads, "o", color="#0072B2", alpha=0.7)
        ax.set(xscale="log", yscale="log", title=name, xlabel="median, target / source")
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(ScalarFormatter())
            axis.set_minor_formatter(NullFormatter())
            axis.set_ticks([0.5, 1, 2, 4])
        ax.set(xlim=(0.5, 6), ylim=(0.4, 6))
    np.atleast_1d(axes)[0].set_ylabel("interquartile range, target / source")
    return figure
