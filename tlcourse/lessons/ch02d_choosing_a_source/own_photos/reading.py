"""Lesson 02d: read a folder of photographs once, and say what was found in it."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from tlcourse import experiment, runtime
from tlcourse.data import folders, pictures
from tlcourse.data.cache import cached
from tlcourse.lessons.ch00_first_transfer import features

CHUNK = 32  # photographs that one process reads at a time
FEW = 200  # photographs for which starting processes does not pay
SIDE = 512  # pixels that a photograph keeps at least, twice what the network looks at
TOLD = 0.98  # balanced accuracy by something beside the picture
SMALL = 16  # pixels a side of what copies are found by


@dataclass(frozen=True)
class Album:
    """Photographs of a folder, as numbers, and what was found on the way.

    Attributes
    ----------
    root : Path
        The folder of the class folders, or of the parts.
    names : list of str
        The classes.
    paths : list of Path
    arrays : dict of str to array, shape (photographs, ...)
        ``labels``, ``pixels``, ``imagenet``, ``random 0`` … as `features.represent` of lesson 00 gives.
    parts : list of str
        ``train``, ``val``, ``test`` of each, if the folder is divided so.
    owners : array of int, shape (photographs,)
        Photographs of one owner stay on one side: copies, and those of one group.
    groups : array of str, shape (photographs,), optional
        What the reader said belongs together.
    said : list of str
        What was read, converted and passed over.
    problems : list of str
        What the reader should look at.
    """

    root: Path
    names: list[str]
    paths: list[Path]
    arrays: dict[str, np.ndarray]
    parts: list[str]
    owners: np.ndarray
    groups: np.ndarray | None = None
    said: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def labels(self) -> np.ndarray:
        """The class of each photograph."""
        return self.arrays["labels"]

    def only(self, keep) -> "Album":
        """Return the photographs at a Boolean mask."""
        rows = np.flatnonzero(keep)
        return replace(
            self,
            paths=[self.paths[k] for k in rows],
            arrays={name: values[rows] for name, values in self.arrays.items()},
            parts=[self.parts[k] for k in rows if self.parts],
            owners=self.owners[rows],
            groups=None if self.groups is None else self.groups[rows],
        )


def read(folder) -> Album:
    """Read all photographs of a folder, once; each is its own owner still.

    Parameters
    ----------
    folder : str or Path
        See `folders.find_photographs`.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is nothing to compare.
    """
    found = folders.find_photographs(folder)
    arrays = represent(found.paths) | {"labels": found.labels}
    left_out = defaultdict(list, {why: list(names) for why, names in found.left_out.items()})
    for path, why in zip(found.paths, arrays["why"], strict=True):
        if why:
            left_out[str(why)].append(folders.shown(path))
    harmless = {why: names for why, names in left_out.items() if why in folders.HARMLESS}
    problems = folders.in_words({w: n for w, n in left_out.items() if w not in harmless})
    owners = np.arange(len(found.paths))
    whole = Album(found.root, found.names, found.paths, arrays, found.parts, owners)
    album = whole.only(arrays["why"] == "")
    counts = np.bincount(album.labels, minlength=len(album.names))
    each = ", ".join(f"{n} {name}" for n, name in zip(counts, album.names, strict=True))
    first = f"read {len(album.paths)} photographs of {len(album.names)} classes: {each}."
    said = [first, *_converted(album), *folders.in_words(harmless, found.hidden)]
    return replace(album, said=said, problems=problems + given_away(album))


def given_away(album: Album) -> list[str]:
    """Return a sentence for each thing beside the pictures that tells the class: kind of file, size, camera.

    It tells it if naming each value's commonest class is right in 98 % of every class on average.
    """
    files = [pictures.about(path) for path in album.paths]
    said = []
    for what in files[0] if files else ():
        values, place = np.unique([file[what] for file in files], return_inverse=True)
        counts = np.zeros((len(values), len(album.names)))
        np.add.at(counts, (place, album.labels), 1)
        best = counts.argmax(axis=1)
        each = np.maximum(counts.sum(axis=0), 1)
        right = np.bincount(best, counts.max(axis=1), len(album.names)) / each
        if right.mean() >= TOLD and len(values) <= len(files) / 5:
            usual = [
                f"{name} {values[k] or 'none'}"
                for name, k in zip(album.names, counts.argmax(axis=0), strict=True)
            ]
            said.append(
                f"the {what} tells the class ({folders.some(usual, 4)}): a network may learn that, so "
                "take or save all photographs alike before you believe a score."
            )
    return said


def _converted(album: Album) -> list[str]:
    """Return a sentence for each way in which photographs were converted."""
    found = defaultdict(list)
    for path, notes in zip(album.paths, album.arrays["notes"], strict=True):
        for note in filter(None, str(notes).split("|")):
            found[note].append(folders.shown(path))
    return [f"converted {len(n)}: {note} ({folders.some(n)})." for note, n in found.items()]


# ── from files to numbers ───────────────────────────────────────────────────────────────────


def represent(paths) -> dict[str, np.ndarray]:
    """Return features and small pictures of all files, in several processes where that pays."""
    chunks = [paths[k : k + CHUNK] for k in range(0, len(paths), CHUNK)]
    workers = 1 if len(paths) < FEW else None
    found = experiment.repeat(
        lambda k: describe(chunks[k]), range(len(chunks)), "photographs", workers
    )
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def describe(paths) -> dict[str, np.ndarray]:
    """Return what one pass over some files gives, from the cache if they did not change.

    Returns
    -------
    dict of arrays
        Of each file: ``why`` it cannot be used, or an empty text; ``notes`` on what was converted;
        ``content``, a check sum; ``small``, 16 × 16 greys; and what `features.represent` gives, if the
        ImageNet weights are there.
    """
    sums = [hashlib.sha256(_content(path)).hexdigest() for path in paths]
    what = f"{features.INITS} random networks, {SMALL} × {SMALL} greys, {SIDE} pixels a side, "
    key = "".join([what, *sums, *(path.suffix for path in paths), _weights()])
    name = f"own-photographs-{hashlib.sha256(key.encode(errors='replace')).hexdigest()[:16]}"
    return cached(name, partial(_describe, paths)) | {"content": np.array(sums)}


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _weights() -> str:
    file = features.weights_file()
    return f"{file.stat().st_size} {file.stat().st_mtime_ns}" if file.exists() else "none"


def _describe(paths) -> dict[str, np.ndarray]:
    opened, why, notes = [], [], []
    for path in paths:
        try:
            picture, done = pictures.open_photograph(path, SIDE)
        except pictures.Unusable as error:
            picture, done = Image.new("RGB", (SIDE, SIDE)), ()
            why.append(error.reason)
        else:
            why.append("")
        opened.append((picture, 0))
        notes.append("|".join(done))
    small = [_small(picture) for picture, _ in opened]
    seen = _seen(opened) if features.weights_file().exists() else {}
    return {"why": np.array(why), "notes": np.array(notes), "small": np.stack(small)} | seen


def _small(picture) -> np.ndarray:
    """Return all of a picture in a few greys: what copies are found by."""
    grey = picture.convert("L").convert("F").resize((SMALL, SMALL), Image.Resampling.BOX)
    return np.asarray(grey)


@cache
def _networks() -> dict[str, torch.nn.Module]:
    """Return the ImageNet network, and some of random weights; once a process."""
    found = {f"random {k}": features.squeezenet(False, seed=k) for k in range(features.INITS)}
    found = {"imagenet": features.squeezenet(), **found}
    return {name: network.to(runtime.device()) for name, network in found.items()}


def _pixels(batch: torch.Tensor) -> torch.Tensor:
    """Return the same crop reduced to 16 × 16 colours, as in lesson 00."""
    return torch.nn.functional.interpolate(batch, (16, 16), mode="area").flatten(1)


def _seen(opened) -> dict[str, np.ndarray]:
    """Return what the networks make of opened photographs, and what the simple baseline sees."""
    views = _networks() | {"pixels": _pixels}
    found = {name: [] for name in views}
    with torch.no_grad():
        # A third faster with eight at a time: what a layer makes then stays in a processor's cache.
        for batch in (part for whole in features.batches(opened) for part in whole.split(8)):
            shown = batch.to(runtime.device())
            for name, view in views.items():
                found[name].append(view(shown).cpu())
    return {name: torch.cat(rows).numpy() for name, rows in found.items()}
