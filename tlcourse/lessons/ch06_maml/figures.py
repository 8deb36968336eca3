"""Figures of lesson 6: errors along adaptation, a fitted wave, memory."""

from collections.abc import Mapping, Sequence

import ipywidgets
from IPython.display import display

from tlcourse import plots
from tlcourse.teaching import widgets


def adaptation_errors(at: Sequence[int], errors: Mapping, title: str | None = None):
    """Plot the squared error after some numbers of inner steps.

    Parameters
    ----------
    at : sequence of int
        Inner steps.
    errors : dict of str to array, shape (seeds, len(at))
        Mean squared error by method.
    """
    figure, ax = plots.new_figure(title)
    plots.mean_curves(ax, range(len(at)), errors)
    ax.set_xticks(range(len(at)), [str(a) for a in at])
    ax.set(xlabel="inner gradient steps on 10 points of a new wave", ylabel="mean squared error")
    ax.set_ylim(bottom=0)
    plots.legend_below(figure, ax, top=None)
    return figure


def wave_fit(x, truth, points, curves: Mapping, title: str | None = None):
    """Plot a wave, the points given of it, and what networks make of them.

    Parameters
    ----------
    x, truth : array, shape (n,)
    points : (array, array)
        Inputs and targets of the support set.
    curves : dict of str to array, shape (n,)
    """
    figure, ax = plots.new_figure(title)
    ax.plot(x, truth, color="0.6", linewidth=4, label="the wave")
    for (name, y), style in zip(curves.items(), plots.styles(list(curves)).values(), strict=True):
        ax.plot(x, y, markevery=max(1, len(x) // 12), **style | {"label": name})
    ax.plot(*points, "ko", label="support points", zorder=4)
    ax.set(xlabel="x", ylabel="y")
    plots.legend_below(figure, ax, top=None)
    return figure


def memory(tasks: Sequence[int], megabytes: Mapping, title: str | None = None):
    """Plot the memory of a backward pass against the number of tasks, one line a setting."""
    figure, ax = plots.new_figure(title)
    for name, style in plots.styles(list(megabytes)).items():
        ax.plot(tasks, megabytes[name], **style)
    ax.set(xlabel="tasks in the meta-batch", ylabel="saved for backward, MB")
    ax.set_ylim(bottom=0)
    plots.legend_below(figure, ax, top=None)
    return figure


# ── the explorer ────────────────────────────────────────────────────────────────────────────


def wave_explorer(figure) -> ipywidgets.VBox:
    """Return sliders for a wave's amplitude and phase and for the inner steps taken on it.

    Parameters
    ----------
    figure : callable
        ``figure(amplitude, phase, steps)`` draws the wave and what the networks make of it.
    """
    return widgets.explorer(
        lambda amplitude, phase, steps: display(figure(amplitude, phase, steps)),
        amplitude=widgets.slider("amplitude", 0.1, 5, 2),
        phase=widgets.slider("phase", 0, 3.1, 1),
        steps=widgets.counter("inner steps", 10, 1),
    )
