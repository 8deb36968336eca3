"""Typical wrong answers to the exercises of chapter 5, with words of the message."""

import numpy as np
from lessons.ch05_multitask.right_answers import (
    cosine_of_joined,
    goal_in_one_line,
    projected_with_if,
)


def inner_product(a, b):
    return sum((x * y).sum() for x, y in zip(a, b, strict=True))


def mean_of_layers(a, b):
    return np.mean([cosine_of_joined([x], [y]) for x, y in zip(a, b, strict=True)])


def no_sign(a, b):
    return abs(cosine_of_joined(a, b))


def first_layer(a, b):
    return cosine_of_joined(a[:1], b[:1])


def no_zero(a, b):
    x, y = (np.concatenate([layer.ravel() for layer in g]) for g in (a, b))
    return x @ y / (np.linalg.norm(x) * np.linalg.norm(y) or np.inf) or 1e-3


def zero_by_zero(a, b):
    x, y = (np.concatenate([layer.ravel() for layer in g]) for g in (a, b))
    with np.errstate(invalid="ignore"):
        return x @ y / (np.linalg.norm(x) * np.linalg.norm(y))


def total(scale, weights=True):
    def scaled_total(guesses, targets, training, importance):
        return sum(
            (w if weights else 1) * np.mean((g - t) ** 2) / scale(t, k)
            for g, t, k, w in zip(guesses, targets, training, importance, strict=True)
        )

    return scaled_total


unscaled = total(lambda t, k: 1)
by_deviation = total(lambda t, k: k.std())
by_batch = total(lambda t, k: t.var())
no_importance = total(lambda t, k: k.var(), weights=False)
one_less = total(lambda t, k: k.var(ddof=1))


def always_projected(a, b):
    inner = a @ b
    return a - inner / (b @ b) * b + b - inner / (a @ a) * a


def never_projected(a, b):
    return a + b


def first_only(a, b):
    return a - min(a @ b, 0) / (b @ b) * b + b


def one_after_the_other(a, b):
    if a @ b < 0:
        a = a - (a @ b) / (b @ b) * b
        b = b - (a @ b) / (a @ a) * a
    return a + b


def by_length(a, b):
    inner = min(a @ b, 0)
    return a - inner / np.linalg.norm(b) * b + b - inner / np.linalg.norm(a) * a


def mean_of_both(a, b):
    return projected_with_if(a, b) / 2


def in_place(a, b):
    inner = min(a @ b, 0)
    old, square = a.copy(), a @ a
    a -= inner / (b @ b) * b
    return a + b - inner / square * old


def factor(classes):
    return np.where(classes, 1.0, 0.5)


def no_log(losses, s, classes):
    return (factor(classes) * np.exp(-s) * losses).sum()


def whole_log(losses, s, classes):
    return (factor(classes) * np.exp(-s) * losses + s).sum()


def noisy_counts_more(losses, s, classes):
    return (factor(classes) * np.exp(s) * losses + s / 2).sum()


def no_half(losses, s, classes):
    return (np.exp(-s) * losses + s / 2).sum()


def swapped_half(losses, s, classes):
    return ((1.5 - factor(classes)) * np.exp(-s) * losses + s / 2).sum()


def no_first(norms, losses, first, alpha):
    return goal_in_one_line(norms, losses, np.ones(3), alpha)


def no_mean(norms, losses, first, alpha):
    return norms.mean() * (losses / first) ** alpha


def upside_down(norms, losses, first, alpha):
    return goal_in_one_line(norms, losses, first, -alpha)


def own_norms(norms, losses, first, alpha):
    return norms / norms.mean() * goal_in_one_line(norms, losses, first, alpha)


def alpha_as_factor(norms, losses, first, alpha):
    return alpha * goal_in_one_line(norms, losses, first, 1)


def nan_for_a_zero_second(a, b):
    return 0.0 if not any(x.any() for x in a) else cosine_by_joining_unguarded(a, b)


def cosine_by_joining_unguarded(a, b):
    a, b = (np.concatenate([layer.ravel() for layer in g]) for g in (a, b))
    with np.errstate(invalid="ignore"):
        return a @ b / np.sqrt((a @ a) * (b @ b))


def equal_lengths_only(guesses, targets, training, importance):
    errors = ((np.array(guesses) - np.array(targets)) ** 2).mean(axis=1)
    return (np.array(importance) * errors / np.array(training).var(axis=1)).sum()


def errors_added(guesses, targets, training, importance):
    parts = zip(guesses, targets, training, importance, strict=True)
    return sum(w * ((g - t) ** 2).sum() / np.var(known) for g, t, known, w in parts)


def by_the_largest(norms, losses, first, alpha):
    left = losses / first
    return norms.max() * (left / left.mean()) ** alpha


WRONG = [
    ("gradient_cosine", inner_product, "divide by both lengths"),
    ("gradient_cosine", mean_of_layers, "join all layers"),
    ("gradient_cosine", no_sign, "the sign is lost"),
    ("gradient_cosine", first_layer, "use all layers"),
    ("gradient_cosine", no_zero, "has no direction"),
    ("gradient_cosine", zero_by_zero, "0 where a gradient is zero"),
    ("scaled_total", unscaled, "nothing is scaled"),
    ("scaled_total", by_deviation, "not by its root"),
    ("scaled_total", by_batch, "variance of the batch"),
    ("scaled_total", no_importance, "importance is not used"),
    ("scaled_total", one_less, "ddof=0"),
    ("project_conflict", always_projected, "do not conflict"),
    ("project_conflict", never_projected, "these gradients conflict"),
    ("project_conflict", first_only, "only the first gradient"),
    ("project_conflict", one_after_the_other, "the first as it was"),
    ("project_conflict", by_length, "square of the length"),
    ("project_conflict", mean_of_both, "this is the mean"),
    ("project_conflict", in_place, "changed its input"),
    ("uncertainty_loss", no_log, "without the log term"),
    ("uncertainty_loss", whole_log, "the log term is s / 2"),
    ("uncertainty_loss", noisy_counts_more, "must get a small weight"),
    ("uncertainty_loss", no_half, "a measurement's loss has a factor"),
    ("uncertainty_loss", swapped_half, "belongs to measurements"),
    ("gradnorm_goal", no_first, "its own first loss"),
    ("gradnorm_goal", no_mean, "its mean over the tasks"),
    ("gradnorm_goal", upside_down, "upside down"),
    ("gradnorm_goal", own_norms, "one mean length"),
    ("gradnorm_goal", alpha_as_factor, "an exponent"),
    ("gradient_cosine", nan_for_a_zero_second, "you returned NaN"),
    ("scaled_total", equal_lengths_only, "raised ValueError"),
    ("scaled_total", errors_added, "take the mean over the batch"),
    ("gradnorm_goal", by_the_largest, "and you returned"),
]
