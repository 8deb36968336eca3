"""Lesson 2d: which source? A zoo of pretrained networks, what scores say of them, what is true."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from tlcourse import data, experiment, models, runtime
from tlcourse.lessons.ch01_concepts import pretrain, transfer
from tlcourse.lessons.ch02d_choosing_a_source import transferability
from tlcourse.settings import choosing_seeds, store, stored

SETTINGS = Path(__file__).with_suffix(".json")
WEIGHTS = Path(__file__).parent / "weights"
RANDOM = "random weights"


# ── the zoo ─────────────────────────────────────────────────────────────────────────────────


def zoo() -> dict[str, torch.nn.Module]:
    """Return the candidate sources by name: backbone and head, in evaluation mode.

    Those of `pretrain.ZOO`, and one network of random weights that never saw a picture.

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is missing or damaged; see `models.load_backbone`.
    """
    with runtime.seeded(0):
        untrained = models.classifier(models.SmallCNN(), 10).eval()
    return {name: load(name) for name in pretrain.ZOO} | {RANDOM: untrained}


def load(source: str) -> torch.nn.Module:
    """Return one source of the zoo, backbone and head, from this wing's ``weights``."""
    backbone = models.load_backbone(source, WEIGHTS / f"{source}.pt")
    state = models.load_weights(WEIGHTS / f"{source}.head.pt", f"pretrain {source}")
    model = models.classifier(backbone, len(state["bias"]))
    model.head.load_state_dict(state)
    return model.eval()


