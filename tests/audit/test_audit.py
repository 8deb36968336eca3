"""The audit of a table: planted faults are found and mended, clean tables raise no alarm."""

import time
import warnings

import numpy as np
import pandas as pd
import pytest
from audit import tables_for_tests as made
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from loops import each, each_is_refused

from tlcourse import audit, runtime
from tlcourse.audit.advice import ADVICE, IMPORTS
from tlcourse.audit.findings import FIRST

SEEDS = runtime.seeds(2)
SIDE = {("missing pattern", "weight"): {("missing values", "weight")}}  # gaps are a finding too


def found(report):
    """What a report says, as data: kind and column."""
    return {(finding.kind, finding.column) for finding in report}


def planted(kind, plant, seed):
    """A table with a fault, the target that it has, and what must be found."""
    rng = np.random.default_rng([seed, 9])
    frame = made.people(rng)
    column = plant(frame, rng)
    target = "state" if "state" in frame.columns else None
    return frame, target, {(kind, column)}


def numbered(cases):
    return [(f"{i} {kind}", kind, plant) for i, (kind, plant) in enumerate(cases)]


# ── clean tables: silence ───────────────────────────────────────────────────────────────────


def test_it_is_silent_on_clean_tables():
    def is_silent(make):
        for seed in SEEDS:
            frame = make(np.random.default_rng(seed))
            assert found(audit.table(frame)) == set(), seed

    each(is_silent, [(make.__name__, make) for make in made.MADE])


def test_it_is_silent_on_the_tables_of_scikit_learn_with_their_targets():
    def is_silent(name):
        assert found(audit.table(made.loaded(name), target="target")) == set()

    each(is_silent, [(name, name) for name in made.LOADED])


def test_two_random_halves_of_a_clean_table_rarely_differ():
    """At a level of 0.3 % a table, three alarms in 56 pairs have a chance of less than one in a thousand."""
    alarms = []
    for seed in runtime.seeds(4):
        for make in made.MADE:
            frame = make(np.random.default_rng(seed))
            order = np.random.default_rng([seed, 1]).permutation(len(frame))
            if make not in (made.weather, made.measured_in_order):  # halves of these miss days
                one, other = (frame.iloc[half] for half in np.array_split(order, 2))
                alarms += found(audit.table(one, other=other))
    assert len(alarms) <= 2


# ── planted faults: each found, and nothing else; its line mends it ─────────────────────────


def test_one_planted_fault_is_found_and_nothing_else():
    assert len(made.FAULTS) >= 30 and len({kind for kind, _ in made.FAULTS}) >= 10

    def is_found(kind, plant):
        for seed in SEEDS:
            frame, target, must = planted(kind, plant, seed)
            side = set().union(*(SIDE.get(one, set()) for one in must))
            assert found(audit.table(frame, target)) == must | side, seed

    each(is_found, numbered(made.FAULTS))


def test_a_fault_between_two_tables_is_found_and_nothing_else():
    def is_found(kind, plant):
        for seed in SEEDS:
            rng = np.random.default_rng(seed)
            frame, other = made.people(rng), made.people(rng)
            column = plant(frame, other, rng)
            may = {("shift", "town")} if kind == "unseen categories" else set()
            assert found(audit.table(frame, "state", other)) - may == {(kind, column)}, seed

    each(is_found, numbered(made.BETWEEN))


def run(line, **tables):
    """Run the line of a finding; return what it leaves."""
    names = dict(tables)
    exec(IMPORTS, names)  # noqa: S102
    exec(line, names)  # noqa: S102
    return names


def test_each_line_runs_and_the_finding_is_gone():
    def is_mended(kind, plant):
        frame, target, _ = planted(kind, plant, SEEDS[0])
        while report := [f for f in audit.table(frame, target) if not ADVICE[f.kind].stays]:
            first = report[0]
            frame = run(first.mend, frame=frame.copy())["frame"]
            target = target if target in frame.columns else None
            left = found(audit.table(frame, target))
            assert (first.kind, first.column) not in left, first.mend
            assert len(left) <= len(report) + 1
        assert target or kind in ("no header", "target leaks")

    each(is_mended, numbered(made.FAULTS))


