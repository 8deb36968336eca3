"""Device, scale, seeds, threads and progress."""

import os
import platform
import random
from importlib.metadata import version

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tlcourse import runtime

LARGEST = runtime.LARGEST_BASE_SEED


@pytest.fixture
def settings(monkeypatch):
    """Set TLCOURSE_ variables by their short names; None takes one away."""

    def set_to(**values):
        for name, value in values.items():
            monkeypatch.setenv(f"TLCOURSE_{name}", str(value))
            if value is None:
                monkeypatch.delenv(f"TLCOURSE_{name}")

    return set_to


@pytest.fixture
def gpus(monkeypatch):
    """Pretend which GPUs there are: few test machines have one, none has both."""

    def pretend(cuda, mps):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    return pretend


def draws():
    """Three numbers, one from each global generator."""
    return random.random(), float(np.random.rand()), float(torch.rand(()))


def test_three_environment_variables_steer_every_lesson(settings):
    settings(DEVICE="cpu", SCALE="full", SEED=7)
    assert (runtime.device().type, runtime.scale(), runtime.base_seed()) == ("cpu", "full", 7)
    for value in (None, "", " "):
        settings(DEVICE=value, SCALE=value, SEED=value)
        assert (runtime.scale(), runtime.base_seed()) == ("quick", 0), value
        assert runtime.device() == runtime.device("auto"), value


def test_auto_takes_a_gpu_if_there_is_one(settings, gpus):
    settings(DEVICE="auto")
    for cuda, mps, expected in [(0, 0, "cpu"), (1, 0, "cuda"), (0, 1, "mps"), (1, 1, "cuda")]:
        gpus(cuda, mps)
        assert (runtime.device().type, runtime.device("cpu").type) == (expected, "cpu")


def test_what_no_variable_may_say_is_an_error(settings, gpus):
    gpus(False, False)
    for name in ("cuda", "mps"):
        settings(DEVICE=name.upper())
        with pytest.raises(RuntimeError, match=f"asks for '{name}'.*set it to auto or cpu"):
            runtime.device()
    with pytest.raises(ValueError, match="unknown device 'tpu': set TLCOURSE_DEVICE to auto"):
        runtime.device("tpu")
    settings(SCALE="huge")
    with pytest.raises(ValueError, match="unknown scale 'huge': set TLCOURSE_SCALE to quick"):
        runtime.scale()
    for seed in ("-1", "1.5", "seven", "²", LARGEST + 1):
        settings(SEED=seed)
        with pytest.raises(ValueError, match=f"TLCOURSE_SEED is '{seed}': set it to an integer"):
            runtime.base_seed()


bases, amounts = st.integers(0, LARGEST), st.integers(1, runtime.SEEDS_PER_BASE)


@given(bases, bases, amounts, amounts)
def test_seeds_differ_and_never_meet_those_of_another_base(one, other, n, m):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TLCOURSE_SEED", str(one))
        first = runtime.seeds(n)
        patch.setenv("TLCOURSE_SEED", str(other))
        second = runtime.seeds(m)
    assert len(set(first)) == n
    assert all(0 <= seed < 2**32 for seed in first)
    assert all(seed < 1000 if one == 0 else seed >= 1_000_000 for seed in first), "a reader's own"
    if one == other:
        assert first[:m] == second[:n], "a longer list begins with the shorter one"
    else:
        assert not set(first) & set(second)


def test_seeds_have_limits(settings):
    settings(SEED=LARGEST)
    np.random.RandomState(runtime.seeds(runtime.SEEDS_PER_BASE)[-1])  # NumPy takes the largest
    for n in (-1, 0, 1001):
        with pytest.raises(ValueError, match=f"{n} seeds: ask for 1 to 1000"):
            runtime.seeds(n)
    for seed in (-1, 2**32):
        with pytest.raises(ValueError, match=f"seed {seed}: take an integer from 0 to"):
            runtime.seed_everything(seed)


def test_seeds_move_all_three_generators_and_only_inside_the_block():
    runtime.seed_everything(2)
    second = draws()
    runtime.seed_everything(5)
    undisturbed = [draws(), draws()]
    assert all(a != b for a, b in zip(undisturbed[0], second, strict=True))
    runtime.seed_everything(5)
    first = draws()
    with pytest.raises(KeyError), runtime.seeded(2):
        assert draws() == second
        raise KeyError
    assert [first, draws()] == undisturbed


def test_workers_are_as_many_as_cores_and_memory_allow(settings, gpus, monkeypatch):
    settings(DEVICE="cpu")
    assert 1 <= runtime.workers() <= min(8, os.cpu_count())
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    assert runtime.workers() == 1
    monkeypatch.setattr(runtime.joblib, "cpu_count", lambda: 16)
    assert runtime.workers() == 8
    gpus(True, True)
    settings(DEVICE="mps")
    assert runtime.workers() == 1
    settings(DEVICE="cuda")
    for free, most in [(1, 1), (7, 3), (80, 8)]:  # GB
        memory = free * 2**30, 90 * 2**30
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda memory=memory: memory)
        assert runtime.workers() == most


def test_setup_prepares_a_lesson_and_prints_what_it_runs_on(settings, capsys):
    settings(DEVICE="cpu", SEED=3, SCALE=None)
    torch.set_num_threads(2)
    assert runtime.setup() == torch.device("cpu")
    assert torch.get_num_threads() == 1
    first = draws()
    runtime.seed_everything(3)
    assert draws() == first
    printed = dict(line.split() for line in capsys.readouterr().out.splitlines())
    packages = {name: version(name) for name in ("torch", "numpy", "scikit-learn")}
    expected = {"device": "cpu", "scale": "quick", "seed": "3"}
    expected |= {"Python": platform.python_version()} | packages
    assert list(printed.items()) == list(expected.items())


def test_progress_goes_through_everything_and_disappears(capsys):
    bar = runtime.progress((i * i for i in range(3)), "squares", total=3)
    assert (bar.total, bar.desc, bar.leave) == (3, "squares", False)
    assert list(bar) == [0, 1, 4]
    assert not capsys.readouterr().err.split("\r")[-1].strip(), "the bar must not stay"
