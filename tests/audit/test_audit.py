"""The audit of a table: planted faults are found, clean tables raise no alarm, bad ones a sentence."""

import re
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from loops import each, each_is_refused
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.impute import SimpleImputer
from tlcourse.audit.rows import is_classes, labels

import tlcourse.audit as room
from tlcourse import runtime
from tlcourse.audit import audit, columns, findings, tables

SEEDS = runtime.seeds(2)


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


def test_a_thousandfold_unit_is_found_whichever_rows_have_it():
    """Then the two groups are other wines, whose medians differ by chance."""

    def is_found(seed):
        rng, X = np.random.default_rng(seed), load_wine().data
        some = rng.permutation(len(X))[:89]
        milligrams = rng.random(89) < 0.5
        column = np.where(milligrams, 1000, 1) * X[some, 7]
        report = audit(np.column_stack([X[some, :7], column]))
        (units,) = (finding for finding in report if finding.check == "two units")
        assert units.rows == min(milligrams.sum(), (~milligrams).sum())

    each(is_found, [(f"seed {seed}", seed) for seed in runtime.seeds(20)])


# ── clean tables: silence ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("load", [load_wine, load_breast_cancer, load_digits])
def test_nothing_is_found_in_a_clean_table_or_two_random_halves_of_it(load):
    data = load()
    X, y, groups = data.data, data.target, np.arange(len(data.data))
    assert found(audit(X, y, names=data.feature_names)) == set()
    for seed in SEEDS:
        half, other = np.array_split(np.random.default_rng(seed).permutation(len(X)), 2)
        report = audit(X[half], y[half], groups[half], X[other], groups[other])
        assert found(report) == set(), seed


def test_nothing_is_found_in_invented_patients_or_long_tails():
    for seed in SEEDS:
        X, y, names = patients(seed=seed)
        assert found(audit(X, y, names=names)) == set(), seed
        rng = np.random.default_rng(seed)
        tails = [rng.lognormal(0, 1, 20_000), rng.exponential(1, 20_000), rng.poisson(0.3, 20_000)]
        assert found(audit(np.column_stack(tails))) == set(), seed


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


@pytest.mark.parametrize("fault", FAULTS)
def test_one_planted_fault_is_found_and_nothing_else(fault):
    for seed in SEEDS:
        table = Planted(seed)
        must = FAULTS[fault](table)
        assert found(table.audit()) == must, seed


def test_every_fault_is_found_when_they_are_planted_together():
    def are_found(left_out, seed):
        table = Planted(seed)
        must = set().union(*(plant(table) for name, plant in FAULTS.items() if name != left_out))
        assert len(must) == 27
        assert must - found(table.audit()) == set()

    # A column that tells every label and equal rows with two labels cannot stand in one table.
    cases = [(f"{out}, {seed}", out, seed) for out in ("leak", "conflict") for seed in SEEDS]
    each(are_found, cases)


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


def test_a_bad_table_gets_a_sentence():
    def gets_a_sentence(table, must):
        report = audit(table)
        assert must in found(report)
        for finding in report:
            assert finding.what and finding.todo.endswith(".")
            assert finding.column in repr(report) or len(report) > room.SHOWN

    each(gets_a_sentence, [(name, *case) for name, case in BAD.items()])


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


# ── advice runs on what the column holds ────────────────────────────────────────────────────


def column_of(cells):
    """What is found in a column, beside one of numbers that repeat: check to finding."""
    report = audit([[cell, i % 7] for i, cell in enumerate(cells)], names=["cells", "beside"])
    return {finding.check: finding for finding in report if finding.column == "cells"}


def imputers(todo):
    """The imputers that an advice names, made by its own words."""
    calls = re.findall(r"SimpleImputer\([^)]*\)", todo)
    return [eval(call, {"SimpleImputer": SimpleImputer}) for call in calls]


def test_advice_for_gaps_runs_and_fills_them():
    def are_filled(cells, filled):
        finding = column_of(cells)["missing values"]
        assert ("'?' as np.nan" in finding.todo) == ("?" in cells)
        gaps = [np.nan if cell in (None, "?") else cell for cell in cells]
        X = np.array(gaps, dtype=object)[:, None]
        done = [imputer.fit_transform(X)[3, 0] for imputer in imputers(finding.todo)]
        assert set(done) == filled

    cases = [
        ("None", ["tea", "coffee", "tea", None] * 10, {"tea", "missing"}),
        ("a word", ["tea", "coffee", "tea", "?"] * 10, {"tea", "missing"}),
        ("numbers as text", ["1", "2", "3", "?"] * 10, {2.0}),
        ("numbers", [1.0, 2.0, 3.0, np.nan] * 10, {2.0}),
    ]
    each(are_filled, cases)


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


def test_what_is_no_table_is_refused_in_a_sentence():
    X = np.zeros((3, 2))
    refused = [
        ({"X": np.zeros(5)}, "1 dimension.*reshape"),
        ({"X": np.zeros((3, 8, 8))}, "3 dimension.*images.reshape"),
        ({"X": [[1, 2], [3]]}, "different lengths"),
        ({"X": 7}, "7 is no table"),
        ({"X": ["ab", "cd"]}, "1 dimension"),
        ({"X": X, "y": [1, 2]}, r"y has shape \(2,\) and the table 3 rows"),
        ({"X": X, "y": np.eye(3)}, "one entry a row"),
        ({"X": X, "groups": "abcd"}, "groups has shape"),
        ({"X": X, "names": ["a"]}, "1 names for 2 columns"),
        ({"X": X, "other": np.zeros((3, 1))}, "other has 1 columns, the table 2"),
        ({"X": X, "other_groups": [1]}, "pass groups and other too"),
        ({"X": sparse.eye(3)}, "toarray"),
    ]
    cases = [((arguments,), words) for arguments, words in refused]
    each_is_refused(ValueError, lambda arguments: audit(**arguments), cases)


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


def test_classes_are_told_from_quantities():
    told = {
        name: is_classes(tables.read_column("y", cells)) for name, (cells, _) in CLASSES.items()
    }
    assert told == {name: classes for name, (_, classes) in CLASSES.items()}


def test_whole_prices_are_no_classes_in_any_check():
    for write_one in (int, "${:,}".format):
        rng = np.random.default_rng(0)
        amounts = np.minimum(rng.geometric(0.04, 423) + 100, 180)
        prices = [write_one(50 * int(amount)) for amount in amounts]
        X = np.array([rng.normal(size=423), rng.integers(50, size=423)]).T
        X[400:] = X[:23]  # rows that are equal but for their prices
        checks = {finding.check for finding in audit(X, prices)}
        assert not checks & {"imbalance", "label conflicts", "label leaks"}, prices[0]


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
    (text,) = labels(tables.read_column("y", rare))
    (number,) = labels(tables.read_column("y", [ord(c) for c in rare]))
    assert text.todo.startswith("stratify")
    assert number.todo == f"if these numbers name classes: {text.todo}"


# ── the report ─────────────────────────────────────────────────────────


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


def test_a_large_table_takes_seconds():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100_000, 50))
    X[:50, 7] = np.nan
    start = time.process_time()
    report = audit(X, rng.integers(3, size=100_000))
    assert time.process_time() - start < 20
    assert found(report) == {("missing values", "column 7", 50)}
