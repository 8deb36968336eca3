"""Lesson 07c: what augmentation is worth. Four ways to learn, each without and with changed copies."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

from tlcourse import settings
from tlcourse.data import ImageSet, Splits, development_targets, few_labels
from tlcourse.lessons.ch01_concepts import transfer
from tlcourse.lessons.ch07c_augmentation.policies import POLICIES, copies, one_hot, policy
from tlcourse.models import StackedNetwork

SETTINGS = Path(__file__).with_suffix(".json")
BUDGETS = (1, 2, 5, 10, 20)  # labels a class
SCRATCH = "small network from scratch"
SHORT = "30-step fine-tuning"
METHODS = {
    "SVM on pixels": transfer.svm_on_pixels,
    "frozen features + logistic regression": transfer.frozen_features,
    SHORT: partial(transfer.fine_tune, steps=30, batch_size=32),
}

# ── many small networks at once ─────────────────────────────────────────────────────────────


def learn(
    banks: Sequence[tuple], seeds: Sequence[int], steps=300, lr=3e-3, batch_size=32
) -> StackedNetwork:
    """Train one network a seed from random weights, each on its own pictures.

    They have one hidden layer of 128 units and stand side by side (`models.StackedNetwork`), so that
    ten of them cost little more than one.

    Parameters
    ----------
    banks : sequence of (images, labels)
        One a seed, as `bank` returns them, all of the same length.
    seeds : sequence of int
        Initial weights and batches.
    steps, lr, batch_size
        As in `training.fit`; here with replacement.
    """
    images = torch.stack([images.flatten(1) for images, _ in banks])
    labels = torch.stack([labels for _, labels in banks])
    widths = {"class": labels.shape[-1]}
    networks = StackedNetwork(seeds, images.shape[-1], widths, hidden=128, depth=1)
    networks = networks.to(images.device)
    optimizer = torch.optim.AdamW(networks.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    n, draws = images.shape[1], [torch.Generator().manual_seed(seed) for seed in seeds]
    order = torch.stack([torch.randint(n, (steps, batch_size), generator=d) for d in draws])
    own = torch.arange(len(seeds))[:, None]
    for rows in order.unbind(1):
        scores = networks(images[own, rows])["class"]
        loss = -(labels[own, rows] * scores.log_softmax(-1)).sum(-1).mean(1).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return networks


@torch.no_grad()
def score(networks: StackedNetwork, test: ImageSet, views: Callable | None = None, n: int = 8):
    """Return each network's accuracy, an array of shape (seeds,).

    Parameters
    ----------
    views : callable, optional
        A `policy` for test-time augmentation: probabilities are averaged over the picture and `n`
        changed ones.
    """
    said = networks(test.images.flatten(1))["class"].softmax(-1)
    rows = torch.randperm(len(test), generator=torch.Generator().manual_seed(0))
    with torch.random.fork_rng([]):
        torch.default_generator.manual_seed(0)
        for _ in range(n if views else 0):
            parts = [views(test.images[part], test.labels[part]) for part in rows.split(10)]
            changed = torch.cat([images for images, _ in parts])[rows.argsort()]
            said += networks(changed.flatten(1))["class"].softmax(-1)
    return (said.argmax(-1) == test.labels).float().mean(1).cpu().numpy()


# ── none against augmented, for four ways to learn ──────────────────────────────────────────


def bank(train: ImageSet, seed: int, name: str = "none", strength: float = 1.0) -> tuple:
    """Return what a method learns from: pictures and soft labels, with a `policy` also copies."""
    if name == "none":
        return train.images, one_hot(train.labels, len(train.names))
    return copies(train, policy(name, strength), seed)


def scratch(target: Splits, per_class: int, seeds, name: str, strength=1.0, lr=3e-3):
    """Train a small network a seed from random weights, all at once, under one policy."""
    draws = [few_labels(target.pool, per_class, seed) for seed in seeds]
    banks = [bank(*draw, name, strength) for draw in zip(draws, seeds, strict=True)]
    return learn(banks, seeds, lr=lr)


def learn_one(method: str, name: str, train: ImageSet, seed: int, strength=1.0, **settings):
    """Learn from a `bank` of whole labels with one of `METHODS`; return what predicts labels."""
    images, soft = bank(train, seed, name, strength)
    where = torch.zeros(len(images), dtype=torch.int64)
    whole = ImageSet(images, soft.argmax(1), train.names, where)
    return METHODS[method](whole, seed, **settings)


def accuracies(target: Splits, per_class: int, seed: int, settings: dict) -> dict:
    """Return the test accuracy of each of `METHODS`, learned without and with affine copies.

    Parameters
    ----------
    settings : dict
        ``{method: {"none" or "affine": {per_class: settings}}}``, as `chosen_settings` returns.

    Returns
    -------
    dict
        ``{(method, "none" or "affine"): accuracy}``.
    """
    train, found = few_labels(target.pool, per_class, seed), {}
    for method in METHODS:
        for name, by_budget in settings[method].items():
            predict = learn_one(method, name, train, seed, **by_budget[per_class])
            found[method, name] = transfer.accuracy(predict, target.test)
    return found


# ── choosing ────────────────────────────────────────────────────────────────────────────────


WITHOUT = transfer.CANDIDATES | {
    SHORT: transfer.CANDIDATES["fine-tuning"],
    SCRATCH: [{"lr": lr} for lr in (1e-3, 2e-3, 3e-3, 5e-3, 1e-2, 2e-2)],
}
WITH_COPIES = {
    "SVM on pixels": [{"C": 1}, {"C": 10}],
    "frozen features + logistic regression": [{"C": 1}, {"C": 10}],
    SHORT: [{"lr": 5e-3}, {"lr": 1e-2}],
    SCRATCH: [{"lr": 2e-3}, {"lr": 5e-3}],
}
# Six candidates each, without copies and with, so that none is tuned with more care than another.
CANDIDATES = {
    method: (WITHOUT[method], [row | {"strength": s} for row in rows for s in (0.25, 0.5, 1.0)])
    for method, rows in WITH_COPIES.items()
}


def scratch_scores(rows, name: str, per_class: int, targets: Callable, seed: int) -> np.ndarray:
    """Return the mean validation accuracy of the network from scratch with each of several settings."""

    def on(target):
        nets = [scratch(target, per_class, [seed], name, **row) for row in rows]
        return [score(net, target.validation).item() for net in nets]

    return np.mean([on(target) for target in targets(seed, per_class)], axis=0)


def choose(seeds, targets: Callable = development_targets) -> dict:
    """Choose settings by mean validation accuracy, on seeds and targets that no report uses.

    Every method without and with affine copies, at each of `BUDGETS`; the network from scratch also
    with each of the other policies, at 5 labels a class.
    """
    jobs = [(m, n, k) for m in CANDIDATES for n in ("none", "affine") for k in BUDGETS]
    jobs += [(SCRATCH, name, 5) for name in POLICIES if name != "affine"]
    chosen: dict = {method: {} for method in CANDIDATES}
    for method, name, k in jobs:
        rows = CANDIDATES[method][name != "none"]
        if method == SCRATCH:
            scores = partial(scratch_scores, rows, name, k, targets)
            found = settings.choose(rows, scores, seeds)
        else:
            found = transfer.choose(partial(learn_one, method, name), rows, k, seeds, targets)
        chosen[method].setdefault(name, {})[k] = found
    return chosen


def chosen_settings() -> dict:
    """Return what ``python -m tlcourse choose policies`` chose: {method: {policy: {budget: settings}}}."""
    return settings.stored(SETTINGS)


def main() -> None:
    """Choose all settings and write them down."""
    settings.store(SETTINGS, choose(settings.choosing_seeds()))
