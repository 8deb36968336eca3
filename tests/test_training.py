"""The training loop: one step by hand, the order of the batches, hooks, early stopping."""

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tlcourse import models, training


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def pictures(n, classes=3, seed=0):
    """Pictures of random noise, and labels that a network can only learn by heart."""
    images = torch.rand(n, 1, 16, 16, generator=generator(seed))
    return images, torch.randint(classes, (n,), generator=generator(seed + 1))


def stripes(n, classes=3, seed=0):
    """Pictures that can be told apart: class k has a white stripe in row ``2 + 5 * k``."""
    images, labels = pictures(n, classes, seed)
    images[torch.arange(n), 0, 2 + 5 * labels] = 1
    return images, labels


def network(seed=0, classes=3):
    torch.manual_seed(seed)
    return models.classifier(models.SmallCNN(), classes)


def linear(seed=0, side=4, classes=3):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(side * side, classes))


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


# ── the loop ────────────────────────────────────────────────────────────────────────────────


def test_training_lowers_the_loss_and_learns_eight_pictures_by_heart():
    images, labels = pictures(8)
    model = network()
    losses = training.fit(model, images, labels, 60, lr=5e-3)
    assert len(losses) == 60 and all(isinstance(loss, float) for loss in losses)
    assert losses[0] > 0.7 and losses[-1] < 0.05
    assert training.accuracy(model, images, labels) == 1


def test_the_same_seed_gives_the_same_network():
    images, labels = pictures(40)

    def run(seed):
        model = network()
        return training.fit(model, images, labels, 8, batch_size=16, seed=seed), weights(model)

    (first, one), (second, two), (third, three) = run(4), run(4), run(5)
    assert first == second and torch.equal(one, two)
    assert first != third and not torch.equal(one, three)


def test_groups_have_their_own_learning_rates_and_what_is_in_none_stays():
    images, labels = pictures(12)
    model = network()
    before = copy.deepcopy(model.state_dict())
    groups = [
        {"params": list(model.head.parameters()), "lr": 0.01},
        {"params": [model.backbone.blocks[3][0].weight], "lr": 0.001},
    ]
    training.fit(model, images, labels, 1, groups=groups, weight_decay=0)
    names = [name for name, _ in model.named_parameters()]
    steps = {n: (model.state_dict()[n] - before[n]).abs().max().item() for n in names}
    assert steps.pop("head.weight") == pytest.approx(0.01, rel=1e-3)
    assert steps.pop("head.bias") == pytest.approx(0.01, rel=1e-3)
    assert steps.pop("backbone.blocks.3.0.weight") == pytest.approx(0.001, rel=1e-3)
    assert set(steps.values()) == {0.0}


def test_each_step_is_adamw_with_a_cosine_learning_rate_by_hand():
    """Loshchilov and Hutter 2019, algorithm 2, written out for a linear classifier."""
    images = torch.rand(10, 1, 4, 4, generator=generator())
    labels = torch.arange(10) % 3
    lr, decay, steps, size = 0.03, 0.1, 7, 4
    model = linear()
    W, b = (p.detach().clone() for p in model.parameters())
    how = {"lr": lr, "weight_decay": decay, "batch_size": size, "seed": 3}
    losses = training.fit(model, images, labels, steps, **how)
    batches = list(training.batches(10, size, steps, generator(3)))
    m, v = [torch.zeros_like(p) for p in (W, b)], [torch.zeros_like(p) for p in (W, b)]
    for t in range(1, steps + 1):
        X, y = images[batches[t - 1]].flatten(1), labels[batches[t - 1]]
        probability = (X @ W.T + b).softmax(1)
        loss = -probability[range(size), y].log().mean().item()
        assert losses[t - 1] == pytest.approx(loss, rel=1e-4)
        error = (probability - nn.functional.one_hot(y, 3)) / size
        rate = lr * (1 + math.cos(math.pi * (t - 1) / steps)) / 2
        for i, (p, gradient) in enumerate([(W, error.T @ X), (b, error.sum(0))]):
            m[i] = 0.9 * m[i] + 0.1 * gradient
            v[i] = 0.999 * v[i] + 0.001 * gradient**2
            step = (m[i] / (1 - 0.9**t)) / ((v[i] / (1 - 0.999**t)).sqrt() + 1e-8)
            p -= rate * (step + decay * p)
    assert torch.allclose(weights(model), torch.cat([W.flatten(), b]), rtol=1e-4, atol=1e-6)


