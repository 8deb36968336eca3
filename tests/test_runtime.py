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


def draws():
    """Three numbers, one from each global generator."""
    return random.random(), float(np.random.rand()), float(torch.rand(()))


def test_three_environment_variables_steer_every_lesson(monkeypatch):
    monkeypatch.setenv("TLCOURSE_DEVICE", "cpu")
    monkeypatch.setenv("TLCOURSE_SCALE", "full")
    monkeypatch.setenv("TLCOURSE_SEED", "7")
    assert runtime.device() == torch.device("cpu")
    assert runtime.scale() == "full"
    assert runtime.base_seed() == 7


@pytest.mark.parametrize("value", [None, "", " "])
def test_without_them_there_are_defaults(monkeypatch, value):
    for name in ("DEVICE", "SCALE", "SEED"):
        monkeypatch.delenv(f"TLCOURSE_{name}", raising=False)
        if value is not None:
            monkeypatch.setenv(f"TLCOURSE_{name}", value)
    assert (runtime.scale(), runtime.base_seed()) == ("quick", 0)
    assert runtime.device() == runtime.device("auto")


# ── device ──────────────────────────────────────────────────────────────────────────────────


def gpus(monkeypatch, cuda, mps):
    """Pretend which GPUs there are: few test machines have one, none has both."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    "cuda, mps, expected", [(0, 0, "cpu"), (1, 0, "cuda"), (0, 1, "mps"), (1, 1, "cuda")]
)
def test_auto_takes_a_gpu_if_there_is_one(monkeypatch, cuda, mps, expected):
    gpus(monkeypatch, cuda, mps)
    monkeypatch.setenv("TLCOURSE_DEVICE", "auto")
    assert runtime.device().type == expected
    assert runtime.device("cpu").type == "cpu"


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_gpu_that_is_not_there_is_an_error(monkeypatch, name):
    gpus(monkeypatch, False, False)
    monkeypatch.setenv("TLCOURSE_DEVICE", name.upper())
    with pytest.raises(RuntimeError, match=f"asks for '{name}'.*set it to auto or cpu"):
        runtime.device()


def test_unknown_words_are_errors(monkeypatch):
    with pytest.raises(ValueError, match="unknown device 'tpu': set TLCOURSE_DEVICE to auto"):
        runtime.device("tpu")
    monkeypatch.setenv("TLCOURSE_SCALE", "huge")
    with pytest.raises(ValueError, match="unknown scale 'huge': set TLCOURSE_SCALE to quick"):
        runtime.scale()


# ── seeds ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", ["-1", "1.5", "seven", "²", str(runtime.LARGEST_BASE_SEED + 1)])
def test_a_seed_is_a_whole_number_of_limited_size(monkeypatch, text):
    monkeypatch.setenv("TLCOURSE_SEED", text)
    with pytest.raises(ValueError, match="TLCOURSE_SEED is .*: set it to an integer from 0"):
        runtime.base_seed()


bases = st.integers(0, runtime.LARGEST_BASE_SEED)
amounts = st.integers(1, runtime.SEEDS_PER_BASE)


@given(bases, bases, amounts, amounts)
def test_seeds_differ_and_never_meet_those_of_another_base(one, other, n, m):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TLCOURSE_SEED", str(one))
        first = runtime.seeds(n)
        patch.setenv("TLCOURSE_SEED", str(other))
        second = runtime.seeds(m)
    assert len(set(first)) == n
    assert all(0 <= seed < 2**32 for seed in first)
    if one == other:
        assert first[:m] == second[:n], "a longer list begins with the shorter one"
    else:
        assert not set(first) & set(second)


def test_the_largest_seed_is_one_that_numpy_takes(monkeypatch):
    monkeypatch.setenv("TLCOURSE_SEED", str(runtime.LARGEST_BASE_SEED))
    np.random.RandomState(runtime.seeds(runtime.SEEDS_PER_BASE)[-1])


@pytest.mark.parametrize("n", [-1, 0, 1001])
def test_the_number_of_seeds_has_limits(n):
    with pytest.raises(ValueError, match=f"{n} seeds: ask for 1 to 1000"):
        runtime.seeds(n)


def test_seed_everything_moves_all_three_generators():
    runtime.seed_everything(1)
    first = draws()
    runtime.seed_everything(2)
    second = draws()
    runtime.seed_everything(1)
    assert draws() == first
    assert all(a != b for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seed_everything_says_which_seeds_it_takes(seed):
    with pytest.raises(ValueError, match=f"seed {seed}: take an integer from 0 to"):
        runtime.seed_everything(seed)


def test_seeded_leaves_the_generators_outside_as_they_were():
    runtime.seed_everything(5)
    undisturbed = [draws(), draws()]
    runtime.seed_everything(5)
    first = draws()
    with pytest.raises(KeyError), runtime.seeded(9):
        inside = draws()
        raise KeyError
    assert [first, draws()] == undisturbed
    runtime.seed_everything(9)
    assert draws() == inside


# ── processes, set-up, progress ─────────────────────────────────────────────────────────────


def test_workers_are_at_most_the_cores_and_eight(monkeypatch):
    monkeypatch.setenv("TLCOURSE_DEVICE", "cpu")
    assert 1 <= runtime.workers() <= min(8, os.cpu_count())
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    assert runtime.workers() == 1


@pytest.mark.parametrize("free, most", [(1, 1), (7, 3), (80, 8)])
def test_a_gpu_has_a_worker_for_every_2_gb(monkeypatch, free, most):
    gpus(monkeypatch, True, False)
    monkeypatch.setenv("TLCOURSE_DEVICE", "cuda")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (free * 2**30, 90 * 2**30))
    monkeypatch.setattr(runtime.joblib, "cpu_count", lambda: 16)
    assert runtime.workers() == most


def test_a_gpu_of_a_mac_has_one_worker(monkeypatch):
    gpus(monkeypatch, False, True)
    monkeypatch.setenv("TLCOURSE_DEVICE", "mps")
    assert runtime.workers() == 1


def test_setup_prepares_a_lesson_and_prints_what_it_runs_on(monkeypatch, capsys):
    monkeypatch.setenv("TLCOURSE_DEVICE", "cpu")
    monkeypatch.setenv("TLCOURSE_SEED", "3")
    monkeypatch.delenv("TLCOURSE_SCALE", raising=False)
    torch.set_num_threads(2)
    assert runtime.setup() == torch.device("cpu")
    assert torch.get_num_threads() == 1
    first = draws()
    runtime.seed_everything(3)
    assert draws() == first
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["device", "cpu"],
        ["scale", "quick"],
        ["seed", "3"],
        ["Python", platform.python_version()],
        ["torch", version("torch")],
        ["numpy", np.__version__],
        ["scikit-learn", version("scikit-learn")],
    ]


def test_progress_goes_through_everything_and_disappears(capsys):
    squares = (i * i for i in range(3))
    bar = runtime.progress(squares, "squares", total=3)
    assert (bar.total, bar.desc, bar.leave) == (3, "squares", False)
    assert list(bar) == [0, 1, 4]
    assert not capsys.readouterr().err.split("\r")[-1].strip(), "the bar must not stay"
