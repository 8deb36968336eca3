"""Lesson 07a: what of the test rows reaches the learning? Copied rows, and leaks of a procedure."""

from collections.abc import Callable

import numpy as np
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC


def copies(X, others) -> np.ndarray:
    """Return which rows of `X` also stand, number for number, among the rows of `others`.

    Parameters
    ----------
    X : array_like, shape (n, d)
    others : array_like, shape (m, d)

    Returns
    -------
    array of bool, shape (n,)
    """
    X, others = np.asarray(X, dtype=float) + 0.0, np.asarray(others, dtype=float) + 0.0  # -0 is 0
    known = {row.tobytes() for row in others}
    return np.array([row.tobytes() in known for row in X], dtype=bool)


def leaks(procedure: Callable, X, y, train, test) -> list[str]:
    """Inspect a whole procedure for what reaches its learning from the test rows.

    It runs the procedure again on changed tables. Other labels for the test rows must change no score.
    Other features for half of the test rows must change no score of the other half.

    Parameters
    ----------
    procedure : callable
        ``procedure(X, y, train, test)`` does everything, from scaling to scoring, and returns a score
        (such as ``decision_function``), or several, for each test row. The same call must return the
        same scores: fix ``random_state``.
    X : array_like of float, shape (n, d)
    y : array_like, shape (n,)
    train, test : array_like of int
        Rows; `test` has at least 2.

    Returns
    -------
    list of str
        One sentence a leak; empty if none was found. A procedure that passes may still leak in a way
        that these changes do not touch.

    Raises
    ------
    ValueError
        If two runs of the same procedure differ.
    """
    X, y, train, test = np.array(X, dtype=float), np.array(y), np.asarray(train), np.asarray(test)
    before = np.asarray(procedure(X.copy(), y.copy(), train, test))
    if not np.array_equal(before, procedure(X.copy(), y.copy(), train, test)):
        raise ValueError("two runs of the same procedure differ: fix every random_state in it.")
    found, labels = [], y.copy()
    names, place = np.unique(y, return_inverse=True)
    labels[test] = names[(place[test] + 1) % len(names)]  # no label stays
    if not np.array_equal(before, procedure(X.copy(), labels, train, test)):
        found.append("labels of test rows reach what is learned: choose and fit on training rows.")
    moved = X.copy()
    moved[test[::2]] = 3 * X[test[::2]] + X.std(axis=0)
    after = np.asarray(procedure(moved, y.copy(), train, test))
    if not np.array_equal(before[1::2], after[1::2]):
        found.append("features of test rows reach what is learned: fit every step in a Pipeline.")
    if same := int(copies(X[test], X[train]).sum()):
        found.append(
            f"{same} of {len(test)} test rows are copies of training rows: keep one copy, or split "
            "so that copies stay together."
        )
    return found


def noise(seed: int):
    """Return pure noise: a table (60, 2000) and labels (half 0, half 1); and five folds."""
    rng = np.random.default_rng([seed, 11])
    y = rng.permutation(np.arange(60) % 2)
    return rng.normal(size=(60, 2000)), y, StratifiedKFold(5, shuffle=True, random_state=seed)


def flattery(seed: int) -> dict[str, tuple[float, float]]:
    """Return cross-validated accuracies on pure noise, where the truth is 0.5: leaky and honest.

    The leaks: twenty columns chosen on all rows; a scaler fitted on all rows; half of the rows copied,
    so that copies stand on both sides of a split.
    """
    X, y, folds = noise(seed)
    few, twice = X[:, :20], np.r_[: len(y), np.random.default_rng(seed).choice(len(y), 30, False)]
    select, scale, near = SelectKBest(f_classif, k=20), StandardScaler(), KNeighborsClassifier(1)

    def score(model, X, y):
        return cross_val_score(model, X, y, cv=folds).mean()

    return {
        "choice of columns": (
            score(LogisticRegression(), select.fit_transform(X, y), y),
            score(make_pipeline(select, LogisticRegression()), X, y),
        ),
        "scaler": (
            score(SVC(), scale.fit_transform(few), y),
            score(make_pipeline(scale, SVC()), few, y),
        ),
        "copied rows": (score(near, few[twice], y[twice]), score(near, few, y)),
    }
