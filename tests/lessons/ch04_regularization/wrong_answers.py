"""Typical wrong answers to the exercises of chapter 4, with words of the message."""

import numpy as np
from lessons.ch04_regularization.right_answers import (
    pull_by_loop,
    step_in_two_lines,
    stop_by_walking,
)


def mask(inputs, p, seed):
    return np.random.default_rng(seed).random(inputs.shape) >= p


def not_scaled(inputs, p, seed):
    return inputs * mask(inputs, p, seed)


def scaled_by_p(inputs, p, seed):
    return inputs * mask(inputs, p, seed) / p


def keeps_with_p(inputs, p, seed):
    return inputs * ~mask(inputs, p, seed) / (1 - p)


def whole_columns(inputs, p, seed):
    kept = np.random.default_rng(seed).random(inputs.shape[1]) >= p
    return inputs * kept / (1 - p)


def no_seed(inputs, p, seed):
    return inputs * (np.random.default_rng().random(inputs.shape) >= p) / (1 - p)


def fixed_seed(inputs, p, seed):
    return inputs * mask(inputs, p, 0) / (1 - p)


def nothing_dropped(inputs, p, seed):
    return inputs / (1 - p)


def swapped_places(weights, gradient, lr, weight_decay, decoupled):
    return step_in_two_lines(weights, gradient, lr, weight_decay, not decoupled)


def no_decay(weights, gradient, lr, weight_decay, decoupled):
    return step_in_two_lines(weights, gradient, lr, 0.0, decoupled)


def uphill(weights, gradient, lr, weight_decay, decoupled):
    return 2 * weights - step_in_two_lines(weights, gradient, lr, weight_decay, decoupled)


def plain_descent(weights, gradient, lr, weight_decay, decoupled):
    return weights - lr * (gradient + weight_decay * weights)


def decay_without_lr(weights, gradient, lr, weight_decay, decoupled):
    if not decoupled:
        return step_in_two_lines(weights, gradient, lr, weight_decay, False)
    return weights - lr * gradient / (np.abs(gradient) + 1e-8) - weight_decay * weights


def decay_after_the_step(weights, gradient, lr, weight_decay, decoupled):
    after = step_in_two_lines(weights, gradient, lr, 0.0 if decoupled else weight_decay, False)
    return after * (1 - lr * weight_decay) if decoupled else after


def no_half(weights, start, alpha, beta):
    return 2 * pull_by_loop(weights, start, alpha, beta)


def swapped_factors(weights, start, alpha, beta):
    return pull_by_loop(weights, start, beta, alpha)


def head_forgotten(weights, start, alpha, beta):
    return pull_by_loop(weights, start, alpha, 0.0)


def all_to_zero(weights, start, alpha, beta):
    return pull_by_loop(weights, {name: 0 * w for name, w in start.items()}, alpha, beta)


def not_squared(weights, start, alpha, beta):
    return sum(
        (alpha if n in start else beta) / 2 * np.linalg.norm(w - start.get(n, 0))
        for n, w in weights.items()
    )


def looks_ahead(scores, patience):
    return int(np.argmax(scores)), stop_by_walking(scores, patience)[1]


def one_too_late(scores, patience):
    return stop_by_walking(scores, patience + 1)


def keeps_the_last(scores, patience):
    stopped = stop_by_walking(scores, patience)[1]
    return stopped, stopped


def swapped_numbers(scores, patience):
    return stop_by_walking(scores, patience)[::-1]


def one_number(scores, patience):
    return stop_by_walking(scores, patience)[0]


def one_hot(labels, n_classes, epsilon):
    return np.eye(n_classes)[labels]


def others_only(labels, n_classes, epsilon):
    hot = np.eye(n_classes)[labels]
    return hot * (1 - epsilon) + (1 - hot) * epsilon / (n_classes - 1)


def sums_above_one(labels, n_classes, epsilon):
    return np.eye(n_classes)[labels] + epsilon / n_classes


def not_divided(labels, n_classes, epsilon):
    return np.eye(n_classes)[labels] * (1 - epsilon) + epsilon


def transposed(labels, n_classes, epsilon):
    return (np.eye(n_classes)[labels] * (1 - epsilon) + epsilon / n_classes)[:, :1]


def in_pairs(inputs, p, seed):
    shape = (inputs.shape[0], -(-inputs.shape[1] // 2)) if inputs.ndim == 2 else inputs.shape
    keep = np.random.default_rng(seed).random(shape) >= p
    keep = np.repeat(keep, 2, axis=1)[:, : inputs.shape[1]] if inputs.ndim == 2 else keep
    return keep * inputs / (1 - p)


def tables_only(inputs, p, seed):
    rows, columns = inputs.shape
    return inputs * (np.random.default_rng(seed).random((rows, columns)) >= p) / (1 - p)


def broken_places(scores, patience):
    kept, stopped = stop_by_walking(scores, patience)
    return kept + 0.9, stopped


def ends_at_the_best(scores, patience):
    return int(np.argmax(scores)), int(np.argmax(scores))


def spread_by_softmax(labels, n_classes, epsilon):
    return np.exp(np.eye(n_classes)[labels]) / np.exp(np.eye(n_classes)[labels]).sum(1)[:, None]


def momentum(weights, gradient, lr, decay, decoupled):
    return weights - lr * np.sign(gradient + decay * weights)


WRONG = [
    ("drop_out", not_scaled, "divide them by 1 - p"),
    ("drop_out", scaled_by_p, "wrong factor"),
    ("drop_out", keeps_with_p, "are 0, but p is"),
    ("drop_out", whole_columns, "share their fate"),
    ("drop_out", no_seed, "the same seed gave another result"),
    ("drop_out", fixed_seed, "use the seed"),
    ("drop_out", nothing_dropped, "no number was set to 0"),
    ("adam_first_step", swapped_places, "swapped"),
    ("adam_first_step", no_decay, "do not decay at all"),
    ("adam_first_step", uphill, "uphill"),
    ("adam_first_step", plain_descent, "plain gradient descent"),
    ("adam_first_step", decay_without_lr, "lacks the learning rate"),
    ("adam_first_step", decay_after_the_step, "after the step"),
    ("l2sp_penalty", no_half, "1/2"),
    ("l2sp_penalty", swapped_factors, "swapped"),
    ("l2sp_penalty", head_forgotten, "pull them to 0 with beta"),
    ("l2sp_penalty", all_to_zero, "pulled to 0"),
    ("l2sp_penalty", not_squared, "not squared"),
    ("stop_early", looks_ahead, "after the stop there are none"),
    ("stop_early", one_too_late, "too late"),
    ("stop_early", keeps_the_last, "not the last"),
    ("stop_early", swapped_numbers, "swapped"),
    ("stop_early", one_number, "two numbers"),
    ("smooth_labels", one_hot, "nothing is spread"),
    ("smooth_labels", others_only, "other classes alone"),
    ("smooth_labels", sums_above_one, "sum to 1"),
    ("smooth_labels", not_divided, "sum to 1"),
    ("smooth_labels", transposed, "shape"),
    ("drop_out", in_pairs, "draw for every number by itself"),
    ("drop_out", tables_only, "raised ValueError"),
    ("stop_early", broken_places, "and you returned"),
    ("stop_early", ends_at_the_best, "(kept, stopped) are ("),
    ("smooth_labels", spread_by_softmax, "and you returned"),
    ("adam_first_step", momentum, "with decoupled=True"),
]
