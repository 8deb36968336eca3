"""Lesson 04: learn with any regulariser, choose how strong each is, and compare what they are worth."""

from collections import OrderedDict
from dataclasses import replace
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tlcourse import experiment, models, training
from tlcourse.data import ImageSet, Splits, development_targets, few_labels
from tlcourse.data.perturb import perturb, redraw_labels
from tlcourse.lessons.ch01_concepts import transfer
from tlcourse.lessons.ch04_regularization.regularizers import objective
from tlcourse.settings import best, choose, choosing_seeds, store

SETTINGS = Path(__file__).with_suffix(".json")
# Labels a class, and the fraction of them that is redrawn.
TASKS = {"noisy": (20, 0.4), "clean": (5, 0.0)}
BASELINES = ("frozen features + logistic regression", "SVM on pixels")
# How every network is trained unless something else is said; nobody chose this rate.
TRAINING = {"lr": 5e-3, "steps": 150, "batch_size": 16, "weight_decay": 0.0, "every": 5}
# No regulariser beside it, only a chosen rate: the fair opponent of all others.
CHOSEN_RATE = "small learning rate"
# Six strengths a regulariser, so that none is tuned with more care than another.
CANDIDATES = {
    CHOSEN_RATE: [{"lr": lr} for lr in (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 3e-3)],
    "early stopping": [{"patience": n} for n in (1, 2, 3, 4, 6, 8)],
    "dropout": [{"drop": p} for p in (0.1, 0.3, 0.5, 0.7, 0.8, 0.9)],
    "weight decay": [{"weight_decay": w} for w in (0.01, 0.1, 0.3, 1, 3, 10)],
    "L2-SP": [{"pull": a} for a in (0.003, 0.01, 0.03, 0.1, 0.3, 1)],
    "label smoothing": [{"smoothing": e} for e in (0.05, 0.1, 0.2, 0.4, 0.6, 0.8)],
    "mixup": [{"blend": a} for a in (0.2, 0.5, 1, 2, 4, 8)],
    "augmentation": [{"strength": s} for s in (0.1, 0.25, 0.5, 0.75, 1, 1.5)],
}


# ── one way to learn, with every regulariser ────────────────────────────────────────────────


def draw(target: Splits, task: str, seed: int) -> ImageSet:
    """Return the training pictures of one of `TASKS`, with its wrong labels."""
    per_class, fraction = TASKS[task]
    train = few_labels(target.pool, per_class, seed)
    labels = redraw_labels(train.labels, fraction, len(train.names), seed)
    return replace(train, labels=labels)


def learn(
    train: ImageSet,
    seed: int,
    *,
    source: str | None = "letters",
    drop: float = 0.0,
    strength: float = 0.0,
    patience: int | None = None,
    pull: float = 0.0,
    smoothing: float = 0.0,
    blend: float = 0.0,
    **settings,
) -> nn.Sequential:
    """Train all weights from a backbone, or from scratch, and return the network.

    Parameters
    ----------
    train : ImageSet
        A few labelled pictures, some labels perhaps wrong.
    seed : int
    source : str or None
        A shipped backbone; None starts from random weights.
    drop : float
        Dropout of the features in front of the head.
    strength : float
        Augmentation, see `tlcourse.data.perturb.perturb`.
    patience : int, optional
        Early stopping: every fifth label is held out of training and watched.
    pull, smoothing, blend : float
        See `regularizers.objective`.
    **settings
        Of `training.fit`, instead of those in `TRAINING`.
    """
    parts = models.classifier(source or models.SmallCNN, len(train.names), seed)
    layers = OrderedDict(backbone=parts.backbone, drop=nn.Dropout(drop), head=parts.head)
    model = nn.Sequential(layers).to(train.images.device)
    weights = {name: p.detach().clone() for name, p in model.named_parameters()}
    start = {name: p for name, p in weights.items() if name.startswith("backbone")}
    if patience:
        train, watched = hold_out(train)
        watch = training.Validation(watched.images, watched.labels, patience)
        settings = settings | {"hook": watch}
    training.fit(
        model,
        train.images,
        train.labels,
        augment=partial(perturb, strength=strength, coarse=0.0) if strength else None,
        loss=objective(start, pull, smoothing, blend, seed),
        seed=seed,
        **TRAINING | settings,
    )
    if patience:
        watch.restore(model)
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


