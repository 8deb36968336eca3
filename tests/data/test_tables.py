"""Tables divided by a covariate. How rows are halved, and the Titanic: see the tests of lesson 07a."""

import numpy as np
import pytest

from tlcourse.data import tables


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
