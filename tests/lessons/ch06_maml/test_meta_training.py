"""What is recorded is the same gradient, and a training that cannot go on says why."""

import warnings
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from lessons.ch06_maml.problems import apart, problem
from torch import nn

from tlcourse.lessons.ch06_maml import maml, waves
from tlcourse.lessons.ch06_maml.meta_training import compiled, meta_train


def test_a_compiled_gradient_is_exact():
    # As small as can be, because compiling takes long; `make bench` compares larger networks.
    weights = maml.initial_weights(lambda: nn.Linear(2, 1).double(), [0])
    tasks = maml.Tasks(*(torch.randn(2, 3, k).double() for k in (2, 1, 2, 1)))
    outer = partial(maml.maml_gradient, nn.Linear(2, 1), loss=F.mse_loss, lr=0.1)
    with warnings.catch_warnings(record=True) as said:
        fast = compiled(outer)
        found = fast(weights, tasks)
    if any("C++ compiler" in str(w.message) for w in said):
        pytest.skip("no C++ compiler here")
    assert apart(found, outer(weights, tasks)) < 1e-12
    plain, quick = (meta_train(weights, lambda: tasks, g, 3) for g in (outer, fast))
    assert apart(quick, plain) < 1e-12
    assert apart(plain, weights) > 1e-4


def recorded_and_plain(method, device):
    """Gradients of a recorded method for several numbers of tasks, beside the plain ones."""
    weights = maml.initial_weights(waves.network, [0, 1])
    outer, pairs = waves.methods(waves.network())[method][0], []
    fast = compiled(outer)
    for tasks, seed in ((3, 0), (3, 1), (2, 0)):
        drawn = waves.draw_tasks([np.random.default_rng(seed), np.random.default_rng(9)], tasks)
        drawn = maml.Tasks(*(part.to(device) for part in drawn))
        weights = {n: w.to(device) + 0.1 for n, w in weights.items()}
        pairs.append((fast(weights, drawn), outer(weights, drawn)))
    return pairs  # a later call leaves what an earlier one returned


METHODS = list(waves.methods(None))


@pytest.mark.parametrize("method", METHODS)
def test_what_is_recorded_is_the_method_for_any_number_of_tasks(method, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda recorded, **options: recorded)
    for found, due in recorded_and_plain(method, "cpu"):
        assert apart(found, due) < 1e-6


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU of NVIDIA")
@pytest.mark.parametrize("method", METHODS)
def test_on_a_gpu_a_graph_gives_the_same_gradient_for_new_tasks(method):
    for found, due in recorded_and_plain(method, "cuda"):
        assert apart(found, due) < 1e-4


@pytest.mark.parametrize("steps, wrong", [(5, 3), (250, 130), (250, 250)])
def test_a_wrong_outer_gradient_is_named_by_its_step(steps, wrong):
    drawn = iter(range(1, steps + 1))

    def gradient(weights, tasks):
        return {"w": torch.full((1,), float("inf") if next(drawn) >= wrong else 1.0)}

    with pytest.raises(ValueError, match=f"NaN at meta-step {wrong}: lower"):
        meta_train({"w": torch.zeros(1)}, lambda: None, gradient, steps)


def test_without_a_compiler_training_says_so_and_goes_on(monkeypatch):
    def broken(recorded, **options):
        def fail(*arguments):
            raise RuntimeError("raised:\nNo working C++ compiler found\nand many more lines")

        return fail

    monkeypatch.setattr(torch, "compile", broken)
    model, weights, tasks = problem()
    outer = partial(maml.maml_gradient, model, loss=F.mse_loss)
    said = r"works \(raised: No working C\+\+ compiler found\): the"
    with pytest.warns(UserWarning, match=said) as warned:
        found = meta_train(weights, lambda: tasks, outer, 2, compile=True)
    assert len(warned) == 1
    assert apart(found, meta_train(weights, lambda: tasks, outer, 2)) == 0
    endless = tasks._replace(query_targets=tasks.query_targets * float("inf"))
    with pytest.raises(ValueError, match="gradient is NaN"):
        meta_train(weights, lambda: endless, outer, 1)


def test_no_step_is_refused():
    with pytest.raises(ValueError, match="at least 1 meta-step"):
        meta_train({}, None, None, 0)
