"""Labelled pictures, their splits, and draws of few labels.

Every picture of the course has the same form: white ink on black, 16 × 16 pixels, values in [0, 1].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
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
