"""Make the shipped backbones again: ``python -m tlcourse pretrain letters``.

Three source tasks, on the same printed letters and with the same number of steps. One is a good
source for handwritten digits; two are bad ones, each for its own reason (chapter 1 measures them).

And a zoo: eleven more, among which lesson 2d looks for the best source. They have 2,000 steps each, and
keep their heads, which some scores need.
"""

from __future__ import annotations

import argparse
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from tlcourse import data, models, runtime, training
from tlcourse.data.perturb import perturb
from tlcourse.data.printed import font_faces

ZOO_WEIGHTS = Path(__file__).parents[1] / "ch02d_choosing_a_source" / "weights"
STEPS = 5000
BATCH = 128  # pictures a step
ZOO_STEPS = 2000
ZOO_SCRIPTS = {
    "latin": ["LATIN"],
    "greek": ["GREEK"],
    "cyrillic": ["CYRILLIC"],
    "alphabets": list(data.SOURCE_SCRIPTS),
    "armenian": ["ARMENIAN"],
    "syllabics": ["CANADIAN SYLLABICS"],
    "arabic": ["ARABIC"],
}
ZOO = (*ZOO_SCRIPTS, "font", "script", "negative", "shuffled")


def source_task(source: str) -> tuple[data.ImageSet, Callable]:
    """Return the labelled pictures of a source task, and the perturbation to train with.

    Parameters
    ----------
    source : {"letters", "faces", "inverted"} or one of `ZOO`
        ``letters``: which letter is it? White ink on black, as the target's digits are.
        ``faces``, ``font``: which font face is it? The same pictures, another task.
        ``inverted``, ``negative``: which letter is it? The same task, but black ink on white.
        ``script``: which of three scripts is it? ``shuffled``: the letters' labels, dealt out anew
        at random among the pictures. A name in `ZOO_SCRIPTS`: which letter of that script?

    Raises
    ------
    ValueError
        For another name.
    """
    printed = data.glyphs(ZOO_SCRIPTS.get(source, data.SOURCE_SCRIPTS))
    if source == "letters" or source in ZOO_SCRIPTS:
        return printed, perturb
    if source in ("faces", "font"):
        _, face = printed.groups.unique(return_inverse=True)
        names = [path.stem for path in font_faces()]
        used = [names[g] for g in printed.groups.unique()]
        return replace(printed, labels=face, names=used), perturb
    if source in ("inverted", "negative"):
        return printed, lambda images, generator: 1 - perturb(images, generator)
    if source == "script":
        scripts = [unicodedata.name(letter).split()[0] for letter in printed.names]
        of_letter = torch.tensor([data.SOURCE_SCRIPTS.index(script) for script in scripts])
        names = list(data.SOURCE_SCRIPTS)
        return replace(printed, labels=of_letter[printed.labels], names=names), perturb
    if source == "shuffled":
        order = torch.randperm(len(printed), generator=torch.Generator().manual_seed(0))
        return replace(printed, labels=printed.labels[order]), perturb
    raise ValueError(
        f"unknown source {source!r}: choose letters, faces or inverted, or of the zoo {', '.join(ZOO)}."
    )


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
    return pretrain_classifier(source, steps, seed).backbone


def pretrain_classifier(source: str, steps: int, seed: int = 0) -> torch.nn.Module:
    """Train a backbone and its head on a source task, as `pretrain` does; return both."""
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
        batch_size=BATCH,
        augment=augment,
        seed=seed,
        description=f"pretraining on {source}",
    )
    print(f"{source}: {len(task)} pictures, {len(task.names)} classes, last loss {losses[-1]:.2f}")
    return model.cpu().eval()


def save(source: str, model: torch.nn.Module) -> None:
    """Write a source's backbone under its name; for one of the zoo, its head too."""
    if source not in ZOO:
        models.save_weights(model.backbone, models.WEIGHTS / f"{source}.pt")
        return
    models.save_weights(model.backbone, ZOO_WEIGHTS / f"{source}.pt")
    models.save_weights(model.head, ZOO_WEIGHTS / f"{source}.head.pt")


def main() -> None:
    """Pretrain the sources named on the command line and write their weights."""
    parser = argparse.ArgumentParser(prog="python -m tlcourse pretrain", description=__doc__)
    parser.add_argument("sources", nargs="*", default=["letters", "faces", "inverted"])
    parser.add_argument("--steps", type=int, help=f"of 128 pictures: {STEPS}, in zoo {ZOO_STEPS}")
    arguments = parser.parse_args()
    # Two threads are a little faster on an idle machine, and far slower on a busy one.
    torch.set_num_threads(1)
    for source in arguments.sources:
        usual = ZOO_STEPS if source in ZOO else STEPS
        steps = usual if arguments.steps is None else arguments.steps
        save(source, pretrain_classifier(source, steps))
