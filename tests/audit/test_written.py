"""Numbers that are written as text, and categories that are written in several ways."""

import numpy as np
import pandas as pd
import pytest
from loops import each

from tlcourse import audit
from tlcourse.audit.columns import Column


def read_column(cells):
    return Column("a", pd.Series(cells, dtype=object))


def column_of(cells):
    """What is found in a column, beside one of numbers that repeat: kind to finding."""
    frame = pd.DataFrame(
        {"cells": pd.Series(cells, dtype=object), "beside": np.arange(len(cells)) % 7}
    )
    return {finding.kind: finding for finding in audit.table(frame) if finding.column == "cells"}


def mended(cells, finding):
    """The column, after the line of a finding."""
    names = {"frame": pd.DataFrame({"cells": pd.Series(cells, dtype=object)})}
    exec(audit.IMPORTS, names)  # noqa: S102
    exec(finding.mend, names)  # noqa: S102
    return names["frame"]


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
    "limits": ([f"<{x}" if x < 9 else f"{x}" for x in FEW], "limits such as '<5'", FEW),
    "a minus sign": ([f"−{x}" for x in FEW], "'−'", -FEW),
}


def test_numbers_written_as_text_are_told_with_their_marks_and_how_to_parse_them():
    def are_told(cells, marks, numbers):
        column = column_of(cells)
        assert set(column) == {"numbers as text"}
        finding = column["numbers as text"]
        assert marks in finding.what and finding.what.endswith(repr(cells[finding.where[0]]))
        assert mended(cells, finding)["cells"].tolist() == pytest.approx(numbers)
        assert read_column(cells).values == pytest.approx(numbers)

    each(are_told, [(name, *case) for name, case in WRITTEN.items()])


def test_a_comma_is_read_as_the_whole_column_says():
    assert read_column(["3,6", "36", "4,2", "36"]).values.tolist() == [3.6, 36, 4.2, 36]
    assert read_column(["1,234", "0,5", "0,7"]).values.tolist() == [1.234, 0.5, 0.7]
    assert "first ask whether" in column_of(["1,234", "5,678"])["numbers as text"].what
    assert "first ask" not in column_of(["1,234", "1,234.50"])["numbers as text"].what


def test_a_decimal_comma_among_decimal_points_changes_no_other_cell():
    cells = [f"{x:.3f}" for x in 1 + FEW / 10]
    column = read_column([*cells, "7,5"])
    assert column.values[:-1].tolist() == list(map(float, cells)) and not column.texts.notation


KILO = AMOUNTS / 1000
TWO_UNITS = {
    "kg and lb": (
        [f"{x:.2f} {'kg' if i % 2 else 'lb'}" for i, x in enumerate(KILO)],
        ("lb", 0.45359237),
    ),
    "cm and m": ([f"{x:.2f}{'cm' if i % 2 else 'm'}" for i, x in enumerate(KILO)], ("m", 100)),
    "k": ([f"{x:.1f}{'' if i % 3 else 'k'}" for i, x in enumerate(KILO)], ("k", 1000)),
    "percent": ([f"{x:.1f}{'' if i % 3 else '%'}" for i, x in enumerate(KILO)], ("%", 0.01)),
    "万": ([f"{x:.1f}{'' if i % 3 else '万'}" for i, x in enumerate(KILO)], ("万", 10_000)),
}


def test_two_units_of_one_family_are_converted():
    def is_converted(cells, unit):
        finding = column_of(cells)["numbers as text"]
        assert "several units" in finding.what
        name, factor = unit
        numbers = [
            float(c.strip("kgcmlb%万 ")) * (factor if c.endswith(name) else 1) for c in cells
        ]
        numbers = [
            float(c[:-2]) if name == "m" and c.endswith("cm") else x
            for c, x in zip(cells, numbers, strict=True)
        ]
        assert mended(cells, finding)["cells"].tolist() == pytest.approx(numbers)

    each(is_converted, [(name, *case) for name, case in TWO_UNITS.items()])


