"""Typical wrong answers on traditional models, each with words of the message that names it."""

import numpy as np
from lessons.ch02a_traditional_models.right_answers import ppmi_where_seen, rules_by_columns


def with_log_of_zero(counts):
    p = counts / counts.sum()
    with np.errstate(all="ignore"):
        return np.log(p / (p.sum(axis=1, keepdims=True) * p.sum(axis=0)))


def in_bits(counts):
    return ppmi_where_seen(counts) / np.log(2)


def not_clipped(counts):
    p = counts / counts.sum()
    chance = p.sum(axis=1, keepdims=True) * p.sum(axis=0)
    result = np.zeros(p.shape)
    result[p > 0] = np.log(p[p > 0] / chance[p > 0])
    return np.where(result == 0, -0.1, result)


def one_marginal(counts):
    p = counts / counts.sum()
    with np.errstate(all="ignore"):
        return np.maximum(np.nan_to_num(np.log(p / p.sum(axis=0)), neginf=0), 0)


def without_the_logarithm(counts):
    p = counts / counts.sum()
    chance = p.sum(axis=1, keepdims=True) * p.sum(axis=0)
    return np.divide(p, chance, out=np.zeros_like(p), where=p > 0)


def add_one(counts):
    return ppmi_where_seen(counts + 1) + 0.01


def flattened(counts):
    return ppmi_where_seen(counts).ravel()


def any_condition(rules, X):
    single = [[rules_by_columns([[c]], X)[:, 0] for c in rule] for rule in rules]
    columns = [np.max(found, axis=0) if found else np.ones(len(X)) for found in single]
    return np.stack(columns, axis=1)


def below_the_limit(rules, X):
    result = np.ones((len(X), len(rules)))
    for j, rule in enumerate(rules):
        for f, sign, limit in rule:
            result[:, j] *= X[:, f] < limit if sign == "<=" else X[:, f] >= limit
    return result


def transposed(rules, X):
    return rules_by_columns(rules, X).T


def swapped(rules, X):
    return 1 - rules_by_columns(rules, X)


def number_of_conditions(rules, X):
    singles = [[rules_by_columns([[c]], X)[:, 0] for c in rule] for rule in rules]
    return np.stack([sum(s, np.zeros(len(X))) for s in singles], axis=1) + 1


def empty_is_never_met(rules, X):
    result = rules_by_columns(rules, X)
    result[:, [not rule for rule in rules]] = 0
    return result


def above_one(counts):
    return np.where(counts >= 1, ppmi_where_seen(counts), 0)


def smoothed(counts):
    return np.where(counts > 0, ppmi_where_seen(counts + 0.1), 0)


def limits_included(rules, X):
    result = np.ones((len(X), len(rules)))
    for j, rule in enumerate(rules):
        for f, sign, limit in rule:
            result[:, j] *= X[:, f] <= limit if sign == "<=" else X[:, f] >= limit
    return result


def first_condition(rules, X):
    return rules_by_columns([rule[:1] for rule in rules], X)


def signs_ignored(rules, X):
    return rules_by_columns([[(f, "<=", limit) for f, _, limit in rule] for rule in rules], X)


WRONG = [
    ("ppmi", with_log_of_zero, "NaN or infinity"),
    ("ppmi", in_bits, "base 2"),
    ("ppmi", not_clipped, "negative"),
    ("ppmi", one_marginal, "one marginal"),
    ("ppmi", without_the_logarithm, "logarithm is missing"),
    ("ppmi", add_one, "never counted"),
    ("ppmi", flattened, "shape"),
    ("rules_as_features", any_condition, "all"),
    ("rules_as_features", below_the_limit, "exactly on a limit"),
    ("rules_as_features", transposed, "swapped"),
    ("rules_as_features", swapped, "0 and 1 are swapped"),
    ("rules_as_features", number_of_conditions, "0 or 1"),
    ("rules_as_features", empty_is_never_met, "empty rule"),
    ("ppmi", above_one, "small counts count too"),
    ("ppmi", smoothed, "and you returned"),
    ("rules_as_features", limits_included, "exactly on a limit does not meet >"),
    ("rules_as_features", first_condition, "it should be 0, and you returned 1"),
    ("rules_as_features", signs_ignored, "row and rule: at ["),
]