def test_each_line_about_two_tables_runs_and_the_finding_is_gone_unless_it_stays():
    def is_mended(kind, plant):
        rng = np.random.default_rng(SEEDS[0])
        frame, other = made.people(rng), made.people(rng)
        column = plant(frame, other, rng)
        (finding,) = (f for f in audit.table(frame, "state", other) if f.kind == kind)
        left = run(finding.mend, frame=frame.copy(), other=other.copy())
        after = found(audit.table(left["frame"], "state", left["other"]))
        assert ((kind, column) in after) == ADVICE[kind].stays, finding.mend
        if kind == "shift":  # weighted, this table's mean comes nearer to the other's
            cells = pd.get_dummies(frame[[column]]).to_numpy(float)
            theirs = pd.get_dummies(other[[column]]).to_numpy(float).mean(axis=0)
            off = [np.abs(np.average(cells, 0, w) - theirs).max() for w in (None, left["weights"])]
            assert off[1] < off[0] / 2

    each(is_mended, numbered(made.BETWEEN))


def test_lines_for_what_stays_do_what_they_promise():
    rng = np.random.default_rng(0)
    frame = made.people(rng)
    made.rare(frame, rng)
    (finding,) = audit.table(frame, "state")
    weights = pd.Series(run(finding.mend, frame=frame)["weights"])
    assert np.ptp(weights.groupby(frame["state"]).sum()) < 1e-6
    frame = made.people(rng).assign(family=np.arange(240) // 3)
    (finding,) = audit.table(frame, "state", groups="family")
    assert (finding.kind, finding.count) == ("groups", 240)
    left = run(finding.mend, frame=frame)
    sides = [set(frame["family"].iloc[left[side]]) for side in ("train", "test")]
    assert not sides[0] & sides[1]
    other = frame.head(9).assign(weight=1.5 + np.arange(9))
    shared = [f for f in audit.table(frame, None, other, "family") if f.kind == "shared groups"]
    assert [f.count for f in shared] == [9]
    assert not len(run(shared[0].mend, frame=frame, other=other)["other"])


def test_groups_are_told_what_a_random_division_would_have_promised():
    """Forty sites with a look of their own: what they have is not seen in the look, but known by it."""
    rng = np.random.default_rng(0)
    site = np.repeat(np.arange(40), 8)
    frame = pd.DataFrame(rng.normal(size=(40, 6))[site] + 0.1 * rng.normal(size=(320, 6)))
    frame = frame.rename(columns=str).assign(site=[f"site {k}" for k in site])
    frame["1"] = frame["1"].mask(rng.random(320) < 0.1)  # gaps do not stop it
    amount = rng.normal(size=40)[site] + 0.01 * rng.normal(size=320)

    def said(table, target=None):
        report = audit.table(table, target, groups="site")
        return next(finding.what for finding in report if finding.kind == "groups")

    ill = np.where(site % 2, "ill", "well")
    for y, what in (
        (ill, "% balanced accuracy; a random"),
        (amount, "% of the variance; a random"),
    ):
        promised = said(frame.assign(y=y), "y")
        assert what in promised and promised.endswith("], too much")
    alone = said(frame.head(40).assign(y=site[:40] < 1), "y")
    assert alone.endswith("a class has one group only: it cannot be tested on new groups")
    assert said(frame) == "40 groups have several rows"


def test_faults_are_found_together():
    rng = np.random.default_rng(SEEDS[0])
    frame = made.people(rng)
    plants = [made.FAULTS[i] for i in (0, 5, 15, 22)]
    must = {(kind, plant(frame, rng)) for kind, plant in plants}
    assert must - found(audit.table(frame, "state")) == set()


def test_all_lines_of_a_report_run_one_after_the_other_and_leave_nothing_but_gaps():
    """In their order, on tables with four faults each, and on two tables; gaps may be left to be filled."""
    kinds = [case for case in made.FAULTS if case[0] not in ("column names", "no header")]
    copied = 0
    for start in range(12):
        frame, other = (made.people(np.random.default_rng([start, k])) for k in range(2))
        for j, (_, plant) in enumerate(kinds[start::12]):
            faulty = made.people(np.random.default_rng([start, 0]))
            column = plant(faulty, np.random.default_rng([start, j, 3]))
            if column in faulty and len(faulty) == len(frame):
                frame[column if column in frame else f"{column} {j}"] = faulty[column].to_numpy()
        other = other.head(100).assign(**{"row id": np.arange(100)})
        shared = [name for name in frame if name in other]
        copies = frame[shared].iloc[20:29].assign(**{"row id": range(9)})  # before any mend
        left = {"frame": frame, "other": pd.concat([copies, other.iloc[9:]], ignore_index=True)}
        exec(IMPORTS, left)  # noqa: S102
        for finding in (first := audit.table(frame, "state", left["other"])):
            exec(finding.mend, left)  # noqa: S102
        assert len(first) >= 3
        if "overlap" in {finding.kind for finding in first}:
            copied += 1
            assert 85 < len(left["other"]) < 95
        again = audit.table(left["frame"], "state" if "state" in left["frame"] else None)
        stay = {kind for kind in ADVICE if ADVICE[kind].stays} | {"missing values"}
        assert {f.kind for f in again} <= stay, (first, again)
    assert copied > 6


def test_a_space_among_numbers_is_a_gap_and_words_between_few_numbers_are_grades():
    rng = np.random.default_rng(0)
    charges = pd.Series(rng.gamma(3, 100, 300).round(2).astype(str))
    charges[[3, 7, 20]] = " "
    report = audit.table({"charges": charges, "town": rng.choice(["Ulm", "Bonn"], 300)})
    assert [f.kind for f in report] == ["numbers as text", "missing values"]
    left = {"frame": report.frame.copy()}
    exec(IMPORTS, left)  # noqa: S102
    for finding in report:
        exec(finding.mend, left)  # noqa: S102
    assert left["frame"]["charges"].dtype == float and not left["frame"]["charges"].isna().any()
    silent = {
        "grade": rng.choice(["K", "1", "2", "3", "4", "5"], 300),
        "address": [f"10.{a}.{b}.119" for a, b in rng.integers(0, 255, (300, 2))],
        "size": [f"{a} x {b}" for a, b in rng.integers(20, 400, (300, 2))],
        "left tail": 9000 - np.exp(rng.normal(5, 0.6, 300)).round(),
    }
    assert not len(audit.table(silent)), audit.table(silent)


def test_a_target_is_never_filled():
    """Words, codes, infinities and far numbers in it: these rows are left out, and it stays a number."""
    frame = made.people(np.random.default_rng(0))
    for fault, value in (
        ("missing words", "unknown"),
        ("missing codes", -999),
        ("infinities", np.inf),
        ("text among numbers", "about 5"),
        ("outliers", 9e6),
    ):
        rows = [3] if fault == "outliers" else [3, 5, 8, 13]
        faulty = frame.astype({"weight": object})
        faulty.loc[rows, "weight"] = value
        faulty["weight"] = faulty["weight"].infer_objects()
        (finding,) = (f for f in audit.table(faulty, "weight") if f.column == "weight")
        left = run(finding.mend, frame=faulty)["frame"]
        assert finding.kind == fault and len(left) == 240 - len(rows)
        assert left["weight"].dtype.kind == "f" and left["weight"].notna().all(), fault


def test_what_only_looks_like_a_fault_is_kept():
    """As real tables have it: tickets, garages, populations, coordinates, answers in words, titles."""
    rng = np.random.default_rng(0)
    n = 400
    country, cars = rng.integers(0, 5, n), rng.integers(0, 4, n)
    codes = [f"PC {k}" if k % 7 == 0 else str(k) for k in rng.integers(10_000, 40_000, n)]
    silent = {
        "ticket": [codes[k] for k in rng.integers(0, 300, n)],
        "cars": cars,
        "garage": np.where(cars, rng.integers(200, 900, n), 0),
        "population": np.array([1_400, 60, 33, 38, 25])[country] * 1_000_000,
        "tip": np.where(rng.random(n) < 0.4, 0, rng.gamma(3, 2, n).round(2) + 0.5),
        "place": [f"({a:.4f}, {b:.4f})" for a, b in rng.uniform(10, 60, (n, 2))],
        "rate": rng.permutation(
            np.repeat([0, 33, 50, 67, 90, 95, 100], [16, 4, 5, 6, 60, 109, 200])
        ),
    }
    assert not len(audit.table(silent)), audit.table(silent)
    latitude = np.where(rng.random(n) < 0.05, 0, rng.normal(48, 0.1, n))
    with_code = audit.table({"tip": silent["tip"], "latitude": latitude})
    assert found(with_code) == {("missing codes", "latitude")}
    ages = rng.integers(16, 60, n).astype(str)
    ages[:20] = "twenty"
    (report,) = audit.table({"age": ages, "group": country})
    assert report.kind == "text among numbers"
    titles = [f"{a} and {b} cake" for a in "abcdefghij" for b in "klmnopqrst"] * 4
    titles = [title + " " * (k % 7 == 0) for k, title in enumerate(titles)]
    frame = pd.DataFrame({"title": titles, "group": country})
    (finding,) = audit.table(frame)
    left = run(finding.mend, frame=frame)["frame"]["title"]
    assert finding.kind == "spellings" and left.tolist() == [title.strip() for title in titles]


def test_columns_that_add_up_to_the_target_and_labels_that_are_spelt_otherwise_are_found():
    rng = np.random.default_rng(0)
    a, b, c = rng.integers(0, 900, (3, 300))
    report = audit.table({"casual": a, "other": c, "known": b, "all": a + b}, "all")
    assert [(f.kind, "'casual', 'known'" in f.what) for f in report] == [("target leaks", True)]
    assert "other" in run(report[0].mend, frame=report.frame)["frame"]
    noisy = {"a": a, "b": b, "y": a + b + rng.normal(0, 30, 300)}
    assert not len(audit.table(noisy, "y"))
    people = made.people(rng)
    test = made.people(rng).assign(state=lambda t: t["state"] + ".")
    kinds = {(f.kind, f.column) for f in audit.table(people, "state", test)}
    assert ("unseen categories", "state") in kinds
    ordered = people.sort_values("state")
    assert "sorted by class" in audit.table(ordered, "state").notes[1]
    with pytest.raises(ValueError, match="do you mean 'state'"):
        audit.table(people, "stat")


# ── tables that nobody can learn from: a finding, never an error ────────────────────────────

BAD = {
    "no rows": (pd.DataFrame({"a": []}), ("too few rows", "(rows)")),
    "no columns": (pd.DataFrame(index=range(5)), ("too few rows", "(rows)")),
    "one row": ([[1.0, "a"]], ("too few rows", "(rows)")),
    "nothing but NaN": (np.full((20, 2), np.nan), ("empty columns", 1)),
    "nothing but infinity": (np.full((20, 2), -np.inf), ("infinities", 0)),
    "nothing but one word": ([["a"], ["a"], ["a"]], ("constant columns", 0)),
    "lists in cells": ([[{}, [1]], [{}, [2, 3]]], ("constant columns", 0)),
    "a number too large for a float": ([["1" + "0" * 400], ["1"], ["2"]], ("infinities", 0)),
}


def test_a_bad_table_gets_a_finding():
    def gets_one(table, must):
        report = audit.table(table)
        assert must in found(report)
        assert all(finding.why.endswith(".") and finding.mend for finding in report)

    each(gets_one, [(name, *case) for name, case in BAD.items()])


def test_what_is_no_table_or_has_no_such_column_is_refused_in_a_sentence():
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    cases = [
        ((7,), "no table"),
        ((np.zeros((3, 8, 8)),), "no table"),
        ((frame, "c"), "no column 'c': the table has a, b"),
        ((frame, None, None, "c"), "no column 'c'"),
    ]
    each_is_refused(ValueError, audit.table, cases)


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(),
    st.sampled_from(["", " ", "a", "A ", "-999", "7", "$5", "5 kg", "3,6", "<5", "1.2.3", "007"]),
    st.sampled_from(["2020-01-01", "04/03/2020", "Mar 4 2020", "½", "١", "{", "\\", "'", "\x00"]),
    st.sampled_from([pd.NaT, pd.NA, pd.Timestamp("2020"), b"x", 1j, (), 10**400]),
)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_table_with_any_target_gets_a_report(data):
    width, n = data.draw(st.integers(0, 4)), data.draw(st.integers(0, 30))
    few = data.draw(st.lists(CELLS, min_size=1, max_size=6))
    column = st.lists(st.sampled_from(few), min_size=n, max_size=n)
    cells = {f"c{j}": pd.Series(data.draw(column), dtype=object) for j in range(width)}
    frame = pd.DataFrame(cells)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas warns of strange cells
        report = audit.table(
            frame, "c0" if width else None, frame[::-1], "c1" if width > 1 else None
        )
    assert str(report) == repr(report)
    for finding in report:
        assert finding.rows == tuple(finding.where[:FIRST])
        assert len(set(finding.where)) == finding.count <= n


