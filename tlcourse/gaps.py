"""Chapter 7: gaps in a table, made by hand so that the truth stays known, and filled in several ways."""

from __future__ import annotations

import csv
import warnings

import numpy as np
from scipy.stats import rankdata
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning

# IterativeImputer is experimental: this import unlocks it.
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from tlcourse import experiment
from tlcourse.cache import data_folder

MECHANISMS = ("MCAR", "MAR", "MNAR")


def halves(y, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows for training and for the test: half each, with the same shares of classes."""
    return train_test_split(np.arange(len(y)), test_size=0.5, stratify=y, random_state=seed)


def hide(X, share: float, mechanism: str, seed: int) -> np.ndarray:
    """Return a copy of a table with gaps (NaN), made by one of three mechanisms.

    A cell is hidden with probability ``2 * share * rank``, where the rank runs from 0 (smallest) to 1:

    - MCAR (missing completely at random): every rank is 1/2, so nothing decides but chance;
    - MAR (missing at random): the rank of the row's value in column 0, which is never hidden;
    - MNAR (missing not at random): the rank of the cell's own value, which nobody sees afterwards.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Without gaps, n >= 2; for MAR, d >= 2.
    share : float
        Expected share of hidden cells, from 0 to 0.5 (for MAR, of the columns after the first).
    mechanism : {"MCAR", "MAR", "MNAR"}
    seed : int

    Raises
    ------
    ValueError
        If the mechanism is none of the three, the share is out of its range, or `X` has gaps.

    References
    ----------
    Rubin (1976), "Inference and missing data", Biometrika 63(3), section 2.
    """
    if mechanism not in MECHANISMS:
        raise ValueError(f"unknown mechanism {mechanism!r}: choose one of {', '.join(MECHANISMS)}.")
    if not 0 <= share <= 0.5:
        raise ValueError(f"share is {share}: hide a share from 0 to 0.5, so that no chance tops 1.")
    X = np.array(X, dtype=float)
    if X.ndim != 2 or len(X) < 2 or np.isnan(X).any():
        raise ValueError("hide needs a table of at least 2 rows without gaps: fill or drop first.")
    rank = np.full(X.shape, 0.5)
    if mechanism != "MCAR":
        rank = (rankdata(X, axis=0) - 1) / (len(X) - 1)
    if mechanism == "MAR":
        rank = np.repeat(rank[:, :1], X.shape[1], axis=1)
        rank[:, 0] = 0  # the column that decides stays whole
    X[np.random.default_rng([seed, 7]).random(X.shape) < 2 * share * rank] = np.nan
    return X


def fillings(seed: int) -> dict:
    """Return ways to fill gaps, each a transformer of unscaled tables; the output is standardised.

    Everything but "zero" is filled on the scale where each column has mean 0 and spread 1: neighbours
    need comparable distances. "zero" writes the number 0 in the column's own unit.
    """

    def scaled(filling):
        return make_pipeline(StandardScaler(), filling, StandardScaler())

    return {
        "zero": make_pipeline(SimpleImputer(strategy="constant", fill_value=0), StandardScaler()),
        "mean": scaled(SimpleImputer()),
        "median": scaled(SimpleImputer(strategy="median")),
        "mean + indicator": scaled(SimpleImputer(add_indicator=True)),
        "5 neighbours": scaled(KNNImputer(n_neighbors=5)),
        "iterative": scaled(IterativeImputer(max_iter=3, random_state=seed)),
    }


def fill_and_learn(X, y, gaps, seed: int, C: dict | None = None, ways=None) -> tuple[dict, dict]:
    """Return, for each way to fill gaps, an SVM's test accuracy and how far the filled means are off.

    Parameters
    ----------
    X, gaps : array, shape (n, d)
        The table as it truly is, and with NaN where a value is hidden.
    y : array, shape (n,)
    seed : int
        Of the split.
    C : dict of str to float, optional
        Of the SVM, by way; 1 where a way is not named.
    ways : collection of str, optional
        Some of `fillings`; by default all.

    Returns
    -------
    accuracy : dict of str to float
        Also "no gaps", and "drop rows", which learns from complete rows alone (the commonest class
        where too few are left). A test row must be answered: there its gaps are filled with means.
    bias : dict of str to float
        Mean of each filled training column minus its true mean, in true standard deviations; of
        these, the root mean square over columns.
    """
    train, test = halves(y, seed)
    svm = {name: SVC(C=c) for name, c in (C or {}).items()}
    model = make_pipeline(StandardScaler(), svm.get("no gaps", SVC())).fit(X[train], y[train])
    accuracy, bias = {"no gaps": model.score(X[test], y[test])}, {}
    whole = train[~np.isnan(gaps[train]).any(axis=1)]
    model = make_pipeline(SimpleImputer(), StandardScaler(), svm.get("drop rows", SVC()))
    if len(np.unique(y[whole])) < 2:
        whole, model = train, DummyClassifier()
    accuracy["drop rows"] = model.fit(gaps[whole], y[whole]).score(gaps[test], y[test])
    for name, filling in fillings(seed).items():
        if ways and name not in ways:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a few rounds are a choice
            filled = filling.fit_transform(gaps[train])
        model = svm.get(name, SVC()).fit(filled, y[train])
        accuracy[name] = model.score(filling.transform(gaps[test]), y[test])
        # The first step leaves a whole table as it is, or scales it; the last one scales again.
        true, filled = filling[0].transform(X[train]), filling[:-1].transform(gaps[train])
        off = (filled[:, : X.shape[1]].mean(axis=0) - true.mean(axis=0)) / true.std(axis=0)
        bias[name] = float(np.sqrt(np.mean(off**2)))
    return accuracy, bias


def choose_C(X, y, seeds, candidates=(0.3, 1, 3, 10)) -> dict[str, float]:
    """Return the SVM's C for each way to fill gaps: the best of some at 30 % MCAR.

    Each seed's training half is halved again, so its test rows play no part.

    Parameters
    ----------
    X, y : array, shapes (n, d) and (n,)
    seeds : sequence of int
        None of which the report uses.
    candidates : sequence of float
    """
    scores = {}
    for seed in seeds:
        rows, holed = halves(y, seed)[0], hide(X, 0.3, "MCAR", seed)
        for C in candidates:
            every = {way: C for way in ("no gaps", "drop rows", *fillings(seed))}
            found, _ = fill_and_learn(X[rows], y[rows], holed[rows], seed, every)
            for way, score in found.items():
                scores.setdefault(way, dict.fromkeys(candidates, 0.0))[C] += score
    return {way: max(found, key=found.get) for way, found in scores.items()}


def compare(X, y, shares, seeds, C: dict, ways: dict | None = None) -> tuple[dict, dict]:
    """Return accuracy and bias of every way to fill gaps, by mechanism, share and seed.

    Parameters
    ----------
    X, y : array, shapes (n, d) and (n,)
    shares : sequence of float
        Of hidden cells.
    seeds : sequence of int
        They move the gaps and the split.
    C : dict of str to float
        See `fill_and_learn`.
    ways : dict of str to sequence of str, optional
        The mechanisms to make gaps by, and the ways to fill them; by default all of both.

    Returns
    -------
    accuracy, bias : dict of str to dict of str to array, shape (seeds, shares)
        By mechanism and way.
    """
    ways = ways or dict.fromkeys(MECHANISMS)

    def run(seed, mechanism):
        holed = [hide(X, share, mechanism, seed) for share in shares]
        return {mechanism: [fill_and_learn(X, y, h, seed, C, ways[mechanism]) for h in holed]}

    runs = experiment.sweep(run, seeds, list(ways), "gaps")

    def table(mechanism, i):  # i is 0 for accuracy, 1 for bias
        found = [[part[i] for part in one[mechanism]] for one in runs]
        return {way: np.array([[f[way] for f in row] for row in found]) for way in found[0][0]}

    return tuple({mechanism: table(mechanism, i) for mechanism in ways} for i in (0, 1))


def along_rows(X) -> np.ndarray:
    """Fill gaps by a straight line between the neighbours in the same row, for rows with an order.

    Before the first and after the last known value it stays level; a row without any value gets 0.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Each row a series: a line of a picture, or readings in the order of time.
    """
    X = np.array(X, dtype=float)
    for row in X:
        known = np.flatnonzero(~np.isnan(row))
        row[:] = np.interp(np.arange(len(row)), known, row[known]) if len(known) else 0.0
    return X


def down_the_file(X, y, seed: int, shuffle: bool) -> float:
    """Return an SVM's accuracy where half of a table's cells are filled from the rows above and below.

    A trap: where the file is sorted by class, the neighbours give the label away, those of the test
    rows too.
    """
    order = np.random.default_rng([seed, 6]).permutation(len(y)) if shuffle else np.arange(len(y))
    filled = along_rows(hide(X, 0.5, "MCAR", seed)[order].T).T
    train, test = halves(y[order], seed)
    model = make_pipeline(StandardScaler(), SVC()).fit(filled[train], y[order][train])
    return model.score(filled[test], y[order][test])


def titanic() -> dict[str, list[str]]:
    """Return the passenger list of the Titanic, one list of texts a column; gaps are empty texts.

    Reads ``titanic.csv`` of `cache.data_folder`, with columns such as survived, pclass, sex, age,
    fare, cabin and embarked; their names are returned in small letters.

    Raises
    ------
    FileNotFoundError
        If the file is not there: nothing is ever downloaded.
    ValueError
        If it has no columns survived and age.
    """
    path = data_folder() / "titanic.csv"
    if not path.exists():
        raise FileNotFoundError(
            "titanic.csv is not here: put it into the folder that TLCOURSE_DATA names, or go on."
        )
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    table = {name.lower(): [row[name] for row in rows] for name in (rows[0] if rows else [])}
    if not {"survived", "age"} <= set(table):
        raise ValueError("titanic.csv needs a first line with at least the names survived and age.")
    return table
