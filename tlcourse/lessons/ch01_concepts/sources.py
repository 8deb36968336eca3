"""Lesson 01: which settings suit which source. Each gets its own, chosen on targets that no report uses.

A rate that suits a network of letters may ruin one of font faces. Judged with a borrowed rate, a source
would look worse than it is.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

from tlcourse import settings
from tlcourse.data import ImageSet, Splits, development_targets
from tlcourse.lessons.ch01_concepts import transfer

SETTINGS = Path(__file__).with_suffix(".json")
SOURCES = ("letters", "inverted", "faces")
LABELS = 5  # a class
PROBE, TUNED = "frozen features + logistic regression", "fine-tuning"
TURNED = "inverted, target too"  # the inverted source, for targets that are turned as well


def black_on_white(pictures: ImageSet) -> ImageSet:
    """Return pictures with ink and paper exchanged."""
    return replace(pictures, images=1 - pictures.images)


def turned_targets(seed: int, per_class: int) -> list[Splits]:
    """Return the development targets, black on white."""
    return [
        Splits(*(black_on_white(part) for part in target))
        for target in development_targets(seed, per_class)
    ]


def choose(method: str, source: str, targets=development_targets) -> dict:
    """Return the candidate that suits a method and a source best."""
    learn = partial(transfer.METHODS[method], source=source)
    seeds = settings.choosing_seeds()
    return transfer.choose(learn, transfer.CANDIDATES[method], LABELS, seeds, targets)


def main() -> None:
    """Choose the settings of the linear probe and of fine-tuning for each source."""
    found = {s: {method: choose(method, s) for method in (PROBE, TUNED)} for s in SOURCES}
    found[TURNED] = {PROBE: choose(PROBE, "inverted", turned_targets)}
    settings.store(SETTINGS, found)
