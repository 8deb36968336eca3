"""The rule behind holds, partly and fails, and the table that shows it."""

import math
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlcourse import verdicts
from tlcourse.experiment import Difference
from tlcourse.verdicts import Claim, verdict


def test_a_verdict_follows_its_rule():
    for low, mean, high, expected in [
        (0.02, 0.05, 0.08, "holds"),
        (0.001, 0.01, 0.019, "holds"),  # the mean is exactly the margin
        (0.0, 0.05, 0.10, "partly"),  # touches zero
        (-0.02, 0.05, 0.12, "partly"),  # the seeds do not decide
        (0.001, 0.008, 0.015, "partly"),  # surely ahead, perhaps by too little
        (0.001, 0.004, 0.007, "fails"),  # surely ahead, and surely by too little
        (-0.03, -0.002, 0.009, "fails"),
        (-0.03, -0.01, 0.01, "partly"),  # the best case would be just enough
        (-0.08, -0.05, -0.02, "fails"),
    ]:
        assert verdict(low, mean, high, margin=0.01) == expected, (low, mean, high)


results = st.lists(st.floats(-1, 1), min_size=3, max_size=3).map(sorted)
factors = st.sampled_from([0.25, 0.5, 2, 1024])


@given(results, st.floats(1e-6, 1), st.floats(0, 1), factors)
def test_a_verdict_is_consistent(result, margin, shift, factor):
    low, mean, high = result
    found, order = verdict(low, mean, high, margin), ["fails", "partly", "holds"]
    if found == "holds":
        assert verdict(-high, -mean, -low, margin) == "fails", "turned round"
    larger = verdict(low + shift, mean + shift, high + shift, margin)
    assert order.index(larger) >= order.index(found), "a larger effect is never worse"
    assert verdict(*(factor * x for x in result), factor * margin) == found, "in another unit"


def test_a_verdict_on_nonsense_is_refused():
    unordered = [(0.3, 0.2, 0.4), (0.1, 0.5, 0.4), (math.nan, 0.2, 0.4), (0.1, 0.2, math.nan)]
    for numbers in unordered:
        with pytest.raises(ValueError, match="rising order"):
            verdict(*numbers, 0.01)
    for margin in (0, -0.01, math.nan):
        with pytest.raises(ValueError, match="smallest difference worth acting on"):
            verdict(0.1, 0.2, 0.3, margin)


def claims():
    """One claim of each verdict, and a ratio."""
    return [
        Claim("H1.1", "transfer > SVM at 2", Difference(0.165, 0.12, 0.21, 5, 5)),
        Claim("H1.1", "transfer > scratch & aug. at 20", Difference(0.002, -0.01, 0.014, 3, 5)),
        Claim("H1.2", "shuffled > random", Difference(-0.03, -0.05, -0.01, 0, 5)),
        Claim("H1.3", "scratch needs more steps", Difference(2.5, 1.8, 3.4, 5, 5, "times"), 1.2),
    ]


def test_claims_are_judged_each_in_its_unit(capsys):
    verdicts.print_verdicts(claims())
    assert capsys.readouterr().out.splitlines() == [
        "H1.1 | transfer > SVM at 2 | holds",
        "H1.1 | transfer > scratch & aug. at 20 | partly",
        "H1.2 | shuffled > random | fails",
        "H1.3 | scratch needs more steps | holds",
    ]
    steps = Difference(1.1, 1.05, 1.15, 5, 5, "times")
    assert Claim("H", "too little", steps, 1.2).verdict == "fails"
    assert Claim("H", "enough", steps, 1.05).verdict == "holds"
    with pytest.raises(ValueError, match="for a ratio, take a factor above 1"):
        Claim("H", "no margin", steps).verdict  # noqa: B018


def test_the_table_is_aligned_text_and_html_in_a_notebook():
    header, first, *_, note = str(verdicts.verdict_table(claims())).splitlines()
    assert note == "(written before the protocol; margins and seeds were settled while looking)"
    assert first.split("  ")[0] == "H1.1"
    for column in ("claim", "effect", "seeds ahead", "verdict"):
        assert first[header.index(column) - 1] == " " != first[header.index(column)]
    assert first.endswith("+16.5 points [+12.0, +21.0]  5 of 5       ✓ holds")
    table = ElementTree.fromstring(verdicts.verdict_table(iter(claims()))._repr_html_())
    assert [caption.text for caption in table.iter("caption")] == [note]
    rows = [[cell.text for cell in row] for row in table.iter("tr")]
    assert rows[0] == ["row", "claim", "effect [95 % interval]", "seeds ahead", "verdict"]
    assert rows[2][1] == "transfer > scratch & aug. at 20"
    assert [row[-1] for row in rows[1:]] == ["✓ holds", "~ partly", "✗ fails", "✓ holds"]
    assert rows[4][2:4] == ["2.5 times [1.8, 3.4]", "5 of 5"]
