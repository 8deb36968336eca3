"""A reader's own pictures: arrays from anywhere, made as those of the course."""

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from tlcourse.data.groups import promise, split_groups
from tlcourse.data.sets import SIDE, ImageSet, Splits

GREY = torch.tensor([0.299, 0.587, 0.114])  # of red, green, blue: ITU-R BT.601, section 2.5.1
PARTS = (2, 1, 2)  # fifths of the pictures: for the pool, for validation, for the test
COLOURED = {"P", "PA", "LA", "RGBA", "CMYK", "YCbCr"}  # modes of PIL that become RGB first
ROUGH = 64  # side to which larger pictures are reduced before their margins are cut

# ── arrays ──────────────────────────────────────────────────────────────────────────────────


def from_arrays(images, labels, names=None, groups=None, *, invert: bool | None = None) -> Splits:
    """Return your own pictures as the lessons take them: white ink on black, 16 × 16, in three parts.

    What was converted is printed in one sentence (and if pictures seem to disagree about their ink); with `groups`, another says what a division at random
    would have promised. Margins that are empty in nearly all pictures are
    cut off, as the digits of the course have none.

    Parameters
    ----------
    images : sequence of pictures, length n
        An array or a tensor, (n, h, w), (n, h, w, c) or (n, c, h, w), or a list of PIL's pictures or of
        arrays, which may differ in size. Grey or with 3 or 4 channels, of any type and range.
    labels : sequence of int or str, length n
    names : sequence of str, optional
        Of the classes, in the order of the sorted labels; by default the labels themselves.
    groups : sequence, length n, optional
        Who wrote it, which patient, which camera: no group is on two sides of the split.
    invert : bool, optional
        Whether ink is dark on a bright ground. By default the borders tell: they are nearly all ground.

    Returns
    -------
    Splits
        Two fifths of the pictures to draw labels from, one for choices, two for the test, each with
        about the same shares of the classes. The division never moves with a seed.

    Raises
    ------
    ValueError
        If the inputs do not fit together, a picture cannot be read, or a class has fewer than five
        pictures (with `groups`: groups).
    """
    classes, numbers = np.unique(np.asarray(labels), return_inverse=True)
    names = list(map(str, classes if names is None else names))
    owners = np.arange(len(numbers)) if groups is None else np.asarray(groups)
    _check_lengths(len(images), len(numbers), len(owners), len(names), len(classes))
    owner = np.unique(owners, return_inverse=True)[1]
    what = "pictures" if groups is None else "groups"
    sides = split_groups(numbers, owner, PARTS, names, what)
    pictures, sentence = _as_the_course_has_them(images, invert)
    print(f"{len(pictures)} pictures of {len(names)} classes: {sentence}")
    if groups is not None:
        print(promise(pictures.flatten(1).numpy(), numbers, owner))
    whole = ImageSet(pictures, torch.from_numpy(numbers), names, torch.from_numpy(owner))
    return Splits(*(whole.subset(side) for side in sides))


def _check_lengths(images, labels, groups, names, classes):
    if not images == labels == groups or not images:
        raise ValueError(
            f"{images} pictures, {labels} labels, {groups} groups: give each picture one of each."
        )
    if names != classes:
        raise ValueError(f"{names} names for {classes} classes: give each class one name.")


def _as_the_course_has_them(images, invert: bool | None) -> tuple[torch.Tensor, str]:
    """Return pictures (n, 1, 16, 16), white ink on black, and what was done, in words."""
    greys = [_grey(picture, i) for i, picture in enumerate(images)]
    low, high, wild = _range(greys)
    greys = [((grey - low) / (high - low)).clamp(0, 1) for grey in greys]
    dark = _dark_ink(greys)
    given, invert = invert is not None, bool(dark.mean() > 0.5) if invert is None else invert
    rough = min(ROUGH, max(max(grey.shape) for grey in greys))
    squares = torch.stack([_square(1 - g if invert else g, rough) for g in greys])
    sizes = {tuple(grey.shape) for grey in greys}
    size = " × ".join(map(str, *sizes)) if len(sizes) == 1 else "different sizes"
    ground = "dark ink on a bright ground was inverted" if invert else "bright ink stays as it is"
    cut = " (a few outside were cut)" * wild
    words = f"{size} became {SIDE} × {SIDE}, values {low:g} … {high:g}{cut} became 0 … 1, {ground}."
    words += _doubt((dark != float(invert)).sum().item(), len(dark)) * (not given)
    # One pixel stays free on each side, as in the digits of the course.
    return F.pad(_resized(_cut(squares), SIDE - 2).clamp(0, 1), (1, 1, 1, 1)), words


