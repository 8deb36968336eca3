"""Objectives to minimise, each evaluated once on a dense design and replayed from it.

A search needs hundreds of trainings, and an honest comparison of searches needs it fifty times. So
every setting of a grid is trained once (``python -m tlcourse landscapes``); afterwards a trial is a
look into a table.
"""

import argparse
import itertools
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC
from skopt.benchmarks import hart6

from tlcourse import data, runtime
from tlcourse.data.perturb import perturb
from tlcourse.lessons.ch02b_pictures import finetuning

DESIGNS = Path(__file__).parent / "designs"

SVM = {"C": np.logspace(-3, 3, 21), "gamma": np.logspace(-4, 1, 21)}
FINE_TUNING = {
    "lr": np.geomspace(3e-4, 1e-1, 6),
    "backbone factor": np.array([0.03, 0.1, 0.3, 1.0]),
    "frozen blocks": np.arange(4),
    "augmentation": np.array([0, 1]),
    "weight decay": np.array([0.01, 1.0]),
    "steps": np.array([25, 50, 100]),
}
LABELS = {"georgian": 5, "digits": 2}  # labels a class
LOGARITHMIC = ("C", "gamma", "lr", "backbone factor", "weight decay", "steps")


@dataclass(frozen=True)
class Design:
    """Settings that were all evaluated.

    Attributes
    ----------
    names : tuple of str
        The settings' names, one a column.
    values : np.ndarray, shape (n, d)
        The settings themselves.
    unit : np.ndarray, shape (n, d)
        The same in [0, 1], logarithmic where a factor is what matters.
    error, test_error : np.ndarray, shape (n,)
        Validation error, which a search may see, and test error, which it may not.
    """

    names: tuple[str, ...]
    values: np.ndarray
    unit: np.ndarray
    error: np.ndarray
    test_error: np.ndarray

    def __len__(self) -> int:
        return len(self.error)


def space(levels: dict) -> tuple[np.ndarray, np.ndarray]:
    """Return all combinations of `levels`, shape (n, d), as they are and scaled to [0, 1]."""
    values = np.array(list(itertools.product(*levels.values())), dtype=float)
    scaled = values.copy()
    for column, name in enumerate(levels):
        if name in LOGARITHMIC:
            scaled[:, column] = np.log(scaled[:, column])
    low, high = scaled.min(axis=0), scaled.max(axis=0)
    return values, (scaled - low) / (high - low)


def load(name: str) -> Design:
    """Return a stored design.

    Parameters
    ----------
    name : {"svm", "georgian", "digits"}
        An SVM on 300 digits; fine-tuning for Georgian letters (5 labels a class); fine-tuning for
        digits (2 labels a class).

    Raises
    ------
    ValueError
        For another name.
    """
    if name != "svm" and name not in LABELS:
        raise ValueError(f"no design {name!r}: choose svm, {' or '.join(LABELS)}.")
    levels = SVM if name == "svm" else FINE_TUNING
    with np.load(DESIGNS / f"{name}.npz") as stored:
        errors = stored["wrong"] / stored["of"]
    return Design(tuple(levels), *space(levels), *errors.reshape(2, -1))


# ── evaluating one setting ──────────────────────────────────────────────────────────────────


def evaluate_svm(C: float, gamma: float) -> tuple[float, float]:
    """Return cross-validated and test error of an SVM that has 300 labelled digits."""
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    train, test = order[:300], order[300:]
    model = make_pipeline(MinMaxScaler(), SVC(C=C, gamma=gamma))
    validation = cross_val_score(model, X[train], y[train], cv=3).mean()
    return 1 - validation, 1 - model.fit(X[train], y[train]).score(X[test], y[test])


@cache
def _splits(target: str) -> data.Splits:
    # Lesson 03 is about choosing: here, and only here, digits are set aside for it.
    return data.georgian() if target == "georgian" else data.digits(validation=True)


def trajectory(target: str, lr, factor, depth, augmented, decay) -> np.ndarray:
    """Fine-tune once and return the number of errors on the way.

    The draw of labels and the head have the design's own seed, which no report uses.

    Parameters
    ----------
    target : {"georgian", "digits"}
    lr, factor : float
        Learning rate of the head, and the factor for the blocks.
    depth, augmented : int
        Frozen blocks; 1 perturbs every batch.
    decay : float
        Decoupled weight decay.

    Returns
    -------
    np.ndarray, shape (2, steps)
        Wrong validation and test pictures after each of ``FINE_TUNING["steps"]``. The learning rate
        falls over the longest run: a shorter one is the same run stopped early.
    """
    splits, seed, steps = _splits(target), runtime.SEEDS_PER_BASE - 1, FINE_TUNING["steps"]
    how = {"depth": int(depth), "lr": lr, "factor": factor, "weight_decay": decay}
    how["augment"] = perturb if augmented else None
    return finetuning.errors_on_the_way(splits, LABELS[target], seed, steps, **how)


# ── making the designs ──────────────────────────────────────────────────────────────────────


def make(name: str) -> None:
    """Evaluate every setting of a design and store how many pictures were wrong."""
    torch.set_num_threads(1)
    if name == "svm":
        settings, of = space(SVM)[0], np.array([[300], [1497]])
        rates = np.array([evaluate_svm(*s) for s in runtime.progress(settings, name)])
        wrong = np.rint(rates.T * of)
    else:
        levels = {k: v for k, v in FINE_TUNING.items() if k != "steps"}
        runs = [trajectory(name, *s) for s in runtime.progress(space(levels)[0], name)]
        wrong = np.stack(runs, axis=1).reshape(2, -1)
        splits = _splits(name)
        of = np.array([[len(splits.validation)], [len(splits.test)]])
    np.savez_compressed(DESIGNS / f"{name}.npz", wrong=wrong.astype(np.uint16), of=of)


# ── an analytic objective ───────────────────────────────────────────────────────────────────

HARTMANN_BEST = -3.32237


def hartmann(x) -> np.ndarray:
    """Return Hartmann's function of the first six columns; further columns are irrelevant.

    Parameters
    ----------
    x : array_like, shape (n, d), d at least 6, in [0, 1]

    Returns
    -------
    np.ndarray, shape (n,)
        The minimum is ``HARTMANN_BEST``.

    References
    ----------
    Dixon and Szegö (1978), "The global optimization problem: an introduction", table 2.
    """
    x = np.atleast_2d(np.asarray(x, dtype=float))
    if x.shape[1] < 6:
        raise ValueError(f"{x.shape[1]} columns: Hartmann's function needs at least 6.")
    return np.array([hart6(row[:6]) for row in x])


def main() -> None:
    """Make the designs that are named on the command line."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    known = ["svm", *LABELS]
    parser.add_argument("names", nargs="*", default=known, help=", ".join(known))
    names = parser.parse_args().names
    if unknown := set(names) - set(known):
        parser.error(f"unknown {', '.join(unknown)}: choose of {', '.join(known)}")
    for name in names:
        make(name)
