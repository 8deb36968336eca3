"""Several tasks, one network: a shared encoder, a head a task, and rules that balance the tasks.

Every rule sees no more than the losses of the tasks and the inner products of their gradients, and
answers with one weight a task. Many runs (seeds, weights) are trained side by side: every tensor
has the runs as its first axis, so ten seeds cost little more than one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from tlcourse.data import ImageSet, Splits, digits, few_rows
from tlcourse.models import StackedNetwork
from tlcourse.settings import choosing_seeds, store, stored

SETTINGS = Path(__file__).with_suffix(".json")
LEARNING_RATES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
SMALL = 1e-12
UNKNOWN = -1  # class of a picture that has no label for a task

# ── tasks ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Task:
    """A question about every picture.

    Attributes
    ----------
    name : str
    targets : torch.Tensor, shape (n,)
        Class numbers (int64; `UNKNOWN` where there is no label) or measurements (float32).
    classes : int
        Number of classes; 0 for a measurement, which is learned with the squared error.
    scale : float
        The loss is divided by it. `scaled` sets a measurement's variance.
    head : str
        Tasks that name the same head share their output too; by default each has its own.
    """

    name: str
    targets: torch.Tensor
    classes: int = 0
    scale: float = 1.0
    head: str = ""

    def loss(self, output: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return the mean loss of each run: `output` is (runs, batch, width), `rows` (runs, batch)."""
        truth = self.targets[rows]
        if self.classes:
            flat = output.flatten(0, 1), truth.flatten()
            each = F.cross_entropy(*flat, reduction="none", ignore_index=UNKNOWN)
            known = (truth != UNKNOWN).sum(1).clamp_min(1)
            return each.view(rows.shape).sum(1) / known / self.scale
        return (output[..., 0] - truth).square().mean(1) / self.scale

    def score(self, output: torch.Tensor) -> np.ndarray:
        """Return each run's accuracy, or the share of the variance explained (R², 0 for the mean)."""
        if self.classes:
            return (output.argmax(-1) == self.targets).float().mean(1).cpu().numpy()
        errors = (output[..., 0] - self.targets).square().mean(1)
        return (1 - errors / self.targets.var(correction=0)).cpu().numpy()


def scaled(tasks: Sequence[Task]) -> list[Task]:
    """Divide the loss of each measurement by the variance of its targets: the simple baseline.

    Then every measurement's loss begins near 1, whatever its unit is.
    """
    return [
        t if t.classes else Task(t.name, t.targets, 0, float(t.targets.var()), t.head)
        for t in tasks
    ]