def test_degrees_are_converted_and_unknown_units_stand_beside_their_numbers():
    degrees = [f"{20 + i} °C" if i % 2 else f"{68 + 1.8 * i:.1f} °F" for i in range(20)]
    finding = column_of(degrees)["numbers as text"]
    assert mended(degrees, finding)["cells"].tolist() == pytest.approx([20 + i for i in range(20)])
    money = [f"${x:,.2f}" if i % 2 else f"€{x:,.2f}" for i, x in enumerate(AMOUNTS)]
    left = mended(money, column_of(money)["numbers as text"])
    assert left["cells"].astype(float).tolist() == pytest.approx(AMOUNTS.tolist())
    assert left["cells unit"].tolist()[:2] == ["€", "$"]


def test_gaps_and_other_text_among_numbers_with_marks_are_findings_of_their_own():
    cells = [f"${x:,.2f}" for x in AMOUNTS[:20]] + ["$9,999,999.00", "ask us", "", ""]
    column = column_of(cells)
    assert set(column) == {"numbers as text", "text among numbers", "missing values", "outliers"}
    assert (
        column["text among numbers"].count == 1 and "'ask us'" in column["text among numbers"].what
    )


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
    ["<18", "18-65", ">65"] * 8,
    [f"0{i}" for i in range(10, 34)],
]


def test_other_text_with_digits_is_not_taken_for_numbers():
    columns = [read_column(cells) for cells in OTHER_TEXT]
    assert [c.texts.unique[0] for c in columns if c.numeric or c.texts.notation] == []


# ── one category, written in several ways ───────────────────────────────────────────────────


OTHERS = [
    *[("1.1M", "11M"), ("10", "1.0"), ("3,6", "36"), ("v1.10", "v11.0"), ("1 1", "11")],
    *[("11/1/2015", "1/11/2015"), ("B+", "B-"), ("B+", "B−"), ("B+", "B"), ("0+", "0-")],
    *[("C", "C++"), ("C#", "C++"), ("C", "C#"), ("a/b", "ab"), ("<5", ">5"), ("#1", "1")],
    *[
        ("1-1", "11"),
        ("A-B", "AB"),
        ("-5 to 0", "5 to 0"),
        ("yes!", "yes?"),
        ("1_1", "11"),
        ("well-being", "wellbeing"),
    ],
]
SPELLINGS = [
    *[("New York", "new york "), ("New York", "NEW_YORK"), ("New York", "NewYork")],
    *[("Inc", "inc."), ("type 1", "Type1"), ("Rome", " Rome"), ("two\xa0words", "two words")],
]


def test_case_space_and_a_closing_dot_are_spelling_but_no_sign_digit_or_decimal_mark():
    wrong = [pair for pair in OTHERS if "spellings" in column_of(["word", "words", *pair] * 6)]
    missed = [pair for pair in SPELLINGS if "spellings" not in column_of(["word", *pair] * 6)]
    assert (wrong, missed) == ([], [])


def test_marks_behind_numbers_are_read_and_no_cell_is_lost():
    """Minus signs of accounts, spaces that do not break, flags of statistical offices; grades stay."""
    for cells, numbers in (
        (["1.213,32-", "55,10", "1.024,00", "13,20-", "7,00", "99,95"], [-1213.32, 55.1]),
        (["55-", "120", "7", "13", "88", "240-"], [-55, 120]),
        (["$(5,356.71)", "$12.00", "$1,400.50", "$(3.20)", "$7.00"], [-5356.71, 12]),
        (["9,4\u00a0%", "10,2\u00a0%", "3,3 %", "7,1\u202f%", "8,0%"], [9.4, 10.2]),
        (["43.5 b", "12.1 ", "17.0", "9.3 p", "8.8", "7.1", "5.4"], [43.5, 12.1]),
        (["12 (e)", "15", "18", "21.5", "7"], [12, 15]),
    ):
        frame = pd.DataFrame({"cells": 5 * cells})
        (finding,) = (f for f in audit.table(frame) if f.kind == "numbers as text")
        names = {"frame": frame.copy()}
        exec(audit.IMPORTS, names)  # noqa: S102
        exec(finding.mend, names)  # noqa: S102
        left = names["frame"]["cells"]
        assert left.dtype.kind in "fi" and left.notna().all(), (cells, finding.mend)
        assert left.tolist()[:2] == numbers
    for cells in (
        ["1-", "2", "2+", "3", "1", "4-"],
        ["A b", "B", "C"],
        ["5 m", "7", "8", "9", "3"],
    ):
        assert "letters" not in str(column_of(5 * cells)) and "behind" not in str(
            column_of(5 * cells)
        )


