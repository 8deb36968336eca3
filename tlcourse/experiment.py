"""From runs to verdicts: repeat over seeds, compare in pairs, and judge by a rule fixed beforehand."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf, isnan, log

import numpy as np
import torch
from joblib import Parallel, delayed
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
        Processes; by default `runtime.workers`. With 1, everything runs in this process.

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
    seeds = list(seeds)
    if not seeds:
        raise ValueError("there is no seed to run: pass at least one, such as runtime.seeds(5).")
    workers = min(workers or runtime.workers(), len(seeds))
    # Large arrays reach a process as files; mode "c" lets it write to its own copy.
    pool = Parallel(n_jobs=workers, return_as="generator", mmap_mode="c")
    results = pool(delayed(_run_one)(run, seed) for seed in seeds)
    return list(runtime.progress(results, description, len(seeds)))


def _run_one(run, seed):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with runtime.seeded(seed):
            return run(seed)
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


# ── judging ─────────────────────────────────────────────────────────────────────────────────

SYMBOLS = {"holds": "✓", "partly": "~", "fails": "✗"}


def verdict(low: float, mean: float, high: float, margin: float) -> str:
    """Judge the claim "A exceeds B" from a difference and its interval.

    - "holds": the whole interval lies above 0 and the mean is at least `margin`: A is surely ahead,
      and by enough to act on.
    - "fails": the whole interval lies below `margin`: even the most favourable value is too small
      to act on. That includes the case of a difference that is surely positive, and tiny.
    - "partly": anything else. The seeds do not decide, or A is surely ahead and perhaps by too little.

    No result can both hold and fail: the first needs a mean of at least `margin`, the second has
    even `high` below it.

    Parameters
    ----------
    low, mean, high : float
        The difference A minus B and its interval.
    margin : float
        The smallest difference worth acting on, positive, fixed before the results are seen.

    Returns
    -------
    {"holds", "partly", "fails"}
    """
    if not low <= mean <= high:
        raise ValueError(f"low {low}, mean {mean}, high {high}: pass numbers in rising order.")
    if not 0 < margin < inf:
        raise ValueError(f"margin is {margin}: name the smallest difference worth acting on, > 0.")
    if low > 0 and mean >= margin:
        return "holds"
    return "fails" if high < margin else "partly"


@dataclass(frozen=True)
class Claim:
    """A sentence "A exceeds B" of the handbook and what was measured about it.

    Attributes
    ----------
    row : str
        The handbook's row, such as "H1.1".
    text : str
        The claim in words.
    difference : Difference
        From `paired` or `ratio`.
    margin : float
        The smallest difference worth acting on, as in `verdict`: for `paired` a fraction (0.01 is 1
        point), for `ratio` a factor above 1.
    """

    row: str
    text: str
    difference: Difference
    margin: float = 0.01

    @property
    def verdict(self) -> str:
        """What `verdict` says; a ratio is judged by its logarithm, so that "no effect" is 0."""
        d = self.difference
        if d.unit == "points":
            return verdict(d.low, d.mean, d.high, self.margin)
        if self.margin <= 1:
            raise ValueError(f"margin is {self.margin}: for a ratio, take a factor above 1.")
        return verdict(log(d.low), log(d.mean), log(d.high), log(self.margin))


def print_verdicts(claims: Sequence[Claim]) -> None:
    """Print row, claim and verdict: what must be the same on every machine."""
    for claim in claims:
        print(f"{claim.row} | {claim.text} | {claim.verdict}")


@dataclass(frozen=True)
class VerdictTable:
    """Claims with their effects and verdicts: a table in a notebook, aligned text elsewhere."""

    claims: Sequence[Claim]

    def rows(self) -> list[tuple[str, ...]]:
        """Return the header and one row a claim."""
        header = ("row", "claim", "effect [95 % interval]", "seeds ahead", "verdict")
        return [header] + [
            (c.row, c.text, d.effect, f"{d.wins} of {d.n}", f"{SYMBOLS[c.verdict]} {c.verdict}")
            for c in self.claims
            for d in [c.difference]
        ]

    def __repr__(self) -> str:
        """All rows as aligned text."""
        widths = [max(map(len, column)) for column in zip(*self.rows(), strict=True)]
        lines = (
            "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in self.rows()
        )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        def line(row, tag):
            left = ' style="text-align: left"'
            cells = "".join(f"<{tag}{left}>{html.escape(cell)}</{tag}>" for cell in row)
            return f"<tr>{cells}</tr>"

        header, *rows = self.rows()
        body = "".join(line(row, "td") for row in rows)
        return f"<table><thead>{line(header, 'th')}</thead><tbody>{body}</tbody></table>"


def verdict_table(claims: Iterable[Claim]) -> VerdictTable:
    """Return a table of handbook row, claim, effect, seeds ahead and verdict."""
    return VerdictTable(list(claims))
