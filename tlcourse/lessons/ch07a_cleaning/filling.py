"""Lesson 07a: what each way to fill gaps is worth, in accuracy and in the bias of the means."""

import warnings

import numpy as np
from scipy.stats import mode
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning

# IterativeImputer is experimental: this import unlocks it.
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from tlcourse import experiment
from tlcourse.data.tables import halves
from tlcourse.lessons.ch07a_cleaning.gaps import MECHANISMS, hide


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
        "iterative": scaled(IterativeImputer(max_iter=2, random_state=seed)),
    }


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


def filled(X, gaps, train, test, seed: int, ways=None):
    """Yield each way to fill gaps, fitted, with the training rows it keeps and both filled tables.

    The first is "no gaps": the true table.

    Parameters
    ----------
    X, gaps : array, shape (n, d)
        The table as it truly is, and with NaN where a value is hidden.
    train, test : array of int
        Rows.
    seed : int
        Of the iterative way.
    ways : collection of str, optional
        Some of `fillings` or "drop rows"; by default all.

    Yields
    ------
    name : str
    filling : transformer
    kept : array of int
        All of `train`, but for "drop rows": there only its complete rows. A test row must be answered,
        so its gaps are filled with their means.
    Z_train, Z_test : array
        Standardised.

    Raises
    ------
    ValueError
        If a column has no known value among the training rows: then nothing can be filled in.
    """
    if (empty := np.isnan(gaps[train]).all(axis=0)).any():
        columns = ", ".join(map(str, np.flatnonzero(empty)))
        raise ValueError(f"no training row has a value in column {columns}: drop it first.")
    scaler = StandardScaler().fit(X[train])
    yield "no gaps", scaler, train, scaler.transform(X[train]), scaler.transform(X[test])
    complete = train[~np.isnan(gaps[train]).any(axis=1)]
    for name, filling in {"drop rows": fillings(seed)["mean"], **fillings(seed)}.items():
        kept = complete if name == "drop rows" else train
        if (ways and name not in ways) or not len(kept):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a few rounds are a choice
            Z = filling.fit_transform(gaps[kept])
        yield name, filling, kept, Z, filling.transform(gaps[test])


def answer(Z_train, y_train, Z_test, C: float):
    """Return the answers of an SVM, or of what is left to say where only one class is known."""
    model = SVC(C=C) if len(np.unique(y_train)) > 1 else DummyClassifier()
    return model.fit(Z_train, y_train).predict(Z_test)


def fill_and_learn(X, y, gaps, seed: int, C: dict, ways=None) -> tuple[dict, dict]:
    """Return, for each way to fill gaps, an SVM's test accuracy and how far the filled means are off.

    Parameters
    ----------
    X, gaps : array, shape (n, d)
        The table as it truly is, and with NaN where a value is hidden.
    y : array, shape (n,)
    seed : int
        Of the split.
    C : dict of str to float
        Of the SVM, by way; 1 where a way is not named.
    ways : collection of str, optional
        Some of `fillings`, "drop rows"; by default all.

    Returns
    -------
    accuracy : dict of str to float
        Also "no gaps". Where no complete row is left, "drop rows" names the commonest class.
    bias : dict of str to float
        Mean of each filled training column minus its true mean, in true standard deviations; of
        these, the root mean square over columns. Not for "drop rows", where nothing is filled.
    """
    train, test = halves(y, seed)
    accuracy, bias = {}, {}
    for name, filling, kept, Z_train, Z_test in filled(X, gaps, train, test, seed, ways):
        said = answer(Z_train, y[kept], Z_test, C.get(name, 1))
        accuracy[name] = (said == y[test]).mean()
        if name not in ("no gaps", "drop rows"):
            # The first step leaves a whole table as it is, or scales it; the last one scales again.
            true, found = filling[0].transform(X[train]), filling[:-1].transform(gaps[train])
            off = (found[:, : X.shape[1]].mean(axis=0) - true.mean(axis=0)) / true.std(axis=0)
            bias[name] = float(np.sqrt(np.mean(off**2)))
    if not ways or "drop rows" in ways:
        accuracy.setdefault("drop rows", (y[test] == mode(y[train]).mode).mean())
    return accuracy, bias


def choose_C(X, y, seeds, candidates=(0.3, 1, 3, 10)) -> dict[str, float]:
    """Return the SVM's C for each way to fill gaps, and for none: the best of some.

    Best at 10 and 30 % MCAR together (at 30 %, dropping leaves no row to choose with). Each seed's
    training half is halved again, so its test rows play no part.

    Parameters
    ----------
    X, y : array, shapes (n, d) and (n,)
    seeds : sequence of int
        None of which the report uses.
    candidates : sequence of float
    """
    right = {}
    for seed in seeds:
        outer = halves(y, seed)[0]
        train, test = (outer[rows] for rows in halves(y[outer], seed))
        for share in (0.1, 0.3):
            holed = hide(X, share, "MCAR", seed)
            for name, _, kept, Z_train, Z_test in filled(X, holed, train, test, seed):
                said = [answer(Z_train, y[kept], Z_test, C) for C in candidates]
                right[name] = right.get(name, 0) + np.mean(said == y[test], axis=1)
    return {name: candidates[found.argmax()] for name, found in right.items()}


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

    def measure(seed, mechanism):
        found = [
            fill_and_learn(X, y, hide(X, share, mechanism, seed), seed, C, ways[mechanism])
            for share in shares
        ]
        return [experiment.table(part) for part in zip(*found, strict=True)]

    def run(seed):
        return {mechanism: measure(seed, mechanism) for mechanism in ways}

    runs = experiment.repeat(run, seeds, "gaps", workers=1)  # too short to start processes for
    accuracy, bias = (
        {m: experiment.table([one[m][part] for one in runs]) for m in ways} for part in (0, 1)
    )
    return accuracy, bias


def down_the_file(X, y, seed: int, shuffle: bool) -> float:
    """Return an SVM's accuracy where half of a table's cells are filled from the rows above and below.

    A trap: where the file is sorted by class, the neighbours give the label away, those of the test
    rows too.
    """
    order = np.random.default_rng([seed, 6]).permutation(len(y)) if shuffle else np.arange(len(y))
    table = along_rows(hide(X, 0.5, "MCAR", seed)[order].T).T
    train, test = halves(y[order], seed)
    model = make_pipeline(StandardScaler(), SVC()).fit(table[train], y[order][train])
    return model.score(table[test], y[order][test])
