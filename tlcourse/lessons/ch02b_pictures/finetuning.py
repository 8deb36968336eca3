"""Lesson 02b: what to freeze and what to tune, as six recipes and a sweep over the depth.

A recipe is a function ``recipe(train, seed, **settings)`` that learns from a few labelled pictures and
returns ``predict(images) -> labels``, as lesson 01's `transfer`. Every one starts from the same
pretrained backbone with a new head.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tlcourse import models, settings, training
from tlcourse.data import ImageSet, Splits, few_labels
from tlcourse.lessons.ch01_concepts import transfer

SETTINGS = Path(__file__).with_suffix(".json")
SOURCES = ("letters", "faces", "random")
DEPTHS = (0, 1, 2, 3, 4)

# ── parts of a network ──────────────────────────────────────────────────────────────────────


def start(train: ImageSet, seed: int, source: str = "letters") -> nn.Sequential:
    """Return a backbone with a new head for the classes of `train`.

    Parameters
    ----------
    source : str
        A shipped backbone (see `models.load_backbone`), or "random" for random weights.
    """
    backbone = models.SmallCNN if source == "random" else source
    return models.classifier(backbone, len(train.names), seed).to(train.images.device)


def layers(model: nn.Sequential) -> list[nn.Module]:
    """Return the four blocks and the head, lowest first."""
    return [*model.backbone.blocks, model.head]


def split(model: nn.Sequential, depth: int) -> tuple[nn.Sequential, nn.Sequential]:
    """Cut a network after its first `depth` blocks into two parts, which share its weights.

    Raises
    ------
    ValueError
        If there are not that many blocks.
    """
    blocks = model.backbone.blocks
    if not 0 <= depth <= len(blocks):
        raise ValueError(f"depth is {depth}: freeze from 0 to {len(blocks)} blocks.")
    return nn.Sequential(*blocks[:depth]), nn.Sequential(*blocks[depth:], nn.Flatten(), model.head)


@torch.no_grad()
def run_once(frozen: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Return what a frozen part computes: its maps are the same in every epoch, so keep them."""
    frozen.eval()
    return torch.cat([frozen(part) for part in images.split(512)])


def rate_groups(layers: Sequence[nn.Module], lr: float, decay: float) -> list[dict]:
    """Give each layer its own learning rate: `lr` at the top, `decay` times less with each step down.

    Parameters
    ----------
    layers : sequence of nn.Module
        Lowest first, the head last.
    lr : float
        Learning rate of the head.
    decay : float
        Above 0 and at most 1; Howard and Ruder take 1 / 2.6.

    Returns
    -------
    list of dict
        Parameter groups for an optimiser, lowest first. Frozen parameters are in none of them, all
        others in exactly one.

    References
    ----------
    Howard and Ruder (2018), "Universal language model fine-tuning for text classification",
    section 3.2, arXiv:1801.06146.
    """
    if not 0 < decay <= 1:
        raise ValueError(f"decay is {decay}: take a factor above 0 and at most 1, such as 1 / 2.6.")
    top = len(layers) - 1
    groups = [{"params": free(x), "lr": lr * decay ** (top - i)} for i, x in enumerate(layers)]
    return [group for group in groups if group["params"]]


