"""Text that is on every student's disk: the docstrings of the installed packages.

Read with `ast`, so nothing is imported or run. The split is by **file**: whoever learns from a file
is never tested on it. Names that give a package away are masked.
"""

from __future__ import annotations

import ast
import gc
import hashlib
import platform
import re
import sysconfig
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from tlcourse.cache import cached
from tlcourse.data import Splits

# Module name and distribution of each class. A base installation of the course brings all of them.
PACKAGES = {
    "IPython": "ipython",
    "matplotlib": "matplotlib",
    "networkx": "networkx",
    "numpy": "numpy",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "stdlib": None,  # the standard library: its version is Python's
    "sympy": "sympy",
    "torch": "torch",
}
# Test code says little about a package; the rest is copied from elsewhere, or made by a program.
SKIPPED = {"test", "tests", "testing", "site-packages", "dist-packages", "lib2to3", "idlelib", "rubi",
           "externals", "extern", "_vendor", "_lib", "_internal", "array_api_compat", "ensurepip",
           "array_api_extra", "parsing", "_inductor", "_dynamo", "_native", "_refs", "_decomp",
           "_export", "_higher_order_ops", "_functorch", "ao", "fx"}  # fmt: skip
LARGEST = 250_000  # bytes; longer files are tables that a program wrote
SIDES = ("train", "validation", "test")
SHARES = (0.75, 0.10, 0.15)

MASK = "<name>"
ALIASES = {"np", "plt", "mpl", "nx", "sp", "cupy", "jax", "mpmath"}
NAME = re.compile(
    "numpy|scipy|sklearn|scikit|torch|matplotlib|pyplot|sympy|networkx|ipython|python|pandas|jupyter"
)
WORD = re.compile("[a-z]{1,24}")
SENTENCE_END = re.compile(r"(?<=[.!?:;])\s+")
# A heading's underline, a directive, a doctest, a table: not sentences.
NOT_PROSE = re.compile(r"^\s*(?:[-=~^*+|]{3,}|\.\. |>>>|\.\.\. |[+|])")


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


def side(path: str) -> str:
    """Return the side of the split for a file ``package/folder/file.py``.

    A hash of its name decides, so that it is the same on every machine, and stays when other files
    come or go with another version.
    """
    place = int(hashlib.sha256(path.encode()).hexdigest()[:8], 16) / 16**8
    return SIDES[int(np.searchsorted(np.cumsum(SHARES)[:2], place, side="right"))]


# ── from source code to sentences ───────────────────────────────────────────────────────────


def docstrings(source: str) -> Iterator[str]:
    """Yield the docstrings of a file's source: its own, its classes', its functions'."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the compiler thinks of others' escapes
        try:
            waiting = [ast.parse(source)]
        except (SyntaxError, ValueError):
            return
    while waiting:
        node = waiting.pop()
        if text := ast.get_docstring(node):
            yield text
        definitions = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        # Only whole definitions are looked into: to walk through every expression takes much longer.
        waiting += [child for child in reversed(node.body) if isinstance(child, definitions)]


def sentences(docstring: str) -> list[str]:
    """Return a docstring's sentences as lower-case words with masked names.

    Doctests, headings, tables and directives are left out, and so are sentences of fewer than 5 or
    more than 60 words.
    """
    kept = []
    for paragraph in re.split(r"\n\s*\n", docstring):
        lines = paragraph.splitlines()
        if any(map(NOT_PROSE.match, lines[:1])):
            continue
        prose = " ".join(line for line in lines if not NOT_PROSE.match(line))
        for sentence in SENTENCE_END.split(prose.lower().replace("scikit-learn", "sklearn")):
            words = WORD.findall(sentence)
            if 5 <= len(words) <= 60:
                kept.append(" ".join(map(_masked, words)))
    return kept


@cache
def _masked(word: str) -> str:
    return MASK if word in ALIASES or NAME.search(word) else word


def source_files(package: str) -> Iterator[tuple[str, Path]]:
    """Yield ``package/folder/file.py`` and where that file lies, for every file that is read."""
    root = _root(package)
    for path in sorted(root.rglob("*.py")) if root else []:
        parts = path.relative_to(root).parts
        if not SKIPPED & set(parts) and path.stat().st_size < LARGEST:
            yield "/".join((package, *parts)), path


def _root(package: str) -> Path | None:
    if package == "stdlib":
        return Path(sysconfig.get_paths()["stdlib"])
    spec = find_spec(package)  # finds a package without importing it
    return Path(spec.submodule_search_locations[0]) if spec else None


def extract(packages: list[str]) -> dict[str, np.ndarray]:
    """Read the packages' files; keep the first of equal sentences, where training files come first.

    So a sentence of a test file that also stands in a training or validation file is dropped.
    """
    gc.disable()  # a syntax tree is millions of objects with no garbage: half of the time is saved
    try:
        found = {name: _read(path) for package in packages for name, path in source_files(package)}
    finally:
        gc.enable()
    paths = sorted((p for p in found if found[p]), key=lambda p: (SIDES.index(side(p)), p))
    owner: dict[str, int] = {}
    for i, path in enumerate(paths):
        for text in found[path]:
            owner.setdefault(text, i)
    return {
        "texts": np.frombuffer("\n".join(owner).encode(), dtype=np.uint8),
        "files": np.fromiter(owner.values(), dtype=np.int32),
        "paths": np.array(paths),
    }


def _read(path: Path) -> list[str]:
    source = path.read_text(encoding="utf-8", errors="ignore")
    if '"""' not in source:
        return []
    return [sentence for text in docstrings(source) for sentence in sentences(text)]


