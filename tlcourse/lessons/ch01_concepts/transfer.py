"""Chapter 1: six ways to learn a target task from few labels, compared on equal terms.

A method is a function ``method(train, seed, **settings)`` that learns from a few labelled pictures and
returns ``predict(images) -> labels``. The first four learn from the target alone; the last two start
from a backbone pretrained on the source task.
"""

import copy
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from tlcourse import experiment, models, settings, training
from tlcourse.data import ImageSet, Splits, development_targets, few_labels
from tlcourse.data.perturb import perturb

SETTINGS = Path(__file__).with_suffix(".json")
CHOSEN_AT = (1, 5, 20)  # labels a class


# ── the methods ─────────────────────────────────────────────────────────────────────────────


def pixels(images: torch.Tensor) -> np.ndarray:
    """Return images of shape (n, 1, side, side) as scikit-learn's X, shape (n, side²)."""
    return images.flatten(1).cpu().numpy()


def fit_estimator(estimator, represent: Callable, train: ImageSet) -> Callable:
    """Fit a classifier of scikit-learn to ``represent(images)``; return ``predict(images) -> labels``."""
    estimator.fit(represent(train.images), train.labels.cpu().numpy())
    return lambda images: torch.from_numpy(estimator.predict(represent(images)))


def svm_on_pixels(train: ImageSet, seed: int, C: float = 10, gamma="scale"):
    """Learn a support vector machine with an RBF kernel on raw pixels: the strong simple baseline."""
    return fit_estimator(SVC(C=C, gamma=gamma), pixels, train)


def forest_on_pixels(train: ImageSet, seed: int, **choices):
    """Learn a random forest of 200 trees on raw pixels."""
    return fit_estimator(RandomForestClassifier(200, random_state=seed, **choices), pixels, train)


def frozen_features(train: ImageSet, seed: int, C: float = 1, source="letters"):
    """Learn a logistic regression on the frozen features of a pretrained backbone (linear probe)."""
    given = models.load_backbone(source) if isinstance(source, str) else copy.deepcopy(source)
    represent = partial(models.features, given.to(train.images.device))
    return fit_estimator(LogisticRegression(C=C, max_iter=1000), represent, train)


def fine_tune(train: ImageSet, seed: int, lr=2e-3, steps=100, source="letters", **choices):
    """Start from a pretrained backbone and a new head, and train all the weights.

    A `source` is a name or a network, which is copied, or a class, which gets random weights.
    """
    model = models.classifier(copy.deepcopy(source), len(train.names), seed)
    model = model.to(train.images.device)
    choices |= {"lr": lr, "seed": seed}
    return training.predictor(model, train.images, train.labels, steps, **choices)


def from_scratch(train: ImageSet, seed: int, lr: float = 2e-3, steps: int = 150, **choices):
    """Train the network from random weights, on the target alone."""
    return fine_tune(train, seed, lr, steps, models.SmallCNN, **choices)


def from_scratch_augmented(
    train: ImageSet, seed: int, lr: float = 2e-3, steps: int = 2400, strength=0.5, **choices
):
    """Train the network from random weights on randomly perturbed copies of the target's pictures.

    The strongest baseline, so it gets the steps that it can use: doubling 300 paid three times, for
    the other two networks never (``benchmarks/recipes.py``).
    """
    augment = partial(perturb, strength=strength, coarse=0.0)
    return from_scratch(train, seed, lr, steps, augment=augment, **choices)


METHODS = {
    "SVM on pixels": svm_on_pixels,
    "random forest on pixels": forest_on_pixels,
    "CNN from scratch": from_scratch,
    "CNN from scratch + augmentation": from_scratch_augmented,
    "frozen features + logistic regression": frozen_features,
    "fine-tuning": fine_tune,
}

# Six candidates a method, so that none is tuned with more care than another.
CANDIDATES = {
    "SVM on pixels": [{"C": C, "gamma": gamma} for C in (1, 10, 100) for gamma in ("scale", 0.01)],
    "random forest on pixels": [
        {"max_features": m, "min_samples_leaf": leaf} for m in ("sqrt", 0.2, 0.4) for leaf in (1, 2)
    ],
    "CNN from scratch": [{"lr": lr} for lr in (1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 4e-2)],
    "CNN from scratch + augmentation": [
        {"lr": lr, "strength": strength} for lr in (2e-3, 5e-3, 1e-2) for strength in (0.5, 1.0)
    ],
    "frozen features + logistic regression": [{"C": C} for C in (0.001, 0.01, 0.1, 1, 10, 100)],
    "fine-tuning": [{"lr": lr} for lr in (5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2)],
}


# ── choosing and comparing ──────────────────────────────────────────────────────────────────


def accuracy(predict, test: ImageSet) -> float:
    """Return the fraction of a set's pictures that ``predict(images)`` labels correctly."""
    return (predict(test.images).cpu() == test.labels.cpu()).float().mean().item()


