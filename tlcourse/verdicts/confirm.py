"""Measure what the claims of a lesson promise: on a few seeds to explore, on a block to confirm.

``python -m tlcourse confirm 01 --explore 5`` says how wide each interval will be;
``python -m tlcourse confirm 01`` computes the whole block, once, when its claims are committed.
"""

import argparse
import platform
from importlib import import_module, resources
from importlib.metadata import version
from pathlib import Path

import numpy as np

from tlcourse import experiment
from tlcourse.verdicts import entries, judging, store
from tlcourse.verdicts.tables import Table

VERSIONS = ("torch", "numpy", "scikit-learn", "matplotlib", "pillow")


def rests_on(wing: str) -> dict[str, str]:
    """Return a hash of each file of settings or weights that a wing's measurements read."""
    measure = import_module(f"{entries.LESSONS}.{wing}.measure")
    root = Path(str(resources.files("tlcourse")))
    files = sorted(Path(file) for file in measure.RESTS_ON)
    return {file.relative_to(root).as_posix(): store.hash_of(file.read_bytes()) for file in files}


def measured(wing: str, seeds: list[int], parts=None) -> dict[str, np.ndarray]:
    """Measure a wing's parts, or some of them, on some seeds; return arrays as in `Confirmed`."""
    measure, found = import_module(f"{entries.LESSONS}.{wing}.measure"), {}
    for part in parts or measure.PARTS:
        runs = experiment.repeat(measure.PARTS[part], seeds, part)
        found |= experiment.table(runs)
    return found


def groups(wing: str) -> list[int] | None:
    """Return who made each test picture of a wing, or None where each counts for itself."""
    found = import_module(f"{entries.LESSONS}.{wing}.measure").groups()
    return None if found is None else np.asarray(found).tolist()


def confirm(wing: str) -> Path:
    """Measure all that the newest block promises, and store it, once.

    Raises
    ------
    FileExistsError
        If it was done before.
    """
    block = entries.read(wing)[-1]
    where = store.path(wing, block.number)
    if where.exists():
        raise FileExistsError(
            f"block {block.number} of {wing} is open already: changed claims need the next block."
        )
    about = {
        "claims": block.fingerprint(),
        "margins": block.margins,
        "groups": groups(wing),
        "rests on": rests_on(wing),
        "versions": {name: version(name) for name in VERSIONS}
        | {"Python": platform.python_version()},
    }
    seeds = block.seeds(max(entry.seeds for entry in block.entries))
    confirmed = store.Confirmed(seeds, measured(wing, seeds), about)
    where.parent.mkdir(exist_ok=True)
    np.savez_compressed(where, **store.pack(confirmed))
    return where


def expected(wing: str, seeds: int) -> Table:
    """Say from the first seeds of block 0 how wide the interval of each claim will be.

    A half-width above the margin says that the claim needs more seeds, more pictures or another outcome,
    or that it may stay open.
    """
    block = entries.read(wing)[-1]
    found, level = measured(wing, list(range(seeds))), judging.level(len(block.entries))
    people = groups(wing)
    header = ["claim", "seen on block 0", "seeds", "expected half-width", "margin"]
    rows = []
    for entry in block.entries:
        a, b = found[entry.a], found[entry.b]
        if entry.unit == "ratio":
            a, b = np.log(a), np.log(b)
        seen = (a - 1.0 * b).mean()
        half = experiment.half_width(a, b, entry.seeds, level, people)
        margin = judging.MARGINS[entry.unit][0]
        margin = np.log(margin) if entry.unit == "ratio" else margin
        rows.append([entry.id, f"{seen:+.3f}", str(entry.seeds), f"{half:.3f}", f"{margin:.3f}"])
    return Table([header, *rows])


def wing_of(lesson: str) -> str:
    """Return the wing of a lesson's number, such as "ch01_concepts" of "01"."""
    folder = Path(str(resources.files(entries.LESSONS)))
    found = [path.parent.name for path in sorted(folder.glob("ch*/claims.toml"))]
    wings = [name for name in found if name.startswith(f"ch{lesson}_")]
    if not wings:
        raise ValueError(f"lesson {lesson!r} has no claims.toml: there are {', '.join(found)}.")
    return wings[0]


def main() -> None:
    """Confirm the newest block of a lesson's wing, or explore."""
    parser = argparse.ArgumentParser(prog="python -m tlcourse confirm", description=main.__doc__)
    parser.add_argument("lesson", help="its number, such as 01")
    parser.add_argument("--explore", type=int, metavar="N", help="on the first N seeds of block 0")
    arguments = parser.parse_args()
    try:
        wing = wing_of(arguments.lesson)
        print(expected(wing, arguments.explore) if arguments.explore else confirm(wing))
    except (FileExistsError, FileNotFoundError, ModuleNotFoundError, ValueError) as error:
        parser.error(str(error))
