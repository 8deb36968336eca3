"""Digits and characters that people wrote: scikit-learn's digits, which ship with it, and Omniglot."""

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import PIL.Image
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits

from tlcourse.data.cache import cached, data_folder
from tlcourse.data.sets import SIDE, ImageSet, Splits

DIGITS = "0123456789"
WRITERS = 13  # of scikit-learn's digits


def digits(by_writer: bool = False, validation: bool = False) -> Splits:
    """Return the 1,797 handwritten digits of scikit-learn: 800 to draw labels from, 997 to test on.

    Parameters
    ----------
    by_writer : bool
        False shuffles before splitting, so that pool and test share their writers: one domain. True
        keeps the order of the file, in which each writer's digits stand together: nearly all test
        writers are new, a small domain shift. Neither split moves with a seed.
    validation : bool
        Settings are chosen on other targets (see `development_targets`), so no picture needs to be set
        aside for that. True sets 397 aside, for lessons that choose in front of the reader: the test
        set then has the other 600.

    Returns
    -------
    Splits
        Pictures of 16 × 16 pixels, enlarged from 8 × 8; ``groups`` numbers thirteen equal stretches of
        the file, about one for each writer: who wrote which picture, the file does not say.

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
        list(DIGITS),
        torch.arange(len(images)) * WRITERS // len(images),
    )
    order = torch.arange(len(images))
    if not by_writer:
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    sizes = [800, 397, 600] if validation else [800, 0, 997]
    return Splits(*(everything.subset(rows) for rows in order.split(sizes)))


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
