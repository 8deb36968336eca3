"""Typical wrong answers to the exercises of chapter 6, with words of the message."""

import numpy as np
from lessons.ch06_maml.right_answers import adapt_by_loop, outer_by_formula, walk_by_part


def uphill(w, X, y, lr):
    return adapt_by_loop(w, X, y, -lr)


def chained(w, X, y, lr):
    found = []
    for t in range(len(X)):
        w = adapt_by_loop(w, X[t : t + 1], y[t : t + 1], lr)[0]
        found.append(w)
    return found


def shared(w, X, y, lr):
    return [np.mean(adapt_by_loop(w, X, y, lr), axis=0)] * len(X)


def summed(w, X, y, lr):
    return adapt_by_loop(w, X, y, lr * y.shape[1])


def without_two(w, X, y, lr):
    return adapt_by_loop(w, X, y, lr / 2)


def joint(w, X, y, Xq, yq, lr, order):
    return outer_by_formula(w, X, y, Xq, yq, 0.0, 1)


def on_support(w, X, y, Xq, yq, lr, order):
    return outer_by_formula(w, X, y, X, y, lr, 1)


def first_only(w, X, y, Xq, yq, lr, order):
    return outer_by_formula(w, X, y, Xq, yq, lr, 1)


def added_up(w, X, y, Xq, yq, lr, order):
    return len(X) * outer_by_formula(w, X, y, Xq, yq, lr, order)


def one_scalar(w, X, y, Xq, yq, lr, order):
    return np.full(len(w), outer_by_formula(w, X, y, Xq, yq, lr, order).mean())


def by_support_size(w, X, y, Xq, yq, lr, order):
    return outer_by_formula(w, X, y, Xq, yq, lr, order) * yq.shape[1] / y.shape[1]


def half_a_hessian(w, X, y, Xq, yq, lr, order):
    # The second-order term is linear in H: half of it lies half way between the two orders.
    both = [outer_by_formula(w, X, y, Xq, yq, lr, k) for k in (1, order)]
    return np.mean(both, axis=0)


def away(w, adapted, rate):
    return walk_by_part(w, adapted, -rate)


def all_the_way(w, adapted, rate):
    return adapted.mean(axis=0)


def last_task(w, adapted, rate):
    return walk_by_part(w, adapted[-1:], rate)


def sum_of_ways(w, adapted, rate):
    return w + rate * (adapted - w).sum(axis=0)


def class_means(support, labels):
    return np.array([support[labels == k].mean(axis=0) for k in range(labels.max() + 1)])


def farthest(support, labels, query):
    return ((query[:, None] - class_means(support, labels)) ** 2).sum(-1).argmax(1)


def nearest_picture(support, labels, query):
    return labels[((query[:, None] - support) ** 2).sum(-1).argmin(1)]


def dot_product(support, labels, query):
    return (query @ class_means(support, labels).T).argmax(1)


def position(support, labels, query):
    return ((query[:, None] - support) ** 2).sum(-1).argmin(1)


def twice(w, X, y, lr):
    return [
        adapt_by_loop(v, X[t : t + 1], y[t : t + 1], lr)[0]
        for t, v in enumerate(adapt_by_loop(w, X, y, lr))
    ]


def towards_the_median(w, adapted, rate):
    return w + rate * (np.median(adapted, axis=0) - w) + 0.001


def manhattan(support, labels, query):
    means = class_means(support, labels)
    return np.abs(query[:, None] - means).sum(-1).argmin(1)


WRONG = [
    ("adapt_each", uphill, "uphill"),
    ("adapt_each", chained, "start from w"),
    ("adapt_each", shared, "share one step"),
    ("adapt_each", summed, "divide by their number"),
    ("adapt_each", without_two, "factor 2"),
    ("outer_gradient", joint, "joint training"),
    ("outer_gradient", on_support, "on the queries"),
    ("outer_gradient", first_only, "order 2 was asked"),
    ("outer_gradient", added_up, "do not add them up"),
    ("outer_gradient", one_scalar, "over the tasks alone"),
    ("outer_gradient", by_support_size, "number of queries"),
    ("outer_gradient", half_a_hessian, "H lacks its 2"),
    ("reptile_step", away, "move towards"),
    ("reptile_step", all_the_way, "only a part"),
    ("reptile_step", last_task, "average over the tasks"),
    ("reptile_step", sum_of_ways, "do not add up"),
    ("nearest_prototype", farthest, "take the nearest"),
    ("nearest_prototype", nearest_picture, "mean of each class"),
    ("nearest_prototype", dot_product, "dot product"),
    ("nearest_prototype", position, "not a class"),
    ("adapt_each", twice, "at ["),
    ("reptile_step", towards_the_median, "and you returned"),
    ("nearest_prototype", manhattan, "of the queries get the class of their nearest prototype"),
]
