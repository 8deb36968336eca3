"""The audit of a table: planted faults are found, clean tables raise no alarm, bad ones a sentence."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.impute import SimpleImputer

import tlcourse.audit as room
from tlcourse import runtime
from tlcourse.audit import audit, columns, findings, tables
from tlcourse.audit.command import main as command

SEEDS = runtime.seeds(2)
ROOT = Path(__file__).parents[2]
CLEAN = [load_wine, load_breast_cancer, load_digits]


def found(report):
    """What a report says, as data: check, column, how many rows."""
    return {(finding.check, finding.column, finding.rows) for finding in report}


def patients(n=300, seed=0):
    """A clean table of invented patients, with names of its columns and a label."""
    rng = np.random.default_rng(seed)
    age, height = rng.integers(20, 90, n), rng.normal(170, 8, n)
    weight, sugar = rng.normal(75, 12, n), rng.lognormal(1.6, 0.2, n)
    pulse, town = rng.normal(70, 9, n), rng.choice(["Bonn", "Kyoto", "Lima"], n)
    cells = [age, height, weight, sugar, pulse, town]
    X = np.array([list(row) for row in zip(*cells, strict=True)], dtype=object)
    y = np.where(rng.random(n) < 0.4, "ill", "well").astype(object)
    return X, y, ["age", "height", "weight", "sugar", "pulse", "town"]


@pytest.mark.parametrize("seed", runtime.seeds(20))
def test_a_thousandfold_unit_is_found_whichever_rows_have_it(seed):
    """Then the two groups are other wines, whose medians differ by chance."""
    rng, X = np.random.default_rng(seed), load_wine().data
    some = rng.permutation(len(X))[:89]
    milligrams = rng.random(89) < 0.5
    column = np.where(milligrams, 1000, 1) * X[some, 7]
    report = audit(np.column_stack([X[some, :7], column]))
    (units,) = (finding for finding in report if finding.check == "two units")
    assert units.rows == min(milligrams.sum(), (~milligrams).sum())


# ── clean tables: silence ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("load", CLEAN)
def test_nothing_is_found_in_a_clean_table(load):
    data = load()
    assert found(audit(data.data, data.target, names=data.feature_names)) == set()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("load", CLEAN)
def test_nothing_is_found_in_two_random_halves_of_a_clean_table(load, seed):
    data = load()
    half, other = np.array_split(np.random.default_rng(seed).permutation(len(data.data)), 2)
    groups = np.arange(len(data.data))
    report = audit(
        data.data[half], data.target[half], groups[half], data.data[other], groups[other]
    )
    assert found(report) == set()


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_found_in_invented_patients_or_long_tails(seed):
    X, y, names = patients(seed=seed)
    assert found(audit(X, y, names=names)) == set()
    rng = np.random.default_rng(seed)
    tails = [rng.lognormal(0, 1, 20_000), rng.exponential(1, 20_000), rng.poisson(0.3, 20_000)]
    assert found(audit(np.column_stack(tails))) == set()


# ── planted faults: each found, with its column and its rows ────────────────────────────────


class Planted:
    """Half of breast cancer, the other half as a second table, and room for faults."""

    def __init__(self, seed):
        self.rng, data = np.random.default_rng(seed), load_breast_cancer()
        order = self.rng.permutation(len(data.data))
        self.names = list(data.feature_names)
        self.X, self.y = (
            data.data[order[:300]].astype(object),
            data.target[order[:300]].astype(object),
        )
        self.other = data.data[order[300:]].astype(object)
        self.groups, self.other_groups = np.arange(300), np.arange(300, 569)

    def audit(self):
        return audit(self.X, self.y, self.groups, self.other, self.other_groups, self.names)

    def some(self, n):
        """Rows of X for a fault: none of those that `twice`, `conflict` and `in_both` copy."""
        return self.rng.choice(np.arange(120, 280), n, replace=False)

    def column(self, name):
        return self.X[:, self.names.index(name)]  # a view: what is written into it is in X

    def copy(self, start, to, n):
        """Enter n rows a second time, with a row number of their own."""
        same = [j for j, name in enumerate(self.names) if name != "number"]
        self.X[to : to + n, same] = self.X[start : start + n, same]

    def add(self, name, cells, others):
        self.names.append(name)
        self.X = np.column_stack([self.X, np.asarray(cells, dtype=object)])
        self.other = np.column_stack([self.other, np.asarray(others, dtype=object)])


def write(check, name, n, cell):
    """Make a fault: n cells of a column are replaced, by a value or by a function of the old ones."""

    def plant(t):
        rows = t.some(n) if n < 160 else slice(None)
        t.column(name)[rows] = cell(t.column(name)[rows]) if callable(cell) else cell
        return {(check, name, n)}

    return plant


def constant(t):
    t.column("mean symmetry")[:] = t.other[:, t.names.index("mean symmetry")] = 1.5
    return {("constant columns", "mean symmetry", 300)}


def missing_by_label(t):
    rows = [row for row in range(120, 280) if t.y[row] == 1][:60]
    t.column("mean smoothness")[rows] = np.nan
    return {(check, "mean smoothness", 60) for check in ("missing values", "missing pattern")}


def spelling(t):
    cells = t.rng.choice(["New York", "Rome"], 300).astype(object)
    rows = [row for row in range(120, 280) if cells[row] == "New York"][:8]
    cells[rows] = "new-york "
    t.add("town", cells, t.rng.choice(["New York", "Rome"], 269))
    return {("spellings", "town", 8)}


def identifier(t):
    t.add("number", 7000 + t.rng.permutation(300), 7000 + t.rng.permutation(269))
    return {("identifiers", "number", 300)}


def copied(t):
    inches, column = 2.54, t.names.index("mean radius")
    t.add("radius in mm", t.X[:, column] * inches, t.other[:, column] * inches)
    return {("duplicate columns", "radius in mm", 300)}


def leak(t):
    stages = [f"stage {label}" for label in t.y]
    t.add("stage", stages, t.rng.choice(stages, 269))
    return {("label leaks", "stage", sum(label is not None for label in t.y))}


def huge(t):
    t.add("cells counted", t.rng.normal(1e9, 1e8, 300), t.rng.normal(1e9, 1e8, 269))
    return {("scales", "cells counted", 300)}


def same_name(t):
    t.add("mean radius", t.rng.normal(9, 1, 300), t.rng.normal(9, 1, 269))
    return {("column names", "mean radius", 300)}


def twice(t):
    t.copy(10, to=290, n=5)
    t.y[290:295] = t.y[10:15]
    return {("duplicate rows", "(rows)", 5)}


def conflict(t):
    t.copy(20, to=280, n=3)
    t.y[280:283] = 1 - t.y[20:23]
    return {("label conflicts", "(rows)", 6)}


def no_label(t):
    t.y[120:127] = None
    return {("labels", "label", 7)}


def rare(t):
    t.y[130:139] = 2
    return {("imbalance", "label", 9)}


def in_both(t):
    t.other[200:211] = t.X[100:111]
    return {("overlap", "(rows)", 11)}


def grouped(t):
    t.groups[:12] = np.arange(12) // 3
    return {("groups", "groups", 12)}


def same_groups(t):
    t.other_groups[:13] = np.arange(100, 113)
    return {("overlap", "groups", 13)}


def shifted(t):
    t.other[:, t.names.index("mean texture")] += 5
    return {("shift", "mean texture", 269)}


def inches(t):
    t.other[:, t.names.index("worst texture")] /= 2.54
    return {("other units", "worst texture", 269)}


def new_category(t):
    others = t.rng.choice(["left", "right"], 269).astype(object)
    others[:6] = "both"
    t.add("side", t.rng.choice(["left", "right"], 300), others)
    return {("unseen categories", "side", 6)}


FAULTS = {
    "no label": no_label,
    "rare": rare,
    "text": write("mixed types", "mean area", 4, "about 500"),
    "infinity": write("infinities", "area error", 3, np.inf),
    "missing": write("missing values", "mean compactness", 9, None),
    "missing word": write("missing values", "worst compactness", 8, " N/A "),
    "code": write("missing codes", "mean concavity", 6, -999),
    "outlier": write("outliers", "mean perimeter", 5, lambda cells: cells * 100),
    "negative outlier": write("outliers", "mean fractal dimension", 2, -1e4),
    "units": write("two units", "worst radius", 40, lambda cells: cells * 25.4),
    "empty": write("empty columns", "worst symmetry", 300, ""),
    "constant": constant,
    "missing by label": missing_by_label,
    "spelling": spelling,
    "identifier": identifier,
    "copy": copied,
    "leak": leak,
    "scale": huge,
    "name": same_name,
    "new category": new_category,
    "shift": shifted,
    "other units": inches,
    "duplicate": twice,
    "conflict": conflict,
    "overlap": in_both,
    "groups": grouped,
    "same groups": same_groups,
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fault", FAULTS)
def test_one_planted_fault_is_found_and_nothing_else(fault, seed):
    table = Planted(seed)
    must = FAULTS[fault](table)
    assert found(table.audit()) == must


# A column that tells every label and equal rows with two labels cannot stand in one table.
@pytest.mark.parametrize("left_out", ["leak", "conflict"])
@pytest.mark.parametrize("seed", SEEDS)
def test_every_fault_is_found_when_they_are_planted_together(seed, left_out):
    table = Planted(seed)
    must = set().union(*(plant(table) for name, plant in FAULTS.items() if name != left_out))
    assert len(must) == 27
    assert must - found(table.audit()) == set()


# ── tables that nobody can learn from: a sentence, never an error ───────────────────────────

BAD = {
    "no rows": (np.empty((0, 4)), ("size", "(rows)", 0)),
    "no columns": (np.empty((5, 0)), ("size", "(rows)", 5)),
    "an empty list": ([], ("size", "(rows)", 0)),
    "one row": ([[1.0, "a"]], ("size", "(rows)", 1)),
    "nothing but NaN": (np.full((20, 2), np.nan), ("empty columns", "column 1", 20)),
    "nothing but infinity": (np.full((20, 2), -np.inf), ("infinities", "column 0", 20)),
    "nothing but one word": ([["a"], ["a"], ["a"]], ("constant columns", "column 0", 3)),
    "mixed types": ([[1, None], ["two", 2.5], [3, True], [4, "x"]], ("mixed types", "column 0", 1)),
    "lists in cells": ([[{}, [1]], [{}, [2, 3]]], ("constant columns", "column 0", 2)),
    "an integer too large for a float": ([[10**400], [1], [2]], ("infinities", "column 0", 1)),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_table_gets_a_sentence(name):
    table, must = BAD[name]
    report = audit(table)
    assert must in found(report)
    for finding in report:
        assert finding.what and finding.todo.endswith(".")
        assert finding.column in repr(report) or len(report) > room.SHOWN


def test_two_columns_may_have_one_name():
    report = audit([[1, 2], [2, 7], [5, 1]], names=["a", "a"])
    assert found(report) == {("column names", "a", 3)}


cells = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(),
    st.sampled_from(["", "a", "A ", "-999", "7"]),
)
tables_of_anything = st.integers(0, 4).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), max_size=30)
)


@settings(max_examples=100, deadline=None)
@given(tables_of_anything, st.data())
def test_any_table_with_any_label_gets_a_report(rows, data):
    column = st.lists(cells, min_size=len(rows), max_size=len(rows))
    y, groups = data.draw(column), data.draw(column)
    other = rows[::-1] if rows and rows[0] else None
    report = audit(rows, y, groups, other, groups if other else None)
    assert str(report) == repr(report)
    for finding in report:
        assert 0 <= finding.rows <= len(rows)
        assert len(set(finding.where)) == finding.rows


@settings(max_examples=30, deadline=None)
@given(arrays.arrays(float, (25, 3), elements=st.floats(width=64)), st.randoms())
def test_the_order_of_rows_decides_nothing_but_where(X, random):
    order = random.sample(range(25), 25)
    before, after = audit(X), audit(X[order])
    kept = [f for f in before if f.check not in ("identifiers", "duplicate rows")]
    moved = [f for f in after if f.check not in ("identifiers", "duplicate rows")]
    assert [(f.check, f.column, f.rows) for f in kept] == [
        (f.check, f.column, f.rows) for f in moved
    ]
    for a, b in zip(kept, moved, strict=True):
        assert set(a.where) == {order[row] for row in b.where}


# ── what it takes ───────────────────────────────────────────────────────────────────────────


class Frame:
    """As much of a data frame as the audit uses, so that this is tested where pandas is missing."""

    def __init__(self, columns, rows):
        self.columns, self.cells, self.iloc = columns, np.array(rows, dtype=object), self

    def __len__(self):
        return len(self.cells)

    def __getitem__(self, place):
        return FrameColumn(self.cells[place])


class FrameColumn:
    def __init__(self, cells):
        self.cells = cells

    def to_numpy(self):
        return self.cells


def with_faults():
    X, y, names = patients()
    X[[3, 5, 8], 1] = None
    X[[10, 11], 3] = "high"
    return X, y, names, {("missing values", "height", 3), ("mixed types", "sugar", 2)}


def test_arrays_lists_and_frames_give_the_same_report():
    X, y, names, must = with_faults()
    reports = [audit(X, y, names=names), audit(X.tolist(), list(y), names=names)]
    reports.append(audit(Frame(names, X), y))
    assert found(reports[0]) == must
    assert len({repr(report) for report in reports}) == 1


def test_a_real_data_frame_with_nullable_columns_categories_and_dates():
    pd = pytest.importorskip("pandas")
    X, y, names, must = with_faults()
    frame = pd.DataFrame(X, columns=names)
    assert found(audit(frame, pd.Series(y, name="state"))) == must
    frame["town"] = frame["town"].astype("category")
    frame["age"] = frame["age"].astype("Int64")
    frame.loc[:3, "age"] = pd.NA
    frame["seen"] = pd.date_range("2024-01-01", periods=300)
    more = {("missing values", "age", 4), ("identifiers", "seen", 300)}
    assert found(audit(frame)) == must | more


def test_numbers_stored_as_text_are_numbers_and_none_is_a_word():
    column = tables.read_column("a", ["1", " 2.5", "1e3", "NA", "", "inf"])
    assert column.values.tolist()[:3] == [1, 2.5, 1000] and column.missing.sum() == 2
    assert not tables.read_column("a", ["none", "none", "surgery"]).missing.any()


def test_a_space_makes_another_category():
    report = audit([["Rome"], ["Rome"], ["Rome "], ["Lima"]])
    assert found(report) == {("spellings", "column 0", 1)}
    assert "'Rome ' for 'Rome'" in report[0].what


# ── numbers that are written as text ────────────────────────────────────────────────────────


def column_of(cells, name="cells"):
    """What is found in a column, beside one of numbers that repeat: check to finding."""
    report = audit([[cell, i % 7] for i, cell in enumerate(cells)], names=[name, "beside"])
    return {finding.check: finding for finding in report if finding.column == name}


AMOUNTS = np.random.default_rng(3).uniform(1_000, 90_000, 24).round(2)  # all differ
FEW = np.random.default_rng(4).uniform(1, 90, 24).round(1)
SWAP = str.maketrans(",.", ".,")
WRITTEN = {
    "dollars": ([f"${x:,.2f}" for x in AMOUNTS], "'$', thousands ','", AMOUNTS),
    "negative": ([f"-${x:,.2f}" for x in AMOUNTS], "'$'", -AMOUNTS),
    "in parentheses": ([f"({x:,.2f})" for x in AMOUNTS], "parentheses", -AMOUNTS),
    "a currency's name": ([f"USD {x}" for x in AMOUNTS], "'USD'", AMOUNTS),
    "thousands": ([f"{x:,.0f}" for x in AMOUNTS], "thousands ','", AMOUNTS.round()),
    "some thousands": ([f"{50 * x:,.0f}" for x in FEW], "thousands ','", 50 * FEW),
    "percent": ([f"{x} %" for x in FEW], "'%'", FEW),
    "kilograms": ([f"{x} kg" for x in FEW], "'kg'", FEW),
    "square metres": ([f"{x} m2" for x in FEW], "'m2'", FEW),
    "square feet": ([f"{x:,} sq ft" for x in AMOUNTS], "'sq ft'", AMOUNTS),
    "yuan": ([f"￥{x}" for x in AMOUNTS], "'￥'", AMOUNTS),
    "decimal commas": ([f"{x}".replace(".", ",") for x in FEW], "decimal commas", FEW),
    "German euros": ([f"{x:,.2f} €".translate(SWAP) for x in AMOUNTS], "thousands '.'", AMOUNTS),
    "French": ([f"{x:_.2f}".replace("_", " ").replace(".", ",") for x in AMOUNTS], "' '", AMOUNTS),
    "Swiss": ([f"{x:_.2f}".replace("_", "'") for x in AMOUNTS], 'thousands "\'"', AMOUNTS),
    "a minus sign": ([f"−{x}" for x in FEW], "'−'", -FEW),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_numbers_written_as_text_are_told_with_their_marks_and_how_to_parse_them(name):
    cells, marks, numbers = WRITTEN[name]
    column = column_of(cells)
    assert set(column) == {"numbers as text"}
    finding = column["numbers as text"]
    assert marks in finding.what and finding.what.endswith(repr(cells[finding.where[0]]))
    code = re.search(r"float\(text.*\)(?=\.( First| Missing|$))", finding.todo).group()
    assert [eval(code, {"text": cell}) for cell in cells] == pytest.approx(numbers)
    assert tables.read_column("a", cells).values == pytest.approx(numbers)


def test_a_comma_is_read_as_the_whole_column_says():
    assert tables.read_column("a", ["3,6", "36", "4,2", "36"]).values.tolist() == [3.6, 36, 4.2, 36]
    assert tables.read_column("a", ["1,234", "0,5", "0,7"]).values.tolist() == [1.234, 0.5, 0.7]
    assert "First ask whether" in column_of(["1,234", "5,678"])["numbers as text"].todo
    assert "First ask" not in column_of(["1,234", "1,234.50"])["numbers as text"].todo


def test_a_decimal_comma_among_decimal_points_changes_no_other_cell():
    cells = [f"{x:.3f}" for x in 1 + FEW / 10]
    column = tables.read_column("a", [*cells, "7,5"])
    assert column.values[:-1].tolist() == list(map(float, cells)) and not column.written


def test_what_measures_in_two_units_is_no_identifier_and_no_number_yet():
    column = column_of([f"{x} {'kg' if i % 2 else 'lb'}" for i, x in enumerate(AMOUNTS)])
    assert set(column) == {"numbers as text"}
    assert "'kg' and 'lb'" in column["numbers as text"].what
    assert "bring them to one unit" in column["numbers as text"].todo


@pytest.mark.parametrize("scale", ["k", "M", "万", "%"])
def test_numbers_in_thousands_beside_bare_ones_are_not_parsed_as_if_alike(scale):
    column = column_of([f"{x:.1f}{scale}" if i % 3 else f"{x:.0f}" for i, x in enumerate(AMOUNTS)])
    assert f"'{scale}' and bare numbers" in column["numbers as text"].what
    assert "bring them to one unit" in column["numbers as text"].todo
    assert "two units" not in column


def test_parsing_says_what_becomes_of_gaps_and_finds_what_else_is_wrong():
    cells = [f"${x:,.2f}" for x in AMOUNTS[:20]] + ["$9,999,999.00", "ask us", "", ""]
    column = column_of(cells)
    assert set(column) == {"numbers as text", "mixed types", "missing values", "outliers"}
    assert column["numbers as text"].todo.endswith("Missing cells become np.nan.")
    assert column["mixed types"].rows == 1 and "'ask us'" in column["mixed types"].what


@pytest.mark.parametrize(
    "cells",
    [
        [f"{i + 4}½" for i in range(24)],
        [f"6{i % 90 + 10} {i % 7 + 610} {i + 300}" for i in range(24)],  # telephone numbers
        [f"192.168.{i % 9 + 110}.{i + 120}" for i in range(24)],
        [f"{i % 12 + 1}/{i % 9 + 1}/2015" for i in range(24)],
        [f"{i + 1} March" for i in range(24)],
        [f"{i % 12 + 1} {'am' if i % 2 else 'pm'}" for i in range(24)],
        [f"{i + 4}th" for i in range(17)],
        [f"{i // 3 + 1}{'ABC'[i % 3]}" for i in range(24)],  # seats
        [f"1_{i}" for i in range(24)],  # which Python would read as numbers
        [f"{i}.{i % 7}.{i % 3}" for i in range(24)],
        ["2WD", "4WD"] * 12,
        ["0+", "0-", "B+", "B−"] * 6,
    ],
)
def test_other_text_with_digits_is_not_taken_for_numbers(cells):
    column = tables.read_column("a", cells)
    assert not column.numeric and not column.written


# ── one category, written in several ways ───────────────────────────────────────────────────


@pytest.mark.parametrize(
    "texts",
    [
        *[("1.1M", "11M"), ("10", "1.0"), ("3,6", "36"), ("v1.10", "v11.0"), ("1 1", "11")],
        *[("11/1/2015", "1/11/2015"), ("B+", "B-"), ("B+", "B−"), ("B+", "B"), ("0+", "0-")],
        *[("C", "C++"), ("C#", "C++"), ("C", "C#"), ("a/b", "ab"), ("<5", ">5"), ("#1", "1")],
        *[("1-1", "11"), ("A-B", "AB"), ("-5 to 0", "5 to 0"), ("yes!", "yes?"), ("1_1", "11")],
    ],
)
def test_signs_digits_and_decimal_marks_are_no_spelling(texts):
    assert "spellings" not in column_of(["word", "more words", *texts] * 6)


@pytest.mark.parametrize(
    "texts",
    [
        *[("New York", "new-york "), ("New York", "NEW_YORK"), ("New York", "NewYork")],
        *[("Inc", "inc."), ("type 1", "Type1"), ("Rome", " Rome"), ("two\xa0words", "two words")],
    ],
)
def test_case_space_and_a_closing_dot_are_spelling(texts):
    assert "spellings" in column_of(["word", *texts] * 6)


# ── advice runs on what the column holds ────────────────────────────────────────────────────


def imputers(todo):
    """The imputers that an advice names, made by its own words."""
    calls = re.findall(r"SimpleImputer\([^)]*\)", todo)
    return [eval(call, {"SimpleImputer": SimpleImputer}) for call in calls]


@pytest.mark.parametrize(
    "cells, filled",
    [
        (["tea", "coffee", "tea", None] * 10, {"tea", "missing"}),
        (["tea", "coffee", "tea", "?"] * 10, {"tea", "missing"}),
        (["1", "2", "3", "?"] * 10, {2.0}),
        ([1.0, 2.0, 3.0, np.nan] * 10, {2.0}),
    ],
)
def test_advice_for_gaps_runs_and_fills_them(cells, filled):
    finding = column_of(cells)["missing values"]
    assert ("'?' as np.nan" in finding.todo) == ("?" in cells)
    gaps = [np.nan if cell in (None, "?") else cell for cell in cells]
    X = np.array(gaps, dtype=object)[:, None]
    done = [imputer.fit_transform(X)[3, 0] for imputer in imputers(finding.todo)]
    assert set(done) == filled


def test_advice_for_gaps_in_dates_says_to_make_them_days_first():
    """SimpleImputer itself takes NaT for a huge number, without a word."""
    dates = np.array(["2024-01-01", "2024-01-05", "NaT", "2024-02-02"] * 10, dtype="M8[D]")
    dates[0] = "9999-12-31"
    report = audit(Frame(["day"], dates[:, None].astype(object)))
    assert len(report)  # dates in a column of objects are text, or numbers: no error
    found = {
        finding.check: finding for finding in findings.missing_values(tables.read(dates[:, None]))
    }
    todo = found["missing values"].todo
    assert todo.startswith("turn the dates into days, with nan for NaT; ")
    days = np.where(np.isnat(dates), np.nan, dates.astype("int64"))[:, None]
    (imputer,) = imputers(todo)
    assert imputer.fit_transform(days)[2, 0] == np.nanmedian(days)
    (far,) = columns.outliers(tables.read(dates[:, None]))
    assert far.todo.startswith("turn the dates into days")


def test_other_advice_for_text_and_whole_numbers_runs_too():
    rng, n = np.random.default_rng(0), 200
    level = rng.normal(size=n)
    text = rng.choice(["a", "b"], n).astype(object)
    text[level > 0.8] = None
    X = np.array([text, level], dtype=object).T
    (pattern,) = findings.missing_pattern(tables.read(X), None)
    assert "impute" not in pattern.todo and "category of its own" in pattern.todo
    coded = np.where(np.arange(n) % 40 == 0, -999, np.arange(n) % 7)[:, None]
    (code,) = findings.missing_codes(tables.read(coded))
    assert code.todo.endswith("in a column of floats.")  # one of integers has no nan


def test_masked_cells_are_missing():
    X = np.ma.masked_less(np.arange(40.0).reshape(20, 2) % 7, 1)
    assert found(audit(X)) >= {("missing values", "column 0", 3), ("missing values", "column 1", 3)}


def test_columns_of_the_other_table_are_found_by_name():
    X, y, names = patients()
    swapped = [1, 0, 2, 3, 4, 5]
    other = Frame([names[j] for j in swapped], patients(seed=1)[0][:, swapped])
    assert found(audit(Frame(names, X), y, other=other)) == set()


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"X": np.zeros(5)}, "1 dimension.*reshape"),
        ({"X": np.zeros((3, 8, 8))}, "3 dimension.*images.reshape"),
        ({"X": [[1, 2], [3]]}, "different lengths"),
        ({"X": 7}, "7 is no table"),
        ({"X": ["ab", "cd"]}, "1 dimension"),
        ({"X": np.zeros((3, 2)), "y": [1, 2]}, r"y has shape \(2,\) and the table 3 rows"),
        ({"X": np.zeros((3, 2)), "y": np.eye(3)}, "one entry a row"),
        ({"X": np.zeros((3, 2)), "groups": "abcd"}, "groups has shape"),
        ({"X": np.zeros((3, 2)), "names": ["a"]}, "1 names for 2 columns"),
        ({"X": np.zeros((3, 2)), "other": np.zeros((3, 1))}, "other has 1 columns, the table 2"),
        ({"X": np.zeros((3, 2)), "other_groups": [1]}, "pass groups and other too"),
    ],
)
def test_what_is_no_table_is_refused_in_a_sentence(arguments, words):
    with pytest.raises(ValueError, match=words):
        audit(**arguments)


def test_a_sparse_matrix_is_refused_in_a_sentence():
    sparse = pytest.importorskip("scipy.sparse").eye(3)
    with pytest.raises(ValueError, match="toarray"):
        audit(sparse)


# ── single checks, where the planted faults do not reach ────────────────────────────────────


def test_a_pattern_in_another_column_is_found_and_chance_is_not():
    rng = np.random.default_rng(runtime.seeds(1)[0])
    X = rng.normal(size=(400, 3))
    X[rng.random(400) < 0.2, 0] = np.nan  # MCAR
    X[(X[:, 2] > 0.5) & (rng.random(400) < 0.8), 1] = np.nan  # MAR
    checks = [(f.column, f.what[-60:]) for f in findings.missing_pattern(tables.read(X), None)]
    assert [column for column, _ in checks] == ["column 1"] and "'column 2'" in checks[0][1]


def test_counts_and_pixels_may_be_zero_everywhere_but_not_one_everywhere():
    X = np.random.default_rng(0).poisson(0.5, (200, 5)).astype(float)
    X[:, 1], X[:, 2] = 0, 1
    assert [f.column for f in columns.constants(tables.read(X))] == ["column 2"]


def test_equal_rows_of_a_coarse_table_are_chance():
    coarse = np.random.default_rng(0).integers(3, size=(200, 3))
    assert found(audit(coarse, coarse[:, 0] % 2, other=coarse)) == {
        ("label leaks", "column 0", 200)
    }


def test_a_number_that_tells_the_target_of_a_regression_is_a_leak():
    rng = np.random.default_rng(0)
    price = rng.lognormal(3, 0.3, 200)
    X = np.column_stack([rng.normal(size=200), 1.19 * price])
    assert found(audit(X, price)) == {("label leaks", "column 1", 200)}


RNG = np.random.default_rng(0)
CLASSES = {
    "digits": (RNG.integers(10, size=200), True),
    "text": (["a", "b"] * 100, True),
    "stars": (RNG.choice([1, 2, 3, 4, 5], 423, p=[0.02, 0.03, 0.1, 0.25, 0.6]), True),
    "tens": ([10, 20, 30] * 40, True),
    "signs": ([-1, 1] * 20, True),
    "a rare one": ([0] * 190 + [1] * 9 + [7], True),
    "letters": (RNG.integers(26, size=2000), True),
    "letters from 1": (1 + RNG.integers(26, size=2000), True),
    "numbers": (RNG.normal(size=200), False),
    "many whole numbers": (RNG.integers(10_000, size=200), False),
    "prices": (50 * RNG.integers(150, 200, 423), False),
    "a few prices, most of them equal": (50 * RNG.binomial(14, 0.1, 2000) + 100, True),
    "years": (RNG.integers(1990, 2020, 1000), False),
    "ages": (RNG.binomial(90, 0.4, 1000), False),
    "counts": (RNG.poisson(5, 2000), False),
    "all different": (range(9), False),
    "prices as text": ([f"${50 * k:,}" for k in RNG.integers(150, 200, 423)], False),
    "weights as text": ([f"{k} {'kg' if k % 2 else 'lb'}" for k in range(40, 90)], False),
    "dates": (np.array(["2024-01-01", "2024-01-02"] * 9, dtype="M8[D]"), False),
}


@pytest.mark.parametrize("name", CLASSES)
def test_classes_are_told_from_quantities(name):
    cells, classes = CLASSES[name]
    assert audit.rows.is_classes(tables.read_column("y", cells)) == classes


@pytest.mark.parametrize("write", [int, "${:,}".format], ids=["numbers", "text"])
def test_whole_prices_are_no_classes_in_any_check(write):
    rng = np.random.default_rng(0)
    prices = [write(50 * int(k)) for k in np.minimum(rng.geometric(0.04, 423) + 100, 180)]
    X = np.array([rng.normal(size=423), rng.integers(50, size=423)]).T
    X[400:] = X[:23]  # rows that are equal but for their prices
    checks = {finding.check for finding in audit(X, prices)}
    assert not checks & {"imbalance", "label conflicts", "label leaks"}


def test_a_column_that_tells_a_quantity_is_still_a_leak():
    """Also one that does not rise with it, as the names of models do that have one price each."""
    rng = np.random.default_rng(0)
    kind = rng.integers(30, size=600)
    price = 50 * rng.permutation(100)[kind]
    X = np.array(
        [[f"model {k}", x] for k, x in zip(kind, rng.normal(size=600), strict=True)], object
    )
    assert found(audit(X, price)) == {("label leaks", "column 0", 600)}


def test_rare_numbers_are_rare_classes_only_if_they_name_classes():
    rare = ["a"] * 95 + ["b"] * 5
    (text,) = audit.rows.labels(tables.read_column("y", rare))
    (number,) = audit.rows.labels(tables.read_column("y", [ord(c) for c in rare]))
    assert (
        text.todo.startswith("stratify")
        and number.todo == f"if these numbers name classes: {text.todo}"
    )


# ── the report and the command line ─────────────────────────────────────────────────────────


def test_the_report_is_an_ordered_list_that_says_what_to_do():
    X, y, names, _ = with_faults()
    lines = repr(audit(X, y, names=names)).splitlines()
    assert lines[0] == "300 rows, 6 columns: 2 findings"
    assert lines[1:3] == [
        "  1. mixed types",
        "     sugar, 2 rows: text among numbers, such as 'high'",
    ]
    assert lines[4] == "  2. missing values" and lines[6].startswith("      → fill them")
    assert lines[-1].startswith("nothing found: column names, spellings")


def test_a_long_list_is_cut_in_print_and_whole_as_data():
    report = audit(np.full((20, 30), np.nan))
    assert len(report) == 30 and report[29].column == "column 29"
    assert "… and 25 more, see report.findings" in repr(report)


def save(path, names, rows):
    path.write_text("\n".join(",".join(map(str, row)) for row in [names, *rows]), encoding="utf-8")
    return str(path)


def test_the_command_audits_a_file_and_its_status_says_whether_anything_was_found(tmp_path, capsys):
    X, y, names = patients()
    rows = np.column_stack([X, y, np.arange(300) // 2])
    file = save(tmp_path / "a.csv", [*names, "state", "family"], rows)
    assert command([file, "--label", "state", "--groups", "family"]) == 1
    assert "family, 300 rows: 150 groups have several rows" in capsys.readouterr().out
    clean = save(tmp_path / "b.csv", [*names, "state"], rows[:, :-1])
    assert command([clean, "--label", "state"]) == 0
    test = save(tmp_path / "test.csv", ["state", *names], np.column_stack([y, X])[:20])
    assert command([clean, "--label", "state", "--other", test]) == 1
    assert "(rows), 20 rows: rows of the other table are in this one too" in capsys.readouterr().out
    assert command([file, "--label", "state", "--groups", "family", "--other", file]) == 1
    assert "family, 300 rows: groups of the other table" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text", ["a;b\n1;2\n3;x\n", "a\tb\n1\t2\n3\tx\n", '\ufeffa,"b"\r\n1,2\r\n\r\n3,x']
)
def test_a_csv_file_may_use_other_signs(tmp_path, text):
    (tmp_path / "a.csv").write_text(text, encoding="utf-8", newline="")
    assert tables.read_csv(tmp_path / "a.csv") == (["a", "b"], [["1", "2"], ["3", "x"]])


@pytest.mark.parametrize(
    "content, arguments, words",
    [
        (b"a,b\n1,2,3\n", [], "row 2 has 3 cells, and the header has 2"),
        (b"\xff\xfe\x00", [], "no CSV file in UTF-8"),
        (b"a,b\n1,2\n", ["--label", "c"], "no column 'c': it has a, b"),
        (None, [], "cannot be opened"),
        (b"a,b\n1,2\n", ["--label", "a", "--other", "OTHER"], "different columns"),
    ],
)
def test_a_bad_file_gets_one_sentence(tmp_path, capsys, content, arguments, words):
    file = tmp_path / "a.csv"
    if content is not None:
        file.write_bytes(content)
    other = save(tmp_path / "other.csv", ["b", "c"], [[1, 2]])
    with pytest.raises(SystemExit) as stop:
        command([str(file), *(other if word == "OTHER" else word for word in arguments)])
    assert stop.value.code == 2
    assert words in capsys.readouterr().err


def test_an_empty_file_is_reported(tmp_path, capsys):
    (tmp_path / "a.csv").write_bytes(b"")
    assert command([str(tmp_path / "a.csv")]) == 1
    assert "nothing to judge" in capsys.readouterr().out


def test_the_module_runs_as_a_program(tmp_path):
    file = save(tmp_path / "a.csv", ["a", "b"], [[1, 2]])
    run = [sys.executable, "-m", "tlcourse.audit", file]
    done = subprocess.run(run, check=False, capture_output=True, text=True)
    assert done.returncode == 1 and "1 row and 2 columns: nothing to judge" in done.stdout


ENCODINGS = {
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "cp437": {"PYTHONIOENCODING": "cp437"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


def printed(arguments, encoding):
    """Run a command with its output in a file, as bytes: status, output, errors."""
    settings = {name: os.environ[name] for name in os.environ if name != "PYTHONIOENCODING"}
    run = [sys.executable, *arguments]
    environment = settings | ENCODINGS[encoding]
    done = subprocess.run(run, check=False, capture_output=True, env=environment, cwd=ROOT)
    return done.returncode, done.stdout.decode("ascii"), done.stderr.decode()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_report_is_printed_in_any_encoding(tmp_path, encoding):
    rows = [["红", 1], ["红", 2], ["红 ", 5], ["", 2], ["“蓝”", 1]] * 6
    rows += [["£5", "1−"]]
    file = save(tmp_path / "表.csv", ["颜色", "数量"], rows)
    status, text, errors = printed(["-m", "tlcourse", "audit", file, "--label", "数量"], encoding)
    assert status == 1 and errors == ""
    assert "-> give each category one spelling" in text
    assert "\\u989c\\u8272, 6 rows" in text  # 颜色
    status, text, errors = printed(["-m", "tlcourse", "audit", file, "--label", "重量"], encoding)
    assert status == 2 and text == "" and "has no column" in errors


def test_an_error_of_ours_has_its_own_status(tmp_path):
    """Python's own is 1, which says that something was found."""
    file = save(tmp_path / "a.csv", ["a", "b"], [[1, 2]])
    broken = (
        "import runpy, sys; from tlcourse.audit import command; command.audit = lambda *a, **k: 1 / 0\n"
        f"sys.argv[1:] = ['audit', {file!r}]; runpy.run_module('tlcourse', run_name='__main__')"
    )
    status, _, errors = printed(["-c", broken], "cp1252")
    assert status == 3 and "ZeroDivisionError" in errors
    status, text, _ = printed(["-m", "tlcourse", "audit", "--help"], "cp1252")
    words = " ".join(text.split())
    assert status == 0
    for part in ("0 nothing found", "1 something found", "2 no such file", "3 an error of ours"):
        assert part in words


def test_a_large_table_takes_seconds():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100_000, 50))
    X[:50, 7] = np.nan
    start = time.process_time()
    report = audit(X, rng.integers(3, size=100_000))
    assert time.process_time() - start < 20
    assert found(report) == {("missing values", "column 7", 50)}
