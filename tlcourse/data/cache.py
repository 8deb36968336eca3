"""What the course computes once and keeps: written whole or not at all, checked at every reading."""

import hashlib
import io
import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np


def data_folder() -> Path:
    """Return the folder of the real data sets.

    ``TLCOURSE_DATA`` when it is set; ``datasets`` in a checkout; else a folder in the user's cache.
    """
    if chosen := os.environ.get("TLCOURSE_DATA"):
        return Path(chosen)
    return _own_folder()


def cache_folder() -> Path:
    """Return the folder for what the course computes once.

    ``TLCOURSE_CACHE`` when it is set; else ``cache`` in the default `data_folder`.
    """
    if chosen := os.environ.get("TLCOURSE_CACHE"):
        return Path(chosen)
    return _own_folder() / "cache"


def _own_folder() -> Path:
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").exists():
        return checkout / "datasets"
    return Path.home() / ".cache" / "tlcourse"


def cached(name: str, compute: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the arrays that ``compute()`` makes, computing them only the first time.

    The file is written under another name and then renamed, so that an interrupted run never
    leaves half a file under the right name; a check sum at its end is verified at every reading.
    A damaged file is reported, and made again.

    Parameters
    ----------
    name : str
        File name; everything the arrays depend on belongs into it.
    compute : callable
        Takes nothing, returns a dict of arrays.
    """
    path = cache_folder() / f"{name}.npz"
    if path.exists():
        content = path.read_bytes()
        if content[-32:] == hashlib.sha256(content[:-32]).digest():
            with np.load(io.BytesIO(content[:-32])) as arrays:
                return dict(arrays)
        warnings.warn(f"the cache file {path.name} is damaged: it is made again.", stacklevel=2)
    arrays = compute()
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    try:
        _write(path, buffer.getvalue() + hashlib.sha256(buffer.getvalue()).digest())
    except OSError as error:
        warnings.warn(
            f"{path.name} cannot be kept ({error}): it is computed again next time, unless "
            "TLCOURSE_CACHE names a folder with room that you may write to.",
            stacklevel=2,
        )
    return arrays


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        whole = Path(folder, path.name)
        whole.write_bytes(content)
        whole.replace(path)
