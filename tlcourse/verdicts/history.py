"""Were the claims written before their results? The project's history proves it, or shows that not.

A block is opened by the commit that brings its results. Its claims must stand, word for word, in an
earlier commit, and must never change afterwards; results may never change at all.
"""

import io
import subprocess
from pathlib import Path

import numpy as np

from tlcourse.verdicts import entries, store


def faults(root: Path, wing: str) -> list[str]:
    """Return what is wrong with a wing's claims and results, as sentences; none is good.

    Parameters
    ----------
    root : Path
        A repository with its full history. What is not committed counts as its newest state.
    wing : str
        Folder of the wing, seen from `root`.
    """
    blocks, found = entries.parse(_now(root, f"{wing}/claims.toml").decode()), []
    for result in sorted((root / wing / "confirmed").glob("*.npz"), key=lambda p: int(p.stem)):
        where, number = result.relative_to(root).as_posix(), int(result.stem)
        block = next((b for b in blocks if b.number == number), None)
        if block is None:
            found.append(f"{where}: its block vanished from claims.toml; put it back.")
            continue
        found += _same_promise(where, block, result)
        found += _frozen_before(root, wing, where, block)
        found += _never_changed(root, where)
    return found


def _same_promise(where, block, result) -> list[str]:
    with np.load(result) as arrays:
        confirmed = store.unpack(arrays)
    wrong = []
    if confirmed.about["claims"] != block.fingerprint:
        wrong.append(f"{where}: its claims or margins changed since; use the next block.")
    most = max(entry.seeds for entry in block.entries)
    if confirmed.seeds != block.seeds(most):
        wrong.append(f"{where}: its seeds are not the first {most} of the block.")
    names = {name for entry in block.entries for name in (entry.a, entry.b)}
    if missing := sorted(names - set(confirmed.results)):
        wrong.append(f"{where}: no results of {', '.join(missing)}.")
    return wrong


def _frozen_before(root, wing, where, block) -> list[str]:
    opened = _commits(root, where)
    if not opened:  # the results are not committed yet: their claims must be
        return [] if _has(root, "HEAD", wing, block) else [f"{where}: commit its claims first."]
    if not _has(root, f"{opened[0]}^", wing, block):
        return [f"{where}: no commit before its results holds its claims word for word."]
    return []


def _has(root, commit, wing, block) -> bool:
    try:
        text = _git(root, "show", f"{commit}:{wing}/claims.toml").decode()
    except subprocess.CalledProcessError:
        return False
    return any(b == block for b in entries.parse(text))


def _never_changed(root, where) -> list[str]:
    versions = [_git(root, "show", f"{commit}:{where}") for commit in _commits(root, where)]
    first, now = (
        _results(v) for v in (versions[0] if versions else _now(root, where), _now(root, where))
    )
    kept = first.keys() <= now.keys() and all(np.array_equal(first[k], now[k]) for k in first)
    return [] if kept else [f"{where}: stored results changed; restore them."]


def _results(content: bytes) -> dict:
    with np.load(io.BytesIO(content)) as arrays:
        return dict(arrays)


def _commits(root, where) -> list[str]:
    """Return the commits that added or changed a file, the oldest first."""
    log = _git(root, "log", "--reverse", "--format=%H", "--diff-filter=AM", "--", where)
    return log.decode().split()


def _now(root, where) -> bytes:
    return (root / where).read_bytes()


def _git(root, *arguments) -> bytes:
    return subprocess.run(
        ["git", *arguments], cwd=root, check=True, capture_output=True, stdin=subprocess.DEVNULL
    ).stdout
