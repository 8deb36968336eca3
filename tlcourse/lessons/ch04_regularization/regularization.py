"""Chapter 4: what keeps a network from learning its few labels by heart, and their mistakes too.

Every regulariser here is one number, its strength, in the settings of `learn`; at strength 0
it is switched off. So each can be tried alone or with any other, in fine-tuning or from scratch.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from tlcourse import experiment, models, runtime, training
from tlcourse.data import ImageSet, Splits, digits, few_labels
from tlcourse.data.perturb import perturb, redraw_labels
from tlcourse.lessons.ch01_concepts import transfer
from tlcourse.settings import choosing_seeds, store, stored

SETTINGS = Path(__file__).with_suffix(".json")


# ── the parts, written out ──────────────────────────────────────────────────────────────────


def adam_step(weights, gradient, state: dict, lr: float, weight_decay=0.0, decoupled=False):
    """Return the weights after one step of Adam, with weight decay in one of two places.

    Parameters
    ----------
    weights, gradient : torch.Tensor, same shape
    state : dict
        Empty before the first step; changed in place.
    lr, weight_decay : float
    decoupled : bool
        False puts ``weight_decay * weights`` into the gradient (L2, ``torch.optim.Adam``); True
        shrinks the weights beside the step (``torch.optim.AdamW``).

    Returns
    -------
    torch.Tensor

    References
    ----------
    Kingma and Ba (2015), "Adam", arXiv:1412.6980, Algorithm 1; Loshchilov and Hutter (2019),
    "Decoupled weight decay regularization", arXiv:1711.05101, Algorithm 2.
    """
    if decoupled:
        weights = weights * (1 - lr * weight_decay)
    else:
        gradient = gradient + weight_decay * weights
    t = state["t"] = state.get("t", 0) + 1
    mean = state["mean"] = 0.9 * state.get("mean", 0) + 0.1 * gradient
    square = state["square"] = 0.999 * state.get("square", 0) + 0.001 * gradient**2
    mean, square = mean / (1 - 0.9**t), square / (1 - 0.999**t)
    return weights - lr * mean / (square.sqrt() + 1e-8)


def dropout(inputs: torch.Tensor, p: float, generator=None) -> torch.Tensor:
    """Set each number to 0 with probability `p`, and divide the others by ``1 - p``.

    The expected value stays (Srivastava et al. 2014, section 10: "inverted" dropout).

    Raises
    ------
    ValueError
        If `p` is not from 0 up to, but below, 1.
    """
    if not 0 <= p < 1:
        raise ValueError(f"p is {p}: dropout needs 0 <= p < 1.")
    kept = torch.rand(inputs.shape, generator=generator, device=inputs.device) >= p
    return inputs * kept / (1 - p)


def l2sp(model: nn.Module, start: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return half the squared distance of a model's weights from a starting point.

    Weights that have no starting point, such as those of a new head, are pulled to 0.

    Parameters
    ----------
    model : nn.Module
    start : dict of str to torch.Tensor
        Name of a parameter to its pretrained value.

    Returns
    -------
    torch.Tensor
        A scalar; its gradient is the difference from the starting point.

    References
    ----------
    Li, Grandvalet and Davoine (2018), "Explicit inductive bias for transfer learning with
    convolutional networks", arXiv:1802.01483, equation 3 with alpha = beta.
    """
    moves = (p - start[n] if n in start else p for n, p in model.named_parameters())
    return sum(move.square().sum() for move in moves) / 2


def mixup(images: torch.Tensor, alpha: float, generator: np.random.Generator):
    """Blend each picture of a batch with another one of the batch.

    Returns
    -------
    images : torch.Tensor
        ``share * images + (1 - share) * images[partner]``.
    partner : torch.Tensor, shape (n,), int64
    share : float
        Drawn from Beta(alpha, alpha), one for the batch.

    References
    ----------
    Zhang et al. (2018), "mixup: beyond empirical risk minimization", arXiv:1710.09412, section 2.
    """
    if not alpha > 0:
        raise ValueError(f"alpha is {alpha}: mixup needs a number above 0.")
    share = float(generator.beta(alpha, alpha))
    partner = torch.from_numpy(generator.permutation(len(images))).to(images.device)
    return share * images + (1 - share) * images[partner], partner, share


def objective(start: dict, pull=0.0, smoothing=0.0, blend=0.0, seed: int = 0) -> Callable:
    """Return a loss for `training.fit`: cross-entropy with up to three regularisers.

    Parameters
    ----------
    start : dict of str to torch.Tensor
        See `l2sp`.
    pull : float
        Factor of the L2-SP penalty.
    smoothing : float
        Share of each label that is spread over all classes (Szegedy et al. 2016, section 7).
    blend : float
        Mixup's alpha.
    """
    generator = np.random.default_rng([seed, 5])

    def loss(model, images, labels):
        error = partial(cross_entropy, label_smoothing=smoothing)
        if blend:
            images, partner, share = mixup(images, blend, generator)
        scores = model(images)
        found = error(scores, labels)
        if blend:
            found = share * found + (1 - share) * error(scores, labels[partner])
        return found + pull * l2sp(model, start) if pull else found

    return loss