def test_numbers_at_the_ends_of_what_a_float_holds_stop_nothing():
    ends = [0, 0, 0, 0, 1, 2, 3, -1, 7, 1e-300, 9e307, -1.7e308, np.inf, np.nan]
    for seed in range(60):
        audit.table(np.random.default_rng(seed).choice(ends, (25, 3)))


@settings(max_examples=20, deadline=None)
@given(arrays.arrays(float, (25, 3), elements=st.floats(width=64)), st.randoms())
def test_the_order_of_rows_decides_nothing_but_where(X, random):
    order = random.sample(range(25), 25)
    before, after = audit.table(X), audit.table(X[order])
    ordered = ("duplicate rows", "columns in step")
    kept, moved = ([f for f in r if f.kind not in ordered] for r in (before, after))
    assert [(f.kind, f.column, f.count) for f in kept] == [
        (f.kind, f.column, f.count) for f in moved
    ]
    for a, b in zip(kept, moved, strict=True):
        assert set(a.where) == {order[row] for row in b.where}


# ── what it takes ───────────────────────────────────────────────────────────────────────────


def test_kinds_of_columns_that_pandas_has():
    rng = np.random.default_rng(0)
    frame = made.people(rng)
    frame["town"] = frame["town"].astype("category")
    frame["age"] = frame["age"].astype("Int64")
    frame["seen"] = pd.date_range("2024-01-01", periods=240, tz="UTC")[rng.permutation(240)]
    frame["ago"] = pd.to_timedelta(rng.integers(0, 900, 240), unit="D")
    frame["well"] = pd.array(rng.choice([True, False], 240), dtype="boolean")
    assert found(audit.table(frame, "state")) == set()
    frame.loc[:8, ["age", "seen", "town", "well"]] = None
    gaps = {("missing values", name) for name in ("age", "seen", "town", "well")}
    assert found(audit.table(frame, "state")) == gaps
    for finding in audit.table(frame, "state"):
        left = run(finding.mend, frame=frame.copy())["frame"]
        assert left[finding.column].notna().all()


