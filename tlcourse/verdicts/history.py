"""Were the claims written before their results? The project's history proves it, or shows that not.

A block is opened by the commit that brings its results. Its claims must stand, word for word, in an
earlier commit, and must never change afterwards; results may never change at all.
"""

import io
import subprocess
from pathlib import Path

import numpy as np

from tlcourse.verdicts import entries, store
from tlcourse.verdicts.store import hash_of

# All commits that touched a file: also those that a merge would leave out, and no renaming guessed.
HISTORY = ("log", "--full-history", "-m", "--no-renames")


def faults(root: Path, wing: str) -> list[str]:
    """Return what is wrong with a wing's claims and results, as sentences; none is good.

    Parameters
    ----------
    root : Path
        A repository with its full history. What is not committed counts as its newest state.
    wing : str
        Folder of the wing, seen from `root`.
    """
    blocks = entries.parse(_now(root, f"{wing}/claims.toml").decode())
    found = lost(root, f"{wing}/confirmed")
    for result in sorted((root / wing / "confirmed").glob("*.npz"), key=lambda p: int(p.stem)):
        where, number = result.relative_to(root).as_posix(), int(result.stem)
        block = next((b for b in blocks if b.number == number), None)
        if block is None:
            found.append(f"{where}: its block vanished from claims.toml; put it back.")
            continue
        with np.load(result) as arrays:
            confirmed = store.unpack(arrays)
        found += _same_promise(where, block, confirmed)
        if block is blocks[-1] and block.fingerprint() != block.fingerprint(confirmed.margins):
            found.append(f"{where}: a margin is another one now; use the next block.")
        found += _frozen_before(root, wing, where, block)
        found += _settled_before(root, wing, where, confirmed.about.get("rests on", {}))
        found += _never_changed(root, where)
    return found


def lost(root, folder) -> list[str]:
    """Name files of results that some commit added, on any branch, and that are no longer there."""
    log = _git(root, *HISTORY, "--format=", "--name-only", "--diff-filter=A", "--", folder)
    names = sorted(set(log.decode().split()))
    return [
        f"{name}: its results are gone; restore them."
        for name in names
        if not (root / name).exists()
    ]


def _same_promise(where, block, confirmed) -> list[str]:
    wrong = []
    if confirmed.about["claims"] != block.fingerprint(confirmed.margins):
        wrong.append(f"{where}: its claims changed since; use the next block.")
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


def _settled_before(root, wing, where, files) -> list[str]:
    """Name settings and weights that did not stand, as they were used, in the commit before the results."""
    opened, package = _commits(root, where), Path(wing).parent.parent
    before = f"{opened[0]}^" if opened else "HEAD"
    return [
        f"{where}: no commit before its results holds {name} as it was used."
        for name, used in files.items()
        if hash_of(_show(root, before, (package / name).as_posix())) != used
    ]


def _has(root, commit, wing, block) -> bool:
    text = _show(root, commit, f"{wing}/claims.toml").decode()
    return bool(text) and any(b == block for b in entries.parse(text))


def _show(root, commit, name) -> bytes:
    """Return a file as it stood in a commit; nothing where it did not."""
    try:
        return _git(root, "show", f"{commit}:{name}")
    except subprocess.CalledProcessError:
        return b""


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
    log = _git(root, *HISTORY, "--reverse", "--format=%H", "--diff-filter=AM", "--", where)
    return log.decode().split()


def _now(root, where) -> bytes:
    return (root / where).read_bytes()


def _git(root, *arguments) -> bytes:
    return subprocess.run(
        ["git", *arguments], cwd=root, check=True, capture_output=True, stdin=subprocess.DEVNULL
    ).stdout
