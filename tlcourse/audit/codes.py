"""Numbers that stand for "not measured": told by how they stand apart, whatever their digits."""

import re

import numpy as np

REPEATED = 3  # times that a code occurs at least
USUAL = re.compile(r"-(9+|8{2,}|7{2,}|1)|9+|8{2,}|7{2,}|9[678]|9{2}[678]|-9{1,4}[678]")
NEAR = 10  # different numbers next to a candidate to which its distance is compared
DIFFERENT = 10  # other numbers that an unusual code needs: the one of a large country is no code
SEVERAL = 3  # codes that a column may have on one side: 97, 98, 99


def codes(numbers: np.ndarray, counts: np.ndarray) -> list[float]:
    """Return the numbers of a column that stand for a missing one.

    A code is outermost, repeated three times or more, and apart from all else. Apart means that its gap
    is half as wide as the middle four fifths of the others, or more, and one of two:

    - it is ten times the largest gap among all others, of which there are at least four; or
    - it is twice the largest among the ten numbers next to it, and it occurs more often than any of
      these, and twice as often as their mean: the edge of a distribution thins out, a code does not.

    For a usual code (-1, 9, 99, -999 ...) three times and once are enough, whatever the width; once for
    the only ones below 0. 0 has a rule of its own, see `_is_zero_code`. A usual code of two digits or more may lie among the others if
    it occurs five times as often as the runner-up.

    Parameters
    ----------
    numbers : numpy.ndarray, shape (k,)
        The different finite numbers of the column, rising.
    counts : numpy.ndarray of int, shape (k,)
        How often each occurs.
    """
    found: list[float] = []
    while len(found) < 6:
        kept = ~np.isin(numbers, found)
        new = _outermost(numbers[kept], counts[kept])
        if not new:
            break
        found += new
    kept = ~np.isin(numbers, found)
    return sorted(found + _inside(numbers[kept], counts[kept]))


def _outermost(numbers: np.ndarray, counts: np.ndarray) -> list[float]:
    """Return the codes on the lower side, or those on the upper one, or none."""
    for sign in (1, -1):
        ours, times = sign * numbers[::sign], counts[::sign]
        for k in range(1, min(SEVERAL, len(ours) - 4) + 1):
            if (times[:k] >= REPEATED).all() and _apart(sign * ours, ours, times, k):
                return [sign * value for value in ours[:k].tolist()]
    return []


def _apart(named: np.ndarray, ours: np.ndarray, times: np.ndarray, k: int) -> bool:
    """Whether the first k numbers, of which all others are larger, are codes."""
    gap, steps = ours[k] - ours[k - 1], np.diff(ours[k:])
    if k == 1 and ours[0] == 0:
        return ours[1] > 0 and _is_zero_code(named[1:], times, gap)
    if k > 1 and ours[k - 1] - ours[0] > gap:
        return False
    usual = all(USUAL.fullmatch(f"{value:g}") for value in named[:k])
    tenth = len(ours[k:]) // 10
    width = ours[k:][-1 - tenth] - ours[k + tenth]
    if not usual and (gap < width / 2 or named[0] > 0 and len(steps) + 1 < DIFFERENT):
        return False
    if gap >= (3 if usual else 10) * steps.max():
        return True
    if usual and ours[k - 1] < 0 < ours[k] and gap > steps.max():
        return True
    crowd = times[k : k + NEAR]
    dense = len(steps) >= 9 and (times[:k] > max(2 * crowd.mean(), crowd.max())).all()
    return bool(dense and gap > (1 if usual else 2) * steps[:NEAR].max())


def _is_zero_code(others: np.ndarray, times: np.ndarray, gap: float) -> bool:
    """Whether zeros stand for "not measured" in a column of positive numbers that measure.

    Nothing has a pressure, a height, a price of 0. So the zeros must be apart from the rest, by three
    times the largest gap among the ten numbers next to them and by a quarter of the median (a tenth, if
    they are more than a tenth of the cells); and fewer than half of the cells: where most are zero, as
    rain or purchases are, zero is the usual content. Fewer than ten other numbers count or rate
    something, and say nothing about zero.
    """
    if len(others) < 10 or (others < 0).any():
        return False
    below = times[1:].cumsum()
    median = others[np.searchsorted(below, below[-1] / 2)]
    near = np.diff(others)[:NEAR].max()
    share = times[0] / times.sum()
    least = 0.1 if share > 0.1 else 0.25
    return bool(share < 0.5 and gap >= 3 * near and gap > least * median)


def _inside(numbers: np.ndarray, counts: np.ndarray) -> list[float]:
    if len(numbers) < 10:
        return []
    first, second = np.argsort(counts)[[-1, -2]]
    name = f"{numbers[first]:g}"
    often = counts[first] > 5 * counts[second] and counts[first] >= 5
    usual = USUAL.fullmatch(name) and len(name) > 1 and name != "-1"
    return [float(numbers[first])] if often and usual else []
