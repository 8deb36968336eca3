"""Typical wrong answers to the exercise of lesson 2b on images, with words of the message."""

import copy

import torch
from lessons.ch02b_pictures.right_answers import rates_by_power


def learns(layer):
    return [p for p in layer.parameters() if p.requires_grad]


def grouped(layers, rate_of):
    return [{"params": learns(layer), "lr": rate_of(i)} for i, layer in enumerate(layers)]


def upside_down(layers, lr, decay):
    return grouped(layers, lambda i: lr * decay**i)


def the_head_decays_too(layers, lr, decay):
    return grouped(layers, lambda i: lr * decay ** (len(layers) - i))


def divided(layers, lr, decay):
    return grouped(layers, lambda i: lr / decay ** (len(layers) - 1 - i))


def along_a_line(layers, lr, decay):
    return grouped(layers, lambda i: lr * (i + 1) / len(layers))


def one_rate(layers, lr, decay):
    return grouped(layers, lambda i: lr)


def squared(layers, lr, decay):
    return grouped(layers, lambda i: lr * decay ** (2 * (len(layers) - 1 - i)))


def counts_only_what_learns(layers, lr, decay):
    layers = [layer for layer in layers if learns(layer)]
    return grouped(layers, lambda i: lr * decay ** (len(layers) - 1 - i))


def with_the_frozen(layers, lr, decay):
    top = len(layers) - 1
    return [
        {"params": layer.parameters(), "lr": lr * decay ** (top - i)}
        for i, layer in enumerate(layers)
    ]


def not_the_nested(layers, lr, decay):
    top, groups = len(layers) - 1, []
    for i, layer in enumerate(layers):
        first = layer[0] if isinstance(layer, torch.nn.Sequential) else layer
        groups.append({"params": learns(first), "lr": lr * decay ** (top - i)})
    return groups


def unfreezes(layers, lr, decay):
    for layer in layers:
        layer.requires_grad_(True)
    return grouped(layers, lambda i: lr * decay ** (len(layers) - 1 - i))


def the_head_twice(layers, lr, decay):
    groups = grouped(layers, lambda i: lr * decay ** (len(layers) - 1 - i))
    return [*groups, {"params": learns(layers[-1]), "lr": lr}]


def copies(layers, lr, decay):
    return upside_down(copy.deepcopy(layers), lr, decay)


def an_optimiser(layers, lr, decay):
    return torch.optim.AdamW(upside_down(layers, lr, decay))


def only_the_rates(layers, lr, decay):
    return [lr * decay ** (len(layers) - 1 - i) for i in range(len(layers))]


def other_keys(layers, lr, decay):
    return [{"parameters": learns(layer), "rate": lr} for layer in layers]


def the_modules(layers, lr, decay):
    return [{"params": [layer], "lr": lr} for layer in layers]


def a_list_of_rates(layers, lr, decay):
    return [{"params": learns(layer), "lr": [lr, lr * decay]} for layer in layers]


def rounded_rates(layers, lr, decay):
    groups = rates_by_power(layers, lr, decay)
    return [{**group, "lr": round(group["lr"], 3)} for group in groups]


WRONG = [
    ("learning_rates", upside_down, "the order is upside down"),
    ("learning_rates", the_head_decays_too, "one decay too small: the head gets lr itself"),
    ("learning_rates", divided, "lower layers get larger rates"),
    ("learning_rates", along_a_line, "the rates fall along a line"),
    ("learning_rates", one_rate, "every layer gets the same rate"),
    ("learning_rates", squared, "in shares of lr: at ["),
    ("learning_rates", counts_only_what_learns, "a frozen layer was not counted"),
    ("learning_rates", with_the_frozen, "is frozen and yet in a group"),
    ("learning_rates", not_the_nested, "is in no group, so no step would move it"),
    ("learning_rates", unfreezes, "you changed what is frozen"),
    ("learning_rates", the_head_twice, "is in two groups"),
    ("learning_rates", copies, "a parameter of no layer"),
    ("learning_rates", an_optimiser, "you returned an optimiser"),
    ("learning_rates", only_the_rates, "return a list of dicts"),
    ("learning_rates", other_keys, "'params' and 'lr' are needed"),
    ("learning_rates", the_modules, "something that is no parameter"),
    ("learning_rates", a_list_of_rates, "one number as the rate of each group"),
    ("learning_rates", rounded_rates, "in shares of lr"),
]
