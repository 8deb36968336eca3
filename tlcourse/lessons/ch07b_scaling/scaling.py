"""Lesson 07b: standardisation in transfer. Whose mean and spread, and what to align when both differ.

A domain is a pair (X, y), or X alone where nothing may read its labels.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from tlcourse import experiment, models, training
from tlcourse.data import ImageSet, Splits, digits, draw_rows, printed_digits, tables
from tlcourse.data.perturb import perturb
from tlcourse.settings import store, stored

SCALERS = ("the source's", "its own", "of both")
INCH = 2.54  # centimetres
BATCH = 32  # printed digits a step
SOURCES = {"source as it is": 0.0, "source varied": 1.0}  # strength of its augmentation
LONGER = Path(__file__).with_suffix(".json")
SEEDS = range(10)  # of the longer training: those of the lesson, where TLCOURSE_SEED is 0

# ── tables: another unit, or other cases ────────────────────────────────────────────────────


def change_units(X, columns, factor: float) -> np.ndarray:
    """Return a copy of a table with some columns multiplied by `factor`.

    Raises
    ------
    ValueError
        If the factor is not a positive number.
    """
    if not 0 < factor < np.inf:
        raise ValueError(f"factor is {factor}: a change of unit multiplies by a positive number.")
    X = np.array(X, dtype=float)
    X[:, columns] *= factor
    return X


def two_hospitals(kind: str, seed: int) -> tuple:
    """Return three domains of tumours: source, target rows without labels in use, target test rows.

    Parameters
    ----------
    kind : {"units", "shift"}
        "units": a random half of the rows is the target, and half of its columns, drawn at random,
        come in another unit. "shift": the target has the tumours with coarser texture, in the same
        units (`tables.breast_cancer`); so it also has more malignant ones.
    seed : int

    Returns
    -------
    source, pool, test : tuple (X, y)
        `pool` and `test` are disjoint halves of the target.

    Raises
    ------
    ValueError
        If the kind is neither.
    """
    if kind == "shift":
        found = tables.breast_cancer("texture", seed)
        parts = found.source, found.pool, found.test
        return tuple((found.X[rows], found.y[rows]) for rows in parts)
    if kind != "units":
        raise ValueError(f'unknown kind {kind!r}: choose "units" or "shift".')
    X, y = load_breast_cancer(return_X_y=True)
    y, rng = 1 - y, np.random.default_rng([seed, 71])
    source, pool, test = np.split(rng.permutation(len(y)), [len(y) // 2, 3 * len(y) // 4])
    columns = rng.permutation(X.shape[1])[: X.shape[1] // 2]
    other = change_units(X, columns, INCH)
    return (X[source], y[source]), (other[pool], y[pool]), (other[test], y[test])


def scale(source, pool, test, whose: str) -> tuple[np.ndarray, np.ndarray]:
    """Return source and test inputs after standardisation with one of `SCALERS`.

    Parameters
    ----------
    source, pool, test : array, shapes (n, d), (m, d), (k, d)
        Inputs only: no scaler reads a label, nor the test rows.
    whose : str
        "the source's": both with the source's mean and spread. "its own": the source with its own,
        the test rows with those of `pool`. "of both": with those of source and pool together.
    """
    if whose not in SCALERS:
        raise ValueError(f"unknown scaler {whose!r}: choose one of {', '.join(SCALERS)}.")
    together = np.concatenate([source, pool])
    fitted_on = {"the source's": (source, source), "its own": (source, pool)}
    one, other = fitted_on.get(whose, (together, together))
    return StandardScaler().fit(one).transform(source), StandardScaler().fit(other).transform(test)


def three_scalers(source, pool, test) -> dict[str, float]:
    """Return an SVM's balanced accuracy on the test rows of the target, by `SCALERS`.

    Parameters
    ----------
    source, pool, test : tuple (X, y)
        As `two_hospitals` returns them; the SVM learns from the source, and labels of `pool` are
        not read.
    """
    found = {}
    for whose in SCALERS:
        X, X_test = scale(source[0], pool[0], test[0], whose)
        predicted = SVC().fit(X, source[1]).predict(X_test)
        found[whose] = float(balanced_accuracy_score(test[1], predicted))
    return found


def spend(source, pool, test, per_class: int, seed: int) -> dict[str, float]:
    """Return two uses of the same few target labels, as balanced accuracy on the test rows.

    Returns
    -------
    dict of str to float
        "picked": the source's SVM under the scaler that is best on these labels (ties go first);
        "alone": the simple baseline that needs no source, an SVM that learns from these labels,
        scaled by all of `pool`.
    """
    few = draw_rows(pool[1], per_class, seed)
    by_few = three_scalers(source, pool, (pool[0][few], pool[1][few]))
    picked = max(SCALERS, key=by_few.get)
    scaler = StandardScaler().fit(pool[0])
    model = SVC(C=10).fit(scaler.transform(pool[0][few]), pool[1][few])
    alone = balanced_accuracy_score(test[1], model.predict(scaler.transform(test[0])))
    return {"picked": three_scalers(source, pool, test)[picked], "alone": float(alone)}


def ratios(source, target) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each column, target median / source median, and the same of interquartile ranges.

    Another unit multiplies both by one factor, the same in every column it touches, and leaves the
    other columns alone. Other cases move each column in its own way. Only for measurements that
    are positive.

    Raises
    ------
    ValueError
        If the tables have different columns, or a source column's median or range is not positive.
    """
    source, target = _same_columns(source, target)
    low, middle, high = np.percentile(source, (25, 50, 75), axis=0)
    if (middle <= 0).any() or (high <= low).any():
        raise ValueError(
            "a column's median or range is not positive: compare positive measurements."
        )
    low_t, middle_t, high_t = np.percentile(target, (25, 50, 75), axis=0)
    return middle_t / middle, (high_t - low_t) / (high - low)


