"""Lesson 02d: your own photographs, through the experiment that ants and bees went through.

    python -m tlcourse photos FOLDER

needs one folder a class inside FOLDER, and writes its two figures beside it.
"""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import StratifiedKFold

from tlcourse import experiment, plots, runtime, verdicts
from tlcourse.data import load_folder
from tlcourse.lessons.ch02d_choosing_a_source import figures, photos

BUDGETS = (1, 2, 5, 10, 20, 50, 100)  # labelled photographs a class
SEEDS = 10


@dataclass(frozen=True)
class Results:
    """What an experiment on photographs found.

    Attributes
    ----------
    names : list of str
        The classes.
    budgets : tuple of int
        Labels a class.
    accuracy : dict of str to np.ndarray, shape (seeds, budgets)
        Test accuracy by method.
    confusion : np.ndarray, shape (classes, classes)
        At the largest budget, over all seeds: how often a photograph of the row's class was taken
        for the column's by the method that starts from ImageNet.
    """

    names: list[str]
    budgets: tuple[int, ...]
    accuracy: dict[str, np.ndarray]
    confusion: np.ndarray

    def claims(self) -> list[verdicts.Claim]:
        """Return whether ImageNet features help with the fewest and with the most labels."""
        ours, found = self.accuracy[photos.IMAGENET], []
        for column in (0, -1):
            for other in photos.METHODS[1:]:
                text = f"{self.budgets[column]} labels a class: ImageNet features beat {other}"
                gain = experiment.paired(ours[:, column], self.accuracy[other][:, column])
                found.append(verdicts.Claim("H2.1e", text, gain, margin=0.02))
        return found

    def figures(self) -> list[plots.Figure]:
        """Return the label-efficiency curves and the confusion matrix."""
        curves = plots.label_efficiency(self.budgets, self.accuracy)
        return [curves, figures.confusion(self.confusion, self.names)]


def hold_out(labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of half of each class's photographs, to draw labels from, and the rest.

    Raises
    ------
    ValueError
        If a class has fewer than four photographs.
    """
    fewest = np.unique(labels, return_counts=True)[1].min()
    if fewest < 4:
        raise ValueError(
            f"a class has {fewest} photographs: half are for testing, so it needs at least 4."
        )
    folds = StratifiedKFold(2, shuffle=True, random_state=seed)
    return next(folds.split(labels, labels))


def learn(arrays: dict, seed: int, budgets) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Learn from nested draws of a few labels with each method; label the other half.

    Settings are those that were chosen for ants and bees at the nearest budget: nothing is tuned
    on these photographs, so nothing can be overfitted to them.

    Returns
    -------
    dict of str to np.ndarray, shape (budgets, m)
        Predicted labels by method.
    np.ndarray, shape (m,)
        The true ones.
    """
    halves = zip(photos.PARTS, hold_out(arrays["labels"], seed), strict=True)
    parts = {f"{part} {name}": a[rows] for part, rows in halves for name, a in arrays.items()}
    stored = photos.chosen_settings()
    chosen = {k: stored[min(stored, key=lambda near: abs(np.log(near / k)))] for k in budgets}
    said = experiment.table([photos.compare(parts, k, seed, chosen) for k in budgets])
    return said, parts["val labels"]


def compare(photographs, seeds: int = SEEDS) -> Results:
    """Run the whole experiment on photographs from `data.load_folder`.

    Parameters
    ----------
    photographs : torchvision.datasets.ImageFolder
    seeds : int
        Each divides the photographs anew and draws labels anew.

    Raises
    ------
    FileNotFoundError, ValueError
        If the ImageNet weights are missing, a photograph is damaged, or a class has too few.
    """
    hold_out(np.array(photographs.targets), 0)  # says what is wrong, before minutes pass
    half = np.bincount(photographs.targets).min() // 2
    budgets = tuple(b for b in BUDGETS if b <= half)
    arrays = photos.represent(photographs)
    runs = [learn(arrays, seed, budgets) for seed in runtime.seeds(seeds)]
    accuracy = {m: np.array([(s[m] == y).mean(axis=1) for s, y in runs]) for m in photos.METHODS}
    classes, ours = range(len(photographs.classes)), photos.IMAGENET
    counts = [confusion_matrix(truth, said[ours][-1], labels=classes) for said, truth in runs]
    # In a plain ASCII locale Python keeps the bytes of "猫" as stand-ins that no figure can show.
    names = [os.fsencode(name).decode(errors="replace") for name in photographs.classes]
    return Results(names, budgets, accuracy, sum(counts))


def main() -> None:
    """Compare on the folder that is named on the command line; print verdicts, save figures."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    try:
        results = compare(load_folder(folder))
    except (FileNotFoundError, ValueError) as problem:
        parser.exit(1, f"{problem}\n")
    for claim in results.claims():
        print(f"{claim.text}: {claim.verdict}, {claim.difference}")
    for name, figure in zip(("label-efficiency", "confusion"), results.figures(), strict=True):
        path = folder.resolve().with_name(f"{folder.resolve().name}-{name}.png")
        figure.savefig(path)
        print(path.name, "is beside your folder")
