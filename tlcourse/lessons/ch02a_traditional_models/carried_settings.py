"""Lesson 02a, settings: a kernel tuned where labels are many, and what it is worth to the target."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.svm import SVC

from tlcourse.data import draw_rows
from tlcourse.data.tables import breast_cancer
from tlcourse.lessons.ch02a_traditional_models.tables import paid_rows

PER_CLASS = 3  # labels of the target
SVM_GRID = [
    {"kernel": ["linear", "poly"], "C": [0.01, 0.1, 1, 10]},
    {"kernel": ["rbf"], "C": [1, 10, 100], "gamma": ["scale", 0.01, 0.1]},
]


def tune(X, y, seed: int) -> dict:
    """Choose kernel, C and gamma of an SVM by cross-validation on the given rows.

    Parameters
    ----------
    X : array_like, shape (n, features)
    y : array_like of int, shape (n,)
    seed : int
        Moves the folds: 5, or as many as the rarest class has rows.

    Raises
    ------
    ValueError
        If a class has fewer than 2 rows.
    """
    rarest = np.unique(y, return_counts=True)[1].min()
    if rarest < 2:
        raise ValueError("cross-validation needs at least 2 labelled rows of every class.")
    folds = StratifiedKFold(min(5, rarest), shuffle=True, random_state=seed)
    search = GridSearchCV(SVC(), SVM_GRID, scoring="balanced_accuracy", cv=folds, refit=False)
    return search.fit(X, y).best_params_


def halved_digits(seed: int) -> tuple:
    """Return digits 0 to 4 (200 pictures), digits 5 to 9 to draw from (400), and to test (the rest).

    Each is a pair (X, y): 64 grey levels from 0 to 1, and the digit. Another task, the same domain.
    """
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(y))
    source, target = order[y[order] < 5][:200], order[y[order] >= 5]
    return tuple((X[rows] / 16, y[rows]) for rows in (source, target[:400], target[400:]))


def three_ways(source, few, test, seed: int) -> dict[str, float]:
    """Learn an SVM from `few` rows with settings from three places; each input is a pair (X, y).

    Returns
    -------
    dict
        Balanced accuracy on `test` by where the settings come from.
    """
    places = {
        "scikit-learn's defaults": {},
        "tuned on the few labels": tune(*few, seed),
        "carried from the source": tune(*source, seed),
    }
    X, y = test
    return {
        place: float(balanced_accuracy_score(y, SVC(**settings).fit(*few).predict(X)))
        for place, settings in places.items()
    }


def settings_from(problem: str, seed: int) -> dict[str, float]:
    """Run `three_ways` on "digits" (0–4 → 5–9) or on a division of the tumours by a covariate."""
    if problem == "digits":
        source, (X, y), test = halved_digits(seed)
        few = draw_rows(y, PER_CLASS, seed)
        return three_ways(source, (X[few], y[few]), test, seed)
    shift = breast_cancer(problem, seed)
    rows = shift.source, paid_rows(shift, PER_CLASS, seed), shift.test
    return three_ways(*((shift.Z[r], shift.y[r]) for r in rows), seed)
