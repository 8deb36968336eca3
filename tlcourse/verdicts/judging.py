"""What an interval says of a claim: six verdicts, three for "as good as", one margin a unit."""

from math import inf, log

# The smallest difference worth acting on, one for each unit in the whole course, and why that much.
MARGINS = {
    "accuracy": (
        0.02,
        "two pictures more of a hundred; for fewer nobody would keep a second model",
    ),
    "R²": (0.02, "two hundredths of the spread explained, as with accuracy"),
    "ratio": (1.25, "a quarter more or less; smaller savings vanish in the noise of a working day"),
}
SYMBOLS = {
    "better": "✓",
    "better, by how much is open": "✓?",
    "no difference that matters": "≈",
    "worse": "✗",
    "not better": "✗?",
    "open": "?",
    "supported": "✓",
    "refuted": "✗",
}
KINDS = ("better", "as good as")


def judge(low: float, high: float, margin: float, kind: str = "better") -> str:
    """Say what an interval of the difference A minus B says of the claim "A is better" or "as good".

    Where does the interval lie, seen from -margin, 0 and margin? Inside (-margin, margin), which is
    looked at first: no difference that matters. Above the margin: better. Above 0, but not wholly above
    the margin: better, by how much is open. Below -margin: worse. Reaching below -margin, and not up
    to the margin: not better. Else the question is open.

    Parameters
    ----------
    low, high : float
        The interval; for a ratio its logarithms.
    margin : float
        The smallest difference worth acting on, positive.
    kind : {"better", "as good as"}
        "as good as" is supported when all of the interval lies above -margin, refuted when all of it
        lies below, else open.

    Returns
    -------
    str
        A key of `SYMBOLS`.

    Raises
    ------
    ValueError
        For numbers out of order, another margin or another kind.
    """
    if not low <= high:
        raise ValueError(f"low {low}, high {high}: pass numbers in rising order.")
    if not 0 < margin < inf:
        raise ValueError(f"margin is {margin}: name the smallest difference worth acting on, > 0.")
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}: take one of {', '.join(KINDS)}.")
    if kind == "as good as":
        return "supported" if low > -margin else "refuted" if high <= -margin else "open"
    if -margin < low and high < margin:
        return "no difference that matters"
    if low > 0:
        return "better" if low >= margin else "better, by how much is open"
    if high < margin and low <= -margin:
        return "worse" if high <= -margin else "not better"
    return "open"


def judge_difference(difference, unit: str, kind: str = "better", margin=None) -> str:
    """Judge a `Difference` by the margin of its unit, or by another one; a ratio on its logarithm.

    Raises
    ------
    ValueError
        If the unit is none of `MARGINS`, or is a ratio where the difference is none, or the reverse.
    """
    if unit not in MARGINS or (unit == "ratio") != (difference.unit == "times"):
        raise ValueError(f"unit {unit!r} for {difference}: take one of {', '.join(MARGINS)}.")
    margin = margin or MARGINS[unit][0]
    if unit == "ratio":
        return judge(log(difference.low), log(difference.high), log(margin), kind)
    return judge(difference.low, difference.high, margin, kind)


def level(claims: int) -> float:
    """Return the level of each interval when a lesson makes several claims (Bonferroni).

    With k claims at level 1 - .05/k, the chance that any interval misses its truth is at most 5 %.
    """
    if claims < 1:
        raise ValueError(f"{claims} claims: there must be at least one.")
    return 1 - 0.05 / claims
