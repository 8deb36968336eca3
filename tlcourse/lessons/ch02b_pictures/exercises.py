"""Chapter 2, deep models: a learning rate for each layer."""

import numpy as np
import torch
from torch import nn

from tlcourse.teaching.exercise import Exercise
from tlcourse.teaching.values import Mistake, as_number, describe, explain

# ── learning_rates ──────────────────────────────────────────────────────────────────────────


def verify_learning_rates(student, rng) -> None:
    """Compare the rate of every parameter of a partly frozen network with the specification."""
    layers = random_layers(rng)
    lr, decay = float(rng.uniform(0.001, 0.1)), float(rng.uniform(0.2, 0.8))
    seen = student.observe(groups_and_flags, layers, lr, decay)
    groups = _read(seen["groups"], seen["optimiser"])
    if seen["flags"] != [p.requires_grad for layer in layers for p in layer.parameters()]:
        raise Mistake("you changed what is frozen: only read requires_grad, do not set it.")
    expected = learning_rates_slowly(layers, lr, decay)
    _each_once(groups, layers, expected)
    found = {parameter: rate for parameters, rate in groups for parameter in parameters}
    place = {p: i for i, layer in enumerate(layers) for p in layer.parameters() if p in expected}
    _judge_rates(student, [found[p] for p in place], list(place.values()), lr, decay, len(layers))


def groups_and_flags(learning_rates, layers, lr, decay) -> dict:
    """Return the groups, and what is frozen afterwards, as plain data."""
    groups = learning_rates(layers, lr, decay)
    return {
        "groups": groups,
        "optimiser": isinstance(groups, torch.optim.Optimizer),
        "flags": [p.requires_grad for layer in layers for p in layer.parameters()],
    }


def random_layers(rng) -> list[nn.Module]:
    """Return 4 or 5 layers, lowest first, two of them partly or wholly frozen."""
    torch.manual_seed(int(rng.integers(2**31)))
    blocks = [
        nn.Sequential(nn.Conv2d(2, 2, 3), nn.Sequential(nn.BatchNorm2d(2), nn.ReLU()))
        for _ in range(int(rng.integers(3, 5)))
    ]
    whole, part = rng.permutation(len(blocks))[:2]
    blocks[whole].requires_grad_(False)
    blocks[part][0].bias.requires_grad_(False)
    return [*blocks, nn.Linear(2, 3)]


def learning_rates_slowly(layers, lr, decay) -> dict:
    """Return the rate of every parameter that is not frozen, one multiplication a layer."""
    rates, rate = {}, lr
    for layer in reversed(layers):
        for parameter in layer.parameters():
            if parameter.requires_grad:
                rates[parameter] = rate
        rate = rate * decay
    return rates


def _read(value, optimiser: bool) -> list[tuple[list, float]]:
    """Return the parameters and the rate of each group, or name what cannot be read."""
    wanted = 'a list of dicts {"params": [...], "lr": ...}'
    if optimiser:
        raise Mistake(f"you returned an optimiser: return its groups, {wanted}.")
    if not isinstance(value, list | tuple) or not all(isinstance(g, dict) for g in value):
        raise Mistake(f"you returned {describe(value)}: return {wanted}.")
    groups = []
    for group in value:
        if not {"params", "lr"} <= set(group):
            raise Mistake(f"a group has the keys {list(group)}: 'params' and 'lr' are needed.")
        params = group["params"]
        params = params if isinstance(params, list | tuple) else [params]
        params = [p[1] if isinstance(p, tuple) else p for p in params]  # (name, parameter)
        if not all(isinstance(p, torch.Tensor) for p in params):
            raise Mistake("a group holds something that is no parameter: list layer.parameters().")
        groups.append((params, as_number(group["lr"], "one number as the rate of each group")))
    return groups


def _each_once(groups, layers, expected: dict) -> None:
    """Raise unless every parameter that learns stands in one group, and no other in any."""
    listed = [p for parameters, _ in groups for p in parameters]
    names = {
        p: f"{name} of layer {i}"
        for i, layer in enumerate(layers)
        for name, p in layer.named_parameters()
    }
    for parameter in listed:
        if parameter not in names:
            raise Mistake("a group holds a parameter of no layer: copy none, list them as given.")
        if not parameter.requires_grad:
            raise Mistake(
                f"{names[parameter]} is frozen and yet in a group: keep only parameters whose "
                "requires_grad is True."
            )
    if missing := [p for p in expected if not any(p is q for q in listed)]:
        raise Mistake(
            f"{names[missing[0]]} learns and is in no group, so no step would move it: "
            "layer.parameters() reaches every one, also in nested layers."
        )
    if len(listed) > len(expected):
        twice = next(p for p in listed if sum(p is q for q in listed) > 1)
        raise Mistake(f"{names[twice]} is in two groups, which an optimiser refuses: list it once.")


def _judge_rates(student, found, place, lr, decay, n) -> None:
    """Judge the rate of each parameter; `place` says of each which of the `n` layers it is in."""
    i, below = np.array(place), n - 1 - np.array(place)
    counted = sorted(set(place), reverse=True)  # the layers that learn, from the top
    known = {
        "every layer gets the same rate: multiply by decay at each step down": 0 * below,
        "the order is upside down: the last layer, the head, gets lr itself": i,
        "each rate is one decay too small: the head gets lr itself": below + 1,
        "lower layers get larger rates: multiply by decay, do not divide": -below,
        "a frozen layer was not counted: it is a step down, though it gets no group": (
            np.array([counted.index(layer) for layer in place])
        ),
    }
    known = {words: decay**power for words, power in known.items()}
    line = "the rates fall along a line: each step down multiplies the one above by decay"
    known |= {line: decay * below, f"{line}, and decay is not used": (i + 1) / n}
    words = f"with lr={lr:.3g} and decay={decay:.2g}, parameter by parameter in shares of lr"
    explain(student, np.array(found) / lr, decay**below, known, words)


LEARNING_RATES = Exercise(
    name="learning_rates",
    level=2,
    minutes=15,
    goal="Fine-tune the lower layers more gently: a learning rate for each layer.",
    given=(
        "`layers`, a list of modules, lowest first, the head last; some of their parameters are "
        "frozen (`requires_grad` is False). `lr`, a float, the head's rate; `decay`, a float between "
        "0 and 1."
    ),
    returns=(
        'a list of dicts `{"params": [...], "lr": ...}`, as `torch.optim.AdamW` takes them: the head '
        "has the rate `lr`, and each step down multiplies the rate by `decay`, over frozen layers "
        "too. Every parameter that learns is in exactly one group, a frozen one in none."
    ),
    example=(
        "`learning_rates([block, head], 0.01, 0.5)` returns a group with rate 0.005 for the block "
        "and one with 0.01 for the head."
    ),
    hints=(
        "How many steps is layer i below the head? That is the power of `decay`.",
        "`[p for p in layer.parameters() if p.requires_grad]` are the parameters that learn.",
        (
            "`for i, layer in enumerate(layers)`: the rate is "
            "`lr * decay ** (len(layers) - 1 - i)`; append one dict with that list and that rate."
        ),
    ),
    verify=verify_learning_rates,
)

EXERCISES = (LEARNING_RATES,)
