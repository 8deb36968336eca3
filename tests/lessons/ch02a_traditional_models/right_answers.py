"""Right answers to the exercises on traditional models, in more than one style."""

import numpy as np
import torch
from scipy.special import xlogy


def ppmi_where_seen(counts):
    p = counts / counts.sum()
    chance = p.sum(axis=1, keepdims=True) * p.sum(axis=0)
    result, seen = np.zeros(p.shape), p > 0
    result[seen] = np.log(p[seen] / chance[seen])
    return np.maximum(result, 0)


def ppmi_by_loops(counts):
    total = counts.sum()
    return [
        [
            max(0.0, np.log(n * total / (row.sum() * column.sum()))) if n else 0.0
            for n, column in zip(row, counts.T, strict=True)
        ]
        for row in counts
    ]


def ppmi_with_torch(counts):
    counts = torch.as_tensor(counts)
    chance = counts.sum(1, keepdim=True) * counts.sum(0) / counts.sum()
    ratio = torch.where(counts > 0, counts / chance, torch.ones_like(counts))
    return ratio.log().clamp(min=0)


def ppmi_by_xlogy(counts):
    p = counts / counts.sum()
    chance = np.outer(p.sum(axis=1), p.sum(axis=0))
    ratio = np.divide(p, chance, out=np.ones_like(p), where=p > 0)
    return np.maximum(xlogy(1.0, ratio), 0)


def rules_by_columns(rules, X):
    result = np.ones((len(X), len(rules)))
    for j, conditions in enumerate(rules):
        for feature, sign, limit in conditions:
            values = X[:, feature]
            result[:, j] *= values <= limit if sign == "<=" else values > limit
    return result


def rules_by_rows(rules, X):
    def meets(row, rule):
        return all((row[f] <= limit) == (sign == "<=") for f, sign, limit in rule)

    return [[int(meets(row, rule)) for rule in rules] for row in X]


def rules_as_booleans(rules, X):
    columns = [
        np.logical_and.reduce(
            [np.ones(len(X), bool), *((X[:, f] > limit) ^ (s == "<=") for f, s, limit in rule)]
        )
        for rule in rules
    ]
    return np.stack(columns, axis=1)


RIGHT = [
    ("ppmi", ppmi_where_seen),
    ("ppmi", ppmi_by_loops),
    ("ppmi", ppmi_with_torch),
    ("ppmi", ppmi_by_xlogy),
    ("rules_as_features", rules_by_columns),
    ("rules_as_features", rules_by_rows),
    ("rules_as_features", rules_as_booleans),
]
