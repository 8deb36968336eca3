"""Meta-gradients against an independent loop and finite differences; episodes; bad input."""

import warnings
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from tlcourse.lessons.ch06_maml import maml

NORMS = {
    "none": lambda: nn.Identity(),
    "BatchNorm": lambda: nn.BatchNorm1d(6, track_running_stats=False),
    "LayerNorm": lambda: nn.LayerNorm(6),
    "GroupNorm": lambda: nn.GroupNorm(2, 6),
    "InstanceNorm": lambda: nn.Sequential(
        nn.Unflatten(1, (2, 3)), nn.InstanceNorm1d(2, affine=True), nn.Flatten()
    ),
}


def problem(norm, learners=2, tasks=6):
    torch.manual_seed(0)

    def make():
        net = nn.Sequential(nn.Linear(3, 6), NORMS[norm](), nn.Tanh(), nn.Linear(6, 2))
        return net.double()

    weights = maml.initial_weights(make, range(learners))
    # Affine weights start at 1 and 0, where some errors would not show.
    weights = {n: w + 0.3 * torch.randn_like(w) for n, w in weights.items()}
    x, y = torch.randn(tasks, 7, 3).double(), torch.randn(tasks, 7, 2).double()
    x2, y2 = torch.randn(tasks, 5, 3).double(), torch.randn(tasks, 5, 2).double()
    return make(), weights, maml.Tasks(x, y, x2, y2)


def query_loss_by_loop(model, start, task, steps, lr, second_order):
    """One task, one learner, nothing of the library."""
    fast = start
    for _ in range(steps):
        loss = F.mse_loss(functional_call(model, fast, (task[0],)), task[1])
        grads = torch.autograd.grad(loss, list(fast.values()), create_graph=second_order)
        fast = {n: w - lr * g for (n, w), g in zip(fast.items(), grads, strict=True)}
    return F.mse_loss(functional_call(model, fast, (task[2],)), task[3])


def gradient_by_loop(model, weights, tasks, steps, lr, second_order, learners=2):
    found, each = [], len(tasks[0]) // learners
    for learner in range(learners):
        start = {n: w[learner].clone().requires_grad_() for n, w in weights.items()}
        rows = range(learner * each, (learner + 1) * each)
        losses = [
            query_loss_by_loop(model, start, tasks.rows(i), steps, lr, second_order) for i in rows
        ]
        mean = sum(losses) / each
        found.append(dict(zip(start, torch.autograd.grad(mean, list(start.values())), strict=True)))
    return {n: torch.stack([f[n] for f in found]) for n in weights}


@pytest.mark.parametrize("chunk_size", [None, 4])
@pytest.mark.parametrize("second_order", [True, False])
@pytest.mark.parametrize("steps", [1, 5])
@pytest.mark.parametrize("norm", NORMS)
def test_the_outer_gradient_is_that_of_a_plain_loop(norm, steps, second_order, chunk_size):
    model, weights, tasks = problem(norm)
    options = {"steps": steps, "lr": 0.1, "second_order": second_order}
    ours = maml.maml_gradient(model, weights, tasks, F.mse_loss, chunk_size=chunk_size, **options)
    slow = gradient_by_loop(model, weights, tasks, **options)
    flat = [torch.cat([g[n].flatten() for n in weights]) for g in (ours, slow)]
    assert (flat[0] - flat[1]).norm() <= 1e-10 * flat[1].norm()


@pytest.mark.parametrize("norm", NORMS)
def test_the_second_order_gradient_is_that_of_finite_differences(norm):
    model, weights, tasks = problem(norm, learners=1)
    gradient = maml.maml_gradient(model, weights, tasks, F.mse_loss, steps=5, lr=0.1)
    way = {n: torch.randn_like(w) for n, w in weights.items()}

    def value(h):
        start = {n: w[0] + h * way[n][0] for n, w in weights.items()}
        start = {n: w.requires_grad_() for n, w in start.items()}
        losses = [
            query_loss_by_loop(model, start, tasks.rows(i), 5, 0.1, False)
            for i in range(len(tasks[0]))
        ]
        return (sum(losses) / len(losses)).item()

    h = 2e-5
    slope = (8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h)
    ours = sum((gradient[n] * way[n]).sum() for n in weights).item()
    assert ours == pytest.approx(slope, rel=1e-6)
    first = maml.maml_gradient(
        model, weights, tasks, F.mse_loss, steps=5, lr=0.1, second_order=False
    )
    assert sum((first[n] * way[n]).sum() for n in weights).item() != pytest.approx(slope, rel=1e-3)


