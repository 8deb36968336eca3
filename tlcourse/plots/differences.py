"""Differences: methods beside each other, each with its interval."""

from collections.abc import Mapping

import numpy as np

from tlcourse.experiment import interval, paired
from tlcourse.plots.base import GUIDE, new_figure


def paired_differences(differences: Mapping, title: str | None = None):
    """Plot paired differences: a circle a seed, a diamond for the mean with its 95 % t interval.

    Parameters
    ----------
    differences : dict of str to array_like, shape (seeds,)
        Ours minus the baseline as fractions (0.05 is 5 points), by what is compared.
    title : str, optional

    Returns
    -------
    Figure
    """
    if not differences:
        raise ValueError("there is nothing to plot: pass at least one difference.")
    figure, ax = new_figure(title, height=1.2 + 0.5 * len(differences))
    ax.axvline(0, color=GUIDE, linewidth=1)
    for row, values in enumerate(differences.values()):
        values = np.asarray(values, dtype=float)
        result = paired(values, np.zeros_like(values))
        bar = 100 * np.array([[result.mean - result.low], [result.high - result.mean]])
        ax.plot(100 * values, np.full(len(values), row - 0.2), "o", color="#0072B2", alpha=0.5)
        ax.errorbar(100 * result.mean, row + 0.1, xerr=bar, fmt="D", color="black", capsize=4)
        text = f"{result.effect}\nahead in {result.wins} of {result.n}"
        where = {"xycoords": ("axes fraction", "data"), "va": "center", "fontsize": 10}
        ax.annotate(text, (1.02, row), annotation_clip=False, **where)
    ax.set_yticks(range(len(differences)), list(differences))
    ax.set_ylim(len(differences) - 0.5, -0.5)
    ax.set_xlabel("difference in points   ● one seed   ◆ mean with 95 % interval")
    return figure


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
    figure, axes = new_figure(title, columns=len(panels), height=height)
    for ax, (name, methods) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        for row, (method, values) in enumerate(methods.items()):
            low, mean, high = interval(values)
            colour, shape = ("#D55E00", "D") if method == mark else ("#0072B2", "o")
            bar = [[mean - low], [high - mean]]
            ax.errorbar(mean, row, xerr=bar, fmt=shape, color=colour, capsize=3, markersize=7)
        ax.axvline(np.mean(methods[mark]), color=GUIDE, linestyle=(0, (1, 2)), linewidth=1)
        ax.set_title(name, fontsize=11)
        ax.set_xlabel(xlabel)
        ax.set_yticks(range(len(methods)), list(methods))
        ax.set_ylim(len(methods) - 0.5, -0.5)
    return figure
