"""Chapter 3: grid, random and Bayesian search at an equal budget. Everything is minimised.

The Gaussian process lives on the unit cube and has a Matérn 5/2 kernel with one length a dimension.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.stats import norm
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import StratifiedKFold, cross_val_score, train_test_split
from sklearn.tree import DecisionTreeClassifier

NOISE = 0.02  # variance of the noise, where the trials are scaled to variance 1
START = 6  # random trials before the first model

# ── a Gaussian process ──────────────────────────────────────────────────────────────────────


def matern(a: np.ndarray, b: np.ndarray, lengths) -> np.ndarray:
    """Return the Matérn 5/2 covariance of every row of `a` with every row of `b`.

    Parameters
    ----------
    a, b : np.ndarray, shapes (n, d) and (m, d)
    lengths : float or array_like, shape (d,)
        How far to go in each dimension until values forget each other.

    References
    ----------
    Rasmussen and Williams (2006), "Gaussian processes for machine learning", equation 4.17.
    """
    a, b = a / lengths, b / lengths
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    r = np.sqrt(5 * np.maximum(squared, 0))
    return (1 + r + r**2 / 3) * np.exp(-r)


def posterior(X, y, candidates, lengths, noise: float = NOISE) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of a Gaussian process at `candidates`.

    Parameters
    ----------
    X : np.ndarray, shape (n, d)
        What was tried.
    y : np.ndarray, shape (n,)
        What came out, with mean 0 and variance about 1.
    candidates : np.ndarray, shape (m, d)
    lengths : float or array_like, shape (d,)
    noise : float
        Variance of the noise in `y`, above 0.

    Raises
    ------
    ValueError
        If there is no trial, or the shapes do not fit.

    References
    ----------
    Rasmussen and Williams (2006), algorithm 2.1.
    """
    if len(X) == 0 or len(X) != len(y):
        raise ValueError(f"{len(X)} points and {len(y)} values: pass one value for each point.")
    factor = cho_factor(matern(X, X, lengths) + noise * np.eye(len(X)), lower=True)
    across = matern(X, candidates, lengths)
    mean = across.T @ cho_solve(factor, y)
    variance = 1 - (across * cho_solve(factor, across)).sum(axis=0)
    return mean, np.sqrt(np.maximum(variance, 1e-12))


def log_likelihood(X, y, lengths, noise: float = NOISE) -> float:
    """Return the logarithm of the density of `y`: how well these lengths explain the trials.

    References
    ----------
    Rasmussen and Williams (2006), equation 2.30.
    """
    factor = cho_factor(matern(X, X, lengths) + noise * np.eye(len(X)), lower=True)
    fit = y @ cho_solve(factor, y)
    return float(-fit / 2 - np.log(np.diag(factor[0])).sum() - len(y) / 2 * np.log(2 * np.pi))


def improve_lengths(X, y, lengths, noise: float = NOISE) -> np.ndarray:
    """Try half and twice each length, one dimension after the other; keep what is more likely."""
    lengths = np.array(lengths, dtype=float)
    best = log_likelihood(X, y, lengths, noise)
    for d, factor in itertools.product(range(len(lengths)), (0.5, 2.0)):
        trial = lengths.copy()
        trial[d] = np.clip(trial[d] * factor, 0.1, 6.4)
        if (likely := log_likelihood(X, y, trial, noise)) > best:
            lengths, best = trial, likely
    return lengths


# ── acquisition: where to look next ─────────────────────────────────────────────────────────


def expected_improvement(mean, std, best: float) -> np.ndarray:
    """Return E[max(best - f, 0)] for f normal with `mean` and `std`; larger is better.

    References
    ----------
    Jones, Schonlau and Welch (1998), "Efficient global optimization of expensive black-box
    functions", equation 15, doi:10.1023/A:1008306431147.
    """
    z = (best - mean) / std
    return (best - mean) * norm.cdf(z) + std * norm.pdf(z)


def probability_of_improvement(mean, std, best: float) -> np.ndarray:
    """Return P(f < best), whatever the size of the improvement; larger is better."""
    return norm.cdf((best - mean) / std)


def negative_lower_bound(mean, std, best: float = 0.0, kappa: float = 1.96) -> np.ndarray:
    """Return minus the lower confidence bound, mean - kappa · std; larger is better."""
    return kappa * std - mean


def suggest(X, y, candidates, lengths, acquisition: Callable = expected_improvement) -> int:
    """Return which candidate to try next, as a position.

    A value that is NaN or infinite is a failed trial: see `minimise`.
    """
    scaled = _scaled(y)
    mean, std = posterior(X, scaled, candidates, lengths)
    return int(acquisition(mean, std, scaled.min()).argmax())


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


def bayesian_order(
    unit: np.ndarray,
    error: np.ndarray,
    trials: int,
    seed: int,
    acquisition: Callable = expected_improvement,
    first=None,
) -> np.ndarray:
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
    acquisition : callable
        ``acquisition(mean, std, best)``, larger is better.
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
        tried.append(left[suggest(unit[tried], y, unit[left], lengths, acquisition)])
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


def optimism(seed: int, rows: int = 60, candidates: int = 20) -> tuple[float, float, float]:
    """Tune a decision tree on a few tumours; return what three ways say about its accuracy.

    Parameters
    ----------
    seed : int
        Moves the rows, the folds and the candidates.
    rows : int
        Labelled tumours; all others are test data.
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
    few, rest, y_few, y_rest = train_test_split(
        X, y, train_size=rows, stratify=y, random_state=seed
    )
    settings = {
        "max_depth": rng.integers(1, 9, candidates),
        "max_features": rng.uniform(0.05, 1, candidates),
        "random_state": rng.integers(1000, size=candidates),
    }
    trees = [
        DecisionTreeClassifier(**dict(zip(settings, row, strict=True)))
        for row in zip(*settings.values(), strict=True)
    ]
    best, tree = _tune(trees, few, y_few, seed)
    folds = StratifiedKFold(3, shuffle=True, random_state=seed + 1)
    outer = [
        _tune(trees, few[i], y_few[i], seed)[1].fit(few[i], y_few[i]).score(few[j], y_few[j])
        for i, j in folds.split(few, y_few)
    ]
    return best, float(np.mean(outer)), tree.fit(few, y_few).score(rest, y_rest)


def _tune(models, X, y, seed):
    folds = StratifiedKFold(3, shuffle=True, random_state=seed)
    scores = [cross_val_score(model, X, y, cv=folds).mean() for model in models]
    best = int(np.argmax(scores))
    return scores[best], models[best]
