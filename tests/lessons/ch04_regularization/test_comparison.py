"""One function that learns with every regulariser, and how their strengths were chosen."""

import numpy as np
import pytest
import torch

from tlcourse import models, runtime, settings
from tlcourse.data import ImageSet, Splits, digits, few_labels
from tlcourse.lessons.ch01_concepts import transfer
from tlcourse.lessons.ch04_regularization import comparison


@pytest.fixture(scope="module")
def target():
    return digits(validation=True)


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def learned(target, **changes):
    return comparison.learn(comparison.draw(target, "noisy", 0), 0, steps=12, **changes)


def test_a_pull_keeps_the_backbone_where_it_began(target):
    scratch = models.classifier(models.SmallCNN, 10, 0).backbone
    for source, began in {"letters": models.load_backbone("letters"), None: scratch}.items():
        moved = [
            (weights(learned(target, source=source, pull=pull).backbone) - weights(began)).norm()
            for pull in (1.0, 0.0)
        ]
        assert moved[0] < moved[1] / 2, source


def test_every_regulariser_changes_what_is_learned(target):
    plain = weights(learned(target))
    changes = {"drop": 0.5, "weight_decay": 3.0, "smoothing": 0.3, "blend": 1.0}
    changes |= {"strength": 0.5, "lr": 1e-3, "patience": 1}
    for name, value in changes.items():
        assert not torch.equal(weights(learned(target, **{name: value})), plain), name


def test_the_same_seed_learns_the_same(target):
    one, two = (learned(target, drop=0.5, blend=1.0, strength=0.5) for _ in range(2))
    assert torch.equal(weights(one), weights(two))


def test_held_out_pictures_are_not_trained_on(target):
    train = few_labels(target.pool, 5, 0)
    kept, watched = comparison.hold_out(train)
    assert (len(kept), len(watched)) == (40, 10)
    together = torch.cat([kept.images, watched.images]).flatten(1)
    assert torch.equal(together.sum(1).sort()[0], train.images.flatten(1).sum(1).sort()[0])
    with pytest.raises(ValueError, match="at least 5"):
        comparison.hold_out(train.subset([0, 1]))


def test_a_noisy_draw_has_the_pictures_of_a_clean_one(target):
    noisy, true = comparison.draw(target, "noisy", 3), few_labels(target.pool, 20, 3)
    assert torch.equal(noisy.images, true.images)
    assert 0.25 < (noisy.labels != true.labels).float().mean() < 0.47
    clean = comparison.draw(target, "clean", 3)
    assert torch.equal(clean.labels, few_labels(target.pool, 5, 3).labels)


def test_curves_have_one_row_for_each_set(target):
    found = comparison.curves(target, 0, {"steps": 20, "drop": 0.5})
    assert {name: len(values) for name, values in found.items()} == dict.fromkeys(
        ("given labels", "validation", "test"), 2
    )


# ── choosing ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def small(target, monkeypatch):
    """Three digits, and two strengths of three regularisers."""

    def only(part):
        rows = (part.labels < 3).nonzero()[:70, 0]
        return ImageSet(part.images[rows], part.labels[rows], part.names[:3], part.groups[rows])

    few = {
        "dropout": [{"drop": 0.2}, {"drop": 0.9, "steps": 1}],
        "L2-SP": [{"pull": 100.0, "steps": 1}, {"pull": 0.01}],
        "label smoothing": [{"smoothing": 0.1}, {"smoothing": 0.1, "lr": 0.0}],
    }
    monkeypatch.setattr(comparison, "CANDIDATES", few)
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    return Splits(*map(only, target))


def test_the_best_strength_and_a_pair_are_chosen(small):
    found = comparison.choose_strengths("clean", [5, 6], targets=lambda seed, k: [small])
    due = {"dropout": {"drop": 0.2}, "L2-SP": {"pull": 0.01}, "label smoothing": {"smoothing": 0.1}}
    assert found["strengths"] == due and found["best"] in due
    assert len(set(found["pair"])) == 2 and set(found["pair"]) <= set(due)
    a, b = found["pair"]
    listed = comparison.recipes(found)
    assert list(listed) == ["none", *due, "best pair"]
    assert listed == {"none": {}} | due | {"best pair": due[a] | due[b]}


