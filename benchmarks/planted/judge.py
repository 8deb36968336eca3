"""Ask the audit about planted tables, and count what it says rightly and wrongly."""

import tempfile
import time
from collections import Counter, defaultdict
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

from tlcourse import audit
from tlcourse.audit.findings import ROWS, Finding

REFUSED = "has no row under the header"  # what is right to say of a file without rows
HEAD = "kind", "precision", "recall", "look-alikes wrong", "clean tables with a finding", "seconds"


def audited(case):
    """Return the audit's report about a case, of its frame or its file."""
    if case.written is None:
        return audit.table(case.frame.copy(), other=case.other, **case.named)
    with tempfile.TemporaryDirectory() as folder:
        path, beside = Path(folder, "table.csv"), None
        case.frame.to_csv(path, index=False, **case.written)
        if case.other is not None:
            beside = Path(folder, "other.csv")
            case.other.to_csv(beside, index=False, **case.written)
        return audit.file(path, other=beside, **case.named)


def ask(case):
    """Return the findings about a case; a crash is one, too. Progress bars are not shown."""
    try:
        with redirect_stderr(StringIO()):
            return list(audited(case))
    except Exception as error:  # noqa: BLE001 - whatever it is, it belongs into the table
        kind = "too few rows" if REFUSED in str(error) else "crash"
        return [Finding(kind, ROWS, repr(error), "", [])]


def fits(finding, said):
    """Say whether a finding is one of (kind, column)."""
    pair = {finding.column, finding.beside}
    return any((finding.kind, x) in said for x in [*(pair - {None}), frozenset(pair), "*"])


def is_open(finding, case):
    """Say whether a finding is neither right nor wrong: as listed, or of any other kind."""
    other = finding.kind not in (case.kind, "crash")
    return fits(finding, case.open) or (other and ("*", "*") in case.open)


class Score:
    """What was counted of each kind, and the misses and false alarms in words."""

    def __init__(self):
        self.counts, self.words = defaultdict(Counter), defaultdict(list)

    def add(self, case):
        """Ask the audit about a case, and count."""
        start = time.perf_counter()
        findings = ask(case)
        self.counts[case.kind or "clean"]["seconds"] += time.perf_counter() - start
        right = [f for f in findings if fits(f, case.planted | case.true)]
        wrong = [f for f in findings if f not in right and not is_open(f, case)]
        for finding in right:
            self.counts[finding.kind]["right"] += 1
        for f in wrong:
            self.counts[f.kind]["wrong"] += 1
            self.words[f.kind].append(f"wrong: {f.column!r} {f.what} ({case.kind} {case.about})")
        self._count(case, {f.kind for f in wrong}, any(fits(f, case.planted) for f in right))

    def _count(self, case, wrong, hit):
        """Count a table: whether its fault was hit, and what kinds were wrongly said of it."""
        mine = self.counts[case.kind or "clean"]
        if case.planted:
            mine.update(planted=1, found=hit)
            self.words[case.kind] += [] if hit else [f"missed: {case.about}"]
        elif case.kind:
            mine.update(alike=1, misled=case.kind in wrong)
        else:
            mine["tables"] += 1
            for kind in [*wrong, *["clean"] * bool(wrong)]:
                self.counts[kind]["alarmed"] += 1

    def precision(self, kind):
        """Return which share of the findings of a kind is right."""
        c = self.counts[kind]
        return c["right"] / max(1, c["right"] + c["wrong"])

    def recall(self, kind):
        """Return which share of the planted faults of a kind was found."""
        c = self.counts[kind]
        return c["found"] / max(1, c["planted"])

    def line(self, kind):
        """Return the cells of a kind's line of the table."""
        c = self.counts[kind]
        precision = f"{self.precision(kind):.3f}" if c["right"] + c["wrong"] else ""
        recall = f"{self.recall(kind):.3f}" if c["planted"] else ""
        misled = f"{c['misled']} of {c['alike']}" if c["alike"] else ""
        alarmed = f"{c['alarmed']} of {self.counts['clean']['tables']}"
        return kind, precision, recall, misled, alarmed, f"{c['seconds']:.1f}"

    def table(self, kinds):
        """Return the kinds, what else was said, and the clean tables as a Markdown table."""
        rest = [kind for kind in self.counts if kind not in (*kinds, "clean")]
        lines = [HEAD, ["---"] * len(HEAD), *[self.line(k) for k in [*kinds, *rest, "clean"]]]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
