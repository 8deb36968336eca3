"""Gaps: each mechanism is what its name says, each filling learns from training rows alone."""

import itertools
import os

import numpy as np
import pytest
from sklearn.datasets import load_wine

from tlcourse.data import tables
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


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_filling_learns_from_training_rows_and_leaves_no_gap():
    hidden = gaps.hide(WINE[0], 0.3, "MCAR", seed=0)
    for way, filling in gaps.fillings(0).items():
        filling.fit(hidden[:89])
        alone = filling.transform(hidden[100:101])
        together = filling.transform(np.vstack([hidden[100:101], 1000 * hidden[120:]]))[:1]
        assert np.isfinite(together).all(), way
        assert np.allclose(alone, together), f"{way}: the other test rows change something"


def test_zero_is_the_number_0_and_mean_is_the_training_mean():
    train, new = np.array([[1.0, 5.0], [3.0, 7.0]]), np.array([[np.nan, 5.0]])
    zero = gaps.fillings(0)["zero"].fit(train).transform(new)
    mean = gaps.fillings(0)["mean"].fit(train).transform(new)
    assert np.allclose(zero, [[(0 - 2) / 1, -1]]) and np.allclose(mean, [[0, -1]])


def test_lines_are_drawn_within_a_row():
    nan = np.nan
    filled = gaps.along_rows([[1, nan, nan, 4, nan], [nan, 2, nan, 0, 0], [nan] * 5])
    assert filled.tolist() == [[1, 2, 3, 4, 4], [2, 2, 1, 0, 0], [0] * 5]


def test_the_titanic_is_read_where_it_lies(tmp_path, monkeypatch):
    monkeypatch.setenv("TLCOURSE_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="TLCOURSE_DATA"):
        tables.titanic()
    file = tmp_path / "titanic.csv"
    file.write_text('Survived,Name,Age\n1,"Ayoub, Miss. Banoura",13\n0,"Kelly, Mr. James",\n')
    table = tables.titanic()
    assert table["age"] == ["13", ""] and table["name"][1] == "Kelly, Mr. James"
    for text in ("", "a,b\n1,2\n"):
        file.write_text(text)
        with pytest.raises(ValueError, match="survived and age"):
            tables.titanic()


@pytest.mark.skipif("TLCOURSE_DATA" not in os.environ, reason="needs TLCOURSE_DATA")
def test_the_real_passenger_list_has_its_gaps():
    ship = tables.titanic()
    assert len(ship["age"]) == 891 and ship["age"].count("") == 177
    assert set(ship["survived"]) == {"0", "1"}


def test_rows_are_halved_class_by_class():
    train, test = tables.halves(WINE[1], 0)
    assert sorted([*train, *test]) == list(range(len(WINE[1])))
    counts = [np.bincount(WINE[1][rows]) for rows in (train, test)]
    assert np.abs(np.subtract(*counts)).max() <= 1
