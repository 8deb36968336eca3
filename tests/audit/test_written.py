"""Numbers that are written as text, and categories that are written in several ways."""

import re

import numpy as np
import pytest
from audit.test_audit import column_of
from loops import each

from tlcourse.audit import tables

# ── numbers that are written as text ────────────────────────────────────────────────────────


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


def test_numbers_written_as_text_are_told_with_their_marks_and_how_to_parse_them():
    def are_told(cells, marks, numbers):
        column = column_of(cells)
        assert set(column) == {"numbers as text"}
        finding = column["numbers as text"]
        assert marks in finding.what and finding.what.endswith(repr(cells[finding.where[0]]))
        code = re.search(r"float\(text.*\)(?=\.( First| Missing|$))", finding.todo).group()
        assert [eval(code, {"text": cell}) for cell in cells] == pytest.approx(numbers)
        assert tables.read_column("a", cells).values == pytest.approx(numbers)

    each(are_told, [(name, *case) for name, case in WRITTEN.items()])


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


def test_numbers_in_thousands_beside_bare_ones_are_not_parsed_as_if_alike():
    for scale in ("k", "M", "万", "%"):
        cells = [f"{x:.1f}{scale}" if i % 3 else f"{x:.0f}" for i, x in enumerate(AMOUNTS)]
        column = column_of(cells)
        assert f"'{scale}' and bare numbers" in column["numbers as text"].what
        assert "bring them to one unit" in column["numbers as text"].todo, scale
        assert "two units" not in column, scale


def test_parsing_says_what_becomes_of_gaps_and_finds_what_else_is_wrong():
    cells = [f"${x:,.2f}" for x in AMOUNTS[:20]] + ["$9,999,999.00", "ask us", "", ""]
    column = column_of(cells)
    assert set(column) == {"numbers as text", "mixed types", "missing values", "outliers"}
    assert column["numbers as text"].todo.endswith("Missing cells become np.nan.")
    assert column["mixed types"].rows == 1 and "'ask us'" in column["mixed types"].what


OTHER_TEXT = [
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
]


def test_other_text_with_digits_is_not_taken_for_numbers():
    columns = [tables.read_column("a", cells) for cells in OTHER_TEXT]
    assert [c.values[0] for c in columns if c.numeric or c.written] == []


# ── one category, written in several ways ───────────────────────────────────────────────────


OTHERS = [
    *[("1.1M", "11M"), ("10", "1.0"), ("3,6", "36"), ("v1.10", "v11.0"), ("1 1", "11")],
    *[("11/1/2015", "1/11/2015"), ("B+", "B-"), ("B+", "B−"), ("B+", "B"), ("0+", "0-")],
    *[("C", "C++"), ("C#", "C++"), ("C", "C#"), ("a/b", "ab"), ("<5", ">5"), ("#1", "1")],
    *[("1-1", "11"), ("A-B", "AB"), ("-5 to 0", "5 to 0"), ("yes!", "yes?"), ("1_1", "11")],
]
SPELLINGS = [
    *[("New York", "new-york "), ("New York", "NEW_YORK"), ("New York", "NewYork")],
    *[("Inc", "inc."), ("type 1", "Type1"), ("Rome", " Rome"), ("two\xa0words", "two words")],
]


def test_case_space_and_a_closing_dot_are_spelling_but_no_sign_digit_or_decimal_mark():
    wrong = [pair for pair in OTHERS if "spellings" in column_of(["word", "words", *pair] * 6)]
    missed = [pair for pair in SPELLINGS if "spellings" not in column_of(["word", *pair] * 6)]
    assert (wrong, missed) == ([], [])
