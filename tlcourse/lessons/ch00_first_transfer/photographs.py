"""Lesson 00: where the photographs lie, your own or ants and bees. Nothing is fetched unless asked for."""

import tempfile
import zipfile
from pathlib import Path

import numpy as np

from tlcourse.data import load_folder
from tlcourse.data.cache import data_folder
from tlcourse.lessons.ch00_first_transfer import features

ARCHIVE = (
    "https://download.pytorch.org/tutorial/hymenoptera_data.zip"  # 47 MB, of PyTorch's tutorial
)
FOLDER = "hymenoptera_data"
FEWEST = 5  # photographs a class: two to learn from, three to test on
STORED = (
    "So the figures below show stored results, with weights converted from another release; no "
    "photograph is read here."
)
HOW = (
    "set FETCH = True once in lesson 00 with a network connection, or download hymenoptera_data.zip "
    "from PyTorch's tutorial on transfer learning and set TLCOURSE_DATA to the folder where you unpack it."
)


def find(folder=None, fetch: bool = False):
    """Return photographs that can go through the network, or None; print which, or what is missing.

    Parameters
    ----------
    folder : str or Path, optional
        Your own, one folder a class; by default that of ants and bees.
    fetch : bool
        Download ants and bees (47 MB) and the network's weights (5 MB) where they are missing.

    Returns
    -------
    torchvision.datasets.ImageFolder or None
        See `data.load_folder`.
    """
    try:
        photographs = load_folder(folder) if folder else ants_and_bees(fetch)
        enough(photographs.targets, photographs.classes)
        features.squeezenet(download=fetch)  # says at once if the weights are missing
    except (FileNotFoundError, ValueError) as problem:
        print(problem if folder else f"{problem}\n{STORED}")
        return None
    counts = np.bincount(photographs.targets, minlength=len(photographs.classes))
    each = ", ".join(f"{n} {name}" for n, name in zip(counts, photographs.classes, strict=True))
    print(f"{len(photographs)} photographs: {each}")
    return photographs


def enough(labels, names) -> None:
    """Raise ValueError, with its name, if a class has too few photographs to learn from and to test on."""
    counts = np.bincount(labels, minlength=len(names))
    if counts.min() < FEWEST:
        raise ValueError(
            f"the class {names[counts.argmin()]!r} has {counts.min()} photographs: it needs {FEWEST} or "
            "more, two to learn from and three to test on."
        )


def ants_and_bees(fetch: bool = False):
    """Return the 397 photographs of ants and bees, both parts of PyTorch's tutorial as one set.

    Raises
    ------
    FileNotFoundError
        If they are missing and may not, or cannot, be fetched.
    """
    folder = data_folder() / FOLDER
    if not folder.is_dir() and fetch:
        _fetch(folder.parent)
    if not folder.is_dir():
        raise FileNotFoundError(f"the photographs of ants and bees are not here: {HOW}")
    return load_folder(folder)


def _fetch(into: Path) -> None:
    from torchvision.datasets.utils import download_and_extract_archive

    into.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=into) as half:  # whole or not at all
            download_and_extract_archive(ARCHIVE, half)
            Path(half, FOLDER).rename(into / FOLDER)
    except (OSError, RuntimeError, zipfile.BadZipFile) as error:
        raise FileNotFoundError(
            f"the photographs of ants and bees cannot be fetched ({error}): {HOW}"
        ) from error


def thumbnails(photographs, rows, side: int = 84) -> np.ndarray:
    """Return what the network sees of some photographs, small: (n, side, side, 3), uint8."""
    from torchvision.transforms import v2

    crop = v2.Compose(
        [v2.Resize(side * 256 // 224), v2.CenterCrop(side)]
    )  # as SqueezeNet's weights do
    return np.stack([np.asarray(crop(photographs[row][0])) for row in rows])