# ── one way to learn, with every regulariser ────────────────────────────────────────────────


def learn(
    train: ImageSet,
    seed: int,
    *,
    source: str | None = "letters",
    lr: float = 5e-3,
    steps: int = 150,
    batch_size: int = 16,
    weight_decay: float = 0.0,
    pull: float = 0.0,
    drop: float = 0.0,
    smoothing: float = 0.0,
    blend: float = 0.0,
    strength: float = 0.0,
    patience: int | None = None,
    hook=None,
    every: int = 5,
):
    """Train all weights from the letters backbone, or from scratch, and return the network.

    Parameters
    ----------
    train : ImageSet
        A few labelled pictures, some labels perhaps wrong.
    seed : int
    source : str or None
        A shipped backbone; None starts from random weights.
    lr, steps, batch_size, weight_decay
        As in `training.fit`.
    pull, smoothing, blend
        As in `objective`.
    drop : float
        Dropout of the features in front of the head.
    strength : float
        Augmentation, see `tlcourse.data.perturb.perturb`.
    patience : int, optional
        Early stopping: every fifth label is held out of training and watched.
    hook, every
        As in `training.fit`, for networks without early stopping.

    Returns
    -------
    nn.Module
        For `training.predict` and `training.accuracy`.
    """
    runtime.seed_everything(seed)
    backbone = models.load_backbone(source) if source else models.SmallCNN()
    start = {f"backbone.{name}": p.detach().clone() for name, p in backbone.named_parameters()}
    parts = models.classifier(backbone, len(train.names))
    layers = OrderedDict(backbone=parts.backbone, drop=nn.Dropout(drop), head=parts.head)
    model = nn.Sequential(layers).to(train.images.device)
    start = {name: p.to(train.images.device) for name, p in start.items()}
    if patience:
        train, watched = hold_out(train)
        hook = training.Validation(watched.images, watched.labels, patience)
    training.fit(
        model,
        train.images,
        train.labels,
        steps,
        lr=lr,
        batch_size=batch_size,
        weight_decay=weight_decay,
        augment=partial(perturb, strength=strength, coarse=0.0) if strength else None,
        loss=objective(start, pull, smoothing, blend, seed),
        hook=hook,
        every=every,
        seed=seed,
    )
    if patience:
        hook.restore(model)
    models.reestimate_batchnorm(model, train.images)
    return model


def hold_out(train: ImageSet, every: int = 5) -> tuple[ImageSet, ImageSet]:
    """Split off one picture in `every`, so that early stopping has something to watch.

    Raises
    ------
    ValueError
        If there are fewer than `every` pictures.
    """
    if len(train) < every:
        raise ValueError(f"{len(train)} pictures: early stopping needs at least {every}.")
    watched = torch.arange(len(train)) % every == 0
    return train.subset(~watched), train.subset(watched)


# Six strengths a regulariser, so that none is tuned with more care than another.
CANDIDATES = {
    "small learning rate": [{"lr": lr} for lr in (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 3e-3)],
    "early stopping": [{"patience": n} for n in (1, 2, 3, 4, 6, 8)],
    "dropout": [{"drop": p} for p in (0.1, 0.3, 0.5, 0.7, 0.8, 0.9)],
    "weight decay": [{"weight_decay": w} for w in (0.01, 0.1, 0.3, 1, 3, 10)],
    "L2-SP": [{"pull": a} for a in (0.003, 0.01, 0.03, 0.1, 0.3, 1)],
    "label smoothing": [{"smoothing": e} for e in (0.05, 0.1, 0.2, 0.4, 0.6, 0.8)],
    "mixup": [{"blend": a} for a in (0.2, 0.5, 1, 2, 4, 8)],
    "augmentation": [{"strength": s} for s in (0.1, 0.25, 0.5, 0.75, 1, 1.5)],
}
# No regulariser beside it, only a chosen rate: the fair opponent of all others, whose rate is the
# default of `learn`, which nobody chose.
CHOSEN_RATE = "small learning rate"
# Labels a class, and the fraction of them that is redrawn.
TASKS = {"noisy": (20, 0.4), "clean": (5, 0.0)}
BASELINES = ("frozen features + logistic regression", "SVM on pixels")


# ── choosing and comparing ──────────────────────────────────────────────────────────────────


def draw(target: Splits, task: str, seed: int) -> ImageSet:
    """Return the training pictures of a task, with its wrong labels."""
    per_class, fraction = TASKS[task]
    train = few_labels(target.pool, per_class, seed)
    labels = redraw_labels(train.labels, fraction, len(train.names), seed)
    return replace(train, labels=labels)


