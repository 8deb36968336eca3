"""Lesson 02d: the recipe box of lesson 00, read for one folder: labels a class, likeness of the source."""

import numpy as np

from tlcourse.lessons.ch02d_choosing_a_source import photos
from tlcourse.lessons.ch02d_choosing_a_source.own_photos.judging import Results
from tlcourse.verdicts.judging import MARGINS

ROWS = ((5, "1 to 5 labels a class"), (50, "6 to 50 labels a class"), (np.inf, "more labels"))
# What to do where the source is like the target, and where it is not: lessons 00, 1 and 2b.
BOX = (
    (
        "Keep it frozen, and put a logistic regression on it.",
        "Keep it frozen; as random weights do as well, you may as well drop it.",
    ),
    (
        "Keep it frozen, and try gentle fine-tuning as its rival: the lower a block, the lower its rate.",
        "Fine-tune all of it, with evaluation on photographs that chose nothing.",
    ),
    (
        "Fine-tune all of it, with a network from scratch as its rival.",
        "Drop the source: train from scratch, with augmentation.",
    ),
)
LIKE = ("better", "better, by how much is open")


def recipe(results: Results) -> list[str]:
    """Return what to do with this folder, a sentence each, and why.

    The row of the box is the number of labels of the rarest class, test photographs among them: once
    all is measured they may be learned from. Its column is the verdict on ImageNet features against
    random weights with the most labels.
    """
    album, last = results.album, results.budgets[-1]
    fewest = int(np.bincount(album.labels).min())
    row = next(k for k, (most, _) in enumerate(ROWS) if fewest <= most)
    judged = {j.claim.rsplit(" beat ", 1)[1]: j for j in results.judged()[-2:]}
    shape, pixels = judged["random weights"], judged[photos.PIXELS]
    like = shape.verdict in LIKE
    column = "like" if like else "open" if shape.verdict == "open" else "unlike"
    words = {
        "like": "the source is like your target: what it learned helps",
        "unlike": "the source is unlike your target: what it learned does not help",
        "open": "whether what it learned helps is open, with so few test photographs",
    }[column]
    why = f"against random weights, {last} labels: {shape.verdict}"
    first = f"Your rarest class has {fewest} photographs ({ROWS[row][1]}), and {words} ({why})."
    advice = [first, BOX[row][column == "unlike"]]
    if column == "open":
        advice.append("Label more photographs to test on before you trust it.")
    best = max(values[:, -1].mean() for values in results.accuracy().values())
    if best < results.majority() + MARGINS["accuracy"][0]:
        nothing = (
            f"With {last} labels a class no method beats always naming one class: look whether the "
            "photographs show what their folders say."
        )
        return [nothing, *_care(results)]
    if pixels.verdict not in LIKE:
        advice.append(
            f"A plain SVM on small colour pictures is not beaten for sure ({pixels.verdict}): colour or "
            "background may give your classes away, so look at the wrong photographs."
        )
    return advice + _care(results)


def _care(results: Results) -> list[str]:
    """Return what the division and the sizes of the classes ask for."""
    found = []
    if results.majority(balanced=False) > 1.5 / len(results.album.names):
        found.append(
            "Your classes differ in size: report balanced accuracy, and the majority rule beside it."
        )
    if results.album.groups is None and not results.album.parts:
        found.append(
            "Do photographs belong together, by animal, patient, camera or day? Then divide by them: "
            "--groups folder, or --groups name."
        )
    return found
