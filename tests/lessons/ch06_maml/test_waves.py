"""On sine waves, learners do not touch each other, meta-training helps, and memory grows as it should."""

from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tlcourse.lessons.ch06_maml import maml, waves
from tlcourse.lessons.ch06_maml.meta_training import meta_train, saved_bytes

MODEL = waves.network()


def trained(seeds, tasks, steps):
    rngs = [np.random.default_rng(seed) for seed in seeds]
    start, outer = maml.initial_weights(waves.network, seeds), waves.methods(MODEL)["MAML"][0]
    return start, meta_train(start, lambda: waves.draw_tasks(rngs, tasks), outer, steps)


def test_learners_side_by_side_train_as_each_alone():
    (_, together), (_, alone) = trained([3, 4], 4, 5), trained([4], 4, 5)
    assert all(torch.allclose(together[n][1], alone[n][0], atol=1e-5) for n in alone)


def test_meta_training_teaches_to_adapt():
    test = waves.draw_tasks([np.random.default_rng(9)] * 2, 100)
    before, after = (waves.errors_along(MODEL, w, test, (5,)) for w in trained([1, 2], 10, 300))
    assert (after < 0.7 * before).all()


def test_saved_bytes_grow_linearly_in_tasks_and_steps():
    weights = maml.initial_weights(waves.network, [0])

    def kept(tasks, steps):
        drawn = waves.draw_tasks([np.random.default_rng(0)], tasks)
        return saved_bytes(partial(maml.maml_gradient, MODEL, weights, drawn, F.mse_loss, steps))

    assert kept(16, 1) == pytest.approx(2 * kept(8, 1), rel=0.02)
    assert kept(8, 3) - kept(8, 2) == pytest.approx(kept(8, 2) - kept(8, 1), rel=0.02)


def test_a_row_without_a_task_is_refused():
    with pytest.raises(ValueError, match="at least 1 task"):
        waves.draw_tasks([np.random.default_rng(0)], 0)
