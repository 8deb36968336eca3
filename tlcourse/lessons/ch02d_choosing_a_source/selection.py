"""Lesson 02d: which source? What scores say of all of them, what is true, and what a choice is worth."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from tlcourse import data, runtime, settings
from tlcourse.lessons.ch01_concepts import transfer
from tlcourse.lessons.ch02d_choosing_a_source import transferability, zoo

SETTINGS = Path(__file__).with_suffix(".json")
WAYS = {"frozen": transfer.frozen_features, "fine-tuned": transfer.fine_tune}
CANDIDATES = {
    "frozen": [{"C": C} for C in (1, 10, 100)],
    "fine-tuned": [{"lr": lr} for lr in (2e-3, 5e-3, 1e-2)],
}


# ── all scores of all sources, and what is true ─────────────────────────────────────────────


@dataclass(frozen=True)
class Seen:
    """What a source makes of the few labelled pictures, and of unlabelled ones of both domains.

    Attributes
    ----------
    features, probabilities : array, shape (n, 256), (n, source classes)
        Of the labelled target pictures; see `zoo.read`.
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
    "H-score, shrunk": lambda seen: transferability.h_score(seen.features, seen.labels, True),
    "−A-distance": lambda seen: -transferability.proxy_a_distance(seen.here, seen.there),
    "−MMD²": lambda seen: -transferability.mmd(seen.here, seen.there),
    "linear probe, 5 folds": lambda seen: transferability.probe_score(seen.features, seen.labels),
    "most classes": lambda seen: seen.probabilities.shape[1],
}


def score_all(nets: dict, shown: dict, target: data.Splits, per_class: int, seed: int):
    """Return every score of every source, from one draw of labels, and the CPU seconds they took.

    Parameters
    ----------
    nets : dict
        From `zoo.zoo`.
    shown : dict
        Name of the source to its `zoo.pictures`.
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
    labels, unlabelled = train.labels.cpu().numpy(), target.pool.images[: len(shown[zoo.RANDOM])]

    def look(name, net):
        here, there = (zoo.read(net, images)[0] for images in (shown[name], unlabelled))
        return Seen(*zoo.read(net, train.images), labels, here, there)

    seen = [look(name, net) for name, net in nets.items()]
    found, seconds = {}, {}
    for name, score in SCORES.items():
        start = time.process_time()
        found[name] = np.array([score(one) for one in seen]).round(9)  # equal up to rounding: equal
        seconds[name] = time.process_time() - start
    return found, seconds


def transfer_all(
    nets: dict, target: data.Splits, chosen: dict, way: str, per_class: int, seed: int
):
    """Transfer from every source with the same few labelled pictures.

    Parameters
    ----------
    chosen : dict
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
        WAYS[way](train, seed, source=net.backbone, **chosen[way][name])
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


def tau_interval(promised, accuracy, over_sources: bool = False, draws: int = 2000):
    """Return Kendall's tau of mean score and mean accuracy, with a 95 % percentile bootstrap interval.

    Parameters
    ----------
    promised, accuracy : array, shape (seeds, sources)
    over_sources : bool
        Draw the sources with replacement too: how would other sources from the same box have come
        out? A drawn twin of a source makes a tied pair, which pulls tau towards 0.
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
    low, high = np.quantile(kendall_tau(*means), [(1 - 0.95) / 2, (1 + 0.95) / 2])
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


def chosen_settings() -> dict:
    """Return what ``python -m tlcourse choose selection`` chose for 5 labels a class."""
    return settings.stored(SETTINGS)


def main() -> None:
    """Choose the settings of every source, frozen and fine-tuned, and write them down."""
    nets, seeds = zoo.zoo(), settings.choosing_seeds()
    found = {way: {} for way in WAYS}
    for way, learn in WAYS.items():
        for name, net in nets.items():
            learn_from = partial(learn, source=net.backbone)
            found[way][name] = transfer.choose(learn_from, CANDIDATES[way], 5, seeds)
    settings.store(SETTINGS, found)
