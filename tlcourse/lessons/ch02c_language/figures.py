"""Figures of the language lesson: who looks at whom, and words on a map."""

from collections.abc import Mapping, Sequence

import numpy as np

from tlcourse.plots import HEIGHT, SPARE_STYLES, STYLES, new_figure


def looks(panels: Mapping[str, np.ndarray], words: Sequence[str], title: str | None = None):
    """Plot matrices of who looks at whom, side by side: a row reads, a column is read.

    Parameters
    ----------
    panels : dict of str to array_like, shape (words, words)
        Weights from 0 (white) to 1 (dark) by the name of the panel.
    words : sequence of str
        The same for rows and columns.
    title : str, optional

    Returns
    -------
    Figure
    """
    for name, weights in panels.items():
        if np.shape(weights) != (len(words), len(words)):
            raise ValueError(
                f"{name!r} has shape {np.shape(weights)}: pass one row and one column for each of "
                f"the {len(words)} words."
            )
    figure, axes = new_figure(title, columns=len(panels), height=HEIGHT)
    for ax, (name, weights) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        ax.imshow(weights, cmap="Blues", vmin=0, vmax=1)
        ax.set_xticks(range(len(words)), words, rotation=90)
        ax.set_yticks(range(len(words)), words)
        ax.set_title(name, fontsize=11)
        ax.grid(False)
    return figure


def word_map(
    groups: Mapping[str, Sequence[str]], places: Mapping[str, Sequence[float]], title=None
):
    """Plot words at their places on a plane, one marker and colour a group.

    Parameters
    ----------
    groups : dict of str to sequence of str
        Words by the name of their group.
    places : dict of str to (float, float)
        Of every word.
    title : str, optional

    Returns
    -------
    Figure
    """
    figure, ax = new_figure(title)
    looks_of_groups = [*STYLES.values(), *SPARE_STYLES]
    if len(groups) > len(looks_of_groups):
        raise ValueError(f"{len(groups)} groups cannot be told apart: plot at most 8.")
    for (name, words), (color, marker, _) in zip(groups.items(), looks_of_groups, strict=False):
        x, y = np.array([places[word] for word in words]).T
        ax.plot(x, y, marker, color=color, label=name)
        for word in words:
            ax.annotate(word, places[word], (4, 3), textcoords="offset points", fontsize=9)
    ax.set_xticks([])
    ax.set_yticks([])
    handles, names = ax.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names), frameon=False)
    return figure
