"""What belongs together stays together: patients, writers, cameras; and what it costs to forget it."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.stats import t
from sklearn.base import clone, is_regressor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

TRIES = 20  # divisions, until every part has every class
SAID = "a logistic regression has {:.0f} % balanced accuracy"
MOST_ROWS = 2000  # to say what a random division promises


def split_groups(
    labels, groups, parts=(1, 1), names=None, what: str = "groups", seed: int = 0
) -> list[np.ndarray]:
    """Divide rows so that no group is on two sides, each side with about the same shares of classes.

    Parameters
    ----------
    labels : array_like of int, shape (n,)
    groups : array_like, shape (n,)
        Who or what a row comes from.
    parts : sequence of int
        Sizes of the sides, such as ``(2, 1, 2)`` for two fifths, one fifth and two fifths.
    names : sequence of str, optional
        Of the classes, for messages.
    what : str
        What a group is called in messages.
    seed : int

    Returns
    -------
    list of int array
        The rows of each side, in order.

    Raises
    ------
    ValueError
        If a class has fewer groups than the sum of `parts`, or some side always lacks a class.
    """
    labels, owner = np.asarray(labels), np.unique(np.asarray(groups), return_inverse=True)[1]
    folds, classes = sum(parts), np.unique(labels)
    for k in classes:
        if (found := len(np.unique(owner[labels == k]))) < folds:
            name = str(k) if names is None else names[k]
            raise ValueError(
                f"class {name!r} has {found} {what}: it needs {folds} or more; add some, or drop it."
            )
    for attempt in range(TRIES):
        divide = StratifiedGroupKFold(folds, shuffle=True, random_state=seed + attempt)
        pieces = [rows for _, rows in divide.split(labels, labels, owner)]
        ends = np.cumsum((0, *parts))
        sides = [np.sort(np.concatenate(pieces[a:b])) for a, b in pairwise(ends)]
        if all(len(np.unique(labels[side])) == len(classes) for side in sides):
            return sides
    raise ValueError(
        f"no division by {what} gives every side every class: a class lies in too few of them, so add "
        "more or drop it."
    )


class Promise(NamedTuple):
    """Scores of one model, tested on new groups and on new rows of known groups.

    Attributes
    ----------
    by_groups, at_random : float
        Balanced accuracy of a class, R² of a quantity.
    half_width : float
        Half of the 95 % interval of their difference, over groups.
    what : str
        What a group is called, in the plural.
    said : str
        What has the score, and which, with a place for the number.
    """

    by_groups: float
    at_random: float
    half_width: float
    what: str = "groups"
    said: str = SAID

    def __str__(self) -> str:
        """Say how much a random division promises too much."""
        kept, random = 100 * self.by_groups, 100 * self.at_random
        half = 100 * self.half_width
        low, more, high = (f"{random - kept + way:+.0f}" for way in (-half, 0, half))
        start = (
            f"tested on new {self.what}, {self.said.format(kept)}; a random division would have "
        )
        if random == kept:
            return f"{start}promised the same."
        sure = "too much" if random - kept > half else "which may be chance"
        return f"{start}promised {random:.0f} %, {more} points [{low}, {high}], {sure}."


def promise(X, labels, groups, what: str = "groups", model=None, said: str = SAID) -> Promise:
    """Measure what a random division would have promised, and what new groups get.

    Both scores come from answers to all rows, in a cross-validation with as many folds, at most five.
    The interval is that of a ratio of totals, linearised, whose independent units are the groups
    (Cochran 1977, section 9A.2); it leaves out what another division into folds would change.

    Parameters
    ----------
    X : array, shape (n, d)
        Numbers without gaps, unless `model` takes gaps. Of more than 2,000 rows, whole groups are drawn
        up to that many.
    labels : array_like, shape (n,)
        Classes counted from 0; a quantity if `model` is a regressor.
    groups : array_like, shape (n,)
    what : str
        What a group is called, in the plural.
    model : estimator, optional
        By default a logistic regression on standardised columns.
    said : str
        How to say the score of the model, with a place for the number.

    Returns
    -------
    Promise
        Its text is a sentence.

    Raises
    ------
    ValueError
        If there is one group only, or a class has one.
    """
    X, labels = np.asarray(X), np.asarray(labels)
    owner = np.unique(np.asarray(groups), return_inverse=True)[1]
    order = np.random.default_rng(0).permutation(owner.max() + 1)[owner]
    rows = np.flatnonzero(order <= np.sort(order)[: max(MOST_ROWS, 2)][-1])
    X, labels, owner = X[rows], labels[rows], np.unique(owner[rows], return_inverse=True)[1]
    if model is None:
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    total, gained = [], []
    for division, tied in _divisions(labels, owner, quantity=is_regressor(model)):
        answers = cross_val_predict(clone(model), X, labels, groups=tied, cv=division)
        total, got = _totals(labels, answers, quantity=is_regressor(model))
        gained.append(got)
    by_groups, at_random = (float((got.sum(axis=0) / total.sum(axis=0)).mean()) for got in gained)
    half = _half_width(total, gained[1] - gained[0], owner)
    return Promise(by_groups, at_random, half, what, said)


def _divisions(labels, owner, quantity: bool):
    """Return the two divisions into folds, each with the groups that it keeps together."""
    if quantity:
        fewest, kinds = owner.max() + 1, (GroupKFold, KFold)
    else:
        fewest = min(len(np.unique(owner[labels == k])) for k in np.unique(labels))
        kinds = (StratifiedGroupKFold, StratifiedKFold)
    if fewest < 2:
        one = "there is one group" if quantity else "a class has one group"
        raise ValueError(f"{one} only: it cannot be tested on new groups.")
    folds = [kind(min(5, fewest), shuffle=True, random_state=0) for kind in kinds]
    return zip(folds, (owner, None), strict=True)


def _totals(labels, answers, quantity: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return what could be scored in each row, and what was: the ratio of the sums is the score.

    Shape (n, classes), whose mean ratio is the balanced accuracy, or (n, 1), whose ratio is R².
    """
    if quantity:
        spread = (labels - labels.mean()) ** 2
        return spread[:, None], (spread - (labels - answers) ** 2)[:, None]
    total = labels[:, None] == np.unique(labels)
    right = total & (labels == answers)[:, None]
    return total.astype(float), right.astype(float)


def _half_width(total, more, owner) -> float:
    """Return half of the 95 % interval of a mean of ratios of totals, over groups."""
    sums = total.sum(axis=0)
    parts = ((more - total * (more.sum(axis=0) / sums)) / sums).mean(axis=1)
    by_group = np.bincount(owner, parts)
    n = len(by_group)
    return float(t.ppf(0.975, n - 1) * np.sqrt(n / (n - 1) * (by_group**2).sum()))
