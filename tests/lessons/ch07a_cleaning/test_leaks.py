"""The inspector: each planted leak is named, and an honest procedure is left alone."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from tlcourse import experiment, runtime
from tlcourse.data import tables
from tlcourse.lessons.ch07a_cleaning.leaks import copies, flattery, leaks, noise

X, Y = load_wine(return_X_y=True)
TRAIN, TEST = tables.halves(Y, 0)


def honest(X, y, train, test):
    model = make_pipeline(SimpleImputer(), StandardScaler(), SelectKBest(f_classif, k=5), SVC())
    return model.fit(X[train], y[train]).decision_function(X[test])


def scaled_on_all(X, y, train, test):
    X = StandardScaler().fit_transform(X)
    return SVC().fit(X[train], y[train]).decision_function(X[test])


def chosen_on_all(X, y, train, test):
    X = X[:, np.argsort(f_classif(X, y)[0])[-3:]]
    return make_pipeline(StandardScaler(), SVC()).fit(X[train], y[train]).decision_function(X[test])


def labels_as_feature(X, y, train, test):
    X = np.column_stack([X, y])
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[train], y[train])
    return model.predict_proba(X[test])


def trained_on_all(X, y, train, test):
    return make_pipeline(StandardScaler(), SVC()).fit(X, y).decision_function(X[test])


def test_an_honest_procedure_is_left_alone():
    for X, y in (load_wine(return_X_y=True), load_breast_cancer(return_X_y=True)):
        assert leaks(honest, X, y, *tables.halves(y, 1)) == [], X.shape


def test_a_planted_leak_is_named():
    for procedure, words in {
        scaled_on_all: ["features"],
        chosen_on_all: ["labels", "features"],
        labels_as_feature: ["labels"],
        trained_on_all: ["labels", "features"],
    }.items():
        found = leaks(procedure, X, Y, TRAIN, TEST)
        assert [line.split()[0] for line in found] == words, procedure.__name__


def test_copies_across_the_split_are_counted():
    twice, labels = np.vstack([X, X[TRAIN[:7]]]), np.r_[Y, Y[TRAIN[:7]]]
    test = np.r_[TEST, np.arange(len(X), len(X) + 7)]
    (line,) = leaks(honest, twice, labels, TRAIN, test)
    assert line.startswith(f"7 of {len(test)} test rows are copies")


def test_copies_compare_whole_rows():
    known = np.array([[1.0, 2.0], [0.0, 5.0]])
    assert copies([[1, 2], [2, 1], [-0.0, 5], [0, 6]], known).tolist() == [1, 0, 1, 0]
    assert copies(np.empty((0, 2)), known).shape == (0,)


def test_a_procedure_that_does_not_repeat_is_refused():
    def restless(X, y, train, test):
        return np.random.default_rng().random(len(test))

    with pytest.raises(ValueError, match="random_state"):
        leaks(restless, X, Y, TRAIN, TEST)


def test_nothing_of_the_callers_changes():
    def rude(X, y, train, test):
        X *= 0
        y *= 0
        return np.zeros(len(test))

    X_before, y_before = X.copy(), Y.copy()
    assert leaks(rude, X, Y, TRAIN, TEST) == []
    assert np.array_equal(X, X_before) and np.array_equal(Y, y_before)


def test_noise_knows_nothing_of_its_labels():
    X, y, folds = noise(0)
    assert X.shape == (60, 2000) and np.bincount(y).tolist() == [30, 30]
    assert len(list(folds.split(X, y))) == 5
    assert abs(np.corrcoef(X[:, 0], y)[0, 1]) < 0.5


def test_choosing_on_all_rows_and_copies_flatter():
    runs = experiment.table([flattery(seed) for seed in runtime.seeds(5)])
    mean = {name: accuracies.mean(axis=0) for name, accuracies in runs.items()}
    assert mean["choice of columns"][0] > 0.8
    assert mean["copied rows"][0] > 0.6
    assert all(0.3 < honest < 0.7 for _, honest in mean.values())
