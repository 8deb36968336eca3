"""Six ways to learn from few labels: each learns, repeats itself, and is tuned like the others."""

import itertools
import json
import os
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from tlcourse import models, settings
from tlcourse.data import Splits, digits, few_labels
from tlcourse.lessons.ch01_concepts import transfer

METHODS = [
    "SVM on pixels",
    "random forest on pixels",
    "CNN from scratch",
    "CNN from scratch + augmentation",
    "frozen features + logistic regression",
    "fine-tuning",
]
PROBE = "frozen features + logistic regression"
NETWORKS = ["CNN from scratch", "CNN from scratch + augmentation", "fine-tuning"]
# Enough to learn three digits: in fewer steps, BatchNorm's moving averages would still lag behind.
BRIEF = {method: {"steps": 60, "lr": 5e-3} if method in NETWORKS else {} for method in METHODS}
BUDGETS = (2, 6)
SETTINGS = {method: dict.fromkeys(BUDGETS, BRIEF[method]) for method in METHODS}


@pytest.fixture(scope="module")
def compared(tiny):
    return [transfer.compare(tiny, SETTINGS, BUDGETS, seed) for seed in (3, 4)]


# ── the methods ─────────────────────────────────────────────────────────────────────────────


def test_each_method_learns_from_few_labels_and_returns_a_predictor(tiny):
    train = few_labels(tiny.pool, 6, seed=1)
    assert list(transfer.METHODS) == METHODS, "names and order of the course"
    for method, learn in transfer.METHODS.items():
        predict = learn(train, 1, **BRIEF[method])
        found = predict(tiny.test.images)
        assert found.shape == (len(tiny.test),) and found.dtype == torch.int64, method
        assert set(found.tolist()) <= {0, 1, 2}, method
        assert transfer.accuracy(predict, tiny.test) > 0.7, f"{method}: chance is 0.33"


def test_the_same_seed_gives_the_same_answers_and_another_seed_is_another_training(tiny, compared):
    """Whatever the state of the global generators is."""
    train = few_labels(tiny.pool, 2, seed=3)
    for method, learn in transfer.METHODS.items():
        torch.manual_seed(99)
        np.random.seed(99)
        again = learn(train, 3, **BRIEF[method])(tiny.test.images)
        assert np.array_equal(again, compared[0][method, 2]), method
    for method in NETWORKS:
        learn = transfer.METHODS[method]
        heads = [learn(train, seed, steps=2).args[0].head.weight for seed in (1, 1, 2)]
        assert torch.equal(heads[0], heads[1]) and not torch.equal(heads[0], heads[2]), method


def test_settings_reach_the_method(tiny):
    train, calls = few_labels(tiny.pool, 2, seed=0), []
    predict = transfer.svm_on_pixels(train, 0, C=1e-6, gamma=1e6)
    assert len(set(predict(tiny.test.images).tolist())) == 1, "such a kernel knows no neighbours"
    for method in NETWORKS:
        hook = {"hook": lambda step, model: calls.append(step), "every": 2}
        transfer.METHODS[method](train, 0, steps=4, **hook)
    assert calls == [2, 4] * 3


def test_frozen_features_and_fine_tuning_take_any_backbone_and_leave_it_alone(tiny):
    torch.manual_seed(0)
    given = models.SmallCNN()
    before = {k: v.clone() for k, v in given.state_dict().items()}
    train = few_labels(tiny.pool, 2, seed=0)
    for learn in (transfer.frozen_features, partial(transfer.fine_tune, steps=3)):
        mine = learn(train, 0, source=given)(tiny.test.images)
        named = learn(train, 0, source="letters")(tiny.test.images)
        assert not torch.equal(mine, named)
    assert all(torch.equal(v, before[k]) for k, v in given.state_dict().items())
    assert given.training, "nor its mode"


def test_fine_tuning_starts_from_the_backbone_and_trains_all_of_it(tiny):
    train = few_labels(tiny.pool, 2, seed=0)
    tuned = transfer.fine_tune(train, 0, steps=1, lr=1e-6).args[0]
    shipped = models.load_backbone("letters")
    pairs = list(zip(tuned.backbone.parameters(), shipped.parameters(), strict=True))
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in pairs)
    assert not any(torch.equal(a, b) for a, b in pairs)


def test_pixels_are_rows_in_the_order_of_the_pictures(tiny):
    X = transfer.pixels(tiny.test.images)
    assert X.shape == (len(tiny.test), 256)
    assert np.array_equal(X[3].reshape(16, 16), tiny.test.images[3, 0])


# ── comparing ───────────────────────────────────────────────────────────────────────────────


def test_compare_answers_for_every_method_and_budget_or_for_some(tiny, compared):
    for run in compared:
        assert list(run) == [(method, k) for k in BUDGETS for method in METHODS]
        for predicted in run.values():
            assert predicted.shape == (len(tiny.test),) and predicted.dtype == np.int64
    some = ("SVM on pixels", "fine-tuning")
    found = transfer.compare(tiny, SETTINGS, (6,), 3, methods=some)
    assert list(found) == [(method, 6) for method in some]
    assert all(np.array_equal(found[key], compared[0][key]) for key in found)


def test_accuracies_are_those_of_a_slow_loop(tiny, compared):
    found, truth = transfer.accuracies(compared, tiny.test.labels), tiny.test.labels.tolist()
    assert list(found) == METHODS
    for method in METHODS:
        slow = np.zeros((2, 2))
        for s, run in enumerate(compared):
            for b, k in enumerate(BUDGETS):
                for said, true in zip(run[method, k].tolist(), truth, strict=True):
                    slow[s, b] += said == true
        assert found[method] == pytest.approx(slow / len(truth)), method


