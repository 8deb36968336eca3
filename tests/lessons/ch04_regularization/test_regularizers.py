"""Each regulariser against its formula."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, one_hot

from tlcourse import training
from tlcourse.lessons.ch04_regularization import regularizers


def test_the_steps_of_adam_are_those_of_torch():
    ways = (torch.optim.Adam, torch.optim.AdamW)
    for optimizer, weight_decay in itertools.product(ways, (0.0, 0.01, 0.5)):
        generator = torch.Generator().manual_seed(0)
        ours, state = torch.randn(7, generator=generator, dtype=torch.float64), {}
        theirs = nn.Parameter(ours.clone())
        torchs = optimizer([theirs], lr=0.01, weight_decay=weight_decay)
        for _ in range(20):
            theirs.grad = torch.randn(7, generator=generator, dtype=torch.float64)
            given = theirs.grad.clone(), state, 0.01, weight_decay
            ours = regularizers.adam_step(ours, *given, decoupled=optimizer is torch.optim.AdamW)
            torchs.step()
        case = f"{optimizer.__name__}, weight decay {weight_decay}"
        assert torch.allclose(ours, theirs.detach(), rtol=0, atol=1e-10), case


def test_l2_inside_adam_hardly_shrinks_a_weight_with_large_gradients():
    """Why decoupled decay was invented: both weights should shrink alike, and do not."""
    gradients = torch.tensor([0.01, 100.0]) * torch.tensor([[1.0], [-1.0]]).repeat(200, 1)
    shrunk = {}
    for decoupled in (False, True):
        found, state = torch.ones(2), {}
        for gradient in gradients:
            found = regularizers.adam_step(found, gradient, state, 1e-3, 0.5, decoupled)
        shrunk[decoupled] = 1 - found
    assert torch.isclose(*shrunk[True], rtol=0.05)
    assert shrunk[False][0] > 5 * shrunk[False][1]


def test_the_gradient_of_l2sp_is_the_distance_from_the_start():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)).double()
    start = {n: torch.randn_like(p) for n, p in model.named_parameters() if n.startswith("0")}
    penalty = regularizers.l2sp(model, start)
    penalty.backward()
    moves = {n: (p - start.get(n, 0)).detach() for n, p in model.named_parameters()}
    assert torch.isclose(penalty, sum((move**2).sum() for move in moves.values()) / 2)
    for name, p in model.named_parameters():
        assert torch.allclose(p.grad, moves[name]), name


def test_mixup_blends_each_picture_with_its_partner():
    images = torch.rand(6, 1, 4, 4)
    mixed, partner, share = regularizers.mixup(images, 1.0, np.random.default_rng(0))
    assert sorted(partner.tolist()) == list(range(6)) and 0 <= share <= 1
    for i in range(6):
        assert torch.allclose(mixed[i], share * images[i] + (1 - share) * images[partner[i]])
    with pytest.raises(ValueError, match="above 0"):
        regularizers.mixup(images, 0, np.random.default_rng(0))


def test_the_objective_is_cross_entropy_with_each_regulariser():
    torch.manual_seed(0)
    model, labels = nn.Sequential(nn.Flatten(), nn.Linear(16, 5)), torch.arange(8) % 5
    images, rows = torch.rand(8, 1, 4, 4), one_hot(labels, 5)

    def found(**strengths):
        return regularizers.objective({}, **strengths)(model, images, labels)

    plain = training.cross_entropy(model, images, labels)
    assert torch.equal(found(), plain)
    assert torch.isclose(found(pull=2.0), plain + 2 * regularizers.l2sp(model, {}))
    spread = -((0.8 * rows + 0.2 / 5) * model(images).log_softmax(1)).sum(1).mean()
    assert torch.isclose(found(smoothing=0.2), spread)
    mixed, partner, share = regularizers.mixup(images, 1.0, np.random.default_rng([3, 5]))
    blended = cross_entropy(model(mixed), share * rows + (1 - share) * rows[partner])
    assert torch.isclose(found(blend=1.0, seed=3), blended)