def candidate_scores(
    learn: Callable, candidates, per_class: int, seed: int, targets: Callable = development_targets
) -> np.ndarray:
    """Return the mean validation accuracy of a method with each candidate over a seed's targets."""

    def on(target):
        train = few_labels(target.pool, per_class, seed)
        return [accuracy(learn(train, seed, **chosen), target.validation) for chosen in candidates]

    return np.mean([on(target) for target in targets(seed, per_class)], axis=0)


def choose(
    learn: Callable, candidates, per_class: int, seeds, targets: Callable = development_targets
) -> dict:
    """Return the candidate with which a method has the best mean validation accuracy.

    See `settings.choose`; no report uses the seeds, nor the targets, ``targets(seed, per_class)``.
    """
    scores = partial(candidate_scores, learn, candidates, per_class, targets=targets)
    return settings.choose(candidates, scores, seeds)


def chosen_settings(budgets=(1, 2, 5, 10, 20, 50)) -> dict[str, dict[int, dict]]:
    """Return the settings of every method, {method: {per_class: settings}}, for any target.

    ``python -m tlcourse choose transfer`` chose them at 1, 5 and 20 labels a class; any other number
    takes those of the nearest of the three, on a logarithmic scale. Nothing is tuned on the target that
    is reported, so nothing can be overfitted to it.
    """

    def nearest(rows, k):
        return rows[min(rows, key=lambda near: round(abs(np.log(near / k)), 9))]

    stored = settings.stored(SETTINGS)
    return {method: {k: dict(nearest(rows, k)) for k in budgets} for method, rows in stored.items()}


def learn(
    target: Splits, chosen: dict, per_class: int, seed: int, methods=tuple(METHODS)
) -> dict[str, Callable]:
    """Learn with several methods from one draw of labels.

    All methods see the same labelled pictures, so their differences are paired.

    Parameters
    ----------
    target : Splits
    chosen : dict
        From `chosen_settings`.
    per_class : int
        Labels a class.
    seed : int
    methods : sequence of str
        Keys of `METHODS`.

    Returns
    -------
    dict
        Method to what it learned, ``predict(images) -> labels``.
    """
    train = few_labels(target.pool, per_class, seed)
    return {m: METHODS[m](train, seed, **chosen[m][per_class]) for m in methods}


def answers(learned: dict, per_class: int, images: torch.Tensor) -> dict[tuple, np.ndarray]:
    """Return the label that each of the `learned` gives to each image, by (method, per_class)."""
    return {(m, per_class): predict(images).cpu().numpy() for m, predict in learned.items()}


def compare(
    target: Splits, chosen: dict, budgets, seed: int, methods=tuple(METHODS)
) -> dict[tuple[str, int], np.ndarray]:
    """Learn at each of several budgets (labels a class), and label the test set.

    Returns
    -------
    dict
        ``(method, per_class)`` to the predicted labels of ``target.test``, shape (n,), int64.
    """
    predicted = {}
    for per_class in budgets:
        learned = learn(target, chosen, per_class, seed, methods)
        predicted |= answers(learned, per_class, target.test.images)
    return predicted


def accuracies(runs: list[dict], labels: torch.Tensor) -> dict[str, np.ndarray]:
    """Return the accuracy of each method, shape (seeds, budgets), from one `compare` a seed."""
    truth, found = labels.cpu().numpy(), {}
    for (method, _), predicted in experiment.table(runs).items():
        found.setdefault(method, []).append((predicted == truth).mean(axis=1))
    return {method: np.stack(columns, axis=1) for method, columns in found.items()}


def label_efficiency(
    target: Splits, budgets, seeds: list[int], methods=tuple(METHODS)
) -> dict[str, np.ndarray]:
    """Return the test accuracy of each method at each budget, shape (seeds, budgets), on any target.

    Parameters
    ----------
    target : Splits
        Such as `data.from_arrays` returns.
    budgets : sequence of int
        Labels a class; settings are those of `chosen_settings`.
    seeds : list of int
        Each draws its own labels.
    methods : sequence of str
        Keys of `METHODS`.
    """
    chosen = chosen_settings(budgets)

    def run(seed, per_class):
        return compare(target, chosen, [per_class], seed, methods)

    runs = experiment.sweep(run, seeds, list(budgets), "labels a class")
    return accuracies(runs, target.test.labels)


def right_or_wrong(
    target: Splits, per_class: int, seeds: list[int], methods=tuple(METHODS)
) -> dict[str, np.ndarray]:
    """Return which test pictures each method reads correctly: bool, shape (seeds, pictures).

    As `label_efficiency` at one budget; what `experiment.two_way` compares.
    """
    chosen = chosen_settings([per_class])

    def run(seed, method):
        return compare(target, chosen, [per_class], seed, [method])

    found = experiment.table(experiment.sweep(run, seeds, list(methods), "methods"))
    truth = target.test.labels.cpu().numpy()
    return {method: predicted == truth for (method, _), predicted in found.items()}


def main() -> None:
    """Choose every method's settings on targets that no claim reports, and write them down."""
    seeds = settings.choosing_seeds()
    found = {
        method: {k: choose(learn, CANDIDATES[method], k, seeds) for k in CHOSEN_AT}
        for method, learn in METHODS.items()
    }
    settings.store(SETTINGS, found)