def test_equal_rates_of_their_own_change_nothing():
    model, weights, tasks = problem("LayerNorm")
    plain = maml.maml_gradient(model, weights, tasks, F.mse_loss, lr=0.1)
    rates = maml.maml_gradient(model, maml.with_rates(weights, 0.1), tasks, F.mse_loss)
    assert all(torch.allclose(plain[n], rates[n], rtol=1e-10) for n in weights)
    assert rates[maml.RATE + "0.weight"].abs().max() > 0


def test_anil_adapts_the_head_alone():
    model, weights, tasks = problem("none")
    before = maml.for_tasks(weights, 6)
    after = maml.adapt(model, before, tasks[:2], F.mse_loss, 2, 0.1, only="3.")
    assert {n for n in weights if not torch.equal(before[n], after[n])} == {"3.weight", "3.bias"}


def test_reptile_is_minus_the_mean_displacement():
    model, weights, tasks = problem("none")
    outer = maml.reptile_gradient(model, weights, tasks, F.mse_loss, steps=1, lr=0.1)
    joint = maml.joint_gradient(model, weights, tasks, F.mse_loss)
    # One step moves each copy along minus its gradient: with one step Reptile is joint training.
    assert all(torch.allclose(outer[n], 0.1 * joint[n], rtol=1e-8) for n in weights)


def test_learners_side_by_side_train_as_each_alone():
    model = maml.sine_network()
    outer = maml.sine_methods(model)["MAML"][0]

    def train(seeds):
        rngs = [np.random.default_rng(seed) for seed in seeds]
        weights = maml.initial_weights(maml.sine_network, seeds)
        return maml.meta_train(weights, lambda: maml.sine_tasks(rngs, 4), outer, 5)

    together, alone = train([3, 4]), train([4])
    assert all(torch.allclose(together[n][1], alone[n][0], atol=1e-5) for n in alone)


def test_meta_training_teaches_to_adapt():
    model, seeds = maml.sine_network(), [1, 2]
    rngs = [np.random.default_rng(seed) for seed in seeds]
    start = maml.initial_weights(maml.sine_network, seeds)
    outer = maml.sine_methods(model)["MAML"][0]
    trained = maml.meta_train(start, lambda: maml.sine_tasks(rngs, 10), outer, 300)
    test = maml.sine_tasks([np.random.default_rng(9)] * 2, 100)
    before, after = (maml.errors_along(model, w, test, (5,)) for w in (start, trained))
    assert (after < 0.7 * before).all()


def gradients_apart(found, due):
    found, due = (torch.cat([g.flatten() for g in part.values()]) for part in (found, due))
    return ((found - due).norm() / due.norm()).item()


def test_a_compiled_gradient_is_exact():
    # As small as can be, because compiling takes long; `make bench` compares larger networks.
    weights = maml.initial_weights(lambda: nn.Linear(2, 1).double(), [0])
    tasks = maml.Tasks(*(torch.randn(2, 3, k).double() for k in (2, 1, 2, 1)))
    outer = partial(maml.maml_gradient, nn.Linear(2, 1), loss=F.mse_loss, lr=0.1)
    with warnings.catch_warnings(record=True) as said:
        fast = maml.compiled(outer)
        found = fast(weights, tasks)
    if any("C++ compiler" in str(w.message) for w in said):
        pytest.skip("no C++ compiler here")
    assert gradients_apart(found, outer(weights, tasks)) < 1e-12
    plain, quick = (maml.meta_train(weights, lambda: tasks, g, 3) for g in (outer, fast))
    assert gradients_apart(quick, plain) < 1e-12
    assert gradients_apart(plain, weights) > 1e-4


@pytest.mark.parametrize("method", ["MAML", "FOMAML", "ANIL", "Reptile", "joint pretraining"])
def test_what_is_recorded_is_the_method_for_any_number_of_tasks(method, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda recorded, **options: recorded)
    model, weights = maml.sine_network(), maml.initial_weights(maml.sine_network, [0, 1])
    outer = maml.sine_methods(model)[method][0]
    fast = maml.compiled(outer)
    for tasks, seed in ((3, 0), (3, 1), (2, 0)):
        drawn = maml.sine_tasks([np.random.default_rng(seed), np.random.default_rng(9)], tasks)
        weights = {n: w + 0.1 for n, w in weights.items()}
        assert gradients_apart(fast(weights, drawn), outer(weights, drawn)) < 1e-6


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU of NVIDIA")
@pytest.mark.parametrize("method", ["MAML", "FOMAML", "ANIL", "Reptile", "joint pretraining"])
def test_on_a_gpu_a_graph_gives_the_same_gradient_for_new_tasks(method):
    model, weights = maml.sine_network(), maml.initial_weights(maml.sine_network, [0, 1])
    outer = maml.sine_methods(model)[method][0]
    fast, kept = maml.compiled(outer), []
    for tasks, seed in ((3, 0), (3, 1), (2, 0)):
        drawn = maml.sine_tasks([np.random.default_rng(seed), np.random.default_rng(9)], tasks)
        drawn = maml.Tasks(*(part.cuda() for part in drawn))
        weights = {n: w.cuda() + 0.1 for n, w in weights.items()}
        kept.append((fast(weights, drawn), outer(weights, drawn)))
    for found, due in kept:  # a later call leaves what an earlier one returned
        assert gradients_apart(found, due) < 1e-4


