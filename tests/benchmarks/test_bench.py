"""The benchmark measures what it says, without any of the other libraries."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import bench
import numpy as np
import peers
import pytest
import torch
import torch.nn.functional as F
from torch.func import functional_call

from tlcourse.lessons.ch06_maml import waves


def test_the_time_of_a_step_is_what_it_takes():
    def spin(n, work):
        for _ in range(n * work):
            pass

    work = {"short": partial(spin, work=20_000), "long": partial(spin, work=80_000)}
    found = bench.seconds(work, at_least=0.02, rounds=5)
    assert 2 < found["long"] / found["short"] < 8


def loop(scale, model, tasks, loss, steps, lr):
    """A peer of our own: one task at a time."""

    def gradient():
        for task in zip(*tasks, strict=True):
            fast = dict(model.named_parameters())
            for _ in range(steps):
                value = loss(functional_call(model, fast, (task[0],)), task[1])
                grads = torch.autograd.grad(value, list(fast.values()), create_graph=True)
                fast = {n: w - lr * g for (n, w), g in zip(fast.items(), grads, strict=True)}
            value = loss(functional_call(model, fast, (task[2],)), task[3])
            (scale * value / len(tasks[0])).backward()

    return gradient


def test_a_peer_with_another_gradient_is_not_timed():
    tasks = waves.draw_tasks([np.random.default_rng(0)], 3)
    arguments = waves.network(), tasks, F.mse_loss, 2, 0.01
    bench.gradients_agree(loop, 1, *arguments)
    with pytest.raises(AssertionError, match="loop: its gradient is 1.0e-06 from ours"):
        bench.gradients_agree(loop, 1 + 1e-6, *arguments)


def test_a_peer_that_is_missing_is_named_with_the_reason(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(peers, "REASONS", tmp_path / "peers.json")
    peers.REASONS.write_text('{"nobody": "error: no compiler"}')
    assert list(peers.load(["nobody", "json", "noone"])) == ["json"]
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "nobody is left out: error: no compiler"
    assert said[1].startswith("noone is left out: ModuleNotFoundError")


@pytest.mark.parametrize(("part", "line"), [("waves", "tlcourse"), ("balancing", "PCGrad")])
def test_a_part_runs_without_peers(part, line, monkeypatch, capsys):
    monkeypatch.setattr(bench, "seconds", partial(bench.seconds, at_least=1e-3, rounds=1))
    monkeypatch.setattr(peers, "load", lambda names: {})
    monkeypatch.setattr(torch, "compile", lambda recorded, **options: recorded)  # takes long
    bench.main([part])
    assert f"\n  {line} " in capsys.readouterr().out


def test_quality_is_measured_on_five_seeds(monkeypatch, capsys):
    monkeypatch.setattr(bench, "compiled", lambda outer: outer)
    errors = bench.quality(2, 1, {4e-3: 30, 1e-3: 30}, shots=5, new_waves=20)
    assert errors.shape == (5, 4) and np.isfinite(errors).all()
    said = capsys.readouterr().out
    assert str(errors[:, 2].round(3)) in said and "60 meta-steps of 2 waves" in said


def test_peak_memory_is_that_of_the_call():
    """In a fresh process, as in `make bench`: one that once held more has freed memory to use."""
    code = "import bench; print(bench.peak_megabytes(lambda: bytearray(64 * 2**20)))"
    folder = Path(bench.__file__).parent
    assert 60 < float(subprocess.check_output([sys.executable, "-c", code], cwd=folder)) < 80


def test_an_unknown_part_is_named():
    with pytest.raises(SystemExit, match="unknown part 'speed': take some of memory"):
        bench.main(["speed"])
