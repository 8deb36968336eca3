"""Chapter 7: what each way to fill gaps is worth, in accuracy and in the bias of the means."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.stats import mode
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from tlcourse import experiment
from tlcourse.data.tables import halves
from tlcourse.lessons.ch07a_cleaning.gaps import MECHANISMS, along_rows, fillings, hide


def filled(gaps, train, test, seed: int, ways=None):
    """Yield each way to fill gaps, fitted, with the training rows it keeps and both filled tables.

    Parameters
    ----------
    gaps : array, shape (n, d)
        NaN where a value is hidden.
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
    """
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
        Some of `fillings`, "drop rows"; by default all.

    Returns
    -------
    accuracy : dict of str to float
        Also "no gaps". Where no complete row is left, "drop rows" names the commonest class.
    bias : dict of str to float
        Mean of each filled training column minus its true mean, in true standard deviations; of
        these, the root mean square over columns. Not for "drop rows", where nothing is filled.
    """
    (train, test), C = halves(y, seed), C or {}
    scaler = StandardScaler().fit(X[train])
    said = answer(
        scaler.transform(X[train]), y[train], scaler.transform(X[test]), C.get("no gaps", 1)
    )
    accuracy = {"no gaps": (said == y[test]).mean()}
    if not ways or "drop rows" in ways:
        accuracy["drop rows"] = (y[test] == mode(y[train]).mode).mean()  # until better is known
    bias = {}
    for name, filling, kept, Z_train, Z_test in filled(gaps, train, test, seed, ways):
        said = answer(Z_train, y[kept], Z_test, C.get(name, 1))
        accuracy[name] = (said == y[test]).mean()
        if name != "drop rows":
            # The first step leaves a whole table as it is, or scales it; the last one scales again.
            true, found = filling[0].transform(X[train]), filling[:-1].transform(gaps[train])
            off = (found[:, : X.shape[1]].mean(axis=0) - true.mean(axis=0)) / true.std(axis=0)
            bias[name] = float(np.sqrt(np.mean(off**2)))
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
        ((_, *whole),) = filled(X, train, test, seed, ["mean"])
        holed = [hide(X, share, "MCAR", seed) for share in (0.1, 0.3)]
        rest = (part for table in holed for part in filled(table, train, test, seed))
        for name, _, kept, Z_train, Z_test in [("no gaps", *whole), *rest]:
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

    def run(seed):
        holed = {m: [hide(X, share, m, seed) for share in shares] for m in ways}
        return {m: [fill_and_learn(X, y, h, seed, C, ways[m]) for h in holed[m]] for m in ways}

    runs = experiment.repeat(run, seeds, "gaps", workers=1)  # too short to start processes for

    def table(mechanism, i):  # i is 0 for accuracy, 1 for bias
        found = [[part[i] for part in one[mechanism]] for one in runs]
        return {way: np.array([[f[way] for f in row] for row in found]) for way in found[0][0]}

    return tuple({mechanism: table(mechanism, i) for mechanism in ways} for i in (0, 1))


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