def test_baselines_are_chosen_from_the_same_number_of_candidates(small):
    found = comparison.choose_baselines("clean", [5], lambda seed, k: [small])
    assert list(found) == list(comparison.BASELINES)
    for method, chosen in found.items():
        candidates, given = transfer.CANDIDATES[method], (small, "clean", 5)
        tried = [
            comparison.train_and_test(*given, candidate, [small.validation], method).item()
            for candidate in candidates
        ]
        assert len(tried) == 6, method
        assert tried[candidates.index(chosen)] == max(tried) > 1 / 3, method


def test_the_shipped_settings_are_six_candidates_each():
    found = settings.stored(comparison.SETTINGS)
    assert list(found) == ["noisy", "clean", "noisy, from scratch"]
    assert {len(rows) for rows in comparison.CANDIDATES.values()} == {6}
    for task in found.values():
        assert list(task["strengths"]) == list(comparison.CANDIDATES)
        for name, chosen in task["strengths"].items():
            assert chosen in comparison.CANDIDATES[name]


def test_fine_tuning_with_a_chosen_rate_is_chosen_like_the_regularisers():
    """It is the fair opponent of the others; the rate of `TRAINING` is one that nobody chose."""
    tried = comparison.CANDIDATES[comparison.CHOSEN_RATE]
    assert all(list(candidate) == ["lr"] for candidate in tried)
    assert {"lr": comparison.TRAINING["lr"]} not in tried
    chosen = settings.stored(comparison.SETTINGS)["noisy"]["strengths"][comparison.CHOSEN_RATE]
    assert 0 < tried.index(chosen) < 5  # no wider range would have given another one


# ── what the lesson says ────────────────────────────────────────────────────────────────────


def accuracy(target, seeds, way, method=None):
    """Test accuracy under wrong labels, one number a seed."""
    found = [
        comparison.train_and_test(target, "noisy", seed, way, [target.test], method)
        for seed in seeds
    ]
    return np.array(found)


@pytest.mark.weekly
def test_under_wrong_labels_l2sp_beats_a_chosen_rate_and_weight_decay_does_not(target):
    noisy, seeds = settings.stored(comparison.SETTINGS)["noisy"], runtime.seeds(3)
    ways = comparison.recipes(noisy)
    names = ("L2-SP", comparison.CHOSEN_RATE, "weight decay", "none")
    pull, rate, decayed, none = (accuracy(target, seeds, ways[name]) for name in names)
    assert noisy["best"] == "L2-SP"
    assert pull.mean() > rate.mean() + 0.01 > decayed.mean() + 0.03
    assert (pull - none).min() > 0 and (rate - none).min() > 0
    smaller = accuracy(target, seeds, {"lr": 1e-3})  # the lesson: better here, a smaller lead
    assert rate.mean() + 0.005 < smaller.mean() < pull.mean() + 0.02


@pytest.mark.weekly
def test_from_scratch_the_rate_that_letters_chose_leaves_most_of_the_gain(target):
    """So the lesson says that *more in transfer* is worth less than it looks (Figure 5)."""
    alone = settings.stored(comparison.SETTINGS)["noisy, from scratch"]
    assert alone["best"] == comparison.CHOSEN_RATE
    rates = (comparison.TRAINING["lr"], alone["strengths"][alone["best"]]["lr"], 5e-4)
    none, chosen, small = (
        accuracy(target, runtime.seeds(3), {"source": None, "lr": lr}).mean() for lr in rates
    )
    assert chosen < none + 0.03 and small > none + 0.05


def test_the_svm_of_figure_3_is_far_behind_for_its_penalty(target):
    """The C that printed letters chose learns wrong labels by heart; a small one does not."""
    chosen = settings.stored(comparison.SETTINGS)["noisy"]["baselines"]["SVM on pixels"]
    few = comparison.draw(target, "noisy", 0)
    predict = transfer.svm_on_pixels(few, 0, **chosen)
    assert transfer.accuracy(predict, few) > 0.95
    seeds = runtime.seeds(3)
    far, near = (
        accuracy(target, seeds, chosen | {"C": C}, "SVM on pixels") for C in (chosen["C"], 1)
    )
    assert near.min() > 0.8 and far.max() < 0.7