def validation_accuracy(target: Splits, task: str, candidates: list[dict], seeds) -> np.ndarray:
    """Return the mean validation accuracy of each setting of `learn`."""
    seen = target.validation

    def run(seed, i):
        network = learn(draw(target, task, seed), seed, **candidates[i])
        return {i: training.accuracy(network, seen.images, seen.labels)}

    runs = experiment.sweep(run, seeds, range(len(candidates)), "choosing")
    return np.mean([[found[i] for i in range(len(candidates))] for found in runs], axis=0)


def choose(target: Splits, task: str, seeds, source: str | None = "letters") -> dict:
    """Choose each regulariser's strength, the best regulariser, and a pair of the best three.

    The seeds must not be those of the report: its few labels would then be used twice.

    Returns
    -------
    dict
        ``"strengths"``: regulariser to settings of `learn`; ``"best"``: the name of one;
        ``"pair"``: the names of two.
    """
    base = {"source": source}
    flat = [settings | base for rows in CANDIDATES.values() for settings in rows]
    scores = validation_accuracy(target, task, flat, seeds).reshape(len(CANDIDATES), -1)
    rows = dict(zip(CANDIDATES, scores, strict=True))
    chosen = {name: CANDIDATES[name][row.argmax()] for name, row in rows.items()}
    ranked = sorted(rows, key=lambda name: -rows[name].max())
    pairs = list(combinations(ranked[:3], 2))
    both = [chosen[a] | chosen[b] | base for a, b in pairs]
    pair = pairs[validation_accuracy(target, task, both, seeds).argmax()]
    return {"strengths": chosen, "best": ranked[0], "pair": list(pair)}


def choose_baselines(target: Splits, task: str, seeds) -> dict[str, dict]:
    """Choose the settings of both baselines, from six candidates each, like everything else."""

    def run(seed, method):
        train, fit = draw(target, task, seed), transfer.METHODS[method]
        learned = [fit(train, seed, **settings) for settings in transfer.CANDIDATES[method]]
        return {method: [transfer.accuracy(p, target.validation) for p in learned]}

    runs = experiment.sweep(run, seeds, BASELINES, "choosing")
    best = {m: np.argmax(np.mean([found[m] for found in runs], axis=0)) for m in BASELINES}
    return {m: transfer.CANDIDATES[m][i] for m, i in best.items()}


def chosen_settings() -> dict[str, dict]:
    """Return what ``python -m tlcourse choose regularization`` chose, by task.

    Returns
    -------
    dict
        ``"noisy"`` and ``"clean"``, as `choose` returns them with ``"baselines"``, and
        ``"noisy, from scratch"``.
    """
    return stored(SETTINGS)


def recipes(chosen: dict) -> dict[str, dict]:
    """Return name to settings of `learn`: no regulariser, each alone, and the best pair."""
    a, b = (chosen["strengths"][name] for name in chosen["pair"])
    return {"none": {}} | chosen["strengths"] | {"best pair": a | b}


def train_and_test(target: Splits, task: str, seed: int, settings: dict, tests: list) -> np.ndarray:
    """Learn with one setting of `learn`, and return the accuracy on each of several test sets."""
    network = learn(draw(target, task, seed), seed, **settings)
    return np.array([training.accuracy(network, t.images, t.labels) for t in tests])


def baseline(target: Splits, task: str, seed: int, method: str, settings: dict, tests: list):
    """Do the same as `train_and_test` with one of `BASELINES`."""
    predict = transfer.METHODS[method](draw(target, task, seed), seed, **settings)
    return np.array([transfer.accuracy(predict, t) for t in tests])


def curves(target: Splits, seed: int, settings: dict, every: int = 10) -> dict[str, np.ndarray]:
    """Return accuracy along the training on noisy labels.

    Returns
    -------
    dict
        ``"given labels"``, ``"validation"`` and ``"test"``: after ``every, 2 * every, …`` steps.
    """
    train = draw(target, "noisy", seed)
    sets = {"given labels": train, "validation": target.validation, "test": target.test}
    watch = {name: training.Validation(s.images, s.labels) for name, s in sets.items()}

    def look(step, model):
        models.reestimate_batchnorm(model, train.images)  # as `learn` does at the end
        for watcher in watch.values():
            watcher(step, model)

    learn(train, seed, hook=look, every=every, **settings)
    return {name: np.array(watcher.scores) for name, watcher in watch.items()}


def main() -> None:
    """Choose every strength for every task, and write them down."""
    torch.set_num_threads(1)
    seeds, target = choosing_seeds(), digits()  # no report uses the last seeds
    found = {
        task: choose(target, task, seeds) | {"baselines": choose_baselines(target, task, seeds)}
        for task in TASKS
    }
    found["noisy, from scratch"] = choose(target, "noisy", seeds, source=None)
    store(SETTINGS, found)
