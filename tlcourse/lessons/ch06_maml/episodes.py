"""Few-shot episodes: n new classes, k pictures of each, and queries to name."""

import itertools
from collections import OrderedDict
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import vmap

from tlcourse import data, models, runtime
from tlcourse.data import ImageSet, perturb
from tlcourse.lessons.ch06_maml import maml, meta_training
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
    chosen = []
    for _ in range(n):
        for k in rng.choice(len(members), ways, replace=False):
            chosen.append(rng.choice(members[k], size, replace=False))
    rows = torch.as_tensor(np.array(chosen)).view(n, ways, size)
    names = torch.arange(ways, device=pool.images.device)
    parts = []
    for part, k in ((rows[..., :shots], shots), (rows[..., shots:], queries)):
        parts += [pool.images[part.flatten(1)], names.repeat_interleave(k).expand(n, -1)]
    return Tasks(*parts)


def network(ways: int = WAYS, channels: int = 32) -> nn.Module:
    """Return four convolution blocks that end in 32 features, and a linear head.

    BatchNorm keeps no running statistics: it normalises with the pictures that are shown together.
    """
    body = nn.Sequential()
    for inputs in (1, channels, channels, channels):
        body.append(nn.Conv2d(inputs, channels, 3, padding=1, bias=False))
        body.append(nn.BatchNorm2d(channels, track_running_stats=False))
        body.extend([nn.MaxPool2d(2), nn.ReLU()])  # the same numbers as in the other order
    body.append(nn.Flatten())
    return nn.Sequential(OrderedDict(body=body, head=nn.Linear(channels, ways)))


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

    def features(images):
        found = [function(part) for part in images.flatten(0, 1).split(1000)]
        return torch.cat(found).unflatten(0, images.shape[:2])

    support, query = features(episodes.support_inputs), features(episodes.query_inputs)
    ways = int(episodes.support_targets.max()) + 1
    return scores(support, episodes.support_targets, query, ways)


def protonet_scores(model, fast: dict, episodes: Tasks, ways: int = WAYS) -> torch.Tensor:
    """Return centroid scores on the body's features; support and query are normalised apart."""
    body = {n.removeprefix("body."): w for n, w in fast.items() if n.startswith("body.")}
    support = maml.outputs(model.body, body, episodes.support_inputs)
    query = maml.outputs(model.body, body, episodes.query_inputs)
    return centroid_scores(support, episodes.support_targets, query, ways)


# ── adapting and judging ────────────────────────────────────────────────────────────────────


def adapted_scores(model, weights, episodes: Tasks, *, transductive=True):
    """Adapt to each episode's support set, and return the scores of its queries.

    Parameters
    ----------
    transductive : bool
        True normalises all queries of an episode together, so that each helps to name the others.
        False shows each query alone with the support set: what is possible when one picture comes at
        a time.
    """
    found, judge = [], _together if transductive else _one_by_one
    for index in torch.arange(len(episodes[0])).split(50):
        part = episodes.rows(index)
        fast = maml.for_tasks(weights, len(index))
        fast = maml.adapt(model, fast, part[:2], F.cross_entropy, STEPS, LR)
        with torch.no_grad():
            found.append(judge(model, fast, part))
    return torch.cat(found)


def _together(model, fast, part):
    return maml.outputs(model, fast, part.query_inputs)


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


def train(kind, pool: ImageSet, steps, seed, tasks=TASKS, *, second_order=False, compile=False):
    """Meta-train on episodes of `pool`: "maml" (5-way 1-shot) or "protonet" (20-way 1-shot).

    Snell et al. 2017 (section 3) train prototypical networks with more ways than they test.

    Parameters
    ----------
    kind : {"maml", "protonet"}
    pool : ImageSet
        The networks are trained where it lies: ``pool.to("cuda")`` is moved once.
    steps, seed : int
        Meta-steps; the seed of the weights and of the episodes.
    tasks : int
        Episodes a meta-step, for "maml".
    second_order : bool
        For "maml": go through the five inner steps. Better and slower; for a GPU.
    compile : bool
        Use `meta_training.compiled`: on a GPU much faster.

    Returns
    -------
    dict of str to torch.Tensor
        Weights of one learner, on the CPU.
    """
    ways, n = TRAIN_WAYS[kind], tasks if kind == "maml" else 1
    weights, model = maml.initial_weights(network, [seed]), network()
    weights = {name: w.to(pool.images.device) for name, w in weights.items()}
    pool = replace(pool, labels=pool.labels.cpu())  # read at every draw
    draws = itertools.count(10**6 + seed)
    sample = lambda: draw_episodes(pool, n, ways, SHOTS, QUERIES, next(draws))
    how = {"loss": F.cross_entropy, "steps": STEPS, "lr": LR, "second_order": second_order}
    outer = {
        "maml": partial(maml.maml_gradient, model, **how),
        "protonet": partial(maml.outer_gradient, losses=partial(_protonet_losses, model)),
    }
    options = {"words": kind, "compile": compile}
    weights = meta_training.meta_train(weights, sample, outer[kind], steps, **options)
    return {name: w.cpu() for name, w in weights.items()}


def pictures_shown(kind: str, steps: int = META_STEPS) -> int:
    """Return how many pictures `train` shows, each as often as it is shown."""
    episodes = steps * (TASKS if kind == "maml" else 1)
    return episodes * TRAIN_WAYS[kind] * (SHOTS + QUERIES)


def _protonet_losses(model, fast, tasks):
    scores = protonet_scores(model, fast, tasks, TRAIN_WAYS["protonet"])
    return vmap(F.cross_entropy)(scores, tasks.query_targets)


def load(kind: str) -> dict[str, torch.Tensor]:
    """Return shipped weights, one of `SHIPPED`; `main` made them."""
    return models.load_weights(WEIGHTS / f"{kind}.pt", "episodes")


def main() -> None:
    """Meta-train each network on the source letters, and write its weights in half precision."""
    torch.set_num_threads(1)
    pool = source_letters()
    for name, (kind, second_order) in SHIPPED.items():
        weights = train(kind, pool, META_STEPS, runtime.seeds(1000)[-1], second_order=second_order)
        torch.save({n: w.half() for n, w in weights.items()}, WEIGHTS / f"{name}.pt")
