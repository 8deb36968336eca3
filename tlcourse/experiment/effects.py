"""From runs to effects: compare in pairs, and say how sure it is."""

from dataclasses import dataclass

import numpy as np
from scipy import stats


def interval(values, level: float = 0.95):
    """Return Student's t interval of the mean over seeds.

    It covers what changes from seed to seed: which pictures were labelled, the initial weights, the
    order of the batches. It does not cover what all seeds share: the test set, the pretrained
    backbone, the settings. Another test set can move all results together by more than this.

    Parameters
    ----------
    values : array_like, shape (seeds,) or (seeds, ...)
        One row a seed, at least 2.
    level : float
        The share of such intervals that would contain the true mean, if the seeds' results were
        normally distributed.

    Returns
    -------
    low, mean, high : float, or arrays of shape ``values.shape[1:]``

    References
    ----------
    Student (1908), "The probable error of a mean", Biometrika 6(1).
    """
    values = finite(values)
    if not 0 < level < 1:
        raise ValueError(f"level is {level}: take a share between 0 and 1, such as 0.95.")
    n = len(values)
    mean = values.mean(axis=0)
    half = stats.t.ppf((1 + level) / 2, n - 1) * values.std(axis=0, ddof=1) / np.sqrt(n)
    return mean - half, mean, mean + half


def finite(values) -> np.ndarray:
    """Return the values as an array, or say what is missing: two finite numbers at least."""
    values = np.asarray(values, dtype=float)
    if values.ndim == 0 or len(values) < 2:
        raise ValueError("an interval needs the results of at least 2 seeds: pass more.")
    if not np.isfinite(values).all():
        raise ValueError("a result is NaN or infinite: find the seed whose run went wrong.")
    return values


@dataclass(frozen=True)
class Difference:
    """How much one method exceeds another, over seeds on which both saw the same labels.

    Attributes
    ----------
    mean, low, high : float
        Mean difference and its interval, as fractions of 1; for `ratio`, factors.
    wins, n : int
        In how many of `n` seeds the first method gave the larger number. A tie is no win.
    unit : {"points", "times"}
        Points are hundredths: an accuracy of .93 is 3 points above .90.
    """

    mean: float
    low: float
    high: float
    wins: int
    n: int
    unit: str = "points"

    @property
    def effect(self) -> str:
        """Mean and interval, such as ``+5.3 points [+2.1, +8.5]``."""
        if self.unit == "times":
            return f"{self.mean:.2g} times [{self.low:.2g}, {self.high:.2g}]"
        mean, low, high = (f"{100 * x:+z.1f}" for x in (self.mean, self.low, self.high))
        return f"{mean} points [{low}, {high}]"

    def __str__(self) -> str:
        """Mean, interval and wins."""
        return f"{self.effect}, ahead in {self.wins} of {self.n} seeds"


def paired(ours, baseline, level: float = 0.95) -> Difference:
    """Compare two methods seed by seed: ours minus baseline.

    Part of the spread between seeds is common to both methods (an unlucky draw of labels hurts
    both). The differences are free of it, so their interval is usually narrower than the spread of
    either method suggests.

    Parameters
    ----------
    ours, baseline : array_like, shape (seeds,)
        Accuracies from 0 to 1, the same seeds in the same order.
    level : float
        See `interval`.

    Returns
    -------
    Difference
    """
    ours, baseline = _pairs(ours, baseline)
    low, mean, high = map(float, interval(ours - baseline, level))
    return Difference(mean, low, high, int((ours > baseline).sum()), len(ours))


def student(variances: list[tuple[int, float]], level: float) -> float:
    """Return Student's half-width for a sum of variances, each after its degrees of freedom."""
    total = sum(v for _, v in variances)
    if total == 0:
        return 0.0
    freedom = total**2 / sum(v**2 / degrees for degrees, v in variances)
    return float(stats.t.ppf((1 + level) / 2, freedom) * np.sqrt(total))


def resampled(ours, baseline, n_train: int, n_test: int, level: float = 0.95) -> Difference:
    """Compare two methods over random splits of one small table, which are not independent.

    Every split draws from the same rows, so the plain interval is too narrow. Nadeau and Bengio add
    n_test / n_train to the 1 / splits of the variance.

    Parameters
    ----------
    ours, baseline : array_like, shape (splits,)
        Scores from 0 to 1 on the test rows of each split.
    n_train, n_test : int
        Rows of a split. With more rows to test than to train on the correction has no ground: keep the
        test rows fixed instead.
    level : float
        See `interval`.

    References
    ----------
    Nadeau and Bengio (2003), "Inference for the generalization error", Machine Learning 52, section 3,
    doi:10.1023/A:1024068626366.
    """
    ours, baseline = _pairs(ours, baseline)
    if not 1 <= n_test <= n_train:
        raise ValueError(
            f"{n_test} rows to test and {n_train} to train: this correction needs at least as many "
            "to train; else keep the test rows fixed and use paired()."
        )
    d, n = ours - baseline, len(ours)
    half = student([(n - 1, (1 / n + n_test / n_train) * d.var(ddof=1))], level)
    mean, wins = float(d.mean()), int((d > 0).sum())
    return Difference(mean, mean - half, mean + half, wins, n)


def ratio(ours, baseline, level: float = 0.95) -> Difference:
    """Compare two positive quantities seed by seed: how many times as large ours is.

    The mean is geometric and the interval is Student's on logarithms, so that twice as much and half
    as much cancel: ``ratio(a, b)`` is one over ``ratio(b, a)``.

    Parameters
    ----------
    ours, baseline : array_like, shape (seeds,)
        Positive, such as optimisation steps to a fixed accuracy. Where a run never got there, pass
        the largest number of steps that was tried: if that happens in `ours` only, the true ratio
        is at least the one returned. If it happens in `baseline`, do not report a ratio.
    level : float
        See `interval`.

    Returns
    -------
    Difference
        With unit "times".
    """
    ours, baseline = _pairs(ours, baseline)
    if (ours <= 0).any() or (baseline <= 0).any():
        raise ValueError("a ratio needs positive numbers: use paired() for accuracies.")
    low, mean, high = map(float, np.exp(interval(np.log(ours) - np.log(baseline), level)))
    return Difference(mean, low, high, int((ours > baseline).sum()), len(ours), "times")


def _pairs(ours, baseline):
    ours, baseline = finite(ours), finite(baseline)
    if ours.ndim != 1 or ours.shape != baseline.shape:
        raise ValueError(
            f"shapes {ours.shape} and {baseline.shape} are no pairs: pass one number a seed for "
            "each method, the same seeds in the same order."
        )
    return ours, baseline