def test_the_accuracy_is_the_fraction_of_right_answers(tiny):
    labels = tiny.test.labels.clone()
    labels[:9] = (labels[:9] + 1) % 3
    expected = 1 - 9 / len(labels)
    assert transfer.accuracy(lambda images: labels, tiny.test) == pytest.approx(expected)


# ── choosing settings ───────────────────────────────────────────────────────────────────────


def test_no_method_is_tuned_with_more_care_than_another():
    assert list(transfer.CANDIDATES) == METHODS
    for method, candidates in transfer.CANDIDATES.items():
        assert len({str(c) for c in candidates}) == len(candidates) == 6, method


def test_candidates_are_scored_on_the_validation_set_only(tiny):
    """Its labels are shifted here, so that what is right on the pool is wrong on it."""
    labels = (tiny.validation.labels + 1) % 3
    shifted = Splits(tiny.pool, replace(tiny.validation, labels=labels), test=None)
    train, rows = few_labels(tiny.pool, 5, seed=5), transfer.CANDIDATES["SVM on pixels"]
    given = transfer.svm_on_pixels, rows, 5, 5
    found = transfer.candidate_scores(*given, targets=lambda seed, k: [shifted])
    predictors = [transfer.svm_on_pixels(train, 5, **settings) for settings in rows]
    right = [transfer.accuracy(predict, shifted.validation) for predict in predictors]
    assert found.tolist() == right
    both = transfer.candidate_scores(*given, targets=lambda seed, k: [shifted, tiny])
    assert both == pytest.approx(
        (found + [transfer.accuracy(p, tiny.validation) for p in predictors]) / 2
    )
    assert max(found) < 0.2


def test_choose_takes_what_is_best_on_the_validation_set(tiny_targets, one_process):
    blind, seeing = {"gamma": 1e6}, {"gamma": "scale"}
    for good in (0, 2):
        rows = [seeing if place == good else blind for place in range(3)]
        assert transfer.choose(transfer.svm_on_pixels, rows, 2, [5, 6], tiny_targets) is rows[good]


def test_choose_averages_over_the_seeds(tiny, tiny_targets, one_process):
    """One candidate is perfect once and useless once; the other is good both times."""

    def learn(train, seed, name):
        share = {("risky", 1): 1.0, ("risky", 2): 0.0}.get((name, seed), 0.7)
        wrong = torch.arange(len(tiny.validation)) >= share * len(tiny.validation)
        return lambda images: (tiny.validation.labels + wrong) % 3

    risky, safe = candidates = [{"name": "risky"}, {"name": "safe"}]
    assert transfer.choose(learn, candidates, 2, [1], tiny_targets) == risky
    assert transfer.choose(learn, candidates, 2, [1, 2], tiny_targets) == safe


def test_the_settings_of_the_course_are_candidates_for_every_method_and_budget():
    chosen = transfer.chosen_settings((1, 2, 5, 10, 20, 400))
    assert list(chosen) == METHODS
    for method, rows in chosen.items():
        assert all(s in transfer.CANDIDATES[method] for s in rows.values()), method
        assert rows[2] == rows[1] and rows[10] == rows[5] and rows[400] == rows[20], "the nearest"


@pytest.mark.skipif("TLCOURSE_DATA" not in os.environ, reason="needs Omniglot")
def test_the_settings_of_the_course_are_what_choosing_again_gives(monkeypatch):
    monkeypatch.setenv("TLCOURSE_SEED", "7")  # a reader's seed changes no choice
    for method, k in itertools.product(("SVM on pixels", PROBE), (1, 20)):
        learn, rows = transfer.METHODS[method], transfer.CANDIDATES[method]
        best = transfer.choose(learn, rows, k, settings.choosing_seeds())
        assert transfer.chosen_settings()[method][k] == best, (method, k)


def test_main_chooses_where_no_report_looks_and_writes_it_down(monkeypatch, tmp_path, one_process):
    method, seeds, asked = "SVM on pixels", set(), []

    def learn(train, seed, **settings):
        seeds.add(seed)
        return transfer.svm_on_pixels(train, seed, **settings)

    def targets(seed, per_class):
        asked.append(per_class)
        return [digits(validation=True)]

    monkeypatch.setattr(transfer, "SETTINGS", tmp_path / "transfer.json")
    monkeypatch.setattr(transfer, "METHODS", {method: learn})
    monkeypatch.setattr(transfer, "CANDIDATES", {method: [{"gamma": 1e6}, {"C": 10}]})
    monkeypatch.setattr(transfer.choose, "__defaults__", (targets,))
    transfer.main()
    assert transfer.chosen_settings() == {method: {key: {"C": 10} for key in (1, 2, 5, 10, 20, 50)}}
    assert len(seeds) >= 4 and min(seeds) >= 900_000, "no report uses these seeds"
    assert set(asked) == {1, 5, 20} and set(json.loads(transfer.SETTINGS.read_text())) == {method}


def test_right_or_wrong_of_your_own_target_is_what_each_seed_reads(tiny):
    cheap = ["SVM on pixels", PROBE]
    right = transfer.right_or_wrong(tiny, 2, [3, 4], cheap)
    curves = transfer.label_efficiency(tiny, [2, 6], [3, 4], cheap)
    truth = tiny.test.labels.numpy()
    for method in cheap:
        assert right[method].shape == (2, len(tiny.test)) and right[method].dtype == bool
        assert curves[method][:, 0] == pytest.approx(right[method].mean(axis=1))
        for seed, row in zip((3, 4), right[method], strict=True):
            chosen = transfer.chosen_settings([2])[method][2]
            predict = transfer.METHODS[method](few_labels(tiny.pool, 2, seed), seed, **chosen)
            assert np.array_equal(row, predict(tiny.test.images).numpy() == truth)
