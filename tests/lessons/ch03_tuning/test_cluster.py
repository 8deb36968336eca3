"""A cluster gives the same numbers as one machine, and loses nothing when a worker dies."""

import os
import signal
import sys
import threading
import time
from functools import partial

import cloudpickle
import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.svm import SVC

from tlcourse import experiment, runtime
from tlcourse.lessons.ch03_tuning import cluster, search

distributed = pytest.importorskip("distributed", reason="pip install 'tlcourse[scale]'")
cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers do not know this file
QUIET = {"threads_per_worker": 1, "dashboard_address": None, "processes": False}


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory):
    """A real cluster of two processes on this machine."""
    before = os.getcwd()
    os.chdir(tmp_path_factory.mktemp("cluster"))  # Dask keeps its files in the current folder
    try:
        with cluster.dask(workers=2) as client:
            yield client
    finally:
        os.chdir(before)


def by_itself(run):
    """Call `run` as outside the cluster, in this process: joblib's setting is that of the thread."""
    found = []
    thread = threading.Thread(target=lambda: found.append(run()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOKY_MAX_CPU_COUNT", "1")
        thread.start()
        thread.join()
    return found[0]


def draws(seed, part):
    return {part: (torch.rand(3).tolist(), np.random.rand(), seed)}


def test_a_sweep_over_seeds_gives_the_same_to_the_last_digit(two_workers):
    seeds = runtime.seeds(3)
    for run in (
        partial(experiment.sweep, draws, seeds, ["a", "b"]),
        partial(experiment.repeat, partial(search.optimism, candidates=4), seeds),
    ):
        assert run() == by_itself(run)


def test_a_sweep_is_done_by_the_workers(two_workers):
    pids = set(experiment.repeat(lambda seed: (time.sleep(0.3), os.getpid())[1], range(6)))
    assert pids == set(two_workers.run(os.getpid).values())
    assert os.getpid() not in pids


def test_a_search_finds_the_same_to_the_last_digit(two_workers):
    from skopt import BayesSearchCV

    folds = KFold(3, shuffle=True, random_state=0)
    grid = GridSearchCV(SVC(), {"C": [0.1, 1, 10]}, cv=folds)
    space = {"C": (1e-2, 1e2, "log-uniform"), "gamma": (1e-3, 1e1, "log-uniform")}
    bayes = BayesSearchCV(SVC(), space, n_iter=6, cv=folds, random_state=0, n_points=2)
    for searched in (grid, bayes):

        def scores(searched=searched):
            searched.fit(*load_iris(return_X_y=True))
            return list(searched.cv_results_["mean_test_score"]), dict(searched.best_params_)

        assert scores() == by_itself(scores)


def marked(folder, seed):
    """Leave a mark that this run began, and in which process."""
    (folder / f"{seed}-{time.time_ns()}").write_text(str(os.getpid()))
    time.sleep(0.5)
    return seed, torch.rand(1).item()


def kill_the_first(folder):
    """Kill the process of the first run that leaves its mark."""
    while not (marks := [mark for mark in folder.iterdir() if mark.read_text()]):
        time.sleep(0.01)
    os.kill(int(marks[0].read_text()), signal.SIGKILL)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows kills otherwise")
def test_killing_a_worker_loses_nothing(two_workers, tmp_path):
    seeds = runtime.seeds(6)
    killer = threading.Thread(target=kill_the_first, args=[tmp_path])
    killer.start()
    found = experiment.repeat(partial(marked, tmp_path), seeds)
    killer.join()
    assert len(list(tmp_path.iterdir())) > len(seeds), "no run began again: nothing was killed"
    assert found == by_itself(lambda: experiment.repeat(partial(marked, tmp_path), seeds))


def test_workers_with_several_threads_are_refused(tmp_path):
    options = QUIET | {"threads_per_worker": 2, "local_directory": str(tmp_path), "n_workers": 1}
    with (
        distributed.LocalCluster(**options) as several,
        pytest.raises(ValueError, match="has 2 threads: start it with --nthreads 1"),
        cluster.dask(several.scheduler_address),
    ):
        raise AssertionError("never reached")


def test_a_scheduler_that_does_not_answer_is_named():
    address = "tcp://127.0.0.1:1"
    with pytest.raises(OSError, match="127.0.0.1:1"), cluster.dask(address):
        raise AssertionError("never reached")


def test_without_dask_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ModuleNotFoundError, match=r"tlcourse\[scale\]"), cluster.dask():
        raise AssertionError("never reached")
