"""Chapter 7: what augmentation is worth. Four ways to learn, each without and with changed copies."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from torch import nn

from tlcourse import models, runtime, training, transfer
from tlcourse.augmentation import POLICIES, copies, one_hot, policy
from tlcourse.data import ImageSet, Splits, digits, few_labels

SETTINGS = Path(__file__).parent / "settings" / "augmentation.json"
BUDGETS = (1, 2, 5, 10, 20)  # labels a class

# ── many small networks at once ─────────────────────────────────────────────────────────────


class Networks(nn.Module):
    """Small networks side by side, one a seed: 256 pixels, one hidden layer, classes.

    They share no weight. Batched matrix products make ten of them cost little more than one.
    Initial weights are those of He et al. (2015), arXiv:1502.01852, section 2.2; biases are 0.
    """

    def __init__(self, seeds: Sequence[int], classes: int, hidden: int = 128):
        super().__init__()
        draws = [torch.Generator().manual_seed(seed) for seed in seeds]

        def layer(inputs, outputs):
            drawn = torch.stack([torch.randn(inputs, outputs, generator=draw) for draw in draws])
            return nn.Parameter(drawn * (2 / inputs) ** 0.5)

        self.first, self.second = layer(256, hidden), layer(hidden, classes)
        self.first_bias = nn.Parameter(torch.zeros(len(draws), 1, hidden))
        self.second_bias = nn.Parameter(torch.zeros(len(draws), 1, classes))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return scores, shape (seeds, n, classes), of pictures (seeds, n, 256) or (n, 256)."""
        hidden = torch.relu(images @ self.first + self.first_bias)
        return hidden @ self.second + self.second_bias


