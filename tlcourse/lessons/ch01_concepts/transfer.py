"""Chapter 1: six ways to learn a target task from few labels, compared on equal terms.

A method is a function ``method(train, seed, **settings)`` that learns from a few labelled pictures and
returns ``predict(images) -> labels``. The first four learn from the target alone; the last two start
from a backbone pretrained on the source task.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize
from sklearn.svm import SVC

from tlcourse import experiment, models, runtime, training
from tlcourse.data import ImageSet, Splits, digits, few_labels, georgian
from tlcourse.data.perturb import corrupt, perturb
from tlcourse.settings import choosing_seeds, store, stored

SETTINGS = Path(__file__).with_suffix(".json")


# ── the methods ─────────────────────────────────────────────────────────────────────────────


def pixels(images: torch.Tensor) -> np.ndarray:
    """Return images of shape (n, 1, side, side) as scikit-learn's X, shape (n, side²)."""
    return images.flatten(1).cpu().numpy()


def _fit_estimator(estimator, represent, train: ImageSet):
    estimator.fit(represent(train.images), train.labels.cpu().numpy())
    return lambda images: torch.from_numpy(estimator.predict(represent(images)))


def svm_on_pixels(train: ImageSet, seed: int, C: float = 10, gamma="scale"):
    """Learn a support vector machine with an RBF kernel on raw pixels: the strong simple baseline."""
    return _fit_estimator(SVC(C=C, gamma=gamma), pixels, train)


def forest_on_pixels(train: ImageSet, seed: int, max_features="sqrt", min_samples_leaf: int = 1):
    """Learn a random forest of 200 trees on raw pixels."""
    forest = RandomForestClassifier(
        200, max_features=max_features, min_samples_leaf=min_samples_leaf, random_state=seed
    )
    return _fit_estimator(forest, pixels, train)


def frozen_features(train: ImageSet, seed: int, C: float = 1, source="letters"):
    """Learn a logistic regression on the frozen features of a pretrained backbone (linear probe)."""
    backbone = _backbone(source).to(train.images.device)
    probe = LogisticRegression(C=C, max_iter=1000)
    return _fit_estimator(probe, partial(models.features, backbone), train)


def _train_network(model, train: ImageSet, seed: int, **settings):
    training.fit(model, train.images, train.labels, seed=seed, **settings)
    # BatchNorm's running averages lag behind weights that have just changed quickly: in short training
    # that costs a network several points. One pass over the training pictures brings them up to date.
    models.reestimate_batchnorm(model, train.images)
    return partial(training.predict, model)


def from_scratch(train: ImageSet, seed: int, lr: float = 2e-3, steps: int = 150, **settings):
    """Train the network from random weights, on the target alone."""
    runtime.seed_everything(seed)
    model = models.classifier(models.SmallCNN(), len(train.names)).to(train.images.device)
    return _train_network(model, train, seed, lr=lr, steps=steps, **settings)


def from_scratch_augmented(
    train: ImageSet,
    seed: int,
    lr: float = 2e-3,
    steps: int = 300,
    strength: float = 0.5,
    **settings,
):
    """Train the network from random weights on randomly perturbed copies of the target's pictures."""
    augment = partial(perturb, strength=strength, coarse=0.0)
    return from_scratch(train, seed, lr=lr, steps=steps, augment=augment, **settings)


def fine_tune(train: ImageSet, seed: int, lr=2e-3, steps=100, source="letters", **settings):
    """Start from the pretrained backbone and a new head, and train all the weights."""
    runtime.seed_everything(seed)
    model = models.classifier(_backbone(source), len(train.names)).to(train.images.device)
    return _train_network(model, train, seed, lr=lr, steps=steps, **settings)


def _backbone(source) -> torch.nn.Module:
    """Return the shipped backbone of that name; a network given instead is copied."""
    return models.load_backbone(source) if isinstance(source, str) else copy.deepcopy(source)


METHODS = {
    "SVM on pixels": svm_on_pixels,
    "random forest on pixels": forest_on_pixels,
    "CNN from scratch": from_scratch,
    "CNN from scratch + augmentation": from_scratch_augmented,
    "frozen features + logistic regression": frozen_features,
    "fine-tuning": fine_tune,
}

NETWORKS = ("CNN from scratch", "CNN from scratch + augmentation", "fine-tuning")  # with steps

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


def candidate_scores(target: Splits, method: str, per_class: int, seed: int) -> list[float]:
    """Return the validation accuracy of every candidate setting of a method, from one draw."""
    train = few_labels(target.pool, per_class, seed)
    return [
        accuracy(METHODS[method](train, seed, **settings), target.validation)
        for settings in CANDIDATES[method]
    ]


def choose(target: Splits, budgets, seeds: list[int]) -> dict[str, dict[int, dict]]:
    """Choose each method's settings at each budget by mean validation accuracy over `seeds`.

    The seeds must not be those of the report: its few labels would then be used twice.

    Returns
    -------
    dict
        Method to labels a class to the best of `CANDIDATES`.
    """

    def run(seed):
        return [[candidate_scores(target, m, k, seed) for k in budgets] for m in METHODS]

    scores = np.mean(experiment.repeat(run, seeds, "choosing settings"), axis=0)
    best = scores.argmax(axis=-1)
    return {
        method: {k: CANDIDATES[method][best[i, j]] for j, k in enumerate(budgets)}
        for i, method in enumerate(METHODS)
    }


def accuracy(predict, test: ImageSet) -> float:
    """Return the fraction of a set's pictures that ``predict(images)`` labels correctly."""
    return (predict(test.images).cpu() == test.labels.cpu()).float().mean().item()


