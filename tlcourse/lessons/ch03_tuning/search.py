"""Grid, random and Bayesian search at an equal budget, and what they are worth. Everything is minimised."""

import itertools
from collections.abc import Callable

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_score,
    train_test_split,
)
from sklearn.tree import DecisionTreeClassifier

from tlcourse.lessons.ch03_tuning.gaussian_process import (
    expected_improvement,
    improve_lengths,
    posterior,
)

START = 6  # random trials before the first model

# ── where to look next ──────────────────────────────────────────────────────────────────────


def suggest(X, y, candidates, lengths) -> int:
    """Return which candidate has the largest expected improvement, as a position.

    A value that is NaN or infinite is a failed trial: see `minimise`.
    """
    scaled = _scaled(y)
    mean, std = posterior(X, scaled, candidates, lengths)
    return int(expected_improvement(mean, std, scaled.min()).argmax())


def _scaled(y) -> np.ndarray:
    """Return the values of the trials with mean 0 and variance 1; all 0 where all are equal."""
    y = _without_failures(y)
    if np.ptp(y) == 0:  # the mean of equal numbers may differ from them by rounding
        return np.zeros(len(y))
    return (y - y.mean()) / y.std()


def _without_failures(y) -> np.ndarray:
    """Replace what is NaN or infinite by the largest of the other values; by 0 if there is none."""
    y = np.asarray(y, dtype=float)
    succeeded = np.isfinite(y)
    return np.where(succeeded, y, y[succeeded].max() if succeeded.any() else 0.0)


# ── searches over a stored design ───────────────────────────────────────────────────────────


def random_order(n: int, trials: int, seed: int) -> np.ndarray:
    """Return `trials` different positions below `n`, at random."""
    if not 1 <= trials <= n:
        raise ValueError(f"{trials} trials of {n} settings: ask for 1 to {n}.")
    return np.random.default_rng(seed).permutation(n)[:trials]


def grid_order(unit: np.ndarray, counts, seed: int) -> np.ndarray:
    """Return the settings nearest to a grid with ``counts[d]`` levels in dimension d, shuffled.

    A dimension with one level stays in the middle.
    """
    if len(counts) != unit.shape[1]:
        raise ValueError(f"{len(counts)} counts for {unit.shape[1]} dimensions: give one each.")
    axes = [np.linspace(0, 1, k) if k > 1 else [0.5] for k in counts]
    points = np.array(list(itertools.product(*axes)))
    nearest = ((points[:, None] - unit) ** 2).sum(axis=2).argmin(axis=1)
    return np.random.default_rng(seed).permutation(nearest)


def bayesian_order(unit, error: np.ndarray, trials: int, seed: int, first=None) -> np.ndarray:
    """Return the positions that a Bayesian search tries, in order.

    It begins with the first `START` trials of `random_order` for the same seed, or with `first`.

    Parameters
    ----------
    unit : np.ndarray, shape (n, d)
        All settings, in [0, 1].
    error : np.ndarray, shape (n,)
        Looked up only where a trial was made. NaN or infinite: a failed trial, see `minimise`.
    trials : int
    seed : int
    first : sequence of int, optional
        Positions to begin with, such as another task's best: a warm start.

    References
    ----------
    Snoek, Larochelle and Adams (2012), "Practical Bayesian optimization of machine learning
    algorithms", arXiv:1206.2944.
    """
    tried = list(random_order(len(unit), START, seed) if first is None else first)
    lengths = np.full(unit.shape[1], 0.8)
    while len(tried) < trials:
        y = error[tried]
        lengths = improve_lengths(unit[tried], _scaled(y), lengths)
        left = np.setdiff1d(np.arange(len(unit)), tried)
        tried.append(left[suggest(unit[tried], y, unit[left], lengths)])
    return np.array(tried[:trials])


