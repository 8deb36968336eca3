"""What the course computes once and keeps: written whole or not at all, checked at every reading."""

import contextlib
import functools
import hashlib
import io
import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

WRITING, OLD = "tlcourse-writing-", 3600  # what is being written; seconds after which nobody does


def data_folder() -> Path:
    """Return the folder of the real data sets.

    ``TLCOURSE_DATA`` when it is set (``~`` is your home); ``datasets`` in a checkout; else a folder in
    the user's cache, or among the temporary files of who has no home.
    """
    return _chosen("TLCOURSE_DATA") or _own_folder()


def cache_folder() -> Path:
    """Return the folder for what the course computes once.

    ``TLCOURSE_CACHE`` when it is set (``~`` is your home); else ``cache`` in the default `data_folder`.
    """
    return _chosen("TLCOURSE_CACHE") or _own_folder() / "cache"


def _chosen(variable: str) -> Path | None:
    chosen = os.environ.get(variable, "").strip()
    return Path(os.path.expanduser(chosen)) if chosen else None


def _own_folder() -> Path:
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").exists():
        return checkout / "datasets"
    home = os.path.expanduser("~")
    return _spare() if home == "~" else Path(home, ".cache", "tlcourse")


def _spare() -> Path:
    """Return a folder among the temporary files, one for each user of the machine."""
    user = os.getuid() if hasattr(os, "getuid") else "cache"
    return Path(tempfile.gettempdir(), f"tlcourse-{user}")


def _is_ours(folder: Path) -> bool:
    """Whether nobody else made this folder among the temporary files, which all users share."""
    try:
        return folder != _spare() or folder.stat().st_uid == os.getuid()
    except (AttributeError, OSError):  # on Windows each user has temporary files of their own
        return True


def cached(name: str, compute: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the arrays that ``compute()`` makes, computing them only the first time.

    The file is written under another name and then renamed, so that an interrupted run never
    leaves half a file under the right name; a check sum at its end is verified at every reading.
    A damaged file is reported, and made again. Where the cache cannot be written to, the file goes
    into a temporary folder, and a warning says so.

    Parameters
    ----------
    name : str
        File name; everything the arrays depend on belongs into it.
    compute : callable
        Takes nothing, returns a dict of arrays.
    """
    folders = [folder for folder in (cache_folder(), _spare()) if _is_ours(folder)]
    for folder in folders:
        if (arrays := _read(folder / f"{name}.npz")) is not None:
            return arrays
    arrays = compute()
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    _keep(folders, f"{name}.npz", buffer.getvalue() + hashlib.sha256(buffer.getvalue()).digest())
    return arrays


def _read(path: Path) -> dict[str, np.ndarray] | None:
    """Return what a file of the cache holds; None if there is none, or it is damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if content[-32:] != hashlib.sha256(content[:-32]).digest():
        warnings.warn(f"the cache file {path.name} is damaged: it is made again.", stacklevel=3)
        return None
    with np.load(io.BytesIO(content[:-32])) as arrays:
        return dict(arrays)


def _keep(folders: list[Path], name: str, content: bytes) -> None:
    """Write a file of the cache into the first folder that can be written to; say if it is not that."""
    problem, where = None, "computed again next time"
    for folder in folders:
        try:
            _write(folder / name, content)
            where = f"kept in {folder} for now"
            break
        except OSError as error:
            problem = problem or error
    if problem:
        _say_once(
            f"the cache cannot be written to ({problem}): results are {where}, unless TLCOURSE_CACHE "
            "names a folder with room that you may write to."
        )


@functools.cache
def _say_once(sentence: str) -> None:
    warnings.warn(sentence, stacklevel=4)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    _clean(path.parent)
    with tempfile.TemporaryDirectory(prefix=WRITING, dir=path.parent) as folder:
        whole = Path(folder, path.name)
        whole.write_bytes(content)
        whole.replace(path)


def _clean(folder: Path) -> None:
    """Remove what a process left that was killed while it wrote, an hour ago or more."""
    for left in folder.glob(f"{WRITING}*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > OLD:
                shutil.rmtree(left)
