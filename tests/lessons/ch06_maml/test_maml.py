"""Meta-gradients against an independent loop and finite differences; bad input."""

import itertools

import pytest
import torch
import torch.nn.functional as F
from lessons.ch06_maml.problems import NORMS, apart, problem
from torch import nn
from torch.func import functional_call

from tlcourse.lessons.ch06_maml import maml


def query_loss_by_loop(model, start, task, steps, lr, second_order):
    """One task, one learner, nothing of the library."""
    fast = start
    for _ in range(steps):
        loss = F.mse_loss(functional_call(model, fast, (task[0],)), task[1])
        grads = torch.autograd.grad(loss, list(fast.values()), create_graph=second_order)
        fast = {n: w - lr * g for (n, w), g in zip(fast.items(), grads, strict=True)}
    return F.mse_loss(functional_call(model, fast, (task[2],)), task[3])


def gradient_by_loop(model, weights, tasks, *how, learners=2):
    found, each = [], len(tasks[0]) // learners
    for learner in range(learners):
        start = {n: w[learner].clone().requires_grad_() for n, w in weights.items()}
        rows = range(learner * each, (learner + 1) * each)
        mean = sum(query_loss_by_loop(model, start, tasks.rows(i), *how) for i in rows) / each
        found.append(dict(zip(start, torch.autograd.grad(mean, list(start.values())), strict=True)))
    return {n: torch.stack([f[n] for f in found]) for n in weights}


@pytest.mark.parametrize("norm", NORMS)
def test_the_outer_gradient_is_that_of_a_plain_loop(norm):
    model, weights, tasks = problem(norm)
    for steps, second_order in itertools.product((1, 5), (True, False)):
        slow = gradient_by_loop(model, weights, tasks, steps, 0.1, second_order)
        for chunk_size in (None, 4):
            how = {"second_order": second_order, "chunk_size": chunk_size}
            ours = maml.maml_gradient(model, weights, tasks, F.mse_loss, steps, 0.1, **how)
            assert apart(ours, slow) <= 1e-10, (steps, how)


@pytest.mark.parametrize("norm", NORMS)
def test_the_second_order_gradient_is_that_of_finite_differences(norm):
    model, weights, tasks = problem(norm, learners=1)
    way = {n: torch.randn_like(w) for n, w in weights.items()}

    def value(h):
        start = {n: (w[0] + h * way[n][0]).requires_grad_() for n, w in weights.items()}
        rows = range(len(tasks[0]))
        losses = [
            query_loss_by_loop(model, start, tasks.rows(i), 5, 0.1, False).item() for i in rows
        ]
        return sum(losses) / len(losses)

    h = 2e-5
    slope = (8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h)
    for second_order, bound in ((True, 1e-6), (False, 1e-3)):
        found = maml.maml_gradient(
            model, weights, tasks, F.mse_loss, 5, 0.1, second_order=second_order
        )
        ours = sum((found[n] * way[n]).sum() for n in weights).item()
        assert (ours == pytest.approx(slope, rel=bound)) == second_order, (ours, slope)


def test_dropout_draws_for_every_task_and_its_gradient_is_that_of_finite_differences():
    model = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Dropout(0.5), nn.Linear(16, 1)).double()
    weights = maml.initial_weights(lambda: model, [0])
    generator = torch.Generator().manual_seed(0)
    draw = lambda width: torch.randn(4, 5, width, generator=generator, dtype=torch.float64)
    tasks = maml.Tasks(draw(3), draw(1), draw(3), draw(1))
    fast, same = maml.for_tasks(weights, 4), tasks.support_inputs[:1].expand(4, -1, -1)
    assert len(maml.outputs(model, fast, same)[:, 0].unique()) == 4, "equal tasks, other masks"
    assert len(maml.outputs(model.eval(), fast, same)[:, 0].unique()) == 1

    def loss(start):
        torch.manual_seed(7)  # the same masks
        fast = maml.adapt(model, maml.for_tasks(start, 4), tasks[:2], F.mse_loss, 2, 0.1)
        return maml.task_losses(model, fast, *tasks[2:], F.mse_loss).mean().item()

    model.train()
    torch.manual_seed(7)
    gradient = maml.maml_gradient(model, weights, tasks, F.mse_loss, 2, 0.1)
    way = {n: torch.randn(w.shape, generator=generator, dtype=w.dtype) for n, w in weights.items()}
    ends = [loss({n: w + step * way[n] for n, w in weights.items()}) for step in (1e-5, -1e-5)]
    slope = sum((gradient[n] * way[n]).sum().item() for n in weights)
    assert slope == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-6)


def test_equal_rates_of_their_own_change_nothing():
    model, weights, tasks = problem("LayerNorm")
    plain = maml.maml_gradient(model, weights, tasks, F.mse_loss, lr=0.1)
    rates = maml.maml_gradient(model, maml.with_rates(weights, 0.1), tasks, F.mse_loss)
    assert all(torch.allclose(plain[n], rates[n], rtol=1e-10) for n in weights)
    assert rates[maml.RATE + "0.weight"].abs().max() > 0


def test_anil_adapts_the_head_alone():
    model, weights, tasks = problem()
    before = maml.for_tasks(weights, 6)
    after = maml.adapt(model, before, tasks[:2], F.mse_loss, 2, 0.1, only="3.")
    assert {n for n in weights if not torch.equal(before[n], after[n])} == {"3.weight", "3.bias"}


def test_reptile_is_minus_the_mean_displacement():
    model, weights, tasks = problem()
    outer = maml.reptile_gradient(model, weights, tasks, F.mse_loss, steps=1, lr=0.1)
    joint = maml.joint_gradient(model, weights, tasks, F.mse_loss)
    # One step moves each copy along minus its gradient: with one step Reptile is joint training.
    assert all(torch.allclose(outer[n], 0.1 * joint[n], rtol=1e-8) for n in weights)


def test_bad_input_is_named():
    model, weights, tasks = problem()
    how = {"model": model, "weights": weights, "tasks": tasks, "loss": F.mse_loss}
    for change, words in (
        ({"steps": 0}, "at least 1 step"),
        ({"only": "tail"}, "no weight's name"),
        ({"lr": 1e200, "steps": 3}, "NaN or infinite at inner step"),
        ({"chunk_size": 0}, "chunk_size is 0"),
        ({"tasks": tasks.rows(range(5))}, "5 tasks for 2 learners"),
        ({"tasks": tasks.rows(range(5)), "chunk_size": 2}, "5 tasks for 2 learners"),
    ):
        with pytest.raises(ValueError, match=words):
            maml.maml_gradient(**(how | change))
    tracked = nn.Sequential(nn.Linear(3, 6), nn.BatchNorm1d(6))
    fast = maml.for_tasks(maml.initial_weights(lambda: tracked, [0]), 6)
    with pytest.raises(ValueError, match="track_running_stats=False"):
        maml.outputs(tracked, fast, tasks[0])
