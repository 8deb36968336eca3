"""The audit of a table: planted faults are found, clean tables raise no alarm, bad ones a sentence."""

import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.datasets import load_breast_cancer, load_digits, load_wine

from tlcourse import processing, runtime
from tlcourse.processing import audit, columns, findings, tables
from tlcourse.processing.__main__ import main as command

SEEDS = runtime.seeds(2)
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
        assert finding.column in repr(report) or len(report) > processing.SHOWN


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


def test_classes_are_told_from_numbers():
    rng = np.random.default_rng(0)
    for cells, classes in [
        (rng.integers(10, size=200), True),
        (["a", "b"] * 100, True),
        (rng.normal(size=200), False),
        (rng.integers(10_000, size=200), False),
    ]:
        assert processing.rows.is_classes(tables.read_column("y", cells)) == classes


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
    run = [sys.executable, "-m", "tlcourse.processing", file]
    done = subprocess.run(run, check=False, capture_output=True, text=True)
    assert done.returncode == 1 and "1 row and 2 columns: nothing to judge" in done.stdout


def test_a_large_table_takes_seconds():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100_000, 50))
    X[:50, 7] = np.nan
    start = time.process_time()
    report = audit(X, rng.integers(3, size=100_000))
    assert time.process_time() - start < 20
    assert found(report) == {("missing values", "column 7", 50)}
