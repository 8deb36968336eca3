"""A Gaussian process on the unit cube, and the acquisition functions that say where to look next.

Its kernel is a Matérn 5/2 with one length a dimension. Everything is minimised.
"""

import itertools

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.stats import norm

NOISE = 0.02  # variance of the noise, where the trials are scaled to variance 1


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


def _factor(X, lengths, noise):
    """Return the Cholesky factor of the covariance of the trials, as `cho_solve` takes it."""
    return cho_factor(matern(X, X, lengths) + noise * np.eye(len(X)), lower=True)


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
    factor = _factor(X, lengths, noise)
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
    factor = _factor(X, lengths, noise)
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
