"""Tables that ship with scikit-learn or lie on the disk, and how their rows are divided."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from tlcourse.data.cache import data_folder

COVARIATES = {"size": "mean radius", "texture": "mean texture"}
STRENGTH = 3.0  # of the split: 5 % of the smallest rows go to the target, 95 % of the largest


def halves(y, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows for training and for the test: half each, with the same shares of classes."""
    return train_test_split(np.arange(len(y)), test_size=0.5, stratify=y, random_state=seed)


@dataclass(frozen=True)
class Shift:
    """A table whose rows are divided into a source, a target pool and a target test set.

    Attributes
    ----------
    X : numpy.ndarray, shape (n, features)
        In the units of the data, so that rules stay readable.
    Z : numpy.ndarray, shape (n, features)
        The same with mean 0 and variance 1 over source and pool; that takes no label.
    y : numpy.ndarray of int, shape (n,)
        1 is malignant.
    chance : numpy.ndarray, shape (n,)
        The probability with which each row went to the target.
    source, pool, test : numpy.ndarray of int
        Positions of rows, disjoint.
    names : list of str
        Names of the features.
    """

    X: np.ndarray
    Z: np.ndarray
    y: np.ndarray
    chance: np.ndarray
    source: np.ndarray
    pool: np.ndarray
    test: np.ndarray
    names: list[str]


def breast_cancer(covariate: str, seed: int) -> Shift:
    """Divide 569 tumours into a source with mostly small and a target with mostly large values.

    Each row goes to the target with a probability that depends on one input alone. So the inputs
    differ between source and target, and P(Y | X) does not: a *covariate shift* (Shimodaira 2000,
    doi:10.1016/S0378-3758(00)00115-4).

    Parameters
    ----------
    covariate : {"size", "texture"}
        Mean radius or mean texture.
    seed : int
        Moves the division.

    Raises
    ------
    ValueError
        If the covariate is neither.
    """
    if covariate not in COVARIATES:
        raise ValueError(f"unknown covariate {covariate!r}: take one of {', '.join(COVARIATES)}.")
    data = load_breast_cancer()
    return divide(data.data, 1 - data.target, list(map(str, data.feature_names)), covariate, seed)


def divide(X, y, names: Sequence[str], covariate: str, seed: int) -> Shift:
    """Send each row to the target with a probability that rises with the covariate."""
    rng = np.random.default_rng(seed)
    values = X[:, names.index(COVARIATES[covariate])]
    rank = 2 * rankdata(values) / len(values) - 1  # from -1 to 1, whatever the unit
    chance = 1 / (1 + np.exp(-STRENGTH * rank))
    is_target = rng.random(len(y)) < chance
    source = np.flatnonzero(~is_target)
    pool, test = np.array_split(rng.permutation(np.flatnonzero(is_target)), 2)
    seen = X[np.concatenate([source, pool])]
    return Shift(X, (X - seen.mean(0)) / seen.std(0), y, chance, source, pool, test, names)


def titanic() -> dict[str, list[str]]:
    """Return the passenger list of the Titanic, one list of texts a column; gaps are empty texts.

    Reads ``titanic.csv`` of `cache.data_folder`, or of a folder ``tabular`` in it, with columns
    such as survived, pclass, sex, age, fare, cabin and embarked; their names are returned in small
    letters.

    Raises
    ------
    FileNotFoundError
        If the file is not there: nothing is ever downloaded.
    ValueError
        If it has no columns survived and age.
    """
    found = [*data_folder().glob("titanic.csv"), *data_folder().glob("tabular/titanic.csv")]
    if not found:
        raise FileNotFoundError(
            "titanic.csv is not here: put it into the folder that TLCOURSE_DATA names, or go on."
        )
    with found[0].open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    table = {name.lower(): [row[name] for row in rows] for name in (rows[0] if rows else [])}
    if not {"survived", "age"} <= set(table):
        raise ValueError("titanic.csv needs a first line with at least the names survived and age.")
    return table
