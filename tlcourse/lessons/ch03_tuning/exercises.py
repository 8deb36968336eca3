"""Lesson 3: best so far, expected improvement, the mean of a Gaussian process, optimism."""

import math

import numpy as np

from tlcourse.teaching.exercise import Exercise
from tlcourse.teaching.values import as_array, as_number, explain

# ── trials to match ─────────────────────────────────────────────────────────────────────────


def verify_trials_to_match(student, rng) -> None:
    """Try targets that are reached, reached exactly, and never reached."""
    target, reached = 0.0, np.arange(0)
    while len(reached) == 0 or len(reached) == reached[0]:  # a count that could be a position
        errors = rng.permutation(np.linspace(0.1, 0.9, 12)).round(3)
        target = float(rng.choice(errors))
        reached = np.flatnonzero(errors <= target)
    if rng.random() < 0.3:
        target, reached = 0.05, np.arange(0)
    found = as_number(student(errors, target), "a number of trials, or infinity")
    expected = float(reached[0] + 1) if len(reached) else math.inf
    strictly = np.flatnonzero(errors < target)
    first = int(np.argmin(errors)) + 1
    known = {
        "positions begin at 0, trials at 1: add 1": expected - 1,
        "you counted the trials that reach the target: say which is the first": len(reached),
        "an error equal to the target has reached it: compare with <=": (
            float(strictly[0] + 1) if len(strictly) else math.inf
        ),
        "this is the best trial of all: say which is the first that is good enough": (
            first if len(reached) else math.inf
        ),
    }
    words = "" if len(reached) else f", where no trial reaches {target} and math.inf is due"
    explain(student, found, expected, known, f"at {student.last_call}{words}")


TRIALS_TO_MATCH = Exercise(
    name="trials_to_match",
    level=1,
    minutes=10,
    goal="Say how long a search took to be as good as another one.",
    given="`errors`, a float array (n,), the error of each trial in order; `target`, a float.",
    returns=(
        "the number of the first trial whose error is at most `target`, counted from 1; `math.inf` "
        "if there is none."
    ),
    example="`trials_to_match(np.array([0.5, 0.2, 0.3]), 0.25)` returns `2`.",
    hints=(
        "`errors <= target` says for each trial whether it is good enough.",
        "`np.flatnonzero(...)` gives the positions that are True; the first position is 0.",
    ),
    verify=verify_trials_to_match,
)

# ── expected improvement ────────────────────────────────────────────────────────────────────


def _normal(z):
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return density, np.array([(1 + math.erf(x / math.sqrt(2))) / 2 for x in z])


def verify_expected_improvement(student, rng) -> None:
    """Compare with the closed form; name a wrong sign or a missing term."""
    mean, std, best = rng.normal(0, 1, 5), rng.uniform(0.2, 2, 5), float(rng.normal())
    found = as_array(student(mean, std, best), (5,), "one number a candidate")
    z = (best - mean) / std
    density, share = _normal(z)
    wrong_way = _normal(-z)[1]
    known = {
        "this is for maximising: here an improvement is best - f": (mean - best) * wrong_way
        + std * density,
        "the part of the spread is missing: add std times the normal density": (best - mean)
        * share,
        "multiply the density by std": (best - mean) * share + density,
        "this is the probability of an improvement, not its mean size": share,
        "this ignores the uncertainty: a bad mean with a large std can still improve": np.maximum(
            best - mean, 0
        ),
    }
    otherwise = "this is not E[max(best - f, 0)] for f normal with mean and std"
    explain(student, found, (best - mean) * share + std * density, known, otherwise)


EXPECTED_IMPROVEMENT = Exercise(
    name="expected_improvement",
    level=2,
    minutes=15,
    goal="Say how much a next trial promises, when smaller errors are better.",
    given=(
        "`mean` and `std`, float arrays (n,), std > 0: what a Gaussian process believes about the "
        "error f of n candidates; `best`, a float: the smallest error so far."
    ),
    returns="an array (n,): E[max(best - f, 0)] for f normal with `mean` and `std`, to 1e-6.",
    example=(
        "`expected_improvement(np.array([0.0]), np.array([1.0]), 0.0)` returns about `[0.3989]`."
    ),
    hints=(
        "With z = (best - mean) / std, the improvement is std · (z - u) for a standard normal u < z.",
        "Its mean has two parts: (best - mean) · Φ(z) and std · φ(z).",
        "`scipy.stats.norm.cdf` is Φ and `scipy.stats.norm.pdf` is φ.",
    ),
    verify=verify_expected_improvement,
)

# ── the mean of a Gaussian process ──────────────────────────────────────────────────────────


