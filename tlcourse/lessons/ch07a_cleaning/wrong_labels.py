"""Lesson 07a: wrong labels, planted so that the truth stays known, found by confident learning."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from tlcourse import experiment
from tlcourse.data.perturb import redraw_labels

CANDIDATES = (0.3, 1, 3, 10)


def suspicious(probabilities, labels) -> np.ndarray:
    """Return which labels are probably wrong, by confident learning.

    Class j is credible for a row whose probability of j reaches the threshold of j: the mean
    probability of j over the rows labelled j. A label is suspicious where some other class is
    credible, and the most probable credible class is not the label.

    Parameters
    ----------
    probabilities : array_like, shape (n, classes)
        Of a model that did not learn from the row: ``cross_val_predict(..., method="predict_proba")``.
    labels : array_like of int, shape (n,)
        Columns of `probabilities`.

    Returns
    -------
    array of bool, shape (n,)

    Raises
    ------
    ValueError
        If a label has no column, or the lengths differ.

    References
    ----------
    Northcutt, Jiang and Chuang (2021), "Confident learning", arXiv:1911.00068, equations 1 and 2.
    """
    p, labels = np.asarray(probabilities, dtype=float), np.asarray(labels)
    if p.ndim != 2 or labels.shape != p.shape[:1]:
        raise ValueError(f"{p.shape} probabilities for {labels.shape} labels: pass a row for each.")
    if not np.isin(labels, np.arange(p.shape[1])).all():
        raise ValueError("a label has no column of probabilities: number the classes 0, 1, 2, ….")
    # A class without rows gets an infinite threshold: nothing says when it would be credible.
    means = [p[labels == j, j].mean() if (labels == j).any() else np.inf for j in range(p.shape[1])]
    credible = np.where(p >= means, p, -1.0)
    best = credible.argmax(axis=1)
    return (credible.max(axis=1) >= 0) & (best != labels)


def doubtful(X, labels, seed: int) -> np.ndarray:
    """Return which labels are `suspicious` to ten neighbours from four fifths without the row.

    Parameters
    ----------
    X : array, shape (n, d)
        On comparable scales, without gaps.
    labels : array, shape (n,)
        Each class in at least 5 rows.
    seed : int
        Of the five folds.
    """
    classes = np.unique(labels, return_inverse=True)[1]
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    neighbours = KNeighborsClassifier(10)
    p = cross_val_predict(neighbours, X, classes, cv=folds, method="predict_proba")
    return suspicious(p, classes)


# ── what filtering is worth ─────────────────────────────────────────────────────────────────


def draw(share: float, seed: int) -> dict[str, np.ndarray]:
    """Return digits, their true and their given labels, and rows for training, test and choosing.

    Parameters
    ----------
    share : float
        Of the labels that are drawn anew from all ten classes.
    seed : int
        Of the draw and of the split.

    Returns
    -------
    dict of str to array
        ``pictures`` (n, 64) from 0 to 1, ``true`` and ``given`` (n,); the rows ``train`` (500),
        ``test`` (500) and ``validation`` (300).
    """
    pictures, true = load_digits(return_X_y=True)
    rows = np.random.default_rng([seed, 10]).permutation(len(true))
    given = redraw_labels(torch.from_numpy(true), share, 10, seed).numpy()
    parts = {"train": rows[:500], "test": rows[500:1000], "validation": rows[1000:1300]}
    return {"pictures": pictures / 16, "true": true, "given": given, **parts}


def score(drawn: dict, rows, part: str, C: float) -> float:
    """Return the accuracy, by true labels of a part, of an SVM that learned given labels of rows."""
    X, test = drawn["pictures"], drawn[part]
    return SVC(C=C).fit(X[rows], drawn["given"][rows]).score(X[test], drawn["true"][test])


def trusted(drawn: dict, seed: int) -> np.ndarray:
    """Return the training rows whose labels are not `doubtful`."""
    train = drawn["train"]
    return train[~doubtful(drawn["pictures"][train], drawn["given"][train], seed)]


def choose_C(shares, seeds) -> dict[float, tuple[float, float]]:
    """Return, by share of noise, the best C for all training rows and for the trusted ones.

    Best on validation rows with true labels, over seeds that no report uses.
    """

    def scores(share, seed):
        drawn = draw(share, seed)
        sets = drawn["train"], trusted(drawn, seed)
        return [[score(drawn, s, "validation", C) for C in CANDIDATES] for s in sets]

    means = {share: np.mean([scores(share, seed) for seed in seeds], axis=0) for share in shares}
    return {share: tuple(CANDIDATES[row.argmax()] for row in rows) for share, rows in means.items()}


def compare(shares, seeds, chosen: dict) -> tuple[dict, np.ndarray]:
    """Return test accuracies with and without filtering, and how well wrong labels were found.

    Parameters
    ----------
    shares : sequence of float
        Of labels drawn anew.
    seeds : sequence of int
    chosen : dict
        From `choose_C`.

    Returns
    -------
    accuracy : dict of str to array, shape (seeds, shares)
    found : array, shape (seeds, shares, 2)
        The share of wrong labels that was dropped, and of dropped labels that were wrong (0 where
        there is none).
    """

    def at(seed, share):
        drawn, (plain, filtered) = draw(share, seed), chosen[share]
        train, kept = drawn["train"], trusted(drawn, seed)
        wrong, dropped = drawn["given"] != drawn["true"], np.setdiff1d(train, kept)
        hits = wrong[dropped].sum()
        return {
            "SVM, C = 10": score(drawn, train, "test", 10),
            "SVM, C chosen": score(drawn, train, "test", plain),
            "filtered, C chosen": score(drawn, kept, "test", filtered),
            "only right labels": score(drawn, train[~wrong[train]], "test", 10),
            "found": (hits / max(wrong[train].sum(), 1), hits / max(len(dropped), 1)),
        }

    def run(seed):
        return experiment.table([at(seed, share) for share in shares])

    runs = experiment.repeat(run, seeds, "labels", workers=1)  # too short to start processes for
    accuracy = experiment.table(runs)
    found = accuracy.pop("found")
    return accuracy, found
