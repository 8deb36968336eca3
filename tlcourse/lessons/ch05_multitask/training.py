"""Several tasks, one network: a shared encoder, a head a task, and a rule that balances the tasks.

Many runs (seeds, weights) are trained side by side: every tensor has the runs as its first axis, so
ten seeds cost little more than one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from tlcourse.lessons.ch05_multitask.rules import FROM_LOSSES, plain_sum
from tlcourse.lessons.ch05_multitask.tasks import Task
from tlcourse.models import StackedNetwork


def gradients(losses: torch.Tensor, shared: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the gradient of each task's loss with respect to the shared parameters.

    Parameters
    ----------
    losses : torch.Tensor, shape (runs, tasks)
    shared : sequence of torch.Tensor, shape (runs, ...)

    Returns
    -------
    torch.Tensor, shape (runs, tasks, parameters)
        The graph stays, so that it can be used once more.
    """
    rows = []
    for loss in losses.unbind(1):
        found = torch.autograd.grad(loss.sum(), shared, retain_graph=True)
        rows.append(torch.cat([g.flatten(1) for g in found], dim=1))
    return torch.stack(rows, dim=1)


def backward(network: StackedNetwork, losses: torch.Tensor, rule: Callable, memory: dict):
    """Put the balanced gradient into every parameter, and return the weights.

    A rule that sees the losses only needs one backward pass, of the weighted sum. Any other needs one
    a task through the shared layers; each head then follows its own loss, whatever its weight.
    """
    network.zero_grad()
    if rule in FROM_LOSSES:
        weights = rule(losses.detach(), None, memory)
        (weights * losses).sum().backward()
        return weights
    shared = list(network.shared.parameters())
    found = gradients(losses, shared)
    weights = rule(losses.detach(), found @ found.mT, memory)
    mixed = (weights[:, None] @ found)[:, 0]
    for parameter, part in zip(shared, mixed.split([p[0].numel() for p in shared], 1), strict=True):
        parameter.grad = part.view_as(parameter)
    for loss in losses.unbind(1):
        loss.sum().backward(inputs=list(network.heads.parameters()), retain_graph=True)
    return weights


@dataclass
class Trained:
    """Networks after training, and what was watched every ten steps (steps, runs, ...)."""

    network: StackedNetwork
    losses: np.ndarray
    weights: np.ndarray
    gram: np.ndarray


def drawn(n: int, size: int, seeds: Sequence[int]) -> torch.Tensor:
    """Return `size` of `n` picture numbers for each seed, without repeats: (runs, size)."""
    if size > n:
        raise ValueError(f"{size} pictures of {n}: ask for fewer.")
    draws = [torch.Generator().manual_seed(seed) for seed in seeds]
    return torch.stack([torch.randperm(n, generator=draw)[:size] for draw in draws])


def train(
    x: torch.Tensor,
    tasks: Sequence[Task],
    rows: torch.Tensor,
    seeds: Sequence[int],
    rule: Callable = plain_sum,
    *,
    lr: float = 3e-3,
    steps: int = 300,
    batch: int = 64,
    hidden: int = 64,
    watch: bool = False,
    **memory,
) -> Trained:
    """Train one network a seed on the same tasks, all at once, with Adam.

    Parameters
    ----------
    x : torch.Tensor, shape (n, d)
        Pictures as numbers.
    tasks : sequence of Task
        With targets for all n pictures.
    rows : torch.Tensor of int64, shape (runs, m)
        The pictures that each run may learn from.
    seeds : sequence of int, length runs
        Of the initial weights and of the batches.
    rule : callable
        One of `rules`, or a function with the same signature.
    lr, steps, batch, hidden
        Of Adam and of the network.
    watch : bool
        Also record the inner products of the gradients (one more backward pass a task each ten
        steps).
    **memory
        What the rule reads, such as ``rate``.

    Returns
    -------
    Trained
    """
    _check(x, tasks, rows, seeds)
    widths = {t.head or t.name: t.classes or 1 for t in tasks}
    network = StackedNetwork(seeds, x.shape[1], widths, hidden).to(x.device)
    draws = [torch.Generator().manual_seed(seed + 1) for seed in seeds]
    order = torch.stack([torch.randint(rows.shape[1], (steps, batch), generator=d) for d in draws])
    optimizer = torch.optim.Adam(network.parameters(), lr)
    memory = {"classes": [t.classes > 0 for t in tasks], "generator": draws[0]} | memory
    seen = {"losses": [], "weights": [], "gram": []}
    for step in range(steps):
        now = rows.gather(1, order[:, step].to(rows.device))
        outputs = network(x[now])
        losses = torch.stack([t.loss(outputs[t.head or t.name], now) for t in tasks], 1)
        look = step % 10 == 0
        if look and watch:
            found = gradients(losses, list(network.shared.parameters()))
            seen["gram"].append(found @ found.mT)
        weights = backward(network, losses, rule, memory)
        if look:
            seen["losses"].append(losses.detach())
            seen["weights"].append(weights)
        optimizer.step()
    if not all(torch.isfinite(p).all() for p in network.parameters()):
        raise FloatingPointError("the weights are no longer finite: take a smaller learning rate.")
    kept = {name: np.array([v.cpu().numpy() for v in values]) for name, values in seen.items()}
    return Trained(network, **kept)


def _check(x, tasks, rows, seeds):
    if not tasks:
        raise ValueError("there is no task: pass at least one.")
    if rows.ndim != 2 or len(rows) != len(seeds):
        raise ValueError(
            f"rows have shape {tuple(rows.shape)} for {len(seeds)} seeds: pass one line a seed."
        )
    if any(len(t.targets) != len(x) for t in tasks):
        raise ValueError(f"every task needs one target for each of the {len(x)} pictures.")


@torch.no_grad()
def scores(network: StackedNetwork, x: torch.Tensor, tasks: Sequence[Task]) -> dict:
    """Return each task's score (accuracy or R²) of each run, an array of shape (runs,), by name."""
    outputs = network(x)
    return {t.name: t.score(outputs[t.head or t.name]) for t in tasks}
