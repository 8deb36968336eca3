"""Lesson 02a, traditional models: mutual information of words, rules as features."""

import math

import numpy as np

from tlcourse.teaching.exercise import Exercise
from tlcourse.teaching.values import Mistake, as_array, explain, told_apart

# ── ppmi ────────────────────────────────────────────────────────────────────────────────────


def verify_ppmi(student, rng) -> None:
    """Compare on weighted counts with zeros, with a word that never occurs, and unequal sizes."""
    words, contexts = int(rng.integers(3, 7)), int(rng.integers(3, 7))
    counts = rng.poisson(rng.gamma(0.6, 6.0, (words, contexts))).astype(float)
    counts[0, 0] = 9  # there is something to count
    counts[int(rng.integers(1, words)), :] = 0
    counts[1:, 0] = np.minimum(counts[1:, 0], 2)
    counts *= float(rng.uniform(0.05, 1.5))  # counts may be weighted, so a small one counts too
    yours = as_array(student(counts), counts.shape, f"an array of shape {counts.shape}")
    if (yours < -1e-6).any():
        raise Mistake("some values are negative: PPMI keeps the positive ones, the rest is 0.")
    if (np.abs(yours[counts == 0]) > 1e-6).any():
        raise Mistake("a pair that was never counted must get 0, and yours gets something else.")
    expected = ppmi_slowly(counts)
    explain(student, yours, expected, _typical_ppmi(counts, expected))


def ppmi_slowly(counts) -> np.ndarray:
    """Return the positive pointwise mutual information, one pair at a time."""
    total = sum(sum(row) for row in counts)
    result = np.zeros(counts.shape)
    for w in range(counts.shape[0]):
        for c in range(counts.shape[1]):
            if counts[w, c] > 0:
                p_word, p_context = sum(counts[w]) / total, sum(counts[:, c]) / total
                result[w, c] = max(0.0, math.log(counts[w, c] / total / (p_word * p_context)))
    return result


def _typical_ppmi(counts, expected) -> dict:
    """Return what typical mistakes give, by their sentences."""
    p = counts / counts.sum()
    word, context = p.sum(axis=1, keepdims=True), p.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = p / context, p / word, p / (word * context), p / (word * context) / counts.sum()
        by_context, by_word, _, no_total = (
            np.maximum(np.nan_to_num(np.log(ratio), neginf=0.0), 0) for ratio in ratios
        )
    no_words, no_contexts = "divide p(w, c) by p(w) too", "divide p(w, c) by p(c) too"
    return {
        "this is base 2 (bits): take the natural logarithm, np.log": expected / np.log(2),
        "this is base 10: take the natural logarithm, np.log": expected / np.log(10),
        f"you divide by one marginal only: {no_words}": by_context,
        f"you divide by one marginal only: {no_contexts}": by_word,
        "counts are not probabilities: divide them, and both marginals, by the total": no_total,
        "the ratio is right; its logarithm is missing": np.nan_to_num(ratios[2]),
        "small counts count too: only pairs of 0 are left out": np.where(counts >= 1, expected, 0),
    }


PPMI = Exercise(
    name="ppmi",
    level=2,
    minutes=12,
    goal="Turn counts of neighbours into how much more often two words meet than by chance.",
    given=(
        "`counts`, a float array (words, contexts), not negative, with at least one count; some "
        "entries, and whole rows or columns, may be 0."
    ),
    returns=(
        "a float array of the same shape, correct to 1e-6: max(0, log(p(w, c) / (p(w) p(c)))) with "
        "the natural logarithm and no smoothing; 0 where nothing was counted, without NaN."
    ),
    example="`ppmi(np.array([[2.0, 0.0], [0.0, 2.0]]))` returns about `[[0.693, 0], [0, 0.693]]`.",
    hints=(
        "p(w, c) is `counts / counts.sum()`; its row sums are p(w), its column sums p(c).",
        "Take the logarithm of the entries above 0 only, and leave zeros elsewhere.",
        "`seen = counts > 0`, `result[seen] = np.log(p[seen] / by_chance[seen])`, then `maximum`.",
    ),
    verify=verify_ppmi,
)

# ── rules as features ───────────────────────────────────────────────────────────────────────


