"""Lesson 07a: gaps in a table, made by hand so that the truth stays known, and ways to fill them."""

import numpy as np
from scipy.stats import rankdata

# IterativeImputer is experimental: this import unlocks it.
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

MECHANISMS = ("MCAR", "MAR", "MNAR")


def hide(X, share: float, mechanism: str, seed: int) -> np.ndarray:
    """Return a copy of a table with gaps (NaN), made by one of three mechanisms.

    A cell is hidden with probability ``2 * share * rank``, where the rank runs from 0 (smallest) to 1:

    - MCAR (missing completely at random): every rank is 1/2, so nothing decides but chance;
    - MAR (missing at random): the rank of the row's value in column 0, which is never hidden;
    - MNAR (missing not at random): the rank of the cell's own value, which nobody sees afterwards.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Without gaps, n >= 2; for MAR, d >= 2.
    share : float
        Expected share of hidden cells, from 0 to 0.5 (for MAR, of the columns after the first).
    mechanism : {"MCAR", "MAR", "MNAR"}
    seed : int

    Raises
    ------
    ValueError
        If the mechanism is none of the three, the share is out of its range, or `X` has gaps.

    References
    ----------
    Rubin (1976), "Inference and missing data", Biometrika 63(3), section 2.
    """
    if mechanism not in MECHANISMS:
        raise ValueError(f"unknown mechanism {mechanism!r}: choose one of {', '.join(MECHANISMS)}.")
    if not 0 <= share <= 0.5:
        raise ValueError(f"share is {share}: hide a share from 0 to 0.5, so that no chance tops 1.")
    X = np.array(X, dtype=float)
    if X.ndim != 2 or len(X) < 2 or np.isnan(X).any():
        raise ValueError("hide needs a table of at least 2 rows without gaps: fill or drop first.")
    rank = np.full(X.shape, 0.5)
    if mechanism != "MCAR":
        rank = (rankdata(X, axis=0) - 1) / (len(X) - 1)
    if mechanism == "MAR":
        rank = np.repeat(rank[:, :1], X.shape[1], axis=1)
        rank[:, 0] = 0  # the column that decides stays whole
    X[np.random.default_rng([seed, 7]).random(X.shape) < 2 * share * rank] = np.nan
    return X


def fillings(seed: int) -> dict:
    """Return ways to fill gaps, each a transformer of unscaled tables; the output is standardised.

    Everything but "zero" is filled on the scale where each column has mean 0 and spread 1: neighbours
    need comparable distances. "zero" writes the number 0 in the column's own unit.
    """

    def scaled(filling):
        return make_pipeline(StandardScaler(), filling, StandardScaler())

    return {
        "zero": make_pipeline(SimpleImputer(strategy="constant", fill_value=0), StandardScaler()),
        "mean": scaled(SimpleImputer()),
        "median": scaled(SimpleImputer(strategy="median")),
        "mean + indicator": scaled(SimpleImputer(add_indicator=True)),
        "5 neighbours": scaled(KNNImputer(n_neighbors=5)),
        "iterative": scaled(IterativeImputer(max_iter=2, random_state=seed)),
    }


def along_rows(X) -> np.ndarray:
    """Fill gaps by a straight line between the neighbours in the same row, for rows with an order.

    Before the first and after the last known value it stays level; a row without any value gets 0.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Each row a series: a line of a picture, or readings in the order of time.
    """
    X = np.array(X, dtype=float)
    for row in X:
        known = np.flatnonzero(~np.isnan(row))
        row[:] = np.interp(np.arange(len(row)), known, row[known]) if len(known) else 0.0
    return X
