"""The rule behind holds, partly and fails, and the table that shows it."""

import math
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlcourse import verdicts
from tlcourse.experiment import Difference
from tlcourse.verdicts import Claim, verdict


@pytest.mark.parametrize(
    "low, mean, high, expected",
    [
        (0.02, 0.05, 0.08, "holds"),
        (0.001, 0.01, 0.019, "holds"),  # the mean is exactly the margin
        (0.0, 0.05, 0.10, "partly"),  # touches zero
        (-0.02, 0.05, 0.12, "partly"),  # the seeds do not decide
        (0.001, 0.008, 0.015, "partly"),  # surely ahead, perhaps by too little
        (0.001, 0.004, 0.007, "fails"),  # surely ahead, and surely by too little
        (-0.03, -0.002, 0.009, "fails"),
        (-0.03, -0.01, 0.01, "partly"),  # the best case would be just enough
        (-0.08, -0.05, -0.02, "fails"),
    ],
)
def test_a_verdict_follows_its_rule(low, mean, high, expected):
    assert verdict(low, mean, high, margin=0.01) == expected


numbers = st.floats(-1, 1)
results = st.lists(numbers, min_size=3, max_size=3).map(sorted)
margins = st.floats(1e-6, 1)


@given(results, margins)
def test_a_claim_that_holds_fails_when_turned_round(result, margin):
    low, mean, high = result
    if verdict(low, mean, high, margin) == "holds":
        assert verdict(-high, -mean, -low, margin) == "fails"


@given(results, margins, st.floats(0, 1))
def test_a_larger_effect_never_has_a_worse_verdict(result, margin, shift):
    order = ["fails", "partly", "holds"]
    before = verdict(*result, margin)
    after = verdict(*(x + shift for x in result), margin)
    assert order.index(after) >= order.index(before)


@given(results, margins, st.sampled_from([0.25, 0.5, 2, 1024]))
def test_a_verdict_does_not_depend_on_the_unit(result, margin, factor):
    assert verdict(*result, margin) == verdict(*(factor * x for x in result), factor * margin)


@pytest.mark.parametrize(
    "arguments, words",
    [
        ((0.3, 0.2, 0.4, 0.01), "rising order"),
        ((0.1, 0.5, 0.4, 0.01), "rising order"),
        ((math.nan, 0.2, 0.4, 0.01), "rising order"),
        ((0.1, 0.2, math.nan, 0.01), "rising order"),
        ((0.1, 0.2, 0.3, 0), "smallest difference worth acting on"),
        ((0.1, 0.2, 0.3, -0.01), "smallest difference worth acting on"),
        ((0.1, 0.2, 0.3, math.nan), "smallest difference worth acting on"),
    ],
)
def test_a_verdict_on_nonsense_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        verdict(*arguments)


def claims():
    """One claim of each verdict, and a ratio."""
    return [
        Claim("H1.1", "transfer > SVM at 2", Difference(0.165, 0.12, 0.21, 5, 5)),
        Claim("H1.1", "transfer > scratch & aug. at 20", Difference(0.002, -0.01, 0.014, 3, 5)),
        Claim("H1.2", "shuffled > random", Difference(-0.03, -0.05, -0.01, 0, 5)),
        Claim("H1.3", "scratch needs more steps", Difference(2.5, 1.8, 3.4, 5, 5, "times"), 1.2),
    ]


def test_claims_are_judged_each_in_its_unit():
    assert [c.verdict for c in claims()] == ["holds", "partly", "fails", "holds"]
    steps = Difference(1.1, 1.05, 1.15, 5, 5, "times")
    assert Claim("H", "too little", steps, 1.2).verdict == "fails"
    assert Claim("H", "enough", steps, 1.05).verdict == "holds"
    with pytest.raises(ValueError, match="for a ratio, take a factor above 1"):
        Claim("H", "no margin", steps).verdict  # noqa: B018


def test_print_verdicts_prints_only_what_is_the_same_everywhere(capsys):
    verdicts.print_verdicts(claims())
    assert capsys.readouterr().out.splitlines() == [
        "H1.1 | transfer > SVM at 2 | holds",
        "H1.1 | transfer > scratch & aug. at 20 | partly",
        "H1.2 | shuffled > random | fails",
        "H1.3 | scratch needs more steps | holds",
    ]


def test_the_table_is_aligned_text():
    header, first, *_, note = str(verdicts.verdict_table(claims())).splitlines()
    assert note == "(written before the protocol; margins and seeds were settled while looking)"
    assert first.split("  ")[0] == "H1.1"
    for column in ("claim", "effect", "seeds ahead", "verdict"):
        assert first[header.index(column) - 1] == " " != first[header.index(column)]
    assert first.endswith("+16.5 points [+12.0, +21.0]  5 of 5       ✓ holds")


def test_the_table_is_html_in_a_notebook():
    table = ElementTree.fromstring(verdicts.verdict_table(iter(claims()))._repr_html_())
    assert [note.text for note in table.iter("caption")] == [f"({verdicts.NOTE})"]
    rows = [[cell.text for cell in row] for row in table.iter("tr")]
    assert rows[0] == ["row", "claim", "effect [95 % interval]", "seeds ahead", "verdict"]
    assert rows[2][1] == "transfer > scratch & aug. at 20"
    assert [row[-1] for row in rows[1:]] == ["✓ holds", "~ partly", "✗ fails", "✓ holds"]
    assert rows[4][2:4] == ["2.5 times [1.8, 3.4]", "5 of 5"]
