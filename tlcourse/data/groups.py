"""What belongs together stays together: patients, writers, cameras, copies of one photograph."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

TRIES = 20  # divisions, until every part has every class
ALIKE, FINE = 0.97, 0.9  # correlations of near-copies; of others .84 and .81, X-rays of chests .95
BLOCK = 1000  # photographs that are compared with all others at a time
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
    """Balanced accuracy of one classifier, tested on new groups and on new rows of known groups."""

    by_groups: float
    at_random: float
    what: str = "groups"

    def __str__(self) -> str:
        """Say how much a random division promises too much."""
        kept, random = 100 * self.by_groups, 100 * self.at_random
        text = (
            f"tested on new {self.what}, a logistic regression has {kept:.0f} % balanced accuracy; a "
            f"random division would have promised {random:.0f} %"
        )
        more = round(random) - round(kept)
        return f"{text}, {more} points too much." if more > 0 else f"{text}: here, no more."


def promise(X, labels, groups, what: str = "groups", model=None) -> Promise:
    """Measure what a random division would have promised, and what new groups get.

    Parameters
    ----------
    X : array, shape (n, d)
        Numbers without gaps. Of more than 2,000 rows, whole groups are drawn up to that many.
    labels : array_like of int, shape (n,)
    groups : array_like, shape (n,)
    what : str
        What a group is called, in the plural.
    model : estimator, optional
        By default a logistic regression on standardised columns.

    Returns
    -------
    Promise
        Its text is a sentence. Both numbers come from answers to all rows in a cross-validation with as
        many folds, at most five.

    Raises
    ------
    ValueError
        If a class has one group only.
    """
    X, labels = np.asarray(X), np.asarray(labels)
    owner = np.unique(np.asarray(groups), return_inverse=True)[1]
    order = np.random.default_rng(0).permutation(owner.max() + 1)[owner]
    rows = np.flatnonzero(order <= np.sort(order)[: max(MOST_ROWS, 2)][-1])
    X, labels, owner = X[rows], labels[rows], owner[rows]
    fewest = min(len(np.unique(owner[labels == k])) for k in np.unique(labels))
    if fewest < 2:
        raise ValueError("a class has one group only: it cannot be tested on new groups.")
    folds = {"n_splits": min(5, fewest), "shuffle": True, "random_state": 0}
    model = model or make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    scores = []
    for division, tied in (
        (StratifiedGroupKFold(**folds), owner),
        (StratifiedKFold(**folds), None),
    ):
        said = cross_val_predict(clone(model), X, labels, groups=tied, cv=division)
        scores.append(balanced_accuracy_score(labels, said))
    return Promise(*scores, what)


# ── copies ──────────────────────────────────────────────────────────────────────────────────


def near_copies(thumbnails: np.ndarray) -> list[tuple[int, int]]:
    """Return the pairs of photographs that are copies of each other, or nearly.

    Two are, if their small grey pictures, with the mean of all taken away, correlate above .97, and the
    fine part of these above .9. That is so when one was saved again, made smaller, brighter or grey, and
    mostly when one per cent was cut off each side. What all pictures have in common, as X-rays have,
    counts for nothing, and two smooth pictures are not alike for that.

    Parameters
    ----------
    thumbnails : array, shape (n, side, side)
        Grey, from 0 to 255, of whole photographs; the side is a multiple of four, such as 16.

    Returns
    -------
    list of (int, int)
        The smaller position first.
    """
    small = np.asarray(thumbnails, dtype=np.float32)
    fine = _fine(small)
    flat = fine.std(axis=1) < 0.5  # one colour all over, which says nothing
    whole = _units((small - small.mean(axis=0)).reshape(len(small), -1))
    fine = _units(fine)
    whole[flat] = fine[flat] = 0
    pairs = []
    for start in range(0, len(small), BLOCK):
        some = slice(start, start + BLOCK)
        alike = (whole[some] @ whole.T > ALIKE) & (fine[some] @ fine.T > FINE)
        one, other = np.nonzero(alike)
        pairs += [(int(a), int(b)) for a, b in zip(one + start, other, strict=True) if a < b]
    return pairs


def _fine(small: np.ndarray) -> np.ndarray:
    """Return each picture less the means of its blocks of 4 × 4 pixels, flat."""
    n, side, _ = small.shape
    blocks = small.reshape(n, side // 4, 4, side // 4, 4)
    return (blocks - blocks.mean(axis=(2, 4), keepdims=True)).reshape(n, -1)


def _units(rows: np.ndarray) -> np.ndarray:
    rows = rows - rows.mean(axis=1, keepdims=True)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


def join(n: int, pairs, groups=None) -> np.ndarray:
    """Return who each of `n` rows belongs to, where pairs of rows, and rows of a group, stay together.

    Parameters
    ----------
    n : int
    pairs : sequence of (int, int)
    groups : array_like, shape (n,), optional

    Returns
    -------
    int array, shape (n,)
    """
    rows = np.arange(n)
    first = rows
    if groups is not None:  # each row is tied to the first one of its group
        _, index, owner = np.unique(np.asarray(groups), return_index=True, return_inverse=True)
        first = index[owner]
    ties = np.array([*zip(rows, first, strict=True), *pairs]).reshape(-1, 2).T
    graph = coo_array((np.ones(ties.shape[1], dtype=bool), tuple(ties)), shape=(n, n))
    return connected_components(graph, directed=False)[1]
