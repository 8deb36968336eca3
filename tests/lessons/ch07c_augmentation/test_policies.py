"""Changed copies and what is learned from them."""

import numpy as np
import pytest
import torch
from joblib import parallel_config

from tlcourse import runtime, settings
from tlcourse.data import ImageSet, digits, few_labels
from tlcourse.lessons.ch07c_augmentation import comparison, policies


@pytest.fixture(scope="module")
def target():
    return digits(validation=True)


@pytest.fixture(scope="module")
def train(target):
    return few_labels(target.pool, 2, 0)


# ── policies and copies ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", policies.POLICIES)
@pytest.mark.parametrize("strength", [0.25, 1.0])
def test_a_policy_changes_pictures_and_keeps_shape_and_labels_that_sum_to_one(
    train, name, strength
):
    images, labels = policies.copies(train, policies.policy(name, strength), 0, n=3)
    assert images.shape == (80, 1, 16, 16) and labels.shape == (80, 10)
    assert torch.equal(images[:20], train.images)
    assert torch.allclose(labels.sum(1), torch.ones(80))
    assert (images[20:] != images[:20].repeat(3, 1, 1, 1)).any()
    assert torch.isfinite(images).all()


def test_copies_keep_each_pictures_own_label_whatever_the_order(train):
    images, labels = policies.copies(train, lambda x, y: (x, y), 0, n=4)
    for image, label in zip(images[20:], labels[20:], strict=True):
        original = (train.images == image).flatten(1).all(1).nonzero()[0]
        assert label.argmax() == train.labels[original]
    counts = labels[20:].sum(0)
    assert (counts == 8).all()