def moments(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return how far the ink leans (degrees) and its horizontal centre (hundredths of a pixel).

    The slant is the angle whose tangent is the covariance of x and y over the variance of y, with y
    upwards: positive for strokes that lean to the right, 0 for upright ones.

    Parameters
    ----------
    images : torch.Tensor, shape (n, 1, side, side)
        Every picture needs ink.
    """
    ink, side = images[:, 0], images.shape[-1]
    total = ink.sum((1, 2))
    if (total <= 0).any():
        raise ValueError("a picture has no ink, so it has no slant: drop it first.")
    x = torch.arange(side, dtype=ink.dtype, device=ink.device)
    mean_x = (ink * x).sum((1, 2)) / total
    mean_y = (ink * x[:, None]).sum((1, 2)) / total
    dx, dy = x - mean_x[:, None], mean_y[:, None] - x
    across = (ink * dy[:, :, None] * dx[:, None, :]).sum((1, 2))
    up = (ink * dy.square()[:, :, None]).sum((1, 2))
    return torch.rad2deg(torch.atan2(across, up + SMALL)), 100 * mean_x


def pixels(images: torch.Tensor) -> torch.Tensor:
    """Return each picture as 64 numbers: 16 × 16 pixels, averaged two by two."""
    return F.avg_pool2d(images, 2).flatten(1)


def digit_tasks(pictures: ImageSet, like: ImageSet) -> list[Task]:
    """Return three tasks: class, slant in degrees, centre in hundredths of a pixel.

    Parameters
    ----------
    pictures : ImageSet
    like : ImageSet
        The training pictures, whose mean slant and centre are subtracted.
    """
    (slant, centre), (slant0, centre0) = moments(pictures.images), moments(like.images)
    return [
        Task("class", pictures.labels, len(pictures.names)),
        Task("slant", slant - slant0.mean()),
        Task("centre", centre - centre0.mean()),
    ]


def group_tasks(pictures: ImageSet) -> list[Task]:
    """Return three yes-or-no questions about a digit: is it odd, has it a loop, is it 5 or more."""
    digit = pictures.labels
    loop = torch.isin(digit, torch.tensor([0, 6, 8, 9], device=digit.device))
    answers = {"odd": digit % 2, "loop": loop.long(), "large": (digit >= 5).long()}
    return [Task(name, answer, 2) for name, answer in answers.items()]


# ── networks side by side ───────────────────────────────────────────────────────────────────


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


def cosines(gram: torch.Tensor) -> torch.Tensor:
    """Return the cosine between each pair of gradients from their inner products (..., t, t)."""
    length = gram.diagonal(dim1=-2, dim2=-1).clamp_min(SMALL).sqrt()
    return gram / (length[..., :, None] * length[..., None, :])


# ── rules: weights from losses and inner products ───────────────────────────────────────────
# Each takes `losses` (runs, tasks), `gram` (runs, tasks, tasks) with the inner products of the
# shared gradients, and `memory`, a dict that lives as long as the training. Each returns weights
# (runs, tasks); the shared layers follow the weighted sum of the gradients.


def plain_sum(losses, gram, memory):
    """Weigh every task by 1, or by ``memory["weights"]``."""
    return torch.ones_like(losses) * memory.get("weights", 1.0)


def normalised(losses, gram, memory):
    """Divide each gradient by its length: every task moves the shared layers equally far."""
    return 1 / _lengths(gram)


def uncertainty(losses, gram, memory):
    """Learn the noise of each task with the network: Kendall, Gal and Cipolla (2018), equation 10.

    With s = log σ², the loss is the sum of exp(-s) L / 2 + s / 2 for a measurement and of
    exp(-s) L + s / 2 for classes. ``memory["classes"]`` says which tasks have classes, and
    ``memory["rate"]`` is the learning rate of s.
    """
    if "s" not in memory:
        memory["s"] = torch.zeros_like(losses, requires_grad=True)
        memory["adam"] = torch.optim.Adam([memory["s"]], memory.get("rate", 0.1))
    factor = torch.where(torch.as_tensor(memory["classes"], device=losses.device), 1.0, 0.5)
    s, loss = memory["s"], losses.detach()
    weights = factor * torch.exp(-s.detach())
    s.grad = -weights * loss + 0.5
    memory["adam"].step()
    return weights


def average_change(losses, gram, memory):
    """Favour tasks whose loss falls slowly: DWA of Liu, Johns and Davison (2019), equation 7.

    The paper compares epochs; here the mean loss of the last ten steps is compared with the ten
    before. ``memory["temperature"]`` flattens the weights.
    """
    past = memory.setdefault("past", [])
    past.append(losses.detach())
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
    if "v" not in memory:
        memory["v"] = torch.zeros_like(losses, requires_grad=True)
        memory["adam"] = torch.optim.Adam([memory["v"]], memory.get("rate", 0.1))
        memory["first"] = losses.detach()
    with torch.enable_grad():
        weights = losses.shape[1] * torch.softmax(memory["v"], 1)
        norms = weights * _lengths(gram)
        goal = gradnorm_targets(
            norms.detach(), losses.detach(), memory["first"], memory.get("alpha", 1.5)
        )
        (memory["v"].grad,) = torch.autograd.grad((norms - goal).abs().sum(), memory["v"])
    memory["adam"].step()
    return weights.detach()


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
    weights = torch.linalg.solve(cosines(gram) + ridge, ones)[..., 0] / _lengths(gram)
    return weights / weights.sum(1, keepdim=True)


def _lengths(gram):
    return gram.diagonal(dim1=1, dim2=2).clamp_min(SMALL).sqrt()


FROM_LOSSES = (plain_sum, uncertainty, average_change)  # these need no gradient of their own

# ── training ────────────────────────────────────────────────────────────────────────────────


def backward(network: StackedNetwork, losses: torch.Tensor, tasks, rule: Callable, memory: dict):
    """Put the balanced gradient into every parameter, and return the weights.

    A rule that sees the losses only needs one backward pass, of the weighted sum. Any other needs one
    a task through the shared layers; each head then follows its own loss, whatever its weight.
    """
    shared = list(network.shared.parameters())
    heads = list(network.heads.parameters())
    if rule in FROM_LOSSES:
        weights = rule(losses.detach(), None, memory)
        total = (weights * losses).sum()
        found = torch.autograd.grad(total, shared + heads)
        for parameter, gradient in zip(shared + heads, found, strict=True):
            parameter.grad = gradient
        return weights
    rows, last = [], losses.shape[1] - 1
    for parameter in heads:
        parameter.grad = None
    for t, task in enumerate(tasks):
        own = list(network.heads[task.head or task.name])
        found = torch.autograd.grad(losses[:, t].sum(), shared + own, retain_graph=t < last)
        rows.append(found[: len(shared)])
        for parameter, gradient in zip(own, found[len(shared) :], strict=True):
            parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient
    flat = torch.stack([torch.cat([g.flatten(1) for g in row], 1) for row in rows], 1)
    weights = rule(losses.detach(), flat @ flat.transpose(1, 2), memory)
    mixed = (weights[:, None] @ flat)[:, 0]
    for parameter, part in zip(shared, mixed.split([p[0].numel() for p in shared], 1), strict=True):
        parameter.grad = part.view_as(parameter)
    return weights


@dataclass
class Trained:
    """Networks after training, and what was watched every ten steps (steps, runs, ...)."""

    network: StackedNetwork
    losses: np.ndarray
    weights: np.ndarray
    gram: np.ndarray


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
        One of this room's rules, or a function with the same signature.
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
    if not tasks:
        raise ValueError("there is no task: pass at least one.")
    if rows.ndim != 2 or len(rows) != len(seeds):
        raise ValueError(
            f"rows have shape {tuple(rows.shape)} for {len(seeds)} seeds: pass one line a seed."
        )
    if any(len(t.targets) != len(x) for t in tasks):
        raise ValueError(f"every task needs one target for each of the {len(x)} pictures.")
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
        if watch and step % 10 == 0:
            found = gradients(losses, list(network.shared.parameters()))
            seen["gram"].append(found @ found.transpose(1, 2))
        weights = backward(network, losses, tasks, rule, memory)
        if step % 10 == 0:
            seen["losses"].append(losses.detach())
            seen["weights"].append(weights)
        optimizer.step()
    if not all(torch.isfinite(p).all() for p in network.parameters()):
        raise FloatingPointError("the weights are no longer finite: take a smaller learning rate.")
    kept = {name: torch.stack(v).cpu().numpy() if v else np.empty(0) for name, v in seen.items()}
    return Trained(network, **kept)


@torch.no_grad()
def scores(
    network: StackedNetwork, x: torch.Tensor, tasks: Sequence[Task]
) -> dict[str, np.ndarray]:
    """Return each task's score (accuracy or R²) of each run, shape (runs,)."""
    outputs = network(x)
    return {t.name: t.score(outputs[t.head or t.name]) for t in tasks}


# ── the experiment of the lesson ────────────────────────────────────────────────────────────

TRAINING_PICTURES = 300
METHODS = {
    "class alone": plain_sum,
    "plain sum": plain_sum,
    "variance scaling": plain_sum,
    "normalised gradients": normalised,
    "uncertainty": uncertainty,
    "DWA": average_change,
    "GradNorm": gradnorm,
    "PCGrad": pcgrad,
    "IMTL-G": equal_projections,
}
# Six settings a method, so that none is tuned with more care than another.
KNOBS = {
    "uncertainty": ("rate", (0.1, 0.3)),
    "DWA": ("temperature", (0.5, 2.0)),
    "GradNorm": ("alpha", (0.5, 1.5)),
}
CANDIDATES = {
    name: [{"lr": lr} for lr in LEARNING_RATES]
    if name not in KNOBS
    else [{"lr": lr, KNOBS[name][0]: k} for lr in LEARNING_RATES[1:4] for k in KNOBS[name][1]]
    for name in METHODS
}


def drawn(n: int, size: int, seeds: Sequence[int]) -> torch.Tensor:
    """Return `size` of `n` picture numbers for each seed, without repeats: (runs, size)."""
    if size > n:
        raise ValueError(f"{size} pictures of {n}: ask for fewer.")
    return torch.stack(
        [torch.randperm(n, generator=torch.Generator().manual_seed(s))[:size] for s in seeds]
    )


def learn(target: Splits, method: str, seeds: Sequence[int], settings: dict, **more) -> Trained:
    """Train one of `METHODS` on class, slant and centre of 300 pictures a seed."""
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}: take one of {', '.join(METHODS)}.")
    tasks = digit_tasks(target.pool, target.pool)
    if method == "class alone":
        tasks = tasks[:1]
    elif method == "variance scaling":
        tasks = scaled(tasks)
    rows = drawn(len(target.pool), TRAINING_PICTURES, seeds).to(target.pool.images.device)
    x = pixels(target.pool.images)
    return train(x, tasks, rows, seeds, METHODS[method], **settings, **more)


