"""Wrong labels: found by confident learning; what dropping them is worth."""

import numpy as np
import pytest
from sklearn.datasets import load_wine

from tlcourse import runtime
from tlcourse.lessons.ch07a_cleaning import wrong_labels

WINE = load_wine(return_X_y=True)


def test_confident_learning_on_a_case_worked_by_hand():
    p = [[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.1, 0.9], [0.3, 0.7], [0.45, 0.55]]
    given = [0, 0, 0, 1, 1, 1]
    # Thresholds: class 0 mean(.9, .7, .2) = .6; class 1 mean(.9, .7, .55) = .717.
    assert wrong_labels.suspicious(p, given).tolist() == [False, False, True, False, False, False]


def test_a_class_without_rows_accuses_nobody():
    p = np.array([[0.1, 0.2, 0.7], [0.1, 0.8, 0.1], [0.8, 0.1, 0.1]])
    assert not wrong_labels.suspicious(p, [0, 1, 0]).any()


def test_bad_probabilities_are_answered_in_a_sentence():
    for p, given, words in [
        (np.ones((3, 2)), [0, 1], "a row for each"),
        (np.ones(3), [0, 1, 1], "a row for each"),
        (np.ones((2, 2)), [0, 2], "number the classes"),
    ]:
        with pytest.raises(ValueError, match=words):
            wrong_labels.suspicious(p, given)


def test_doubtful_labels_are_mostly_the_wrong_ones():
    X, y = WINE
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    rng = np.random.default_rng(runtime.base_seed())
    given = np.where(rng.random(len(y)) < 0.3, (y + 1) % 3, y)
    found, wrong = wrong_labels.doubtful(Z, given, 0), given != y
    assert (found & wrong).sum() > 0.7 * wrong.sum()
    assert wrong[found].mean() > 0.7


def test_a_draw_is_disjoint_repeats_and_redraws_its_share():
    drawn, again = (wrong_labels.draw(0.4, 3) for _ in range(2))
    parts = [drawn[part] for part in ("train", "test", "validation")]
    assert [len(part) for part in parts] == [500, 500, 300]
    assert len(np.unique(np.concatenate(parts))) == 1300
    assert all(np.array_equal(drawn[name], again[name]) for name in drawn)
    assert abs((drawn["given"] != drawn["true"]).mean() - 0.36) < 0.05
    clean = wrong_labels.draw(0.0, 3)
    assert np.array_equal(clean["given"], clean["true"])


def test_filtering_beats_the_setting_for_clean_labels():
    accuracy, found = wrong_labels.compare(
        (0.0, 0.4), runtime.seeds(3), {0.0: (10, 10), 0.4: (1, 3)}
    )
    means = {name: a.mean(axis=0) for name, a in accuracy.items()}
    assert means["filtered, C chosen"][1] > means["SVM, C = 10"][1] + 0.05
    assert means["only right labels"][1] >= means["filtered, C chosen"][1] - 0.005
    assert np.array_equal(accuracy["SVM, C = 10"][:, 0], accuracy["SVM, C chosen"][:, 0])
    assert (found[:, 0] == 0).all(), "nothing is wrong, so nothing is found"
    assert (found[:, 1] > 0.7).all()


def test_the_setting_with_the_best_validation_accuracy_is_chosen():
    seed = runtime.seeds(1000)[-1]
    drawn = wrong_labels.draw(0.4, seed)
    rows = drawn["train"], wrong_labels.trusted(drawn, seed)
    for kept, chosen in zip(rows, wrong_labels.choose_C([0.4], [seed])[0.4], strict=True):
        tried = [wrong_labels.score(drawn, kept, "validation", C) for C in wrong_labels.CANDIDATES]
        assert wrong_labels.score(drawn, kept, "validation", chosen) == max(tried) > min(tried)