def free(module: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that are not frozen."""
    return [p for p in module.parameters() if p.requires_grad]


def train_above(model, depth: int, train: ImageSet, steps: int, seed: int, **choices) -> Callable:
    """Train what lies above the first `depth` blocks, which are frozen and run only once."""
    lower, upper = split(model, depth)
    maps = run_once(models.freeze(lower), train.images)
    training.predictor(upper, maps, train.labels, steps, seed=seed, **choices)
    return partial(training.predict, nn.Sequential(lower, upper))


# ── the recipes ─────────────────────────────────────────────────────────────────────────────


def freeze_below(
    train: ImageSet, seed: int, depth: int = 0, lr=2e-3, steps: int = 100, source="letters"
):
    """Freeze the first `depth` blocks and train the others with a new head.

    Depth 0 is full fine-tuning, depth 4 trains the head alone.

    References
    ----------
    Yosinski et al. (2014), "How transferable are features in deep neural networks?",
    arXiv:1411.1792.
    """
    return train_above(start(train, seed, source), depth, train, steps, seed, lr=lr)


def discriminative(train: ImageSet, seed: int, lr=2e-3, decay: float = 1 / 2.6, steps: int = 100):
    """Fine-tune everything, the lower the more gently (Howard and Ruder 2018, section 3.2)."""
    model = start(train, seed)
    groups = rate_groups(layers(model), lr, decay)
    return train_above(model, 0, train, steps, seed, groups=groups)


def gradual_unfreezing(train: ImageSet, seed: int, lr=2e-3, steps: int = 100):
    """Train the head, then also block 4, then also block 3, … (Howard and Ruder 2018, section 3.3).

    The steps are shared equally by the five stages. Each stage has an optimiser of its own: one that
    was made before a block was unfrozen would never move it.
    """
    model = start(train, seed)
    for depth in reversed(DEPTHS):
        models.unfreeze(model)
        predict = train_above(model, depth, train, steps // len(DEPTHS), seed + depth, lr=lr)
    return predict


def probe_then_tune(train: ImageSet, seed: int, lr=2e-3, steps: int = 100):
    """Train the head on frozen features first, then everything (LP-FT).

    A new head sends random gradients into the backbone and spoils features that were good; a head
    that already fits sends small ones.

    References
    ----------
    Kumar et al. (2022), "Fine-tuning can distort pretrained features and underperform
    out-of-distribution", section 3.4, arXiv:2202.10054.
    """
    model = start(train, seed)
    train_above(model, DEPTHS[-1], train, 2 * steps, seed, lr=1e-2)  # less than 10 steps of all
    models.unfreeze(model)
    return train_above(model, 0, train, steps, seed, lr=lr)


def statistics_fixed(train: ImageSet, seed: int, lr=2e-3, steps: int = 100):
    """Fine-tune every weight, but keep BatchNorm's mean and variance as the source left them."""
    model = start(train, seed)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            models.freeze(layer).requires_grad_(True)
    training.fit(model, train.images, train.labels, steps, lr=lr, seed=seed)
    return partial(training.predict, model)


RECIPES = {
    "feature extraction": transfer.frozen_features,
    "full fine-tuning": freeze_below,
    "discriminative rates": discriminative,
    "gradual unfreezing": gradual_unfreezing,
    "probe, then tune": probe_then_tune,
    "statistics fixed": statistics_fixed,
}
# Six candidates each, as in chapter 1, so that none is tuned with more care than another.
RATES = [{"lr": lr} for lr in (5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2)]
GENTLE = [{"lr": lr} for lr in (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3)]
BOLD = [{"lr": lr} for lr in (2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 1e-1)]  # for a head alone
CANDIDATES = {
    **dict.fromkeys(RECIPES, RATES),
    "probe, then tune": GENTLE,
    "feature extraction": transfer.CANDIDATES["frozen features + logistic regression"],
    "discriminative rates": [
        {"lr": lr, "decay": decay} for lr in (2e-3, 5e-3, 1e-2) for decay in (1 / 2.6, 0.7)
    ],
}


# ── choosing and measuring ──────────────────────────────────────────────────────────────────


def errors_on_the_way(
    target: Splits, per_class: int, seed: int, looks, *, depth, lr, factor, augment=None, **choices
) -> np.ndarray:
    """Fine-tune with one setting, and count the errors after several numbers of steps.

    Parameters
    ----------
    target : Splits
    per_class, seed : int
        Labels a class, and their draw.
    looks : sequence of int
        After which steps to count, rising multiples of the first; training ends at the last.
    depth : int
        Frozen blocks.
    lr, factor : float
        Learning rate of the head, and the factor for the blocks.
    augment, **choices
        As in `training.fit`.

    Returns
    -------
    array of int, shape (2, looks)
        Wrong validation and test pictures.
    """
    train = few_labels(target.pool, per_class, seed)
    model = start(train, seed)
    lower, upper = split(model, depth)
    models.freeze(lower)
    parts = [train.images, target.validation.images, target.test.images]
    if not augment:  # what frozen blocks compute never changes: run them once
        parts = [run_once(lower, part) for part in parts]
    groups = [{"params": free(model.backbone), "lr": lr * factor}, {"params": free(model.head)}]
    wrong = []

    def watch(step, network):
        if step in looks:
            pairs = zip(parts[1:], target[1:], strict=True)
            wrong.append([int((training.predict(network, x) != s.labels).sum()) for x, s in pairs])

    watched = {"hook": watch, "every": int(looks[0]), "seed": seed}
    network, choices = (model if augment else upper), choices | {"augment": augment, "lr": lr}
    training.fit(
        network, parts[0], train.labels, int(looks[-1]), groups=groups, **watched, **choices
    )
    return np.array(wrong).T


def chosen_settings() -> dict:
    """Return what ``python -m tlcourse choose finetuning`` chose.

    Returns
    -------
    dict
        ``"recipes"`` to {recipe: {labels a class: settings}}, and ``"depths"`` to
        {source: [settings for 0 to 4 frozen blocks]}, for 5 labels a class.
    """
    return settings.stored(SETTINGS)


def compare_recipes(target: Splits, chosen: dict, per_class: int, seed: int) -> dict[str, float]:
    """Return the test accuracy of every recipe, all from one draw of labels."""
    train = few_labels(target.pool, per_class, seed)
    learned = {r: learn(train, seed, **chosen[r][per_class]) for r, learn in RECIPES.items()}
    return {r: transfer.accuracy(predict, target.test) for r, predict in learned.items()}


def compare_depths(target: Splits, chosen: dict, per_class: int, seed: int) -> dict:
    """Return the test accuracy with 0 to 4 frozen blocks, shape (5,), by source."""
    train = few_labels(target.pool, per_class, seed)

    def score(source, depth):
        rates = chosen[source][depth]
        return transfer.accuracy(
            freeze_below(train, seed, depth, source=source, **rates), target.test
        )

    return {source: np.array([score(source, depth) for depth in DEPTHS]) for source in chosen}


def main() -> None:
    """Choose the settings of every recipe and of every depth, and write them down."""
    seeds = settings.choosing_seeds()
    recipes = {
        name: {k: transfer.choose(recipe, CANDIDATES[name], k, seeds) for k in (1, 5)}
        for name, recipe in RECIPES.items()
    }
    depths = {source: [] for source in SOURCES}
    for source, chosen in depths.items():
        for depth in DEPTHS:
            recipe = partial(freeze_below, depth=depth, source=source)
            rates = BOLD if depth == DEPTHS[-1] else RATES
            chosen.append(transfer.choose(recipe, rates, 5, seeds))
    settings.store(SETTINGS, {"recipes": recipes, "depths": depths})