def measured(target: Splits, trained: Trained, part: ImageSet) -> dict[str, np.ndarray]:
    """Return the scores on `part` for every task that was trained."""
    tasks = [t for t in digit_tasks(part, target.pool) if t.name in trained.network.heads]
    return scores(trained.network, pixels(part.images), tasks)


def few_main_labels(
    target: Splits, per_class: int, seeds: Sequence[int]
) -> tuple[torch.Tensor, list[Task], torch.Tensor, torch.Tensor]:
    """Return a training set in which few pictures have a digit label, all have three answers.

    Every picture occurs twice, with and without its digit. A run's rows repeat its labelled pictures,
    so that half of each batch has a digit label.

    Returns
    -------
    x, tasks, rows, labelled
        As `train` takes them, and the few pictures' numbers, (runs, 10 * per_class).
    """
    pool = target.pool
    digit = Task("class", torch.cat([pool.labels, torch.full_like(pool.labels, UNKNOWN)]), 10)
    groups = [Task(t.name, t.targets.repeat(2), 2) for t in group_tasks(pool)]
    labelled = torch.stack([torch.as_tensor(few_rows(pool, per_class, s)) for s in seeds])
    n = len(pool)
    without = (n + torch.arange(n)).expand(len(seeds), n)
    rows = torch.cat([labelled.repeat(1, n // labelled.shape[1]), without], 1)
    return pixels(pool.images).repeat(2, 1), [digit, *groups], rows, labelled


def choose(target: Splits, seeds: Sequence[int]) -> dict[str, dict]:
    """Choose each method's settings by the validation accuracy of the class.

    So every method gets its best chance at what the lesson claims about it.
    """
    found = {}
    for method, candidates in CANDIDATES.items():
        right = [
            measured(target, learn(target, method, seeds, c), target.validation)["class"].mean()
            for c in candidates
        ]
        found[method] = candidates[int(np.argmax(right))]
        print(method, np.round(right, 3), found[method], flush=True)
    return found


def chosen_settings() -> dict[str, dict]:
    """Return what ``python -m tlcourse choose multitask`` chose, by method."""
    return stored(SETTINGS)


def main() -> None:
    """Choose all settings on seeds that no report uses, and write them down."""
    torch.set_num_threads(1)
    found = choose(digits(), choosing_seeds())
    store(SETTINGS, found)