@torch.no_grad()
def read(model: torch.nn.Module, images: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Return what a source makes of pictures: its features and its own classes' probabilities.

    Returns
    -------
    features : numpy.ndarray, shape (n, 256), float64
    probabilities : numpy.ndarray, shape (n, source classes), float64
        Rows sum to 1.
    """
    features = model.backbone(images)
    scores = model.head(features)
    # In double precision on the CPU: a Mac's GPU has none.
    return features.cpu().double().numpy(), scores.cpu().double().softmax(1).numpy()


# ── all scores of all sources, and what they are worth ──────────────────────────────────────


@dataclass(frozen=True)
class Seen:
    """What a source makes of the few labelled pictures, and of unlabelled ones of both domains.

    Attributes
    ----------
    features, probabilities : array, shape (n, 256), (n, source classes)
        Of the labelled target pictures; see `read`.
    labels : array of int, shape (n,)
    here, there : array, shape (m, 256)
        Features of unlabelled pictures of the source and of the target domain.
    """

    features: np.ndarray
    probabilities: np.ndarray
    labels: np.ndarray
    here: np.ndarray
    there: np.ndarray


# A larger value promises more, so distances have a minus.
SCORES: dict[str, Callable[[Seen], float]] = {
    "LEEP": lambda seen: transferability.leep(seen.probabilities, seen.labels),
    "NCE": lambda seen: transferability.nce(seen.probabilities.argmax(1), seen.labels),
    "LogME": lambda seen: transferability.logme(seen.features, seen.labels),
    "H-score": lambda seen: transferability.h_score(seen.features, seen.labels),
    "H-score, shrunk": lambda seen: transferability.h_score(
        seen.features, seen.labels, shrink=True
    ),
    "−A-distance": lambda seen: -transferability.proxy_a_distance(seen.here, seen.there),
    "−MMD²": lambda seen: -transferability.mmd(seen.here, seen.there),
    "linear probe, 5 folds": lambda seen: transferability.probe_score(seen.features, seen.labels),
    "most classes": lambda seen: seen.probabilities.shape[1],
}


def pictures(source: str, n: int = 150) -> torch.Tensor:
    """Return `n` pictures as a source saw them in training; for random weights, the alphabets'."""
    task, augment = pretrain.source_task("alphabets" if source == RANDOM else source)
    generator = torch.Generator().manual_seed(0)
    rows = torch.randint(len(task), (n,), generator=generator)
    return augment(task.images[rows], generator)


def score_all(nets: dict, shown: dict, target: data.Splits, per_class: int, seed: int):
    """Return every score of every source, from one draw of labels, and the CPU seconds they took.

    Parameters
    ----------
    nets : dict
        From `zoo`.
    shown : dict
        Name of the source to its `pictures`.
    target : Splits
    per_class : int
        Labels a class.
    seed : int

    Returns
    -------
    scores : dict of str to array, shape (sources,)
    seconds : dict of str to float
        For all sources together.
    """
    train = data.few_labels(target.pool, per_class, seed)
    labels, unlabelled = train.labels.cpu().numpy(), target.pool.images[: len(shown[RANDOM])]
    seen = [
        Seen(*read(net, train.images), labels, read(net, shown[name])[0], read(net, unlabelled)[0])
        for name, net in nets.items()
    ]
    found, seconds = {}, {}
    for name, score in SCORES.items():
        start = time.process_time()
        found[name] = np.array([score(one) for one in seen]).round(9)  # equal up to rounding: equal
        seconds[name] = time.process_time() - start
    return found, seconds


WAYS = {"frozen": transfer.frozen_features, "fine-tuned": transfer.fine_tune}


def transfer_all(
    nets: dict, target: data.Splits, settings: dict, way: str, per_class: int, seed: int
):
    """Transfer from every source with the same few labelled pictures.

    Parameters
    ----------
    settings : dict
        From `chosen_settings`.
    way : {"frozen", "fine-tuned"}

    Returns
    -------
    right : array of bool, shape (sources, test pictures)
        Which test pictures are labelled correctly.
    seconds : float
        CPU seconds of the training, all sources together.
    """
    train = data.few_labels(target.pool, per_class, seed)
    start = time.process_time()
    learned = [
        WAYS[way](train, seed, source=net.backbone, **settings[way][name])
        for name, net in nets.items()
    ]
    seconds = time.process_time() - start
    answers = torch.stack([predict(target.test.images).cpu() for predict in learned])
    return (answers == target.test.labels.cpu()).numpy(), seconds


def kendall_tau(promised: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
    """Return Kendall's tau: pairs in the same order minus pairs in opposite order, over all pairs.

    Parameters
    ----------
    promised, accuracy : array, shape (..., sources)
        A tied pair counts for neither side, so a score that is the same for all gets 0.

    References
    ----------
    Kendall (1938), Biometrika 30(1/2).
    """
    promised, accuracy = np.asarray(promised, dtype=float), np.asarray(accuracy, dtype=float)
    if promised.shape != accuracy.shape or promised.shape[-1] < 2:
        raise ValueError(
            f"shapes {promised.shape} and {accuracy.shape}: one of each a source, 2 or more."
        )
    signs = [np.sign(x[..., :, None] - x[..., None, :]) for x in (promised, accuracy)]
    m = promised.shape[-1]
    return (signs[0] * signs[1]).sum((-2, -1)) / (m * (m - 1))


def tau_interval(promised, accuracy, over_sources: bool = False, level=0.95, draws: int = 2000):
    """Return Kendall's tau of mean score and mean accuracy, with a percentile bootstrap interval.

    Parameters
    ----------
    promised, accuracy : array, shape (seeds, sources)
    over_sources : bool
        Draw the sources with replacement too: how would other sources from the same box have come
        out? A drawn twin of a source makes a tied pair, which pulls tau towards 0.
    level : float
    draws : int

    Returns
    -------
    low, tau, high : float
    """
    promised, accuracy = np.asarray(promised, dtype=float), np.asarray(accuracy, dtype=float)
    seeds, m = accuracy.shape
    rng = np.random.default_rng(runtime.base_seed())
    rows = rng.integers(seeds, size=(draws, seeds))
    means = [x[rows].mean(1) for x in (promised, accuracy)]
    if over_sources:
        columns = rng.integers(m, size=(draws, m))
        means = [np.take_along_axis(x, columns, 1) for x in means]
    low, high = np.quantile(kendall_tau(*means), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(kendall_tau(promised.mean(0), accuracy.mean(0))), float(high)


def picked(promised: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
    """Return the accuracy of the source that a score would have picked, seed by seed.

    Parameters
    ----------
    promised, accuracy : array, shape (seeds, sources)

    Returns
    -------
    numpy.ndarray, shape (seeds,)
        Where several sources share the highest score, their mean accuracy.
    """
    best = promised == promised.max(1, keepdims=True)
    return (accuracy * best).sum(1) / best.sum(1)


def optimism(right: np.ndarray, shown: int, candidates: int, seed: int, draws: int = 200):
    """Pick the best of some sources on a few pictures, and look at what fresh pictures say of it.

    Parameters
    ----------
    right : array of bool, shape (sources, pictures)
        From `transfer_all`.
    shown : int
        Pictures that the choice may look at, drawn at random; the others are fresh.
    candidates : int
        Sources to choose from, drawn at random.
    seed : int
    draws : int
        Repetitions.

    Returns
    -------
    reported, fresh : float
        Mean accuracy of the chosen source on the pictures that chose it, and on the fresh ones.
    """
    rng, found = np.random.default_rng(seed), []
    for _ in range(draws):
        pictures = rng.permutation(right.shape[1])
        some = right[rng.permutation(len(right))[:candidates]][:, pictures]
        seen, fresh = some[:, :shown].mean(1), some[:, shown:].mean(1)
        found.append((seen.max(), fresh[seen.argmax()]))
    return np.mean(found, axis=0)


# ── settings ────────────────────────────────────────────────────────────────────────────────

CANDIDATES = {
    "frozen": [{"C": C} for C in (1, 10, 100)],
    "fine-tuned": [{"lr": lr} for lr in (2e-3, 5e-3, 1e-2)],
}


def choose(nets: dict, target: data.Splits, per_class: int, seeds) -> dict:
    """Choose each source's settings, frozen and fine-tuned, by mean validation accuracy.

    Returns
    -------
    dict
        Way to source to the best of its three `CANDIDATES`.
    """

    def run(seed):
        train = data.few_labels(target.pool, per_class, seed)

        def score(way, net, settings):
            learned = WAYS[way](train, seed, source=net.backbone, **settings)
            return transfer.accuracy(learned, target.validation)

        return [[[score(w, n, s) for s in CANDIDATES[w]] for n in nets.values()] for w in WAYS]

    best = np.mean(experiment.repeat(run, seeds, "choosing settings"), axis=0).argmax(-1)
    return {
        way: {name: CANDIDATES[way][best[i, j]] for j, name in enumerate(nets)}
        for i, way in enumerate(WAYS)
    }


def chosen_settings() -> dict:
    """Return what ``python -m tlcourse choose zoo`` chose for 5 labels a class of the digits."""
    return stored(SETTINGS)


def main() -> None:
    """Choose the settings of every source, and write them down."""
    torch.set_num_threads(1)
    seeds = choosing_seeds()  # no report uses the last ones
    chosen = choose(zoo(), data.digits(), 5, seeds)
    store(SETTINGS, chosen)
