"""Rows drawn again, thresholds moved, and the scores of five cures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlcourse.lessons.ch07b_scaling import imbalance

labels = st.lists(st.integers(0, 3), min_size=1, max_size=40).map(np.array)


@given(labels, st.integers(0, 100))
def test_oversampling_keeps_every_row_and_makes_classes_equal(y, seed):
    rows = imbalance.resample(y, "oversampling", seed)
    assert set(rows) == set(range(len(y)))
    assert set(np.unique(y[rows], return_counts=True)[1]) == {
        np.unique(y, return_counts=True)[1].max()
    }


@given(labels, st.integers(0, 100))
def test_undersampling_repeats_no_row_and_makes_classes_equal(y, seed):
    rows = imbalance.resample(y, "undersampling", seed)
    assert len(set(rows)) == len(rows)
    assert set(np.unique(y[rows], return_counts=True)[1]) == {
        np.unique(y, return_counts=True)[1].min()
    }


def test_resampling_obeys_its_seed():
    y = np.repeat([0, 1], [30, 5])
    one, same, other = (imbalance.resample(y, "oversampling", seed) for seed in (0, 0, 1))
    assert np.array_equal(one, same) and not np.array_equal(one, other)


@pytest.mark.parametrize(("y", "how"), [([0, 1], "prayer"), ([], "oversampling")])
def test_what_cannot_be_resampled_is_refused(y, how):
    with pytest.raises(ValueError, match="oversampling or undersampling"):
        imbalance.resample(y, how, 0)


def test_moving_the_threshold_is_the_rule_of_bayes():
    # At the prior itself nothing is known about the row: one half.
    assert imbalance.move_threshold(np.array([0.1]), 0.1) == pytest.approx(0.5)
    p = np.linspace(0.01, 0.99, 9)
    assert np.allclose(imbalance.move_threshold(p, 0.5), p)
    moved = imbalance.move_threshold(p, 0.2)
    assert np.allclose(moved / (1 - moved), 4 * p / (1 - p))


@pytest.mark.parametrize("share", [0, 1, -0.1])
def test_a_share_without_two_classes_is_refused(share):
    with pytest.raises(ValueError, match="share"):
        imbalance.move_threshold(np.array([0.5]), share)
    with pytest.raises(ValueError, match="share"):
        imbalance.fast_progress(share)


def test_the_rare_class_has_its_share():
    X, y = imbalance.fast_progress(0.12)
    assert X.shape == (442, 10) and y.mean() == pytest.approx(0.12, abs=0.005)


def test_moving_the_threshold_keeps_the_order_and_finds_more():
    found = imbalance.compare(*imbalance.fast_progress(), seed=0)
    assert set(found) == {*imbalance.CURES, "always no"}
    assert found["always no"][1:] == (0.5, 0.5)
    assert found["threshold moved"][2] == pytest.approx(found["nothing"][2])
    assert found["threshold moved"][1] > found["nothing"][1]
