"""Pictures in rows: what a network sees, and what it takes it for."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.patches import Rectangle

from tlcourse.plots.base import DPI, RIGHT, WIDTH, WRONG, Figure, as_array


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
    labels, predicted = as_array(labels).astype(int), as_array(predicted).astype(int)
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
    for corner, right in zip(corners, labels == predicted, strict=True):
        _frame(ax, corner, (width, height), 1.5 if right else 3, right)
    return figure


def _frame(ax, corner, size, linewidth, right, **more):
    """Draw a solid frame round a picture, or a dashed one if its prediction is wrong."""
    color, line = (RIGHT, "-") if right else (WRONG, "--")
    look = {"edgecolor": color, "linestyle": line, "linewidth": linewidth, "fill": False}
    x, y = corner
    ax.add_patch(Rectangle((x - 0.5, y - 0.5), *size, **look, **more))


def _grid(images, titles, columns):
    """Draw all pictures into one axes (an axes each would be slow); also return their corners."""
    images = as_array(images)
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


def photographs(images: np.ndarray, titles: Sequence[str], right: Sequence[bool], columns: int = 6):
    """Show colour photographs with a title each; a wrong one has a thick dashed frame.

    Parameters
    ----------
    images : array, shape (n, side, side, 3), uint8
    titles : sequence of str
    right : sequence of bool
        Whether the prediction in the title is right.
    columns : int

    Returns
    -------
    Figure
    """
    rows = -(-len(images) // columns)
    figure = Figure((1.45 * columns, 1.7 * rows), 80, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes:
        ax.set_axis_off()
    for ax, image, title, is_right in zip(axes, images, titles, right, strict=False):
        ax.imshow(image)
        ax.set_title(title, fontsize=9)
        _frame(ax, (0, 0), image.shape[:2], 2 if is_right else 5, is_right, clip_on=False)
    return figure
