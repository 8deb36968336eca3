"""Model-agnostic meta-learning: the inner step, and the gradients that the outer step takes.

Several learners (one a seed) train side by side: every weight has a leading axis of learners. Their
tasks stand in one row, those of the first learner first.

The rule that keeps the outer gradient right: `torch.func.vmap` goes round the forward pass and the
loss only; both derivatives are ordinary autograd. Around an inner `torch.func.grad`, with the outer
derivative outside, vmap gives wrong second derivatives for layers with affine normalisation.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import NamedTuple

import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

from tlcourse import runtime

RECORDING = ContextVar("recording", default=False)  # `meta_training.compiled` is at work
REPTILE_LR = 0.02  # the inner learning rate that Reptile trains with; the others have 0.01
RATE = "rate of "  # a weight's own inner learning rate (Meta-SGD) is kept under this and its name


class Tasks(NamedTuple):
    """A row of tasks; every tensor has the shape (tasks, examples, ...)."""

    support_inputs: torch.Tensor
    support_targets: torch.Tensor
    query_inputs: torch.Tensor
    query_targets: torch.Tensor

    def rows(self, index) -> Tasks:
        """Return the tasks at `index`."""
        return Tasks(*(part[index] for part in self))

    def merged(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return support and query together, as one set of inputs and targets a task."""
        inputs, targets = self[::2], self[1::2]
        return torch.cat(inputs, 1), torch.cat(targets, 1)


# ── weights ─────────────────────────────────────────────────────────────────────────────────


def initial_weights(make: Callable[[], nn.Module], seeds) -> dict[str, torch.Tensor]:
    """Return the weights of one new network a seed, stacked: {name: (learners, ...)}."""
    networks = []
    for seed in seeds:
        with runtime.seeded(seed):
            networks.append(make())
    return {name: w.detach() for name, w in stack_module_state(networks)[0].items()}


def with_rates(weights: dict, lr: float) -> dict[str, torch.Tensor]:
    """Add an inner learning rate for every single weight: Meta-SGD learns these too.

    Z. Li et al. 2017, "Meta-SGD", arXiv:1707.09835, equation 2.
    """
    return weights | {RATE + name: torch.full_like(w, lr) for name, w in weights.items()}


def learners(weights: dict) -> int:
    """Return how many learners stand side by side."""
    return len(next(iter(weights.values())))


