"""Lesson 02d: does transfer pay on these photographs? Measured over draws of few labels, and judged."""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.stats import norm

from tlcourse import experiment, runtime, verdicts
from tlcourse.data import folders, promise, split_groups
from tlcourse.lessons.ch00_first_transfer import features
from tlcourse.lessons.ch02d_choosing_a_source import photos
from tlcourse.lessons.ch02d_choosing_a_source.own_photos.reading import Album
from tlcourse.verdicts.judging import SYMBOLS, level

BUDGETS = (1, 2, 5, 10, 20, 50, 100)  # labelled photographs a class
SEEDS = 10  # draws of the labels
FEWEST = 4  # photographs a class: two to learn from, two to test on


class Answer(NamedTuple):
    """A claim, what was measured, and what the interval says."""

    claim: str
    verdict: str
    difference: experiment.Difference

    def __str__(self) -> str:
        """Return all in one line."""
        return f"{self.claim}: {SYMBOLS[self.verdict]} {self.verdict}, {self.difference.effect}"


@dataclass(frozen=True)
class Results:
    """What an experiment on photographs found.

    Attributes
    ----------
    album : Album
    test : int array, shape (m,)
        Positions in the album that were tested on.
    budgets : tuple of int
        Labels a class.
    said : dict of str to int array, shape (draws, budgets, m)
        The class that each method gave each test photograph.
    commonest : int
        The class that has most photographs to learn from.
    problems, notes : list of str
        On the division.
    """

    album: Album
    test: np.ndarray
    budgets: tuple[int, ...]
    said: dict[str, np.ndarray]
    commonest: int
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def truth(self) -> np.ndarray:
        """The classes of the test photographs."""
        return self.album.labels[self.test]

    @property
    def shares(self) -> np.ndarray:
        """What each test photograph counts, so that every class counts the same; the sum is 1."""
        counts = np.bincount(self.truth)
        return 1 / (counts[self.truth] * (counts > 0).sum())

    def accuracy(self, balanced: bool = True) -> dict[str, np.ndarray]:
        """Return the accuracy of each method, shape (draws, budgets)."""
        count = self.shares if balanced else np.full(len(self.test), 1 / len(self.test))
        return {method: (said == self.truth) @ count for method, said in self.said.items()}

    def majority(self, balanced: bool = True) -> float:
        """Return the accuracy of always naming the commonest class."""
        hits = self.truth == self.commonest
        return float(hits @ self.shares) if balanced else float(hits.mean())

    def least_lead(self) -> float:
        """Return how far an accuracy must be above chance that it is not so by chance alone.

        Of k classes, guesses at m test photographs of different owners are right in 1/k of them, with a
        standard error of sqrt(1/k (1 - 1/k) / m); the largest of three methods, at a level of 5 %.
        """
        m, k = len(set(self.album.owners[self.test])), len(self.album.names)
        return float(norm.isf(0.05 / 3) * np.sqrt((1 - 1 / k) / k / m))

    def difference(self, ours: str, other: str, budget: int) -> experiment.Difference:
        """Return the difference in balanced accuracy, over draws of labels and of test photographs.

        Photographs of one owner, such as copies or a patient's, vary together: they count as one. Where
        nothing differs the interval is that of the rule of three, not zero: what never happened in m
        tries has a chance of log(1 / (1 - level)) / m at most (Hanley and Lippman-Hand 1983, "If nothing
        goes wrong, is everything all right?", JAMA 249(13)).
        """
        owners = np.unique(self.album.owners[self.test], return_inverse=True)[1]
        counts = np.zeros((len(self.test), owners.max() + 1))
        counts[np.arange(len(self.test)), owners] = self.shares * counts.shape[1]
        column = self.budgets.index(budget)
        ours, other = ((self.said[m][:, column] == self.truth) @ counts for m in (ours, other))
        found = experiment.two_way(ours, other, level(self.claims))
        low, high = found.low, found.high
        if low == high:
            half = -np.log(1 - level(self.claims)) / counts.shape[1]
            low, high = low - half, high + half
        return replace(found, low=max(low, -1.0), high=min(high, 1.0))

    @property
    def claims(self) -> int:
        """How many differences are judged: two rivals, at the fewest and at the most labels."""
        return len(photos.METHODS[1:]) * len(set(self.budgets[:1] + self.budgets[-1:]))

    def judged(self) -> list[Answer]:
        """Judge whether ImageNet features help with the fewest and with the most labels."""
        found = []
        for budget in dict.fromkeys(self.budgets[:1] + self.budgets[-1:]):
            for other in photos.METHODS[1:]:
                difference = self.difference(photos.IMAGENET, other, budget)
                verdict = verdicts.judge_difference(difference, "accuracy")
                labels = "label" if budget == 1 else "labels"
                claim = f"{budget} {labels} a class, {photos.IMAGENET} beat {other}"
                found.append(Answer(claim, verdict, difference))
        return found

    def table(self) -> verdicts.Table:
        """Return the claims with their verdicts, as a notebook shows them."""
        rows = [
            (j.claim, f"{SYMBOLS[j.verdict]} {j.verdict}", j.difference.effect)
            for j in self.judged()
        ]
        tested = len(self.test)
        note = f"balanced accuracy; over draws of the labels and of the {tested} test photographs"
        return verdicts.Table([("claim", "verdict", "difference"), *rows], note)


