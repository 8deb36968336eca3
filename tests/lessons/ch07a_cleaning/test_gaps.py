"""Gaps: each mechanism is what its name says, each filling learns from training rows alone."""

import itertools

import numpy as np
import pytest
from sklearn.datasets import load_wine

from tlcourse.lessons.ch07a_cleaning import gaps

WINE = load_wine(return_X_y=True)
LINE = np.column_stack([np.arange(20_000.0), np.arange(20_000.0)[::-1]])


def test_the_share_of_gaps_is_the_one_asked_for():
    for mechanism, share in itertools.product(gaps.MECHANISMS, (0.1, 0.5)):
        first, second = np.isnan(gaps.hide(LINE, share, mechanism, seed=1)).mean(axis=0)
        assert abs(second - share) < 0.02, (mechanism, share)
        assert abs(first - (0 if mechanism == "MAR" else share)) < 0.02, (mechanism, share)


def seen_rank(mechanism):
    """Mean rank (0 to 1) of the values of column 1 that are still seen, half of them hidden."""
    return np.nanmean(gaps.hide(LINE, 0.5, mechanism, seed=2)[:, 1]) / (len(LINE) - 1)


def test_what_is_seen_is_biased_as_the_formula_says():
    assert abs(seen_rank("MCAR") - 1 / 2) < 0.01
    assert abs(seen_rank("MNAR") - 1 / 3) < 0.01, "(1/2 - 2s/3) / (1 - s) with s = 1/2"
    assert abs(seen_rank("MAR") - 2 / 3) < 0.01, "column 1 runs against column 0"


def test_hiding_copies_repeats_with_its_seed_and_leaves_the_rest():
    X = WINE[0].copy()
    a, b = (gaps.hide(X, 0.3, "MNAR", seed=4) for _ in range(2))
    assert np.array_equal(X, WINE[0]) and np.array_equal(a, b, equal_nan=True)
    assert np.array_equal(a[~np.isnan(a)], X[~np.isnan(a)])
    assert not np.array_equal(a, gaps.hide(X, 0.3, "MNAR", seed=5), equal_nan=True)


def test_bad_input_is_answered_in_a_sentence():
    for X, share, mechanism, words in [
        (WINE[0], 0.3, "NMAR", "choose one of MCAR, MAR, MNAR"),
        (WINE[0], 0.6, "MCAR", "from 0 to 0.5"),
        (WINE[0], -0.1, "MCAR", "from 0 to 0.5"),
        (np.array([[1.0, np.nan], [1, 2]]), 0.3, "MCAR", "without gaps"),
        (np.ones((1, 3)), 0.3, "MCAR", "at least 2 rows"),
        (np.ones(3), 0.3, "MCAR", "a table"),
    ]:
        with pytest.raises(ValueError, match=words):
            gaps.hide(X, share, mechanism, 0)
