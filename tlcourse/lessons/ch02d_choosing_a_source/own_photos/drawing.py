"""Lesson 02d: figures of a reader's own photographs, with class names from anywhere."""

from dataclasses import dataclass

import numpy as np
from PIL import ImageOps
from sklearn.metrics import confusion_matrix

from tlcourse import plots
from tlcourse.data import pictures
from tlcourse.lessons.ch02d_choosing_a_source import figures, photos
from tlcourse.lessons.ch02d_choosing_a_source.own_photos.judging import Results
from tlcourse.plots import fonts

MOST = 12  # classes in the confusion matrix
WRONG = 12  # photographs that were named wrongly
SIDE = 160  # pixels of each


@dataclass(frozen=True)
class Misnamed:
    """A test photograph that was named wrongly in some draws."""

    row: int  # in the album
    truth: int
    said: int
    share: float

    def words(self, names) -> str:
        """Say what it is and what it was taken for."""
        return f"{names[self.truth]}, said {names[self.said]}"


def mistakes(results: Results, most: int = WRONG) -> list[Misnamed]:
    """Return the test photographs that ImageNet features name wrongly most often, with most labels."""
    said = results.said[photos.IMAGENET][:, -1]
    wrong = (said != results.truth).mean(axis=0)
    found = []
    for k in np.argsort(-wrong, kind="stable")[:most]:
        if wrong[k]:
            answers = said[:, k][said[:, k] != results.truth[k]]
            answer = int(np.bincount(answers).argmax())
            found.append(
                Misnamed(int(results.test[k]), int(results.truth[k]), answer, float(wrong[k]))
            )
    return found


def thumbnail(path):
    """Return a photograph as a square (PIL): its middle, as the network sees it."""
    return ImageOps.fit(pictures.open_photograph(path, SIDE)[0], (SIDE, SIDE))


def label_efficiency(results: Results) -> plots.Figure:
    """Plot balanced accuracy against labels a class, and what always naming one class gives."""
    accuracy, majority = results.accuracy(), results.majority()
    last = {method: values[:, -1].mean() for method, values in accuracy.items()}
    title = f"{results.budgets[-1]} labels a class: " + ", ".join(
        f"{method} {100 * mean:.0f} %" for method, mean in last.items()
    )
    figure = plots.label_efficiency(results.budgets, accuracy, title)
    ax = figure.axes[0]
    low = min(ax.get_ylim()[0], majority - 0.03)
    ax.set_ylim(bottom=low)
    ax.axhline(majority, color=plots.GUIDE, linewidth=1, linestyle=":")
    ax.annotate(
        "always the commonest class", (1, majority), xycoords=("axes fraction", "data"),
        xytext=(0, 4), textcoords="offset points", ha="right",
    )  # fmt: skip
    ax.set_ylabel("balanced test accuracy")
    ax.set_xlabel("labels a class (log scale); bands: 95 % over draws of labels")
    return figure


def confusion(results: Results, labels: list[str]) -> plots.Figure:
    """Plot what was taken for what with the most labels; of many classes those with most mistakes."""
    said, n = results.said[photos.IMAGENET][:, -1], len(labels)
    truth = np.tile(results.truth, len(said))
    counts = confusion_matrix(truth, said.ravel(), labels=range(n))
    if n <= MOST:
        return figures.confusion(counts, labels)
    off = counts - np.diag(np.diag(counts))
    worst = np.sort(np.argsort(-(off.sum(0) + off.sum(1)), kind="stable")[: MOST - 1])
    to = np.zeros((n, MOST))
    to[:, -1] = 1
    to[worst] = np.eye(MOST)[: MOST - 1]
    return figures.confusion(to.T @ counts @ to, [*(labels[k] for k in worst), "the others"])


def wrong(results: Results, labels: list[str]) -> plots.Figure | None:
    """Show the photographs that are named wrongly most often, or nothing if there are none."""
    found = mistakes(results)
    if not found:
        return None
    shown = [thumbnail(results.album.paths[mistake.row]) for mistake in found]
    words = [f"{labels[m.truth]}\nsaid {labels[m.said]}" for m in found]
    return plots.photographs(np.stack([np.asarray(p) for p in shown]), words, [False] * len(found))


def png(results: Results) -> tuple[dict[str, bytes], str]:
    """Return the figures as PNG files by name, and a sentence on names that no font here has."""
    names = results.album.names
    with fonts.drawing(names) as (labels, lacking):
        drawn = {
            "label-efficiency": label_efficiency(results),
            "confusion": confusion(results, labels),
            "wrong": wrong(results, labels),
        }
        files = {name: figure.png() for name, figure in drawn.items() if figure is not None}
    return files, fonts.sentence(lacking, names)
