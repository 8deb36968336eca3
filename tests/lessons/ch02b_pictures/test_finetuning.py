"""What is frozen stays, what is tuned moves, and every recipe is tuned like the others."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from tlcourse import models, settings, training
from tlcourse.data import few_labels
from tlcourse.lessons.ch01_concepts import transfer
from tlcourse.lessons.ch02b_pictures import finetuning

RECIPES = list(finetuning.RECIPES)
NETWORKS = RECIPES[1:]


@pytest.fixture(scope="module")
def train(tiny):
    return few_labels(tiny.pool, 4, seed=1)


def state(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def moved(before, module):
    return {n for n, value in module.state_dict().items() if not torch.equal(before[n], value)}


def trained_parts(predict):
    """The lower and the upper part of the network that a recipe trained."""
    return predict.args[0]


# ── parts ───────────────────────────────────────────────────────────────────────────────────


def test_the_two_parts_are_the_network_cut_in_two(train):
    model = finetuning.start(train, 0).eval()
    assert finetuning.layers(model)[4] is model.head
    for depth in finetuning.DEPTHS:
        lower, upper = finetuning.split(model, depth)
        with torch.no_grad():
            assert torch.equal(upper(lower(train.images)), model(train.images)), depth
        parts = [*lower.parameters(), *upper.parameters()]
        assert list(map(id, parts)) == list(map(id, model.parameters())), "shared, not copied"
        assert [*lower, *upper][:4] == finetuning.layers(model)[:4], depth
    for depth in (-1, 5):
        with pytest.raises(ValueError, match=f"depth is {depth}: freeze from 0 to 4 blocks"):
            finetuning.freeze_below(train, 0, depth)


def test_a_start_has_the_weights_of_its_source_and_a_head_by_seed(train):
    first, again, other = (finetuning.start(train, seed, "faces") for seed in (1, 1, 2))
    source = models.load_backbone("faces")
    assert not moved(state(source), first.backbone)
    assert torch.equal(first.head.weight, again.head.weight)
    assert not torch.equal(first.head.weight, other.head.weight)
    random = [finetuning.start(train, seed, "random").backbone for seed in (1, 1, 2)]
    assert not moved(state(random[0]), random[1]) and moved(state(random[0]), random[2])
    with pytest.raises(FileNotFoundError, match="choose one of"):
        finetuning.freeze_below(train, 0, source="cats")


def test_what_is_run_once_equals_what_is_run_at_each_step(train):
    """Whatever the size of the batch, and although the module was in train mode."""
    model = finetuning.start(train, 0)
    lower, _ = finetuning.split(model, 3)
    models.freeze(lower)
    kept = finetuning.run_once(lower.train(), train.images)
    lower.train()
    rows = torch.tensor([7, 2, 5])
    assert torch.allclose(lower(train.images[rows]), kept[rows], atol=1e-6)
    assert not kept.requires_grad


# ── learning rates ──────────────────────────────────────────────────────────────────────────


def test_rates_fall_from_the_head_down_and_groups_hold_what_learns_once(train):
    for depth in finetuning.DEPTHS:
        model = finetuning.start(train, 0)
        models.freeze(finetuning.split(model, depth)[0])
        groups = finetuning.rate_groups(finetuning.layers(model), 0.08, 0.5)
        listed = [id(p) for group in groups for p in group["params"]]
        assert listed == [id(p) for p in model.parameters() if p.requires_grad], depth
        assert [g["lr"] for g in groups] == [0.005, 0.01, 0.02, 0.04, 0.08][depth:]
        assert groups[-1]["params"] == list(model.head.parameters())
    for decay in (0, -0.5, 1.5):
        with pytest.raises(ValueError, match=f"decay is {decay}: take a factor above 0"):
            finetuning.rate_groups([nn.Linear(1, 1)], 0.1, decay)


def test_the_first_step_of_adamw_moves_each_layer_by_its_own_rate(train):
    """Its first step is the rate times the sign of the gradient (Kingma and Ba 2015, section 2.1)."""
    model = finetuning.start(train, 0)
    groups = finetuning.rate_groups(finetuning.layers(model), 0.08, 0.5)
    before = state(model)
    training.fit(model, train.images, train.labels, 1, groups=groups, weight_decay=0)
    for i, rate in enumerate([0.005, 0.01, 0.02, 0.04]):
        name = f"backbone.blocks.{i}.0.weight"
        step = (model.state_dict()[name] - before[name]).abs().max().item()
        assert step == pytest.approx(rate, rel=1e-3)


# ── the recipes ─────────────────────────────────────────────────────────────────────────────


def test_each_recipe_learns_and_repeats_itself(tiny, train):
    for name, recipe in finetuning.RECIPES.items():
        first = recipe(train, 3)(tiny.test.images)
        torch.manual_seed(99)
        np.random.seed(99)
        assert torch.equal(first, recipe(train, 3)(tiny.test.images)), name
        assert (first == tiny.test.labels).float().mean() > 0.8, f"{name}: chance is 0.33"


def test_frozen_blocks_do_not_move_at_all_and_all_others_do(train):
    """Neither their weights nor their BatchNorm statistics."""
    source = list(models.load_backbone("letters").blocks)
    for depth in finetuning.DEPTHS:
        lower, upper = trained_parts(finetuning.freeze_below(train, 1, depth, steps=3))
        assert len(lower) == depth
        for block, part in zip(source, lower, strict=False):
            assert not moved(state(block), part), depth
        for block, part in zip(source[depth:], upper, strict=False):
            names = moved(state(block), part)
            assert names == set(state(block)), "weights, mean, variance and the count of batches"


def test_full_fine_tuning_is_that_of_chapter_1(tiny, train):
    ours = finetuning.freeze_below(train, 5, 0, lr=5e-3, steps=7)
    theirs = transfer.fine_tune(train, 5, lr=5e-3, steps=7)
    images = tiny.test.images
    assert torch.equal(trained_parts(ours)(images), theirs.args[0](images))


def test_training_on_kept_maps_is_training_with_a_frozen_part(tiny, train):
    """The same network, trained the slow way: the frozen blocks run at each step."""
    predict = finetuning.freeze_below(train, 5, 2, lr=5e-3, steps=7)
    slow = finetuning.start(train, 5)
    models.freeze(finetuning.split(slow, 2)[0])
    training.fit(slow, train.images, train.labels, 7, lr=5e-3, seed=5)
    mine, theirs = trained_parts(predict)[1][0][0].weight, slow.backbone.blocks[2][0].weight
    assert torch.allclose(mine, theirs, atol=1e-5)


def test_gradual_unfreezing_frees_one_block_a_stage_from_the_head_down(train, monkeypatch):
    stages, plain = [], training.fit

    def watched(model, images, labels, steps, **settings):
        learning = sum(any(p.requires_grad for p in part.parameters()) for part in model)
        before = state(model)
        losses = plain(model, images, labels, steps, **settings)
        weights = {name for name in moved(before, model) if name.endswith("weight")}
        stages.append((steps, learning, len({name.split(".")[0] for name in weights})))
        return losses

    monkeypatch.setattr(training, "fit", watched)
    finetuning.gradual_unfreezing(train, 1, steps=15)
    assert stages == [(3, 1, 1), (3, 2, 2), (3, 3, 3), (3, 4, 4), (3, 5, 5)]


def test_probing_first_means_that_tuning_starts_from_a_head_that_fits(train, monkeypatch):
    """So the loss of the first step is small already, as it is not with a new head."""
    losses, plain = [], training.fit

    def watched(*arguments, **settings):
        losses.append(plain(*arguments, **settings))
        return losses[-1]

    monkeypatch.setattr(training, "fit", watched)
    finetuning.probe_then_tune(train, 1, steps=20)
    finetuning.freeze_below(train, 1, steps=20)
    probe, tune, full = losses
    assert len(probe) == 40 and len(tune) == len(full) == 20
    assert tune[0] < full[0] / 2


def test_with_fixed_statistics_every_weight_moves_and_no_statistic(train):
    model = finetuning.statistics_fixed(train, 1, steps=3).args[0]
    source = models.load_backbone("letters")
    names = moved(state(source), model.backbone)
    assert names == {n for n, _ in source.named_parameters()}


# ── choosing and measuring ──────────────────────────────────────────────────────────────────


def test_every_recipe_has_six_candidates_as_in_chapter_1():
    assert list(finetuning.CANDIDATES) == RECIPES
    assert all(len(rows) == 6 for rows in finetuning.CANDIDATES.values())
    name = "frozen features + logistic regression"
    assert finetuning.CANDIDATES["feature extraction"] == transfer.CANDIDATES[name]


def test_the_chosen_settings_are_among_the_candidates():
    found = finetuning.chosen_settings()
    for name, rows in finetuning.CANDIDATES.items():
        assert list(found["recipes"][name]) == [1, 5]
        assert all(chosen in rows for chosen in found["recipes"][name].values())
    assert list(found["depths"]) == list(finetuning.SOURCES)
    for rows in found["depths"].values():
        assert len(rows) == 5 and all(chosen in finetuning.RATES for chosen in rows[:4])
        assert rows[4] in finetuning.BOLD


def test_choosing_uses_seeds_that_no_report_uses(tmp_path, monkeypatch):
    asked = []

    def choose(recipe, candidates, per_class, seeds):
        asked.append((per_class, tuple(seeds)))
        return candidates[0]

    monkeypatch.setattr(transfer, "choose", choose)
    monkeypatch.setattr(finetuning, "SETTINGS", tmp_path / "settings.json")
    finetuning.main()
    assert len(asked) == 2 * 6 + 3 * 5
    assert {seeds for _, seeds in asked} == {tuple(settings.choosing_seeds())}
    written = json.loads((tmp_path / "settings.json").read_text())
    assert written["depths"]["faces"] == [{"lr": 5e-4}] * 4 + [{"lr": 2e-3}]
    assert finetuning.chosen_settings()["recipes"]["full fine-tuning"][5] == {"lr": 5e-4}


def test_comparing_gives_each_recipe_and_each_depth_its_own_accuracy(tiny):
    rows = {name: {4: {"steps": 5}} for name in RECIPES} | {RECIPES[0]: {4: {}}}
    found = finetuning.compare_recipes(tiny, rows, 4, 2)
    assert list(found) == RECIPES
    train = few_labels(tiny.pool, 4, 2)
    for name in NETWORKS[:2]:
        alone = finetuning.RECIPES[name](train, 2, steps=5)
        assert found[name] == transfer.accuracy(alone, tiny.test)
    depths = finetuning.compare_depths(tiny, {"faces": [{"steps": 5}] * 5}, 4, 2)
    assert list(depths) == ["faces"] and depths["faces"].shape == (5,)
    alone = finetuning.freeze_below(train, 2, 3, steps=5, source="faces")
    assert depths["faces"][3] == transfer.accuracy(alone, tiny.test)


def test_errors_on_the_way_are_those_of_training_watched_from_outside(tiny):
    """With all rates alike it is plain fine-tuning; maps that are kept and maps made anew agree."""
    train, looks = few_labels(tiny.pool, 4, 2), (5, 10)
    given = {"depth": 2, "lr": 5e-3, "factor": 1.0, "weight_decay": 0.01}
    found = finetuning.errors_on_the_way(tiny, 4, 2, looks, **given)
    assert found.shape == (2, 2) and (found == found.astype(int)).all()
    slow, expected = finetuning.start(train, 2), []
    models.freeze(finetuning.split(slow, 2)[0])

    def look(step, model):
        parts = (tiny.validation, tiny.test)
        expected.append([(training.predict(model, p.images) != p.labels).sum() for p in parts])

    training.fit(slow, train.images, train.labels, 10, lr=5e-3, seed=2, hook=look, every=5)
    assert np.abs(found - np.transpose(expected)).max() <= 1, "sums in another order"
    plain = finetuning.errors_on_the_way(
        tiny, 4, 2, looks, augment=lambda images, generator: images, **given
    )
    assert np.abs(plain - found).max() <= 1
    frozen = given | {"depth": 4, "lr": 1e-12}
    still = finetuning.errors_on_the_way(tiny, 4, 2, looks, **frozen)
    assert (still[:, 0] == still[:, 1]).all() and still.sum() > found.sum()
