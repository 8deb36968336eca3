"""Rules that balance tasks: from their losses and the inner products of their gradients to weights.

Each takes `losses` (runs, tasks), without a graph; `gram` (runs, tasks, tasks), the inner products of
the shared gradients; and `memory`, a dict that lives as long as the training. Each returns weights
(runs, tasks): the shared layers follow the weighted sum of the gradients.
"""

import torch

SMALL = 1e-12


def lengths(gram: torch.Tensor) -> torch.Tensor:
    """Return the length of each gradient, (..., tasks), from inner products (..., tasks, tasks)."""
    return gram.diagonal(dim1=-2, dim2=-1).clamp_min(SMALL).sqrt()


def cosines(gram: torch.Tensor) -> torch.Tensor:
    """Return the cosine between each pair of gradients, shape (..., tasks, tasks)."""
    length = lengths(gram)
    return gram / (length[..., :, None] * length[..., None, :])


def plain_sum(losses, gram, memory):
    """Weigh every task by 1, or by ``memory["weights"]``."""
    return torch.ones_like(losses) * memory.get("weights", 1.0)


def normalised(losses, gram, memory):
    """Divide each gradient by its length: every task moves the shared layers equally far."""
    return 1 / lengths(gram)


def uncertainty(losses, gram, memory):
    """Learn the noise of each task with the network: Kendall, Gal and Cipolla (2018), equation 10.

    With s = log σ², the loss is the sum of exp(-s) L / 2 + s / 2 for a measurement and of
    exp(-s) L + s / 2 for classes. ``memory["classes"]`` says which tasks have classes, and
    ``memory["rate"]`` is the learning rate of s.
    """
    s, adam = _learned(losses, memory)
    factor = torch.where(torch.as_tensor(memory["classes"], device=losses.device), 1.0, 0.5)
    weights = factor * torch.exp(-s.detach())
    s.grad = -weights * losses + 0.5
    adam.step()
    return weights


def average_change(losses, gram, memory):
    """Favour tasks whose loss falls slowly: DWA of Liu, Johns and Davison (2019), equation 7.

    The paper compares epochs; here the mean loss of the last ten steps is compared with the ten
    before. ``memory["temperature"]`` flattens the weights.
    """
    past = memory.setdefault("past", [])
    past.append(losses)
    del past[:-20]
    if len(past) < 20:
        return torch.ones_like(losses)
    change = torch.stack(past[10:]).mean(0) / torch.stack(past[:10]).mean(0)
    return losses.shape[1] * torch.softmax(change / memory.get("temperature", 2.0), 1)


def gradnorm_targets(norms, losses, first, alpha):
    """Return the length that each weighted gradient should have: Chen et al. (2018), equation 2.

    The mean length, times (relative loss) ** alpha, where the relative loss of a task is how much of
    its first loss is left, divided by the mean of that over the tasks.
    """
    left = losses / first
    return norms.mean(1, keepdim=True) * (left / left.mean(1, keepdim=True)) ** alpha


def gradnorm(losses, gram, memory):
    """Learn weights that bring gradients to the lengths of `gradnorm_targets`.

    The weights are ``tasks * softmax``: positive, and their sum stays the number of tasks.
    """
    v, adam = _learned(losses, memory)
    first = memory.setdefault("first", losses)
    weights = losses.shape[1] * torch.softmax(v, 1)
    norms = weights * lengths(gram)
    goal = gradnorm_targets(norms.detach(), losses, first, memory.get("alpha", 1.5))
    (v.grad,) = torch.autograd.grad((norms - goal).abs().sum(), v)
    adam.step()
    return weights.detach()


def _learned(losses, memory):
    """Return the numbers that a rule learns, one a task and 0 at first, and their optimiser."""
    if "learned" not in memory:
        memory["learned"] = torch.zeros_like(losses, requires_grad=True)
        memory["adam"] = torch.optim.Adam([memory["learned"]], memory.get("rate", 0.1))
    return memory["learned"], memory["adam"]


def pcgrad(losses, gram, memory):
    """Remove from each gradient what opposes another one: Yu et al. (2020), algorithm 1.

    A projected gradient is a sum of the old ones, so its factors are all that is needed: row i of
    `factors` holds those of task i. The order of the other tasks is drawn anew in each step, from
    ``memory["generator"]``.
    """
    tasks = losses.shape[1]
    factors = torch.eye(tasks, device=gram.device, dtype=gram.dtype).repeat(len(gram), 1, 1)
    squares = gram.diagonal(dim1=1, dim2=2).clamp_min(SMALL)
    for i in range(tasks):
        for j in torch.randperm(tasks, generator=memory.get("generator")).tolist():
            if j != i:
                inner = (factors[:, i] * gram[:, j]).sum(1)
                factors[:, i, j] -= inner.clamp_max(0) / squares[:, j]
    return factors.sum(1)


def equal_projections(losses, gram, memory):
    """Find the sum whose projections on all gradients are equal: IMTL-G, Liu et al. (2021), eq. 3.

    The weights add up to 1; one may be negative.
    """
    # With unit gradients u and weights b, "equal projections" reads C b = 1, C the cosines of the u.
    # The ridge makes the answer unique where two gradients are parallel.
    ridge = 1e-6 * torch.eye(losses.shape[1], device=gram.device, dtype=gram.dtype)
    ones = torch.ones_like(losses)[..., None].to(gram.dtype)
    weights = torch.linalg.solve(cosines(gram) + ridge, ones)[..., 0] / lengths(gram)
    return weights / weights.sum(1, keepdim=True)


FROM_LOSSES = (plain_sum, uncertainty, average_change)  # these need no gradient of their own
