"""Few-shot episodes: n new classes, k pictures of each, and queries to name."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from tlcourse import data, models, runtime
from tlcourse.data import ImageSet, perturb
from tlcourse.lessons.ch06_maml import maml
from tlcourse.lessons.ch06_maml.maml import Tasks

WEIGHTS = Path(__file__).parent / "weights"
# The networks that come with the course: what `train` is told. The two of MAML differ in nothing else.
SHIPPED = {
    "protonet": ("protonet", False),
    "maml": ("maml", False),
    "maml-second-order": ("maml", True),
}
WAYS, STEPS, LR = 5, 5, 0.1  # of adaptation, in meta-training and in the lesson
META_STEPS, TASKS = 2000, 4  # of the shipped networks: steps, and episodes of "maml" in each
TRAIN_WAYS = {"maml": WAYS, "protonet": 20}
SHOTS, QUERIES = 1, 3  # pictures of a class in each of these episodes


def draw_episodes(pool: ImageSet, n: int, ways: int, shots: int, queries: int, seed: int) -> Tasks:
    """Draw `n` episodes: classes are drawn anew in each and numbered from 0.

    Returns
    -------
    Tasks
        Inputs (n, ways * shots, 1, side, side) and (n, ways * queries, ...), ordered by class.

    Raises
    ------
    ValueError
        If a number is below 1, or the pool has too few classes with enough pictures.
    """
    if min(n, ways, shots, queries) < 1:
        raise ValueError("take at least 1 episode, way, shot and query.")
    rng, labels, size = np.random.default_rng(seed), pool.labels.cpu().numpy(), shots + queries
    members = [np.flatnonzero(labels == k) for k in range(len(pool.names))]
    members = [rows for rows in members if len(rows) >= size]
    if len(members) < ways:
        raise ValueError(
            f"{len(members)} classes have {size} pictures, but {ways}-way episodes need {ways}: "
            "lower ways, shots or queries, or use a larger pool."
        )
    chosen = np.array([
        [rng.choice(members[k], size, replace=False)
         for k in rng.choice(len(members), ways, replace=False)]
        for _ in range(n)
    ])  # fmt: skip
    support, query = (pool.images[torch.as_tensor(c.reshape(n, -1))]
                      for c in (chosen[..., :shots], chosen[..., shots:]))  # fmt: skip
    names = torch.arange(ways, device=pool.images.device)
    answers = [names.repeat_interleave(k).expand(n, -1) for k in (shots, queries)]
    return Tasks(support, answers[0], query, answers[1])


def network(ways: int = WAYS, channels: int = 32) -> nn.Module:
    """Return four convolution blocks that end in 32 features, and a linear head.

    BatchNorm keeps no running statistics: it normalises with the pictures that are shown together.
    """
    body, inputs = nn.Sequential(), 1
    for _ in range(4):
        body.extend([
            nn.Conv2d(inputs, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels, track_running_stats=False),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ])  # fmt: skip
        inputs = channels
    body.append(nn.Flatten())
    model = nn.Sequential()
    model.add_module("body", body)
    model.add_module("head", nn.Linear(channels, ways))
    return model


# ── centroids ───────────────────────────────────────────────────────────────────────────────


def prototypes(features: torch.Tensor, labels: torch.Tensor, ways: int) -> torch.Tensor:
    """Return the mean feature vector of each class, shape (episodes, ways, d)."""
    members = F.one_hot(labels, ways).to(features.dtype)
    return members.mT @ features / members.sum(1)[..., None]


def centroid_scores(support, labels, query, ways: int = WAYS) -> torch.Tensor:
    """Return minus the squared distance of each query to each prototype (Snell et al. 2017, eq. 2).

    J. Snell et al., "Prototypical networks for few-shot learning", arXiv:1703.05175.
    """
    return -(torch.cdist(query, prototypes(support, labels, ways)) ** 2)


def cosine_scores(support, labels, query, ways: int = WAYS) -> torch.Tensor:
    """Return the cosine of each query and each prototype, after centring.

    All features of a network share a large common part, which hides how they differ. The mean of the
    support set is subtracted first; no query is used for that.
    """
    centre = support.mean(1, keepdim=True)
    means = prototypes(support - centre, labels, ways)
    return F.normalize(query - centre, dim=-1) @ F.normalize(means, dim=-1).mT


@torch.no_grad()
def embed(function, episodes: Tasks, scores=centroid_scores) -> torch.Tensor:
    """Return centroid scores on the features that ``function(images)`` computes, picture by picture."""
    support, query = (
        torch.cat([function(part) for part in x.flatten(0, 1).split(1000)]).unflatten(
            0, x.shape[:2]
        )
        for x in (episodes.support_inputs, episodes.query_inputs)
    )
    ways = int(episodes.support_targets.max()) + 1
    return scores(support, episodes.support_targets, query, ways)


def protonet_scores(model, fast: dict, episodes: Tasks, ways: int = WAYS) -> torch.Tensor:
    """Return centroid scores on the body's features; support and query are normalised apart."""
    body = {n.removeprefix("body."): w for n, w in fast.items() if n.startswith("body.")}
    support, query = (
        maml.outputs(model.body, body, x) for x in (episodes.support_inputs, episodes.query_inputs)
    )
    return centroid_scores(support, episodes.support_targets, query, ways)


