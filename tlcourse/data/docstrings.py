"""From installed packages to sentences: the docstrings that are on every student's disk.

Read with `ast`, so nothing is imported or run. Names that give a package away are masked.
"""

import ast
import gc
import hashlib
import platform
import re
import sysconfig
import warnings
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

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


def side(path: str) -> str:
    """Return the side of the split for a file ``package/folder/file.py``.

    A hash of its name decides, so that it is the same on every machine, and stays when other files
    come or go with another version.
    """
    place = int(hashlib.sha256(path.encode()).hexdigest()[:8], 16) / 16**8
    return SIDES[int(np.searchsorted(np.cumsum(SHARES)[:2], place, side="right"))]


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
