"""Lesson 2d, which source: LEEP, and the rank correlation that judges a score."""

import math

import numpy as np
from scipy import stats

from tlcourse.teaching.exercise import Exercise
from tlcourse.teaching.values import Mistake, as_number, near_miss, told_apart

# ── LEEP ────────────────────────────────────────────────────────────────────────────────────


def verify_leep(student, rng) -> None:
    """Compare with the double sum; recognise a hard decision, a wrong condition and a wrong mean."""
    n, sources, targets = (int(rng.integers(low, high)) for low, high in ((8, 30), (3, 9), (2, 6)))
    labels = rng.permutation(np.arange(n) % targets)
    probabilities = rng.dirichlet(np.full(sources, 0.7), size=n)
    yours = as_number(student(probabilities, labels), "one number, the mean log probability")
    problem = _name_leep(yours, probabilities, labels)
    if problem:
        raise Mistake(problem)


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


def _name_leep(yours, probabilities, labels) -> str:
    """Return a sentence on the mistake, or an empty one."""
    expected = leep_slowly(probabilities, labels)

    def near(value):
        return math.isclose(yours, value, rel_tol=1e-6, abs_tol=1e-9)

    if near(expected):
        return ""
    n = len(labels)
    for value, words in [
        (-expected, "the sign is swapped: the logarithm of a probability is never above 0."),
        (expected * n, "this is the sum over the pictures: divide by their number."),
        (expected / math.log(2), "this is in bits: LEEP takes the natural logarithm, np.log."),
        (math.exp(expected), "this is no logarithm yet: return the mean of the logarithms."),
        *_other_leeps(probabilities, labels),
    ]:
        if near(value):
            return words
    due, found = told_apart(expected, yours)
    return near_miss(yours, expected) or f"LEEP of this case is {due}, but you returned {found}."


def _other_leeps(probabilities, labels):
    """Yield what typical mistakes give, each with its sentence."""
    n = len(labels)
    one_hot = np.eye(labels.max() + 1)[labels]
    joint = one_hot.T @ probabilities / n
    right = np.arange(n), labels
    with np.errstate(divide="ignore"):
        likely = (probabilities @ (joint / joint.sum(0)).T)[right]
        yield np.log(likely.mean()), "you take the log of the mean: take the mean of the logs."
        surest = (probabilities @ (joint / joint.sum(0)).T).max(1)
        words = "you take the likeliest label: take the picture's own label, likely or not."
        yield np.log(surest).mean(), words
        given = joint / joint.sum(1, keepdims=True)
        yield (
            np.log((probabilities @ given.T)[right]).mean(),
            "you divide by P(y) and get P(z | y): divide P(y, z) by P(z), the sum over labels.",
        )
        unconditional = np.log((probabilities @ joint.T)[right]).mean()
        yield unconditional, "you use the joint P(y, z): divide it by P(z) to get P(y | z)."
        yield (
            np.log((probabilities @ joint.T * n)[right]).mean(),
            "these are sums of probabilities: P(y | z) must sum to 1 over the labels.",
        )
        answers = probabilities.argmax(1)
        hard = one_hot.T @ np.eye(probabilities.shape[1])[answers]
        share = (hard / np.maximum(hard.sum(0), 1))[labels, answers]
        words = "you keep only the most likely source class, which is NCE: LEEP uses all of them."
        yield np.log(share).mean(), words


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
    problem = _name_tau(yours, scores, accuracy)
    if problem:
        raise Mistake(problem)


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


def _name_tau(yours, scores, accuracy) -> str:
    """Return a sentence on the mistake, or an empty one."""
    expected, m = kendall_tau_slowly(scores, accuracy), len(scores)
    if math.isclose(yours, expected, abs_tol=1e-6):
        return ""
    order = np.argsort(accuracy)
    steps = np.sign(np.diff(np.asarray(scores)[order]))
    for value, words in [
        (-expected, "the sign is swapped: a pair in the same order counts +1."),
        ((1 + expected) / 2, "this is the share of pairs in the same order: subtract the others."),
        (
            expected * (m - 1) / m,
            f"you divide by m²: there are m(m-1)/2 = {m * (m - 1) // 2} pairs.",
        ),
        (expected / 2, "you count each pair once and divide by m(m-1): divide by m(m-1)/2."),
        (expected * 2, "you count each pair twice: divide by m(m-1), or count pairs i < j only."),
        (expected * m * (m - 1) / 2, "this is a count of pairs: divide by their number, m(m-1)/2."),
        (stats.spearmanr(scores, accuracy).statistic, "this is Spearman's rho: count pairs."),
        (stats.pearsonr(scores, accuracy).statistic, "this is Pearson's r: only order counts."),
        (steps.mean(), "you compare neighbours only: compare every source with every other."),
    ]:
        if math.isclose(yours, value, abs_tol=1e-6):
            return words
    due, found = told_apart(expected, yours)
    return near_miss(yours, expected) or f"tau of this case is {due}, but you returned {found}."


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
