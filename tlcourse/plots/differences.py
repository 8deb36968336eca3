"""Differences: methods beside each other, each with its interval."""

from collections.abc import Mapping, Sequence

import numpy as np

from tlcourse.experiment import paired
from tlcourse.plots.base import GUIDE, mean_and_arms, new_figure


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
            mean, arms = mean_and_arms(values)
            colour, shape = ("#D55E00", "D") if method == mark else ("#0072B2", "o")
            ax.errorbar(mean, row, xerr=arms, fmt=shape, color=colour, capsize=3, markersize=7)
        ax.axvline(np.mean(methods[mark]), color=GUIDE, linestyle=(0, (1, 2)), linewidth=1)
        ax.set_title(name, fontsize=11)
        ax.set_xlabel(xlabel)
        ax.set_yticks(range(len(methods)), list(methods))
        ax.set_ylim(len(methods) - 0.5, -0.5)
    return figure


def judged(claims: Sequence, labels: Sequence[str], sides: tuple[str, str], title=None):
    """Plot claims with their verdicts: seeds, interval, zero, and the margin on both sides.

    Parameters
    ----------
    claims : sequence of Judged
        From `verdicts.Claims.judge`; all of one unit. Ratios are drawn on a logarithmic axis.
    labels : sequence of str
        A short name for each claim.
    sides : tuple of str
        What a negative and a positive difference mean, such as ("from scratch better", "probe better").
    title : str, optional
        The message.

    Returns
    -------
    Figure
    """
    ratios = {claim.entry.unit == "ratio" for claim in claims}
    if len(ratios) != 1 or len(labels) != len(claims):
        raise ValueError("pass at least one claim, a label for each, and all of one unit.")
    figure, ax = new_figure(title, height=1.7 + 0.75 * len(claims))
    scale, centre = (1, 1) if ratios == {True} else (100, 0)
    margin = claims[0].margin
    edges = (1 / margin, margin) if ratios == {True} else (-scale * margin, scale * margin)
    ax.axvspan(*edges, color="#DDDDDD", zorder=0, linewidth=0)
    ax.axvline(centre, color=GUIDE, linewidth=1)
    for row, claim in enumerate(claims):
        _claim(ax, row, claim, scale)
    ax.set_yticks(range(len(claims)), labels)
    ax.set_ylim(len(claims) - 0.5, -0.5)
    if ratios == {True}:
        _plain_ratios(ax, claims)
    found = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))  # each name once
    figure.legend(
        found.values(), found, loc="outside lower center", ncols=len(found), frameon=False
    )
    unit = "ratio" if ratios == {True} else "difference in points"
    ax.set_xlabel(f"←  {sides[0]}   |   {sides[1]}  →\n{unit};  grey: too small to matter")
    return figure


def _claim(ax, row, claim, scale):
    """Draw one claim: stored seeds, seeds computed here, the interval, and the verdict in words."""
    seeds, live, d = claim.seeds, claim.live, claim.difference
    at = np.full(len(seeds), row - 0.2)
    ax.plot(scale * seeds, at, "o", color="#0072B2", alpha=0.4, label="a stored seed")
    here = np.full(len(live), row - 0.2)
    if len(live):
        ax.plot(scale * live, here, "*", color="#D55E00", markersize=12, label="computed here")
    bar = scale * np.array([[d.mean - d.low], [d.high - d.mean]])
    ax.errorbar(scale * d.mean, row + 0.12, xerr=bar, fmt="D", color="black", capsize=5)
    words = f"{claim.symbol} {claim.verdict}\n{d.effect}"
    where = {"xycoords": ("axes fraction", "data"), "va": "center", "fontsize": 10}
    ax.annotate(words, (1.02, row), annotation_clip=False, **where)


def _plain_ratios(ax, claims):
    """Put a logarithmic axis on plain numbers, wide enough for 1 and every seed."""
    values = np.concatenate([[1.0], *(claim.seeds for claim in claims)])
    ax.set_xscale("log")
    ax.set_xlim(values.min() / 1.3, values.max() * 1.3)
    low, high = ax.get_xlim()
    near = (0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 3, 4)  # where a decade would show two numbers at most
    ticks = [
        t
        for t in (near if high / low < 8 else (0.1, 0.2, 0.5, 1, 2, 5, 10, 20))
        if low <= t <= high
    ]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks], minor=False)
    ax.set_xticks([], minor=True)
