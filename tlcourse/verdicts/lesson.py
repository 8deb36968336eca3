"""The claims of a lesson in its notebook: promised, measured live on two seeds, judged on all."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from importlib import import_module

import numpy as np

from tlcourse import runtime
from tlcourse.experiment import Difference, paired, ratio, two_way
from tlcourse.verdicts import confirm, entries, judging, store
from tlcourse.verdicts.care import Care
from tlcourse.verdicts.tables import Table

LIVE = 2  # seeds that a lesson computes again in front of the reader


def compare(entry: entries.Entry, a: np.ndarray, b: np.ndarray, level: float, groups) -> Difference:
    """Return the difference that a claim is judged by, at a level.

    Right or wrong for each seed and picture: over seeds and pictures, or the people who made them
    (`two_way`). A number a seed: over seeds, as a ratio where the unit is one.
    """
    if a.dtype == bool:
        return two_way(a, b, level, groups)
    return (ratio if entry.unit == "ratio" else paired)(a, b, level)


def by_seed(entry: entries.Entry, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the difference, or the ratio, of each seed."""
    if a.dtype == bool:
        return a.mean(axis=1) - b.mean(axis=1)
    return a / b if entry.unit == "ratio" else a - b


@dataclass(frozen=True)
class Judged:
    """A claim with what was measured: what `plots.judged` draws.

    Attributes
    ----------
    entry : Entry
    difference : Difference
        At the level of the lesson.
    level : float
    verdict : str
    margin : float
    seeds : array, shape (seeds,)
        The difference, or ratio, of each confirmed seed.
    live : array, shape (live seeds,)
        Of the seeds that were computed here.
    """

    entry: entries.Entry
    difference: Difference
    level: float
    verdict: str
    margin: float
    seeds: np.ndarray
    live: np.ndarray

    @property
    def symbol(self) -> str:
        """The verdict's sign."""
        return judging.SYMBOLS[self.verdict]

    def __str__(self) -> str:
        """Say the claim, its verdict and its interval."""
        sure = f"{100 * self.level:.3g} % interval"
        return (
            f"{self.entry.row} {self.entry.text}\n"
            f"  {self.symbol} {self.verdict}: {self.difference} ({sure})"
        )


def judge_entry(entry: entries.Entry, confirmed: store.Confirmed, level: float) -> Judged:
    """Judge a claim by a block's stored results and margins."""
    a, b = (confirmed.results[name][: entry.seeds] for name in (entry.a, entry.b))
    difference, margin = (
        compare(entry, a, b, level, confirmed.groups),
        confirmed.margins[entry.unit],
    )
    verdict = judging.judge_difference(difference, entry.unit, entry.kind, margin)
    return Judged(entry, difference, level, verdict, margin, by_seed(entry, a, b), np.array([]))


