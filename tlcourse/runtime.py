"""Where and how a lesson runs: device, scale, seeds, threads, progress.

Three environment variables steer every lesson: ``TLCOURSE_DEVICE`` (auto, cpu, cuda, mps),
``TLCOURSE_SCALE`` (quick, full) and ``TLCOURSE_SEED`` (an integer, 0 by default).
"""

import os
import platform
import random
from collections.abc import Iterable
from contextlib import contextmanager
from importlib.metadata import version

import joblib
import numpy as np
import torch
from tqdm.auto import tqdm

SEEDS_PER_BASE = 1000
# Seeds below belong to the course: its claims are measured on them. From here to a million, settings are
# chosen; above a million lie the seeds of a reader who sets TLCOURSE_SEED.
CHOOSING, READERS = 900_000, 1_000_000
LARGEST_BASE_SEED = (
    2**32 - READERS
) // SEEDS_PER_BASE  # NumPy and scikit-learn take seeds below 2**32


def device(name: str | None = None) -> torch.device:
    """Return the device that the networks live on.

    Parameters
    ----------
    name : {"auto", "cpu", "cuda", "mps"}, optional
        "auto" takes a GPU if there is one. By default, what ``TLCOURSE_DEVICE`` says.

    Returns
    -------
    torch.device

    Raises
    ------
    ValueError
        If the name is none of the four.
    RuntimeError
        If a GPU is asked for by name and there is none: silently falling back to the CPU would
        turn minutes into hours.
    """
    name = name or _choice("TLCOURSE_DEVICE", "auto")
    found = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}
    if name == "auto":
        return torch.device(next((gpu for gpu in found if found[gpu]()), "cpu"))
    if name not in ("cpu", *found):
        raise ValueError(f"unknown device {name!r}: set TLCOURSE_DEVICE to auto, cpu, cuda or mps.")
    if name in found and not found[name]():
        raise RuntimeError(
            f"TLCOURSE_DEVICE asks for {name!r}, which PyTorch does not find on this machine: "
            "set it to auto or cpu."
        )
    return torch.device(name)


def scale() -> str:
    """Return ``TLCOURSE_SCALE``: "quick" (two CPU cores suffice; the default) or "full"."""
    name = _choice("TLCOURSE_SCALE", "quick")
    if name not in ("quick", "full"):
        raise ValueError(f"unknown scale {name!r}: set TLCOURSE_SCALE to quick or full.")
    return name


def base_seed() -> int:
    """Return ``TLCOURSE_SEED`` (0 by default), the number that moves every seed of a lesson."""
    text = _choice("TLCOURSE_SEED", "0")
    if not text.isdecimal() or int(text) > LARGEST_BASE_SEED:
        raise ValueError(
            f"TLCOURSE_SEED is {text!r}: set it to an integer from 0 to {LARGEST_BASE_SEED}."
        )
    return int(text)


def _choice(variable: str, default: str) -> str:
    return os.environ.get(variable, "").strip().lower() or default


def seeds(n: int) -> list[int]:
    """Return `n` different seeds, none of which any other ``TLCOURSE_SEED`` gives.

    A longer list begins with the shorter one. Without ``TLCOURSE_SEED`` they are 0, 1, 2, …; with it,
    they lie above a million, where neither a claim of the course nor a choice of settings ever was.

    Parameters
    ----------
    n : int
        From 1 to 1000.

    Returns
    -------
    list of int
        Below 2**32, as NumPy and scikit-learn ask.
    """
    if not 1 <= n <= SEEDS_PER_BASE:
        raise ValueError(f"{n} seeds: ask for 1 to {SEEDS_PER_BASE}.")
    base = base_seed()
    first = READERS + SEEDS_PER_BASE * (base - 1) if base else 0
    return list(range(first, first + n))


def seed_everything(seed: int) -> None:
    """Seed the global generators of Python, NumPy and PyTorch (every device)."""
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed {seed}: take an integer from 0 to 2**32 - 1.")
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


@contextmanager
def seeded(seed: int):
    """Seed everything inside the ``with`` block; leave the generators outside as they were."""
    before = random.getstate(), np.random.get_state()
    gpus = [torch.cuda.current_device()] if device().type == "cuda" else []
    with torch.random.fork_rng(gpus):
        seed_everything(seed)
        try:
            yield
        finally:
            random.setstate(before[0])
            np.random.set_state(before[1])


def workers() -> int:
    """Return how many processes a sweep over seeds may use.

    The cores this process may use (joblib respects affinity and container limits), at most 8,
    because each process needs about 0.5 GB for its own PyTorch. On a GPU of NVIDIA each also needs
    2 GB of the GPU's free memory: our networks are so small that one process alone keeps a GPU
    waiting (`benchmarks/gpu_steps.py` measures what several gain). On a Mac's GPU: 1.
    """
    cores, kind = min(8, joblib.cpu_count()), device().type
    if kind == "cuda":
        free, _ = torch.cuda.mem_get_info()
        return max(1, min(cores, free // 2**31))
    return cores if kind == "cpu" else 1


def setup() -> torch.device:
    """Prepare a lesson: one thread, all generators seeded; print what it runs on.

    Returns
    -------
    torch.device
        What `device` returns.
    """
    # Our networks are tiny: an operation takes less than 1 ms on one thread. With more threads than
    # free cores the threads wait for each other, and the same operation was measured at 25 ms.
    # Cores are better used by processes, one a seed: see `workers`.
    torch.set_num_threads(1)
    seed_everything(base_seed())
    chosen = device()
    print(f"{'device':<13}{chosen}")
    print(f"{'scale':<13}{scale()}")
    print(f"{'seed':<13}{base_seed()}")
    print(f"{'Python':<13}{platform.python_version()}")
    for package in ("torch", "numpy", "scikit-learn"):
        print(f"{package:<13}{version(package)}")
    return chosen


def progress(iterable: Iterable, description: str, total: int | None = None) -> Iterable:
    """Go through `iterable` and show a progress bar, which disappears at the end.

    Parameters
    ----------
    iterable : iterable
    description : str
        Words in front of the bar.
    total : int, optional
        Number of items, where ``len(iterable)`` cannot tell.
    """
    return tqdm(iterable, desc=description, total=total, leave=False)
