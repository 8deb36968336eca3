"""Lesson 07a: outliers and mixed units, planted so that the truth stays known, found and mended."""

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler
from sklearn.svm import SVC

from tlcourse.data.perturb import redraw_labels
from tlcourse.data.tables import halves
from tlcourse.lessons.ch07a_cleaning.gaps import hide
from tlcourse.lessons.ch07a_cleaning.wrong_labels import doubtful

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


def treatments(columns: int, seed: int) -> dict:
    """Return ways to live with outliers in a table of some columns, each a classifier.

    With gamma fixed, the kernel is the one that a clean, standardised table would get.
    """
    return {
        "standardise": make_pipeline(StandardScaler(), SVC()),
        "robust scaling": make_pipeline(RobustScaler(), SVC()),
        "clip, standardise": make_pipeline(Clipper(), StandardScaler(), SVC()),
        "clip, robust scaling": make_pipeline(Clipper(), RobustScaler(), SVC()),
        "robust scaling, gamma fixed": make_pipeline(RobustScaler(), SVC(gamma=1 / columns)),
        "gaps, 5 neighbours": make_pipeline(
            Clipper(gaps=True), StandardScaler(), KNNImputer(keep_empty_features=True), SVC()
        ),
        "random forest": RandomForestClassifier(50, random_state=seed),
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
        for name, model in treatments(X.shape[1], seed).items()
    }
    plain = treatments(X.shape[1], seed)["standardise"]
    kept = train[~Clipper().fit(spiked[train]).outside(spiked[train]).any(axis=1)]
    found["drop rows"] = plain.fit(spiked[kept], y[kept]).score(spiked[test], y[test])
    found["no outliers"] = plain.fit(X[train], y[train]).score(X[test], y[test])
    return found


def detect(X, spiked, seed: int) -> dict[str, tuple[float, float]]:
    """Return, for each detector, the shares of bad and of good rows that it calls bad.

    Parameters
    ----------
    X, spiked : array, shape (n, d)
        The true table, and the same with outliers: a row is bad where they differ.
    seed : int
        Of the isolation forest (Liu, Ting and Zhou 2008, DOI 10.1109/ICDM.2008.17).
    """
    bad = (spiked != X).any(axis=1)
    forest = IsolationForest(n_estimators=50, random_state=seed)
    flags = {
        "3 sigma": np.abs(spiked - spiked.mean(axis=0)) > 3 * spiked.std(axis=0),
        "fences, 1.5 IQR": Clipper(1.5).fit(spiked).outside(spiked),
        "fences, 3 IQR": Clipper(3).fit(spiked).outside(spiked),
        "MAD, 3.5": far_from_median(spiked),
        "isolation forest": forest.fit_predict(spiked)[:, None] < 0,
    }
    forest.set_params(contamination=min(0.5, bad.mean()))
    flags["the same, told how many"] = forest.fit_predict(spiked)[:, None] < 0
    rows = {name: flag.any(axis=1) for name, flag in flags.items()}
    return {name: (flag[bad].mean(), flag[~bad].mean()) for name, flag in rows.items()}


def likeness(scaler, X, rows) -> tuple[float, float]:
    """Return gamma and the median similarity of two rows to an SVM with ``gamma="scale"``.

    Parameters
    ----------
    scaler : transformer
        Learned from all of `X`.
    X : array, shape (n, d)
    rows : array of bool, shape (n,)
        Those to compare.
    """
    Z = scaler.fit_transform(X)
    gamma = 1 / (Z.shape[1] * Z.var())
    alike = rbf_kernel(Z[rows], gamma=gamma)
    return gamma, float(np.median(alike[np.triu_indices(len(alike), 1)]))


def two_units(X, columns: int, factor: float, seed: int) -> np.ndarray:
    """Return a table in which, in some columns, every second cell or so is in a smaller unit.

    Parameters
    ----------
    X : array, shape (n, d)
    columns : int
        How many; drawn at random.
    factor : float
        By which these cells, drawn with probability 1/2, grow.
    seed : int
    """
    rng = np.random.default_rng([seed, 5])
    chosen = np.isin(np.arange(X.shape[1]), rng.permutation(X.shape[1])[:columns])
    return np.where(chosen & (rng.random(X.shape) < 0.5), factor * X, X)


# ── everything at once, for the widget ──────────────────────────────────────────────────────


def spoil(X, y, test, seed: int, missing=0.0, outliers=0.0, noise=0.0, shift=0.0):
    """Return a table and its training labels with four faults.

    Parameters
    ----------
    X, y : array, shapes (n, d) and (n,)
    test : array of int
        Rows that move together, by `shift` standard deviations of each column, and whose labels stay.
        The labels of all others are redrawn with probability `noise`.
    seed : int
    missing, outliers : float
        Shares of cells: `hide` (MCAR), `spike` (times 100).
    """
    X = np.array(X, dtype=float)
    X[test] += shift * X.std(axis=0)
    given = redraw_labels(torch.from_numpy(y), noise, y.max() + 1, seed).numpy()
    given[test] = y[test]
    spiked = spike(X, outliers, 100, seed)
    return np.where(np.isnan(hide(X, missing, "MCAR", seed)), np.nan, spiked), given


def cures() -> dict:
    """Return ways to prepare a table with gaps and outliers; the output is standardised."""
    return {
        "mean": make_pipeline(SimpleImputer(), StandardScaler()),
        "clip, mean": make_pipeline(Clipper(), SimpleImputer(), StandardScaler()),
        "outliers as gaps, 5 neighbours": make_pipeline(
            Clipper(gaps=True), StandardScaler(), KNNImputer(), StandardScaler()
        ),
    }


def cure_and_learn(X, y, cure: str, drop: bool, seed: int, **faults: float) -> tuple:
    """Spoil a table, prepare it, and learn an SVM.

    Parameters
    ----------
    X, y : array, shapes (n, d) and (n,)
    cure : str
        One of `cures`.
    drop : bool
        Leave out training rows whose labels are `doubtful`.
    seed : int
        Of the split and of the faults.
    **faults : float
        See `spoil`.

    Returns
    -------
    Z : array, shape (n, d)
        The prepared table.
    given : array, shape (n,)
        Its labels.
    test : array of int
        Test rows.
    accuracy : float
        On them.
    """
    train, test = halves(y, seed)
    spoilt, given = spoil(X, y, test, seed, **faults)
    Z = cures()[cure].fit(spoilt[train]).transform(spoilt)
    kept = train[~doubtful(Z[train], given[train], seed)] if drop else train
    return Z, given, test, SVC().fit(Z[kept], given[kept]).score(Z[test], given[test])
