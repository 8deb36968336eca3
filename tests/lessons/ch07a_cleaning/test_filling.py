"""What filling is worth: accuracies and biases are those of the tables that it makes."""

import itertools

import numpy as np
import pytest
from sklearn.datasets import load_wine

from tlcourse import runtime
from tlcourse.data import tables
from tlcourse.lessons.ch07a_cleaning import filling, gaps

X, y = load_wine(return_X_y=True)

WINE = load_wine(return_X_y=True)


def test_the_bias_is_that_of_the_filled_means():
    hidden = gaps.hide(X, 0.5, "MNAR", seed=3)
    _, bias = filling.fill_and_learn(X, y, hidden, 3, {}, ["mean", "zero"])
    train, _ = tables.halves(y, 3)
    off = (np.nanmean(hidden[train], axis=0) - X[train].mean(axis=0)) / X[train].std(axis=0)
    zeros = np.nan_to_num(hidden[train])
    off_zero = (zeros.mean(axis=0) - X[train].mean(axis=0)) / X[train].std(axis=0)
    assert np.isclose(bias["mean"], np.sqrt((off**2).mean()))
    assert np.isclose(bias["zero"], np.sqrt((off_zero**2).mean()))
    assert list(bias) == ["zero", "mean"]


def test_without_gaps_every_way_is_the_same():
    accuracy, bias = filling.fill_and_learn(X, y, X, 0, {}, ["zero", "mean", "5 neighbours"])
    assert len(set(accuracy.values())) == 1
    assert max(bias.values()) < 1e-9


def test_too_few_complete_rows_leave_the_commonest_class():
    holed = gaps.hide(X, 0.5, "MCAR", 0)
    accuracy, _ = filling.fill_and_learn(X, y, holed, 0, {}, ["drop rows"])
    assert accuracy["drop rows"] == pytest.approx(np.bincount(y).max() / len(y), abs=0.01)


def test_neighbours_beat_the_mean_and_the_mean_beats_zero():
    ways = ["zero", "mean", "5 neighbours"]
    accuracy, _ = filling.compare(X, y, [0.5], runtime.seeds(5), {}, {"MCAR": ways})
    zero, mean, near = (accuracy["MCAR"][way].mean() for way in ways)
    assert near > mean + 0.01 and mean > zero + 0.1


def test_a_column_without_a_known_value_is_named():
    empty = X.copy()
    empty[:, [2, 5]] = np.nan
    for ways in (None, ["mean"]):
        with pytest.raises(ValueError, match="no training row has a value in column 2, 5: drop it"):
            filling.fill_and_learn(X, y, empty, 0, {}, ways)


def test_a_setting_is_used():
    one = filling.fill_and_learn(X, y, X, 0, {"mean": 1e-6}, ["mean"])[0]
    assert one["mean"] < 0.5 < one["no gaps"]


def test_dropping_keeps_complete_training_rows_alone():
    holed = gaps.hide(X, 0.1, "MCAR", 0)
    train, test = tables.halves(y, 0)
    whole, (_, _, kept, Z, Z_test) = filling.filled(X, holed, train, test, 0, ["drop rows"])
    assert whole[0] == "no gaps" and np.array_equal(whole[2], train)
    assert set(kept) == {row for row in train if not np.isnan(holed[row]).any()}
    assert len(Z) == len(kept) and np.isfinite(Z_test).all() and len(Z_test) == len(test)


def test_where_one_class_is_left_it_is_the_answer():
    assert filling.answer(np.eye(3), np.array([2, 2, 2]), np.eye(3), 1.0).tolist() == [2, 2, 2]


def test_the_best_setting_is_chosen_for_each_way():
    chosen = filling.choose_C(X, y, runtime.seeds(1000)[-1:], candidates=(1e-6, 1))
    assert {"no gaps", *filling.fillings(0)} <= set(chosen)
    assert chosen["mean"] == chosen["no gaps"] == 1


def test_a_comparison_is_the_runs_put_side_by_side():
    ways, shares, seeds = {"MAR": ["mean"], "MNAR": ["zero"]}, (0.1, 0.4), runtime.seeds(2)
    accuracy, bias = filling.compare(X, y, shares, seeds, {}, ways)
    for (mechanism, (way,)), i, j in itertools.product(ways.items(), (0, 1), (0, 1)):
        holed = gaps.hide(X, shares[j], mechanism, seeds[i])
        one = filling.fill_and_learn(X, y, holed, seeds[i], {}, [way])
        assert accuracy[mechanism][way][i, j] == one[0][way]
        assert bias[mechanism][way][i, j] == one[1][way]


def test_the_order_of_a_sorted_file_gives_labels_away():
    stored, shuffled = (filling.down_the_file(X, y, 0, shuffle) for shuffle in (False, True))
    assert stored > shuffled + 0.15


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_filling_learns_from_training_rows_and_leaves_no_gap():
    hidden = gaps.hide(WINE[0], 0.3, "MCAR", seed=0)
    for way, way_of in filling.fillings(0).items():
        way_of.fit(hidden[:89])
        alone = way_of.transform(hidden[100:101])
        together = way_of.transform(np.vstack([hidden[100:101], 1000 * hidden[120:]]))[:1]
        assert np.isfinite(together).all(), way
        assert np.allclose(alone, together), f"{way}: the other test rows change something"


def test_zero_is_the_number_0_and_mean_is_the_training_mean():
    train, new = np.array([[1.0, 5.0], [3.0, 7.0]]), np.array([[np.nan, 5.0]])
    zero = filling.fillings(0)["zero"].fit(train).transform(new)
    mean = filling.fillings(0)["mean"].fit(train).transform(new)
    assert np.allclose(zero, [[(0 - 2) / 1, -1]]) and np.allclose(mean, [[0, -1]])


def test_lines_are_drawn_within_a_row():
    nan = np.nan
    filled = filling.along_rows([[1, nan, nan, 4, nan], [nan, 2, nan, 0, 0], [nan] * 5])
    assert filled.tolist() == [[1, 2, 3, 4, 4], [2, 2, 1, 0, 0], [0] * 5]
