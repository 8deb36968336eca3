"""Lesson 02d: which photographs belong together, as copies or by patient, camera, day."""

import csv
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from tlcourse.data import copies, folders
from tlcourse.lessons.ch02d_choosing_a_source.own_photos.reading import Album

SHOWN = 3  # findings of a kind that are named


def together(album: Album, by: str | None = None) -> Album:
    """Find copies and groups; drop photographs that lie in two classes byte for byte.

    Parameters
    ----------
    album : Album
    by : str, optional
        What belongs together: see `groups_by`.
    """
    given = groups_by(album, by) if by else None
    pairs = copies.near_copies(album.arrays["small"])
    _, first, number = np.unique(album.arrays["content"], return_index=True, return_inverse=True)
    pairs += [(a, b) for b, a in enumerate(first[number].tolist()) if a != b]
    n = len(album.paths)
    said, doubtful = copies_in_words(album, copies.join(n, pairs))
    owners = copies.join(n, pairs, given)
    found = replace(album, owners=owners, groups=given, problems=album.problems + said)
    return found.only(~doubtful)


def copies_in_words(album: Album, alike: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Return sentences on copies, and which photographs lie in two classes byte for byte.

    Parameters
    ----------
    album : Album
    alike : int array, shape (photographs,)
        Copies and near-copies have the same number.
    """
    labels, content = album.labels, album.arrays["content"]
    same, across, doubtful = [], [], np.zeros(len(labels), dtype=bool)
    for number in np.flatnonzero(np.bincount(alike) > 1):
        rows = np.flatnonzero(alike == number)
        kind = same if len(set(labels[rows])) == 1 else across
        kind.append(_equation([_named(album, k) for k in rows]))
        for row in rows:
            doubtful[row] = len(set(labels[rows][content[rows] == content[row]])) > 1
    said = []
    if same:
        said.append(
            f"copies or near-copies of {_count(same)}, kept on one side: {_list(same)}. Delete all but "
            "one of each."
        )
    if across:
        out = " The same file in both was left out." * bool(doubtful.any())
        said.append(
            f"in two classes, as copies or near-copies: {_count(across)}: {_list(across)}. Decide which "
            f"class is right.{out}"
        )
    return said, doubtful


def _count(found: list) -> str:
    return f"{len(found)} photograph{'s' * (len(found) > 1)}"


def _named(album: Album, row: int) -> str:
    inside = album.paths[row].relative_to(album.root).parts
    return "/".join(map(folders.shown, inside))


def _equation(names: list[str]) -> str:
    return " = ".join(names[:5]) + (f" = {len(names) - 5} more" if len(names) > 5 else "")


def _list(found: list[str]) -> str:
    return "; ".join(found[:SHOWN]) + (f"; {len(found) - SHOWN} more" if len(found) > SHOWN else "")


# ── what the reader says ────────────────────────────────────────────────────────────────────


def groups_by(album: Album, by: str) -> np.ndarray:
    """Return the group of each photograph, such as its patient; what has none is a group of its own.

    Parameters
    ----------
    album : Album
    by : str
        "folder": the folder below the class that the photograph lies in. "name": its name up to the
        first ``_``, ``-`` or space, so that p07_1.jpg belongs to p07. A file that ends in .csv: see
        `_by_table`. Else a regular expression for the name; its first bracket counts, or all that
        matched.

    Raises
    ------
    ValueError
        If no two photographs come together, or the table or the expression is none.
    """
    if by == "folder":
        keys = _below(album)
    elif by.lower().endswith(".csv"):
        keys = _by_table(album, by)
    else:
        keys = _by_pattern(album, by)
    keys = [f"alone {k}" if key is None else f"group {key}" for k, key in enumerate(keys)]
    if len(set(keys)) == len(keys):
        raise ValueError(
            f"--groups {by!r} finds no two photographs that belong together: give folder, name, a table "
            "of files and groups (.csv), or a regular expression for the file names."
        )
    return np.array(keys)


def _below(album: Album) -> list[str | None]:
    above = 2 if album.parts else 1  # the class, and the part before it
    places = [path.relative_to(album.root).parts[above:] for path in album.paths]
    return [place[0] if len(place) > 1 else None for place in places]


def folders_below(album: Album) -> set[tuple[str, int]]:
    """Return the folders that lie in class folders, each with the number of its class."""
    found = zip(_below(album), album.labels.tolist(), strict=True)
    return {(folders.shown(name), label) for name, label in found if name is not None}


def _by_pattern(album: Album, by: str) -> list[str | None]:
    try:
        pattern = re.compile(r"^[^_\- ]+(?=[_\- ])" if by == "name" else by)
    except re.error as error:
        raise ValueError(f"--groups {by!r} is no regular expression ({error}).") from error
    hits = [pattern.search(folders.shown(path)) for path in album.paths]
    return [hit and (hit[1] if pattern.groups else hit[0]) for hit in hits]


def _by_table(album: Album, path: str) -> list[str | None]:
    """Return groups by a table of two columns: a photograph's name, or its path in the folder; its group.

    The ending may be left out, and a header may stand above. UTF-8, or GB18030 as Excel writes in China.
    """
    try:
        content = Path(os.path.expanduser(path)).read_bytes()
    except OSError as error:
        raise ValueError(f"--groups {path} cannot be opened: {error.strerror}.") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", errors="replace")
    sign = max(",;\t", key=text.count)
    rows = [row for row in csv.reader(text.splitlines(), delimiter=sign) if any(row)]
    if any(len(row) != 2 for row in rows):
        raise ValueError(
            f"--groups {path} must have two columns: a photograph's file, and its group."
        )
    group = {file.strip().replace("\\", "/"): key.strip() or None for file, key in rows}
    return [
        next(filter(None, map(group.get, _names(album, k))), None) for k in range(len(album.paths))
    ]


def _names(album: Album, row: int) -> list[str]:
    """Return how a table may call a photograph, the most exact first."""
    inside = _named(album, row)
    whole = [inside, inside.split("/", 1)[-1], inside.rpartition("/")[2]]
    return [*whole, *(name.rpartition(".")[0] for name in whole)]
