"""Chapter 7: what augmentation is worth. Four ways to learn, each without and with changed copies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

from tlcourse import runtime
from tlcourse.data import ImageSet, Splits, digits, few_labels
from tlcourse.lessons.ch01_concepts import transfer
from tlcourse.lessons.ch07c_augmentation.policies import POLICIES, copies, one_hot, policy
from tlcourse.models import StackedNetwork
from tlcourse.settings import choosing_seeds, store, stored

SETTINGS = Path(__file__).with_suffix(".json")
BUDGETS = (1, 2, 5, 10, 20)  # labels a class

SCRATCH = "small network from scratch"
METHODS = {
    "SVM on pixels": transfer.svm_on_pixels,
    "frozen features + logistic regression": transfer.frozen_features,
    "fine-tuning": partial(transfer.fine_tune, steps=30, batch_size=32),
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
        One a seed, as `copies` returns them, all of the same length.
    seeds : sequence of int
        Initial weights and batches.
    steps, lr, batch_size
        As in `training.fit`; here with replacement.
    """
    images = torch.stack([images.flatten(1) for images, _ in banks])
    labels = torch.stack([labels for _, labels in banks])
    widths = {"class": labels.shape[-1]}
    networks = StackedNetwork(seeds, images.shape[-1], widths, hidden=128, depth=1).to(
        images.device
    )
    optimizer = torch.optim.AdamW(networks.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    draws = [torch.Generator().manual_seed(seed) for seed in seeds]
    own = torch.arange(len(seeds))[:, None]
    for _ in range(steps):
        rows = torch.stack(
            [torch.randint(images.shape[1], (batch_size,), generator=d) for d in draws]
        )
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
    if views:
        rows = torch.randperm(len(test), generator=torch.Generator().manual_seed(0))
        with runtime.seeded(0):
            for _ in range(n):
                parts = [views(test.images[part], test.labels[part]) for part in rows.split(10)]
                changed = torch.cat([images for images, _ in parts])[rows.argsort()]
                said += networks(changed.flatten(1))["class"].softmax(-1)
    return (said.argmax(-1) == test.labels).float().mean(1).cpu().numpy()


# ── none against augmented, for four ways to learn ──────────────────────────────────────────


def bank(target: Splits, per_class: int, seed: int, name: str = "none", strength: float = 1.0):
    """Return what a method learns from: a few labelled pictures, and with a `policy` their copies."""
    train = few_labels(target.pool, per_class, seed)
    if name == "none":
        return train.images, one_hot(train.labels, len(train.names))
    return copies(train, policy(name, strength), seed)


def learn_one(method: str, target: Splits, per_class: int, seed: int, name: str, **settings):
    """Learn with one of `METHODS` from a `bank` of whole labels; ``strength`` is the policy's."""
    images, soft = bank(target, per_class, seed, name, settings.pop("strength", 1.0))
    where = torch.zeros(len(images), dtype=torch.int64)
    return METHODS[method](
        ImageSet(images, soft.argmax(1), target.pool.names, where), seed, **settings
    )


def accuracies(target: Splits, per_class: int, seed: int, settings: dict, part: str = "test"):
    """Return the accuracy of each of `METHODS`, learned without and with affine copies.

    Parameters
    ----------
    settings : dict
        ``{method: {"none" or "affine": {str(per_class): settings}}}``, as `chosen_settings` returns.
    part : {"test", "validation"}

    Returns
    -------
    dict
        ``{(method, "none" or "affine"): accuracy}``.
    """
    found = {}
    for method in METHODS:
        for name, by_budget in settings[method].items():
            predict = learn_one(method, target, per_class, seed, name, **by_budget[str(per_class)])
            found[method, name] = transfer.accuracy(predict, getattr(target, part))
    return found


def scratch(
    target: Splits, per_class: int, seeds, name: str, strength=1.0, lr=3e-3
) -> StackedNetwork:
    """Train a small network a seed from random weights, all at once, under one policy."""
    banks = [bank(target, per_class, seed, name, strength) for seed in seeds]
    return learn(banks, seeds, lr=lr)


# ── choosing ────────────────────────────────────────────────────────────────────────────────

# Six candidates each, with copies or without, so that none is tuned with more care than another.
STRENGTHS = (0.25, 0.5, 1.0)
CANDIDATES = {
    "SVM on pixels": (
        transfer.CANDIDATES["SVM on pixels"],
        [{"C": C, "strength": s} for C in (1, 10) for s in STRENGTHS],
    ),
    "frozen features + logistic regression": (
        transfer.CANDIDATES["frozen features + logistic regression"],
        [{"C": C, "strength": s} for C in (1, 10) for s in STRENGTHS],
    ),
    "fine-tuning": (
        transfer.CANDIDATES["fine-tuning"],
        [{"lr": lr, "strength": s} for lr in (5e-3, 1e-2) for s in STRENGTHS],
    ),
    SCRATCH: (
        [{"lr": lr} for lr in (1e-3, 2e-3, 3e-3, 5e-3, 1e-2, 2e-2)],
        [{"lr": lr, "strength": s} for lr in (2e-3, 5e-3) for s in STRENGTHS],
    ),
}


def validate(
    target: Splits, method: str, name: str, per_class: int, seeds, settings: dict
) -> float:
    """Return the mean validation accuracy of one candidate."""
    if method == SCRATCH:
        return score(scratch(target, per_class, seeds, name, **settings), target.validation).mean()
    fits = [learn_one(method, target, per_class, seed, name, **settings) for seed in seeds]
    return float(np.mean([transfer.accuracy(predict, target.validation) for predict in fits]))


def choose(target: Splits, seeds) -> dict:
    """Choose settings by mean validation accuracy, on seeds that no report uses.

    Every method without and with affine copies, at each of `BUDGETS`; the network from scratch also
    with each of the other policies, at 5 labels a class.
    """
    jobs = [(m, n, k) for m in CANDIDATES for n in ("none", "affine") for k in BUDGETS]
    jobs += [(SCRATCH, name, 5) for name in POLICIES if name != "affine"]
    chosen: dict = {}
    for method, name, k in runtime.progress(jobs, "choosing settings"):
        rows = CANDIDATES[method][name != "none"]
        scores = [validate(target, method, name, k, seeds, settings) for settings in rows]
        chosen.setdefault(method, {}).setdefault(name, {})[str(k)] = rows[int(np.argmax(scores))]
    return chosen


def chosen_settings() -> dict:
    """Return what ``python -m tlcourse choose policies`` chose: {method: {policy: {budget: settings}}}."""
    return stored(SETTINGS)


def main() -> None:
    """Choose all settings and write them down."""
    torch.set_num_threads(1)
    chosen = choose(digits(), choosing_seeds())  # no report uses the last seeds
    store(SETTINGS, chosen)