def learn(
    banks: Sequence[tuple], seeds: Sequence[int], steps=300, lr=3e-3, batch_size=32
) -> Networks:
    """Train one network a seed from random weights, each on its own pictures.

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
    networks = Networks(seeds, labels.shape[-1]).to(images.device)
    optimizer = torch.optim.AdamW(networks.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    draws = [torch.Generator().manual_seed(seed) for seed in seeds]
    own = torch.arange(len(seeds))[:, None]
    for _ in range(steps):
        rows = torch.stack(
            [torch.randint(images.shape[1], (batch_size,), generator=d) for d in draws]
        )
        scores = networks(images[own, rows])
        loss = -(labels[own, rows] * scores.log_softmax(-1)).sum(-1).mean(1).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return networks


@torch.no_grad()
def score(networks: Networks, test: ImageSet, views: Callable | None = None, n: int = 8):
    """Return each network's accuracy, an array of shape (seeds,).

    Parameters
    ----------
    views : callable, optional
        A `policy` for test-time augmentation: probabilities are averaged over the picture and `n`
        changed ones.
    """
    said = networks(test.images.flatten(1)).softmax(-1)
    if views:
        rows = torch.randperm(len(test), generator=torch.Generator().manual_seed(0))
        with runtime.seeded(0):
            for _ in range(n):
                parts = [views(test.images[part], test.labels[part]) for part in rows.split(10)]
                changed = torch.cat([images for images, _ in parts])[rows.argsort()]
                said += networks(changed.flatten(1)).softmax(-1)
    return (said.argmax(-1) == test.labels).float().mean(1).cpu().numpy()


# ── none against augmented, for four ways to learn ──────────────────────────────────────────


def bank(target: Splits, per_class: int, seed: int, name: str = "none", strength: float = 1.0):
    """Return what a method learns from: a few labelled pictures, and with a `policy` their copies."""
    train = few_labels(target.pool, per_class, seed)
    if name == "none":
        return train.images, one_hot(train.labels, len(train.names))
    return copies(train, policy(name, strength), seed)


def svm(pictures: tuple, seed: int, C: float = 10, gamma="scale") -> Callable:
    """Learn an SVM on raw pixels; with copies, these are its virtual examples."""
    images, labels = pictures
    model = SVC(C=C, gamma=gamma).fit(transfer.pixels(images), labels.argmax(1).cpu())
    return lambda images: torch.from_numpy(model.predict(transfer.pixels(images)))


def probe(pictures: tuple, seed: int, C: float = 1) -> Callable:
    """Learn a logistic regression on frozen features of the letters backbone."""
    images, labels = pictures
    backbone = models.load_backbone("letters").to(images.device)
    model = LogisticRegression(C=C, max_iter=500)
    model.fit(transfer.features(backbone, images), labels.argmax(1).cpu())
    return lambda images: torch.from_numpy(model.predict(transfer.features(backbone, images)))


def fine_tune(pictures: tuple, seed: int, lr: float = 5e-3, steps: int = 30) -> Callable:
    """Train all weights, from the letters backbone and a new head."""
    images, labels = pictures
    runtime.seed_everything(seed)
    backbone = models.load_backbone("letters")
    model = models.classifier(backbone, labels.shape[1]).to(images.device)
    training.fit(model, images, labels.argmax(1), steps, lr=lr, batch_size=32, seed=seed)
    models.reestimate_batchnorm(model, images[:400])  # as in chapter 1; 400 pictures are enough
    return partial(training.predict, model)


SCRATCH = "small network from scratch"
METHODS = {
    "SVM on pixels": svm,
    "frozen features + logistic regression": probe,
    "fine-tuning": fine_tune,
}


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
    for method, learn_one in METHODS.items():
        for name, by_budget in settings[method].items():
            chosen = dict(by_budget[str(per_class)])
            pictures = bank(target, per_class, seed, name, chosen.pop("strength", 1.0))
            predict = learn_one(pictures, seed, **chosen)
            found[method, name] = transfer.accuracy(predict, getattr(target, part))
    return found


def scratch(target: Splits, per_class: int, seeds, name: str, strength=1.0, lr=3e-3) -> Networks:
    """Train a small network a seed from random weights, all at once, under one policy."""
    banks = [bank(target, per_class, seed, name, strength) for seed in seeds]
    return learn(banks, seeds, lr=lr)


# ── choosing ────────────────────────────────────────────────────────────────────────────────

# Six candidates each, with copies or without, so that none is tuned with more care than another.
RATES = (1e-3, 2e-3, 3e-3, 5e-3, 1e-2, 2e-2)
STRENGTHS = (0.25, 0.5, 1.0)
CANDIDATES = {
    "SVM on pixels": (
        [{"C": C, "gamma": gamma} for C in (1, 10, 100) for gamma in ("scale", 0.01)],
        [{"C": C, "strength": s} for C in (1, 10) for s in STRENGTHS],
    ),
    "frozen features + logistic regression": (
        [{"C": C} for C in (0.01, 0.1, 1, 10, 30, 100)],
        [{"C": C, "strength": s} for C in (1, 10) for s in STRENGTHS],
    ),
    "fine-tuning": (
        [{"lr": lr} for lr in RATES],
        [{"lr": lr, "strength": s} for lr in (5e-3, 1e-2) for s in STRENGTHS],
    ),
    SCRATCH: (
        [{"lr": lr} for lr in RATES],
        [{"lr": lr, "strength": s} for lr in (2e-3, 5e-3) for s in STRENGTHS],
    ),
}


def validate(
    target: Splits, method: str, name: str, per_class: int, seeds, settings: dict
) -> float:
    """Return the mean validation accuracy of one candidate."""
    if method == SCRATCH:
        return score(scratch(target, per_class, seeds, name, **settings), target.validation).mean()
    rest = dict(settings)
    strength = rest.pop("strength", 1.0)
    fits = [METHODS[method](bank(target, per_class, s, name, strength), s, **rest) for s in seeds]
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
    """Return what ``python -m tlcourse.augmented`` chose: {method: {policy: {budget: settings}}}."""
    return json.loads(SETTINGS.read_text())


def main() -> None:
    """Choose all settings and write them down."""
    torch.set_num_threads(1)
    chosen = choose(digits(), runtime.seeds(1000)[-4:])  # no report uses the last seeds
    SETTINGS.write_text(json.dumps(chosen, indent=1) + "\n")


if __name__ == "__main__":
    main()
