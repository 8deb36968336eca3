"""Tables divided by a covariate, and the Titanic."""

import os

import numpy as np
import pytest
from sklearn.datasets import load_wine

from tlcourse.data import tables

WINE = load_wine(return_X_y=True)


@pytest.fixture(scope="module")
def shift():
    return tables.breast_cancer("size", seed=3)


def test_every_row_goes_to_exactly_one_part():
    for covariate in tables.COVARIATES:
        s = tables.breast_cancer(covariate, seed=0)
        assert sorted([*s.source, *s.pool, *s.test]) == list(range(569)), covariate
        assert abs(len(s.pool) - len(s.test)) <= 1, covariate
        assert s.y.sum() == 212 and len(s.names) == 30, "1 is malignant"


def test_the_chance_is_known_and_rises_with_the_covariate_alone(shift):
    order = np.argsort(shift.X[:, shift.names.index("mean radius")], kind="stable")
    assert (np.diff(shift.chance[order]) >= 0).all()
    assert shift.chance.min() < 0.06 and shift.chance.max() > 0.94
    counts = np.zeros(569)
    for seed in range(200):
        s = tables.breast_cancer("size", seed)
        counts[np.concatenate([s.pool, s.test])] += 1
    assert np.abs(counts / 200 - shift.chance).max() < 0.15


def test_the_inputs_are_standardised_without_the_test_rows(shift):
    seen = shift.Z[np.concatenate([shift.source, shift.pool])]
    assert np.allclose(seen.mean(axis=0), 0) and np.allclose(seen.std(axis=0), 1)


def test_an_unknown_covariate_is_named():
    with pytest.raises(ValueError, match="unknown covariate 'age': take one of size, texture"):
        tables.breast_cancer("age", seed=0)


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
