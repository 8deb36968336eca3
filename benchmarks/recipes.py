"""How long to train, and how to pretrain? Decided on development targets, which no claim reports.

``python benchmarks/recipes.py steps`` (about twenty minutes) doubles the steps of every training until that no longer
pays; ``python benchmarks/recipes.py sources`` (about ten) pretrains the backbone of the letters in other ways. Both
write down what they found, in ``recipes.json``. Both rules were fixed before the first run:

- a number of steps is enough when twice as many gain less than one point, at the better of two learning rates;
- the backbone stays as it is unless another way is more than one point better.
"""

import argparse
import itertools
import json
from functools import partial
from pathlib import Path

import numpy as np
import torch

from tlcourse import data, experiment, models, settings, training
from tlcourse.data.perturb import perturb
from tlcourse.lessons.ch01_concepts import pretrain, transfer

FOUND = Path(__file__).with_suffix(".json")
BUDGETS = (2, 5)  # labels a class
ENOUGH = 0.01  # one point of accuracy
RATES = (2e-3, 5e-3)
DOUBLED = {  # steps of the shortest training tried, and how often they are doubled
    "CNN from scratch + augmentation": (300, 3),
    "CNN from scratch": (150, 2),
    "fine-tuning": (50, 3),
}
USUAL = {"lr": 6e-3, "strength": 1.0, "pool": "average"}
WAYS = [
    USUAL | change
    for change in ({}, {"lr": 3e-3}, {"lr": 1.2e-2}, {"strength": 0.5}, {"strength": 1.5})
]
WAYS += [USUAL | {"pool": "maximum"}]


def scores(learners, seed: int) -> np.ndarray:
    """Return the mean validation accuracy of several ``learn(train, seed)`` over a seed's targets and `BUDGETS`."""

    def on(target, k):
        train = data.few_labels(target.pool, k, seed)
        return [transfer.accuracy(learn(train, seed), target.validation) for learn in learners]

    targets = data.development_targets(seed, max(BUDGETS))
    return np.mean([on(target, k) for target in targets for k in BUDGETS], axis=0)


def enough(accuracy: dict[int, float]) -> int:
    """Return the first number of steps after which twice as many gain less than `ENOUGH`; else the largest."""
    tried = sorted(accuracy)
    for steps, more in itertools.pairwise(tried):
        if accuracy[more] - accuracy[steps] < ENOUGH:
            return steps
    return tried[-1]


def by_steps(method: str, shortest: int, doublings: int) -> dict[int, float]:
    """Return a method's mean accuracy by steps, each at the better of `RATES`."""
    found, extra = {}, {"strength": 1.0} if "augmentation" in method else {}
    for steps in (shortest * 2**i for i in range(doublings + 1)):
        rows = [partial(transfer.METHODS[method], lr=lr, steps=steps, **extra) for lr in RATES]
        runs = experiment.repeat(
            partial(scores, rows), settings.choosing_seeds(), f"{method}, {steps}"
        )
        found[steps] = round(float(np.mean(runs, axis=0).max()), 4)
        print(f"{method}, {steps} steps: {found[steps]:.3f}", flush=True)
    return found


def pretrained(lr: float, strength: float, pool: str) -> torch.nn.Module:
    """Return a backbone of the printed letters, pretrained in one of `WAYS`."""
    task, backbone = data.glyphs(), models.SmallCNN
    model = models.classifier(backbone, len(task.names), 0)
    if pool == "maximum":
        last = model.backbone.blocks[3]
        model.backbone.blocks[3] = torch.nn.Sequential(
            *last[:2], torch.nn.MaxPool2d(2), torch.nn.ReLU()
        )
    augment = partial(perturb, strength=strength)
    training.fit(
        model,
        task.images,
        task.labels,
        pretrain.STEPS,
        lr=lr,
        batch_size=pretrain.BATCH,
        augment=augment,
    )
    return model.backbone


def by_source() -> list[float]:
    """Return the mean accuracy of a probe and of fine-tuning on each backbone of `WAYS`."""
    backbones = experiment.sweep(
        lambda _, i: {i: pretrained(**WAYS[i])}, [0], range(len(WAYS)), "pretraining"
    )[0]
    rows = [partial(transfer.frozen_features, C=10, source=net) for net in backbones.values()]
    rows += [partial(transfer.fine_tune, source=net) for net in backbones.values()]
    runs = np.mean(
        experiment.repeat(partial(scores, rows), settings.choosing_seeds(12), "probing"), axis=0
    )
    probed, tuned = runs.reshape(2, len(WAYS))
    for way, a, b in zip(WAYS, probed, tuned, strict=True):
        print(f"{way}: probe {a:.3f}, fine-tuned {b:.3f}")
    return [round(float(x), 4) for x in (probed + tuned) / 2]


def main() -> None:
    """Measure one of the two, and write it down."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("part", choices=["steps", "sources"])
    part = parser.parse_args().part
    torch.set_num_threads(1)
    found = json.loads(FOUND.read_text(encoding="utf-8")) if FOUND.exists() else {}
    if part == "steps":
        found["steps"] = {method: by_steps(method, *tried) for method, tried in DOUBLED.items()}
        print({method: enough(accuracy) for method, accuracy in found["steps"].items()})
    else:
        found["sources"] = [way | {"accuracy": a} for way, a in zip(WAYS, by_source(), strict=True)]
    FOUND.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
