"""Pictures changed at random: variety for training, and damage for testing robustness.

Everything works on a whole batch of tensors at once, so that it is fast enough to run inside a
training loop: about 10,000 pictures a second on one CPU core.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F

from tlcourse.data.sets import check_labels

CORRUPTIONS = ("noise", "blur", "shift")
# What `perturb` does to a picture at strength 1, where a lesson compares it with `corrupt`.
SHIFT = 0.125  # at most this far along each axis; of half the side, so 1 pixel of 16
NOISE = 0.05  # standard deviation


def _uniform(n: int, low: float, high: float, generator) -> torch.Tensor:
    return low + (high - low) * torch.rand(n, generator=generator)


def warp_grid(n: int, size: int, strength: float, generator) -> torch.Tensor:
    """Return a random sampling grid: rotation, scale, shear, shift and an elastic bend.

    Returns
    -------
    torch.Tensor, shape (n, size, size, 2)
        Positions in [-1, 1], as `torch.nn.functional.grid_sample` wants them.
    """
    angle = strength * _uniform(n, -20, 20, generator) * math.pi / 180
    shear = strength * _uniform(n, -0.35, 0.35, generator)
    scale_x = 1 + strength * _uniform(n, -0.2, 0.3, generator)
    scale_y = 1 + strength * _uniform(n, -0.2, 0.2, generator)
    shift = strength * (torch.rand(n, 2, generator=generator) - 0.5) * 2 * SHIFT
    cos, sin = angle.cos(), angle.sin()
    theta = torch.stack(
        [
            torch.stack([scale_x * cos, scale_x * (shear * cos - sin), shift[:, 0]], 1),
            torch.stack([scale_y * sin, scale_y * (shear * sin + cos), shift[:, 1]], 1),
        ],
        1,
    )
    grid = F.affine_grid(theta, (n, 1, size, size), align_corners=False)
    bend = strength * 0.11 * torch.randn(n, 2, 4, 4, generator=generator)
    bend = F.interpolate(bend, size=(size, size), mode="bilinear", align_corners=True)
    return grid + bend.permute(0, 2, 3, 1)


def vary_stroke(images: torch.Tensor, strength: float, generator) -> torch.Tensor:
    """Make each picture's strokes thicker or thinner by up to one pixel times `strength`."""
    amount = strength * _uniform(len(images), -0.3, 1.0, generator).view(-1, 1, 1, 1)
    thick, thin = _brightest(images), -_brightest(-images)
    amount = amount.to(images)
    return images + amount.clamp(min=0) * (thick - images) - amount.clamp(max=0) * (thin - images)


def _brightest(images: torch.Tensor) -> torch.Tensor:
    """Return the maximum of each pixel and its eight neighbours: first in each row, then across.

    The same as ``F.max_pool2d(images, 3, stride=1, padding=1)``, and six times faster on a CPU.
    """
    rows = F.pad(images, (1, 1), value=-math.inf)
    rows = rows[..., :-2].maximum(rows[..., 1:-1]).maximum(rows[..., 2:])
    columns = F.pad(rows, (0, 0, 1, 1), value=-math.inf)
    return columns[..., :-2, :].maximum(columns[..., 1:-1, :]).maximum(columns[..., 2:, :])


def coarsen(images: torch.Tensor, fraction: float, generator) -> torch.Tensor:
    """Halve the resolution of a random `fraction` of the pictures, as a coarse scan would."""
    side = images.shape[-1]
    low = F.interpolate(F.avg_pool2d(images, 2), size=(side, side), mode="bilinear")
    pick = (torch.rand(len(images), generator=generator) < fraction).view(-1, 1, 1, 1)
    return torch.where(pick.to(images.device), low, images)