def installed() -> dict[str, str]:
    """Return the version of every package of `PACKAGES` that is installed."""
    return {
        name: version(distribution) if distribution else platform.python_version()
        for name, distribution in PACKAGES.items()
        if _root(name)
    }


def load() -> Corpus:
    """Return the corpus: read in about 15 s the first time, then from the cache."""
    found = installed()
    code = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
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


def package_documents(corpus: Corpus, sizes=(250, 60, 110), length: int = 3) -> Splits:
    """Return the task "which package does this document come from?".

    A document is `length` sentences that stand one after the other in a file. Each side has as many
    documents of every class, drawn once and for all. Packages with too few are left out.

    Parameters
    ----------
    corpus : Corpus
    sizes : (int, int, int)
        Documents a class in the pool, the validation and the test set. The pool is drawn from the
        training files, the others from their own.
    length : int
        Sentences a document.

    Returns
    -------
    Splits
        Of `TextSet`.

    Raises
    ------
    ValueError
        If fewer than 2 packages have enough.
    """
    return _documents(corpus, corpus.packages, sizes, length, "packages")


def topic_documents(
    corpus: Corpus, package: str = "scipy", sizes=(100, 0, 40), length: int = 3
) -> Splits:
    """Return the task "which part of the package is this document about?", as `package_documents`.

    By default the validation set is empty: few parts are large enough to have files on all sides.
    Choose settings on another task, such as `package_documents`.
    """
    corpus = corpus.where(corpus.packages == package)
    return _documents(corpus, corpus.submodules, sizes, length, f"parts of {package}")


def _documents(corpus, classes, sizes, length, what) -> Splits:
    sides = corpus.sides
    rng = np.random.default_rng(0)  # fixed: the split never moves with a seed
    drawn: dict[str, list] = {}
    for name in map(str, sorted(set(classes))):
        parts = []
        for part, size in zip(SIDES, sizes, strict=True):
            texts = documents(corpus.where((classes == name) & (sides == part)), length)
            parts.append([texts[i] for i in rng.permutation(len(texts))[:size]])
        if [len(part) for part in parts] == list(sizes):
            drawn[name] = parts
    if len(drawn) < 2:
        raise ValueError(
            f"{len(drawn)} {what} have {sizes} documents: ask for fewer, or install what "
            f"pyproject.toml names."
        )
    names = list(drawn)
    return Splits(*(_text_set([drawn[n][i] for n in names], names) for i in range(3)))


def documents(corpus: Corpus, length: int = 3) -> list[str]:
    """Return documents of `length` sentences that stand one after the other in a file.

    Without labels, they are what to pretrain on: a window may then reach from one sentence into the
    next, and words of one topic meet more often.
    """
    starts = np.flatnonzero(np.diff(corpus.files)) + 1
    files = np.split(corpus.texts, starts) if len(corpus) else []
    return [
        " ".join(file[i : i + length])
        for file in files
        for i in range(0, len(file) - length + 1, length)
    ]


def _text_set(by_class: list[list[str]], names: list[str]) -> TextSet:
    labels = [k for k, texts in enumerate(by_class) for _ in texts]
    texts = [text for texts in by_class for text in texts]
    return TextSet(texts, torch.tensor(labels, dtype=torch.int64), names)
