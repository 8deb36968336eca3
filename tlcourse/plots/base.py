"""Figures of measured results, one function a kind.

Every function takes results and returns a `Figure`, which a notebook shows when it is the last
value of a cell. Nothing goes through pyplot, so no figure is shown twice or stays open. No
information is in the colour alone: methods also differ by marker and line style.
"""

import io
import math
from collections.abc import Sequence

import matplotlib.figure
import numpy as np
from PIL import Image

from tlcourse.experiment import interval

DPI = 100
WIDTH, HEIGHT = 9.0, 4.5  # inches

# Colours of Okabe and Ito (2008), "Color universal design", without yellow: too faint on white.
STYLES = {
    "SVM on pixels": ("#CC79A7", "s", ":"),
    "random forest on pixels": ("#E69F00", "D", "-."),
    "CNN from scratch": ("#56B4E9", "v", "--"),
    "CNN from scratch + augmentation": ("#0072B2", "^", (0, (5, 1, 1, 1, 1, 1))),
    "frozen features + logistic regression": ("#D55E00", "o", "-"),
    "fine-tuning": ("#009E73", "P", (0, (8, 2))),
}
SPARE_STYLES = [("#000000", "X", "-"), ("#882255", "*", (0, (3, 1, 1, 1)))]
RIGHT, WRONG = "#0072B2", "#D55E00"
GUIDE = "#555555"
FAINT = "#AAAAAA"  # curves that are there for comparison only


class Figure(matplotlib.figure.Figure):
    """A figure that a notebook shows once, whether or not pyplot is loaded."""

    def png(self) -> bytes:
        """Return the picture with 256 colours: a quarter of the size, so notebooks stay small."""
        full, small = io.BytesIO(), io.BytesIO()
        self.savefig(full, format="png")
        Image.open(full).convert("RGB").quantize(256).save(small, "PNG", optimize=True)
        return small.getvalue()

    def _ipython_display_(self) -> None:
        from IPython.display import display  # only a notebook gets here, and it has IPython

        display({"image/png": self.png(), "text/plain": repr(self)}, raw=True)


def styles(names: Sequence[str]) -> dict[str, dict]:
    """Return line properties for each name: the methods of the course always look the same.

    Other names take what is left, in order.

    Parameters
    ----------
    names : sequence of str
        At most 8: more cannot be told apart.

    Returns
    -------
    dict of str to dict
        ``color``, ``marker``, ``linestyle`` and ``label``, as ``Axes.plot`` takes them.
    """
    spare = iter([*SPARE_STYLES, *(s for name, s in reversed(STYLES.items()) if name not in names)])
    if len(names) > len(STYLES) + len(SPARE_STYLES):
        raise ValueError(f"{len(names)} curves cannot be told apart: plot at most 8.")
    chosen = {name: STYLES.get(name) or next(spare) for name in names}
    keys = ("color", "marker", "linestyle")
    return {name: dict(zip(keys, s, strict=True)) | {"label": name} for name, s in chosen.items()}


def legend_below(figure, ax, top: float | None = 1.01):
    """Explain the curves below the axes, once nothing is added any more.

    The axes end at `top` at most, for accuracies; None leaves them as they are.
    """
    handles, names = ax.get_legend_handles_labels()
    columns = 2 if len(names) == 4 else 3
    figure.legend(handles, names, loc="outside lower center", ncols=columns, frameon=False)
    if top is not None:
        ax.set_ylim(top=min(top, ax.get_ylim()[1]))


def new_figure(title, columns=1, height=HEIGHT):
    """Return an empty figure and its axes, plain and with a light grid."""
    figure = Figure((WIDTH, height), DPI, layout="constrained")
    axes = figure.subplots(1, columns, sharey=True)
    for ax in np.atleast_1d(axes):
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(color="#DDDDDD", linewidth=0.7)
        ax.set_axisbelow(True)
    if title and columns == 1:
        axes.set_title(title, loc="left", fontsize=12)
    elif title:
        figure.suptitle(title, fontsize=12)
    return figure, axes


def as_array(values) -> np.ndarray:
    """Return a tensor of any device as an array."""
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)


def mean_and_arms(values) -> tuple[np.ndarray, np.ndarray]:
    """Return means and the arms of their 95 % t intervals, as matplotlib's ``errorbar`` takes them.

    Parameters
    ----------
    values : array_like, shape (seeds,) or (seeds, k)

    Returns
    -------
    mean : array, shape () or (k,)
    arms : array, shape (2, 1) or (2, k)
        Below and above the mean.
    """
    low, mean, high = interval(values)
    return mean, np.stack([mean - low, high - mean]).reshape(2, -1)


def mean_curves(ax, x, accuracy, faint: Sequence[str] = ()):
    """Draw one mean curve with its 95 % t interval for each name; those of `faint` in grey."""
    x = np.asarray(x, dtype=float)
    if not accuracy or not x.size:
        raise ValueError("there is nothing to plot: pass at least one method and one point.")
    for name, style in styles(list(accuracy)).items():
        values = np.asarray(accuracy[name], dtype=float)
        if values.ndim != 2 or values.shape[1] != len(x):
            raise ValueError(
                f"{name!r} has shape {values.shape}: pass one row a seed and {len(x)} columns."
            )
        low, mean, high = interval(values)
        if name in faint:
            style |= {"color": FAINT}
        band(ax, x, (low, mean, high), style)


def band(ax, x, about, style: dict) -> None:
    """Draw one curve with a band: `about` is low, mean and high at each x, `style` one of `styles`."""
    low, mean, high = about
    size = 12 if style["marker"] == "*" else 8  # a star of the same size looks smaller
    edge = {"markeredgecolor": "white", "markeredgewidth": 0.6}
    every = math.ceil(len(x) / 10)
    ax.plot(x, mean, markersize=size, markevery=every, zorder=3, **edge, **style)
    ax.fill_between(x, low, high, color=style["color"], alpha=0.1, linewidth=0)