def minimise(objective: Callable, dimensions: int, trials: int, seed: int) -> np.ndarray:
    """Minimise over the whole unit cube; return the value of every trial.

    Candidates are 1,000 new random points a trial, and 200 near the best so far. A failed trial,
    such as a training that diverged, may give NaN or infinity: the search takes it for as bad as
    the worst trial that did not fail, and goes on. What is returned is what the objective gave.

    Parameters
    ----------
    objective : callable
        ``objective(X)`` returns one value for each row of ``X``, shape (n, dimensions), in [0, 1].
    dimensions, seed : int
    trials : int
        At least `START`.

    Returns
    -------
    np.ndarray, shape (trials,)
    """
    rng = np.random.default_rng(seed)
    X = rng.random((START, dimensions))
    y, lengths = objective(X), np.full(dimensions, 0.8)
    while len(y) < trials:
        lengths = improve_lengths(X, _scaled(y), lengths, 1e-4)
        best = X[_without_failures(y).argmin()]
        near = best + 0.05 * rng.normal(size=(200, dimensions))
        points = np.vstack([rng.random((1000, dimensions)), near.clip(0, 1)])
        new = points[[suggest(X, y, points, lengths)]]
        X, y = np.vstack([X, new]), np.append(y, objective(new))
    return y


# ── what a search is worth ──────────────────────────────────────────────────────────────────


def best_so_far(values) -> np.ndarray:
    """Return the smallest value of each trial and all before it, along the last axis.

    NaN, a failed trial, counts only until there is another value.
    """
    return np.fmin.accumulate(values, axis=-1)


def chosen_so_far(orders, error: np.ndarray) -> np.ndarray:
    """Return what searches over a stored design would hand in after each of their trials.

    The value of `error` there is `best_so_far`; another value, such as the test error, says what
    the chosen setting is worth by a number that the search did not minimise.

    Parameters
    ----------
    orders : array_like of int, shape (seeds, trials)
        The positions that were tried, in order.
    error : np.ndarray, shape (n,)
        What the search minimised.

    Returns
    -------
    np.ndarray, shape (seeds, trials), int
        The position with the smallest error yet; of several, the one that was tried first.
    """
    orders = np.asarray(orders)
    tried = np.where(np.isnan(error), np.inf, error)[orders]
    seeds, trials = orders.shape
    upto = [tried[:, : n + 1].argmin(axis=1) for n in range(trials)]
    return orders[np.arange(seeds)[:, None], np.array(upto).T]


def trials_to(values, target: float) -> float:
    """Return the number of the first trial that reaches `target`; infinity if none does."""
    reached = np.asarray(values) <= target
    return float(reached.argmax() + 1) if reached.any() else np.inf


# ── how far the best score deceives ─────────────────────────────────────────────────────────


def optimism(seed: int, candidates: int = 20) -> tuple[float, float, float]:
    """Tune a decision tree on 60 tumours; return what three ways say about its accuracy.

    Parameters
    ----------
    seed : int
        Moves the rows, the folds and the candidates.
    candidates : int
        Random settings of a tree, compared by 3-fold cross-validation.

    Returns
    -------
    best, nested, test : float
        The best cross-validated score; the score of nested cross-validation, which tunes anew in
        each outer fold; the chosen tree's accuracy on all other tumours.

    References
    ----------
    Cawley and Talbot (2010), "On over-fitting in model selection", JMLR 11.
    """
    rng = np.random.default_rng(seed)
    X, y = load_breast_cancer(return_X_y=True)
    few, rest, y_few, y_rest = train_test_split(X, y, train_size=60, stratify=y, random_state=seed)
    settings = {
        "max_depth": rng.integers(1, 9, candidates),
        "max_features": rng.uniform(0.05, 1, candidates),
        "random_state": rng.integers(1000, size=candidates),
    }
    grid = [{name: [values[i]] for name, values in settings.items()} for i in range(candidates)]
    inner, outer = (StratifiedKFold(3, shuffle=True, random_state=s) for s in (seed, seed + 1))
    search = GridSearchCV(DecisionTreeClassifier(), grid, cv=inner).fit(few, y_few)
    nested = cross_val_score(search, few, y_few, cv=outer).mean()
    return search.best_score_, nested, search.score(rest, y_rest)