@pytest.mark.parametrize("steps, wrong", [(5, 3), (250, 130), (250, 250)])
def test_a_wrong_outer_gradient_is_named_by_its_step(steps, wrong):
    drawn = iter(range(1, steps + 1))

    def gradient(weights, tasks):
        return {"w": torch.full((1,), float("inf") if next(drawn) >= wrong else 1.0)}

    with pytest.raises(ValueError, match=f"NaN at meta-step {wrong}: lower"):
        maml.meta_train({"w": torch.zeros(1)}, lambda: None, gradient, steps)


def test_without_a_compiler_training_says_so_and_goes_on(monkeypatch):
    def broken(recorded, **options):
        def fail(*arguments):
            raise RuntimeError("raised:\nNo working C++ compiler found\nand many more lines")

        return fail

    monkeypatch.setattr(torch, "compile", broken)
    model, weights, tasks = problem("none")
    outer = partial(maml.maml_gradient, model, loss=F.mse_loss)
    with pytest.warns(
        UserWarning, match=r"works \(raised: No working C\+\+ compiler found\): the"
    ) as said:
        found = maml.meta_train(weights, lambda: tasks, outer, 2, compile=True)
    assert len(said) == 1
    assert gradients_apart(found, maml.meta_train(weights, lambda: tasks, outer, 2)) == 0
    endless = tasks._replace(query_targets=tasks.query_targets * float("inf"))
    with pytest.raises(ValueError, match="gradient is NaN"):
        maml.meta_train(weights, lambda: endless, outer, 1)


def test_saved_bytes_grow_linearly_in_tasks_and_steps():
    model, weights = maml.sine_network(), maml.initial_weights(maml.sine_network, [0])

    def kept(tasks, steps, chunk_size=None):
        drawn = maml.sine_tasks([np.random.default_rng(0)], tasks)
        outer = partial(maml.maml_gradient, chunk_size=chunk_size)
        return maml.saved_bytes(lambda: outer(model, weights, drawn, F.mse_loss, steps))

    assert kept(16, 1) == pytest.approx(2 * kept(8, 1), rel=0.02)
    assert kept(8, 3) - kept(8, 2) == pytest.approx(kept(8, 2) - kept(8, 1), rel=0.02)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"steps": 0}, "at least 1 step"),
        ({"only": "tail"}, "no weight's name"),
        ({"lr": 1e200, "steps": 3}, "NaN or infinite at inner step"),
        ({"chunk_size": 0}, "chunk_size is 0"),
    ],
)
def test_bad_settings_are_named(change, words):
    model, weights, tasks = problem("none")
    with pytest.raises(ValueError, match=words):
        maml.maml_gradient(model, weights, tasks, F.mse_loss, **change)


def test_other_bad_input_is_named():
    _, weights, tasks = problem("none")
    with pytest.raises(ValueError, match="5 tasks for 2 learners"):
        maml.for_tasks(weights, 5)
    tracked = nn.Sequential(nn.Linear(3, 6), nn.BatchNorm1d(6))
    fast = maml.for_tasks(maml.initial_weights(lambda: tracked, [0]), 6)
    with pytest.raises(ValueError, match="track_running_stats=False"):
        maml.outputs(tracked, fast, tasks[0])
    with pytest.raises(ValueError, match="at least 1 meta-step"):
        maml.meta_train(weights, None, None, 0)
    with pytest.raises(ValueError, match="gradient is NaN"):
        maml.meta_train(
            weights, lambda: tasks, lambda w, t: {n: v * float("nan") for n, v in w.items()}, 1
        )
    with pytest.raises(ValueError, match="at least 1 task"):
        maml.sine_tasks([np.random.default_rng(0)], 0)
