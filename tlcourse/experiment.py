"""From runs to effects: repeat over seeds, compare in pairs, and say how sure it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf, isnan

import numpy as np
import torch
from joblib import Parallel, delayed
from joblib.parallel import LokyBackend, get_active_backend
from scipy import stats

from tlcourse import runtime

# ── repeating ───────────────────────────────────────────────────────────────────────────────


def repeat(
    run: Callable, seeds: Iterable[int], description: str = "seeds", workers: int | None = None
) -> list:
    """Return ``[run(seed) for seed in seeds]``, computed in several processes.

    Every run starts with all generators seeded with its seed, and on one thread. So the results do
    not depend on the number of processes, and the caller's generators stay as they were.

    Parameters
    ----------
    run : callable
        ``run(seed)`` returns what was measured, such as a dict of accuracies. It may be defined in
        a notebook. What it uses from there is copied into each process: what it changes there is
        lost, only what it returns comes back.
    seeds : iterable of int
    description : str
        Words in front of the progress bar.
    workers : int, optional
        Processes; by default `runtime.workers`, or the cluster of `cluster.dask`. With 1,
        everything runs in this process.

    Returns
    -------
    list
        One result a seed, in the order of `seeds`.

    Raises
    ------
    ValueError
        If there is no seed.
    Exception
        Whatever `run` raises, as it is.
    """
    return _in_processes(run, [(seed,) for seed in seeds], description, workers)


def sweep(
    run: Callable, seeds: Iterable[int], parts: Sequence, description: str = "runs"
) -> list[dict]:
    """Return one dict a seed, with what ``run(seed, part)`` returned for every part.

    As `repeat`, but each part of a seed's work is a job of its own, so that no process waits for
    another that has the longest job.

    Parameters
    ----------
    run : callable
        ``run(seed, part)`` returns a dict; no two parts have a key in common.
    seeds : iterable of int
    parts : sequence
        Such as the numbers of labels a class.
    description : str
        Words in front of the progress bar.

    Raises
    ------
    ValueError
        If there is no seed or no part.
    """
    seeds = list(seeds)
    jobs = [(seed, part) for part in parts for seed in seeds]
    merged = [{} for _ in seeds]
    for place, found in enumerate(_in_processes(run, jobs, description, None)):
        merged[place % len(seeds)].update(found)
    return merged


def _in_processes(run, jobs, description, workers):
    if not jobs:
        raise ValueError("there is no seed to run: pass at least one, such as runtime.seeds(5).")
    workers = min(workers, len(jobs)) if workers else _processes(len(jobs))
    # Large arrays reach a process as files; mode "c" lets it write to its own copy.
    pool = Parallel(n_jobs=workers, return_as="generator", mmap_mode="c")
    results = pool(delayed(_run_one)(run, *job) for job in jobs)
    return list(runtime.progress(results, description, len(jobs)))


def _processes(jobs):
    """Return how many processes: our own number, or the user's (`joblib.parallel_config`)."""
    backend, chosen = get_active_backend()
    return min(runtime.workers(), jobs) if isinstance(backend, LokyBackend) else chosen


def _run_one(run, seed, *part):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with runtime.seeded(seed):
            return run(seed, *part)
    finally:
        torch.set_num_threads(threads)


# ── comparing ───────────────────────────────────────────────────────────────────────────────


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
    values = _finite(values)
    if not 0 < level < 1:
        raise ValueError(f"level is {level}: take a share between 0 and 1, such as 0.95.")
    n = len(values)
    mean = values.mean(axis=0)
    half = stats.t.ppf((1 + level) / 2, n - 1) * values.std(axis=0, ddof=1) / np.sqrt(n)
    return mean - half, mean, mean + half


def _finite(values) -> np.ndarray:
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
    ours, baseline = _finite(ours), _finite(baseline)
    if ours.ndim != 1 or ours.shape != baseline.shape:
        raise ValueError(
            f"shapes {ours.shape} and {baseline.shape} are no pairs: pass one number a seed for "
            "each method, the same seeds in the same order."
        )
    return ours, baseline


# ── labels needed ───────────────────────────────────────────────────────────────────────────


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
        """Estimate and interval, such as ``7.8 [6.1, 11]``."""
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
    baseline, ours = _finite(baseline), _finite(ours)
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
