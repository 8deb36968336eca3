"""Lesson 02d: the recipe box of lesson 00, read for one folder: labels a class, likeness of the source."""

import numpy as np

from tlcourse.lessons.ch02d_choosing_a_source import photos
from tlcourse.lessons.ch02d_choosing_a_source.own_photos.belonging import folders_below
from tlcourse.lessons.ch02d_choosing_a_source.own_photos.judging import Results
from tlcourse.lessons.ch02d_choosing_a_source.own_photos.reading import Album
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
        "Fine-tune all of it, and judge that on photographs that chose nothing.",
    ),
    (
        "Fine-tune all of it, with a network from scratch as its rival.",
        "Drop the source: train from scratch, with augmentation.",
    ),
)
HOW = (
    "The lines to copy: frozen, lesson 00, section 2 (chapters/00_first_transfer.ipynb); tuned or from "
    "scratch, lesson 2b, section 3 (chapters/02b_deep_models.ipynb)."
)
WORDS = {
    "like": "the source is like your target: what it learned helps",
    "unlike": "the source is unlike your target: what it learned does not help",
    "open": "whether what it learned helps is open, with so few test photographs",
}
LIKE = ("better", "better, by how much is open")


def recipe(results: Results) -> list[str]:
    """Return what to do with this folder, a sentence each, and why.

    The row of the box is the number of labels of the rarest class, test photographs among them: once
    all is measured they may be learned from. Its column is the verdict on ImageNet features against
    random weights with the most labels.
    """
    found = _without_a_choice(results) or _from_the_box(results)
    return found + _care(results)


def _without_a_choice(results: Results) -> list[str]:
    """Return what to do where nothing works, or everything does."""
    last, margin = results.budgets[-1], MARGINS["accuracy"][0]
    best = {method: values[:, -1].mean() for method, values in results.accuracy().items()}
    if best[photos.PIXELS] > 1 - margin:
        easy = f"is right on {100 * best[photos.PIXELS]:.0f} % with {last} labels a class"
        nothing = f"transfer has nothing to add on these {len(results.test)} test photographs"
        return [
            f"A plain SVM on small colour pictures {easy}: {nothing}.",
            "Look whether colour or background give your classes away.",
        ]
    if max(best.values()) < results.majority() + max(margin, results.least_lead()):
        nothing = f"With {last} labels a class no method surely beats always naming one class"
        return [
            f"{nothing}: look whether the photographs show what their folders say, and label more to test."
        ]
    return []


def _from_the_box(results: Results) -> list[str]:
    """Return the cell of the box, and what it rests on."""
    last = results.budgets[-1]
    fewest = int(np.bincount(results.album.labels).min())
    row = next(k for k, (most, _) in enumerate(ROWS) if fewest <= most)
    judged = {j.claim.rsplit(" beat ", 1)[1]: j.verdict for j in results.judged()[-2:]}
    shape, pixels = judged["random weights"], judged[photos.PIXELS]
    column = "like" if shape in LIKE else "open" if shape == "open" else "unlike"
    why = f"against random weights, {last} labels: {shape}"
    advice = [
        f"Your rarest class has {fewest} photographs ({ROWS[row][1]}), and {WORDS[column]} ({why}).",
        BOX[row][column == "unlike"],
    ]
    advice.append(HOW)
    if column == "open":
        advice.append("Label more photographs to test on before you trust it.")
    if pixels not in LIKE:
        ahead = "is ahead" if pixels == "worse" else f"is not beaten for sure ({pixels})"
        advice.append(
            f"A plain SVM on small colour pictures {ahead}: colour or background may give your classes "
            "away, so look at the wrong photographs."
        )
    return advice


def _care(results: Results) -> list[str]:
    """Return what the division and the sizes of the classes ask for."""
    found = []
    if results.majority(balanced=False) > 1.5 / len(results.album.names):
        found.append(
            "Your classes differ in size: report balanced accuracy, and the majority rule beside it."
        )
    if results.album.groups is None:
        found += _together(results.album)
    return found


def _together(album: Album) -> list[str]:
    """Ask what belongs together, by the folders below the classes if there are any."""
    below = folders_below(album)
    inside = [{name for name, k in below if k == label} for label in set(album.labels.tolist())]
    if len(inside[0]) > 1 and all(names == inside[0] for names in inside):
        names = " and ".join(sorted(inside[0])[:3])
        return [f"Every class folder has the folders {names}: are these the classes?"]
    if below:
        what = "if each is a patient, an animal, a camera or a day, then divide by them"
        return [f"There are {len(below)} folders below the classes: {what}: --groups folder."]
    what = "Do photographs belong together, by animal, patient, camera or day? Then divide by them"
    how = "--groups folder, --groups name, or --groups FILE.csv with a row 'file,group' for each"
    return [] if album.parts else [f"{what}: {how}."]
