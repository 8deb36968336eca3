"""The audit's advice is what lesson 07a measured."""

import json
import re
import string
from pathlib import Path

from tlcourse.audit.advice import ADVICE

LESSON = Path(__file__).parents[2] / "chapters" / "07a_cleaning.ipynb"
DUEL = re.compile(r"'(?P<ours>[^']+)' beats '(?P<baseline>[^']+)' \| (?P<verdict>\w+)")


def verdicts():
    """The verdicts that the lesson prints: (before the names, ours, baseline, verdict)."""
    cells = json.loads(LESSON.read_text(encoding="utf-8"))["cells"]
    (cell,) = (c for c in cells if "print_verdicts" in "".join(c["source"]))
    text = "".join(line for output in cell["outputs"] for line in output["text"])
    return text, [(m.string[m.start() - 24 : m.start()], *m.groups()) for m in DUEL.finditer(text)]


def test_no_advice_lost_against_another_and_each_has_won():
    text, duels = verdicts()
    assert len(duels) >= 6
    won = {way for advice in ADVICE.values() for way in advice.won}
    assert won == {"gaps, 5 neighbours", "mean", "mean + indicator", "repairing"}
    winners = {ours for _, ours, _, verdict in duels if verdict == "holds"}
    losers = {baseline for _, _, baseline, verdict in duels if verdict == "holds"}
    assert "gaps, 5 neighbours" in winners - losers and "mean" in winners - losers
    assert "repairing them pays | holds" in text
    # The indicator: not for few gaps without a reason, but where the reason is what is missing.
    few = [v for before, ours, _, v in duels if ours == "mean + indicator" and "10% MCAR" in before]
    assert few == ["fails"] and "MNAR: an indicator of gaps helps | holds" in text


def test_the_lines_use_what_won_and_nothing_that_lost():
    lines = {kind: [advice.line, *advice.ways.values()] for kind, advice in ADVICE.items()}
    assert "KNNImputer(n_neighbors=5)" in ADVICE["outliers"].line
    assert "strategy='mean'" in ADVICE["missing values"].line
    assert "add_indicator" not in ADVICE["missing values"].line
    assert "add_indicator=True" in ADVICE["missing pattern"].line
    for kind in ("missing values", "missing pattern", "missing codes", "outliers"):
        for line in lines[kind]:
            assert not re.search(r"clip|dropna|fillna\(0|median'|RobustScaler", line), line


def test_every_kind_says_why_and_its_lines_have_no_part_that_nobody_fills():
    known = {"column", "name", "words", "code", "usual", "codes", "cut", "factor", "where"}
    known |= {"indicator", "names", "groups", "flag", "texts", "unit", "subset", "target", "table"}
    for kind, advice in ADVICE.items():
        assert advice.why.endswith("."), kind
        for line in (advice.line, *advice.ways.values()):
            parts = {name for _, name, _, _ in string.Formatter().parse(line) if name}
            assert parts <= known, kind
