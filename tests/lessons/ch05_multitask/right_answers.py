"""Right answers to the exercises of chapter 5, in different styles."""

import numpy as np
import torch


def cosine_of_joined(a, b):
    x, y = (np.concatenate([layer.ravel() for layer in g]) for g in (a, b))
    lengths = np.linalg.norm(x) * np.linalg.norm(y)
    return x @ y / lengths if lengths else 0.0


def cosine_by_torch(a, b):
    x, y = (torch.cat([torch.as_tensor(layer).flatten() for layer in g]) for g in (a, b))
    return float(torch.nn.functional.cosine_similarity(x, y, dim=0))


def total_by_loop(guesses, targets, training, importance):
    total = 0.0
    for g, t, known, w in zip(guesses, targets, training, importance, strict=True):
        total += w * np.mean((g - t) ** 2) / np.var(known)
    return total


def total_of_standardised(guesses, targets, training, importance):
    each = [
        np.mean(((g - t) / k.std()) ** 2)
        for g, t, k in zip(guesses, targets, training, strict=True)
    ]
    return float(np.dot(importance, each))


def projected_with_if(a, b):
    inner = a @ b
    if inner >= 0:
        return a + b
    return a - inner / (b @ b) * b + b - inner / (a @ a) * a


def projected_by_minimum(a, b):
    opposed = min(a @ b, 0)
    return (1 - opposed / (a @ a)) * a + (1 - opposed / (b @ b)) * b


def noise_by_where(losses, s, classes):
    return (np.where(classes, 1.0, 0.5) * np.exp(-s) * losses + s / 2).sum()


def noise_by_loop(losses, s, classes):
    total = 0.0
    for loss, log_variance, kind in zip(losses, s, classes, strict=True):
        total += loss * np.exp(-log_variance) / (1 if kind else 2) + log_variance / 2
    return total


def goal_in_one_line(norms, losses, first, alpha):
    return norms.mean() * (losses / first / (losses / first).mean()) ** alpha


def goal_by_loop(norms, losses, first, alpha):
    left = [now / start for now, start in zip(losses, first, strict=True)]
    average = sum(left) / len(left)
    return [np.mean(norms) * (x / average) ** alpha for x in left]


RIGHT = [
    ("gradient_cosine", cosine_of_joined),
    ("gradient_cosine", cosine_by_torch),
    ("scaled_total", total_by_loop),
    ("scaled_total", total_of_standardised),
    ("project_conflict", projected_with_if),
    ("project_conflict", projected_by_minimum),
    ("uncertainty_loss", noise_by_where),
    ("uncertainty_loss", noise_by_loop),
    ("gradnorm_goal", goal_in_one_line),
    ("gradnorm_goal", goal_by_loop),
]