def perturb(
    images: torch.Tensor,
    generator: torch.Generator | None = None,
    strength: float = 1.0,
    size: int = 16,
    coarse: float = 0.5,
) -> torch.Tensor:
    """Return a randomly perturbed copy of each picture.

    In this order: warp (rotation ±20°, shear, scale, shift, elastic bend) while sampling down to
    `size`, stroke width, half resolution for some, contrast, and pixel noise.

    Parameters
    ----------
    images : torch.Tensor, shape (n, 1, side, side)
        Values in [0, 1].
    generator : torch.Generator, optional
        A CPU generator; the random numbers do not depend on the device of `images`.
    strength : float
        With `coarse` 0, 0 only resamples; 1 is what the shipped backbone was trained with.
    size : int
        Side of the result, in pixels.
    coarse : float
        Fraction of the pictures that lose half their resolution.

    Returns
    -------
    torch.Tensor, shape (n, 1, size, size)
    """
    n = len(images)
    grid = warp_grid(n, size, strength, generator).to(images.device)
    images = F.grid_sample(images, grid, mode="bilinear", align_corners=False)
    images = vary_stroke(images, strength, generator)
    images = coarsen(images, coarse, generator)
    contrast = 1 - strength * 0.3 * torch.rand(n, 1, 1, 1, generator=generator)
    noise = strength * NOISE * torch.randn(images.shape, generator=generator)
    return (images * contrast.to(images) + noise.to(images)).clamp(0, 1)


def corrupt(images: torch.Tensor, kind: str, severity: float, seed: int = 0) -> torch.Tensor:
    """Damage pictures in one way, to see how far a model trained on clean ones still holds.

    Parameters
    ----------
    images : torch.Tensor, shape (n, 1, side, side)
        Values in [0, 1].
    kind : {"noise", "blur", "shift"}
        ``noise`` adds Gaussian noise, ``blur`` convolves with a Gaussian, ``shift`` moves each
        picture in a random direction and fills with black.
    severity : float
        Standard deviation of the noise (1 = black to white); of the blur, in pixels; length of
        the shift, in pixels. 0 changes nothing.
    seed : int
        Same seed, same damage, so that every method sees the same pictures.

    Returns
    -------
    torch.Tensor
        Same shape, values in [0, 1].

    Raises
    ------
    ValueError
        For an unknown kind or a negative severity.
    """
    if kind not in CORRUPTIONS:
        raise ValueError(f"unknown corruption {kind!r}: choose one of {', '.join(CORRUPTIONS)}.")
    if severity < 0:
        raise ValueError(f"severity is {severity}: it must be 0 or more.")
    if severity == 0:
        return images.clone()
    generator = torch.Generator().manual_seed(seed)
    if kind == "noise":
        noise = severity * torch.randn(images.shape, generator=generator)
        return (images + noise.to(images)).clamp(0, 1)
    if kind == "blur":
        return _blur(images, severity)
    return _shift(images, severity, generator)


def _blur(images: torch.Tensor, sigma: float) -> torch.Tensor:
    reach = max(1, math.ceil(3 * sigma))
    x = torch.arange(-reach, reach + 1, dtype=images.dtype, device=images.device)
    kernel = torch.exp(-0.5 * (x / sigma) ** 2)
    kernel = kernel / kernel.sum()
    rows = F.conv2d(images, kernel.view(1, 1, 1, -1), padding=(0, reach))
    return F.conv2d(rows, kernel.view(1, 1, -1, 1), padding=(reach, 0))


def _shift(images: torch.Tensor, pixels: float, generator: torch.Generator) -> torch.Tensor:
    n, side = len(images), images.shape[-1]
    angle = 2 * math.pi * torch.rand(n, generator=generator)
    theta = torch.eye(2, 3).repeat(n, 1, 1)
    theta[:, :, 2] = torch.stack([angle.cos(), angle.sin()], 1) * 2 * pixels / side
    grid = F.affine_grid(theta, images.shape, align_corners=False).to(images.device)
    return F.grid_sample(images, grid, align_corners=False)


def redraw_labels(labels: torch.Tensor, fraction: float, n_classes: int, seed: int):
    """Replace each label, with probability `fraction`, by one drawn from all classes.

    About one redrawn label in `n_classes` is right again by chance.

    Parameters
    ----------
    labels : torch.Tensor, shape (n,), int64
    fraction : float
        From 0 to 1.
    n_classes : int
    seed : int

    Returns
    -------
    torch.Tensor, shape (n,), int64
        A copy.

    Raises
    ------
    ValueError
        If `fraction` is no probability or a label is outside its range.
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"fraction is {fraction}: it is a probability, from 0 to 1.")
    check_labels(labels, len(labels), n_classes)
    rng = np.random.default_rng([seed, 4])
    drawn = rng.random(len(labels)) < fraction
    others = rng.integers(n_classes, size=len(labels))
    chosen = np.where(drawn, others, labels.cpu().numpy())
    return torch.from_numpy(chosen).to(labels.device)
