"""Each regulariser against its formula, and the one function that learns with all of them."""

import copy
import inspect
import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import cross_entropy

from tlcourse import models, runtime, training
from tlcourse.data import ImageSet, Splits, digits, few_labels, perturb
from tlcourse.lessons.ch01_concepts import transfer
from tlcourse.lessons.ch04_regularization import regularization


@pytest.fixture(scope="module")
def target():
    return digits()


@pytest.fixture
def one_process(monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


# ── wrong labels ────────────────────────────────────────────────────────────────────────────


@given(st.integers(0, 1000), st.integers(2, 12), st.floats(0, 1))
def test_redrawn_labels_stay_in_range_and_the_originals_stay(seed, n_classes, fraction):
    labels = torch.arange(60) % n_classes
    kept = labels.clone()
    found = perturb.redraw_labels(labels, fraction, n_classes, seed)
    assert torch.equal(labels, kept)
    assert found.dtype == torch.int64 and 0 <= found.min() and found.max() < n_classes


def test_the_share_of_wrong_labels_is_the_expected_one():
    labels = torch.arange(20_000) % 10
    found = perturb.redraw_labels(labels, 0.4, 10, seed=0)
    # A redrawn label is right again once in ten times.
    assert (found != labels).float().mean() == pytest.approx(0.4 * 0.9, abs=0.015)
    assert torch.equal(perturb.redraw_labels(labels, 0, 10, 0), labels)
    assert not torch.equal(perturb.redraw_labels(labels, 0.4, 10, 1), found)


@pytest.mark.parametrize("fraction", [-0.1, 1.5, float("nan")])
def test_a_fraction_that_is_none_is_refused(fraction):
    with pytest.raises(ValueError, match="it is a probability"):
        perturb.redraw_labels(torch.zeros(3, dtype=torch.int64), fraction, 2, 0)


def test_labels_outside_their_range_are_refused():
    with pytest.raises(ValueError, match="class"):
        perturb.redraw_labels(torch.tensor([0, 5]), 0.1, 3, 0)


# ── Adam, twice ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("decoupled", "optimizer"), [(False, torch.optim.Adam), (True, torch.optim.AdamW)]
)
@pytest.mark.parametrize("weight_decay", [0.0, 0.01, 0.5])
def test_the_steps_of_adam_are_those_of_torch(decoupled, optimizer, weight_decay):
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(7, generator=generator, dtype=torch.float64)
    theirs = nn.Parameter(start.clone())
    torchs = optimizer([theirs], lr=0.01, weight_decay=weight_decay)
    ours, state = start, {}
    for _ in range(20):
        gradient = torch.randn(7, generator=generator, dtype=torch.float64)
        theirs.grad = gradient.clone()
        torchs.step()
        ours = regularization.adam_step(ours, gradient, state, 0.01, weight_decay, decoupled)
    assert torch.allclose(ours, theirs.detach(), rtol=0, atol=1e-10)


def test_l2_inside_adam_hardly_shrinks_a_weight_with_large_gradients():
    """Why decoupled decay was invented: both weights should shrink alike, and do not."""
    gradients = torch.tensor([0.01, 100.0]) * torch.tensor([[1.0], [-1.0]]).repeat(200, 1)
    shrunk = {}
    for decoupled in (False, True):
        found, state = torch.ones(2), {}
        for gradient in gradients:
            found = regularization.adam_step(found, gradient, state, 1e-3, 0.5, decoupled)
        shrunk[decoupled] = 1 - found
    assert torch.isclose(*shrunk[True], rtol=0.05)
    assert shrunk[False][0] > 5 * shrunk[False][1]


# ── dropout, L2-SP, mixup, smoothing ────────────────────────────────────────────────────────


@given(st.floats(0, 0.95), st.integers(0, 1000))
def test_dropout_keeps_or_scales_each_number(p, seed):
    inputs = torch.arange(1.0, 201.0)
    found = regularization.dropout(inputs, p, torch.Generator().manual_seed(seed))
    ratio = found / inputs
    assert ((ratio == 0) | torch.isclose(ratio, torch.tensor(1 / (1 - p)))).all()


def test_dropout_keeps_the_mean_as_torchs_does():
    generator = torch.Generator().manual_seed(0)
    ours = regularization.dropout(torch.ones(100_000), 0.7, generator)
    theirs = nn.functional.dropout(torch.ones(100_000), 0.7)
    for found in (ours, theirs):
        assert found.mean() == pytest.approx(1, abs=0.03)
        assert (found == 0).float().mean() == pytest.approx(0.7, abs=0.01)


@pytest.mark.parametrize("p", [-0.1, 1.0, float("nan")])
def test_dropout_of_everything_is_refused(p):
    with pytest.raises(ValueError, match="0 <= p < 1"):
        regularization.dropout(torch.ones(3), p)