def chosen_settings(target: str) -> dict[str, dict[int, dict]]:
    """Return what ``python -m tlcourse choose transfer`` chose, as {method: {per_class: settings}}."""
    table = stored(SETTINGS)[target]
    return {m: {int(k): s for k, s in rows.items()} for m, rows in table.items()}


def learn(
    target: Splits, settings: dict, per_class: int, seed: int, methods=tuple(METHODS)
) -> dict[str, Callable]:
    """Learn with several methods from one draw of labels.

    All methods see the same labelled pictures, so their differences are paired.

    Parameters
    ----------
    target : Splits
    settings : dict
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
    return {m: METHODS[m](train, seed, **settings[m][per_class]) for m in methods}


def answers(learned: dict, per_class: int, images: torch.Tensor) -> dict[tuple, np.ndarray]:
    """Return the label that each of the `learned` gives to each image, by (method, per_class)."""
    return {(m, per_class): predict(images).cpu().numpy() for m, predict in learned.items()}


def compare(
    target: Splits, settings: dict, budgets, seed: int, methods=tuple(METHODS)
) -> dict[tuple[str, int], np.ndarray]:
    """Learn at each of several budgets (labels a class), and label the test set.

    Returns
    -------
    dict
        ``(method, per_class)`` to the predicted labels of ``target.test``, shape (n,), int64.
    """
    predicted = {}
    for per_class in budgets:
        learned = learn(target, settings, per_class, seed, methods)
        predicted |= answers(learned, per_class, target.test.images)
    return predicted


def accuracies(runs: list[dict], labels: torch.Tensor) -> dict[str, np.ndarray]:
    """Return the accuracy of each method, shape (seeds, budgets), from one `compare` a seed."""
    truth = labels.cpu().numpy()
    table: dict[str, list] = {}
    for run in runs:
        for (method, _), predicted in run.items():
            table.setdefault(method, []).append((predicted == truth).mean())
    return {method: np.reshape(values, (len(runs), -1)) for method, values in table.items()}


def robustness(
    learned: dict, test: ImageSet, seed: int, damage: dict[str, tuple]
) -> dict[tuple[str, str], np.ndarray]:
    """Test what was learned from clean pictures on damaged ones.

    Parameters
    ----------
    learned : dict
        From `learn`.
    damage : dict
        Kind of corruption to its severities; see `tlcourse.data.perturb.corrupt`.

    Returns
    -------
    dict
        ``(method, kind)`` to the accuracy at each severity.
    """
    found = {}
    for kind, severities in damage.items():
        damaged = [corrupt(test.images, kind, severity, seed) for severity in severities]
        tests = [replace(test, images=images) for images in damaged]
        for method, predict in learned.items():
            found[method, kind] = np.array([accuracy(predict, part) for part in tests])
    return found


def learning_curves(
    target: Splits, settings: dict, per_class: int, seed: int, looks, methods=NETWORKS
) -> dict[str, np.ndarray]:
    """Return the validation accuracy of trained networks after the same steps.

    Parameters
    ----------
    target, settings, per_class, seed
        As in `learn`.
    looks : sequence of int
        After which optimisation steps to look, rising; training ends at the last. Looking changes
        nothing: with more looks, the other values stay the same.
    methods : sequence of str
        Of `NETWORKS`.

    Returns
    -------
    dict
        Method to one accuracy a look.
    """
    train = few_labels(target.pool, per_class, seed)
    curves = {}
    for method in methods:
        watch = training.Validation(target.validation.images, target.validation.labels)

        def look(step, model, watch=watch):
            if step in looks:
                models.reestimate_batchnorm(model, train.images)  # as `_train_network` at the end
                watch(step, model)

        chosen = settings[method][per_class] | {"steps": max(looks)}
        METHODS[method](train, seed, **chosen, hook=look, every=1)
        curves[method] = np.array(watch.scores)
    return curves


@torch.no_grad()
def block_features(backbone: models.SmallCNN, images: torch.Tensor, depth: int) -> np.ndarray:
    """Return 256 features, whatever the depth they are read at.

    Blocks differ in how many numbers they put out, and a longer vector helps a linear probe by
    itself. So every depth is projected at random to 256 numbers: such a projection nearly keeps
    distances (Johnson and Lindenstrauss 1984) and learns nothing.

    Parameters
    ----------
    depth : int
        Number of blocks passed; 0 reads the pixels.

    Returns
    -------
    numpy.ndarray, shape (n, 256)
    """
    backbone.eval()
    maps = backbone.maps(images, depth).flatten(1).cpu().numpy()
    directions = np.random.default_rng(depth).standard_normal((maps.shape[1], backbone.n_features))
    # Rows of one length, so that the probe's penalty means the same at every depth.
    return 16 * normalize(maps @ directions)


def depth_accuracies(backbone: models.SmallCNN, train: ImageSet, test: ImageSet) -> np.ndarray:
    """Return the accuracy of a linear probe on the pixels and after each block, shape (5,)."""
    found = []
    for depth in range(len(backbone.blocks) + 1):
        represent = partial(block_features, backbone, depth=depth)
        probe = LogisticRegression(max_iter=1000)
        found.append(accuracy(_fit_estimator(probe, represent, train), test))
    return np.array(found)


def main() -> None:
    """Choose the settings of every method for both targets, and write them down."""
    torch.set_num_threads(1)
    seeds = choosing_seeds()  # no report uses the last ones
    chosen = {
        "digits": choose(digits(), (1, 2, 5, 10, 20, 50), seeds),
        "georgian": choose(georgian(), (2, 5), seeds),
    }
    store(SETTINGS, chosen)
