"""Whole lessons simulated, from right and wrong pictures to verdicts: how often is a verdict false?

Where a truth must lie exactly at the margin, the margin is set to the truth.
"""

import numpy as np
import pytest
from simulated import right_or_wrong

from tlcourse.experiment import two_way
from tlcourse.verdicts.judging import judge, level

CLAIMS, SEEDS, PICTURES = 7, 20, 200
SPREADS = ((0.3, 1.5, 0.5), (0.1, 1.5, 0.3), (0.6, 1.0, 0.8))  # of seeds, pictures, both together


def truth(rng, spread, gap):
    """The mean difference over very many seeds and pictures."""
    runs = (right_or_wrong(rng, 300, 300, spread, gap) for _ in range(60))
    return float(np.mean([a.mean() - b.mean() for a, b in runs]))


def false_verdicts(lessons):
    """Return shares of claims that get a verdict which their truth forbids."""
    rng, counts = np.random.default_rng(20), {"at the margin": 0, "at zero": 0, "same": 0}
    margins = {spread: truth(rng, spread, 0.7) for spread in SPREADS}
    for number in range(lessons):
        spread = SPREADS[number % len(SPREADS)]
        for _ in range(CLAIMS):
            a, b = right_or_wrong(rng, SEEDS, PICTURES, spread, 0.7)
            d, margin = two_way(a, b, level(CLAIMS)), margins[spread]
            counts["at the margin"] += judge(d.low, d.high, margin) == "better"
            counts["same"] += judge(d.low, d.high, margin) == "no difference that matters"
            a, b = right_or_wrong(rng, SEEDS, PICTURES, spread, 0.0)
            d = two_way(a, b, level(CLAIMS))
            counts["at zero"] += judge(d.low, d.high, 0.02).startswith("better")
    return {name: count / (lessons * CLAIMS) for name, count in counts.items()}


def check(lessons):
    found = false_verdicts(lessons)
    assert found["at the margin"] <= 0.025 and found["at zero"] <= 0.025, found
    assert found["same"] <= 0.05, found


def test_false_verdicts_are_rare_in_200_lessons():
    check(200)


@pytest.mark.weekly
def test_false_verdicts_are_rare_in_2000_lessons():
    check(2000)
