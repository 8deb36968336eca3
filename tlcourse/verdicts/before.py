"""Verdicts of the time before the protocol: holds, partly or fails. They go when a lesson is rewritten."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf, log

from tlcourse.experiment import Difference
from tlcourse.verdicts.tables import Table

SYMBOLS = {"holds": "✓", "partly": "~", "fails": "✗"}
# The rule came first; the claims did not. This goes from a lesson when its claims are written anew.
NOTE = "written before the protocol; margins and seeds were settled while looking"


def verdict(low: float, mean: float, high: float, margin: float) -> str:
    """Judge the claim "A exceeds B" from a difference and its interval.

    - "holds": the whole interval lies above 0 and the mean is at least `margin`: A is surely ahead,
      and by enough to act on.
    - "fails": the whole interval lies below `margin`: even the most favourable value is too small
      to act on. That includes the case of a difference that is surely positive, and tiny.
    - "partly": anything else. The seeds do not decide, or A is surely ahead and perhaps by too little.

    No result can both hold and fail: the first needs a mean of at least `margin`, the second has
    even `high` below it.

    Parameters
    ----------
    low, mean, high : float
        The difference A minus B and its interval.
    margin : float
        The smallest difference worth acting on, positive, fixed before the results are seen.

    Returns
    -------
    {"holds", "partly", "fails"}
    """
    if not low <= mean <= high:
        raise ValueError(f"low {low}, mean {mean}, high {high}: pass numbers in rising order.")
    if not 0 < margin < inf:
        raise ValueError(f"margin is {margin}: name the smallest difference worth acting on, > 0.")
    if low > 0 and mean >= margin:
        return "holds"
    return "fails" if high < margin else "partly"


@dataclass(frozen=True)
class Claim:
    """A sentence "A exceeds B" of the handbook and what was measured about it.

    Attributes
    ----------
    row : str
        The handbook's row, such as "H1.1".
    text : str
        The claim in words.
    difference : Difference
        From `paired` or `ratio`.
    margin : float
        The smallest difference worth acting on, as in `verdict`: for `paired` a fraction (0.01 is 1
        point), for `ratio` a factor above 1.
    """

    row: str
    text: str
    difference: Difference
    margin: float = 0.01

    @property
    def verdict(self) -> str:
        """What `verdict` says; a ratio is judged by its logarithm, so that "no effect" is 0."""
        d = self.difference
        if d.unit == "points":
            return verdict(d.low, d.mean, d.high, self.margin)
        if self.margin <= 1:
            raise ValueError(f"margin is {self.margin}: for a ratio, take a factor above 1.")
        return verdict(log(d.low), log(d.mean), log(d.high), log(self.margin))


def print_verdicts(claims: Sequence[Claim]) -> None:
    """Print row, claim and verdict: what must be the same on every machine."""
    for claim in claims:
        print(f"{claim.row} | {claim.text} | {claim.verdict}")


def verdict_table(claims: Iterable[Claim]) -> Table:
    """Return a table of handbook row, claim, effect, seeds ahead and verdict."""
    rows = [
        (c.row, c.text, d.effect, f"{d.wins} of {d.n}", f"{SYMBOLS[c.verdict]} {c.verdict}")
        for c in claims
        for d in [c.difference]
    ]
    return Table(
        [("row", "claim", "effect [95 % interval]", "seeds ahead", "verdict"), *rows], NOTE
    )
