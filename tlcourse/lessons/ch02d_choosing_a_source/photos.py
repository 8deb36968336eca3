"""Lesson 02d: a network that learned from ImageNet, on photographs of ants and bees.

Everything goes through torchvision's own API. Nothing is ever fetched unless you ask for it: the
photographs are looked for under ``TLCOURSE_DATA``, the weights under ``TORCH_HOME``.
"""

from functools import partial
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from sklearn.svm import SVC

from tlcourse import settings
from tlcourse.data import draw_rows, load_folder
from tlcourse.data.cache import data_folder
from tlcourse.lessons.ch00_first_transfer import photographs
from tlcourse.lessons.ch00_first_transfer.features import INITS, represent
from tlcourse.lessons.ch00_first_transfer.photographs import HOW

CLASSES = ("ants", "bees")
PARTS = ("train", "val")  # 244 and 153 photographs; we test on the second
BUDGETS = (5, 20, 100)  # labelled photographs a class
SETTINGS = Path(__file__).with_suffix(".json")
IMAGENET, PIXELS = "ImageNet features", "SVM on 16 × 16 colours"
METHODS = (IMAGENET, "random weights", PIXELS)


# ── what lies on the disk ───────────────────────────────────────────────────────────────────


def hymenoptera(part: str, transform=None):
    """Return the photographs of ants and bees as torchvision's ``ImageFolder``.

    Parameters
    ----------
    part : {"train", "val"}
    transform : callable, optional
        Applied to each photograph (PIL, RGB).

    Raises
    ------
    FileNotFoundError
        If the folder, or all photographs of a class, are missing.
    ValueError
        If there is a third class.
    """
    folder = data_folder() / "hymenoptera_data" / part
    found = {f.name for f in folder.glob("[!.]*") if f.is_dir()}
    if not found >= set(CLASSES):
        raise FileNotFoundError(f"the photographs of ants and bees are not here: {HOW}")
    if found > set(CLASSES):
        raise ValueError(f"{part} holds {sorted(found)}: leave only the folders ants and bees.")
    try:
        return load_folder(folder, transform)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"a class of {part} holds no photograph: {HOW}") from error


# ── features, computed once ─────────────────────────────────────────────────────────────────


def represented() -> dict[str, np.ndarray]:
    """Return labels, colour pixels and features of all photographs, from the cache if they are there.

    Returns
    -------
    dict of arrays
        For each part: ``{part} labels`` (n,); ``{part} pixels`` (n, 768), 16 × 16 colours;
        ``{part} imagenet`` and ``{part} random 0`` … (n, 512).

    Raises
    ------
    FileNotFoundError, ValueError
        See `hymenoptera` and `represent` of lesson 00.
    """
    parts = {part: represent(hymenoptera(part), f"photographs, {part}") for part in PARTS}
    return {f"{part} {name}": rows for part in PARTS for name, rows in parts[part].items()}


def thumbnails(part: str, rows, side: int = 96) -> np.ndarray:
    """Return some photographs, cropped to a square, for looking at: (n, side, side, 3), uint8."""
    return photographs.thumbnails(hymenoptera(part), rows, side)


# ── the comparison ──────────────────────────────────────────────────────────────────────────


def views(seed: int) -> dict[str, str]:
    """Return which array each method reads; the random network changes with the seed."""
    return dict(zip(METHODS, ("imagenet", f"random {seed % INITS}", "pixels"), strict=True))


def estimator(method: str, scaling: str, C: float):
    """Return the classifier of a method: an RBF support vector machine on pixels, else logistic."""
    scaler = Normalizer() if scaling == "unit length" else StandardScaler()
    model = SVC(C=C) if method == PIXELS else LogisticRegression(C=C, max_iter=2000)
    return make_pipeline(scaler, model)


def candidates(method: str) -> list[dict]:
    """Return six settings, as many for each method."""
    strengths = (1, 10, 100) if method == PIXELS else (0.01, 1, 100)
    return [{"scaling": s, "C": C} for s in ("unit length", "standard") for C in strengths]


def choose(arrays: dict, per_class: int, seeds) -> dict[str, dict]:
    """Choose each method's settings by accuracy on the training photographs that were not drawn."""
    labels = arrays["train labels"]

    def scores(method, seed):
        rows, X = draw_rows(labels, per_class, seed), arrays[f"train {views(seed)[method]}"]
        rest = np.setdiff1d(np.arange(len(labels)), rows)
        fitted = [estimator(method, **c).fit(X[rows], labels[rows]) for c in candidates(method)]
        return [model.score(X[rest], labels[rest]) for model in fitted]

    return {m: settings.choose(candidates(m), partial(scores, m), seeds) for m in METHODS}


def chosen_settings() -> dict[int, dict]:
    """Return what ``python -m tlcourse choose photos`` chose, as {per_class: {method: settings}}."""
    return settings.stored(SETTINGS)


def compare(arrays: dict, per_class: int, seed: int, chosen: dict) -> dict[str, np.ndarray]:
    """Learn from the same few photographs with each of `METHODS`; label those of the test.

    Parameters
    ----------
    arrays : dict
        From `represented`.
    per_class : int
        Labels a class.
    seed : int
        Draws the labelled photographs, and one of the random networks.
    chosen : dict
        From `chosen_settings`.

    Returns
    -------
    dict
        Method to predicted labels, shape (153,).
    """
    rows = draw_rows(arrays["train labels"], per_class, seed)
    found = {}
    for method, key in views(seed).items():
        model = estimator(method, **chosen[per_class][method])
        model.fit(arrays[f"train {key}"][rows], arrays["train labels"][rows])
        found[method] = model.predict(arrays[f"val {key}"])
    return found


def main() -> None:
    """Choose the settings of every method at every budget, and write them down."""
    arrays, seeds = represented(), settings.choosing_seeds(20)
    settings.store(SETTINGS, {k: choose(arrays, k, seeds) for k in BUDGETS})
