"""Figures of lesson 5: scores of each task by method, what training looked like, a trade-off."""

from collections.abc import Mapping, Sequence

import ipywidgets
import numpy as np
from IPython.display import display

from tlcourse import plots
from tlcourse.teaching import widgets


def scores_by_method(scores: Mapping, title: str | None = None):
    """Draw one panel a task and one row a method: a circle a seed, a diamond for the mean.

    Parameters
    ----------
    scores : dict of str to dict of str to array_like, shape (seeds,)
        By method, then by task: accuracy, or R² for a measurement. A task that a method did not
        train is left empty. Scores below 0 are drawn at 0.
    """
    if not scores:
        raise ValueError("there is nothing to plot: pass at least one method.")
    names = list(dict.fromkeys(task for by_task in scores.values() for task in by_task))
    figure, axes = plots.new_figure(title, columns=len(names), height=1.2 + 0.36 * len(scores))
    for ax, task in zip(np.atleast_1d(axes), names, strict=True):
        for row, by_task in enumerate(scores.values()):
            values = np.maximum(by_task.get(task, []), 0)
            ax.plot(values, np.full(len(values), row), "o", color="#0072B2", alpha=0.4)
            if len(values):
                ax.plot(values.mean(), row, "D", color="black")
        ax.set_title(task, fontsize=11)
        ax.set_yticks(range(len(scores)), list(scores))
        words = "accuracy" if task == "class" else "R²"
        ax.set(xlim=(-0.05, 1.05), ylim=(len(scores) - 0.5, -0.5), xlabel=words)
    return figure


def over_time(steps: Sequence[float], panels: Mapping, ylabel: str, log: bool = False):
    """Draw curves against training steps: one panel a name, one curve a task, with intervals.

    Parameters
    ----------
    steps : sequence of float
    panels : dict of str to dict of str to array_like, shape (seeds, steps)
    ylabel : str
    log : bool
        A logarithmic vertical axis.
    """
    if not panels:
        raise ValueError("there is nothing to plot: pass at least one panel.")
    figure, axes = plots.new_figure(None, columns=len(panels))
    for ax, (name, curves) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        plots.mean_curves(ax, steps, curves)
        ax.set_title(name, fontsize=11)
        ax.set(xlabel="optimisation steps", yscale="log" if log else "linear")
    np.atleast_1d(axes)[0].set_ylabel(ylabel)
    plots.legend_below(figure, ax, top=None)
    return figure


def trade_off(shares: Sequence[float], scores: Mapping, ring: int):
    """Draw the scores of two tasks against each other, a point for each share of the weight.

    Parameters
    ----------
    shares : sequence of float
        Share of the first task in the total weight.
    scores : dict of str to array_like, shape (shares, seeds)
        Of the two tasks.
    ring : int
        The point that gets a ring.
    """
    if len(scores) != 2 or any(len(v) != len(shares) for v in scores.values()):
        raise ValueError("pass two tasks, with one row of scores for each share.")
    figure, ax = plots.new_figure(None)
    (x, across), (y, up) = (plots.mean_and_arms(np.transpose(v)) for v in scores.values())
    ax.errorbar(x, y, xerr=across, yerr=up, fmt="o-", color="#0072B2", capsize=3)
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
    where = {"textcoords": "offset points", "fontsize": 9, "bbox": box, "zorder": 5}
    for share, *place in zip(shares, x, y, strict=True):
        ax.annotate(f"{share:.3g}", place, (7, -14), **where)
    ax.plot(x[ring], y[ring], "o", markersize=18, fillstyle="none", color="black")
    first, second = scores
    words = f"score of {first} (numbers: its share of the weight)"
    ax.set(xlabel=words, ylabel=f"score of {second}")
    return figure


def weight_explorer(shares: Sequence[float], scores: Mapping) -> ipywidgets.VBox:
    """Return sliders for a task's importance and difficulty, with what that weight gives each task.

    Parameters
    ----------
    shares : sequence of float
        Share of the total weight that the first task had, rising.
    scores : dict of str to array, shape (shares, seeds)
        Scores of two tasks.
    """
    first, second = scores
    values = [1, 2, 5, 10, 20, 50]

    def draw(importance, difficulty):
        weight = importance * difficulty
        near = int(np.abs(np.asarray(shares) - weight / (weight + 1)).argmin())
        display(trade_off(shares, scores, near))
        print(f"{first} weighs {weight} times as much as {second}; nearest measured run: "
              f"share {shares[near]:.3g}")  # fmt: skip

    return widgets.explorer(
        draw,
        importance=widgets.stops(f"importance of {first}", values, 1),
        difficulty=widgets.stops(f"difficulty of {first}", values, 1),
    )