def test_the_gradient_of_l2sp_is_the_distance_from_the_start():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)).double()
    start = {n: torch.randn_like(p) for n, p in model.named_parameters() if n.startswith("0")}
    penalty = regularization.l2sp(model, start)
    by_hand = sum(
        ((p - start.get(n, torch.zeros_like(p))) ** 2).sum() for n, p in model.named_parameters()
    )
    assert torch.isclose(penalty, by_hand / 2)
    penalty.backward()
    for name, p in model.named_parameters():
        assert torch.allclose(p.grad, (p - start.get(name, 0)).detach())


def test_l2sp_agrees_with_finite_differences():
    model, step = nn.Linear(2, 1).double(), 1e-6
    start = {"weight": torch.tensor([[0.3, -0.2]], dtype=torch.float64)}
    regularization.l2sp(model, start).backward()
    values = []
    for sign in (1, -1):
        moved = copy.deepcopy(model)
        with torch.no_grad():
            moved.weight[0, 0] += sign * step
        values.append(regularization.l2sp(moved, start).item())
    assert (values[0] - values[1]) / (2 * step) == pytest.approx(model.weight.grad[0, 0].item())


def test_mixup_blends_each_picture_with_its_partner():
    images = torch.rand(6, 1, 4, 4)
    mixed, partner, share = regularization.mixup(images, 1.0, np.random.default_rng(0))
    assert sorted(partner.tolist()) == list(range(6)) and 0 <= share <= 1
    for i in range(6):
        assert torch.allclose(mixed[i], share * images[i] + (1 - share) * images[partner[i]])
    with pytest.raises(ValueError, match="above 0"):
        regularization.mixup(images, 0, np.random.default_rng(0))


@pytest.fixture
def scored():
    torch.manual_seed(0)
    return (
        nn.Sequential(nn.Flatten(), nn.Linear(16, 5)),
        torch.rand(8, 1, 4, 4),
        torch.arange(8) % 5,
    )


def test_smoothing_is_cross_entropy_with_a_spread_label(scored):
    model, images, labels = scored
    found = regularization.objective({}, smoothing=0.2)(model, images, labels)
    spread = 0.8 * nn.functional.one_hot(labels, 5) + 0.2 / 5
    by_hand = -(spread * model(images).log_softmax(1)).sum(1).mean()
    assert torch.isclose(found, by_hand)


def test_mixups_loss_is_that_of_blended_labels(scored):
    model, images, labels = scored
    found = regularization.objective({}, blend=1.0, seed=3)(model, images, labels)
    mixed, partner, share = regularization.mixup(images, 1.0, np.random.default_rng([3, 5]))
    one_hot = nn.functional.one_hot(labels, 5)
    blended = share * one_hot + (1 - share) * one_hot[partner]
    assert torch.isclose(found, cross_entropy(model(mixed), blended))


def test_without_a_regulariser_the_objective_is_cross_entropy(scored):
    model, images, labels = scored
    plain = regularization.objective({})(model, images, labels)
    assert torch.equal(plain, training.cross_entropy(model, images, labels))
    pulled = regularization.objective({}, pull=2.0)(model, images, labels)
    assert torch.isclose(pulled, plain + 2 * regularization.l2sp(model, {}))


# ── learning ────────────────────────────────────────────────────────────────────────────────


def learned(target, **settings):
    train = regularization.draw(target, "noisy", 0)
    return regularization.learn(train, 0, steps=12, **settings)


def distance(model):
    """How far the backbone went from the shipped weights."""
    return (weights(model.backbone) - weights(models.load_backbone("letters"))).norm()


def test_a_pull_keeps_the_backbone_near_its_source(target):
    near, far = (distance(learned(target, pull=pull)) for pull in (1.0, 0.0))
    assert near < far / 2


def test_a_network_from_scratch_is_pulled_to_where_it_began(target):
    runtime.seed_everything(0)
    began = weights(models.SmallCNN())
    moved = [
        (weights(learned(target, source=None, pull=pull).backbone) - began).norm()
        for pull in (1.0, 0.0)
    ]
    assert moved[0] < moved[1] / 2


@pytest.mark.parametrize(
    "settings",
    [
        {"drop": 0.5},
        {"weight_decay": 3.0},
        {"smoothing": 0.3},
        {"blend": 1.0},
        {"strength": 0.5},
        {"lr": 1e-3},
        {"patience": 1},
    ],
)
def test_every_regulariser_changes_what_is_learned(target, settings):
    assert not torch.equal(weights(learned(target, **settings)), weights(learned(target)))


def test_the_same_seed_learns_the_same(target):
    one, two = (learned(target, drop=0.5, blend=1.0, strength=0.5) for _ in range(2))
    assert torch.equal(weights(one), weights(two))