def train_and_test(
    target: Splits, task: str, seed: int, settings: dict, tests: list, method: str | None = None
) -> np.ndarray:
    """Learn a task with settings of `learn`, and return the accuracy on each of several test sets.

    With a `method`, one of `BASELINES`, learn with that method and its settings instead.
    """
    train = draw(target, task, seed)
    if method:
        predict = transfer.METHODS[method](train, seed, **settings)
    else:
        predict = partial(training.predict, learn(train, seed, **settings))
    return np.array([transfer.accuracy(predict, test) for test in tests])


# ── choosing how strong each is ─────────────────────────────────────────────────────────────


def validated(task: str, seed: int, settings: dict, targets, method: str | None = None) -> float:
    """Return the mean validation accuracy of one setting over a seed's development targets."""
    return np.mean(
        [
            train_and_test(target, task, seed, settings, [target.validation], method).item()
            for target in targets(seed, TASKS[task][0])
        ]
    )


def validation_accuracy(task: str, candidates: list[dict], seeds, targets) -> np.ndarray:
    """Return the mean validation accuracy of each setting of `learn`."""

    def run(seed, i):
        return {i: validated(task, seed, candidates[i], targets)}

    numbers = range(len(candidates))
    found = experiment.table(experiment.sweep(run, seeds, numbers, "choosing"))
    return np.array([found[i].mean() for i in numbers])


def choose_strengths(
    task: str, seeds, source: str | None = "letters", targets=development_targets
) -> dict:
    """Choose each regulariser's strength, the best regulariser, and a pair of the best three.

    Neither the seeds nor the targets, ``targets(seed, per_class)``, may be those of the report.

    Returns
    -------
    dict
        ``"strengths"``: regulariser to settings of `learn`; ``"best"``: the name of one;
        ``"pair"``: the names of two.
    """
    base = {"source": source}
    flat = [settings | base for rows in CANDIDATES.values() for settings in rows]
    scores = validation_accuracy(task, flat, seeds, targets).reshape(len(CANDIDATES), -1)
    rows = dict(zip(CANDIDATES, scores, strict=True))
    chosen = {name: best(CANDIDATES[name], row) for name, row in rows.items()}
    ranked = sorted(rows, key=lambda name: -rows[name].max())
    pairs = list(combinations(ranked[:3], 2))
    both = [chosen[a] | chosen[b] | base for a, b in pairs]
    pair = best(pairs, validation_accuracy(task, both, seeds, targets))
    return {"strengths": chosen, "best": ranked[0], "pair": list(pair)}


def choose_baselines(task: str, seeds, targets=development_targets) -> dict[str, dict]:
    """Choose the settings of both baselines, from six candidates each, like everything else."""

    def chosen(method):
        tried = transfer.CANDIDATES[method]

        def scores(seed):
            return [validated(task, seed, settings, targets, method) for settings in tried]

        return choose(tried, scores, seeds)

    return {method: chosen(method) for method in BASELINES}


def recipes(chosen: dict) -> dict[str, dict]:
    """Return name to settings of `learn`: no regulariser, each alone, and the best pair."""
    a, b = (chosen["strengths"][name] for name in chosen["pair"])
    return {"none": {}} | chosen["strengths"] | {"best pair": a | b}


def main() -> None:
    """Choose every strength for every task, and write them down."""
    torch.set_num_threads(1)
    seeds = choosing_seeds()
    found = {
        task: choose_strengths(task, seeds) | {"baselines": choose_baselines(task, seeds)}
        for task in TASKS
    }
    found["noisy, from scratch"] = choose_strengths("noisy", seeds, source=None)
    store(SETTINGS, found)