def verify_process_mean(student, rng) -> None:
    """Compare with the posterior mean under the kernel exp(-d² / 2)."""
    x, y = np.sort(rng.uniform(-2, 2, 6)), rng.normal(0, 1, 6)
    places, noise = rng.uniform(-2, 2, 4), float(rng.uniform(0.05, 0.5))
    found = as_array(student(x, y, places, noise), (4,), "one number a place")

    def kernel(a, b, factor=2.0):
        return np.exp(-((a[:, None] - b) ** 2) / factor)

    def mean(variance, factor=2.0):
        inner = kernel(x, x, factor) + variance * np.eye(6)
        return kernel(places, x, factor) @ np.linalg.solve(inner, y)

    known = {
        "the noise is missing: add it to the diagonal of K": mean(0.0),
        "noise is a variance already: do not square it": mean(noise**2),
        "the kernel is exp(-d² / 2): you left out the half": mean(noise, 1.0),
        "this is a sum of the values weighted by the kernel: K is missing": kernel(places, x) @ y,
        "add the noise to the diagonal of K only, not to every number": kernel(places, x)
        @ np.linalg.solve(kernel(x, x) + noise, y),
    }
    explain(student, found, mean(noise), known, "this is not k(places, x) (K + noise · I)⁻¹ y")


PROCESS_MEAN = Exercise(
    name="process_mean",
    level=3,
    minutes=25,
    goal="Predict what was not tried from what was tried.",
    given=(
        "`x` and `y`, float arrays (n,): settings that were tried, and their scaled errors; "
        "`places`, a float array (m,); `noise`, a float above 0: the variance of the noise in y."
    ),
    returns=(
        "an array (m,): the posterior mean at `places` of a Gaussian process with mean 0 and kernel "
        "exp(-(a - b)² / 2), to 1e-6."
    ),
    example=(
        "`process_mean(np.array([0.0]), np.array([1.0]), np.array([0.0]), 0.25)` returns `[0.8]`."
    ),
    hints=(
        "K holds the kernel of every tried setting with every tried setting, shape (n, n).",
        "`(a[:, None] - b) ** 2` gives all squared distances at once.",
        "Solve (K + noise · I) w = y with `np.linalg.solve`; the mean is k(places, x) @ w.",
    ),
    verify=verify_process_mean,
)

# ── optimism ────────────────────────────────────────────────────────────────────────────────


def verify_optimism_of_best(student, rng) -> None:
    """Compare with the mean excess of the best validation score over its own test score."""
    truth = rng.uniform(0.6, 0.9, (8, 7))
    validation = np.round(truth + rng.normal(0, 0.05, (8, 7)), 6)
    test = np.round(truth + rng.normal(0, 0.02, (8, 7)), 6)
    found = as_number(student(validation, test), "one number")
    rows, chosen = np.arange(8), validation.argmax(axis=1)
    best = validation.max(axis=1)
    known = {
        "you compare with the best test score: nobody may choose by that one": best.mean()
        - test.max(axis=1).mean(),
        "this is the mean over all candidates: only the chosen one is reported": (
            validation - test
        ).mean(),
        "the sign is swapped: validation minus test": (test[rows, chosen] - best).mean(),
        "you chose by the test scores: choose by validation": (
            validation[rows, test.argmax(axis=1)] - test.max(axis=1)
        ).mean(),
        "one candidate for all runs: choose anew in each row": (
            validation[:, validation.mean(axis=0).argmax()]
            - test[:, validation.mean(axis=0).argmax()]
        ).mean(),
    }
    otherwise = "choose the best candidate of each row by validation; average validation - test"
    explain(student, found, (best - test[rows, chosen]).mean(), known, otherwise)


OPTIMISM_OF_BEST = Exercise(
    name="optimism_of_best",
    level=2,
    minutes=15,
    goal="Measure how much the best score of a search promises too much.",
    given=(
        "`validation` and `test`, float arrays (runs, candidates): the accuracies of every "
        "candidate in every run."
    ),
    returns=(
        "a float: in each run choose the candidate with the best validation accuracy; the mean over "
        "runs of its validation minus its test accuracy."
    ),
    example=(
        "`optimism_of_best(np.array([[0.9, 0.8]]), np.array([[0.7, 0.9]]))` returns about `0.2`."
    ),
    hints=(
        "`validation.argmax(axis=1)` names the chosen candidate of every run.",
        "`test[np.arange(len(test)), chosen]` reads one number a row.",
    ),
    verify=verify_optimism_of_best,
)

EXERCISES = [TRIALS_TO_MATCH, EXPECTED_IMPROVEMENT, PROCESS_MEAN, OPTIMISM_OF_BEST]
