"""Make the shipped backbones again: ``python -m tlcourse.pretrain letters``.

Three source tasks, on the same printed letters and with the same number of steps. One is a good
source for handwritten digits; two are bad ones, each for its own reason (chapter 1 measures them).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace

import torch

from tlcourse import data, glyphs, models, runtime, training
from tlcourse.perturb import perturb

STEPS = 5000


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
    if source == "faces":
        _, face = printed.groups.unique(return_inverse=True)
        names = [path.stem for path in glyphs.font_faces()]
        used = [names[g] for g in printed.groups.unique()]
        return replace(printed, labels=face, names=used), perturb
    if source == "inverted":
        return printed, lambda images, generator: 1 - perturb(images, generator)
    raise ValueError(f"unknown source {source!r}: choose letters, faces or inverted.")


def pretrain(source: str = "letters", steps: int = STEPS, seed: int = 0) -> models.SmallCNN:
    """Train a backbone on a source task from random weights.

    Parameters
    ----------
    source : str
        See `source_task`.
    steps : int
        Optimisation steps of 128 pictures, about 18 ms each on one core.
    seed : int

    Returns
    -------
    SmallCNN
        On the CPU, in evaluation mode. The head for the source's classes is thrown away.
    """
    runtime.seed_everything(seed)
    device = runtime.device()
    task, augment = source_task(source)
    task = task.to(device)
    model = models.classifier(models.SmallCNN(), len(task.names)).to(device)
    losses = training.fit(
        model,
        task.images,
        task.labels,
        steps,
        lr=6e-3,
        batch_size=128,
        augment=augment,
        seed=seed,
        description=f"pretraining on {source}",
    )
    print(f"{source}: {len(task)} pictures, {len(task.names)} classes, last loss {losses[-1]:.2f}")
    return model.backbone.cpu().eval()


def main() -> None:
    """Pretrain the sources named on the command line and write their weights."""
    parser = argparse.ArgumentParser(prog="python -m tlcourse.pretrain", description=__doc__)
    parser.add_argument("sources", nargs="*", default=["letters", "faces", "inverted"])
    parser.add_argument("--steps", type=int, default=STEPS, help="steps of 128 pictures each")
    arguments = parser.parse_args()
    # Two threads are a little faster on an idle machine, and far slower on a busy one.
    torch.set_num_threads(1)
    for source in arguments.sources:
        models.save_backbone(pretrain(source, arguments.steps), models.WEIGHTS / f"{source}.pt")


if __name__ == "__main__":
    main()
