"""Balancing rules against slow versions, autograd and properties; the lesson's central claims."""

import dataclasses
import time
from statistics import median

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tlcourse import data, experiment, models, runtime
from tlcourse.lessons.ch05_multitask import multitask


def random_gradients(seed, tasks=3, runs=2, size=7, scales=True):
    """Return gradients (runs, tasks, size) in float64, of very different lengths if `scales`."""
    draw = torch.Generator().manual_seed(seed)
    g = torch.randn(runs, tasks, size, generator=draw, dtype=torch.float64)
    return g * 10 ** torch.randn(runs, tasks, 1, generator=draw) if scales else g


def weights_of(rule, g, losses=None, **memory):
    losses = torch.ones(g.shape[:2], dtype=g.dtype) if losses is None else losses
    return rule(losses, g @ g.transpose(1, 2), memory)


def mixed(rule, g, **more):
    return (weights_of(rule, g, **more)[:, None] @ g)[:, 0]


# --- gradients -------------------------------------------------------------------------------


def small_problem(runs=2):
    draw = torch.Generator().manual_seed(3)
    x = torch.rand(20, 5, generator=draw)
    tasks = [
        multitask.Task("kind", torch.arange(20) % 3, 3),
        multitask.Task("size", torch.randn(20, generator=draw)),
    ]
    net = models.StackedNetwork(range(runs), 5, {"kind": 3, "size": 1}, hidden=4).double()
    return net, x.double(), [dataclasses.replace(tasks[0]), _double(tasks[1])]


def _double(task):
    return dataclasses.replace(task, targets=task.targets.double())


def losses_of(net, x, tasks):
    rows = torch.arange(len(x)).expand(len(net.shared[0][0]), -1)
    outputs = net(x[rows])
    return torch.stack([t.loss(outputs[t.head or t.name], rows) for t in tasks], 1)


def test_gradients_equal_finite_differences():
    net, x, tasks = small_problem()
    shared = list(net.shared.parameters())
    found = multitask.gradients(losses_of(net, x, tasks), shared)
    assert found.shape == (2, 2, 5 * 4 + 4 + 4 * 4 + 4)
    weight = shared[0]
    for place in [(0, 0, 0), (0, 3, 2), (1, 4, 3)]:
        with torch.no_grad():
            ends = []
            for step in (1e-6, -2e-6):
                weight[place] += step
                ends.append(losses_of(net, x, tasks))
            weight[place] += 1e-6
        slope = (ends[0] - ends[1]) / 2e-6
        column = place[1] * 4 + place[2]
        assert torch.allclose(found[place[0], :, column], slope[place[0]], atol=1e-7)
        assert torch.allclose(slope[1 - place[0]], torch.zeros(2, dtype=slope.dtype), atol=1e-9)


def test_both_ways_backward_give_the_same_gradient_for_a_sum():
    grads = []
    for rule in (multitask.plain_sum, lambda *a: multitask.plain_sum(*a)):  # the second unknown
        net, x, tasks = small_problem()
        multitask.backward(net, losses_of(net, x, tasks), tasks, rule, {})
        grads.append([p.grad for p in net.parameters()])
    assert all(torch.allclose(a, b) for a, b in zip(*grads, strict=True))


def test_a_shared_head_gets_the_gradients_of_both_tasks():
    net, x, tasks = small_problem()
    twin = dataclasses.replace(tasks[1], name="twin", head="size")
    pair = [tasks[1], twin]
    multitask.backward(net, losses_of(net, x, pair), pair, multitask.pcgrad, {})
    once = torch.autograd.grad(losses_of(net, x, tasks[1:]).sum(), net.heads["size"][0])[0]
    assert torch.allclose(net.heads["size"][0].grad, 2 * once)


def test_runs_side_by_side_are_the_runs_alone():
    x, rows = torch.rand(40, 5), multitask.drawn(40, 30, [5, 6])
    tasks = [multitask.Task("kind", torch.arange(40) % 3, 3)]
    both = multitask.train(x, tasks, rows, [5, 6], steps=20, hidden=4)
    alone = multitask.train(x, tasks, rows[1:], [6], steps=20, hidden=4)
    pairs = zip(both.network.parameters(), alone.network.parameters(), strict=True)
    assert all(torch.allclose(a[1:], b, atol=1e-5) for a, b in pairs)


# --- rules against slow versions -------------------------------------------------------------


