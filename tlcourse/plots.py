"""Figures of measured results, one function a kind.

Every function takes results and returns a `Figure`, which a notebook shows when it is the last
value of a cell. Nothing goes through pyplot, so no figure is shown twice or stays open. No
information is in the colour alone: methods also differ by marker and line style.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence

import matplotlib.figure
import numpy as np
from matplotlib.patches import Rectangle
from PIL import Image

from tlcourse.experiment import interval, paired

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


# ── curves ──────────────────────────────────────────────────────────────────────────────────


def label_efficiency(
    budgets: Sequence[float],
    accuracy: Mapping,
    title: str | None = None,
    mark: tuple[str, float] | None = None,
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

    Returns
    -------
    Figure
    """
    figure, ax = new_figure(title)
    mean_curves(ax, budgets, accuracy)
    if mark:
        _ring(ax, budgets, accuracy, *mark)
    ax.set_xscale("log")
    ax.set_xticks(budgets, [f"{b:g}" for b in budgets])
    ax.set_xticks([], minor=True)
    ax.set_xlabel("labels per class (log scale)")
    ax.set_ylabel("test accuracy")
    legend_below(figure, ax)
    return figure


def learning_speed(
    steps: Sequence[float], curves: Mapping, target: float, title: str | None = None
):
    """Plot validation accuracy against optimisation steps, with the accuracy to reach.

    Parameters
    ----------
    steps : sequence of float
        Optimisation steps at which accuracy was measured.
    curves : dict of str to array_like, shape (seeds, steps)
        Validation accuracy from 0 to 1 by method.
    target : float
        Drawn as a horizontal line.
    title : str, optional

    Returns
    -------
    Figure
    """
    figure, ax = new_figure(title)
    mean_curves(ax, steps, curves)
    ax.axhline(target, color=GUIDE, linewidth=1, linestyle=(0, (1, 2)), label=f"target {target:g}")
    ax.set_xlabel("optimisation steps")
    ax.set_ylabel("validation accuracy")
    legend_below(figure, ax)
    return figure


def robustness(severities: Sequence[float], accuracy: Mapping, title: str | None = None):
    """Plot accuracy against the severity of a corruption, one panel a kind.

    Parameters
    ----------
    severities : sequence of float
        The same for every kind.
    accuracy : dict of str to dict of str to array_like, shape (seeds, severities)
        Test accuracy by method and kind of corruption; every method has the same kinds.
    title : str, optional

    Returns
    -------
    Figure
    """
    kinds = [list(by_kind) for by_kind in accuracy.values()]
    if not kinds or not kinds[0] or any(k != kinds[0] for k in kinds):
        raise ValueError("every method needs the same kinds of corruption, at least one.")
    figure, axes = new_figure(title, columns=len(kinds[0]))
    for ax, kind in zip(np.atleast_1d(axes), kinds[0], strict=True):
        mean_curves(ax, severities, {m: by_kind[kind] for m, by_kind in accuracy.items()})
        ax.set_title(kind, fontsize=11)
        ax.set_xticks(severities, [f"{s:g}" for s in severities])
        ax.set_xlabel("severity")
    np.atleast_1d(axes)[0].set_ylabel("test accuracy")
    legend_below(figure, ax)
    return figure


def depth_probe(
    depths: Sequence[str],
    accuracy: Mapping,
    baseline: tuple[str, float] | None = None,
    title: str | None = None,
):
    """Plot the accuracy of a probe against the depth of the features that it reads.

    Parameters
    ----------
    depths : sequence of str
        Names of the layers, from the input upwards.
    accuracy : dict of str to array_like, shape (seeds, depths)
        Test accuracy from 0 to 1 by what the backbone was pretrained on.
    baseline : (str, float), optional
        Name and accuracy of what does without a backbone, drawn as a horizontal line.
    title : str, optional

    Returns
    -------
    Figure
    """
    figure, ax = new_figure(title)
    mean_curves(ax, range(len(depths)), accuracy)
    ax.set_xticks(range(len(depths)), [str(d) for d in depths])
    if baseline:
        name, level = baseline
        ax.axhline(level, color=GUIDE, linewidth=1, linestyle=(0, (1, 2)), label=name)
    ax.set_xlabel("features taken after")
    ax.set_ylabel("test accuracy")
    legend_below(figure, ax)
    return figure


