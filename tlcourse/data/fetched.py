"""Other people's digits, through torchvision: MNIST, USPS and SEMEION.

All are looked for under ``TLCOURSE_DATA``, and fetched only when they are asked for.
"""

import shutil
import tempfile
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from tlcourse.data.cache import cached, data_folder
from tlcourse.data.handwritten import DIGITS
from tlcourse.data.sets import SIDE, ImageSet, Splits

# ── MNIST ───────────────────────────────────────────────────────────────────────────────────


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
        list(DIGITS),
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

    absent = _absent("mnist", "MNIST/raw")
    with tempfile.TemporaryDirectory() as folder:
        given, raw = data_folder() / "MNIST" / "raw", Path(folder, "MNIST", "raw")
        _copy(MNIST.resources, given, raw, None if download else absent)
        try:
            # With an archive in place, "download" only verifies and unpacks it.
            sets = {p: MNIST(folder, p == "train", download=True) for p in ("train", "test")}
        except (RuntimeError, OSError) as error:
            raise FileNotFoundError(absent) from error
    images = {f"{part}_images": data.data.numpy() for part, data in sets.items()}
    return images | {f"{part}_labels": data.targets.numpy() for part, data in sets.items()}


def _absent(name: str, files: str) -> str:
    return (
        f"{name.removesuffix('_splits').upper()} is not here: call data.{name}(download=True) once "
        f"with a network connection, or set TLCOURSE_DATA to a folder that holds {files}."
    )


def _copy(archives, given: Path, into: Path, refused: str | None) -> None:
    """Copy torchvision's archives, (name, md5) each, from where they are given.

    One that is damaged is an error; one that is missing too, with the words of `refused`, if any.
    """
    from torchvision.datasets.utils import check_integrity

    into.mkdir(parents=True, exist_ok=True)
    for archive, md5 in archives:
        if (given / archive).exists():
            if not check_integrity(str(given / archive), md5):
                raise ValueError(
                    f"{archive} is damaged or incomplete: delete it and copy it again."
                )
            shutil.copy(given / archive, into)
        elif refused:
            raise FileNotFoundError(refused)


# ── USPS and SEMEION ────────────────────────────────────────────────────────────────────────


def usps_splits(download: bool = False) -> Splits:
    """Return the digits of American envelopes as a target with few labels.

    The digits fill their 16 × 16 pixels, while ours keep one pixel free on each side. They stay as they
    are: a margin would be a setting that somebody chose for them.

    Parameters
    ----------
    download : bool
        Fetch them through torchvision if they are not under ``TLCOURSE_DATA`` (in ``digits``), 8 MB.

    Returns
    -------
    Splits
        Labels are drawn from the 7,291 training digits; the test set is USPS's own, 2,007 digits.
        Nothing is set aside for choices: nobody chooses on them.

    Raises
    ------
    FileNotFoundError
        If they are missing and may not, or cannot, be fetched.
    ValueError
        If a file is damaged.

    References
    ----------
    Hull (1994), "A database for handwritten text recognition research", IEEE TPAMI 16(5).
    """
    arrays = cached("usps", partial(_read_digits, "usps", download))
    train, test = (
        _as_they_are(arrays[f"{part}_images"], arrays[f"{part}_labels"])
        for part in ("train", "test")
    )
    return Splits(train, train.subset(torch.arange(0)), test)


def semeion_splits(download: bool = False) -> Splits:
    """Return the 1,593 black-or-white digits of about 80 people: 693 to draw from, 900 to test on.

    As with `usps_splits`, they fill their 16 × 16 pixels and stay as they are. They are shuffled once,
    with a fixed seed; who wrote which is not in the file, so pool and test share their writers.

    Parameters, Raises
        As for `usps_splits`; 3 MB.

    References
    ----------
    Buscema and Terzi (1994), Semeion Handwritten Digit, UCI.
    """
    arrays = cached("semeion", partial(_read_digits, "semeion", download))
    whole = _as_they_are(arrays["images"], arrays["labels"])
    order = torch.randperm(len(whole), generator=torch.Generator().manual_seed(0))
    return Splits(*(whole.subset(rows) for rows in order.split([693, 0, 900])))


def _as_they_are(images: np.ndarray, labels: np.ndarray) -> ImageSet:
    pixels, labels = torch.from_numpy(images)[:, None].float().div(255), torch.from_numpy(labels)
    return ImageSet(pixels, labels, list(DIGITS), torch.zeros(len(labels), dtype=torch.int64))


def _read_digits(name: str, download: bool) -> dict[str, np.ndarray]:
    """Return the arrays of ``digits/NAME.npz``, or make them from what torchvision reads."""
    given = data_folder() / "digits" / f"{name}.npz"
    if not given.exists():
        return _through_torchvision(name, given.parent, download)
    try:
        with np.load(given) as arrays:
            return dict(arrays)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{given.name} is damaged or incomplete: delete it and copy it again."
        ) from error


def _through_torchvision(name: str, given: Path, download: bool) -> dict[str, np.ndarray]:
    from torchvision.datasets import SEMEION, USPS

    archives = {
        "usps": [(archive, md5) for _, archive, md5 in USPS.split_list.values()],
        "semeion": [(SEMEION.filename, SEMEION.md5_checksum)],
    }[name]
    absent = _absent(f"{name}_splits", " and ".join(f"digits/{archive}" for archive, _ in archives))
    with tempfile.TemporaryDirectory() as folder:
        _copy(archives, given, Path(folder), None if download else absent)
        try:
            if name == "semeion":
                found = SEMEION(folder, download=True)
                return {"images": found.data, "labels": found.labels}
            sets = {p: USPS(folder, p == "train", download=True) for p in ("train", "test")}
        except (RuntimeError, OSError) as error:
            raise FileNotFoundError(absent) from error
    images = {f"{part}_images": found.data for part, found in sets.items()}
    return images | {f"{part}_labels": np.array(found.targets) for part, found in sets.items()}