def test_normalised_gradients_all_have_length_one():
    g = random_gradients(0)
    weighted = weights_of(multitask.normalised, g)[..., None] * g
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
    found = mixed(multitask.pcgrad, g, generator=torch.Generator().manual_seed(seed))
    for run in range(3):
        assert torch.allclose(found[run], pcgrad_slowly(g[run], seed), rtol=1e-10)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6))
def test_pcgrad_leaves_gradients_alone_that_do_not_conflict(seed):
    g = random_gradients(seed).abs()  # all inner products are positive
    assert torch.equal(weights_of(multitask.pcgrad, g), torch.ones(2, 3, dtype=g.dtype))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6))
def test_pcgrad_of_two_tasks_never_opposes_either(seed):
    g = random_gradients(seed, tasks=2)
    inner = (g @ mixed(multitask.pcgrad, g)[..., None])[..., 0]
    assert (inner >= -1e-9 * g.norm(dim=2) * g.norm(dim=(1, 2))[:, None]).all()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6))
def test_imtl_projects_equally_onto_every_gradient_and_its_weights_sum_to_one(seed):
    g = random_gradients(seed)
    weights = weights_of(multitask.equal_projections, g)
    unit = g / g.norm(dim=2, keepdim=True)
    onto = (unit * (weights[:, None] @ g)).sum(2)
    assert torch.allclose(onto, onto[:, :1].expand_as(onto), rtol=1e-2)
    assert torch.allclose(weights.sum(1), torch.ones(2, dtype=g.dtype))


def test_uncertainty_takes_the_first_adam_step_of_the_papers_loss():
    losses = torch.tensor([[2.0, 300.0], [0.1, 4.0]], dtype=torch.float64)
    s = torch.zeros_like(losses, requires_grad=True)
    adam = torch.optim.Adam([s], 0.3)
    memory = {"classes": [True, False], "rate": 0.3}
    for _ in range(5):
        found = multitask.uncertainty(losses, None, memory)
        variance = torch.exp(s)
        assert torch.allclose(found, torch.tensor([1.0, 0.5]) / variance.detach())
        paper = losses[:, 0] / variance[:, 0] + losses[:, 1] / (2 * variance[:, 1])
        adam.zero_grad()
        (paper.sum() + torch.log(variance.sqrt()).sum()).backward()
        adam.step()
    assert torch.allclose(memory["s"], s)


def test_dwa_weighs_by_the_change_of_ten_steps():
    memory, losses = {"temperature": 0.5}, torch.rand(20, 1, 2) + 0.5
    found = [multitask.average_change(x, None, memory) for x in losses]
    assert torch.equal(found[18], torch.ones(1, 2))
    r = losses[10:].mean(0) / losses[:10].mean(0)
    e = torch.exp(r / 0.5)
    assert torch.allclose(found[19], 2 * e / e.sum())


def test_gradnorm_follows_the_slope_of_its_own_loss():
    g = random_gradients(4, tasks=2, runs=1)
    losses = torch.tensor([[1.0, 3.0]], dtype=torch.float64)
    memory = {"alpha": 1.5}
    assert torch.allclose(
        weights_of(multitask.gradnorm, g, losses, **memory), torch.ones(1, 2).double()
    )
    memory = {"alpha": 1.5, "rate": 0.1}
    gram = g @ g.transpose(1, 2)
    multitask.gradnorm(losses, gram, memory)
    lengths = g.norm(dim=2)[0]
    # Both tasks have all of their first loss left, so the longer gradient must lose weight.
    longer = int(lengths.argmax())
    assert memory["v"][0, longer] < memory["v"][0, 1 - longer]
    later = losses * torch.tensor([[0.5, 1.0]])
    left = np.array([0.5, 1.0])
    goal = multitask.gradnorm_targets(lengths[None], later, losses, 1.5)[0]
    slow = float(lengths.mean()) * (left / left.mean()) ** 1.5
    assert np.allclose(goal, slow)


def test_gradnorm_brings_weighted_gradients_to_one_length():
    g = random_gradients(1, tasks=2, runs=3)
    losses, memory = torch.ones(3, 2, dtype=torch.float64), {"rate": 0.05}
    gram = g @ g.transpose(1, 2)
    for _ in range(400):
        weights = multitask.gradnorm(losses, gram, memory)
    lengths = weights * g.norm(dim=2)
    assert (lengths.max(1).values / lengths.min(1).values < 1.5).all()