def test_copies_obey_their_seed_and_leave_the_generators_alone(train):
    affine = policies.policy("affine")
    state = torch.get_rng_state()
    one, same, other = (policies.copies(train, affine, seed, 2)[0] for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(one, same) and not torch.equal(one, other)


def test_one_call_changes_a_batch_alike_and_groups_do_not(train):
    # Why `copies` has groups: should torchvision ever draw for each picture, this fails.
    erase = policies.policy("erasing", 1.0)
    nothing = torch.zeros(40).long()
    white = ImageSet(torch.ones(40, 1, 16, 16), nothing, ["a"], nothing)
    with runtime.seeded(0):
        whole = erase(white.images, white.labels)[0]
    assert (whole == whole[0]).all()
    groups = policies.copies(white, erase, 0, n=1, group=5)[0][40:]
    assert len(groups.flatten(1).unique(dim=0)) > 4


def test_a_half_turn_is_the_picture_upside_down(train):
    images, _ = policies.copies(train, policies.policy("half turn"), 0, n=2, group=1)
    turned = train.images.flip(2, 3)
    both = torch.cat([train.images, turned])
    assert all((image - both).abs().amax((1, 2, 3)).min() < 1e-6 for image in images[20:])


# ── CutMix for given numbers ────────────────────────────────────────────────────────────────


def test_cut_and_paste_mixes_labels_by_area(train):
    labels = policies.one_hot(train.labels, 10)
    partner = torch.arange(20).roll(3)
    mixed, soft = policies.cut_and_paste(train.images, labels, 2, 4, 8, 6, partner)
    assert torch.equal(mixed[:, :, 2:10, 4:10], train.images[partner][:, :, 2:10, 4:10])
    mixed[:, :, 2:10, 4:10] = train.images[:, :, 2:10, 4:10]
    assert torch.equal(mixed, train.images)
    assert soft[0, train.labels[partner[0]]] == pytest.approx(48 / 256)


BLANK, SOFT, FIRST = torch.zeros(2, 1, 16, 16), torch.eye(2), torch.zeros(2).long()


@pytest.mark.parametrize(
    ("call", "given", "words"),
    [
        (policies.policy, ["magic"], "choose one of affine"),
        (policies.policy, ["affine", 0], "positive number"),
        (policies.cut_and_paste, [BLANK, SOFT, 12, 0, 8, 2, FIRST], "leaves the picture"),
        (policies.cut_and_paste, [BLANK, SOFT, 0, 12, 2, 8, FIRST], "leaves the picture"),
        (policies.cut_and_paste, [BLANK, SOFT, -1, 0, 2, 2, FIRST], "leaves the picture"),
    ],
)
def test_what_cannot_be_is_refused(call, given, words):
    with pytest.raises(ValueError, match=words):
        call(*given)


# ── networks side by side ───────────────────────────────────────────────────────────────────


def test_networks_side_by_side_learn_as_if_alone(target):
    banks = [comparison.bank(few_labels(target.pool, 1, seed), seed) for seed in (0, 1)]
    both = comparison.learn(banks, (0, 1), steps=20)
    alone = comparison.learn(banks[1:], (1,), steps=20)
    for of_both, of_one in zip(both.parameters(), alone.parameters(), strict=True):
        assert torch.allclose(of_both[1], of_one[0], atol=1e-5)
    assert comparison.score(both, target.test)[1] == comparison.score(alone, target.test)[0]


def test_a_network_learns_its_pictures(target):
    nets = comparison.scratch(target, 2, (0, 1), "none")
    assert all(comparison.score(nets, few_labels(target.pool, 2, s))[s] == 1 for s in (0, 1))
    assert (comparison.score(nets, target.test) > 0.6).all()


def test_test_time_views_are_averaged_in_the_right_order(target):
    nets = comparison.scratch(target, 5, (0,), "none")
    plain = comparison.score(nets, target.test)
    assert np.array_equal(comparison.score(nets, target.test, lambda x, y: (x, y), n=2), plain)
    seen = comparison.score(nets, target.test, policies.policy("affine", 0.25), n=2)
    assert abs(seen - plain).max() < 0.1 and not np.array_equal(seen, plain)


# ── methods and settings ────────────────────────────────────────────────────────────────────


def test_every_method_is_tested_without_and_with_copies(target):
    found = comparison.accuracies(target, 1, 0, comparison.chosen_settings())
    assert set(found) == {(m, n) for m in comparison.METHODS for n in ("none", "affine")}
    assert all(0.4 < accuracy < 1 for accuracy in found.values())


def test_settings_are_candidates_and_none_has_more_of_them_than_another():
    assert {len(rows) for pair in comparison.CANDIDATES.values() for rows in pair} == {6}
    chosen = comparison.chosen_settings()
    assert set(chosen) == set(comparison.CANDIDATES)
    for method, by_policy in chosen.items():
        for name, by_budget in by_policy.items():
            rows = comparison.CANDIDATES[method][name != "none"]
            assert all(settings in rows for settings in by_budget.values())
            wanted = comparison.BUDGETS if name in ("none", "affine") else (5,)
            assert list(by_budget) == list(wanted)


def test_choosing_takes_the_best_by_validation(target, tmp_path, monkeypatch):
    svm, given = "SVM on pixels", dict(comparison.CANDIDATES)
    monkeypatch.setattr(comparison, "BUDGETS", (1,))
    monkeypatch.setattr(comparison, "POLICIES", ("affine",))
    monkeypatch.setattr(settings, "choosing_seeds", lambda: (7, 8))
    targets = lambda seed, per_class: [target]
    monkeypatch.setattr(comparison.choose, "__defaults__", (targets,))
    monkeypatch.setattr(comparison, "SETTINGS", tmp_path / "chosen.json")
    for method in (svm, comparison.SCRATCH):
        few = tuple(rows[::3] for rows in given[method])
        monkeypatch.setattr(comparison, "CANDIDATES", {method: few})
        with parallel_config("sequential"):
            comparison.main()
        for name, rows in zip(("none", "affine"), few, strict=True):
            right = [mean_validation(target, method, name, row) for row in rows]
            assert comparison.chosen_settings()[method][name][1] == rows[int(np.argmax(right))]


def mean_validation(target, method, name, row):
    part, found = target.validation, []
    for seed in (7, 8):
        if method == comparison.SCRATCH:
            networks = comparison.scratch(target, 1, [seed], name, **row)
            found.append(comparison.score(networks, part)[0])
        else:
            train = few_labels(target.pool, 1, seed)
            predict = comparison.learn_one(method, name, train, seed, **row)
            found.append((predict(part.images) == part.labels).float().mean())
    return np.mean(found)
