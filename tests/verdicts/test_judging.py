"""Six verdicts for better, three for as good as: exhaustive, exclusive, and seldom wrong."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlcourse.experiment import Difference, paired
from tlcourse.verdicts import judging
from tlcourse.verdicts.judging import judge, judge_difference

BETTER = ("better", "better, by how much is open", "no difference that matters")
BETTER += ("worse", "not better", "open")
numbers = st.floats(-1, 1)


def rules(low, high, m):
    """Every row of the protocol's table that applies, read off the table itself."""
    inside = -m < low and high < m
    rows = {
        "better": low >= m,
        "better, by how much is open": 0 < low < m <= high,
        "no difference that matters": inside,
        "worse": high <= -m,
        "not better": low <= -m < high < m,
    }
    return [name for name, applies in rows.items() if applies] or ["open"]


@given(st.lists(numbers, min_size=2, max_size=2).map(sorted), st.floats(1e-6, 1))
def test_every_interval_gets_exactly_one_verdict(interval, margin):
    low, high = interval
    assert rules(low, high, margin) == [judge(low, high, margin)]
    turned = {"better": "worse", "worse": "better", "no difference that matters": None}
    found, other = judge(low, high, margin), judge(-high, -low, margin)
    if found in turned:
        assert other == (turned[found] or found)
    good = judge(low, high, margin, "as good as")
    assert (good == "supported") == (low > -margin) and (good == "refuted") == (high <= -margin)


def test_verdicts_by_hand_at_the_edges():
    for low, high, due in [
        (0.02, 0.04, "better"),
        (0.0001, 0.02, "better, by how much is open"),
        (0.0001, 0.0199, "no difference that matters"),
        (-0.0199, 0.0199, "no difference that matters"),
        (0.0, 0.05, "open"),
        (-0.02, 0.02, "open"),
        (-0.02, 0.0199, "not better"),
        (-0.05, -0.0001, "not better"),
        (-0.05, -0.02, "worse"),
        (-0.01, 0.02, "open"),
    ]:
        assert judge(low, high, 0.02) == due, (low, high)
    assert set(BETTER) | {"supported", "refuted"} == set(judging.SYMBOLS)


def simulated(truth, margin, k=6, seeds=10, n=4000):
    """Verdicts of a claim with normal results and a true difference, at a lesson's level."""
    rng = np.random.default_rng(7)
    found = dict.fromkeys(BETTER, 0)
    for _ in range(n):
        spread = rng.choice([0.003, 0.01, 0.03])
        d = paired(truth + rng.normal(0, spread, seeds), np.zeros(seeds), judging.level(k))
        found[judge(d.low, d.high, margin)] += 1
    return {name: count / n for name, count in found.items()}


def test_wrong_verdicts_are_rare():
    """At the worst true differences for each verdict; a claim alone, at the level of six."""
    margin, alone = 0.02, 0.025
    at_margin = simulated(margin, margin, n=1500)
    assert at_margin["better"] <= alone, "its true effect is not above the margin"
    nothing = simulated(0.0, margin, n=1500)
    assert nothing["better"] + nothing["better, by how much is open"] <= alone
    for edge in (margin, -margin):
        assert simulated(edge, margin, n=1500)["no difference that matters"] <= 2 * alone


def test_a_ratio_is_judged_on_its_logarithm():
    twice = Difference(2.0, 1.5, 2.6, 9, 10, "times")
    assert judge_difference(twice, "ratio") == "better"
    half = Difference(1 / 2.0, 1 / 2.6, 1 / 1.5, 0, 10, "times")
    assert judge_difference(half, "ratio") == "worse"
    about = Difference(1.0, 1 / 1.2, 1.2, 5, 10, "times")
    assert judge_difference(about, "ratio") == "no difference that matters"
    with pytest.raises(ValueError, match="unit 'ratio' for"):
        judge_difference(Difference(0.1, 0.0, 0.2, 1, 2), "ratio")


def test_nonsense_is_refused():
    for low, high, margin, kind, message in [
        (0.2, 0.1, 0.02, "better", "rising order"),
        (math.nan, 0.1, 0.02, "better", "rising order"),
        (0.1, 0.2, 0, "better", "smallest difference worth acting on"),
        (0.1, 0.2, math.inf, "better", "smallest difference worth acting on"),
        (0.1, 0.2, 0.02, "nicer", "kind is 'nicer'"),
    ]:
        with pytest.raises(ValueError, match=message):
            judge(low, high, margin, kind)
    assert judging.level(5) == pytest.approx(0.99)
    with pytest.raises(ValueError, match="at least one"):
        judging.level(0)


def test_every_margin_says_why_that_much_matters():
    for unit, (margin, why) in judging.MARGINS.items():
        assert margin > 0 and len(why.split()) >= 6, unit
