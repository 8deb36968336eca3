"""Right answers to the exercises of lesson 2d, in more than one style."""

import math

import numpy as np
import torch
from scipy import stats


def leep_by_matrices(probabilities, labels):
    one_hot = np.eye(labels.max() + 1)[labels]
    joint = one_hot.T @ probabilities / len(labels)
    expected = probabilities @ (joint / joint.sum(axis=0)).T
    return np.log(expected[np.arange(len(labels)), labels]).mean()


def leep_by_loops(probabilities, labels):
    logs = []
    column = probabilities.sum(axis=0)  # n times P(z); the n cancels
    for row, label in zip(probabilities, labels, strict=True):
        given = probabilities[labels == label].sum(axis=0) / column
        logs.append(math.log(sum(p * g for p, g in zip(row, given, strict=True))))
    return sum(logs) / len(logs)


def leep_with_torch(probabilities, labels):
    p, y = torch.as_tensor(probabilities), torch.as_tensor(labels)
    joint = torch.zeros(int(y.max()) + 1, p.shape[1], dtype=p.dtype).index_add(0, y, p)
    given = joint / joint.sum(0)
    return torch.log((p * given[y]).sum(1)).mean()


def tau_by_loops(scores, accuracy):
    m, total = len(scores), 0
    for i in range(m):
        for j in range(i + 1, m):
            total += 1 if (scores[i] - scores[j]) * (accuracy[i] - accuracy[j]) > 0 else -1
    return total / (m * (m - 1) / 2)


def tau_by_signs(scores, accuracy):
    def pairs(values):
        return np.sign(np.subtract.outer(values, values))

    return (pairs(scores) * pairs(accuracy)).sum() / (len(scores) * (len(scores) - 1))


def tau_by_scipy(scores, accuracy):
    return stats.kendalltau(scores, accuracy).statistic


RIGHT = [
    ("leep", leep_by_matrices),
    ("leep", leep_by_loops),
    ("leep", leep_with_torch),
    ("kendall_tau", tau_by_loops),
    ("kendall_tau", tau_by_signs),
    ("kendall_tau", tau_by_scipy),
]
