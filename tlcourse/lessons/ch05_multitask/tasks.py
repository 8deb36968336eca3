"""Questions about a picture: its class, measurements of it, and how well a network answers them.

Many runs (seeds, weights) are trained side by side: what a network puts out has the runs as its
first axis.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F

from tlcourse.data import ImageSet

UNKNOWN = -1  # class of a picture that has no label for a task


@dataclass(frozen=True)
class Task:
    """A question about every picture.

    Attributes
    ----------
    name : str
    targets : torch.Tensor, shape (n,)
        Class numbers (int64; `UNKNOWN` where there is no label) or measurements (float32).
    classes : int
        Number of classes; 0 for a measurement, which is learned with the squared error.
    scale : float
        The loss is divided by it. `scaled` sets a measurement's variance.
    head : str
        Tasks that name the same head share their output too; by default each has its own.
    """

    name: str
    targets: torch.Tensor
    classes: int = 0
    scale: float = 1.0
    head: str = ""

    def loss(self, output: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return the mean loss of each run: `output` is (runs, batch, width), `rows` (runs, batch)."""
        truth = self.targets[rows]
        if self.classes:
            flat = output.flatten(0, 1), truth.flatten()
            each = F.cross_entropy(*flat, reduction="none", ignore_index=UNKNOWN)
            known = (truth != UNKNOWN).sum(1).clamp_min(1)
            return each.view(rows.shape).sum(1) / known / self.scale
        return (output[..., 0] - truth).square().mean(1) / self.scale

    def score(self, output: torch.Tensor) -> np.ndarray:
        """Return each run's accuracy, or the share of the variance explained (R², 0 for the mean)."""
        if self.classes:
            return (output.argmax(-1) == self.targets).float().mean(1).cpu().numpy()
        errors = (output[..., 0] - self.targets).square().mean(1)
        return (1 - errors / self.targets.var(correction=0)).cpu().numpy()


def scaled(tasks: Sequence[Task]) -> list[Task]:
    """Divide the loss of each measurement by the variance of its targets: the simple baseline.

    Then every measurement's loss begins near 1, whatever its unit is.
    """
    return [t if t.classes else replace(t, scale=float(t.targets.var())) for t in tasks]


def pixels(images: torch.Tensor) -> torch.Tensor:
    """Return each picture as 64 numbers: 16 × 16 pixels, averaged two by two."""
    return F.avg_pool2d(images, 2).flatten(1)


def moments(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return how far the ink leans (degrees) and its horizontal centre (hundredths of a pixel).

    The slant is the angle whose tangent is the covariance of x and y over the variance of y, with y
    upwards: positive for strokes that lean to the right, 0 for upright ones.

    Parameters
    ----------
    images : torch.Tensor, shape (n, 1, side, side)
        Every picture needs ink.
    """
    ink = images[:, 0]
    total = ink.sum((1, 2))
    if (total <= 0).any():
        raise ValueError("a picture has no ink, so it has no slant: drop it first.")
    x = torch.arange(images.shape[-1], dtype=ink.dtype, device=ink.device)
    mean_x = (ink * x).sum((1, 2)) / total
    mean_y = (ink * x[:, None]).sum((1, 2)) / total
    dx, dy = x - mean_x[:, None], mean_y[:, None] - x
    across = (ink * dy[:, :, None] * dx[:, None, :]).sum((1, 2))
    up = (ink * dy.square()[:, :, None]).sum((1, 2))
    # The small number decides for a stroke of one row, which has neither: it counts as upright.
    return torch.rad2deg(torch.atan2(across, up + 1e-12)), 100 * mean_x


def digit_tasks(pictures: ImageSet, like: ImageSet) -> list[Task]:
    """Return three tasks: class, slant in degrees, centre in hundredths of a pixel.

    Parameters
    ----------
    pictures : ImageSet
    like : ImageSet
        The training pictures, whose mean slant and centre are subtracted.
    """
    (slant, centre), (slant0, centre0) = moments(pictures.images), moments(like.images)
    return [
        Task("class", pictures.labels, len(pictures.names)),
        Task("slant", slant - slant0.mean()),
        Task("centre", centre - centre0.mean()),
    ]


def group_tasks(pictures: ImageSet) -> list[Task]:
    """Return three yes-or-no questions about a digit: is it odd, has it a loop, is it 5 or more."""
    digit = pictures.labels
    loop = torch.isin(digit, torch.tensor([0, 6, 8, 9], device=digit.device))
    answers = {"odd": digit % 2, "loop": loop.long(), "large": (digit >= 5).long()}
    return [Task(name, answer, 2) for name, answer in answers.items()]