def _range(greys) -> tuple[float, float, bool]:
    """Return darkest and brightest value, and whether a few wild ones lie outside.

    One wrong pixel of a thousand must not decide what is black and what is white.
    """
    pixels = torch.cat([grey.flatten() for grey in greys]).numpy()
    low, high = map(float, np.percentile(pixels, [0.1, 99.9], method="nearest"))
    if low == high:  # very thin ink
        low, high = float(pixels.min()), float(pixels.max())
    if low == high:
        raise ValueError(f"every pixel is {low:g}: there is nothing to see in these pictures.")
    far = 0.1 * (high - low)
    return low, high, bool(pixels.min() < low - far or pixels.max() > high + far)


def _dark_ink(greys) -> torch.Tensor:
    """Tell for each picture that is not empty whether its ink is dark: 1., or 0.

    The border is nearly all ground. Ink is whatever lies farther from it: the darkest or the brightest.
    """
    found = []
    for grey in greys:
        ground = torch.cat([grey[0], grey[-1], grey[:, 0], grey[:, -1]]).median()
        down, up = ground - grey.min(), grey.max() - ground
        found += [(down > up).float()] if max(down, up) > 0 else []
    return torch.stack(found)


def _doubt(others: int, n: int) -> str:
    """Return a warning where pictures disagree about their ink."""
    if others <= 0.05 * n:
        return ""
    return f" But {others} look the other way round: look at them, or say invert=True or False."


def _grey(picture, i: int) -> torch.Tensor:
    """Return one picture as brightness in its own unit, shape (height, width), float32."""
    if isinstance(picture, Image.Image) and picture.mode in COLOURED:
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    if torch.is_tensor(picture):
        picture = picture.detach().cpu()
    try:
        values = torch.tensor(np.asarray(picture, dtype=np.float32))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"picture {i} is no array of numbers but {type(picture).__name__}: give an array, a "
            "tensor or a picture of PIL, such as Image.open(path)."
        ) from error
    if values.ndim == 3 and values.shape[-1] not in (1, 3, 4):
        values = values.movedim(0, -1)
    if values.ndim == 3 and values.shape[-1] in (1, 3, 4):
        values = values[..., 0] if values.shape[-1] == 1 else _on_white(values)
    if values.ndim != 2 or not values.numel():
        raise ValueError(
            f"picture {i} has shape {tuple(values.shape)}: give height × width, with 1, 3 or 4 channels."
        )
    if not torch.isfinite(values).all():
        raise ValueError(f"picture {i} holds NaN or infinity: repair or drop it first.")
    return values


def _on_white(values: torch.Tensor) -> torch.Tensor:
    """Return the brightness of colours, (height, width, 3 or 4); what is transparent shows white paper."""
    grey = values[..., :3] @ GREY
    if values.shape[-1] == 3:
        return grey
    white = 255.0 if values.max() > 1 else 1.0
    alpha = values[..., 3] / white
    return grey * alpha + white * (1 - alpha)


def _square(grey: torch.Tensor, side: int) -> torch.Tensor:
    """Return a picture on a black square, shape (1, side, side)."""
    missing = [max(grey.shape) - length for length in grey.shape]
    across, down = missing[1] // 2, missing[0] // 2
    padded = F.pad(grey, (across, missing[1] - across, down, missing[0] - down))
    return _resized(padded[None, None], side)[0]


def _resized(images: torch.Tensor, side: int) -> torch.Tensor:
    return F.interpolate(images, size=(side, side), mode="bilinear", antialias=True)


def _cut(images: torch.Tensor) -> torch.Tensor:
    """Cut off the margins where hardly a picture has ink, the same on all four sides."""
    side = images.shape[-1]
    columns, rows = ((images.amax(axis) > 0.2).float().mean((0, 1)) for axis in (2, 3))
    used = (columns + rows > 0.04).nonzero()
    if not len(used):
        return images
    margin = min(used.min().item(), side - 1 - used.max().item())
    return images[..., margin : side - margin, margin : side - margin]
