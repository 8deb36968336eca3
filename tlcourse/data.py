"""Data sets that need no network: printed glyphs, handwritten digits, few-label draws.

Every picture of the course has the same form: white ink on black, 16 × 16 pixels, values in
[0, 1]. What takes seconds to make is made once, see `tlcourse.cache`; the real sets that are too
large to ship are looked for under ``TLCOURSE_DATA``.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
import PIL.Image
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits

from tlcourse import glyphs as drawing
from tlcourse.cache import cached, data_folder
from tlcourse.perturb import perturb

SIDE = 16  # pixels of every picture the networks see
SOURCE_SCRIPTS = ("LATIN", "GREEK", "CYRILLIC")


@dataclass(frozen=True)
class ImageSet:
    """Labelled pictures of one domain.

    Attributes
    ----------
    images : torch.Tensor, shape (n, 1, side, side), float32
        White ink (1) on black (0).
    labels : torch.Tensor, shape (n,), int64
        Class of each picture, an index into `names`.
    names : list of str
        One name a class.
    groups : torch.Tensor, shape (n,), int64
        Where a picture comes from: its font face, or its block of writers.
    """

    images: torch.Tensor
    labels: torch.Tensor
    names: list[str]
    groups: torch.Tensor

    def __post_init__(self):
        check_images(self.images)
        check_labels(self.labels, len(self.images), len(self.names))
        if len(self.groups) != len(self.images):
            raise ValueError(
                f"there are {len(self.groups)} groups for {len(self.images)} images: give one group "
                "an image."
            )

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, index) -> ImageSet:
        """Return the pictures at `index` (positions or a Boolean mask); class names stay."""
        index = torch.as_tensor(index)
        return ImageSet(self.images[index], self.labels[index], self.names, self.groups[index])

    def to(self, device) -> ImageSet:
        """Return the same set with its tensors on `device`."""
        return ImageSet(
            self.images.to(device), self.labels.to(device), self.names, self.groups.to(device)
        )


class Splits(NamedTuple):
    """Three disjoint sets: labels are drawn from `pool`, choices use `validation`."""

    pool: ImageSet
    validation: ImageSet
    test: ImageSet

    def to(self, device) -> Splits:
        """Return the same splits with their tensors on `device`."""
        return Splits(*(part.to(device) for part in self))


def check_images(images: torch.Tensor) -> None:
    """Raise ValueError unless `images` is a finite float tensor of shape (n, 1, side, side)."""
    if images.ndim != 4 or images.shape[1] != 1 or images.shape[2] != images.shape[3]:
        raise ValueError(
            f"images have shape {tuple(images.shape)}, but (n, 1, side, side) is needed: make them "
            "grey and square, and add a missing channel axis with images[:, None]."
        )
    if not images.is_floating_point():
        raise ValueError(f"images are {images.dtype}: convert them to float32 in [0, 1] first.")
    if not torch.isfinite(images).all():
        bad = (~torch.isfinite(images)).flatten(1).any(1).nonzero()[0].item()
        raise ValueError(f"image {bad} holds NaN or infinity: repair or drop it first.")


def check_labels(labels: torch.Tensor, n_images: int, n_classes: int) -> None:
    """Raise ValueError unless `labels` holds `n_images` integers in [0, n_classes)."""
    if labels.shape != (n_images,):
        raise ValueError(
            f"labels have shape {tuple(labels.shape)}, but there are {n_images} images: "
            "give one label an image."
        )
    if labels.dtype != torch.int64:
        raise ValueError(f"labels are {labels.dtype}: convert them with labels.long().")
    if n_images and not (0 <= labels.min() and labels.max() < n_classes):
        raise ValueError(
            f"labels run from {labels.min()} to {labels.max()}, but with {n_classes} classes they "
            f"must lie in 0 … {n_classes - 1}: number the classes from 0."
        )


# ── few labels ──────────────────────────────────────────────────────────────────────────────


def few_labels(pool: ImageSet, per_class: int, seed: int) -> ImageSet:
    """Draw `per_class` pictures of every class at random, without replacement.

    Draws are nested: for one seed, the pictures drawn at 2 a class contain those at 1 a class, so
    that a label-efficiency curve changes because labels are added, not because they are swapped.

    Parameters
    ----------
    pool : ImageSet
        What may be drawn; validation and test pictures are never in it.
    per_class : int
        Pictures a class, at least 1.
    seed : int
        Same seed, same draw.

    Returns
    -------
    ImageSet
        ``per_class * len(pool.names)`` pictures, ordered by class.

    Raises
    ------
    ValueError
        If `per_class` is below 1 or a class has fewer pictures than that.
    """
    return pool.subset(few_rows(pool, per_class, seed))


def few_rows(pool: ImageSet, per_class: int, seed: int) -> np.ndarray:
    """Return the positions in `pool` of the pictures that `few_labels` draws."""
    labels = pool.labels.cpu().numpy()
    return draw_rows(labels, per_class, seed, dict(enumerate(pool.names)))


def draw_rows(labels, per_class: int, seed: int, names: dict | None = None) -> np.ndarray:
    """Return the positions of `per_class` rows of every class, ordered by class; draws are nested.

    Parameters
    ----------
    labels : array_like, shape (n,)
    per_class, seed : int
        As in `few_labels`.
    names : dict, optional
        Label to name, for classes that must all be there; by default those that occur.

    Raises
    ------
    ValueError
        If `per_class` is below 1 or a class has fewer rows than that.
    """
    if per_class < 1:
        raise ValueError(f"per_class is {per_class}: draw at least 1 of a class.")
    rng, labels, chosen = np.random.default_rng(seed), np.asarray(labels), []
    for k, name in (names or {k: k for k in np.unique(labels).tolist()}).items():
        members = np.flatnonzero(labels == k)
        if len(members) < per_class:
            raise ValueError(
                f"class {name!r} has {len(members)} examples, fewer than the {per_class} asked "
                "for: lower per_class or use a larger pool."
            )
        chosen.append(rng.permutation(members)[:per_class])
    return np.concatenate(chosen)


# ── the sets themselves ─────────────────────────────────────────────────────────────────────


def glyphs(scripts=SOURCE_SCRIPTS, min_faces: int = 4) -> ImageSet:
    """Return printed letters, 32 × 32 pixels, one class a letter, grouped by font face.

    Parameters
    ----------
    scripts : sequence of str
        Unicode scripts. The default is the course's source domain: Latin, Greek and Cyrillic
        letters, and no digit.
    min_faces : int
        Letters drawn in fewer faces are left out.

    Raises
    ------
    ValueError
        For a script that Unicode, or every font, lacks.
    """
    characters = [c for script in scripts for c in drawing.letters(script)]
    name = "-".join([*scripts, str(min_faces)])
    return _printed(name, partial(drawing.render, characters, min_faces))


def _printed(name: str, render) -> ImageSet:
    # The fonts come with matplotlib, the rasteriser with Pillow, and the rest is our own code.
    code = hashlib.sha256(Path(drawing.__file__).read_bytes()).hexdigest()[:8]
    key = f"glyphs-{name}-{matplotlib.__version__}-{PIL.__version__}-{code}".lower()
    arrays = cached(key, render)
    return ImageSet(
        torch.from_numpy(arrays["images"]).float().div(255)[:, None],
        torch.from_numpy(arrays["labels"]),
        [str(name) for name in arrays["names"]],
        torch.from_numpy(arrays["groups"]),
    )


def digits(by_writer: bool = False) -> Splits:
    """Return the 1,797 handwritten digits of scikit-learn in 800, 397 and 600 pictures.

    Parameters
    ----------
    by_writer : bool
        False shuffles before splitting, so that pool and test share their writers: one domain. True
        keeps the order of the file, in which each writer's digits stand together: nearly all test
        writers are new, a small domain shift. Neither split moves with a seed.

    Returns
    -------
    Splits
        Pictures of 16 × 16 pixels, enlarged from 8 × 8; ``groups`` numbers blocks of 100 pictures of
        the file.

    Notes
    -----
    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI 1998,
    DOI 10.24432/C50P49 (its test file, 13 writers).
    """
    bunch = load_digits()
    images = torch.from_numpy(bunch.images).float().div(16)[:, None]
    images = F.interpolate(images, size=(SIDE - 2, SIDE - 2), mode="bilinear")
    everything = ImageSet(
        F.pad(images, (1, 1, 1, 1)),
        torch.from_numpy(bunch.target).long(),
        [str(digit) for digit in range(10)],
        torch.arange(len(images)) // 100,
    )
    order = torch.arange(len(images))
    if not by_writer:
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    return Splits(*(everything.subset(rows) for rows in order.split([800, 397, 600])))


def georgian() -> Splits:
    """Return the 33 letters of the modern Georgian alphabet, which the source never shows.

    Printed and perturbed as the source letters are, so the domain is the same and only the task
    is new. Faces do not mix: 5 of the 12 make the pool, 3 the validation set, 4 the test.

    Returns
    -------
    Splits
        60, 12 and 20 pictures a class, 16 × 16 pixels; ``groups`` holds the font face.
    """
    modern = [chr(code) for code in range(0x10D0, 0x10F1)]
    printed = _printed("modern-georgian", partial(drawing.render, modern, duplicates=1.0))
    generator = torch.Generator().manual_seed(33)  # fixed: the split never moves with a seed
    faces = printed.groups.unique()
    faces = faces[torch.randperm(len(faces), generator=generator)]
    splits = []
    for part, copies in zip(faces.split([5, 3, 4]), (12, 4, 5), strict=True):
        drawn = printed.subset(torch.isin(printed.groups, part).nonzero()[:, 0].repeat(copies))
        splits.append(replace(drawn, images=perturb(drawn.images, generator)))
    return Splits(*splits)


def printed_digits() -> ImageSet:
    """Return the ten digits printed in every font of the course, 32 × 32 pixels, by font face."""
    return _printed("digits", partial(drawing.render, list("0123456789"), 4, duplicates=1.0))


def mnist(train: bool = True, download: bool = False) -> ImageSet:
    """Return MNIST, 60,000 training or 10,000 test digits, reduced to 16 × 16 pixels.

    The first time, torchvision checks the md5 sums of the four archives and reads them; then the
    pictures come from the cache.

    Parameters
    ----------
    train : bool
        The training set, or else the test set.
    download : bool
        Fetch what is not under ``TLCOURSE_DATA`` (in ``MNIST/raw``), at most 12 MB. Nothing is ever
        fetched without this.

    Raises
    ------
    FileNotFoundError
        If an archive is missing and may not, or cannot, be fetched.
    ValueError
        If an archive is damaged.
    """
    arrays = cached("mnist", partial(_read_mnist, download))
    part = "train" if train else "test"
    # The digits fill the central 20 of 28 pixels: drop the margin that the small set does not have.
    images = torch.from_numpy(arrays[f"{part}_images"])[:, None, 3:25, 3:25].float().div(255)
    return ImageSet(
        F.interpolate(images, size=(SIDE, SIDE), mode="bilinear", antialias=True),
        torch.from_numpy(arrays[f"{part}_labels"]),
        [str(digit) for digit in range(10)],
        torch.zeros(len(images), dtype=torch.int64),
    )


def mnist_splits() -> Splits:
    """Return MNIST as a target with few labels; see `mnist` for what is raised.

    Returns
    -------
    Splits
        Labels are drawn from 5,000 training digits; 5,000 others are for choices; the test set is
        MNIST's own, 10,000 digits of other writers.
    """
    train, test = mnist(), mnist(train=False)
    rows = torch.arange(0, len(train), 12)
    return Splits(train.subset(rows), train.subset(rows + 6), test)


def _read_mnist(download: bool) -> dict[str, np.ndarray]:
    # Imported here: torchvision costs seconds of start-up that most lessons need not pay.
    from torchvision.datasets import MNIST
    from torchvision.datasets.utils import check_integrity

    absent = (
        "MNIST is not here: call data.mnist(download=True) once with a network connection, or set "
        "TLCOURSE_DATA to a folder that holds MNIST/raw."
    )
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder, "MNIST", "raw")
        raw.mkdir(parents=True)
        for archive, md5 in MNIST.resources:
            given = data_folder() / "MNIST" / "raw" / archive
            if given.exists() and not check_integrity(str(given), md5):
                raise ValueError(
                    f"{archive} is damaged or incomplete: delete it and copy it again."
                )
            if given.exists():
                shutil.copy(given, raw)
            elif not download:
                raise FileNotFoundError(absent)
        try:
            # With an archive in place, "download" only verifies and unpacks it.
            sets = {p: MNIST(folder, p == "train", download=True) for p in ("train", "test")}
        except (RuntimeError, OSError) as error:
            raise FileNotFoundError(absent) from error
    images = {f"{part}_images": data.data.numpy() for part, data in sets.items()}
    return images | {f"{part}_labels": data.targets.numpy() for part, data in sets.items()}


def omniglot(skip: Sequence[str] = ("Greek", "Latin")) -> ImageSet:
    """Return hand-drawn characters of Omniglot's small background sets, 20 drawings of each.

    They are looked for under ``TLCOURSE_DATA``, in ``omniglot/images_background_small1`` and
    ``…small2``; read and reduced to 16 × 16 pixels the first time, then kept.

    Parameters
    ----------
    skip : sequence of str
        Alphabets to leave out; by default those whose printed letters the backbones learned.

    Returns
    -------
    ImageSet
        Names are ``alphabet/character``, groups number the people who drew.

    Raises
    ------
    FileNotFoundError
        If the folder is missing.
    ValueError
        If a drawing is damaged.

    References
    ----------
    Lake, Salakhutdinov and Tenenbaum (2015), Science 350, doi:10.1126/science.aab3050.
    """
    drawings = sorted((data_folder() / "omniglot").glob("images_background_small?/*/*/*.png"))
    if not drawings:
        raise FileNotFoundError(
            "Omniglot is not here: download images_background_small1.zip and small2.zip from its "
            "repository (brendenlake/omniglot), unpack them into a folder 'omniglot', and set "
            "TLCOURSE_DATA to the folder that holds it."
        )
    names = [f"{path.parts[-3]}/{path.parts[-2]}" for path in drawings]
    inside = hashlib.sha256("".join(f"{p.name}{p.stat().st_size}" for p in drawings).encode())
    make = partial(_read_drawings, drawings)
    images = torch.from_numpy(cached(f"omniglot-{inside.hexdigest()[:12]}", make)["images"])
    kept = [k for k, name in enumerate(names) if name.split("/")[0] not in skip]
    classes = sorted({names[k] for k in kept})
    return ImageSet(
        images[kept],
        torch.tensor([classes.index(names[k]) for k in kept]),
        classes,
        torch.tensor([int(drawings[k].stem.split("_")[1]) for k in kept]),
    )


def _read_drawings(drawings: list[Path]) -> dict[str, np.ndarray]:
    images = []
    for path in drawings:
        try:
            with PIL.Image.open(path) as drawing:
                ink = 1 - np.asarray(drawing.convert("L"), dtype=np.float32) / 255  # black on white
        except OSError as error:
            raise ValueError(
                f"the drawing {path.name} is damaged: delete it or copy it again."
            ) from error
        images.append(torch.from_numpy(ink))
    whole = torch.stack(images)[:, None]
    small = F.interpolate(whole, size=(SIDE, SIDE), mode="bilinear", antialias=True)
    # A pen line is thin: reduced, it is grey. The brightest pixel of each drawing becomes white.
    return {"images": (small / small.amax(dim=(1, 2, 3), keepdim=True)).numpy()}


def load_folder(folder, transform=None):
    """Return photographs that lie in one folder a class, as torchvision's ``ImageFolder``.

    Parameters
    ----------
    folder : str or Path
        Holds ``ants/1.jpg``, ``bees/2.jpg`` and so on. Hidden folders, such as those that Jupyter
        leaves behind, are passed over.
    transform : callable, optional
        Applied to each photograph (PIL, RGB).

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or a class holds no photograph.
    ValueError
        If there are fewer than two classes.
    """
    from torchvision.datasets import ImageFolder

    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder.name!r}: give the path of one.")
    names = sorted(f.name for f in folder.iterdir() if f.is_dir() and not f.name.startswith("."))
    if len(names) < 2:
        raise ValueError(
            f"{folder.name!r} holds {len(names)} class folders: put the photographs of each class "
            "into a folder of its own, two classes or more."
        )

    class Visible(ImageFolder):
        def find_classes(self, directory):
            return names, {name: k for k, name in enumerate(names)}

    try:
        return Visible(folder, transform)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"a class in {folder.name!r} holds no photograph: fill its folder or delete it. {error}"
        ) from error
