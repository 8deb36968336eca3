"""Six ways to learn from few labels: each learns, repeats itself, and is tuned like the others."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from tlcourse import models, runtime
from tlcourse.data import ImageSet, Splits, digits, few_labels, georgian
from tlcourse.data.perturb import corrupt
from tlcourse.lessons.ch01_concepts import transfer

METHODS = list(transfer.METHODS)
NETWORKS = ["CNN from scratch", "CNN from scratch + augmentation", "fine-tuning"]
# Enough to learn three digits: in fewer steps, BatchNorm's moving averages would still lag behind.
BRIEF = {method: {"steps": 60, "lr": 5e-3} if method in NETWORKS else {} for method in METHODS}
BUDGETS = (2, 6)


@pytest.fixture(scope="module")
def tiny():
    """The digits 0, 1 and 6 only."""

    def only(part):
        rows = torch.isin(part.labels, torch.tensor([0, 1, 6])).nonzero()[:90, 0]
        labels = torch.tensor([{0: 0, 1: 1, 6: 2}[k] for k in part.labels[rows].tolist()])
        return ImageSet(part.images[rows], labels, ["0", "1", "6"], part.groups[rows])

    return Splits(*map(only, digits()))


@pytest.fixture(scope="module")
def settings():
    return {method: dict.fromkeys(BUDGETS, BRIEF[method]) for method in METHODS}


@pytest.fixture(scope="module")
def compared(tiny, settings):
    return [transfer.compare(tiny, settings, BUDGETS, seed) for seed in (3, 4)]


@pytest.fixture
def one_process(monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")


# ── the methods ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", METHODS)
def test_a_method_learns_from_few_labels_and_returns_a_predictor(tiny, method):
    train = few_labels(tiny.pool, 6, seed=1)
    predict = transfer.METHODS[method](train, 1, **BRIEF[method])
    found = predict(tiny.test.images)
    assert found.shape == (len(tiny.test),) and found.dtype == torch.int64
    assert set(found.tolist()) <= {0, 1, 2}
    assert transfer.accuracy(predict, tiny.test) > 0.7, "chance is 0.33"


def test_the_methods_have_the_names_and_the_order_of_the_course():
    assert METHODS == [
        "SVM on pixels",
        "random forest on pixels",
        "CNN from scratch",
        "CNN from scratch + augmentation",
        "frozen features + logistic regression",
        "fine-tuning",
    ]


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_answers(tiny, compared, method):
    """Whatever the state of the global generators is."""
    torch.manual_seed(99)
    np.random.seed(99)
    train = few_labels(tiny.pool, 2, seed=3)
    again = transfer.METHODS[method](train, 3, **BRIEF[method])(tiny.test.images)
    assert np.array_equal(again, compared[0][method, 2])


@pytest.mark.parametrize("method", NETWORKS)
def test_another_seed_is_another_training(tiny, method):
    train = few_labels(tiny.pool, 2, seed=0)
    heads = [
        transfer.METHODS[method](train, seed, steps=2).args[0].head.weight for seed in (1, 1, 2)
    ]
    assert torch.equal(heads[0], heads[1]) and not torch.equal(heads[0], heads[2])


def test_settings_reach_the_method(tiny):
    train = few_labels(tiny.pool, 2, seed=0)
    predict = transfer.svm_on_pixels(train, 0, C=1e-6, gamma=1e6)
    assert len(set(predict(tiny.test.images).tolist())) == 1, "such a kernel knows no neighbours"
    calls = []

    def hook(step, model):
        calls.append(step)

    for method in NETWORKS:
        transfer.METHODS[method](train, 0, steps=4, hook=hook, every=2)
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


def test_pixels_and_features_are_rows_in_the_order_of_the_pictures(tiny):
    images = torch.cat([tiny.test.images] * 6)
    assert len(images) > 512, "more than one batch"
    X = transfer.pixels(images)
    assert X.shape == (len(images), 256) and np.array_equal(X[3].reshape(16, 16), images[3, 0])
    backbone = models.load_backbone().train()
    F = models.features(backbone, images)
    assert F.shape == (len(images), 256) and F.dtype == np.float32
    backbone.eval()
    one_by_one = np.stack([backbone(image[None])[0].detach().numpy() for image in images[:5]])
    assert np.allclose(F[:5], one_by_one, atol=1e-4)
    assert np.allclose(F[: len(tiny.test)], F[-len(tiny.test) :], atol=1e-4)


# ── comparing ───────────────────────────────────────────────────────────────────────────────


def test_compare_answers_for_every_method_and_budget(tiny, compared):
    for run in compared:
        assert list(run) == [(method, k) for k in BUDGETS for method in METHODS]
        for predicted in run.values():
            assert predicted.shape == (len(tiny.test),) and predicted.dtype == np.int64
            assert set(predicted) <= {0, 1, 2}


def test_compare_can_be_limited_to_some_methods(tiny, compared, settings):
    some = ("SVM on pixels", "fine-tuning")
    found = transfer.compare(tiny, settings, (6,), 3, methods=some)
    assert list(found) == [(method, 6) for method in some]
    assert all(np.array_equal(found[key], compared[0][key]) for key in found)


def test_accuracies_are_those_of_a_slow_loop(tiny, compared):
    found = transfer.accuracies(compared, tiny.test.labels)
    assert list(found) == METHODS
    truth = tiny.test.labels.tolist()
    for method in METHODS:
        assert found[method].shape == (2, 2)
        for (s, run), (b, k) in [(i, j) for i in enumerate(compared) for j in enumerate(BUDGETS)]:
            right = 0
            for said, true in zip(run[method, k].tolist(), truth, strict=True):
                right += said == true
            assert found[method][s, b] == pytest.approx(right / len(truth))


def test_the_accuracy_is_the_fraction_of_right_answers(tiny):
    labels = tiny.test.labels.clone()
    labels[:9] = (labels[:9] + 1) % 3
    expected = 1 - 9 / len(labels)
    assert transfer.accuracy(lambda images: labels, tiny.test) == pytest.approx(expected)


def test_robustness_tests_what_clean_pictures_taught_on_damaged_ones(tiny, settings):
    damage = {"noise": (0, 0.5), "shift": (0, 2, 6)}
    learned = transfer.learn(tiny, settings, 6, 3)
    found = transfer.robustness(learned, tiny.test, 3, damage)
    assert list(found) == [(method, kind) for kind in damage for method in METHODS]
    for method in METHODS:
        assert found[method, "noise"].shape == (2,) and found[method, "shift"].shape == (3,)
        clean = transfer.accuracies(
            [transfer.compare(tiny, settings, (6,), 3, [method])], tiny.test.labels
        )[method].item()
        assert found[method, "noise"][0] == found[method, "shift"][0] == pytest.approx(clean)
        assert found[method, "shift"][2] < clean, "6 of 16 pixels away"
    predict = transfer.svm_on_pixels(few_labels(tiny.pool, 6, 3), 3)
    noisy = predict(corrupt(tiny.test.images, "noise", 0.5, seed=3))
    expected = (noisy == tiny.test.labels).float().mean().item()
    assert found["SVM on pixels", "noise"][1] == pytest.approx(expected)


def test_learning_curves_end_where_training_ends(tiny, settings):
    curves = transfer.learning_curves(tiny, settings, 2, 3, range(4, 21, 4))
    assert list(curves) == NETWORKS
    train = few_labels(tiny.pool, 2, 3)
    for method, curve in curves.items():
        assert curve.shape == (5,)
        predict = transfer.METHODS[method](train, 3, **settings[method][2] | {"steps": 20})
        assert curve[-1] == transfer.accuracy(predict, tiny.validation)


def test_a_finer_ruler_changes_no_learning_curve(tiny, settings):
    looks = [1, 2, 3, 10]
    fine = transfer.learning_curves(tiny, settings, 2, 3, looks, ["fine-tuning"])
    coarse = transfer.learning_curves(tiny, settings, 2, 3, [3, 10], ["fine-tuning"])
    assert list(fine) == ["fine-tuning"] and fine["fine-tuning"].shape == (4,)
    assert (fine["fine-tuning"][[2, 3]] == coarse["fine-tuning"]).all()


# ── depth ───────────────────────────────────────────────────────────────────────────────────


def test_block_features_are_256_numbers_of_equal_length_at_every_depth(tiny):
    backbone = models.load_backbone()
    images = tiny.test.images
    found = [transfer.block_features(backbone.train(), images, depth) for depth in range(5)]
    for depth, rows in enumerate(found):
        assert rows.shape == (len(images), 256)
        assert np.allclose(np.linalg.norm(rows, axis=1), 16)
        assert np.array_equal(rows, transfer.block_features(backbone, images, depth))
        maps = backbone.maps(images, depth).flatten(1).detach().numpy()
        maps = maps / np.linalg.norm(maps, axis=1, keepdims=True)
        error = np.abs(rows @ rows.T / 256 - maps @ maps.T)
        assert error.mean() < 0.06 and error.max() < 0.35, "angles are nearly kept"
    assert not np.allclose(found[3], found[4])


def test_depth_accuracies_are_those_of_a_probe_on_the_pixels_and_after_each_block(tiny):
    backbone = models.load_backbone()
    train = few_labels(tiny.pool, 2, seed=0)
    found = transfer.depth_accuracies(backbone, train, tiny.test)
    assert found.shape == (5,)
    for depth in (0, 4):
        probe = LogisticRegression(max_iter=1000)
        probe.fit(transfer.block_features(backbone, train.images, depth), train.labels)
        X = transfer.block_features(backbone, tiny.test.images, depth)
        assert found[depth] == pytest.approx(probe.score(X, tiny.test.labels))


# ── choosing settings ───────────────────────────────────────────────────────────────────────


def test_no_method_is_tuned_with_more_care_than_another():
    assert list(transfer.CANDIDATES) == METHODS
    assert len({len(candidates) for candidates in transfer.CANDIDATES.values()}) == 1
    for candidates in transfer.CANDIDATES.values():
        assert len({str(c) for c in candidates}) == len(candidates)


def test_candidates_are_scored_on_the_validation_set_only(tiny):
    """Its labels are shifted here, so that what is right on the pool is wrong on it."""
    labels = (tiny.validation.labels + 1) % 3
    shifted = Splits(tiny.pool, replace(tiny.validation, labels=labels), test=None)
    found = transfer.candidate_scores(shifted, "SVM on pixels", 5, seed=5)
    train = few_labels(tiny.pool, 5, seed=5)
    predictors = [
        transfer.svm_on_pixels(train, 5, **s) for s in transfer.CANDIDATES["SVM on pixels"]
    ]
    assert found == [transfer.accuracy(predict, shifted.validation) for predict in predictors]
    assert max(found) < 0.2


@pytest.mark.parametrize("good", [0, 2])
def test_choose_takes_what_is_best_on_the_validation_set(tiny, monkeypatch, one_process, good):
    methods = {"SVM on pixels": transfer.svm_on_pixels, "fine-tuning": transfer.svm_on_pixels}
    blind, seeing = {"gamma": 1e6}, {"gamma": "scale"}
    lists = {m: [seeing if i == at else blind for i in range(3)] for m, at in zip(methods, (good, 1), strict=True)}  # fmt: skip
    monkeypatch.setattr(transfer, "METHODS", methods)
    monkeypatch.setattr(transfer, "CANDIDATES", lists)
    unseen = Splits(tiny.pool, tiny.validation, test=None)
    scores = transfer.candidate_scores(unseen, "SVM on pixels", 2, seed=5)
    assert len(scores) == 3 and int(np.argmax(scores)) == good
    found = transfer.choose(unseen, (2, 3), [5, 6])
    assert found == {m: dict.fromkeys((2, 3), seeing) for m in methods}


def test_choose_averages_over_the_seeds(tiny, monkeypatch, one_process):
    """One candidate is perfect once and useless once; the other is good both times."""

    def learn(train, seed, name):
        share = {("risky", 1): 1.0, ("risky", 2): 0.0}.get((name, seed), 0.7)
        wrong = torch.arange(len(tiny.validation)) >= share * len(tiny.validation)
        return lambda images: (tiny.validation.labels + wrong) % 3

    monkeypatch.setattr(transfer, "METHODS", {"planted": learn})
    candidates = [{"name": "risky"}, {"name": "safe"}]
    monkeypatch.setattr(transfer, "CANDIDATES", {"planted": candidates})
    assert transfer.choose(tiny, (2,), [1]) == {"planted": {2: {"name": "risky"}}}
    assert transfer.choose(tiny, (2,), [1, 2]) == {"planted": {2: {"name": "safe"}}}


def test_the_settings_of_the_course_are_candidates_for_every_method_and_budget():
    for target, budgets in {"digits": [1, 2, 5, 10, 20, 50], "georgian": [2, 5]}.items():
        chosen = transfer.chosen_settings(target)
        assert list(chosen) == METHODS
        for method in METHODS:
            assert list(chosen[method]) == budgets
            assert all(s in transfer.CANDIDATES[method] for s in chosen[method].values())


@pytest.mark.parametrize(
    "target, load, method, per_class",
    [
        ("georgian", georgian, "SVM on pixels", 5),
        ("georgian", georgian, "frozen features + logistic regression", 2),
        ("digits", digits, "frozen features + logistic regression", 2),
    ],
)
def test_the_settings_of_the_course_are_what_choosing_again_gives(
    monkeypatch, target, load, method, per_class
):
    """At budgets where the best is ahead by eight answers or more."""
    monkeypatch.setenv("TLCOURSE_SEED", "0")
    seeds = runtime.seeds(1000)[-4:]
    found = np.mean([transfer.candidate_scores(load(), method, per_class, s) for s in seeds], 0)
    best = transfer.CANDIDATES[method][int(found.argmax())]
    assert transfer.chosen_settings(target)[method][per_class] == best


def test_main_chooses_for_both_targets_and_writes_it_down(monkeypatch, tmp_path, one_process):
    method, seeds = "SVM on pixels", set()

    def learn(train, seed, **settings):
        seeds.add(seed)
        return transfer.svm_on_pixels(train, seed, **settings)

    monkeypatch.setattr(transfer, "SETTINGS", tmp_path / "new" / "transfer.json")
    monkeypatch.setattr(transfer, "METHODS", {method: learn})
    monkeypatch.setattr(transfer, "CANDIDATES", {method: [{"gamma": 1e6}, {"C": 10}]})
    threads = torch.get_num_threads()
    transfer.main()
    torch.set_num_threads(threads)
    for target, budgets in {"digits": [1, 2, 5, 10, 20, 50], "georgian": [2, 5]}.items():
        assert transfer.chosen_settings(target) == {method: {k: {"C": 10} for k in budgets}}
    assert len(seeds) >= 4 and not seeds & set(runtime.seeds(900)), "no report uses these seeds"
    assert set(json.loads(transfer.SETTINGS.read_text())) == {"digits", "georgian"}
