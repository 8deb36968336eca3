"""Lesson 2d, which source: LEEP, and the rank correlation that judges a score."""

import math

import numpy as np
from scipy import stats

from tlcourse.teaching.exercise import Exercise
from tlcourse.teaching.values import as_number, explain

# ── LEEP ────────────────────────────────────────────────────────────────────────────────────


def verify_leep(student, rng) -> None:
    """Compare with the double sum; recognise a hard decision, a wrong condition and a wrong mean."""
    n, sources, targets = (int(rng.integers(low, high)) for low, high in ((8, 30), (3, 9), (2, 6)))
    labels = rng.permutation(np.arange(n) % targets)
    probabilities = rng.dirichlet(np.full(sources, 0.7), size=n)
    yours = as_number(student(probabilities, labels), "one number, the mean log probability")
    expected = leep_slowly(probabilities, labels)
    known = _typical_leeps(probabilities, labels, expected) | _other_leeps(probabilities, labels)
    explain(student, yours, expected, known, "LEEP of this case")


def leep_slowly(probabilities, labels) -> float:
    """Return LEEP, one picture, one source class and one label at a time."""
    n, sources = probabilities.shape
    classes = sorted(set(labels.tolist()))
    total = 0.0
    for i in range(n):
        expected = 0.0
        for z in range(sources):
            joint = {y: sum(probabilities[labels == y, z]) / n for y in classes}
            expected += probabilities[i, z] * joint[labels[i]] / sum(joint.values())
        total += math.log(expected)
    return total / n


def _typical_leeps(probabilities, labels, expected) -> dict:
    """Return what typical mistakes with the logarithm give, by their sentences."""
    return {
        "the sign is swapped: the logarithm of a probability is never above 0": -expected,
        "this is the sum over the pictures: divide by their number": expected * len(labels),
        "this is in bits: LEEP takes the natural logarithm, np.log": expected / math.log(2),
        "this is no logarithm yet: return the mean of the logarithms": math.exp(expected),
    }


def _other_leeps(probabilities, labels) -> dict:
    """Return what typical mistakes with the probabilities give, by their sentences."""
    n = len(labels)
    one_hot = np.eye(labels.max() + 1)[labels]
    joint = one_hot.T @ probabilities / n
    right = np.arange(n), labels
    given_label = joint / joint.sum(1, keepdims=True)
    answers = probabilities.argmax(1)
    hard = one_hot.T @ np.eye(probabilities.shape[1])[answers]
    share = (hard / np.maximum(hard.sum(0), 1))[labels, answers]
    likely = probabilities @ (joint / joint.sum(0)).T
    with np.errstate(divide="ignore"):
        return {
            "you take the log of the mean: take the mean of the logs": np.log(likely[right].mean()),
            "you take the likeliest label: take the picture's own label, likely or not": (
                np.log(likely.max(1)).mean()
            ),
            "you divide by P(y) and get P(z | y): divide P(y, z) by P(z), the sum over labels": (
                np.log((probabilities @ given_label.T)[right]).mean()
            ),
            "you use the joint P(y, z): divide it by P(z) to get P(y | z)": (
                np.log((probabilities @ joint.T)[right]).mean()
            ),
            "these are sums of probabilities: P(y | z) must sum to 1 over the labels": (
                np.log((probabilities @ joint.T * n)[right]).mean()
            ),
            "you keep only the most likely source class, which is NCE: LEEP uses all of them": (
                np.log(share).mean()
            ),
        }


