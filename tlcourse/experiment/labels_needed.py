"""How many labels one method needs to be as accurate as another."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan

import numpy as np

from tlcourse import runtime
from tlcourse.experiment.effects import finite


def labels_to_match(budgets: Sequence[float], accuracy: Sequence[float], target: float) -> float:
    """Return how many labels a class a curve needs to reach `target`.

    Between two budgets the accuracy is taken to grow linearly with the logarithm of the number of
    labels; where the curve goes up and down, its first crossing counts.

    Parameters
    ----------
    budgets : sequence of float
        Labels a class, positive and rising.
    accuracy : sequence of float
        Mean accuracy at each budget.
    target : float
        The accuracy to reach.

    Returns
    -------
    float
        The first budget if it already reaches the target; infinity if none does.

    Examples
    --------
    >>> round(labels_to_match([1, 10, 100], [0.5, 0.7, 0.9], 0.8), 2)
    31.62
    """
    budgets, accuracy = np.asarray(budgets, dtype=float), np.asarray(accuracy, dtype=float)
    if budgets.ndim != 1 or budgets.shape != accuracy.shape or not budgets.size:
        raise ValueError("budgets and accuracy must be two equally long lists: one value a budget.")
    if (budgets <= 0).any() or (np.diff(budgets) <= 0).any():
        raise ValueError("budgets must be positive and rising: sort them, each once.")
    if np.isnan(accuracy).any() or isnan(target):
        raise ValueError("an accuracy is NaN: find the run that went wrong.")
    reached = accuracy >= target
    if not reached.any():
        return inf
    i = int(reached.argmax())
    if i == 0:
        return float(budgets[0])
    share = (target - accuracy[i - 1]) / (accuracy[i] - accuracy[i - 1])
    return float(budgets[i - 1] * (budgets[i] / budgets[i - 1]) ** share)


@dataclass(frozen=True)
class LabelsNeeded:
    """Labels a class that match a target, with an interval; infinity means "more than `most`".

    Attributes
    ----------
    labels, low, high : float
        The estimate and its interval.
    most : float
        The largest budget that was tried.
    """

    labels: float
    low: float
    high: float
    most: float

    def __str__(self) -> str:
        """Estimate and interval, such as ``7.8 [6.1, 11]``; one "more than 20" where all of it is."""
        if self.low == inf:
            return self._words(inf)
        return f"{self._words(self.labels)} [{self._words(self.low)}, {self._words(self.high)}]"

    def _words(self, labels):
        if labels == inf:
            return f"more than {self.most:g}"
        return f"{labels:.0f}" if labels >= 9.95 else f"{labels:.1f}"


def labels_needed(budgets, baseline, ours, level: float = 0.95, draws: int = 2000) -> LabelsNeeded:
    """Return how many labels a class `baseline` needs to be as accurate as `ours`.

    The estimate applies `labels_to_match` to the mean curve and the mean target. The interval is a
    percentile bootstrap: seeds are drawn with replacement, baseline and ours together. (A t interval
    is impossible, because the answer can be infinite.) With few seeds it is somewhat too narrow.

    Parameters
    ----------
    budgets : sequence of float, length b
        Labels a class.
    baseline : array_like, shape (seeds, b)
        The baseline's accuracy at each budget.
    ours : array_like, shape (seeds,)
        The accuracy to match, the same seeds in the same order.
    level : float
        The interval's nominal coverage.
    draws : int
        Bootstrap samples.

    References
    ----------
    Efron and Tibshirani (1993), "An Introduction to the Bootstrap", section 13.3.
    """
    baseline, ours = finite(baseline), finite(ours)
    if ours.ndim != 1 or baseline.shape != (len(ours), len(budgets)):
        raise ValueError(
            f"baseline has shape {baseline.shape}: pass one row for each of the {len(ours)} seeds "
            f"and one column for each of the {len(budgets)} budgets."
        )
    random = np.random.default_rng(runtime.base_seed())
    samples = random.integers(len(ours), size=(draws, len(ours)))
    found = [labels_to_match(budgets, baseline[s].mean(axis=0), ours[s].mean()) for s in samples]
    # An order statistic, because a percentile interpolated between infinities is not a number.
    tails = (1 - level) / 2, (1 + level) / 2
    low, high = map(float, np.quantile(found, tails, method="inverted_cdf"))
    labels = labels_to_match(budgets, baseline.mean(axis=0), ours.mean())
    return LabelsNeeded(labels, low, high, float(budgets[-1]))
