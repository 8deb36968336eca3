"""Lesson 00: what its claims measure, on photographs of ants and bees. A part is a function of the seed.

It returns, by name, which of the 239 test photographs were named correctly. The names are those that
``claims.toml`` uses. Nothing is chosen: the logistic regression is scikit-learn's default, C = 1.
"""

from functools import cache

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from tlcourse.data import draw_rows
from tlcourse.lessons.ch00_first_transfer import features, photographs
from tlcourse.verdicts import Care

BUDGETS = (1, 2, 5, 10, 20, 50)  # labels a class
TESTED = 0.6  # of the photographs: many, because they decide how narrow an interval can be
FROZEN, RANDOM, COLOURS = (
    f"{what} + logistic regression"
    for what in ("frozen features", "random weights", "colour counts")
)
METHODS = (FROZEN, RANDOM, COLOURS)
# Different photographs. How often the network saw each of them, its weights file does not say.
IMAGENET = 1_281_167
RESTS_ON: list = []  # no file of this package: the weights are torchvision's


@cache
def ants_and_bees() -> dict[str, np.ndarray]:
    """Return the arrays of `features.represent` for all 397 photographs."""
    return features.represent(photographs.ants_and_bees())


def groups() -> None:
    """Each photograph counts for itself: who took it is not known."""


def divide(labels) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to draw labels from and the rows to test on, the same at every call.

    Parameters
    ----------
    labels : array_like of int, shape (n,)

    Raises
    ------
    ValueError
        If a class has too few photographs.
    """
    labels = np.asarray(labels)
    photographs.enough(labels, range(labels.max() + 1))
    rows = np.arange(len(labels))
    return tuple(train_test_split(rows, test_size=TESTED, stratify=labels, random_state=0))


def learn(arrays: dict, per_class: int, seed: int) -> dict[str, np.ndarray]:
    """Learn from the same few photographs with each of `METHODS`; return which of the test are right.

    Parameters
    ----------
    arrays : dict
        From `features.represent`.
    per_class : int
        Labels a class.
    seed : int
        Draws the labelled photographs, and one of the random networks.

    Returns
    -------
    dict of str to bool array, shape (test photographs,)
    """
    labels = arrays["labels"]
    pool, test = divide(labels)
    rows = pool[draw_rows(labels[pool], per_class, seed)]
    views = ("imagenet", f"random {seed % features.INITS}", "colours")
    found = {}
    for method, view in zip(METHODS, views, strict=True):
        head = LogisticRegression(max_iter=2000).fit(arrays[view][rows], labels[rows])
        found[method] = head.predict(arrays[view][test]) == labels[test]
    return found


def draws(seed: int) -> dict[str, np.ndarray]:
    """Draw labels of ants and bees at each budget, and learn with each method."""
    return {
        f"{k} labels: {method}": right
        for k in BUDGETS
        for method, right in learn(ants_and_bees(), k, seed).items()
    }


PARTS = {"draws": draws}


def care() -> dict[str, Care]:
    """Return what each measured method was given, by measurement."""
    shown = {FROZEN: IMAGENET, RANDOM: 0, COLOURS: 0}
    return {f"{k} labels: {m}": Care(k, 1, 0, False, shown[m]) for k in BUDGETS for m in METHODS}