class Claims:
    """All claims of a lesson.

    Parameters
    ----------
    wing : str
        Such as "ch01_concepts": its ``claims.toml``, its ``measure`` and its confirmed results.
    """

    def __init__(self, wing: str):
        *self.older, self.block = entries.read(wing)
        self.wing, self.confirmed = wing, store.load(wing, self.block.number)
        self.level, self.groups = judging.level(len(self.block.entries)), self.confirmed.groups
        self.here: dict[str, np.ndarray] = {}
        self.also_measured: list[tuple[str, str]] = []

    def promised(self) -> Table:
        """Return the claims as they were written before any result."""
        header = ("row", "claim", "measured is", "kind", "seeds")
        rows = [(e.row, e.text, e.outcome, e.kind, str(e.seeds)) for e in self.block.entries]
        units = sorted({entry.unit for entry in self.block.entries})
        words = "; ".join(f"{u} {judging.MARGINS[u][0]:g}, {judging.MARGINS[u][1]}" for u in units)
        return Table([header, *rows], f"what matters: {words}")

    def care(self) -> Table:
        """Return what each measured method was given, read off the code that trains."""
        care = import_module(f"{entries.LESSONS}.{self.wing}.measure").care()
        names = dict.fromkeys(name for e in self.block.entries for name in (e.a, e.b))
        columns = [field.name for field in fields(Care)]
        rows = [[name, *(_cell(getattr(care[name], c)) for c in columns)] for name in names]
        note = "labels: a class; pretraining: pictures, each as often as it was shown where that is known"
        return Table([["measurement", *(c.replace("_", " ") for c in columns)], *rows], note)

    def run(self, *parts: str, seeds: int = LIVE) -> None:
        """Measure parts of the wing's ``measure.PARTS`` here, and compare with what is stored.

        At full scale all seeds of the block are computed. With a ``TLCOURSE_SEED`` of the reader's own
        they are others, and nothing is compared: `judge` then says both results.
        """
        seeds = len(self.confirmed.seeds) if runtime.scale() == "full" else seeds
        own = runtime.base_seed() != 0
        found = confirm.measured(
            self.wing, runtime.seeds(seeds) if own else self.block.seeds(seeds), parts
        )
        self.here |= found
        if own:
            print(f"{seeds} seeds of your own, beside {len(self.confirmed.seeds)} stored ones")
        else:
            print(
                f"{seeds} seeds computed here; as stored: {'yes' if self.agrees(found) else 'no'}"
            )

    def agrees(self, found: dict[str, np.ndarray]) -> bool:
        """Whether live results are the stored ones: each mean within a quarter of its margin."""
        units = {n: e.unit for e in self.block.entries for n in (e.a, e.b)}
        return all(
            _near(values, self.confirmed.results[name][: len(values)], units.get(name))
            for name, values in found.items()
            if name in self.confirmed.results
        )

    def accuracy(self, name: str) -> np.ndarray:
        """Return a measurement's number for each confirmed seed; of pictures, the share right."""
        values = self.confirmed.results[name]
        return values.mean(axis=1) if values.dtype == bool else values

    def judged(self, *ids: str) -> list[Judged]:
        """Return claims with their verdicts, all of them without an id."""
        known = {entry.id: entry for entry in self.block.entries}
        if unknown := set(ids) - set(known):
            raise ValueError(
                f"no claim {', '.join(sorted(unknown))}: there are {', '.join(known)}."
            )
        return [self._judge(known[id]) for id in ids or known]

    def _judge(self, entry) -> Judged:
        judged = judge_entry(entry, self.confirmed, self.level)
        pair = [self.here.get(name) for name in (entry.a, entry.b)]
        if pair[0] is None or pair[1] is None:
            return judged
        return replace(judged, live=by_seed(entry, *pair))

    def judge(self, *ids: str) -> list[Judged]:
        """Print the verdicts of some claims, and return them to be drawn by `plots.judged`."""
        found = self.judged(*ids)
        for judged in found:
            print(judged)
            if runtime.base_seed() and len(judged.live) > 1:
                here = self._here(judged.entry)
                print(f"  stored: {judged.symbol}, here: {here}")
        return found

    def _here(self, entry) -> str:
        a, b = self.here[entry.a], self.here[entry.b]
        difference = compare(entry, a, b, self.level, self.groups)
        return judging.SYMBOLS[judging.judge_difference(difference, entry.unit, entry.kind)]

    def also(self, text: str, difference: Difference) -> None:
        """Keep a difference that was measured beside the claims: no verdict, only its interval."""
        self.also_measured.append((text, str(difference)))
        print(f"{text}: {difference}")

    def table(self) -> Table:
        """Return all claims with effect, interval and verdict; what older blocks gave, beside them."""
        older = {f"block {b.number}": self._results_of(b) for b in self.older}
        header = ("row", "claim", "effect", "seeds", "verdict", *older)
        rows = [
            (
                *(j.entry.row, j.entry.text, j.difference.effect, str(j.difference.n)),
                f"{j.symbol} {j.verdict}",
                *(results.get(j.entry.id, "") for results in older.values()),
            )
            for j in self.judged()
        ]
        note = (
            f"{100 * self.level:.3g} % intervals, so that all {len(rows)} together are right with 95 % "
            f"chance; block {self.block.number}"
        )
        return Table([header, *rows, *self._dropped(older)], note)

    def _results_of(self, block: entries.Block) -> dict[str, str]:
        """Effect and verdict of each claim of an older block, judged as it was then."""
        level, stored = judging.level(len(block.entries)), store.load(self.wing, block.number)
        found = [judge_entry(entry, stored, level) for entry in block.entries]
        return {j.entry.id: f"{j.difference.effect} {j.symbol}" for j in found}

    def _dropped(self, older) -> list[tuple]:
        known = {e.id: e for block in self.older for e in block.entries}
        lost = [e for id, e in known.items() if id not in {e.id for e in self.block.entries}]
        return [
            (e.row, e.text, "", "", "dropped", *(found.get(e.id, "") for found in older.values()))
            for e in lost
        ]

    def also_table(self) -> Table:
        """Return what was measured beside the claims."""
        return Table([("also measured, no verdict", "effect"), *self.also_measured])

    def print_verdicts(self) -> None:
        """Print row, claim and verdict, which rest on stored results alone."""
        for judged in self.judged():
            print(f"{judged.entry.row} | {judged.entry.text} | {judged.verdict}")


def _cell(value) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else f"{value:,}"


def _near(live: Sequence, stored: Sequence, unit: str | None) -> bool:
    """Whether two means differ by at most a quarter of the margin; ratios on their logarithms."""
    live, stored = np.mean(live), np.mean(stored)
    if unit == "ratio":
        return abs(np.log(live / stored)) <= np.log(judging.MARGINS["ratio"][0]) / 4
    return abs(live - stored) <= judging.MARGINS[unit or "accuracy"][0] / 4
