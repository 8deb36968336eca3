"""Typical wrong answers of lesson 2d, each with words of the message that names its mistake."""

import numpy as np
from lessons.ch02d_choosing_a_source.right_answers import leep_by_matrices, tau_by_loops
from scipy import stats

# ── leep ────────────────────────────────────────────────────────────────────────────────────


def table(probabilities, labels):
    return np.eye(labels.max() + 1)[labels].T @ probabilities / len(labels)


def mean_log(expected, labels):
    return np.log(expected[np.arange(len(labels)), labels]).mean()


def the_most_likely_class(probabilities, labels):
    answers = probabilities.argmax(axis=1)
    pairs = list(zip(answers.tolist(), labels.tolist(), strict=True))
    return np.mean([np.log(pairs.count((z, y)) / (answers == z).sum()) for z, y in pairs])


def given_the_label(probabilities, labels):
    joint = table(probabilities, labels)
    return mean_log(probabilities @ (joint / joint.sum(axis=1, keepdims=True)).T, labels)


def the_joint(probabilities, labels):
    return mean_log(probabilities @ table(probabilities, labels).T, labels)


def plain_sums(probabilities, labels):
    return mean_log(probabilities @ table(probabilities, labels).T * len(labels), labels)


def the_likeliest_label(probabilities, labels):
    joint = table(probabilities, labels)
    return np.log((probabilities @ (joint / joint.sum(axis=0)).T).max(axis=1)).mean()


def log_of_the_mean(probabilities, labels):
    joint = table(probabilities, labels)
    expected = probabilities @ (joint / joint.sum(axis=0)).T
    return np.log(expected[np.arange(len(labels)), labels].mean())


def a_sum(probabilities, labels):
    return leep_by_matrices(probabilities, labels) * len(labels)


def a_loss(probabilities, labels):
    return -leep_by_matrices(probabilities, labels)


def in_bits(probabilities, labels):
    return leep_by_matrices(probabilities, labels) / np.log(2)


def one_a_picture(probabilities, labels):
    joint = table(probabilities, labels)
    expected = probabilities @ (joint / joint.sum(axis=0)).T
    return np.log(expected[np.arange(len(labels)), labels])


# ── kendall_tau ─────────────────────────────────────────────────────────────────────────────


def spearman(scores, accuracy):
    return stats.spearmanr(scores, accuracy).statistic


def pearson(scores, accuracy):
    return np.corrcoef(scores, accuracy)[0, 1]


def share_in_order(scores, accuracy):
    return (1 + tau_by_loops(scores, accuracy)) / 2


def over_all_cells(scores, accuracy):
    signs = [np.sign(np.subtract.outer(v, v)) for v in (scores, accuracy)]
    return (signs[0] * signs[1]).mean()


def each_pair_twice(scores, accuracy):
    m = len(scores)
    signs = [np.sign(np.subtract.outer(v, v)) for v in (scores, accuracy)]
    return (signs[0] * signs[1]).sum() / (m * (m - 1) / 2)


def a_count(scores, accuracy):
    signs = [np.sign(np.subtract.outer(v, v)) for v in (scores, accuracy)]
    return (signs[0] * signs[1]).sum() / 2


def neighbours(scores, accuracy):
    order = np.argsort(accuracy)
    return np.sign(np.diff(scores[order])).mean()


def upside_down(scores, accuracy):
    return -tau_by_loops(scores, accuracy)


def first_half(probabilities, labels):
    return leep_by_matrices(probabilities[::2], labels[::2]) + 0.01


def ranks_only(scores, accuracy):
    return float((np.argsort(scores) == np.argsort(accuracy)).mean())


WRONG = [
    ("leep", the_most_likely_class, "which is NCE"),
    ("leep", given_the_label, "divide P(y, z) by P(z)"),
    ("leep", the_joint, "you use the joint"),
    ("leep", plain_sums, "these are sums of probabilities"),
    ("leep", log_of_the_mean, "take the mean of the logs"),
    ("leep", the_likeliest_label, "the picture's own label"),
    ("leep", a_sum, "divide by their number"),
    ("leep", a_loss, "the sign is swapped"),
    ("leep", in_bits, "natural logarithm"),
    ("leep", one_a_picture, "one number, the mean log probability"),
    ("kendall_tau", spearman, "Spearman's rho"),
    ("kendall_tau", pearson, "Pearson's r"),
    ("kendall_tau", share_in_order, "subtract the others"),
    ("kendall_tau", over_all_cells, "you divide by m²"),
    ("kendall_tau", each_pair_twice, "you count each pair twice"),
    ("kendall_tau", a_count, "this is a count of pairs"),
    ("kendall_tau", neighbours, "you compare neighbours only"),
    ("kendall_tau", upside_down, "the sign is swapped"),
    ("leep", first_half, "and you returned"),
    ("kendall_tau", ranks_only, "and you returned"),
]
