"""Lesson 07a: gaps in a table, made by hand so that the truth stays known."""

import numpy as np
from scipy.stats import rankdata

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
