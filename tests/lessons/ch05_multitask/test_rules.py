"""Balancing rules against slow versions, the papers' formulas and properties."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tlcourse.lessons.ch05_multitask import rules

any_seed = given(st.integers(0, 10**6))
many = settings(max_examples=50, deadline=None)


def random_gradients(seed, tasks=3, runs=2, size=7):
    """Return gradients (runs, tasks, size) in float64, of very different lengths."""
    draw = torch.Generator().manual_seed(seed)
    g = torch.randn(runs, tasks, size, generator=draw, dtype=torch.float64)
    return g * 10 ** torch.randn(runs, tasks, 1, generator=draw)


def weights_of(rule, g, losses=None, **memory):
    losses = torch.ones(g.shape[:2], dtype=g.dtype) if losses is None else losses
    return rule(losses, g @ g.mT, memory)


def mixed(rule, g, **memory):
    return (weights_of(rule, g, **memory)[:, None] @ g)[:, 0]


def test_normalised_gradients_all_have_length_one():
    g = random_gradients(0)
    weighted = weights_of(rules.normalised, g)[..., None] * g
    assert torch.allclose(weighted.norm(dim=2), torch.ones(2, 3, dtype=g.dtype))


def pcgrad_slowly(g, seed):
    """Follow algorithm 1 of Yu et al. (2020) vector by vector, for one run."""
    draw, rows = torch.Generator().manual_seed(seed), []
    for i in range(len(g)):
        v = g[i].clone()
        for j in torch.randperm(len(g), generator=draw).tolist():
            if j != i and v @ g[j] < 0:
                v = v - (v @ g[j]) / (g[j] @ g[j]) * g[j]
        rows.append(v)
    return sum(rows)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("tasks", [2, 3, 5])
def test_pcgrad_equals_the_algorithm_vector_by_vector(seed, tasks):
    g = random_gradients(seed, tasks, runs=3)
    found = mixed(rules.pcgrad, g, generator=torch.Generator().manual_seed(seed))
    for run in range(3):
        assert torch.allclose(found[run], pcgrad_slowly(g[run], seed), rtol=1e-10)


@many
@any_seed
def test_pcgrad_leaves_gradients_alone_that_do_not_conflict(seed):
    g = random_gradients(seed).abs()  # all inner products are positive
    assert torch.equal(weights_of(rules.pcgrad, g), torch.ones(2, 3, dtype=g.dtype))


@many
@any_seed
def test_pcgrad_of_two_tasks_never_opposes_either(seed):
    g = random_gradients(seed, tasks=2)
    inner = (g @ mixed(rules.pcgrad, g)[..., None])[..., 0]
    assert (inner >= -1e-9 * g.norm(dim=2) * g.norm(dim=(1, 2))[:, None]).all()


@many
@any_seed
def test_imtl_projects_equally_onto_every_gradient_and_its_weights_sum_to_one(seed):
    g = random_gradients(seed)
    weights = weights_of(rules.equal_projections, g)
    onto = (g / g.norm(dim=2, keepdim=True) * (weights[:, None] @ g)).sum(2)
    assert torch.allclose(onto, onto[:, :1].expand_as(onto), rtol=1e-2)
    assert torch.allclose(weights.sum(1), torch.ones(2, dtype=g.dtype))


def test_uncertainty_takes_the_first_adam_steps_of_the_papers_loss():
    losses = torch.tensor([[2.0, 300.0], [0.1, 4.0]], dtype=torch.float64)
    s = torch.zeros_like(losses, requires_grad=True)
    adam, memory = torch.optim.Adam([s], 0.3), {"classes": [True, False], "rate": 0.3}
    for _ in range(5):
        found, variance = rules.uncertainty(losses, None, memory), torch.exp(s)
        assert torch.allclose(found, torch.tensor([1.0, 0.5]) / variance.detach())
        paper = losses[:, 0] / variance[:, 0] + losses[:, 1] / (2 * variance[:, 1])
        adam.zero_grad()
        (paper.sum() + torch.log(variance.sqrt()).sum()).backward()
        adam.step()
    assert torch.allclose(memory["learned"], s)


def test_dwa_weighs_by_the_change_of_ten_steps():
    memory, losses = {"temperature": 0.5}, torch.rand(20, 1, 2) + 0.5
    found = [rules.average_change(x, None, memory) for x in losses]
    assert torch.equal(found[18], torch.ones(1, 2))
    e = torch.exp(losses[10:].mean(0) / losses[:10].mean(0) / 0.5)
    assert torch.allclose(found[19], 2 * e / e.sum())


def test_gradnorm_begins_with_equal_weights_and_follows_the_slope_of_its_own_loss():
    g, losses = random_gradients(4, tasks=2, runs=1), torch.tensor([[1.0, 3.0]]).double()
    memory, norms = {"alpha": 1.5}, g.norm(dim=2)
    assert torch.allclose(rules.gradnorm(losses, g @ g.mT, memory), torch.ones(1, 2).double())
    # Both tasks have all of their first loss left, so the longer gradient must lose weight.
    longer = int(norms.argmax())
    assert memory["learned"][0, longer] < memory["learned"][0, 1 - longer]
    left = np.array([0.5, 1.0])
    goal = rules.gradnorm_targets(norms, losses * torch.from_numpy(left), losses, 1.5)[0]
    assert np.allclose(goal, float(norms.mean()) * (left / left.mean()) ** 1.5)


def test_gradnorm_brings_weighted_gradients_to_one_length():
    g, memory = random_gradients(1, tasks=2, runs=3), {"rate": 0.05}
    for _ in range(400):
        weights = rules.gradnorm(torch.ones(3, 2, dtype=torch.float64), g @ g.mT, memory)
    lengths = weights * g.norm(dim=2)
    assert (lengths.max(1).values / lengths.min(1).values < 1.5).all()
