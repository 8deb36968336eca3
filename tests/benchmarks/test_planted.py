"""The tables with planted faults: what is planted, and where; and what the audit makes of them."""

from itertools import chain

import pandas as pd
import planted
import pytest
from planted.judge import Score, ask

CELLS = ("missing values", "missing codes", "outliers")  # faults of cells of a column
COLUMNS = ("numbers as text", "columns in step")  # faults that are a new column


def made(kind, plant):
    return [planted.KINDS[kind].case(kind, 0, number, plant) for number in range(planted.PER)]


def differing(case):
    """(column, position) of every cell that planting changed, of columns that were there before."""
    before, after = (t.astype(object).where(t.notna(), None) for t in (case.clean, case.frame))
    return {
        (column, row)
        for column in before
        for row, (a, b) in enumerate(zip(before[column], after[column], strict=True))
        if a != b
    }


@pytest.mark.parametrize("kind", CELLS)
def test_a_planted_table_differs_from_its_clean_one_only_where_it_says(kind):
    for case in made(kind, plant=True):
        ((said, column),) = case.planted
        assert said == kind and len(case.rows) > 0, case.about
        assert differing(case) <= {(column, row) for row in case.rows}, case.about
        cells = case.frame[column].iloc[case.rows]
        assert kind != "missing values" or all(pd.isna(x) or not str(x).strip() for x in cells)


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_planted_column_leaves_the_others_as_they_were(kind):
    for case in made(kind, plant=True):
        assert differing(case) == set() and case.planted, case.about
        new = [column for column in case.frame if column not in case.clean]
        assert len(new) == 1 and all(k == kind for k, _ in case.planted), case.about
        assert any(
            new[0] in ({place} if isinstance(place, str) else place) for _, place in case.planted
        )


@pytest.mark.parametrize("kind", CELLS)
def test_a_look_alike_has_no_planted_fault_and_changes_only_what_it_says(kind):
    for case in made(kind, plant=False):
        assert case.planted == set() and case.kind == kind, case.about
        assert {row for _, row in differing(case)} <= set(() if case.rows is None else case.rows)


def test_a_seed_makes_the_same_tables_again_and_another_one_others():
    kind = planted.KINDS["outliers"]
    tables = [kind.case("outliers", seed, 0, True).frame for seed in (0, 0, 1)]
    assert tables[0].equals(tables[1]) and not tables[0].equals(tables[2])


def test_a_file_without_a_row_is_refused_and_that_is_right():
    cases = [
        case for case in made("too few rows", plant=True) if case.written and not len(case.frame)
    ]
    assert cases and all(f.kind == "too few rows" for case in cases for f in ask(case))


def test_what_is_right_wrong_and_open_is_counted():
    score, case = Score(), made("missing values", plant=True)[0]
    score.add(case)
    assert score.recall("missing values") == score.precision("missing values") == 1
    case.planted, case.true = {("missing values", "no such column")}, set()
    score.add(case)
    assert score.recall("missing values") == score.precision("missing values") == 0.5
    case.open = {("missing values", "*")}
    score.add(case)
    assert score.counts["missing values"]["wrong"] == 1
    assert len(score.words["missing values"]) == 3, "two misses and a false alarm"


@pytest.mark.weekly
def test_the_audit_finds_what_is_planted_and_little_else():
    score = Score()
    for seed in range(200, 204):
        for case in chain(planted.cases(seed), planted.clean(seed)):
            score.add(case)
    for kind in planted.KINDS:
        assert score.precision(kind) >= 0.95, score.words[kind]
        assert score.recall(kind) >= 0.90, score.words[kind]
    assert score.counts["clean"]["alarmed"] == 0, score.table(planted.KINDS)
