"""Labelled pictures and their splits.

Every picture of the course has the same form: white ink on black, 16 × 16 pixels, values in [0, 1].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch

SIDE = 16  # pixels of every picture the networks see


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
