"""Chapter 1, measuring: a paired interval, labels needed to match."""

import math
from functools import partial

import numpy as np
from scipy import stats

from tlcourse.lessons.ch01_concepts.exercises.drawings import draw_curve, draw_intervals
from tlcourse.teaching.exercise import Exercise
from tlcourse.teaching.values import Mistake, as_array, as_number, close, explain

# ── a paired interval ───────────────────────────────────────────────────────────────────────


def verify_paired_interval(student, rng) -> None:
    """Compare with the 95 % t interval; recognise the usual wrong quantiles and spreads."""
    n = int(rng.integers(5, 13))
    luck = rng.normal(0.85, 0.05, n)  # what a seed does to both methods
    ours = luck + rng.normal(0.02 * rng.choice([-1, 1]), 0.01, n)
    baseline = luck + rng.normal(0, 0.01, n)
    yours = as_array(student(ours, baseline), (3,), "three numbers (low, mean, high)")
    expected = paired_interval_slowly(ours, baseline)

    def drawing():
        return draw_intervals(yours, expected)

    if not close(yours, expected) and close(np.sort(yours), expected):
        words = "the numbers are right, their order is not: return (low, mean, high)."
        raise Mistake(words, drawing())
    known = _typical_intervals(ours, baseline)
    explain(student, yours, expected, known, _what_differs(yours, expected), drawing)


def paired_interval_slowly(ours, baseline) -> np.ndarray:
    """Return (low, mean, high) of the paired differences, one sum at a time."""
    n = len(ours)
    differences = [ours[i] - baseline[i] for i in range(n)]
    mean = sum(differences) / n
    variance = sum((d - mean) ** 2 for d in differences) / (n - 1)
    half = stats.t.ppf(0.975, n - 1) * math.sqrt(variance / n)
    return np.array([mean - half, mean, mean + half])


def _what_differs(yours, expected) -> str:
    low, mean, high = yours
    if not close(mean, expected[1]):
        return "the mean of ours - baseline is another"
    if not close(high - mean, mean - low, 2e-6):
        return "a t interval is symmetric, low and high lie equally far from the mean"
    return "the mean is right; t quantile times standard error of the differences leads to the ends"


def _typical_intervals(ours, baseline) -> dict:
    """Return what typical mistakes give, by their sentences."""
    d = ours - baseline
    low, mean, high = paired_interval_slowly(ours, baseline)
    percentiles = np.percentile(d, [2.5, 97.5])
    return _other_widths(ours, baseline) | {
        "the sign is swapped: the difference is ours - baseline": -np.array([high, mean, low]),
        "the number in the middle is the median of the differences, not their mean": (
            np.array([low, np.median(d), high])
        ),
        "the interval lies around the median of the differences: take their mean": (
            np.array([low, mean, high]) + np.median(d) - mean
        ),
        "percentiles say where single differences lie: ask where their mean lies": (
            np.array([percentiles[0], mean, percentiles[1]])
        ),
    }


def _other_widths(ours, baseline) -> dict:
    """Return intervals with a wrong quantile, a wrong spread or both, by what is wrong."""
    n, d = len(ours), ours - baseline
    t = stats.t.ppf
    quantiles = {
        "": t(0.975, n - 1),
        "1.96 belongs to the normal distribution: take Student's t for few seeds": 1.96,
        "this is the normal distribution's quantile: take Student's t": stats.norm.ppf(0.975),
        "this t quantile gives a 90 % interval: 95 % leave 2.5 % on each side, t.ppf(0.975, …)": (
            t(0.95, n - 1)
        ),
        "n differences have n - 1 degrees of freedom": t(0.975, n),
        "n differences, not 2 · n runs, give n - 1 degrees of freedom": t(0.975, 2 * n - 2),
    }
    unpaired = math.sqrt((ours.var(ddof=1) + baseline.var(ddof=1)) / n)
    spreads = {
        "": d.std(ddof=1) / math.sqrt(n),
        "np.std divides by n unless you give ddof=1": d.std() / math.sqrt(n),
        "this spread is not divided by √n: it describes one seed, not the mean": d.std(ddof=1),
        "this spread is not divided by √n, and np.std needs ddof=1": d.std(),
        "the interval is unpaired: take the differences seed by seed first": unpaired,
    }
    return {
        "; also, ".join(filter(None, (s, q))): d.mean()
        + quantiles[q] * spreads[s] * np.array([-1, 0, 1])
        for s in spreads
        for q in quantiles
        if s or q
    }


PAIRED_INTERVAL = Exercise(
    name="paired_interval",
    level=2,
    minutes=10,
    goal="Say how sure a difference between two methods is that ran on the same seeds.",
    given="`ours` and `baseline`, float arrays (n,), n ≥ 2: the accuracy of each at seed i.",
    returns=(
        "three floats `(low, mean, high)`, correct to 1e-6: the mean of ours - baseline, and the "
        "ends of its 95 % Student t interval over the n paired differences (ddof=1)."
    ),
    example=(
        "`paired_interval(np.array([0.91, 0.93, 0.92]), np.array([0.89, 0.92, 0.89]))` returns "
        "about `(-0.0048, 0.02, 0.0448)`."
    ),
    hints=(
        "The seeds are shared, so their luck cancels in `ours - baseline`; work on those n numbers.",
        "The mean of n differences has the standard error `d.std(ddof=1) / np.sqrt(n)`.",
        "From the mean go `scipy.stats.t.ppf(0.975, n - 1)` standard errors to each side.",
    ),
    verify=verify_paired_interval,
)

