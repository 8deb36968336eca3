"""Photographs in folders: one folder a class, perhaps inside ``train``, ``val`` and ``test``."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tlcourse.data.pictures import is_photograph, open_photograph

TRAIN, TEST = ("train", "training"), ("test", "testing")
VALIDATION = ("val", "valid", "validation", "dev")
PARTS = {*TRAIN, *TEST, *VALIDATION}  # names of folders that are no classes
HARMLESS = ("no photograph", "in no class folder")  # reasons that need no reader
SYSTEM = {"thumbs.db", "desktop.ini", "__macosx", "@eadir"}  # which Windows, macOS, a NAS leave


@dataclass(frozen=True)
class Found:
    """What lies in a folder of photographs.

    Attributes
    ----------
    root : Path
        The folder that holds the classes or the parts.
    names : list of str
        The classes, as their folders are called.
    paths : list of Path
        Files that begin like a photograph.
    labels : np.ndarray, shape (photographs,)
    parts : list of str
        ``train``, ``val``, ``test`` in lower case of each photograph; empty where there are none.
    left_out : dict of str to list of str
        Files that are no photographs or cannot be read, by why.
    hidden : int
        Files and folders that an operating system or an editor left behind.
    """

    root: Path
    names: list[str]
    paths: list[Path]
    labels: np.ndarray
    parts: list[str]
    left_out: dict[str, list[str]]
    hidden: int


def find_photographs(folder) -> Found:
    """Look through a folder of class folders; open no more of a file than its beginning.

    Parameters
    ----------
    folder : str or Path
        Holds ``ants/1.jpg``, ``bees/2.jpg`` and so on, or ``train``, ``val``, ``test`` that do. Deeper
        folders belong to their class.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or a class holds no photograph.
    ValueError
        If there are fewer than two classes, or parts beside classes.
    """
    root = Path(os.path.expanduser(folder))
    if not root.is_dir():
        raise FileNotFoundError(f"there is no folder {shown(root)!r}: give the path of one.")
    root, hidden, left_out = _unpacked(root), set(), {}
    names, parts = _classes(root)
    paths, labels, of = [], [], []
    for part in parts or [""]:
        for label, name in enumerate(names):
            for path in _files(root / part / name, hidden):
                if reason := is_photograph(path):
                    left_out.setdefault(reason, []).append(shown(path))
                else:
                    paths.append(path), labels.append(label), of.append(part.lower())
    _nothing_is_empty(root, [names[k] for k in set(range(len(names))) - set(labels)], left_out)
    above = [root, *(f for f in _folders(root) if f.name.lower() in PARTS and parts)]
    for path in (p for f in above for p in _children(f, hidden) if p.is_file()):
        reason = is_photograph(path) or "in no class folder"
        left_out.setdefault(reason, []).append(shown(path))
    names = list(map(shown, names))
    return Found(root, names, paths, np.array(labels), of if parts else [], left_out, len(hidden))


def shown(path) -> str:
    """Return a file's name for people, on one line, whatever bytes it is made of."""
    name = os.fsencode(Path(path).name).decode(errors="replace")
    return "".join(c if c.isprintable() else " " for c in name)


def some(names, most: int = 3) -> str:
    """Return the first names, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" * (len(names) > most))


def in_words(left_out: dict[str, list[str]], hidden: int = 0) -> list[str]:
    """Return a sentence for each reason for which files were left out: how many, the first three."""
    said = []
    for reason, names in left_out.items():
        said.append(f"left out {len(names)}: {reason} ({some(names)}).")
    if hidden:
        said.append(f"passed over {hidden}: hidden, left by the system.")
    return said


def _nothing_is_empty(root, empty, left_out):
    if empty:
        why = " ".join(in_words(left_out))
        raise FileNotFoundError(
            f"a class in {shown(root)!r} holds no photograph ({', '.join(map(shown, empty))}): fill its "
            f"folder or delete it. {why}".strip()
        )


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in SYSTEM


def _children(folder: Path, hidden: set | None = None) -> list[Path]:
    """Return what lies in a folder, in order; what is hidden goes into that set."""
    try:
        inside = sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError:
        return []
    if hidden is not None:
        hidden.update(p for p in inside if _is_hidden(p.name))
    return [p for p in inside if not _is_hidden(p.name)]


def _folders(folder: Path) -> list[Path]:
    return [p for p in _children(folder) if p.is_dir()]


def _unpacked(root: Path) -> Path:
    """Go down where an unpacked archive holds one folder, and the classes lie inside that."""
    while len(inside := _children(root)) == 1 and len(_folders(inside[0])) > 1:
        root = inside[0]
    return root


def _classes(root: Path) -> tuple[list[str], list[str]]:
    """Return the names of the class folders, and of the parts that hold them, if any."""
    inside = _folders(root)
    # A class may be called "train" too: of a railway. It holds pictures, a part holds classes.
    parts = [f for f in inside if f.name.lower() in PARTS and _folders(f)]
    others = [f.name for f in inside if f.name.lower() not in PARTS]
    if parts and others:
        raise ValueError(
            f"{shown(root)!r} holds {', '.join(shown(f) for f in parts)}, which hold classes, beside "
            f"{', '.join(map(shown, others[:3]))}: move these away or into the parts."
        )
    if not parts and len(inside) > 1 and not others:
        raise ValueError(
            f"{shown(root)!r} holds {', '.join(map(shown, inside))}, and no class folders in them: put "
            "the photographs of each class into a folder of its own inside each part."
        )
    names = sorted({f.name for part in parts or [root] for f in _folders(part)})
    if len(names) < 2:
        raise ValueError(
            f"{shown(root)!r} holds {len(names)} class folders: put the photographs of each class "
            "into a folder of its own, two classes or more."
        )
    return names, [f.name for f in parts]


def _files(folder: Path, hidden: set) -> list[Path]:
    """Return all files in a folder and below, in order; no folder is entered twice, none above it."""
    places, seen, start = [], set(), Path(os.path.realpath(folder))
    for place, inside, _ in os.walk(folder, followlinks=True):
        real = Path(os.path.realpath(place))
        if real in seen or real in start.parents:  # a link that leads back
            inside.clear()
            continue
        seen.add(real)
        inside[:] = [name for name in inside if not _is_hidden(name)]
        places.append(place)
    return [p for place in sorted(places) for p in _children(Path(place), hidden) if p.is_file()]


def load_folder(folder, transform=None):
    """Return photographs that lie in one folder a class, as torchvision's ``ImageFolder``.

    They are turned upright where the camera wrote down how it was held, and made RGB whatever they came
    as. Where the folder holds only parts (``train``, ``val``, ``test``), each with one folder a class,
    they become one set. A photograph that is left out is printed, a sentence for each reason.

    Parameters
    ----------
    folder : str or Path
        As in `find_photographs`.
    transform : callable, optional
        Applied to each photograph (PIL, RGB).

    Returns
    -------
    torchvision.datasets.ImageFolder

    Raises
    ------
    FileNotFoundError, ValueError
        As in `find_photographs`; ValueError also later, when a photograph that is damaged is read.
    """
    from torchvision.datasets import ImageFolder

    found = find_photographs(folder)
    for sentence in in_words({w: n for w, n in found.left_out.items() if w not in HARMLESS}):
        print(sentence)

    class Photographs(ImageFolder):
        def find_classes(self, directory):
            return found.names, {name: k for k, name in enumerate(found.names)}

        def make_dataset(self, directory, *classes, **kinds):
            return list(zip(map(str, found.paths), found.labels.tolist(), strict=True))

    return Photographs(found.root, transform, loader=lambda path: open_photograph(path)[0])