# --- cost ------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [multitask.pcgrad, multitask.gradnorm])
def test_a_balanced_step_of_two_tasks_costs_at_most_twice_a_plain_one(rule):
    x, seeds = torch.rand(2000, 256), [0]
    tasks = [
        multitask.Task("kind", torch.arange(2000) % 10, 10),
        multitask.Task("size", torch.randn(2000)),
    ]
    rows = multitask.drawn(2000, 2000, seeds)

    def cost(rule):
        start = time.process_time()
        multitask.train(x, tasks, rows, seeds, rule, steps=6, batch=1024, hidden=256)
        return time.process_time() - start

    both = [(cost(rule), cost(multitask.plain_sum)) for _ in range(9)][1:]
    assert median(a / b for a, b in both) < 2


# --- data and messages -----------------------------------------------------------------------


def test_the_slant_of_a_drawn_stroke_is_its_angle():
    upright, leaning = torch.zeros(2, 1, 16, 16)
    upright[0, 2:14, 7] = 1
    for k in range(12):
        leaning[0, 2 + k, 13 - k] = 1  # y grows downwards: this one leans to the right
    slant, centre = multitask.moments(torch.stack([upright, leaning]))
    assert torch.allclose(slant, torch.tensor([0.0, 45.0]), atol=1e-3)
    assert torch.allclose(centre, torch.tensor([700.0, 750.0]), atol=1e-3)


def test_scores_are_accuracy_and_explained_variance():
    kind = multitask.Task("kind", torch.tensor([0, 1]), 2)
    size = multitask.Task("size", torch.tensor([0.0, 2.0]))
    assert kind.score(torch.tensor([[[1.0, 0], [1, 0]]])) == [0.5]
    assert size.score(torch.ones(1, 2, 1)) == [0] and size.score(size.targets.view(1, 2, 1)) == [1]


def test_a_picture_without_a_label_counts_nothing():
    task = multitask.Task("kind", torch.tensor([1, multitask.UNKNOWN]), 2)
    rows, output = torch.tensor([[0, 1]]), torch.tensor([[[0.0, 1.0], [5.0, 0.0]]])
    alone = multitask.Task("kind", torch.tensor([1]), 2)
    assert task.loss(output, rows) == alone.loss(output[:, :1], rows[:, :1])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t: multitask.moments(torch.zeros(1, 1, 4, 4)), "no ink"),
        (lambda t: multitask.drawn(3, 4, [0]), "ask for fewer"),
        (lambda t: multitask.learn(t, "magic", [0], {}), "unknown method"),
        (lambda t: multitask.train(torch.rand(3, 2), [], torch.zeros(1, 3).long(), [0]), "no task"),
        (
            lambda t: multitask.train(
                torch.rand(3, 2),
                [multitask.Task("a", torch.rand(2))],
                torch.zeros(1, 3).long(),
                [0],
            ),
            "one target",
        ),
        (
            lambda t: multitask.train(
                torch.rand(2, 2),
                [multitask.Task("a", torch.rand(2))],
                torch.zeros(1, 3).long(),
                [0, 1],
            ),
            "one line a seed",
        ),
    ],
)
def test_bad_input_is_told_in_a_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call(data.digits())


# --- settings and claims ---------------------------------------------------------------------


def test_every_method_has_six_candidates_and_chose_one_of_them():
    chosen = multitask.chosen_settings()
    assert set(chosen) == set(multitask.METHODS)
    for method, candidates in multitask.CANDIDATES.items():
        assert len(candidates) == 6 and chosen[method] in candidates


def test_the_stored_choice_of_the_sum_is_found_again():
    target, seeds = data.digits(), runtime.seeds(1000)[-4:]
    right = [
        multitask.measured(
            target, multitask.learn(target, "plain sum", seeds, c), target.validation
        )["class"].mean()
        for c in multitask.CANDIDATES["plain sum"]
    ]
    stored = multitask.CANDIDATES["plain sum"].index(multitask.chosen_settings()["plain sum"])
    assert right[stored] >= max(right) - 0.02  # another machine rounds otherwise


def test_the_sum_starves_the_class_and_variance_scaling_feeds_it():
    target, seeds, chosen = data.digits(), runtime.seeds(5), multitask.chosen_settings()
    right = {
        m: multitask.measured(target, multitask.learn(target, m, seeds, chosen[m]), target.test)
        for m in ("plain sum", "variance scaling")
    }
    gain = right["variance scaling"]["class"] - right["plain sum"]["class"]
    low, mean, _ = experiment.interval(gain)
    assert low > 0.1 and mean > 0.25
    assert (right["plain sum"]["slant"] > 0.8).all()
