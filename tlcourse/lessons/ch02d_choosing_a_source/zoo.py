"""Lesson 02d: a zoo of pretrained networks, among which to look for the best source.

Eleven source tasks on printed signs, and one network that saw nothing. They have 2,000 steps each, and
keep their heads, which some scores need. ``python -m tlcourse pretrain latin`` makes one again, and
``python -m tlcourse pretrain`` the three shipped backbones of lesson 01.
"""

import argparse
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from tlcourse import data, models, runtime
from tlcourse.data.perturb import perturb
from tlcourse.lessons.ch01_concepts import pretrain

WEIGHTS = Path(__file__).parent / "weights"
STEPS = 2000
SCRIPTS = {
    "latin": ["LATIN"],
    "greek": ["GREEK"],
    "cyrillic": ["CYRILLIC"],
    "alphabets": list(data.SOURCE_SCRIPTS),
    "armenian": ["ARMENIAN"],
    "syllabics": ["CANADIAN SYLLABICS"],
    "arabic": ["ARABIC"],
}
SOURCES = (*SCRIPTS, "font", "script", "negative", "shuffled")
RANDOM = "random weights"


def source_task(source: str) -> tuple[data.ImageSet, Callable]:
    """Return the labelled pictures of a source task, and the perturbation to train with.

    Parameters
    ----------
    source : str
        A name in `SCRIPTS`: which letter of that script? ``font``, ``negative``: as lesson 01's
        "faces" and "inverted", on the pictures of "alphabets". ``script``: which of three scripts is
        it? ``shuffled``: the letters' labels, dealt out anew at random among the pictures. Else one of
        `pretrain.SOURCES`.

    Raises
    ------
    ValueError
        For another name.
    """
    if source in SCRIPTS:
        return data.glyphs(SCRIPTS[source]), perturb
    printed = data.glyphs()
    if source == "script":
        scripts = [unicodedata.name(letter).split()[0] for letter in printed.names]
        of_letter = torch.tensor([data.SOURCE_SCRIPTS.index(script) for script in scripts])
        names = list(data.SOURCE_SCRIPTS)
        return replace(printed, labels=of_letter[printed.labels], names=names), perturb
    if source == "shuffled":
        order = torch.randperm(len(printed), generator=torch.Generator().manual_seed(0))
        return replace(printed, labels=printed.labels[order]), perturb
    return pretrain.source_task({"font": "faces", "negative": "inverted"}.get(source, source))


def zoo() -> dict[str, torch.nn.Module]:
    """Return the candidate sources by name: backbone and head, in evaluation mode.

    Those of `SOURCES`, and one network of random weights that never saw a picture.

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is missing or damaged; see `models.load_weights`.
    """
    with runtime.seeded(0):
        untrained = models.classifier(models.SmallCNN, 10).eval()
    return {name: load(name) for name in SOURCES} | {RANDOM: untrained}


def load(source: str) -> torch.nn.Module:
    """Return one source of the zoo, backbone and head, from this wing's ``weights``."""
    backbone = models.load_backbone(source, WEIGHTS / f"{source}.pt")
    head = models.load_weights(WEIGHTS / f"{source}.head.pt", f"pretrain {source}")
    model = models.classifier(backbone, len(head["bias"]))
    model.head.load_state_dict(head)
    return model.eval()


@torch.no_grad()
def read(model: torch.nn.Module, images: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Return what a source makes of pictures: its features and its own classes' probabilities.

    Returns
    -------
    features : numpy.ndarray, shape (n, 256), float64
    probabilities : numpy.ndarray, shape (n, source classes), float64
        Rows sum to 1.
    """
    features = model.backbone(images)
    scores = model.head(features)
    # In double precision on the CPU: a Mac's GPU has none.
    return features.cpu().double().numpy(), scores.cpu().double().softmax(1).numpy()


def pictures(source: str, n: int = 150) -> torch.Tensor:
    """Return `n` pictures as a source saw them in training; for random weights, the alphabets'."""
    task, augment = source_task("alphabets" if source == RANDOM else source)
    generator = torch.Generator().manual_seed(0)
    rows = torch.randint(len(task), (n,), generator=generator)
    return augment(task.images[rows], generator)


def main() -> None:
    """Pretrain the sources named on the command line and write their weights."""
    parser = argparse.ArgumentParser(prog="python -m tlcourse pretrain", description=main.__doc__)
    known = (*pretrain.SOURCES, *SOURCES)
    parser.add_argument("sources", nargs="*", default=pretrain.SOURCES, help=", ".join(known))
    words = f"of 128 pictures: {pretrain.STEPS}, in the zoo {STEPS}"
    parser.add_argument("--steps", type=int, help=words)
    arguments = parser.parse_args()
    if unknown := set(arguments.sources) - set(known):
        parser.error(f"unknown {', '.join(unknown)}: choose of {', '.join(known)}")
    # Two threads are a little faster on an idle machine, and far slower on a busy one.
    torch.set_num_threads(1)
    for source in arguments.sources:
        ours = source in SOURCES
        usual, folder = (STEPS, WEIGHTS) if ours else (pretrain.STEPS, models.WEIGHTS)
        model = pretrain.pretrain(*source_task(source), arguments.steps or usual, words=source)
        models.save_weights(model.backbone, folder / f"{source}.pt")
        if ours:
            models.save_weights(model.head, folder / f"{source}.head.pt")