def for_tasks(weights: dict, tasks: int) -> dict[str, torch.Tensor]:
    """Give every task a copy of its learner's weights: {name: (tasks, ...)}."""
    n = learners(weights)
    if tasks < 1 or tasks % n:
        raise ValueError(f"{tasks} tasks for {n} learners: give each the same number, ≥ 1.")
    return {name: w.repeat_interleave(tasks // n, 0) for name, w in weights.items()}


# ── inner loop ──────────────────────────────────────────────────────────────────────────────


def outputs(model: nn.Module, fast: dict, inputs: torch.Tensor) -> torch.Tensor:
    """Return what each task's own weights make of its inputs, shape (tasks, examples, ...).

    Where a layer draws at random, as dropout does in training, every task draws its own.
    """
    if any(True for _ in model.buffers()):
        raise ValueError(
            "the network keeps buffers, which all tasks would share: build its BatchNorm layers with "
            "track_running_stats=False."
        )
    network = {name: w for name, w in fast.items() if not name.startswith(RATE)}
    run = vmap(lambda w, x: functional_call(model, w, (x,)), randomness="different")
    return run(network, inputs)


def task_losses(model, fast: dict, inputs, targets, loss: Callable) -> torch.Tensor:
    """Return the loss of each task, shape (tasks,)."""
    return vmap(loss)(outputs(model, fast, inputs), targets)


def adapt(
    model,
    fast: dict,
    support,
    loss: Callable,
    steps: int,
    lr: float,
    *,
    second_order=False,
    only="",
) -> dict[str, torch.Tensor]:
    """Take `steps` gradient steps on each task's support set, from each task's own weights.

    Parameters
    ----------
    model : nn.Module
        Says how to compute; its own weights are not used and not changed.
    fast : dict of str to torch.Tensor, shape (tasks, ...)
        From `for_tasks`.
    support : (inputs, targets)
        Each of shape (tasks, examples, ...).
    loss : callable
        ``loss(outputs, targets)`` of one task, a number.
    steps : int
        At least 1.
    lr : float
        Inner learning rate, where a weight has none of its own (`with_rates`).
    second_order : bool
        Keep the graph of the inner gradient, so that an outer gradient goes through it (MAML).
    only : str
        Adapt only weights whose name begins with this, such as "head" (ANIL).

    Returns
    -------
    dict
        The adapted weights, as `fast`.

    Raises
    ------
    ValueError
        For fewer than 1 step, no such weight, or a loss that is NaN or infinite.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}: take at least 1 step of adaptation.")
    names = [name for name in fast if name.startswith(only) and not name.startswith(RATE)]
    if not names:
        raise ValueError(f"no weight's name begins with {only!r}: choose from {list(fast)}.")
    fast = {n: w if w.requires_grad else w.detach().requires_grad_() for n, w in fast.items()}
    finite = []
    for _ in range(steps):
        losses = task_losses(model, fast, *support, loss)
        finite.append(losses.detach().isfinite().all())
        each = [fast[n] for n in names]
        grads = torch.autograd.grad(losses.sum(), each, create_graph=second_order)
        # Without create_graph `grads` are constants; the new weights still depend on the old ones.
        moved = {n: fast[n] - fast.get(RATE + n, lr) * g for n, g in zip(names, grads, strict=True)}
        fast = fast | moved
    if not RECORDING.get() and (bad := first_false(finite)):  # a recording has no values to read
        raise ValueError(
            f"the loss is NaN or infinite at inner step {bad}: lower the inner learning rate, or "
            "repair the inputs."
        )
    return fast


def first_false(flags: list[torch.Tensor]) -> int:
    """Return the number of the first flag that is false, from 1; 0 if there is none.

    Read together, after many steps: a GPU stops and waits whenever the program reads a value.
    """
    wrong = torch.stack(flags).logical_not()
    return int(wrong.int().argmax() + 1) if wrong.any() else 0


# ── outer gradients ─────────────────────────────────────────────────────────────────────────


def outer_gradient(
    weights: dict, tasks: Tasks, losses: Callable, chunk_size: int | None = None
) -> dict[str, torch.Tensor]:
    """Return the gradient of the mean loss over each learner's tasks, with respect to its start.

    Parameters
    ----------
    weights : dict of str to torch.Tensor, shape (learners, ...)
    tasks : Tasks
    losses : callable
        ``losses(fast, tasks)`` returns one loss a task, shape (tasks,), from copies of the start.
    chunk_size : int, optional
        Tasks at a time. The graph kept in memory grows with tasks × steps; this bounds it, and
        changes nothing in the result.
    """
    if chunk_size is not None and chunk_size < 1:
        raise ValueError(f"chunk_size is {chunk_size}: take at least 1 task at a time.")
    start = {name: w.detach().requires_grad_() for name, w in weights.items()}
    n = len(tasks.support_inputs)
    owner = for_tasks({"": torch.arange(learners(weights))}, n)[""]
    for index in torch.arange(n).split(chunk_size or n):
        if len(index) == n:
            fast, part = for_tasks(start, n), tasks
        else:
            fast, part = {k: w[owner[index]] for k, w in start.items()}, tasks.rows(index)
        (losses(fast, part).sum() * learners(weights) / n).backward()
    return {name: torch.zeros_like(w) if w.grad is None else w.grad for name, w in start.items()}


def maml_gradient(
    model, weights, tasks, loss, steps=1, lr=0.01, *, second_order=True, only="", chunk_size=None
) -> dict[str, torch.Tensor]:
    """Return the gradient of the mean query loss after adaptation, with respect to the start.

    C. Finn et al. 2017, "Model-agnostic meta-learning", arXiv:1703.03400, algorithm 2. With
    ``second_order=False`` it is FOMAML (section 5.2); with ``only`` the head's name, ANIL (A. Raghu
    et al. 2020, arXiv:1909.09157); with weights from `with_rates`, Meta-SGD. The settings are those
    of `adapt` and of `outer_gradient`.
    """

    def losses(fast, part):
        fast = adapt(model, fast, part[:2], loss, steps, lr, second_order=second_order, only=only)
        return task_losses(model, fast, *part[2:], loss)

    return outer_gradient(weights, tasks, losses, chunk_size)


def joint_gradient(model, weights: dict, tasks: Tasks, loss: Callable) -> dict:
    """Return the gradient of the plain mean loss on all tasks, support and query together.

    The strong simple baseline: ordinary pretraining, which learns what tasks have in common and
    is then fine-tuned.
    """
    losses = lambda fast, part: task_losses(model, fast, *part.merged(), loss)
    return outer_gradient(weights, tasks, losses)


def reptile_gradient(model, weights: dict, tasks: Tasks, loss, steps=10, lr=REPTILE_LR) -> dict:
    """Return minus the mean way that adaptation moves the weights: Reptile walks along it.

    A. Nichol et al. 2018, arXiv:1803.02999, algorithm 2. No derivative of a derivative, and no
    split into support and query.
    """
    n = len(tasks.support_inputs)
    fast = adapt(model, for_tasks(weights, n), tasks.merged(), loss, steps, lr)
    ends = {name: w.detach().unflatten(0, (learners(weights), -1)) for name, w in fast.items()}
    return {name: w - ends[name].mean(1) for name, w in weights.items()}