def test_the_report_is_an_ordered_list_that_says_why_and_what_to_do():
    rng = np.random.default_rng(0)
    frame = made.people(rng)
    frame.loc[[3, 5, 8], "height"] = np.nan
    frame["sugar"] = frame["sugar"].astype(object)
    frame.loc[[10, 11], "sugar"] = "about 5"
    lines = repr(audit.table(frame, "state")).splitlines()
    assert lines[:2] == ["240 rows, 8 columns: 2 findings", "target 'state': 2 classes"]
    assert lines[2].startswith("  1. text among numbers. One such cell makes the whole column text")
    assert lines[3] == "     'sugar': text among numbers, such as 'about 5' (2 rows: 10, 11)"
    assert lines[4].startswith(
        "      → frame['sugar'] = pd.to_numeric(frame['sugar'], errors='coerce')"
    )
    assert lines[6] == "     'height': 1.2% of the cells are empty (3 rows: 3, 5, 8)"
    many = audit.table(np.full((20, 30), np.nan))
    assert len(many) == 30 and "… and 25 more: report.text()" in repr(many)


# ── how long it takes ───────────────────────────────────────────────────────────────────────


def large(n):
    rng = np.random.default_rng(0)
    cells = {f"x{i}": rng.normal(size=n).round(4) for i in range(12)}
    cells |= {f"k{i}": rng.integers(0, 1000 * (i + 1), n) for i in range(4)}
    cells["town"] = rng.choice(["Bonn", "Kyoto", "Lima", "Rome"], n)
    cells["day"] = rng.choice(pd.date_range("2000-01-01", periods=5000).astype(str).to_numpy(), n)
    return pd.DataFrame(cells | {"key": rng.permutation(n), "y": rng.integers(0, 3, n)})


def seconds(frame):
    start = time.process_time()
    assert found(audit.table(frame, "y")) == {("identifiers", "key")}
    return time.process_time() - start


def test_ten_times_the_rows_take_at_most_some_ten_times_as_long():
    seconds(large(5_000))  # imports
    few, many = seconds(large(10_000)), seconds(large(100_000))
    assert many < 14 * few


@pytest.mark.weekly
def test_a_million_rows_of_twenty_columns_take_a_minute():
    assert seconds(large(1_000_000)) < 60
