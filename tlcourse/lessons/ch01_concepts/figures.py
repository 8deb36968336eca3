"""The pictures of lesson 01: its idea, and the explorer of how often each digit is read."""

from collections.abc import Mapping, Sequence

import ipywidgets
import numpy as np
from IPython.display import display
from matplotlib.patches import Rectangle

from tlcourse import plots
from tlcourse.data import ImageSet
from tlcourse.teaching import widgets


def label_explorer(test: ImageSet, right: Mapping, budgets: Sequence[int]) -> ipywidgets.VBox:
    """Return a slider for labels per class and a menu of methods, with what the method then reads.

    Parameters
    ----------
    test : ImageSet
    right : dict
        ``(method, per_class)`` to which pictures of `test` were read correctly, an array of bool of
        shape (seeds, pictures).
    budgets : sequence of int
        Labels a class.
    """
    rows = disputed(right)
    methods = list(dict.fromkeys(method for method, _ in right))
    accuracy = {m: np.stack([right[m, k].mean(axis=1) for k in budgets], 1) for m in methods}

    def draw(per_class, method):
        share = right[method, per_class][:, rows].mean(axis=0)
        display(plots.label_efficiency(budgets, accuracy, mark=(method, per_class)))
        print(f"{method}, {per_class} labels per class: the {len(rows)} most disputed pictures,")
        print("above each its digit, and how many of the seeds read it")
        titles = [
            f"{test.names[test.labels[r]]}: {s:.0%}" for r, s in zip(rows, share, strict=True)
        ]
        display(plots.image_grid(test.images[rows], titles))

    return widgets.explorer(
        draw,
        per_class=widgets.stops("labels per class", budgets, list(budgets)[:2][-1]),
        method=widgets.menu("method", methods),
    )


def disputed(right: Mapping, n: int = 20) -> np.ndarray:
    """Return the positions of the `n` pictures on which methods, budgets and seeds disagree most.

    These are read correctly nearest to half of the time. Pictures that everybody reads would show
    nothing.
    """
    share = np.mean([values.mean(axis=0) for values in right.values()], axis=0)
    return np.argsort(np.abs(2 * share - 1).round(9), kind="stable")[:n]


def backbone_and_head(letter, digit) -> plots.Figure:
    """Draw the idea of the lesson: a backbone that learned from letters gets a new head for digits.

    Parameters
    ----------
    letter, digit : array_like, shape (side, side)
        A picture of the source and one of the target.
    """
    figure, ax = plots.new_figure(
        "Keep what turns a picture into numbers, replace what names it", height=4.2
    )
    ax.set(xlim=(0, 11), ylim=(0, 5))
    ax.axis("off")
    for y, picture, names in (
        (
            3.1,
            letter,
            ("a printed letter", "1  pretrain: labels plenty", "old head:\nwhich letter?"),
        ),
        (0.6, digit, ("a handwritten digit", "2  transfer: labels few", "new head:\nwhich digit?")),
    ):
        ax.imshow(picture, cmap="gray", extent=(0.3, 1.6, y, y + 1.3), aspect="auto", zorder=2)
        ax.text(0.3, y + 1.45, names[1], weight="bold", va="bottom")
        ax.text(0.95, y - 0.1, names[0], ha="center", va="top", fontsize=9)
        _network(ax, y, names[2])
    ax.annotate("", (4.4, 1.95), (4.4, 3.05), arrowprops={"arrowstyle": "-|>", "lw": 2})
    ax.text(
        4.6, 2.45, "copied: frozen (linear probe),\nor trained further (fine-tuning)", va="center"
    )
    return figure


def _network(ax, y, head):
    """Draw four blocks, the numbers they end in, and a head."""
    for block in range(4):
        _box(ax, 2.3 + 1.05 * block, y, 0.95, f"block\n{block + 1}", plots.RIGHT)
    _box(ax, 6.6, y, 1.1, "256\nnumbers", plots.GUIDE)
    _box(ax, 8.3, y, 2.3, head, plots.WRONG)
    for start, end in ((1.65, 2.25), (7.75, 8.25)):
        ax.annotate("", (end, y + 0.65), (start, y + 0.65), arrowprops={"arrowstyle": "-|>"})


def _box(ax, x, y, width, text, colour):
    where = {"ha": "center", "va": "center", "color": "white", "fontsize": 10, "zorder": 3}
    ax.add_patch(Rectangle((x, y), width, 1.3, facecolor=colour, edgecolor="white"))
    ax.text(x + width / 2, y + 0.65, text, **where)