def test_nothing_to_do_and_nothing_to_train_are_errors():
    for images, steps, words in (
        (4, 0, "0 steps on 4 pictures: both must be at least 1"),
        (4, -2, "-2 steps on 4 pictures"),
        (0, 5, "5 steps on 0 pictures: both must be at least 1"),
    ):
        with pytest.raises(ValueError, match=words):
            training.fit(network(), *pictures(images), steps)
    with pytest.raises(ValueError, match="every parameter is frozen: leave at least the head"):
        training.fit(models.freeze(network()), *pictures(4), 5)


def test_a_description_shows_a_progress_bar(capsys):
    images, labels = pictures(4)
    quiet = training.fit(network(), images, labels, 3)
    assert capsys.readouterr() == ("", "")
    assert training.fit(network(), images, labels, 3, description="learning") == quiet
    assert "learning" in capsys.readouterr().err


# ── augmentation ────────────────────────────────────────────────────────────────────────────


def test_augmentation_gets_each_batch_and_a_generator_that_the_seed_moves():
    images, labels = pictures(20)

    def run(seed):
        seen = []

        def augment(batch, generator):
            seen.append((batch, torch.rand(1, generator=generator).item()))
            return batch

        training.fit(network(), images, labels, 6, batch_size=8, augment=augment, seed=seed)
        return seen

    seen = run(1)
    assert [batch.shape for batch, _ in seen] == [(8, 1, 16, 16)] * 6
    assert all(any(row.equal(image) for image in images) for batch, _ in seen for row in batch)
    numbers = [number for _, number in seen]
    assert len(set(numbers)) == 6
    assert numbers == [number for _, number in run(1)] != [number for _, number in run(2)]


def test_the_network_sees_what_augmentation_returns():
    images, labels = stripes(60)
    model = network()
    training.fit(model, images, labels, 40, augment=lambda batch, generator: 1 - batch)
    assert training.accuracy(model, 1 - images, labels) > 0.95
    assert torch.equal(images, stripes(60)[0]), "the pictures themselves stay"


# ── batches ─────────────────────────────────────────────────────────────────────────────────


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(1, 40), st.integers(1, 25), st.integers(0, 99))
def test_each_epoch_is_the_beginning_of_a_shuffle_in_equal_batches(n, size, steps, seed):
    found = list(training.batches(n, size, steps, generator(seed)))
    assert len(found) == steps
    assert {len(batch) for batch in found} == {min(n, size)}
    epoch = n // min(n, size)  # batches
    for start in range(0, steps, epoch):
        seen = torch.cat(found[start : start + epoch]).tolist()
        assert len(set(seen)) == len(seen), "no picture twice in an epoch"
        assert set(seen) <= set(range(n))
    again = list(training.batches(n, size, steps, generator(seed)))
    assert all(torch.equal(a, b) for a, b in zip(found, again, strict=True))


def test_a_picture_left_out_of_one_epoch_has_its_chance_in_the_next():
    found = torch.cat(list(training.batches(5, 3, 300, generator())))
    times = torch.bincount(found, minlength=5)
    assert times.min() > 140, "180 expected, with a standard deviation of 8"
    first, second = list(training.batches(50, 50, 2, generator()))
    assert not torch.equal(first, second), "a fresh shuffle"


# ── prediction ──────────────────────────────────────────────────────────────────────────────


def test_predict_is_the_highest_score_in_evaluation_mode():
    model = network().train()
    images, labels = pictures(11)
    before = copy.deepcopy(model.state_dict())
    found = training.predict(model, images, batch_size=4)
    assert not model.training and not found.requires_grad
    scores = [model(image[None])[0].tolist() for image in images]
    expected = [row.index(max(row)) for row in scores]
    assert found.tolist() == expected and found.dtype == torch.int64
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    right = sum(a == b for a, b in zip(expected, labels.tolist(), strict=True))
    assert training.accuracy(model, images, labels) == pytest.approx(right / 11)


