"""Lesson 07b: one class is rare. Four cures, and the score that tells whether they cure anything."""

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tlcourse.data.tables import halves


def fast_progress(share: float = 0.12) -> tuple[np.ndarray, np.ndarray]:
    """Return 442 diabetes patients, ten measurements each; class 1 has the fastest progress.

    Parameters
    ----------
    share : float
        Of class 1, between 0 and 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"share is {share}: the rare class needs a share between 0 and 1.")
    X, progress = load_diabetes(return_X_y=True)
    return X, (progress > np.quantile(progress, 1 - share)).astype(int)


def resample(y, how: str, seed: int) -> np.ndarray:
    """Return row numbers in which every class is equally frequent.

    Parameters
    ----------
    y : array_like of int, shape (n,)
        Labels of training rows: resample after the split, never before.
    how : {"oversampling", "undersampling"}
        Draw rows of smaller classes again until each is as large as the largest; or keep of each
        only as many as the smallest has.
    seed : int

    Raises
    ------
    ValueError
        If `how` is neither, or there is no row.
    """
    y = np.asarray(y)
    if how not in ("oversampling", "undersampling") or len(y) == 0:
        raise ValueError(f"{how!r} of {len(y)} rows: take oversampling or undersampling, and rows.")
    rng = np.random.default_rng([seed, 73])
    rows = [np.flatnonzero(y == k) for k in np.unique(y)]
    if how == "undersampling":
        smallest = min(map(len, rows))
        return np.concatenate([rng.choice(part, smallest, replace=False) for part in rows])
    largest = max(map(len, rows))
    # Every row once, and the rest drawn with replacement.
    return np.concatenate([[*part, *rng.choice(part, largest - len(part))] for part in rows])


def move_threshold(probability, share: float) -> np.ndarray:
    """Return probabilities of class 1 as they would be if both classes were equally frequent.

    Bayes' rule: the odds are divided by the odds of the prior.

    Parameters
    ----------
    probability : array, shape (n,)
        Between 0 and 1, from a model of data in which class 1 has the given share.
    share : float

    References
    ----------
    Saerens, Latinne and Decaestecker (2002), "Adjusting the outputs of a classifier to new a priori
    probabilities", Neural Computation 14, equation 2.4, doi:10.1162/089976602753284446.
    """
    if not 0 < share < 1:
        raise ValueError(f"share is {share}: both classes need a share above 0.")
    one, zero = np.asarray(probability) / share, (1 - np.asarray(probability)) / (1 - share)
    return one / (one + zero)


def compare(X, y, seed: int) -> dict[str, tuple[float, float, float]]:
    """Return accuracy, balanced accuracy and ROC AUC of a logistic regression under each cure.

    Parameters
    ----------
    X : array, shape (n, d)
    y : array of 0 and 1, shape (n,)
    seed : int
        Of the split into halves, which keeps the shares of the classes, and of resampling.

    Returns
    -------
    dict
        By cure, with "nothing" and with "always no", which says class 0 to everybody.
    """
    train, test = halves(y, seed)
    X, X_test, y, y_test = X[train], X[test], y[train], y[test]

    def probability(rows, class_weight=None):
        model = make_pipeline(StandardScaler(), LogisticRegression(class_weight=class_weight))
        return model.fit(X[rows], y[rows]).predict_proba(X_test)[:, 1]

    everything = np.arange(len(y))
    said = {
        "nothing": probability(everything),
        "always no": np.zeros(len(y_test)),
        "class weights": probability(everything, "balanced"),
        "oversampling": probability(resample(y, "oversampling", seed)),
        "undersampling": probability(resample(y, "undersampling", seed)),
    }
    said["threshold moved"] = move_threshold(said["nothing"], y.mean())
    found = {}
    for name, p in said.items():
        yes = p > 0.5
        right = accuracy_score(y_test, yes), balanced_accuracy_score(y_test, yes)
        found[name] = tuple(map(float, (*right, roc_auc_score(y_test, p))))
    return found
