"""Pretraining: the source tasks of the shipped backbones, and one way to train on any task.

Three source tasks, on the same printed letters and with the same number of steps. One is a good
source for handwritten digits; two are bad ones, each for its own reason (chapter 1 measures them).
``python -m tlcourse pretrain letters`` makes a shipped backbone again.
"""

from collections.abc import Callable
from dataclasses import replace

import torch

from tlcourse import data, models, training
from tlcourse.data.perturb import perturb
from tlcourse.data.printed import font_faces

SOURCES = ("letters", "faces", "inverted")
STEPS = 5000
BATCH = 128  # pictures a step


def source_task(source: str) -> tuple[data.ImageSet, Callable]:
    """Return the labelled pictures of a source task, and the perturbation to train with.

    Parameters
    ----------
    source : {"letters", "faces", "inverted"}
        ``letters``: which letter is it? White ink on black, as the target's digits are.
        ``faces``: which font face is it? The same pictures, another task.
        ``inverted``: which letter is it? The same task, but black ink on white.

    Raises
    ------
    ValueError
        For another name.
    """
    printed = data.glyphs()
    if source == "letters":
        return printed, perturb
    if source == "inverted":
        return printed, lambda images, generator: 1 - perturb(images, generator)
    if source == "faces":
        used, face = printed.groups.unique(return_inverse=True)
        names = [font_faces()[g].stem for g in used]
        return replace(printed, labels=face, names=names), perturb
    raise ValueError(f"unknown source {source!r}: choose letters, faces or inverted.")


def pretrain(
    task: data.ImageSet, augment: Callable, steps: int = STEPS, seed: int = 0, words="pretraining"
) -> torch.nn.Module:
    """Train a backbone and a head on a task, from random weights.

    Parameters
    ----------
    task : ImageSet
        Labelled pictures; the network is trained where they are.
    augment : callable
        See `training.fit`.
    steps : int
        Optimisation steps of 128 pictures, about 18 ms each on one core.
    seed : int
    words : str
        In front of the progress bar.

    Returns
    -------
    nn.Module
        ``model.backbone`` and ``model.head``, in evaluation mode.
    """
    model = models.classifier(models.SmallCNN, len(task.names), seed).to(task.images.device)
    recipe = {"lr": 6e-3, "batch_size": BATCH, "augment": augment, "seed": seed}
    losses = training.fit(model, task.images, task.labels, steps, **recipe, description=words)
    print(f"{words}: {len(task)} pictures, {len(task.names)} classes, last loss {losses[-1]:.2f}")
    return model.eval()
