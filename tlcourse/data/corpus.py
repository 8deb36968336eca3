"""Text that is on every student's disk, as sentences and as labelled documents.

The split is by **file**: whoever learns from a file is never tested on it.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from tlcourse.data import docstrings
from tlcourse.data.cache import cached, data_folder
from tlcourse.data.docstrings import SIDES, WORD, extract, installed, side
from tlcourse.data.sets import Splits


@dataclass(frozen=True)
class Corpus:
    """Sentences in the order in which they stand in their files.

    Attributes
    ----------
    texts : np.ndarray of str, shape (n,)
        One sentence each: lower-case words, separated by blanks, names masked.
    files : np.ndarray of int, shape (n,)
        The file of each sentence, an index into `paths`.
    paths : list of str
        ``package/folder/file.py``, the same on every machine.
    """

    texts: np.ndarray
    files: np.ndarray
    paths: list[str]

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def packages(self) -> np.ndarray:
        """The package of each sentence."""
        return np.array([path.split("/")[0] for path in self.paths])[self.files]

    @property
    def submodules(self) -> np.ndarray:
        """The part of the package of each sentence: the first folder, or else the file's name."""
        return np.array([path.split("/")[1].removesuffix(".py") for path in self.paths])[self.files]

    @property
    def sides(self) -> np.ndarray:
        """The side of the split that each sentence is on, one of `SIDES`."""
        return np.array([side(path) for path in self.paths])[self.files]

    def where(self, mask) -> Corpus:
        """Return the sentences that a Boolean mask selects."""
        return Corpus(self.texts[mask], self.files[mask], self.paths)

    def part(self, side: str) -> Corpus:
        """Return one side of the split: "train", "validation" or "test"."""
        if side not in SIDES:
            raise ValueError(f"no side {side!r}: choose one of {', '.join(SIDES)}.")
        return self.where(self.sides == side)

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that change with any word, file name or order."""
        lines = (f"{self.paths[f]}\t{t}\n" for f, t in zip(self.files, self.texts, strict=True))
        return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]


def load() -> Corpus:
    """Return the corpus: read in about 15 s the first time, then from the cache."""
    found = installed()
    code = hashlib.sha256(Path(docstrings.__file__).read_bytes()).hexdigest()
    key = hashlib.sha256(f"{sorted(found.items())} {code}".encode()).hexdigest()[:12]
    arrays = cached(f"docstrings-{key}", partial(extract, list(found)))
    texts = np.array(arrays["texts"].tobytes().decode().split("\n"), dtype=object)
    return Corpus(texts, arrays["files"], [str(path) for path in arrays["paths"]])


# ── documents with labels ───────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class TextSet:
    """Labelled documents; `tlcourse.data.few_labels` draws from it as from pictures.

    Attributes
    ----------
    texts : list of str
        Words separated by blanks.
    labels : torch.Tensor, shape (n,), int64
        An index into `names`.
    names : list of str
        One name a class.
    """

    texts: list[str]
    labels: torch.Tensor
    names: list[str]

    def __len__(self) -> int:
        return len(self.texts)

    def subset(self, index) -> TextSet:
        """Return the documents at `index` (positions or a Boolean mask); class names stay."""
        chosen = torch.arange(len(self))[torch.as_tensor(index)]
        return TextSet([self.texts[i] for i in chosen], self.labels[chosen], self.names)


def package_documents(corpus: Corpus, sizes=(250, 60, 110)) -> Splits:
    """Return the task "which package does this document come from?".

    Each side has as many `documents` of every class, drawn once and for all. Packages with too few
    are left out.

    Parameters
    ----------
    corpus : Corpus
    sizes : (int, int, int)
        Documents a class in the pool, the validation and the test set. The pool is drawn from the
        training files, the others from their own.

    Returns
    -------
    Splits
        Of `TextSet`.

    Raises
    ------
    ValueError
        If fewer than 2 packages have enough.
    """
    return _documents(corpus, corpus.packages, sizes, "packages")


def topic_documents(corpus: Corpus, package: str) -> Splits:
    """Return the task "which part of the package is this document about?", as `package_documents`.

    The validation set is empty: few parts are large enough to have files on all sides. Choose
    settings on another task, such as `package_documents`.
    """
    corpus = corpus.where(corpus.packages == package)
    return _documents(corpus, corpus.submodules, (100, 0, 40), f"parts of {package}")


def _documents(corpus, classes, sizes, what) -> Splits:
    sides = corpus.sides
    rng = np.random.default_rng(0)  # fixed: the split never moves with a seed
    drawn: dict[str, list] = {}
    for name in map(str, sorted(set(classes))):
        parts = []
        for part, size in zip(SIDES, sizes, strict=True):
            texts = documents(corpus.where((classes == name) & (sides == part)))
            parts.append([texts[i] for i in rng.permutation(len(texts))[:size]])
        if [len(part) for part in parts] == list(sizes):
            drawn[name] = parts
    if len(drawn) < 2:
        raise ValueError(
            f"{len(drawn)} {what} have {sizes} documents: ask for fewer, or install what "
            f"pyproject.toml names."
        )
    sets = []
    for i, size in enumerate(sizes):
        texts = [text for parts in drawn.values() for text in parts[i]]
        labels = torch.arange(len(drawn)).repeat_interleave(size)
        sets.append(TextSet(texts, labels, list(drawn)))
    return Splits(*sets)


def documents(corpus: Corpus) -> list[str]:
    """Return documents of three sentences that stand one after the other in a file.

    Without labels, they are what to pretrain on: a window may then reach from one sentence into the
    next, and words of one topic meet more often.
    """
    starts = np.flatnonzero(np.diff(corpus.files)) + 1
    files = np.split(corpus.texts, starts) if len(corpus) else []
    return [" ".join(file[i : i + 3]) for file in files for i in range(0, len(file) - 2, 3)]


# ── reviews, where the reader has them ──────────────────────────────────────────────────────

DOMAINS = ("books", "dvd", "electronics", "kitchen_and_housewares")


def reviews(domain: str) -> TextSet:
    """Read the reviews of one product domain (Blitzer, Dredze and Pereira 2007, ACL, P07-1056).

    Parameters
    ----------
    domain : str
        One of `DOMAINS`: the name of a file in the folder ``amazon_reviews`` of
        `cache.data_folder`. It is UTF-8, with a header ``label<tab>text``, the label ``positive`` or
        ``negative``, quotes literal.

    Returns
    -------
    TextSet
        Lower-case words; label 1 is positive.

    Raises
    ------
    FileNotFoundError
        If the file is not there.
    ValueError
        If the domain is unknown, or the file damaged or in another format.
    """
    if domain not in DOMAINS:
        raise ValueError(f"unknown domain {domain!r}: take one of {', '.join(DOMAINS)}.")
    path = data_folder() / "amazon_reviews" / f"{domain}.tsv"
    if not path.exists():
        raise FileNotFoundError(
            f"no {path.name}: put the reviews (label, tab, text) into the folder amazon_reviews of "
            "TLCOURSE_DATA."
        )
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path.name} is no UTF-8 text: copy it again.") from error
    names = ["negative", "positive"]
    if rows[:1] != [["label", "text"]] or len(rows) < 2:
        raise ValueError(f"{path.name} has another format: begin with the line label, tab, text.")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != 2 or row[0] not in names:
            raise ValueError(
                f"line {number} of {path.name} is damaged: write positive or negative, tab, text."
            )
    texts = [" ".join(WORD.findall(text.lower())) for _, text in rows[1:]]
    return TextSet(texts, torch.tensor([names.index(label) for label, _ in rows[1:]]), names)
