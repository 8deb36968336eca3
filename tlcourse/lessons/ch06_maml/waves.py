"""Sine waves, the toy tasks of Finn et al. 2017: a network, tasks, and each method's gradient."""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from tlcourse.lessons.ch06_maml import maml
from tlcourse.lessons.ch06_maml.maml import Tasks


def network() -> nn.Sequential:
    """Return the 1-40-40-1 network of Finn et al. 2017, section 5.1; its last layer is "head"."""
    body = nn.Sequential(nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU())
    return nn.Sequential(OrderedDict(body=body, head=nn.Linear(40, 1)))


def draw_tasks(rngs, tasks: int, shots: int = 10, queries: int = 10) -> Tasks:
    """Draw sine waves: amplitude from 0.1 to 5, phase from 0 to π, inputs from -5 to 5.

    Parameters
    ----------
    rngs : sequence of numpy.random.Generator
        One a learner: each learner sees tasks of its own.
    tasks : int
        Waves a learner.
    shots, queries : int
        Points a wave to adapt with, and to judge with.
    """
    if min(tasks, shots, queries) < 1:
        raise ValueError("take at least 1 task, 1 shot and 1 query.")
    limits = ((0.1, 5, 1), (0, np.pi, 1), (-5, 5, shots + queries))
    drawn = [[rng.uniform(low, high, (tasks, n, 1)) for low, high, n in limits] for rng in rngs]
    amplitude, phase, x = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
    x, y = (torch.tensor(v, dtype=torch.float32) for v in (x, amplitude * np.sin(x - phase)))
    return Tasks(x[:, :shots], y[:, :shots], x[:, shots:], y[:, shots:])


def errors_along(
    model, weights: dict, tasks: Tasks, at=(0, 1, 5, 10), lr=0.01, only=""
) -> np.ndarray:
    """Return the mean squared query error after some numbers of steps, shape (learners, len(at))."""
    fast, found, done = maml.for_tasks(weights, len(tasks.support_inputs)), [], 0
    for steps in at:
        if steps > done:
            fast = maml.adapt(model, fast, tasks[:2], F.mse_loss, steps - done, lr, only=only)
            fast, done = {n: w.detach() for n, w in fast.items()}, steps
        with torch.no_grad():
            losses = maml.task_losses(model, fast, *tasks[2:], F.mse_loss)
        found.append(losses.unflatten(0, (maml.learners(weights), -1)).mean(1))
    return torch.stack(found, 1).numpy()


def methods(model) -> dict[str, tuple[Callable, str]]:
    """Return each method's outer gradient, and which weights it adapts ("" for all)."""
    one = partial(maml.maml_gradient, model, loss=F.mse_loss)
    return {
        "MAML": (one, ""),
        "FOMAML": (partial(one, second_order=False), ""),
        "ANIL": (partial(one, only="head"), "head"),
        "Reptile": (partial(maml.reptile_gradient, model, loss=F.mse_loss, steps=5), ""),
        "joint pretraining": (partial(maml.joint_gradient, model, loss=F.mse_loss), ""),
    }
