import numpy as np
import pytest
from lessons.ch03_tuning.test_gaussian_process import LENGTHS, trials
from sklearn.gaussian_process.kernels import Matern
from skopt.acquisition import gaussian_ei, gaussian_lcb, gaussian_pi
from skopt.learning import GaussianProcessRegressor

from tlcourse.lessons.ch03_tuning import gaussian_process, search

UNIT = np.random.default_rng(1).random((60, 2))  # a design, and a bowl on it
BOWL = (UNIT**2).sum(axis=1)


def test_a_step_is_the_suggestion_of_scikit_optimize():
    for seed in range(5):
        X, y, points = trials(seed=seed)
        mean, std = gaussian_process.posterior(X, y, points, LENGTHS)
        kernel = Matern(LENGTHS, nu=2.5)
        model = GaussianProcessRegressor(kernel, alpha=gaussian_process.NOISE, optimizer=None)
        model.fit(X, y)
        ei = gaussian_ei(points, model, y_opt=y.min(), xi=0)
        assert np.allclose(
            gaussian_process.expected_improvement(mean, std, y.min()), ei, atol=1e-7
        ), seed
        assert search.suggest(X, y, points, LENGTHS) == ei.argmax(), seed
        pi = gaussian_pi(points, model, y_opt=y.min(), xi=0)
        ours = gaussian_process.probability_of_improvement(mean, std, y.min())
        assert np.allclose(ours, pi, atol=1e-6), seed
        lcb = gaussian_lcb(points, model, kappa=1.96)
        assert np.allclose(gaussian_process.negative_lower_bound(mean, std), -lcb, atol=1e-6), seed


def test_expected_improvement_is_the_mean_of_the_improvement():
    draws = np.random.default_rng(0).normal(0.3, 0.8, 400_000)
    found = gaussian_process.expected_improvement(0.3, 0.8, 0.1)
    assert found == pytest.approx(np.maximum(0.1 - draws, 0).mean(), rel=0.01)


def test_searches_share_their_start_and_try_nothing_twice():
    tried = search.bayesian_order(UNIT, BOWL, 20, seed=3)
    assert np.array_equal(tried[: search.START], search.random_order(60, search.START, 3))
    assert len(set(tried)) == 20
    warm = search.bayesian_order(UNIT, BOWL, 8, seed=3, first=[5, 6])
    assert list(warm[:2]) == [5, 6]
    hidden = np.full(60, np.nan)
    hidden[tried] = BOWL[tried]
    again = search.bayesian_order(UNIT, hidden, 20, seed=3)
    assert np.array_equal(again, tried), "it saw a value before it tried it"


def test_a_grid_has_its_levels_and_the_middle_of_the_rest():
    unit = np.array([[x, y] for x in (0, 0.5, 1) for y in (0, 0.5, 1)])
    found = unit[search.grid_order(unit, (3, 1), seed=0)]
    assert sorted(map(tuple, found)) == [(0, 0.5), (0.5, 0.5), (1, 0.5)]


def test_the_continuous_search_finds_a_bowl():
    values = search.minimise(lambda X: ((X - 0.3) ** 2).sum(axis=1), 3, 25, seed=0)
    assert len(values) == 25 and values.min() < 0.01


def test_a_constant_objective_is_searched_to_the_end():
    for height in (0.0, 0.1, 3, np.nan):  # NaN: every trial fails
        values = search.minimise(lambda X, h=height: np.full(len(X), h), 2, 12, seed=0)
        assert np.array_equal(values, [height] * 12, equal_nan=True), height


@pytest.mark.parametrize("failure", [np.nan, np.inf])
def test_a_failed_trial_counts_as_the_worst(failure):
    def bowl(X):
        values = ((X - 0.3) ** 2).sum(axis=1)
        return np.where(X[:, 0] > 0.6, failure, values)

    values = search.minimise(bowl, 2, 30, seed=0)
    failed = ~np.isfinite(values)
    assert len(values) == 30 and failed[: search.START].any() and not failed.all()
    assert np.nanmin(values) < 0.01
    assert failed[search.START :].mean() < 0.4  # at random, 40 % of the trials would fail


def test_a_failed_trial_of_a_design_counts_as_its_worst():
    first = search.random_order(60, search.START, 3)
    *_, second, worst = first[BOWL[first].argsort()]
    broken, equal = BOWL.copy(), BOWL.copy()
    broken[worst], equal[worst] = np.nan, BOWL[second]
    ours, expected = (search.bayesian_order(UNIT, e, 12, seed=3) for e in (broken, equal))
    assert np.array_equal(ours, expected)
    values = np.array([0.3, np.nan, 0.1, np.nan, 0.2]), np.array([0.3, 0.3, 0.1, 0.3, 0.2])
    found, due = (search.suggest(UNIT[:5], y, UNIT[5:], 0.4) for y in values)
    assert found == due


def test_the_chosen_setting_is_the_one_with_the_best_error_so_far():
    error = np.array([0.3, 0.1, np.nan, 0.1, 0.2])
    orders = [[0, 4, 1, 3], [2, 3, 1, 0]]
    places = search.chosen_so_far(orders, error)
    assert places.tolist() == [[0, 4, 1, 1], [2, 3, 3, 3]]  # of equals the first
    found = search.best_so_far(error[np.array(orders)])
    assert np.array_equal(found, error[places], equal_nan=True)


def test_best_so_far_and_trials():
    values = [3.0, 4.0, 1.0, 2.0]
    assert list(search.best_so_far(values)) == [3, 3, 1, 1]
    assert list(search.best_so_far([np.nan, 2, np.nan, 1])[1:]) == [2, 2, 1], "a failed trial"
    found = [search.trials_to(values, target) for target in (3, 1.5, 0)]
    assert found == [1, 3, np.inf]


def test_bad_input_is_explained():
    with pytest.raises(ValueError, match="ask for 1 to 5"):
        search.random_order(5, 6, 0)
    with pytest.raises(ValueError, match="give one each"):
        search.grid_order(np.zeros((4, 2)), (2,), 0)


def test_nested_cross_validation_never_saw_the_rows_it_scores():
    best, nested, test = search.optimism(0, candidates=6)
    assert best >= nested - 0.1 and 0.5 < test <= 1
    assert search.optimism(0, candidates=6) == (best, nested, test)