LEEP = Exercise(
    name="leep",
    level=2,
    minutes=15,
    goal="Say how well a source suits a target from its answers alone, without any training.",
    given=(
        "`probabilities`, a float array (n, S): row i holds what the source's classifier says of target "
        "picture i, and sums to 1; `labels`, an int array (n,) of the target classes 0 … K-1, each of "
        "which occurs."
    ),
    returns=(
        "a float, correct to 1 part in 1e6: the mean over the pictures of "
        "log Σ_z P(y_i | z) · probabilities[i, z], where P(y | z) = P(y, z) / P(z), and P(y, z) is "
        "1/n times the sum of probabilities[i, z] over the pictures with label y."
    ),
    example=(
        "`leep(np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9]]), np.array([0, 0, 1]))` returns about -0.2449."
    ),
    hints=(
        "Build the table P(y, z) first: one row a target class, one column a source class.",
        "`np.eye(K)[labels].T @ probabilities / n` is that table; its column sums are P(z).",
        (
            "`probabilities @ conditional.T` gives every picture's probability of each label: pick the "
            "right label's, take np.log, then the mean."
        ),
    ),
    verify=verify_leep,
)

# ── Kendall's tau ───────────────────────────────────────────────────────────────────────────


def verify_kendall_tau(student, rng) -> None:
    """Compare with counting all pairs; recognise other correlations and other denominators."""
    m = int(rng.integers(4, 12))
    accuracy = rng.permutation(np.linspace(0.6, 0.95, m) + rng.uniform(0, 0.01, m))
    # Neither in order nor in reverse, where every rank correlation agrees.
    order = rng.permutation(m)
    scores = np.exp(accuracy.argsort().argsort()[order] * rng.uniform(0.3, 0.6))
    yours = as_number(student(scores, accuracy), "one number from -1 to 1")
    expected = kendall_tau_slowly(scores, accuracy)
    explain(student, yours, expected, _typical_taus(scores, accuracy, expected), "tau of this case")


def kendall_tau_slowly(scores, accuracy) -> float:
    """Return (pairs in the same order - pairs in opposite order) / pairs."""
    same = opposite = 0
    for i in range(len(scores)):
        for j in range(i):
            if (scores[i] > scores[j]) == (accuracy[i] > accuracy[j]):
                same += 1
            else:
                opposite += 1
    return (same - opposite) / (same + opposite)


def _typical_taus(scores, accuracy, expected) -> dict:
    """Return what typical mistakes give, by their sentences."""
    m = len(scores)
    steps = np.sign(np.diff(np.asarray(scores)[np.argsort(accuracy)]))
    return {
        "the sign is swapped: a pair in the same order counts +1": -expected,
        "this is the share of pairs in the same order: subtract the others": (1 + expected) / 2,
        "you divide by m²: there are m(m-1)/2 pairs": expected * (m - 1) / m,
        "you count each pair once and divide by m(m-1): divide by m(m-1)/2": expected / 2,
        "you count each pair twice: divide by m(m-1), or count pairs i < j only": expected * 2,
        "this is a count of pairs: divide by their number, m(m-1)/2": expected * m * (m - 1) / 2,
        "this is Spearman's rho: count pairs": stats.spearmanr(scores, accuracy).statistic,
        "this is Pearson's r: only order counts": stats.pearsonr(scores, accuracy).statistic,
        "you compare neighbours only: compare every source with every other": steps.mean(),
    }


KENDALL_TAU = Exercise(
    name="kendall_tau",
    level=1,
    minutes=10,
    goal="Say how well a score ranks the sources, whatever unit the score has.",
    given=(
        "`scores` and `accuracy`, float arrays (m,), m ≥ 2: what a score promises for each source and "
        "what it then reached. No two values of an array are equal."
    ),
    returns=(
        "a float from -1 to 1, correct to 1e-6: the pairs of sources that both arrays put in the "
        "same order, minus those in opposite order, divided by the number of pairs m(m-1)/2."
    ),
    example="`kendall_tau(np.array([1, 2, 3]), np.array([0.7, 0.9, 0.8]))` returns 0.3333.",
    hints=(
        "Two loops: for each i, each j < i. Are `scores[i] - scores[j]` and the accuracies alike?",
        "The product of both differences is positive for a pair in the same order; `np.sign` helps.",
        "`np.sign(np.subtract.outer(scores, scores))` holds all pairs, each twice, and a zero diagonal.",
    ),
    verify=verify_kendall_tau,
)

EXERCISES = (LEEP, KENDALL_TAU)
