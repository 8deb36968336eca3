"""Settings of an SVM: tuned on few labels, or carried from a source."""

import numpy as np
import pytest
from sklearn.svm import SVC

from tlcourse.lessons.ch02a_traditional_models import carried_settings


def test_tuning_finds_the_kernel_that_a_ring_needs_from_two_rows_a_class():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 2))
    y = (np.linalg.norm(X, axis=1) > 1.2).astype(int)
    assert carried_settings.tune(X, y, seed=0)["kernel"] == "rbf"
    with pytest.raises(ValueError, match="at least 2 labelled rows of every class"):
        carried_settings.tune([[0.0], [1.0], [2.0]], [0, 0, 1], seed=0)


def test_three_ways_train_on_the_same_few_rows():
    source, (X, y), test = carried_settings.halved_digits(0)
    assert set(source[1]) == set(range(5)) and set(y) | set(test[1]) == set(range(5, 10))
    rows = np.concatenate([np.flatnonzero(y == k)[:3] for k in range(5, 10)])
    found = carried_settings.three_ways(source, (X[rows], y[rows]), test, seed=0)
    plain = SVC().fit(X[rows], y[rows]).predict(test[0])
    recall = [np.mean(plain[test[1] == k] == k) for k in range(5, 10)]
    assert found["scikit-learn's defaults"] == pytest.approx(np.mean(recall))
