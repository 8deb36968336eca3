"""Chapter 7: outliers and wrong labels, planted so that the truth stays known, found and mended."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import KNNImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler
from sklearn.svm import SVC

from tlcourse.gaps import halves, hide

# ── outliers ────────────────────────────────────────────────────────────────────────────────


def spike(X, share: float, factor: float, seed: int) -> np.ndarray:
    """Return a copy of a table in which a share of the cells is multiplied by `factor`.

    Raises
    ------
    ValueError
        If the share is no probability.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}: it is a probability, from 0 to 1.")
    X = np.array(X, dtype=float)
    hit = np.random.default_rng([seed, 8]).random(X.shape) < share
    X[hit] *= factor
    return X


class Clipper(TransformerMixin, BaseEstimator):
    """Move each cell outside its column's fences to the fence (or make it a gap); gaps stay gaps.

    The fences lie `k` interquartile ranges below the first and above the third quartile of the
    table that `fit` sees (Tukey 1977, "Exploratory Data Analysis", chapter 2, with k = 1.5).

    Parameters
    ----------
    k : float
        Interquartile ranges.
    gaps : bool
        Write NaN instead of the fence.
    """

    def __init__(self, k: float = 3.0, gaps: bool = False):
        self.k, self.gaps = k, gaps

    def fit(self, X, y=None):
        """Learn both fences of each column."""
        first, third = np.nanpercentile(np.asarray(X, dtype=float), [25, 75], axis=0)
        self.low_, self.high_ = first - self.k * (third - first), third + self.k * (third - first)
        return self

    def outside(self, X) -> np.ndarray:
        """Return which cells lie outside the fences."""
        return (np.asarray(X) < self.low_) | (np.asarray(X) > self.high_)

    def transform(self, X) -> np.ndarray:
        """Return a copy without values outside the fences."""
        X = np.asarray(X, dtype=float)
        return np.where(self.outside(X), np.nan, X) if self.gaps else X.clip(self.low_, self.high_)


def far_from_median(X, limit: float = 3.5) -> np.ndarray:
    """Return which cells lie more than `limit` robust standard deviations from the column's median.

    The robust standard deviation is the median absolute deviation (MAD) divided by 0.6745, which is
    right for a normal distribution. In a column with MAD 0, whatever differs from the median is far.

    References
    ----------
    Iglewicz and Hoaglin (1993), "How to detect and handle outliers", chapter 3.
    """
    distance = np.abs(X - np.nanmedian(X, axis=0))
    return 0.6745 * distance > limit * np.nanmedian(distance, axis=0)


def treatments(seed: int) -> dict:
    """Return ways to live with outliers, each a classifier that scales for itself."""
    return {
        "standardise": make_pipeline(StandardScaler(), SVC()),
        "robust scaling": make_pipeline(RobustScaler(), SVC()),
        "clip, standardise": make_pipeline(Clipper(), StandardScaler(), SVC()),
        "clip, robust scaling": make_pipeline(Clipper(), RobustScaler(), SVC()),
        "gaps, 5 neighbours": make_pipeline(
            Clipper(gaps=True), StandardScaler(), KNNImputer(keep_empty_features=True), SVC()
        ),
        "random forest": RandomForestClassifier(100, random_state=seed),
    }


def treat_and_learn(X, y, spiked, seed: int) -> dict[str, float]:
    """Return the test accuracy of each of `treatments`, learned and tested on a table with outliers.

    Parameters
    ----------
    X, spiked : array, shape (n, d)
        The table as it truly is (for "no outliers"), and with outliers.
    y : array, shape (n,)
    seed : int
        Of the split.

    Returns
    -------
    dict of str to float
        Also "drop rows": trained without rows that have a cell beyond the fences. A test row must be
        answered, so it keeps its outliers.
    """
    train, test = halves(y, seed)
    found = {
        name: model.fit(spiked[train], y[train]).score(spiked[test], y[test])
        for name, model in treatments(seed).items()
    }
    plain = treatments(seed)["standardise"]
    kept = train[~Clipper().fit(spiked[train]).outside(spiked[train]).any(axis=1)]
    found["drop rows"] = plain.fit(spiked[kept], y[kept]).score(spiked[test], y[test])
    found["no outliers"] = plain.fit(X[train], y[train]).score(X[test], y[test])
    return found


# ── wrong labels ────────────────────────────────────────────────────────────────────────────


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


# ── everything at once, for the widget ──────────────────────────────────────────────────────


def spoil(X, y, test, seed: int, missing=0.0, outliers=0.0, noise=0.0, shift=0.0):
    """Return a table and training labels with four faults.

    Parameters
    ----------
    X, y : array, shapes (n, d) and (n,)
    test : array of int
        Rows that move together by `shift` standard deviations of each column. The labels of all
        others are redrawn with probability `noise`.
    missing, outliers : float
        Shares of cells, see `hide` (MCAR) and `spike` (times 100).
    """
    rng = np.random.default_rng([seed, 9])
    X = np.array(X, dtype=float)
    X[test] += shift * X.std(axis=0)
    given = np.where(rng.random(len(y)) < noise, rng.permutation(y), y)
    given[test] = y[test]
    spiked = spike(X, outliers, 100, seed)
    return np.where(np.isnan(hide(X, missing, "MCAR", seed)), np.nan, spiked), given
