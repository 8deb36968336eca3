"""What was measured for the league: right or wrong for each seed and test picture, stored once.

A store is never overwritten. When a method, a setting or a weight changes, its results move to the next
block of seeds, all together: give the `Block` the next free number and run ``make league``.
"""

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from tlcourse import experiment, runtime
from tlcourse.verdicts import MARGINS
from tlcourse.verdicts.confirm import VERSIONS
from tlcourse.verdicts.entries import SEEDS_PER_BLOCK
from tlcourse.verdicts.store import Confirmed, hash_of, pack, unpack

FOLDER = Path(__file__).parent / "confirmed"
LIVE = 2  # seeds that a lesson computes again in front of the reader


@dataclass(frozen=True)
class Block:
    """A measurement on seeds of its own.

    Attributes
    ----------
    number : int
        Its seeds are those from 100 times the number on.
    n : int
        How many.
    parts : sequence of str
        Names of what is measured.
    measure : callable
        ``measure(seed, part)`` returns right or wrong for each test picture, a dict with one array.
    rests_on : sequence of Path
        Files of settings and weights that it reads.
    groups : callable, optional
        Returns who made each test picture, as in `experiment.two_way`.
    """

    number: int
    n: int
    parts: Sequence[str]
    measure: Callable
    rests_on: Sequence[Path]
    groups: Callable | None = None

    @property
    def seeds(self) -> list[int]:
        """All its seeds."""
        first = SEEDS_PER_BLOCK * self.number
        return list(range(first, first + self.n))

    @property
    def path(self) -> Path:
        """Where its results are kept."""
        return FOLDER / f"{self.number}.npz"

    def hashes(self) -> dict[str, str]:
        """Return a hash of each file that it rests on."""
        root = Path(__file__).parents[1]
        return {
            file.relative_to(root).as_posix(): hash_of(file.read_bytes())
            for file in sorted(self.rests_on)
        }

    def share(self, right: np.ndarray) -> str:
        """Return the share of pictures read correctly with its interval, such as ``86.2 % [84.3, 88.1]``."""
        found = experiment.two_way_interval(right, groups=self.groups and self.groups())
        low, mean, high = (100 * x for x in found)
        return f"{mean:.1f} % [{low:.1f}, {high:.1f}]"

    def results(self) -> dict[str, np.ndarray]:
        """Return what is stored: bool, shape (seeds, pictures), by part.

        Raises
        ------
        FileNotFoundError
            If it was not measured yet.
        """
        return self.load().results

    def load(self) -> Confirmed:
        """Return what is stored, with its seeds and what it rests on."""
        if not self.path.exists():
            raise FileNotFoundError(
                f"block {self.number} of the league is not measured yet: run make league."
            )
        with np.load(self.path) as arrays:
            return unpack(arrays)

    def run(self, seeds: Sequence[int], parts: Sequence[str]) -> dict[str, np.ndarray]:
        """Measure some parts on some seeds."""
        return experiment.table(experiment.sweep(self.measure, seeds, parts, "league"))

    def confirm(self) -> Path:
        """Measure everything and store it, once.

        Raises
        ------
        FileExistsError
            If it was done before.
        """
        if self.path.exists():
            raise FileExistsError(
                f"block {self.number} of the league is measured already: a changed method needs the "
                "next block."
            )
        versions = {name: version(name) for name in VERSIONS} | {
            "Python": platform.python_version()
        }
        about = {"rests on": self.hashes(), "versions": versions}
        confirmed = Confirmed(self.seeds, self.run(self.seeds, self.parts), about)
        self.path.parent.mkdir(exist_ok=True)
        np.savez_compressed(self.path, **pack(confirmed))
        return self.path

    def again(self, part: str, seeds: int = LIVE) -> "Row":
        """Measure one part again on its first seeds, or on the reader's own; at full scale on all.

        Raises
        ------
        ValueError
            If there is no such part.
        """
        stored = self.results()
        if part not in stored:
            raise ValueError(f"no {part!r}: there are {', '.join(stored)}.")
        seeds, own = self.n if runtime.scale() == "full" else seeds, runtime.base_seed() != 0
        taken = runtime.seeds(seeds) if own else self.seeds[:seeds]
        here = self.run(taken, [part])[part]
        return Row(part, stored[part], here, own, self.share(stored[part]))


@dataclass(frozen=True, repr=False)
class Row:
    """A stored result beside what was computed here.

    Attributes
    ----------
    name : str
    stored, here : array of bool, shape (seeds, pictures)
    own : bool
        Whether the reader's own seeds were computed, which no stored ones stand beside.
    share : str
        The stored accuracy in words, from `Block.share`.
    """

    name: str
    stored: np.ndarray
    here: np.ndarray
    own: bool
    share: str

    @property
    def as_stored(self) -> bool | None:
        """Whether the same seeds gave the same mean, within a quarter of what matters; None for own seeds."""
        if self.own:
            return None
        apart = self.here.mean() - self.same_seeds.mean()
        return bool(abs(apart) <= MARGINS["accuracy"][0] / 4)

    @property
    def same_seeds(self) -> np.ndarray:
        """What is stored of the seeds that were computed here."""
        return self.stored[: len(self.here)]

    def __repr__(self) -> str:
        """Say both results in one sentence."""
        said = f"{self.name}: {self.share}, {len(self.stored)} stored seeds; "
        if self.own:
            return f"{said}{len(self.here)} seeds of your own: {100 * self.here.mean():.1f} %"
        answer = "yes" if self.as_stored else "no"
        said += f"{len(self.here)} of these again: {100 * self.here.mean():.1f} %, where "
        return f"{said}{100 * self.same_seeds.mean():.1f} % is stored; as stored: {answer}"