def _same_columns(source, target):
    source, target = np.asarray(source, dtype=float), np.asarray(target, dtype=float)
    if source.ndim != 2 or source.shape[1:] != target.shape[1:]:
        raise ValueError(
            f"tables {source.shape} and {target.shape}: pass two with the same columns."
        )
    return source, target


# ── the next step: CORAL and AdaBN ──────────────────────────────────────────────────────────


def coral(source, target, penalty: float = 1.0) -> np.ndarray:
    """Return the source rows with the target's mean and, nearly, its covariance.

    Standardising aligns each column by itself; CORAL also aligns how columns move together: it
    whitens the source, then gives it the colours of the target.

    Parameters
    ----------
    source, target : array, shapes (n, d) and (m, d)
        Inputs only.
    penalty : float
        Added to the diagonal of both covariances, so that the first can be inverted.

    Returns
    -------
    array, shape (n, d)

    Raises
    ------
    ValueError
        If the penalty is not positive or the tables have different columns.

    References
    ----------
    Sun, Feng and Saenko (2016), "Return of frustratingly easy domain adaptation", arXiv:1511.05547,
    Algorithm 1; the means are aligned as well, which there is done beforehand.
    """
    source, target = _same_columns(source, target)
    if not penalty > 0:
        raise ValueError(f"penalty is {penalty}: take a positive number, such as 1.")
    whiten, colour = _power(source, penalty, -0.5), _power(target, penalty, 0.5)
    return (source - source.mean(axis=0)) @ whiten @ colour + target.mean(axis=0)


def _power(rows, penalty, exponent):
    """Return a power of the covariance: its eigenvectors stay, its eigenvalues are raised."""
    values, vectors = np.linalg.eigh(np.cov(rows.T) + penalty * np.eye(rows.shape[1]))
    return (vectors * values**exponent) @ vectors.T


def from_print_to_hand(
    printed: ImageSet, target: Splits, strength: float, seed: int, steps: int = 60
) -> dict[str, float]:
    """Train on printed digits, and read handwriting without a label of it, in three ways.

    Parameters
    ----------
    printed : ImageSet
        The source: see `data.printed_digits`.
    target : Splits
        The inputs of its pool serve for the alignment; its test set is only tested on.
    strength : float
        Augmentation of the source, see `tlcourse.data.perturb.perturb`; 0 only resamples.
    seed, steps : int

    Returns
    -------
    dict of str to float
        Test accuracy of the network "as it is"; with "AdaBN", the BatchNorm statistics of the
        target; with "CORAL", a logistic regression on source features moved to the target's.
    """
    test = target.test
    model, seen = train_on_print(printed, strength, seed, steps)
    found = {"as it is": training.accuracy(model, test.images, test.labels)}
    read = coral_reader(model, seen, printed.labels.repeat(2), target.pool.images)
    found["CORAL"] = (read(test.images) == test.labels.cpu()).double().mean().item()
    models.reestimate_batchnorm(model, target.pool.images)
    found["AdaBN"] = training.accuracy(model, test.images, test.labels)
    return found


def train_on_print(printed: ImageSet, strength: float, seed: int, steps: int = 60) -> tuple:
    """Return a network trained on printed digits, and every one of them twice as it saw them."""
    augment = partial(perturb, strength=strength, coarse=0.0)
    images, recipe = printed.images, {"lr": 5e-3, "batch_size": BATCH, "seed": seed}
    model = models.classifier(models.SmallCNN, len(printed.names), seed).to(images.device)
    training.fit(model, images, printed.labels, steps, augment=augment, **recipe)
    seen = augment(images.repeat(2, 1, 1, 1), torch.Generator().manual_seed(seed))
    models.reestimate_batchnorm(model, seen)  # as every network of the course, on what it learned
    return model, seen


def coral_reader(model, seen: torch.Tensor, labels: torch.Tensor, pool: torch.Tensor) -> Callable:
    """Fit a logistic regression to features of the source moved to those of `pool`, by `coral`.

    Returns
    -------
    callable
        ``predict(images) -> labels``; no label of the target was read.
    """
    source, target = (models.features(model.backbone, images) for images in (seen, pool))
    head = LogisticRegression(max_iter=300).fit(coral(source, target), labels.cpu())
    return lambda images: torch.from_numpy(head.predict(models.features(model.backbone, images)))


def longer_training() -> dict:
    """Return `from_print_to_hand` after more steps than the lesson has time for.

    Returns
    -------
    dict
        ``{"steps": 400, "seeds": [...], source: {way: [an accuracy a seed]}}`` with the sources of
        `SOURCES`: what ``python -m tlcourse choose scaling`` stored, whatever ``TLCOURSE_SEED`` is.
    """
    return stored(LONGER)


def main(steps: int = 400) -> None:
    """Train longer on `SEEDS`, and write the accuracies down."""
    torch.set_num_threads(1)
    printed, target = printed_digits(), digits()

    def cross(seed, name):
        return {name: from_print_to_hand(printed, target, SOURCES[name], seed, steps)}

    runs = experiment.sweep(cross, SEEDS, [*SOURCES], "print to hand")
    found = {"steps": steps, "seeds": [*SEEDS]}
    for name in SOURCES:
        ways = experiment.table([run[name] for run in runs])
        found[name] = {way: values.round(4).tolist() for way, values in ways.items()}
    store(LONGER, found)