def test_predictions_do_not_depend_on_how_many_pictures_go_together():
    model, (images, _) = models.classifier(models.SmallCNN, 10, seed=0), pictures(700)
    ways = [training.predict(model, images, size) for size in (128, 1, 512, 700)]
    assert all(torch.equal(ways[0], way) for way in ways)


def test_a_predictor_is_trained_and_its_batchnorm_is_up_to_date():
    (images, labels), slow, quick = stripes(30), network(), network()
    training.fit(slow, images, labels, 20, lr=5e-3, seed=1)
    models.reestimate_batchnorm(slow, images)
    predict = training.predictor(quick, images, labels, 20, lr=5e-3, seed=1)
    state = quick.state_dict()
    assert all(torch.equal(v, state[name]) for name, v in slow.state_dict().items())
    assert torch.equal(predict(images), training.predict(slow, images))


# ── hooks ───────────────────────────────────────────────────────────────────────────────────


def test_the_hook_is_called_every_so_many_steps_and_stops_when_it_says_so():
    model, calls = network(), []

    def hook(step, given):
        assert given is model
        calls.append(step)
        return step >= 12

    images, labels = pictures(8)
    assert len(training.fit(model, images, labels, 11, hook=hook, every=4)) == 11
    assert calls == [4, 8]
    calls.clear()
    assert len(training.fit(model, images, labels, 40, hook=hook, every=6)) == 12
    assert calls == [6, 12]


def test_after_a_hook_has_evaluated_training_goes_on_as_if_nothing_had_happened():
    images, labels = pictures(24)

    def run(hook):
        model = network()
        losses = training.fit(model, images, labels, 6, batch_size=8, hook=hook, every=2)
        return losses, model

    plain, model = run(None)
    watched, other = run(training.Validation(images, labels))
    assert watched == plain, "BatchNorm would give other losses in evaluation mode"
    assert all(torch.equal(v, other.state_dict()[k]) for k, v in model.state_dict().items())


class Scripted(nn.Module):
    """A model whose accuracy on one picture of class 1 is what the script says, call by call."""

    def __init__(self, *right):
        super().__init__()
        self.right = iter(right)
        self.step = nn.Parameter(torch.zeros(()))

    def forward(self, images):
        with torch.no_grad():
            self.step += 1
        return torch.tensor([[0.0, 1.0 if next(self.right) else -1.0]])


ONE = torch.zeros(1, 1, 4, 4), torch.ones(1, dtype=torch.int64)


def calls_until_stop(hook, model, most=10):
    for step in range(1, most):
        if hook(step, model):
            return step
    return most


def test_patience_counts_evaluations_without_a_new_best():
    for patience, right, stops in (
        (1, [1, 1], 2),  # a tie is no new best
        (2, [0, 1, 0, 1], 4),
        (2, [0, 0, 1, 0, 0], 5),
        (3, [0, 1, 0, 0, 1], 5),
        (None, [1] + [0] * 8, 10),  # without patience it only records
    ):
        hook = training.Validation(*ONE, patience=patience)
        assert calls_until_stop(hook, Scripted(*right)) == stops, (patience, right)
        assert hook.scores == right[:stops] and hook.steps == list(range(1, len(right[:stops]) + 1))


def test_restore_gives_back_the_weights_of_the_first_best_evaluation():
    model, hook = Scripted(0, 1, 0, 1, 0), training.Validation(*ONE)
    with pytest.raises(ValueError, match=r"nothing was recorded yet: pass this hook to fit\(\)"):
        hook.restore(model)
    calls_until_stop(hook, model, most=6)
    assert model.step == 5
    hook.restore(model)
    assert model.step == 2


def test_early_stopping_in_real_training():
    train, held_out = stripes(30), stripes(60, seed=5)
    hook = training.Validation(*held_out, patience=3)
    model = network()
    losses = training.fit(model, *train, 400, hook=hook, every=5)
    assert len(losses) == hook.steps[-1] < 400
    best = max(hook.scores)
    assert best > 0.9 and hook.scores.index(best) == len(hook.scores) - 4
    hook.restore(model)
    assert training.accuracy(model, *held_out) == best
    again, other = training.Validation(*held_out, patience=3), network()
    training.predictor(other, *train, 400, hook=again, every=5)
    pairs = zip(model.parameters(), other.parameters(), strict=True)
    assert again.scores == hook.scores and all(torch.equal(a, b) for a, b in pairs)
