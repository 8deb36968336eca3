"""Robustness, learning curves and the depth of a backbone, each measured again in another way."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tlcourse import models
from tlcourse.data import few_labels
from tlcourse.data.perturb import corrupt
from tlcourse.lessons.ch01_concepts import analysis, transfer

BRIEF = {"steps": 60, "lr": 5e-3}
SETTINGS = {
    m: {k: BRIEF if m in analysis.NETWORKS else {} for k in (2, 6)} for m in transfer.METHODS
}


def test_robustness_tests_what_clean_pictures_taught_on_damaged_ones(tiny):
    damage = {"noise": (0, 0.5), "shift": (0, 2, 6)}
    learned = transfer.learn(tiny, SETTINGS, 6, 3)
    found = analysis.robustness(learned, tiny.test, 3, damage)
    assert list(found) == [(method, kind) for kind in damage for method in transfer.METHODS]
    for method, predict in learned.items():
        noise, shift = found[method, "noise"], found[method, "shift"]
        assert noise.shape == (2,) and shift.shape == (3,), method
        clean = transfer.accuracy(predict, tiny.test)
        assert noise[0] == shift[0] == clean > shift[2], f"{method}: 6 of 16 pixels away"
    predict = transfer.svm_on_pixels(few_labels(tiny.pool, 6, 3), 3)
    noisy = predict(corrupt(tiny.test.images, "noise", 0.5, seed=3))
    expected = (noisy == tiny.test.labels).float().mean().item()
    assert found["SVM on pixels", "noise"][1] == pytest.approx(expected)


def test_learning_curves_end_where_training_ends(tiny):
    curves = analysis.learning_curves(tiny, SETTINGS, 2, 3, range(4, 21, 4))
    assert tuple(curves) == analysis.NETWORKS
    train = few_labels(tiny.pool, 2, 3)
    for method, curve in curves.items():
        assert curve.shape == (5,), method
        predict = transfer.METHODS[method](train, 3, **BRIEF | {"steps": 20})
        assert curve[-1] == transfer.accuracy(predict, tiny.validation), method


def test_a_finer_ruler_changes_no_learning_curve(tiny):
    fine, coarse = (
        analysis.learning_curves(tiny, SETTINGS, 2, 3, looks, ["fine-tuning"])
        for looks in ([1, 2, 3, 10], [3, 10])
    )
    assert list(fine) == ["fine-tuning"] and fine["fine-tuning"].shape == (4,)
    assert (fine["fine-tuning"][[2, 3]] == coarse["fine-tuning"]).all()


def test_block_features_are_256_numbers_of_equal_length_at_every_depth(tiny):
    backbone, images = models.load_backbone(), tiny.test.images
    found = [analysis.block_features(backbone.train(), images, depth) for depth in range(5)]
    for depth, rows in enumerate(found):
        assert rows.shape == (len(images), 256)
        assert np.allclose(np.linalg.norm(rows, axis=1), 16)
        assert np.array_equal(rows, analysis.block_features(backbone, images, depth))
        maps = backbone.maps(images, depth).flatten(1).detach().numpy()
        maps = maps / np.linalg.norm(maps, axis=1, keepdims=True)
        error = np.abs(rows @ rows.T / 256 - maps @ maps.T)
        assert error.mean() < 0.06 and error.max() < 0.35, f"angles are nearly kept at {depth}"
    assert not np.allclose(found[3], found[4])


def test_depth_accuracies_are_those_of_a_probe_on_the_pixels_and_after_each_block(tiny):
    backbone, train = models.load_backbone(), few_labels(tiny.pool, 2, seed=0)
    found = analysis.depth_accuracies(backbone, train, tiny.test)
    assert found.shape == (5,)
    for depth in (0, 4):
        X, X_test = (
            analysis.block_features(backbone, part.images, depth) for part in (train, tiny.test)
        )
        probe = LogisticRegression(max_iter=1000).fit(X, train.labels)
        assert found[depth] == pytest.approx(probe.score(X_test, tiny.test.labels))
