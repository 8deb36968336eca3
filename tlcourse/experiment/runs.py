"""Run a measurement once a seed, in several processes, and collect what came out."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from joblib import Parallel, delayed
from joblib.parallel import LokyBackend, get_active_backend

from tlcourse import runtime


def repeat(
    run: Callable, seeds: Iterable[int], description: str = "seeds", workers: int | None = None
) -> list:
    """Return ``[run(seed) for seed in seeds]``, computed in several processes.

    Every run starts with all generators seeded with its seed, and on one thread. So the results do
    not depend on the number of processes, and the caller's generators stay as they were.

    Parameters
    ----------
    run : callable
        ``run(seed)`` returns what was measured, such as a dict of accuracies. It may be defined in
        a notebook. What it uses from there is copied into each process: what it changes there is
        lost, only what it returns comes back.
    seeds : iterable of int
    description : str
        Words in front of the progress bar.
    workers : int, optional
        Processes; by default `runtime.workers`, or the cluster of `cluster.dask`. With 1,
        everything runs in this process.

    Returns
    -------
    list
        One result a seed, in the order of `seeds`.

    Raises
    ------
    ValueError
        If there is no seed.
    Exception
        Whatever `run` raises, as it is.
    """
    return _in_processes(run, [(seed,) for seed in seeds], description, workers)


def sweep(
    run: Callable, seeds: Iterable[int], parts: Sequence, description: str = "runs"
) -> list[dict]:
    """Return one dict a seed, with what ``run(seed, part)`` returned for every part.

    As `repeat`, but each part of a seed's work is a job of its own, so that no process waits for
    another that has the longest job.

    Parameters
    ----------
    run : callable
        ``run(seed, part)`` returns a dict; no two parts have a key in common.
    seeds : iterable of int
    parts : sequence
        Such as the numbers of labels a class.
    description : str
        Words in front of the progress bar.

    Raises
    ------
    ValueError
        If there is no seed or no part.
    """
    seeds = list(seeds)
    jobs = [(seed, part) for part in parts for seed in seeds]
    merged = [{} for _ in seeds]
    for place, found in enumerate(_in_processes(run, jobs, description, None)):
        merged[place % len(seeds)].update(found)
    return merged


def table(runs: Sequence[dict]) -> dict:
    """Turn one dict a seed into one array a method, with the seeds along the first axis.

    Parameters
    ----------
    runs : sequence of dict
        What `repeat` or `sweep` returned: numbers or arrays by name, the same names in each.

    Returns
    -------
    dict of array, shape (seeds, ...)

    Raises
    ------
    ValueError
        If the runs have different names.
    """
    if any(run.keys() != runs[0].keys() for run in runs):
        raise ValueError("the runs measured different things: give each the same methods.")
    return {name: np.array([run[name] for run in runs]) for name in runs[0]}


def _in_processes(run, jobs, description, workers):
    if not jobs:
        raise ValueError("there is no seed to run: pass at least one, such as runtime.seeds(5).")
    workers = min(workers, len(jobs)) if workers else _processes(len(jobs))
    # Large arrays reach a process as files; mode "c" lets it write to its own copy.
    pool = Parallel(n_jobs=workers, return_as="generator", mmap_mode="c")
    results = pool(delayed(_run_one)(run, *job) for job in jobs)
    return list(runtime.progress(results, description, len(jobs)))


def _processes(jobs):
    """Return how many processes: our own number, or the user's (`joblib.parallel_config`)."""
    backend, chosen = get_active_backend()
    return min(runtime.workers(), jobs) if isinstance(backend, LokyBackend) else chosen


def _run_one(run, seed, *part):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with runtime.seeded(seed):
            return run(seed, *part)
    finally:
        torch.set_num_threads(threads)