# ── adapting and judging ────────────────────────────────────────────────────────────────────


def adapted_scores(model, weights, episodes: Tasks, *, transductive=True, only="", chunk=50):
    """Adapt to each episode's support set, and return the scores of its queries.

    Parameters
    ----------
    transductive : bool
        True normalises all queries of an episode together, so that each helps to name the others.
        False shows each query alone with the support set: what is possible when one picture comes at
        a time.
    """
    found = []
    for index in torch.arange(len(episodes[0])).split(chunk):
        part = episodes.rows(index)
        fast = maml.adapt(model, maml.for_tasks(weights, len(index)), part[:2], F.cross_entropy,
                          STEPS, LR, only=only)  # fmt: skip
        with torch.no_grad():
            if transductive:
                found.append(maml.outputs(model, fast, part.query_inputs))
            else:
                found.append(_one_by_one(model, fast, part))
    return torch.cat(found)


def _one_by_one(model, fast, part):
    scores = []
    for query in part.query_inputs.split(1, 1):
        together = torch.cat([part.support_inputs, query], 1)
        scores.append(maml.outputs(model, fast, together)[:, -1:])
    return torch.cat(scores, 1)


def accuracies(scores: torch.Tensor, episodes: Tasks) -> np.ndarray:
    """Return the accuracy of each episode, shape (episodes,)."""
    return (scores.argmax(-1) == episodes.query_targets).float().mean(1).numpy()


# ── the shipped networks ────────────────────────────────────────────────────────────────────


def source_letters(copies: int = 4) -> ImageSet:
    """Return perturbed letters of the source (Latin, Greek, Cyrillic), 16 × 16 pixels."""
    printed = data.glyphs()
    rows = torch.arange(len(printed)).repeat(copies)
    generator = torch.Generator().manual_seed(6)
    images = torch.cat([perturb.perturb(printed.images[r], generator) for r in rows.split(2000)])
    return replace(printed.subset(rows), images=images)


def train(
    kind: str,
    pool: ImageSet,
    steps: int,
    seed: int,
    tasks: int = TASKS,
    *,
    second_order: bool = False,
    compile: bool = False,
) -> dict:
    """Meta-train on episodes of `pool`: "maml" (5-way 1-shot) or "protonet" (20-way 1-shot).

    Snell et al. 2017 (section 3) train prototypical networks with more ways than they test.

    Parameters
    ----------
    pool : ImageSet
        The networks are trained where it lies: ``pool.to("cuda")`` is moved once.
    tasks : int
        Episodes a meta-step, for "maml".
    second_order : bool
        For "maml": go through the five inner steps. Better and slower; for a GPU.
    compile : bool
        Use `maml.compiled`: on a GPU much faster.

    Returns
    -------
    dict
        Weights of one learner, on the CPU.
    """
    ways, device = TRAIN_WAYS[kind], pool.images.device
    weights, model = maml.initial_weights(network, [seed]), network()
    weights = {name: w.to(device) for name, w in weights.items()}
    pool = replace(pool, labels=pool.labels.cpu())  # read at every draw
    stream = iter(range(seed, seed + steps))

    def sample():
        n = tasks if kind == "maml" else 1
        return draw_episodes(pool, n, ways, SHOTS, QUERIES, 10**6 + next(stream))

    if kind == "maml":
        outer = partial(maml.maml_gradient, model, loss=F.cross_entropy, steps=STEPS, lr=LR,
                        second_order=second_order)  # fmt: skip
    else:
        outer = partial(_protonet_gradient, model, ways)
    trained = maml.meta_train(weights, sample, outer, steps, description=kind, compile=compile)
    return {name: w.cpu() for name, w in trained.items()}


def pictures_shown(kind: str, steps: int = META_STEPS, tasks: int = TASKS) -> int:
    """Return how many pictures `train` shows, each as often as it is shown."""
    episodes = steps * (tasks if kind == "maml" else 1)
    return episodes * TRAIN_WAYS[kind] * (SHOTS + QUERIES)


def _protonet_gradient(model, ways, weights, tasks):
    start = {n: w.detach().requires_grad_() for n, w in weights.items()}
    fast = maml.for_tasks(start, len(tasks[0]))
    scores = protonet_scores(model, fast, tasks, ways)
    F.cross_entropy(scores.flatten(0, 1), tasks.query_targets.flatten()).backward()
    return maml.gradients_of(start)


def load(kind: str) -> dict[str, torch.Tensor]:
    """Return shipped weights, one of `SHIPPED`; `main` made them."""
    return models.load_weights(WEIGHTS / f"{kind}.pt", "episodes")


def main() -> None:
    """Meta-train each network on the source letters, and write its weights in half precision."""
    torch.set_num_threads(1)
    pool = source_letters()
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    for name, (kind, second_order) in SHIPPED.items():
        weights = train(kind, pool, META_STEPS, runtime.seeds(1000)[-1], second_order=second_order)
        torch.save({n: w.half() for n, w in weights.items()}, WEIGHTS / f"{name}.pt")