# ── the division ────────────────────────────────────────────────────────────────────────────


def divide(album: Album) -> tuple[np.ndarray, np.ndarray, list[str], list[str]]:
    """Return the rows to draw labels from, those to test on, and problems and notes.

    The reader's own parts are used if there are any; else half of each class is held out.

    Raises
    ------
    ValueError
        If a class has too few photographs.
    """
    if album.parts:
        return _as_given(album)
    _enough(album, np.arange(len(album.labels)), FEWEST, "")
    what = "photographs" if album.groups is None else "groups"
    pool, test = split_groups(album.labels, album.owners, (1, 1), album.names, what)
    return pool, test, [], []


def _as_given(album: Album) -> tuple[np.ndarray, np.ndarray, list[str], list[str]]:
    """Use ``train`` and ``test``, or ``val`` where there is no test."""
    parts = np.array(album.parts)
    kinds = [np.isin(parts, names) for names in (folders.TRAIN, folders.TEST, folders.VALIDATION)]
    learned, tested = kinds[0], kinds[1] if kinds[1].any() else kinds[2]
    if not learned.any() or not tested.any():
        raise ValueError(
            f"the folder holds only {', '.join(sorted(set(album.parts)))}: it needs train, and test or "
            "val, or class folders without parts."
        )
    leaked = tested & np.isin(album.owners, album.owners[learned])
    pool, test = np.flatnonzero(learned), np.flatnonzero(tested & ~leaked)
    name = parts[tested][0]
    what = "copies of photographs" if album.groups is None else "copies or of groups"
    leak = f"{leaked.sum()} photographs of {name} are {what} in train: they were not tested on."
    _enough(album, pool, 1, " to learn from in train")
    _enough(album, test, 2, f" to test on in {name}", leak if leaked.any() else "")
    notes = [f"used your division: {len(pool)} to learn from, {len(test)} to test on."]
    if kinds[1].any() and kinds[2].any():
        notes.append(
            f"did not use {kinds[2].sum()} in {parts[kinds[2]][0]}: nothing is tuned here."
        )
    return pool, test, [leak] if leaked.any() else [], notes


def _enough(album: Album, rows, fewest: int, where: str, why: str = "") -> None:
    counts = np.bincount(album.labels[rows], minlength=len(album.names))
    if counts.min() < fewest:
        short = [
            f"class {album.names[k]!r} has {counts[k]}" for k in np.flatnonzero(counts < fewest)
        ]
        half = "" if where else ", as half are for testing"
        raise ValueError(
            f"{why}{' So ' if why else ''}{folders.some(short)} photographs{where}: each needs at least "
            f"{fewest}{half}. Add some, or move the class away."
        )


# ── the experiment ──────────────────────────────────────────────────────────────────────────


def learn(arrays: dict, budgets, chosen: dict, seed: int) -> dict[str, np.ndarray]:
    """Learn from nested draws of a few labels with each method; label the test photographs.

    Returns
    -------
    dict of str to array, shape (budgets, m)
    """
    return experiment.table([photos.compare(arrays, k, seed, chosen) for k in budgets])


def judge(album: Album, seeds: int = SEEDS) -> Results:
    """Run the whole experiment on photographs.

    Settings are those that were chosen for ants and bees at the nearest budget: nothing is tuned on
    these photographs, so nothing can be overfitted to them.

    Parameters
    ----------
    album : Album
        From `belonging.together`.
    seeds : int
        Draws of the labels; the division stays.

    Raises
    ------
    FileNotFoundError
        If the ImageNet weights are missing.
    ValueError
        If a class has too few photographs.
    """
    if "imagenet" not in album.arrays:
        features.squeezenet()  # says in one sentence that the weights are missing
    pool, test, problems, notes = divide(album)
    counts = np.bincount(album.labels[pool])
    budgets = tuple(b for b in BUDGETS if b <= counts.min())
    stored = photos.chosen_settings()
    chosen = {k: stored[min(stored, key=lambda near: abs(np.log(near / k)))] for k in budgets}
    views = {name for seed in range(seeds) for name in photos.views(seed).values()} | {"labels"}
    halves = zip(photos.PARTS, (pool, test), strict=True)
    arrays = {f"{part} {name}": album.arrays[name][rows] for part, rows in halves for name in views}
    workers = 1 if len(pool) < 200 else None
    run = partial(learn, arrays, budgets, chosen)
    said = experiment.table(
        experiment.repeat(run, runtime.seeds(seeds), "draws of labels", workers)
    )
    if album.groups is not None:
        notes = [*notes, promised(album)]
    return Results(album, test, budgets, said, int(counts.argmax()), problems, notes)


def promised(album: Album) -> str:
    """Say what a random division would have promised on these groups."""
    found = f"{len(set(album.groups))} groups"
    try:
        sure = promise(album.arrays["imagenet"], album.labels, album.owners)
    except ValueError as error:  # a class of one group, which only the reader's own parts allow
        return f"{found}: {error}"
    return f"{found}: ImageNet features, {sure}"
