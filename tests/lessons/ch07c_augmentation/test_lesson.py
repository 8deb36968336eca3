"""What lesson 7b calls its learners and its short training, and where the longer one stands."""

import re
from pathlib import Path

import nbformat
import pytest

pytestmark = pytest.mark.weekly
LESSON = Path(__file__).parents[3] / "chapters" / "07b_augmentation.ipynb"


@pytest.fixture(scope="module")
def cells():
    return nbformat.read(LESSON, as_version=4).cells


@pytest.fixture(scope="module")
def printed(cells):
    return "\n".join(o.get("text", "") for cell in cells for o in cell.get("outputs", []))


@pytest.fixture(scope="module")
def prose(cells):
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def claims(printed):
    return re.findall(r"^H3\.\w+ \| (.*) \| (?:holds|partly|fails)", printed, re.MULTILINE)


def test_claims_on_print_to_handwriting_name_the_60_untuned_steps(printed):
    found = [c for c in claims(printed) if re.search("AdaBN|CORAL|varying the source", c)]
    assert len(found) == 6
    assert [c for c in found if "60 untuned steps" not in c] == []


def test_the_longer_training_is_printed_beside_them(printed):
    for name in ("source as it is", "source varied"):
        assert re.search(rf"400 steps, {name}: \{{'as it is'", printed)
    assert re.search(r"against the stored 400 steps: \+\d", printed)


def test_from_scratch_is_always_said_of_a_network_with_a_name(prose, printed):
    for text in (prose, printed):
        for before in re.findall(r"([^.|]*?)[Ff]rom scratch", text):
            assert re.search(r"(?i)small network|CNN|weak learner", before[-60:]), before[-60:]
    assert [c for c in claims(printed) if re.search(r"(?<!from )scratch", c)] == []


def test_the_stronger_scratch_stands_beside_the_claim(printed):
    assert re.search(r"CNN from scratch \+ augmentation, 300 steps.*: 0\.\d+", printed)
    assert re.search(r"the probe minus that CNN: [+-]", printed)


def test_the_verdicts_do_not_pretend_to_be_older_than_the_results(prose):
    assert "fixed before" not in prose and "settled while looking at results" in prose
