"""The page: one file, every suspicious column drawn, no name can break out of it."""

import base64
import re
from xml.etree import ElementTree

import numpy as np
from audit import tables_for_tests as made

from tlcourse import audit
from tlcourse.audit.page import page

ODD = "<b>$x_1$ 颜色 & \x07"


def faulty():
    rng = np.random.default_rng(0)
    frame, other = made.people(rng), made.people(rng)
    for i in (0, 5, 11):
        made.FAULTS[i][1](frame, rng)
    made.rare(frame, rng)
    frame[ODD] = frame["weight"] * 2.2
    other[ODD] = other["weight"] = other["weight"] + 9
    other["blood"] = "<i>"
    return audit.table(frame, "state", other)


def test_the_page_holds_everything_and_draws_what_was_found():
    report = faulty()
    html = page(report, "<script>表", "state")
    assert {"missing codes", "columns in step", "shift", "imbalance"} <= {f.kind for f in report}
    assert not re.search(r"<(script|b>\$|i>)|https?://|src=\"(?!data:)", html)
    assert "&lt;b&gt;$x_1$ 颜色 &amp;" in html and "&lt;script&gt;表" in html
    for finding in report:
        assert finding.kind in html and finding.why[:20] in html
    pictures = [base64.b64decode(data) for data in re.findall(r"svg\+xml;base64,([^\"]+)", html)]
    assert len(pictures) >= 6
    words = " ".join(" ".join(ElementTree.fromstring(p).itertext()) for p in pictures)
    assert "颜色" in words and "black: missing" in words and "the other" in words


def test_a_silent_audit_has_a_page_too():
    report = audit.table(made.people(np.random.default_rng(0)), "state")
    html = page(report, "clean", "state")
    assert "Silence is no proof" in html and "<img" not in html
    assert "too few rows" in page(audit.table([[1]]), "one")
