"""Confirmed results: what each seed of a block gave, stored once, and never changed.

``python -m tlcourse confirm 01`` computes them. On test pictures that all seeds share, each
picture's right or wrong is one bit; a measurement without pictures is one number a seed.
"""

import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from tlcourse.verdicts import entries

FIRST_MARGINS = {"accuracy": 0.02, "ratio": 1.25}  # of the first results, which do not say theirs


@dataclass(frozen=True)
class Confirmed:
    """The results of one block.

    Attributes
    ----------
    seeds : list of int
    results : dict of str to array
        By measurement: bool of shape (seeds, pictures), or float of shape (seeds,).
    about : dict
        What they rest on: the claims' fingerprint and margins, who made each test picture where that
        matters, hashes of settings and weights, versions.
    """

    seeds: list[int]
    results: dict[str, np.ndarray]
    about: dict

    @property
    def margins(self) -> dict[str, float]:
        """By unit, what mattered when it was measured."""
        return self.about.get("margins", FIRST_MARGINS)

    @property
    def groups(self) -> list[int] | None:
        """Who made each test picture; None where each counts for itself."""
        return self.about.get("groups")


def hash_of(content: bytes) -> str:
    """Return a short hash of a file of settings or weights."""
    return hashlib.sha256(content).hexdigest()[:16]


def pack(confirmed: Confirmed) -> dict[str, np.ndarray]:
    """Return the arrays of an npz file; eight pictures share a byte."""
    arrays = {"seeds": np.array(confirmed.seeds), "about": np.array(json.dumps(confirmed.about))}
    for name, values in confirmed.results.items():
        bits = values.dtype == bool
        arrays[f"{'bits' if bits else 'numbers'} {name}"] = (
            np.packbits(values, 1) if bits else values
        )
        if bits:
            arrays[f"pictures {name}"] = np.array(values.shape[1])
    return arrays


def unpack(arrays) -> Confirmed:
    """Return what `pack` packed."""
    results = {}
    for key in arrays:
        kind, _, name = key.partition(" ")
        if kind == "bits":
            n = int(arrays[f"pictures {name}"])
            results[name] = np.unpackbits(arrays[key], axis=1, count=n).astype(bool)
        elif kind == "numbers":
            results[name] = arrays[key]
    return Confirmed(arrays["seeds"].tolist(), results, json.loads(str(arrays["about"])))


def path(wing: str, number: int) -> Path:
    """Return where a block's results are kept: beside the wing's code, so that Colab has them."""
    return Path(str(resources.files(f"{entries.LESSONS}.{wing}"))) / "confirmed" / f"{number}.npz"


def load(wing: str, number: int) -> Confirmed:
    """Return a block's results.

    Raises
    ------
    FileNotFoundError
        If the block was not opened yet.
    """
    here = path(wing, number)
    if not here.exists():
        lesson = wing.removeprefix("ch").partition("_")[0]
        raise FileNotFoundError(
            f"block {number} of {wing} is not confirmed yet: commit its claims, then run "
            f"python -m tlcourse confirm {lesson}."
        )
    with np.load(here) as arrays:
        return unpack(arrays)