def test_numbers_among_much_text_lose_nothing_and_odd_dates_and_months_are_read(tmp_path):
    rng = np.random.default_rng(0)
    runs = [f"{k} min" if k % 9 else f"1 h {k} m" for k in rng.integers(60, 99, 90)]
    cells = [str(k) for k in rng.integers(60, 200, 300)] + ["1 h 19 min"] * 9 + runs[:20]
    frame = pd.DataFrame({"cells": cells})
    (finding,) = (f for f in audit.table(frame) if f.kind == "text among numbers")
    names = {"frame": frame.copy()}
    exec(audit.IMPORTS, names)  # noqa: S102
    exec(finding.mend, names)  # noqa: S102
    left = names["frame"]
    assert left["cells"].dtype.kind == "f" and (left.notna().sum(axis=1) == 1).all()
    flags = [*["43.5 b", "12.1", "17.0", "9.3 p", "8.8", "7.1", "5.4"] * 8, "see note", "n.n.m."]
    report = audit.table({"cells": flags})
    names["frame"] = report.frame.copy()
    for finding in report:
        exec(finding.mend, names)  # noqa: S102
    assert "text among numbers" in {f.kind for f in report}
    assert names["frame"]["cells"].dtype.kind == "f" and names["frame"]["cells flag"].nunique() == 2
    written = [*[f"${k}.50" for k in range(100, 160)], "free", "ask"]
    prices = pd.DataFrame({"y": written, "x": range(62)})
    found = [f for f in audit.table(prices, "y") if f.column == "y"]
    names["frame"] = prices.copy()
    for finding in found:
        exec(finding.mend, names)  # noqa: S102
    assert "text among numbers" in {f.kind for f in found} and len(names["frame"]) == 60
    assert names["frame"]["y"].notna().all(), "a target is never filled"
    days = ["2023-07-01", "2023-07-04", "2023-08-11", "2023-09-01", "45115", "45116"] * 9
    names["frame"] = pd.DataFrame({"cells": days})
    (finding,) = audit.table(names["frame"])
    exec(finding.mend, names)  # noqa: S102
    assert finding.kind == "mixed dates"
    assert names["frame"]["cells"].dt.strftime("%Y-%m-%d").tolist()[3:6] == [
        "2023-09-01", "2023-07-08", "2023-07-09",
    ]  # fmt: skip
    for written, meant in (
        (["2023-09-01", "05.04.2023", "31.12.2023"], ["2023-09-01", "2023-04-05", "2023-12-31"]),
        (["2023/09/01", "12/31/2023", "05/04/2023"], ["2023-09-01", "2023-12-31", "2023-05-04"]),
        (
            ["20230901", "2023-02-03 10:00", "04/03/2023"],
            ["2023-09-01", "2023-02-03", "2023-03-04"],
        ),
    ):
        names["frame"] = pd.DataFrame({"cells": 12 * written})
        (finding,) = audit.table(names["frame"])
        exec(finding.mend, names)  # noqa: S102
        assert names["frame"]["cells"].dt.strftime("%Y-%m-%d").tolist()[:3] == meant
    gaps = pd.DataFrame({"cells": [None, *["05.04.2023", "31.12.2023", "06.04.2023"] * 12]})
    (finding,) = (f for f in audit.table(gaps) if f.kind == "missing values")
    names["frame"] = gaps
    exec(finding.mend, names)  # noqa: S102
    assert str(names["frame"]["cells"].dt.date[1]) == "2023-04-05"
    file = tmp_path / "months.csv"
    months = [f"{2020 + k // 12}.{k % 12 + 1}" for k in range(36)]
    file.write_text("month,x\n" + "".join(f"{m},{k % 5}\n" for k, m in enumerate(months)))
    read = audit.file(file).frame["month"]
    assert read.tolist() == months
    yuan = column_of(["1.2万", "12345元", "3万元", "900", "88.5万"] * 6)["numbers as text"]
    left = mended(["1.2万", "12345元", "3万元", "900"], yuan)["cells"]
    assert left.tolist() == [12000, 12345, 30000, 900]