def test_held_out_pictures_are_not_trained_on(target):
    train = few_labels(target.pool, 5, 0)
    kept, watched = regularization.hold_out(train)
    assert (len(kept), len(watched)) == (40, 10)
    together = torch.cat([kept.images, watched.images]).flatten(1)
    assert torch.equal(together.sum(1).sort()[0], train.images.flatten(1).sum(1).sort()[0])
    with pytest.raises(ValueError, match="at least 5"):
        regularization.hold_out(train.subset([0, 1]))


def test_a_noisy_draw_has_the_pictures_of_a_clean_one(target):
    noisy = regularization.draw(target, "noisy", 3)
    clean = few_labels(target.pool, 20, 3)
    assert torch.equal(noisy.images, clean.images)
    assert 0.25 < (noisy.labels != clean.labels).float().mean() < 0.47
    assert torch.equal(
        regularization.draw(target, "clean", 3).labels, few_labels(target.pool, 5, 3).labels
    )


def test_curves_have_one_row_for_each_set(target):
    found = regularization.curves(target, 0, {"steps": 20, "drop": 0.5})
    assert {name: len(values) for name, values in found.items()} == {
        "given labels": 2,
        "validation": 2,
        "test": 2,
    }


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
    monkeypatch.setattr(regularization, "CANDIDATES", few)
    return Splits(*map(only, target))


def test_the_best_strength_and_a_pair_are_chosen(small, one_process):
    found = regularization.choose(small, "clean", [5, 6])
    assert found["strengths"] == {
        "dropout": {"drop": 0.2},
        "L2-SP": {"pull": 0.01},
        "label smoothing": {"smoothing": 0.1},
    }
    assert found["best"] in found["strengths"]
    assert len(set(found["pair"])) == 2 and set(found["pair"]) <= set(found["strengths"])
    listed = regularization.recipes(found)
    assert list(listed) == ["none", *found["strengths"], "best pair"] and listed["none"] == {}
    a, b = found["pair"]
    assert listed["best pair"] == found["strengths"][a] | found["strengths"][b]


def test_baselines_are_chosen_from_the_same_number_of_candidates(small, one_process):
    found = regularization.choose_baselines(small, "clean", [5])
    assert list(found) == list(regularization.BASELINES)
    for method, settings in found.items():
        tried = [
            regularization.baseline(small, "clean", 5, method, candidate, [small.validation]).item()
            for candidate in transfer.CANDIDATES[method]
        ]
        assert len(tried) == 6
        assert tried[transfer.CANDIDATES[method].index(settings)] == max(tried) > 1 / 3


def test_every_regulariser_has_six_candidates():
    assert {len(rows) for rows in regularization.CANDIDATES.values()} == {6}


def test_fine_tuning_with_a_chosen_rate_is_chosen_like_the_regularisers():
    """It is the fair opponent of the others; `learn`'s own rate is one that nobody chose."""
    tried = regularization.CANDIDATES[regularization.CHOSEN_RATE]
    assert len(tried) == 6 and all(list(settings) == ["lr"] for settings in tried)
    untuned = inspect.signature(regularization.learn).parameters["lr"].default
    assert {"lr": untuned} not in tried
    chosen = regularization.chosen_settings()["noisy"]["strengths"][regularization.CHOSEN_RATE]
    assert 0 < tried.index(chosen) < 5  # no wider range would have given another one


def test_weight_decay_does_not_beat_a_chosen_rate(target):
    """The clearest line of the lesson's second column, on three seeds, without the notebook."""
    ways = regularization.recipes(regularization.chosen_settings()["noisy"])
    decayed, rate = (
        [
            regularization.train_and_test(target, "noisy", seed, ways[name], [target.test])
            for seed in runtime.seeds(3)
        ]
        for name in ("weight decay", regularization.CHOSEN_RATE)
    )
    assert np.mean(decayed) < np.mean(rate) + 0.02


def test_the_shipped_settings_are_candidates():
    found = regularization.chosen_settings()
    assert list(found) == ["noisy", "clean", "noisy, from scratch"]
    for task in found.values():
        assert list(task["strengths"]) == list(regularization.CANDIDATES)
        for name, settings in task["strengths"].items():
            assert settings in regularization.CANDIDATES[name]
    assert json.loads(regularization.SETTINGS.read_text()) == found


def test_under_wrong_labels_the_chosen_regulariser_helps(target):
    """The lesson's first claim, on three seeds, without the notebook."""
    chosen = regularization.chosen_settings()["noisy"]
    best = chosen["strengths"][chosen["best"]]
    gains = [
        np.subtract(
            *(
                regularization.train_and_test(target, "noisy", seed, settings, [target.test])
                for settings in (best, {})
            )
        ).item()
        for seed in runtime.seeds(3)
    ]
    assert min(gains) > 0 and np.mean(gains) > 0.03
