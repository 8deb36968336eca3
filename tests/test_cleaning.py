"""Outliers and wrong labels: planted, found, mended."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.preprocessing import RobustScaler

from tlcourse import cleaning, gaps, runtime

WINE = load_wine(return_X_y=True)
CELLS = np.array([[1.0], [2], [3], [4], [5]])  # quartiles 2 and 4: fences at -1 and 7 with k = 1.5


def test_a_spike_multiplies_some_cells_and_no_other():
    X = WINE[0]
    spiked = cleaning.spike(X, 0.03, 100, seed=1)
    hit = spiked != X
    assert np.allclose(spiked[hit], 100 * X[hit])
    assert 0.015 < hit.mean() < 0.045
    with pytest.raises(ValueError, match="from 0 to 1"):
        cleaning.spike(X, 1.5, 100, seed=1)


def test_fences_stand_where_tukey_puts_them():
    clipper = cleaning.Clipper(1.5).fit(CELLS)
    new = np.array([[-9.0], [-1], [7], [7.5], [np.nan]])
    assert clipper.outside(new).ravel().tolist() == [True, False, False, True, False]
    assert np.array_equal(clipper.transform(new).ravel(), [-1, -1, 7, 7, np.nan], equal_nan=True)
    holes = cleaning.Clipper(1.5, gaps=True).fit(CELLS).transform(new).ravel()
    assert np.array_equal(holes, [np.nan, -1, 7, np.nan, np.nan], equal_nan=True)
    assert clone(clipper).k == 1.5


def test_gaps_do_not_move_the_fences():
    with_gap = cleaning.Clipper().fit(np.vstack([CELLS, [[np.nan]]]))
    assert with_gap.high_ == cleaning.Clipper().fit(CELLS).high_


def test_far_from_median_counts_in_robust_standard_deviations():
    column = np.array([[0.0], [1], [2], [3], [4]])  # median 2, MAD 1
    new_limit = 0.6745 * 2  # the ends lie exactly there: not beyond
    assert not cleaning.far_from_median(column, new_limit + 1e-9).any()
    assert cleaning.far_from_median(column, new_limit - 1e-9).ravel().tolist() == [1, 0, 0, 0, 1]
    constant = np.array([[5.0], [5], [5], [6]])
    assert cleaning.far_from_median(constant).ravel().tolist() == [False, False, False, True]


def test_both_detectors_find_the_spikes():
    X = WINE[0]
    spiked = cleaning.spike(X, 0.03, 100, seed=2)
    hit = (spiked != X) & (X != 0)
    for found in (cleaning.Clipper().fit(spiked).outside(spiked), cleaning.far_from_median(spiked)):
        assert (found & hit).sum() == hit.sum()
        assert (found & ~hit).mean() < 0.03


def test_treating_outliers_as_gaps_gives_back_what_they_cost():
    runs = [
        cleaning.treat_and_learn(*WINE, cleaning.spike(WINE[0], 0.03, 100, s), s)
        for s in runtime.seeds(5)
    ]
    mean = {name: np.mean([run[name] for run in runs]) for name in runs[0]}
    assert mean["gaps, 5 neighbours"] > mean["no outliers"] - 0.03
    assert mean["robust scaling"] < 0.6 and mean["standardise"] < 0.75
    assert mean["gaps, 5 neighbours"] > mean["clip, standardise"] > mean["standardise"] + 0.2


def test_robust_scaling_leaves_outliers_as_far_as_they_were():
    spiked = cleaning.spike(WINE[0], 0.03, 100, seed=0)
    scaled = RobustScaler().fit_transform(spiked)
    order = np.argsort(spiked, axis=0)
    assert np.array_equal(order, np.argsort(scaled, axis=0))
    assert np.abs(scaled).max() > 100


def test_confident_learning_on_a_case_worked_by_hand():
    p = [[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.1, 0.9], [0.3, 0.7], [0.45, 0.55]]
    labels = [0, 0, 0, 1, 1, 1]
    # Thresholds: class 0 mean(.9, .7, .2) = .6; class 1 mean(.9, .7, .55) = .717.
    assert cleaning.suspicious(p, labels).tolist() == [False, False, True, False, False, False]


def test_a_class_without_rows_accuses_nobody():
    p = np.array([[0.1, 0.2, 0.7], [0.1, 0.8, 0.1], [0.8, 0.1, 0.1]])
    assert not cleaning.suspicious(p, [0, 1, 0]).any()


@pytest.mark.parametrize(
    "p, labels, words",
    [
        (np.ones((3, 2)), [0, 1], "a row for each"),
        (np.ones(3), [0, 1, 1], "a row for each"),
        (np.ones((2, 2)), [0, 2], "number the classes"),
    ],
)
def test_bad_probabilities_are_answered_in_a_sentence(p, labels, words):
    with pytest.raises(ValueError, match=words):
        cleaning.suspicious(p, labels)


def test_spoil_plants_each_fault_where_it_says():
    X, y = WINE
    _, test = gaps.halves(y, 0)
    same, labels = cleaning.spoil(X, y, test, 0)
    assert np.array_equal(same, X) and np.array_equal(labels, y)
    spoilt, labels = cleaning.spoil(X, y, test, 0, missing=0.3, outliers=0.1, noise=0.4, shift=2)
    assert abs(np.isnan(spoilt).mean() - 0.3) < 0.05
    assert np.array_equal(labels[test], y[test]) and 0.1 < (labels != y).mean() < 0.3
    moved, _ = cleaning.spoil(X, y, test, 0, shift=2)
    assert np.allclose((moved - X)[test], 2 * X.std(axis=0))
    assert np.array_equal(np.delete(moved, test, 0), np.delete(X, test, 0))
