"""Lesson 07c: augmentation. More pictures from the labels you have, and when that does harm.

Changes of pictures come from ``torchvision.transforms.v2``. One call of it changes all pictures of a
batch *alike*; `copies` therefore calls it on small groups.
"""

from collections.abc import Callable

import torch
from torch import nn

from tlcourse.data import ImageSet

COPIES = 16  # changed copies of each labelled picture
POLICIES = ("affine", "elastic", "erasing", "RandAugment", "mixup", "CutMix", "half turn")


def policy(name: str, strength: float = 1.0) -> Callable:
    """Return a transform of torchvision for pictures of 16 × 16 pixels.

    Parameters
    ----------
    name : str
        One of `POLICIES`. "half turn" turns every second picture upside down.
    strength : float
        Positive; 1 is a middling choice for digits.

    Returns
    -------
    callable
        ``transform(images, labels)`` returns both; mixup and CutMix return soft labels.

    Raises
    ------
    ValueError
        If the name is unknown or the strength is not positive.

    References
    ----------
    Simard, Steinkraus and Platt (2003), doi:10.1109/ICDAR.2003.1227801 (elastic); Zhong et al. (2020),
    arXiv:1708.04896 (erasing); Cubuk et al. (2020), arXiv:1909.13719 (RandAugment); Zhang et al.
    (2018), arXiv:1710.09412 (mixup); Yun et al. (2019), arXiv:1905.04899 (CutMix).
    """
    # Imported here: torchvision costs seconds of start-up that most lessons need not pay.
    from torchvision.transforms import InterpolationMode, v2

    if name not in POLICIES:
        raise ValueError(f"unknown policy {name!r}: choose one of {', '.join(POLICIES)}.")
    if not strength > 0:
        raise ValueError(f"strength is {strength}: take a positive number.")
    s, smooth = strength, InterpolationMode.BILINEAR
    make = {
        "affine": lambda: v2.RandomAffine(
            15 * s, (0.08 * s,) * 2, (1 - 0.15 * s, 1 + 0.15 * s), 10 * s, smooth
        ),
        "elastic": lambda: v2.ElasticTransform(16 * s, 3.0),
        "erasing": lambda: v2.RandomErasing(1.0, (0.02, 0.15 * s)),
        "RandAugment": lambda: v2.RandAugment(2, round(6 * s), interpolation=smooth),
        "mixup": lambda: v2.MixUp(alpha=0.4 * s, num_classes=10),
        "CutMix": lambda: v2.CutMix(alpha=s, num_classes=10),
        "half turn": lambda: v2.RandomApply([v2.RandomRotation((180, 180))], 0.5),
    }
    return make[name]()


def copies(
    train: ImageSet, transform: Callable, seed: int, n: int = COPIES, group: int = 10
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the pictures of a set and `n` changed copies of each, with soft labels.

    Parameters
    ----------
    train : ImageSet
        Only training pictures: split first, copy afterwards.
    transform : callable
        ``transform(images, labels)``, such as a `policy`.
    seed : int
    n : int
        Copies of each picture.
    group : int
        How many pictures, drawn at random, one call changes alike.

    Returns
    -------
    images : torch.Tensor, shape ((1 + n) * len(train), 1, side, side)
        Originals first.
    labels : torch.Tensor, shape ((1 + n) * len(train), classes)
        One row a picture, summing to 1.
    """
    with torch.random.fork_rng([]):  # torchvision draws from the generator of the CPU
        torch.default_generator.manual_seed(seed)
        rows = torch.randperm(n * len(train)) % len(train)
        parts = zip(train.images[rows].split(group), train.labels[rows].split(group), strict=True)
        changed = [transform(*part) for part in parts]
    classes = len(train.names)
    soft = [one_hot(train.labels, classes), *(one_hot(labels, classes) for _, labels in changed)]
    return torch.cat([train.images, *(images for images, _ in changed)]), torch.cat(soft)


def one_hot(labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Return labels as rows of probabilities; rows that are some already stay."""
    return labels if labels.ndim == 2 else nn.functional.one_hot(labels, classes).float()


def cut_and_paste(images, labels, top: int, left: int, height: int, width: int, partner):
    """Paste a rectangle of a partner's picture into each picture: CutMix, for given numbers.

    Parameters
    ----------
    images : torch.Tensor, shape (n, 1, side, side)
    labels : torch.Tensor, shape (n, classes)
    top, left, height, width : int
        The rectangle, in pixels, inside the picture.
    partner : torch.Tensor, shape (n,), int64

    Returns
    -------
    images, labels : torch.Tensor
        Labels are mixed by area.

    References
    ----------
    Yun et al. (2019), arXiv:1905.04899, equation 1.
    """
    mixed, side = images.clone(), images.shape[-1]
    if min(top, left) < 0 or top + height > side or left + width > side:
        raise ValueError(f"the rectangle leaves the picture of {side} × {side} pixels: move it.")
    box = (..., slice(top, top + height), slice(left, left + width))
    mixed[box] = images[partner][box]
    share = height * width / side**2
    return mixed, (1 - share) * labels + share * labels[partner]