def mean_curves(ax, x, accuracy):
    """Draw one mean curve with its 95 % t interval for each name."""
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
        every = math.ceil(len(x) / 10)
        size = 12 if style["marker"] == "*" else 8  # a star of the same size looks smaller
        edge = {"markeredgecolor": "white", "markeredgewidth": 0.6}
        ax.plot(x, mean, markersize=size, markevery=every, zorder=3, **edge, **style)
        ax.fill_between(x, low, high, color=style["color"], alpha=0.1, linewidth=0)


def _ring(ax, budgets, accuracy, method, budget):
    """Draw a ring round one point of a mean curve."""
    if method not in accuracy or budget not in list(budgets):
        raise ValueError(f"no point {method!r} at {budget}: mark one of the methods and budgets.")
    mean = np.mean(accuracy[method], axis=0)[list(budgets).index(budget)]
    style = {"markersize": 20, "markeredgewidth": 2, "fillstyle": "none", "color": "black"}
    ax.plot(budget, mean, "o", zorder=4, clip_on=False, **style)


# ── differences ─────────────────────────────────────────────────────────────────────────────


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


# ── pictures ────────────────────────────────────────────────────────────────────────────────


def image_grid(images, titles: Sequence[str] | None = None, columns: int = 10):
    """Show grey pictures in rows: black is 0 and white is 1.

    Parameters
    ----------
    images : tensor or array, shape (n, 1, height, width)
    titles : sequence of str, length n, optional
        A word above each picture.
    columns : int
        Pictures a row.

    Returns
    -------
    Figure
    """
    return _grid(images, titles, columns)[0]


def predictions(images, labels, predicted, names: Sequence[str], columns: int = 10):
    """Show pictures with what a model takes them for.

    A right answer has a tick and a thin solid frame; a wrong one a cross, a thick dashed frame, and
    the true name in brackets.

    Parameters
    ----------
    images : tensor or array, shape (n, 1, height, width)
    labels, predicted : tensor or array of int, shape (n,)
        True and predicted class.
    names : sequence of str
        Name of each class, short enough to stand above a picture.
    columns : int
        Pictures a row.

    Returns
    -------
    Figure
    """
    labels, predicted = _array(labels).astype(int), _array(predicted).astype(int)
    if labels.shape != predicted.shape or len(labels) != len(images):
        raise ValueError(
            f"{len(images)} pictures, {labels.size} labels, {predicted.size} predictions: "
            "pass one of each for every picture."
        )
    titles = [
        f"✓ {names[p]}" if p == t else f"✗ {names[p]} (is {names[t]})"
        for t, p in zip(labels, predicted, strict=True)
    ]
    figure, ax, corners, (height, width) = _grid(images, titles, columns)
    for (x, y), right in zip(corners, labels == predicted, strict=True):
        look = (RIGHT, 1.5, "-") if right else (WRONG, 3, "--")
        frame = dict(zip(("edgecolor", "linewidth", "linestyle"), look, strict=True))
        ax.add_patch(Rectangle((x - 0.5, y - 0.5), width, height, fill=False, **frame))
    return figure


def _grid(images, titles, columns):
    """Draw all pictures into one axes (an axes each would be slow); also return their corners."""
    images = _array(images)
    if images.ndim != 4 or images.shape[1] != 1 or not len(images):
        raise ValueError(f"images have shape {images.shape}: pass (n, 1, height, width), n ≥ 1.")
    if titles is not None and len(titles) != len(images):
        raise ValueError(f"{len(titles)} titles for {len(images)} pictures: pass one for each.")
    if columns < 1:
        raise ValueError(f"{columns} columns: show at least 1 picture a row.")
    n, _, height, width = images.shape
    columns = min(columns, n)
    gap = max(2, width // 8)
    across, down = width + gap, height + (round(0.45 * height) if titles else gap)
    corners = [(gap + i % columns * across, (1 + i // columns) * down - height) for i in range(n)]
    canvas = np.ones((math.ceil(n / columns) * down + gap, columns * across + gap))
    for (x, y), image in zip(corners, images[:, 0], strict=True):
        canvas[y : y + height, x : x + width] = image
    scale = min(WIDTH, 1.1 * columns) / canvas.shape[1]  # inches a pixel
    figure = Figure((scale * canvas.shape[1], scale * canvas.shape[0]), DPI)
    ax = figure.add_axes((0, 0, 1, 1))
    ax.imshow(canvas, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    ax.set_axis_off()
    for (x, y), title in zip(corners, titles or [], strict=False):
        ax.text(x + width / 2, y - 0.1 * height, title, ha="center", va="bottom", fontsize=10)
    return figure, ax, corners, (height, width)


# ── shared ──────────────────────────────────────────────────────────────────────────────────


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


def _array(values) -> np.ndarray:
    """Return a tensor of any device as an array."""
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
