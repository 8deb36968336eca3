"""Meta-learning: learn an initialisation from which a few gradient steps solve a new task.

Several learners (one a seed) train side by side: every weight has a leading axis of learners. Their
tasks stand in one row, those of the first learner first.

The rule that keeps the outer gradient right: `torch.func.vmap` goes round the forward pass and the
loss only; both derivatives are ordinary autograd. Around an inner `torch.func.grad`, with the outer
derivative outside, vmap gives wrong second derivatives for layers with affine normalisation.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call, vmap

from tlcourse import runtime

RECORDING = ContextVar("recording", default=False)  # `compiled` is at work: no value can be read
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
    states = []
    for seed in seeds:
        with runtime.seeded(seed):
            states.append(dict(make().named_parameters()))
    return {name: torch.stack([s[name].detach() for s in states]) for name in states[0]}


def with_rates(weights: dict, lr: float) -> dict[str, torch.Tensor]:
    """Add an inner learning rate for every single weight: Meta-SGD learns these too.

    Z. Li et al. 2017, "Meta-SGD", arXiv:1707.09835, equation 2.
    """
    return weights | {RATE + name: torch.full_like(w, lr) for name, w in weights.items()}


def for_tasks(weights: dict, tasks: int) -> dict[str, torch.Tensor]:
    """Give every task a copy of its learner's weights: {name: (tasks, ...)}."""
    learners = len(next(iter(weights.values())))
    if tasks < 1 or tasks % learners:
        raise ValueError(f"{tasks} tasks for {learners} learners: give each the same number, ≥ 1.")
    return {name: w.repeat_interleave(tasks // learners, 0) for name, w in weights.items()}


# ── inner loop ──────────────────────────────────────────────────────────────────────────────


def outputs(model: nn.Module, fast: dict, inputs: torch.Tensor) -> torch.Tensor:
    """Return what each task's own weights make of its inputs, shape (tasks, examples, ...)."""
    if any(True for _ in model.buffers()):
        raise ValueError(
            "the network keeps buffers, which all tasks would share: build its BatchNorm layers with "
            "track_running_stats=False."
        )
    network = {name: w for name, w in fast.items() if not name.startswith(RATE)}
    return vmap(lambda w, x: functional_call(model, w, (x,)))(network, inputs)


def task_losses(model, fast: dict, inputs, targets, loss: Callable) -> torch.Tensor:
    """Return the loss of each task, shape (tasks,)."""
    return vmap(loss)(outputs(model, fast, inputs), targets)


def adapt(
    model: nn.Module,
    fast: dict,
    support: tuple,
    loss: Callable,
    steps: int,
    lr: float,
    *,
    second_order: bool = False,
    only: str = "",
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
        grads = torch.autograd.grad(
            losses.sum(), [fast[n] for n in names], create_graph=second_order
        )
        # Without create_graph `grads` are constants; the new weights still depend on the old ones.
        moved = {n: fast[n] - fast.get(RATE + n, lr) * g for n, g in zip(names, grads, strict=True)}
        fast = fast | moved
    if not RECORDING.get() and (bad := _first_false(finite)):
        raise ValueError(
            f"the loss is NaN or infinite at inner step {bad}: lower the inner learning rate, or "
            "repair the inputs."
        )
    return fast


def _first_false(flags: list[torch.Tensor]) -> int:
    """Return the number of the first flag that is false, from 1; 0 if there is none.

    Read together, after many steps: a GPU stops and waits whenever the program reads a value.
    """
    wrong = torch.stack(flags).logical_not()
    return int(wrong.int().argmax() + 1) if wrong.any() else 0


# ── outer gradients ─────────────────────────────────────────────────────────────────────────


def maml_gradient(
    model,
    weights: dict,
    tasks: Tasks,
    loss: Callable,
    steps: int = 1,
    lr: float = 0.01,
    *,
    second_order: bool = True,
    only: str = "",
    chunk_size: int | None = None,
) -> dict[str, torch.Tensor]:
    """Return the gradient of the mean query loss after adaptation, with respect to the start.

    C. Finn et al. 2017, "Model-agnostic meta-learning", arXiv:1703.03400, algorithm 2. With
    ``second_order=False`` it is FOMAML (section 5.2); with ``only`` the head's name, ANIL (A. Raghu
    et al. 2020, arXiv:1909.09157); with weights from `with_rates`, Meta-SGD.

    Parameters
    ----------
    chunk_size : int, optional
        Tasks at a time. The graph kept in memory grows with tasks × steps; this bounds it, and
        changes nothing in the result.
    """
    start = {name: w.detach().requires_grad_() for name, w in weights.items()}
    n = len(tasks.support_inputs)
    learners = len(next(iter(weights.values())))
    if chunk_size is not None and chunk_size < 1:
        raise ValueError(f"chunk_size is {chunk_size}: take at least 1 task at a time.")
    owner = for_tasks({"": torch.arange(learners)}, n)[""]
    for index in torch.arange(n).split(chunk_size or n):
        if len(index) == n:
            fast, part = for_tasks(start, n), tasks
        else:
            fast, part = {k: w[owner[index]] for k, w in start.items()}, tasks.rows(index)
        fast = adapt(model, fast, part[:2], loss, steps, lr, second_order=second_order, only=only)
        losses = task_losses(model, fast, *part[2:], loss)
        (losses.sum() * learners / n).backward()
    return gradients_of(start)


def gradients_of(start: dict) -> dict[str, torch.Tensor]:
    """Return what `backward` left in each weight; zeros where it left nothing."""
    return {n: torch.zeros_like(w) if w.grad is None else w.grad for n, w in start.items()}


def joint_gradient(model, weights: dict, tasks: Tasks, loss: Callable) -> dict:
    """Return the gradient of the plain mean loss on all tasks, support and query together.

    The strong simple baseline: ordinary pretraining, which learns what tasks have in common and
    is then fine-tuned.
    """
    start = {name: w.detach().requires_grad_() for name, w in weights.items()}
    n = len(tasks.support_inputs)
    losses = task_losses(model, for_tasks(start, n), *tasks.merged(), loss)
    (losses.sum() * len(next(iter(weights.values()))) / n).backward()
    return gradients_of(start)


def reptile_gradient(model, weights: dict, tasks: Tasks, loss, steps=10, lr=REPTILE_LR) -> dict:
    """Return minus the mean way that adaptation moves the weights: Reptile walks along it.

    A. Nichol et al. 2018, arXiv:1803.02999, algorithm 2. No derivative of a derivative, and no
    split into support and query.
    """
    n = len(tasks.support_inputs)
    fast = adapt(model, for_tasks(weights, n), tasks.merged(), loss, steps, lr)
    return {
        name: w - fast[name].detach().unflatten(0, (len(w), -1)).mean(1)
        for name, w in weights.items()
    }


# ── outer loop ──────────────────────────────────────────────────────────────────────────────


def compiled(outer_gradient: Callable) -> Callable:
    """Return the same outer gradient, recorded once and then repeated at once.

    On a CPU, one call is recorded, with all operations of both derivatives, and `torch.compile`
    makes a few loops in machine code of them. That takes seconds to minutes, once for each shape of
    the tasks: it pays for thousands of meta-steps of a small network. Where nothing can be compiled,
    a warning says so, and the outer gradient stays as it was.

    On a GPU of NVIDIA, the thousands of small kernels of one call become one CUDA graph, which is
    started as a whole: starting them one by one takes longer than computing them.
    """
    made = {}

    def gradient(weights, tasks):
        shapes = tuple(part.shape for part in (*weights.values(), *tasks))
        if shapes not in made:
            make = _graph if tasks.support_inputs.is_cuda else _compile
            made[shapes] = make(outer_gradient, weights, tasks)
        return made[shapes](weights, tasks)

    return gradient


def _compile(outer_gradient, weights, tasks):
    from torch.fx.experimental.proxy_tensor import make_fx  # takes long, so only where needed

    token = RECORDING.set(True)
    try:
        recorded = make_fx(outer_gradient)(weights, tasks)
    finally:
        RECORDING.reset(token)
    fast = torch.no_grad()(torch.compile(recorded, fullgraph=True, dynamic=False))
    try:
        fast(weights, tasks)
    except RuntimeError as error:
        reason = str(error).replace(":\n", ": ").partition("\n")[0]
        warnings.warn(
            f"compile=True needs a C++ compiler that works ({reason}): the training goes on without, "
            "slower and with the same result.",
            stacklevel=3,
        )
        return outer_gradient
    return fast


def _graph(outer_gradient, weights, tasks):
    # A graph reads and writes the same memory each time, so what comes in is copied there.
    weights, tasks = (
        {n: w.clone() for n, w in weights.items()},
        Tasks(*(p.clone() for p in tasks)),
    )
    aside, graph, token = torch.cuda.Stream(), torch.cuda.CUDAGraph(), RECORDING.set(True)
    try:
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(3):  # the first calls choose kernels and take memory
                outer_gradient(weights, tasks)
        torch.cuda.current_stream().wait_stream(aside)
        with torch.cuda.graph(graph):
            found = outer_gradient(weights, tasks)
    finally:
        RECORDING.reset(token)

    def replay(new_weights, new_tasks):
        places = *weights.values(), *tasks
        for place, new in zip(places, (*new_weights.values(), *new_tasks), strict=True):
            place.copy_(new)
        graph.replay()
        return {name: gradient.clone() for name, gradient in found.items()}

    return replay


def meta_train(
    weights: dict,
    sample_tasks: Callable[[], Tasks],
    outer_gradient: Callable,
    steps: int,
    meta_lr: float = 1e-3,
    description: str = "meta-training",
    *,
    compile: bool = False,
) -> dict[str, torch.Tensor]:
    """Train the start with Adam; return the new weights, the given ones stay.

    Adam works number by number, so learners that stand side by side do not touch each other.

    Parameters
    ----------
    weights : dict of str to torch.Tensor, shape (learners, ...)
    sample_tasks : callable
        Returns fresh tasks at each call, the same number for each learner.
    outer_gradient : callable
        ``outer_gradient(weights, tasks)``, such as a partial of `maml_gradient`.
    steps : int
        Meta-steps, at least 1.
    compile : bool
        Use `compiled`; worth its start for thousands of meta-steps.

    Raises
    ------
    ValueError
        For fewer than 1 step, or when a gradient becomes NaN.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}: take at least 1 meta-step.")
    if compile:
        outer_gradient = compiled(outer_gradient)
    # All weights are pieces of one vector, so that Adam has one tensor to move instead of many.
    vector = torch.cat([w.flatten() for w in weights.values()])
    pieces = vector.split([w.numel() for w in weights.values()])
    weights = {n: p.view_as(w) for (n, w), p in zip(weights.items(), pieces, strict=True)}
    optimizer, finite = torch.optim.Adam([vector], lr=meta_lr), []
    for step in runtime.progress(range(steps), description):
        found = outer_gradient(weights, sample_tasks())
        vector.grad = torch.cat([found[name].flatten() for name in weights])
        optimizer.step()
        finite.append(vector.grad.isfinite().all())
        if len(finite) == 100 or step + 1 == steps:
            if bad := _first_false(finite):
                bad += step + 1 - len(finite)
                raise ValueError(f"the outer gradient is NaN at meta-step {bad}: lower meta_lr.")
            finite = []
    return {name: w.clone() for name, w in weights.items()}


def saved_bytes(run: Callable[[], object]) -> int:
    """Return the bytes that autograd keeps for backward passes while `run()` works."""
    total = 0

    def keep(tensor):
        nonlocal total
        total += tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        run()
    return total


# ── sinusoids ───────────────────────────────────────────────────────────────────────────────


def sine_network() -> nn.Module:
    """Return the 1-40-40-1 network of Finn et al. 2017, section 5.1; its last layer is "head"."""
    body = nn.Sequential(nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU())
    model = nn.Sequential()
    model.add_module("body", body)
    model.add_module("head", nn.Linear(40, 1))
    return model


def sine_tasks(learners, tasks: int, shots: int = 10, queries: int = 10) -> Tasks:
    """Draw sine waves: amplitude from 0.1 to 5, phase from 0 to π, inputs from -5 to 5.

    Parameters
    ----------
    learners : sequence of numpy.random.Generator
        One a learner: each learner sees tasks of its own.
    tasks : int
        Waves a learner.
    shots, queries : int
        Points a wave to adapt with, and to judge with.
    """
    if min(tasks, shots, queries) < 1:
        raise ValueError("take at least 1 task, 1 shot and 1 query.")
    drawn = [
        (rng.uniform(0.1, 5, (tasks, 1, 1)), rng.uniform(0, np.pi, (tasks, 1, 1)),
         rng.uniform(-5, 5, (tasks, shots + queries, 1)))
        for rng in learners
    ]  # fmt: skip
    amplitude, phase, x = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
    x, y = (torch.tensor(v, dtype=torch.float32) for v in (x, amplitude * np.sin(x - phase)))
    return Tasks(x[:, :shots], y[:, :shots], x[:, shots:], y[:, shots:])


def errors_along(
    model, weights: dict, tasks: Tasks, at=(0, 1, 5, 10), lr=0.01, only=""
) -> np.ndarray:
    """Return the mean squared query error after some numbers of steps, shape (learners, len(at))."""
    fast, found, done = for_tasks(weights, len(tasks.support_inputs)), [], 0
    for steps in at:
        if steps > done:
            fast = adapt(model, fast, tasks[:2], F.mse_loss, steps - done, lr, only=only)
            fast, done = {n: w.detach() for n, w in fast.items()}, steps
        with torch.no_grad():
            losses = task_losses(model, fast, *tasks[2:], F.mse_loss)
        found.append(losses.unflatten(0, (len(next(iter(weights.values()))), -1)).mean(1))
    return torch.stack(found, 1).numpy()


def sine_methods(model) -> dict[str, tuple[Callable, str]]:
    """Return each method's outer gradient, and which weights it adapts ("" for all)."""
    one = partial(maml_gradient, model, loss=F.mse_loss)
    return {
        "MAML": (one, ""),
        "FOMAML": (partial(one, second_order=False), ""),
        "ANIL": (partial(one, only="head"), "head"),
        "Reptile": (partial(reptile_gradient, model, loss=F.mse_loss, steps=5), ""),
        "joint pretraining": (partial(joint_gradient, model, loss=F.mse_loss), ""),
    }