# ── labels needed to match ──────────────────────────────────────────────────────────────────


def verify_labels_to_match(student, rng) -> None:
    """Try a target that is met at once, never, between two budgets, and on a curve with a dip."""
    budgets = np.array([1, 2, 5, 10, 20, 50])[: int(rng.integers(4, 7))]
    rising = np.sort(rng.uniform(0.4, 0.95, len(budgets))) + 0.01 * np.arange(len(budgets))
    dip = rising.copy()
    at = int(rng.integers(1, len(budgets) - 1))
    dip[[at, at + 1]] = rising[[at + 1, at]]
    between = rng.uniform(rising[0] + 1e-3, rising[-1] - 1e-3)
    crossing_twice = rng.uniform(dip[at + 1], dip[at])
    for accuracy, target in [
        (rising, rising[0] - rng.uniform(0.01, 0.1)),
        (rising, rising[-1] + rng.uniform(0.001, 0.1)),
        (rising, between),
        (rising, rising[at]),
        (dip, crossing_twice),
    ]:
        value = as_number(student(budgets, accuracy, target), "one number of labels a class")
        expected = labels_to_match_slowly(budgets, accuracy, target)
        drawing = partial(draw_curve, budgets, accuracy, target, value, expected)
        if expected == math.inf != value:
            words = f"the target is never reached: return math.inf, not {value:g}"
            raise Mistake(f"at {student.last_call} {words}.", drawing())
        known = _typical_labels(budgets, accuracy, target)
        words = "the first budget already reaches the target, " if accuracy[0] >= target else ""
        explain(student, value, expected, known, f"{words}at {student.last_call}", drawing)


def labels_to_match_slowly(budgets, accuracy, target) -> float:
    """Return where the curve, straight over log budgets, first reaches the target."""
    if accuracy[0] >= target:
        return float(budgets[0])
    for i in range(1, len(budgets)):
        if accuracy[i] >= target:
            part = (target - accuracy[i - 1]) / (accuracy[i] - accuracy[i - 1])
            left, right = math.log(budgets[i - 1]), math.log(budgets[i])
            return math.exp(left + part * (right - left))
    return math.inf


def _typical_labels(budgets, accuracy, target) -> dict:
    """Return what typical mistakes give, by their sentences."""
    enough, logs = accuracy >= target, np.log(budgets)
    strictly = labels_to_match_slowly(budgets, accuracy, np.nextafter(target, 1))
    known = {"a budget that just reaches the target is enough: compare with >=": strictly}
    if enough[0] or not enough.any():
        return known

    def crossing(i):
        return math.exp(np.interp(target, accuracy[i - 1 : i + 1], logs[i - 1 : i + 1]))

    i = int(enough.argmax())
    line = np.interp(target, accuracy[i - 1 : i + 1], budgets[i - 1 : i + 1])
    last = max(j for j in range(1, len(budgets)) if enough[j] and not enough[j - 1])
    return known | {
        "you interpolate over the budgets: interpolate over their logarithms": line,
        "you return the first budget that is enough: interpolate between it and the one before": (
            budgets[i]
        ),
        "the curve has a dip and crosses the target more than once: np.interp needs a rising one": (
            math.exp(np.interp(target, accuracy, logs))
        ),
        "you return the last crossing: where the curve has a dip, take the first": crossing(last),
        "you return where the target stays reached: where the curve has a dip, take the first": (
            crossing(last) if enough[-1] else math.inf
        ),
    }


LABELS_TO_MATCH = Exercise(
    name="labels_to_match",
    level=2,
    minutes=15,
    goal="Say how many labels a baseline needs to match transfer: the worth of transfer in labels.",
    given=(
        "`budgets`, a rising int array (m,) of labels a class, m ≥ 2; `accuracy`, a float array "
        "(m,), the baseline's mean accuracy at each, not always rising; `target`, a float, the "
        "accuracy to match."
    ),
    returns=(
        "a float, labels a class, correct to 1 part in 1e6: where the accuracy, interpolated "
        "linearly over the logarithm of the budget, first reaches the target; the first budget "
        "when that is enough, `math.inf` when no budget is."
    ),
    example=(
        "`labels_to_match(np.array([1, 10, 100]), np.array([0.5, 0.7, 0.9]), 0.8)` returns 31.6."
    ),
    hints=(
        "Deal with the two ends first: is the target reached at once, or never?",
        "Find the first budget i that is enough; the crossing lies between i - 1 and i.",
        (
            "`np.interp(target, accuracy[i-1:i+1], np.log(budgets[i-1:i+1]))` is the crossing's "
            "logarithm; `np.exp` undoes it."
        ),
    ),
    verify=verify_labels_to_match,
)

EXERCISES = (PAIRED_INTERVAL, LABELS_TO_MATCH)
