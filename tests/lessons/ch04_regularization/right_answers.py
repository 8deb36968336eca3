"""Right answers to the exercises of chapter 4."""

import itertools

import numpy as np
import torch


def drop_with_a_mask(inputs, p, seed):
    return inputs * (np.random.default_rng(seed).random(inputs.shape) >= p) / (1 - p)


def drop_with_torch(inputs, p, seed):
    torch.manual_seed(seed)
    return torch.nn.functional.dropout(torch.from_numpy(inputs), p)


def step_in_two_lines(weights, gradient, lr, weight_decay, decoupled):
    g = gradient if decoupled else gradient + weight_decay * weights
    weights = weights * (1 - lr * weight_decay) if decoupled else weights
    return weights - lr * g / (np.abs(g) + 1e-8)


def step_of_torch(weights, gradient, lr, weight_decay, decoupled):
    parameter = torch.nn.Parameter(torch.from_numpy(weights.copy()))
    parameter.grad = torch.from_numpy(gradient.copy())
    optimizer = torch.optim.AdamW if decoupled else torch.optim.Adam
    optimizer([parameter], lr=lr, weight_decay=weight_decay).step()
    return parameter.detach()


def pull_by_loop(weights, start, alpha, beta):
    total = 0.0
    for name, w in weights.items():
        if name in start:
            total += alpha * ((w - start[name]) ** 2).sum()
        else:
            total += beta * (w**2).sum()
    return total / 2


def pull_by_norms(weights, start, alpha, beta):
    return sum(
        (alpha if n in start else beta) / 2 * np.linalg.norm(w - start.get(n, 0)) ** 2
        for n, w in weights.items()
    )


def stop_by_walking(scores, patience):
    best = 0
    for i, score in enumerate(scores):
        if score > scores[best]:
            best = i
        if i - best >= patience:
            return best, i
    return best, len(scores) - 1


def stop_by_running_best(scores, patience):
    running = list(itertools.accumulate(scores, max))
    since = [i - running.index(value) for i, value in enumerate(running)]
    stopped = next((i for i, n in enumerate(since) if n >= patience), len(scores) - 1)
    return [scores.index(running[stopped]), stopped]


def smooth_with_eye(labels, n_classes, epsilon):
    return np.eye(n_classes)[labels] * (1 - epsilon) + epsilon / n_classes


def smooth_by_filling(labels, n_classes, epsilon):
    soft = np.full((len(labels), n_classes), epsilon / n_classes)
    soft[np.arange(len(labels)), labels] += 1 - epsilon
    return soft


RIGHT = [
    ("drop_out", drop_with_a_mask),
    ("drop_out", drop_with_torch),
    ("adam_first_step", step_in_two_lines),
    ("adam_first_step", step_of_torch),
    ("l2sp_penalty", pull_by_loop),
    ("l2sp_penalty", pull_by_norms),
    ("stop_early", stop_by_walking),
    ("stop_early", stop_by_running_best),
    ("smooth_labels", smooth_with_eye),
    ("smooth_labels", smooth_by_filling),
]
