"""Outliers and mixed units: planted, found, mended."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.preprocessing import RobustScaler, StandardScaler

from tlcourse import experiment, runtime
from tlcourse.data import tables
from tlcourse.lessons.ch07a_cleaning import outliers

X, Y = load_wine(return_X_y=True)
CELLS = np.array([[1.0], [2], [3], [4], [5]])  # quartiles 2 and 4: fences at -1 and 7 with k = 1.5


def test_a_spike_multiplies_some_cells_and_no_other():
    spiked = outliers.spike(X, 0.03, 100, seed=1)
    hit = spiked != X
    assert np.allclose(spiked[hit], 100 * X[hit])
    assert 0.015 < hit.mean() < 0.045
    with pytest.raises(ValueError, match="from 0 to 1"):
        outliers.spike(X, 1.5, 100, seed=1)


def test_fences_stand_where_tukey_puts_them():
    clipper = outliers.Clipper(1.5).fit(CELLS)
    new = np.array([[-9.0], [-1], [7], [7.5], [np.nan]])
    assert clipper.outside(new).ravel().tolist() == [True, False, False, True, False]
    assert np.array_equal(clipper.transform(new).ravel(), [-1, -1, 7, 7, np.nan], equal_nan=True)
    holes = outliers.Clipper(1.5, gaps=True).fit(CELLS).transform(new).ravel()
    assert np.array_equal(holes, [np.nan, -1, 7, np.nan, np.nan], equal_nan=True)
    assert clone(clipper).k == 1.5


def test_gaps_do_not_move_the_fences():
    with_gap = outliers.Clipper().fit(np.vstack([CELLS, [[np.nan]]]))
    assert with_gap.high_ == outliers.Clipper().fit(CELLS).high_


def test_far_from_median_counts_in_robust_standard_deviations():
    column = np.array([[0.0], [1], [2], [3], [4]])  # median 2, MAD 1
    new_limit = 0.6745 * 2  # the ends lie exactly there: not beyond
    assert not outliers.far_from_median(column, new_limit + 1e-9).any()
    assert outliers.far_from_median(column, new_limit - 1e-9).ravel().tolist() == [1, 0, 0, 0, 1]
    constant = np.array([[5.0], [5], [5], [6]])
    assert outliers.far_from_median(constant).ravel().tolist() == [False, False, False, True]


def test_both_detectors_find_the_spikes():
    spiked = outliers.spike(X, 0.03, 100, seed=2)
    hit = spiked != X
    for found in (outliers.Clipper().fit(spiked).outside(spiked), outliers.far_from_median(spiked)):
        assert (found & hit).sum() == hit.sum()
        assert (found & ~hit).mean() < 0.03


def test_treating_outliers_as_gaps_gives_back_what_they_cost():
    spiked = {s: outliers.spike(X, 0.03, 100, s) for s in runtime.seeds(5)}
    runs = [outliers.treat_and_learn(X, Y, table, s) for s, table in spiked.items()]
    mean = {name: found.mean() for name, found in experiment.table(runs).items()}
    assert mean["gaps, 5 neighbours"] > mean["no outliers"] - 0.03
    assert mean["robust scaling"] < 0.6 and mean["standardise"] < 0.75
    assert mean["gaps, 5 neighbours"] > mean["clip, standardise"] > mean["standardise"] + 0.2


def test_robust_scaling_leaves_outliers_as_far_as_they_were():
    spiked = outliers.spike(X, 0.03, 100, seed=0)
    scaled = RobustScaler().fit_transform(spiked)
    order = np.argsort(spiked, axis=0)
    assert np.array_equal(order, np.argsort(scaled, axis=0))
    assert np.abs(scaled).max() > 100


def test_spoil_plants_each_fault_where_it_says():
    _, test = tables.halves(Y, 0)
    same, labels = outliers.spoil(X, Y, test, 0)
    assert np.array_equal(same, X) and np.array_equal(labels, Y)
    spoilt, labels = outliers.spoil(X, Y, test, 0, missing=0.3, outliers=0.1, noise=0.4, shift=2)
    assert abs(np.isnan(spoilt).mean() - 0.3) < 0.05
    assert np.array_equal(labels[test], Y[test]) and 0.1 < (labels != Y).mean() < 0.3
    moved, _ = outliers.spoil(X, Y, test, 0, shift=2)
    assert np.allclose((moved - X)[test], 2 * X.std(axis=0))
    assert np.array_equal(np.delete(moved, test, 0), np.delete(X, test, 0))


def test_a_cure_learns_from_training_rows_and_dropping_labels_does_no_harm():
    accuracy = {False: [], True: []}
    for seed in runtime.seeds(5):
        train, _ = tables.halves(Y, seed)
        for drop, found in accuracy.items():
            Z, *_, score = outliers.cure_and_learn(X, Y, "mean", drop, seed, noise=0.6)
            found.append(score)
            assert np.allclose(Z[train].mean(axis=0), 0)
    plain, dropped = (np.mean(found) for found in accuracy.values())
    assert plain < 0.95
    assert dropped > plain - 0.02, "it must not cost what it should repair"


def test_a_cure_leaves_no_gap():
    for cure in outliers.cures():
        Z, given, test, score = outliers.cure_and_learn(
            X, Y, cure, False, 0, missing=0.3, outliers=0.05
        )
        assert np.isfinite(Z).all() and 0.3 < score <= 1, cure
        assert np.array_equal(given, Y) and np.array_equal(test, tables.halves(Y, 0)[1]), cure


def test_detectors_are_judged_by_rows():
    X = np.arange(40.0).reshape(20, 2)
    spiked = X.copy()
    spiked[19, 1] = 4e6
    rates = outliers.detect(X, spiked, 0)
    assert rates["fences, 3 IQR"] == (1, 0) and rates["MAD, 3.5"] == (1, 0)
    assert rates["the same, told how many"] == (1, 0)


def test_an_isolation_forest_that_is_told_nothing_misses_most():
    runs = []
    for seed in runtime.seeds(3):
        runs.append(outliers.detect(X, outliers.spike(X, 0.03, 100, seed), seed))
    assert np.mean([run["isolation forest"][0] for run in runs]) < 0.5
    assert np.mean([run["fences, 3 IQR"] for run in runs], axis=0)[0] > 0.95


def test_outliers_make_all_good_rows_alike():
    spiked = outliers.spike(X, 0.03, 100, seed=0)
    good = (spiked == X).all(axis=1)
    gamma, alike = outliers.likeness(StandardScaler(), X, good)
    assert gamma == pytest.approx(1 / 13) and alike < 0.3
    robust_gamma, robust = outliers.likeness(RobustScaler(), spiked, good)
    assert robust_gamma < gamma / 100 and robust > 0.99


def test_every_second_cell_of_some_columns_gets_another_unit():
    times = outliers.two_units(X, 6, 10, seed=3) / X
    touched = (np.isclose(times, 10)).mean(axis=0)
    assert (touched > 0).sum() == 6 and np.all(touched[touched > 0] > 0.3)
    assert np.isclose(times[:, touched == 0], 1).all()
