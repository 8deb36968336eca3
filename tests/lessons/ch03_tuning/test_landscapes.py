import numpy as np
import pytest
from scipy.optimize import minimize

from tlcourse import runtime
from tlcourse.lessons.ch03_tuning import landscapes

NOISE = 8  # pictures: what rounding on another machine may move


@pytest.mark.parametrize("name", ["svm", "georgian", "digits"])
def test_a_design_is_complete(name):
    design = landscapes.load(name)
    assert design.values.shape == design.unit.shape == (len(design), len(design.names))
    assert design.unit.min() == 0 and design.unit.max() == 1
    assert ((design.error >= 0) & (design.error <= 1)).all()
    assert len(np.unique(design.values, axis=0)) == len(design)


def test_the_svm_design_is_what_live_runs_give():
    design = landscapes.load("svm")
    for i in np.random.default_rng(runtime.base_seed()).choice(len(design), 3, replace=False):
        live = landscapes.evaluate_svm(*design.values[i])
        assert np.allclose(live, [design.error[i], design.test_error[i]], atol=0.005)


@pytest.mark.parametrize("name", ["georgian", "digits"])
def test_a_fine_tuning_design_is_what_live_runs_give(name):
    design, steps = landscapes.load(name), len(landscapes.FINE_TUNING["steps"])
    gentle = np.flatnonzero(design.values[:, 0] < 1e-2)  # at high rates rounding errors grow
    for i in np.random.default_rng(runtime.base_seed()).choice(gentle, 2, replace=False):
        first = i - i % steps
        wrong = landscapes.trajectory(name, *design.values[i, :-1])
        of = [len(part) for part in landscapes._splits(name)[1:]]
        stored = design.error[first : first + steps], design.test_error[first : first + steps]
        for found, n, kept in zip(wrong, of, stored, strict=True):
            assert np.abs(found - n * kept).max() <= NOISE


def test_hartmann_has_its_published_minimum():
    best = [0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573]
    found = minimize(lambda x: landscapes.hartmann(x)[0], best, bounds=[(0, 1)] * 6)
    for lowest in (landscapes.hartmann(best)[0], found.fun):
        assert lowest == pytest.approx(landscapes.HARTMANN_BEST, abs=1e-4)


def test_further_columns_are_irrelevant():
    x = np.random.default_rng(0).random((5, 9))
    assert np.array_equal(landscapes.hartmann(x), landscapes.hartmann(x[:, :6]))


def test_bad_input_is_explained():
    with pytest.raises(ValueError, match="choose svm, georgian"):
        landscapes.load("mnist")
    with pytest.raises(ValueError, match="at least 6"):
        landscapes.hartmann([[0.5] * 5])
