"""Rows drawn again, thresholds moved, and the scores of four cures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlcourse.lessons.ch07b_scaling import imbalance

labels = st.lists(st.integers(0, 3), min_size=1, max_size=40).map(np.array)


@given(labels, st.integers(0, 100))
def test_resampling_makes_classes_equal_and_loses_or_repeats_no_row(y, seed):
    counts = np.unique(y, return_counts=True)[1]
    for how, size in (("oversampling", counts.max()), ("undersampling", counts.min())):
        rows = imbalance.resample(y, how, seed)
        assert set(np.unique(y[rows], return_counts=True)[1]) == {size}, how
        whole = len(y) if how == "oversampling" else len(rows)
        assert len(set(rows)) == whole, how


def test_resampling_obeys_its_seed():
    y = np.repeat([0, 1], [30, 5])
    one, same, other = (imbalance.resample(y, "oversampling", seed) for seed in (0, 0, 1))
    assert np.array_equal(one, same) and not np.array_equal(one, other)


def test_moving_the_threshold_is_the_rule_of_bayes():
    # At the prior itself nothing is known about the row: one half.
    assert imbalance.move_threshold(np.array([0.1]), 0.1) == pytest.approx(0.5)
    p = np.linspace(0.01, 0.99, 9)
    assert np.allclose(imbalance.move_threshold(p, 0.5), p)
    moved = imbalance.move_threshold(p, 0.2)
    assert np.allclose(moved / (1 - moved), 4 * p / (1 - p))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: imbalance.resample([0, 1], "prayer", 0), "oversampling or undersampling"),
        (lambda: imbalance.resample([], "oversampling", 0), "oversampling or undersampling"),
        *(
            (lambda call=call, share=share: call(share), "share")
            for call in (imbalance.fast_progress, lambda s: imbalance.move_threshold(0.5, s))
            for share in (0, 1, -0.1)
        ),
    ],
)
def test_what_cannot_be_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_the_rare_class_has_its_share():
    X, y = imbalance.fast_progress(0.12)
    assert X.shape == (442, 10) and y.mean() == pytest.approx(0.12, abs=0.005)


def test_moving_the_threshold_keeps_the_order_and_finds_more():
    found = imbalance.compare(*imbalance.fast_progress(), seed=0)
    cures = {"class weights", "oversampling", "undersampling", "threshold moved"}
    assert set(found) == {*cures, "nothing", "always no"}
    assert found["always no"][1:] == (0.5, 0.5)
    assert found["threshold moved"][2] == pytest.approx(found["nothing"][2])
    assert found["threshold moved"][1] > found["nothing"][1]