def verify_rules_as_features(student, rng) -> None:
    """Compare on rows that lie exactly on a limit, on long rules, and on a rule without condition."""
    d, m = int(rng.integers(2, 5)), int(rng.integers(3, 6))
    n = m + 5  # never as many rows as rules: a transposed answer shows
    X = rng.integers(0, 5, (n, d)).astype(float)  # few values, so that many lie on a limit
    rules = [
        [
            (int(rng.integers(d)), str(rng.choice(["<=", ">"])), float(rng.integers(0, 5)))
            for _ in range(int(rng.integers(1, 4)))
        ]
        for _ in range(m)
    ]
    on_limit = [[(0, "<=", X[0, 0])], [(0, ">", X[0, 0])]]
    two = [[(0, "<=", X[0, 0]), (1, ">", X[0, 1])]]  # row 0 meets the first condition only
    rules = [*rules, *on_limit, *two, []]
    shape = (n, len(rules))
    yours = as_array(student(rules, X), (-1, -1), f"an array of shape {shape}")
    expected = rules_as_features_slowly(rules, X)
    if yours.shape == expected.T.shape and yours.shape != shape:
        raise Mistake("rows and columns are swapped: one row of X a row, one rule a column.")
    if yours.shape != shape:
        raise Mistake(f"the shape is {yours.shape}: return {shape}, rows of X by rules.")
    if not np.isin(yours, (0, 1)).all():
        odd = float(yours[~np.isin(yours, (0, 1))][0])
        raise Mistake(f"a feature is 0 or 1, and yours holds {told_apart(odd, round(odd))[0]}.")
    explain(student, yours, expected, _typical_features(rules, X, expected), "row and rule")


def rules_as_features_slowly(rules, X) -> np.ndarray:
    """Return whether each row meets each rule, one condition at a time."""
    result = np.ones((len(X), len(rules)))
    for i, row in enumerate(X):
        for j, conditions in enumerate(rules):
            for feature, sign, limit in conditions:
                met = row[feature] <= limit if sign == "<=" else row[feature] > limit
                if not met:
                    result[i, j] = 0
    return result


def _typical_features(rules, X, expected) -> dict:
    """Return what typical mistakes give, by their sentences."""
    empty = np.array([not conditions for conditions in rules])
    some = np.zeros(expected.shape)
    for j, conditions in enumerate(rules):
        for condition in conditions:
            some[:, j] = np.maximum(some[:, j], rules_as_features_slowly([[condition]], X)[:, 0])
    return {
        "0 and 1 are swapped: 1 means that the row meets the rule": 1 - expected,
        "the empty rule asks for nothing, so every row meets it: return 1": (
            np.where(empty, 0, expected)
        ),
        "a rule is met when *all* its conditions are: one is not enough": (
            np.where(empty, expected, some)
        ),
        "a rule is met when *all* its conditions are, the empty one by every row": some,
        "a row that lies exactly on a limit meets <=, and you ask for less": (
            _with_limits_moved(rules, X, "<=")
        ),
        "a row that lies exactly on a limit does not meet >": _with_limits_moved(rules, X, ">"),
        "a row that lies exactly on a limit meets <= and does not meet >": (
            _with_limits_moved(rules, X, "<=>")
        ),
    }


def _with_limits_moved(rules, X, signs: str) -> np.ndarray:
    """Return the features when conditions of some signs have a limit just below the given one."""
    moved = [[(f, s, v - 1e-9 if s in signs else v) for f, s, v in rule] for rule in rules]
    return rules_as_features_slowly(moved, X)


RULES_AS_FEATURES = Exercise(
    name="rules_as_features",
    level=1,
    minutes=12,
    goal="Reuse the rules of a source tree: describe target rows by the rules that they meet.",
    given=(
        "`rules`, a list of rules; a rule is a list of conditions `(feature, sign, limit)`: a column "
        'number, `"<="` or `">"`, a float. `X`, a float array (n, d).'
    ),
    returns=(
        "an array (n, rules) of 0 and 1: 1 where the row meets *all* conditions of the rule. A rule "
        "without conditions is met by every row."
    ),
    example='`rules_as_features([[(0, "<=", 2.0)]], np.array([[2.0], [3.0]]))` returns `[[1], [0]]`.',
    hints=(
        "One condition for all rows at once: `X[:, feature] <= limit`, or `>`.",
        "Start each column with ones, and multiply it by each condition (True counts as 1).",
    ),
    verify=verify_rules_as_features,
)

EXERCISES = (PPMI, RULES_AS_FEATURES)
