import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

from tlcourse.lessons.ch03_tuning import gaussian_process

LENGTHS = np.array([0.3, 0.7])


def trials(n=9, seed=0):
    """Return points on the unit square, their values, and 200 candidates."""
    rng = np.random.default_rng(seed)
    X = rng.random((n, 2))
    y = np.sin(6 * X[:, 0]) + X[:, 1] ** 2
    return X, (y - y.mean()) / y.std(), rng.random((200, 2))


def test_posterior_and_likelihood_are_those_of_scikit_learn():
    X, y, points = trials()
    theirs = GaussianProcessRegressor(
        Matern(LENGTHS, nu=2.5), alpha=gaussian_process.NOISE, optimizer=None
    ).fit(X, y)
    ours = gaussian_process.posterior(X, y, points, LENGTHS)
    assert np.allclose(ours, theirs.predict(points, return_std=True))
    likelihood = gaussian_process.log_likelihood(X, y, LENGTHS)
    assert likelihood == pytest.approx(theirs.log_marginal_likelihood_value_)


def test_better_lengths_are_more_likely():
    X, y, _ = trials()
    before, after = [6.4, 6.4], gaussian_process.improve_lengths(X, y, [6.4, 6.4])
    likely = [gaussian_process.log_likelihood(X, y, lengths) for lengths in (before, after)]
    assert likely[1] > likely[0]


def test_an_irrelevant_dimension_gets_a_long_length():
    X = np.random.default_rng(0).random((30, 2))
    y = np.sin(9 * X[:, 0])
    y, lengths = (y - y.mean()) / y.std(), [0.8, 0.8]
    for _ in range(4):
        lengths = gaussian_process.improve_lengths(X, y, lengths)
    assert lengths[1] > 2 * lengths[0]


def test_a_value_too_many_is_named():
    with pytest.raises(ValueError, match="2 points and 3 values: pass one value"):
        gaussian_process.posterior(np.zeros((2, 1)), np.zeros(3), np.zeros((1, 1)), 1)
