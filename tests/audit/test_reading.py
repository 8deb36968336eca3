"""Tables as people have them: whatever the encoding, the signs between cells, the lines on top."""

import gzip
import random
import sys

import numpy as np
import pandas as pd
import pytest
from audit import tables_for_tests as made
from loops import each

from tlcourse import audit
from tlcourse.audit.reading import read

NAMES = ["编号", "年龄", "城市"]
ROWS = [[i, 20 + i % 50, ["北京", "上海", "Köln"][i % 3]] for i in range(40)]


def lines(rows, sign=","):
    return "\n".join(sign.join(map(str, row)) for row in rows) + "\n"


def saved(folder, content, name="a.csv"):
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def test_encodings_are_found_out_and_named(tmp_path):
    western = ["number", "age", "Größe é"]

    def is_read(encoding, names, said):
        rows = [row if names is NAMES else [*row[:2], "Köln"] for row in ROWS]
        rows = [[*row[:2], row[2].replace("ö", "o")] for row in rows] if "gb" in encoding else rows
        source = read(saved(tmp_path, lines([names, *rows]).encode(encoding)))
        assert source.frame.columns.tolist() == names
        assert source.frame.iloc[:, 2].tolist() == [row[2] for row in rows]
        assert any(said in note for note in source.notes)

    cases = [
        ("utf-8", NAMES, "read_csv"),
        ("utf-8-sig", NAMES, "read_csv"),
        ("gb18030", NAMES, "read as GB18030"),
        ("utf-16", NAMES, "read as UTF-16"),
        ("utf-16-le", western, "read as UTF-16-LE"),
        ("utf-32", NAMES, "read as UTF-32"),
        ("cp1252", western, "read as cp1252"),
    ]
    each(is_read, [(case[0], *case) for case in cases])


NUMBERS = [[i, round(0.37 * i % 5, 2), "xyz"[i % 3]] for i in range(30)]
TABLE = [["k", "v", "name"], *NUMBERS]
LAYOUTS = {
    "commas": (lines(TABLE), "read_csv"),
    "semicolons": (lines(TABLE, ";"), "divided by ';'"),
    "tabs": (lines(TABLE, "\t"), "divided by tabs"),
    "bars": (lines(TABLE, "|"), "divided by '|'"),
    "spaces": (lines(TABLE, "  "), "divided by spaces"),
    "Excel's first line": ("sep=;\n" + lines(TABLE, ";"), "sep=;"),
    "comments above": ("# made by hand\n# in May\n" + lines(TABLE), "comments"),
    "comments between": (lines(TABLE[:9]) + "# a pause\n" + lines(TABLE[9:]), "comments"),
    "Windows": (lines(TABLE).replace("\n", "\r\n"), "read_csv"),
    "an old Macintosh": (lines(TABLE).replace("\n", "\r"), "read_csv"),
    "empty lines": (lines(TABLE).replace("\n", "\n\n"), "read_csv"),
    "spaces after commas": (lines(TABLE, ", "), "read_csv"),
    "quotes": ('"k","v","name"\n' + "".join(f'"{a}",{b},"{c}"\n' for a, b, c in NUMBERS), "read"),
}


def test_layouts_are_found_out_and_named(tmp_path):
    wanted = pd.DataFrame(NUMBERS, columns=["k", "v", "name"])

    def is_read(content, said):
        source = read(saved(tmp_path, content))
        pd.testing.assert_frame_equal(source.frame, wanted, check_dtype=False)
        assert any(said in note for note in source.notes) and not source.findings

    each(is_read, [(name, *case) for name, case in LAYOUTS.items()])


def test_the_line_that_read_a_file_reads_it_again(tmp_path):
    for content, _ in LAYOUTS.values():
        source = read(saved(tmp_path, content))
        line = source.notes[0].removeprefix("read by ")
        pd.testing.assert_frame_equal(eval(line, {"pd": pd}), source.frame)


def test_a_lost_header_a_name_twice_and_codes_with_zeros_are_seen(tmp_path):
    file = saved(tmp_path, lines(TABLE[3:]))
    report = audit.file(file)
    assert report[0].kind == "no header" and len(report.frame) == 28
    names = {"pd": pd}
    exec(report[0].mend, names)  # noqa: S102
    assert "no header" not in [f.kind for f in audit.table(names["frame"])]
    report = audit.file(saved(tmp_path, lines([["k", "v", "v"], *NUMBERS])))
    twice = [f for f in report if f.kind == "column names"]
    assert [f.column for f in twice] == ["v.1"] and "'v' twice" in twice[0].what
    left = {"frame": report.frame}
    exec(twice[0].mend, left)  # noqa: S102
    assert "v.1" not in left["frame"]
    codes = read(saved(tmp_path, "zip,x\n" + "".join(f"0{1000 + i},{i % 7}\n" for i in range(30))))
    assert codes.frame["zip"].tolist()[:2] == ["01000", "01001"]
    years = read(
        saved(tmp_path, lines([["1990", "1991", "1992"], *[[i, i % 5, 3] for i in range(9)]]))
    )
    assert not years.findings and len(years.frame) == 9


def test_rows_that_begin_with_a_hash_and_spaces_in_cells_are_kept(tmp_path):
    """An error of Excel in the first column, numbers such as #17, and a header are no comments."""
    rows = [["#N/A" if i % 7 == 3 else f"{i % 5}", i / 10, "ab"[i % 2]] for i in range(40)]
    for above in ("", "# made by hand\n", "# made, by hand\n# in May\n"):
        source = read(saved(tmp_path, above + lines([["k", "v", "w"], *rows])))
        assert source.frame.shape == (40, 3) and (source.frame["k"] == "#N/A").sum() == 6
    numbered = read(saved(tmp_path, lines([["#id", "v"], *[[f"#{i}", i % 4] for i in range(30)]])))
    assert numbered.frame.shape == (30, 2) and numbered.frame.columns[0] == "#id"
    spaced = [[i % 7, " oil" if i % 9 == 4 else "oil", "gas"] for i in range(40)]
    report = audit.file(saved(tmp_path, lines([["k", " fuel", "v"], *spaced])))
    kinds = {(f.kind, f.column, f.count) for f in report}
    assert {("spellings", " fuel", 4), ("column names", " fuel", 40)} <= kinds


def test_titles_above_and_notes_and_totals_below_are_left_out(tmp_path):
    rows = [[i, round(0.37 * i % 5, 2), "xyz"[i % 3], i % 7] for i in range(30)]
    body = lines([["k", "v", "name", "w"], *rows])
    wanted = pd.DataFrame(rows, columns=["k", "v", "name", "w"])
    for above in ("", "Report of May\n\n", '"Data, of May",,,\nin euro,,,\n'):
        notes = "Total,12,,99\n,,,\n(1) revised,,,\n\nLegend:,e = estimated,,\n"
        for below in ("", ",,,\n,,,\n", "Total,12,,99\n", notes):
            source = read(saved(tmp_path, above + body + below))
            pd.testing.assert_frame_equal(source.frame, wanted)
            line = source.notes[0].removeprefix("read by ")
            pd.testing.assert_frame_equal(eval(line, {"pd": pd}), source.frame)
            assert any("above the header" in note for note in source.notes) == bool(above)
            assert any("at the end left out" in note for note in source.notes) == bool(below)
    lost = read(saved(tmp_path, lines(rows) + "Total,12,,99\n"))
    assert lost.findings[0].kind == "no header" and lost.frame.shape == (30, 4)
    whole = '"a long\nname",b,c\n' + lines([[i, i % 4, i % 3] for i in range(9)])
    assert read(saved(tmp_path, whole)).frame.columns.tolist() == ["a long\nname", "b", "c"]
    indexed = read(saved(tmp_path, ",a,b\n" + lines([[i, i % 4, i % 3] for i in range(9)])))
    assert indexed.frame.shape == (9, 3)


def test_frames_and_sums_are_left_out(tmp_path):
    rows = [[i, round(0.37 * i % 5, 2), 2 * i, "xy"[i % 2]] for i in range(1, 30)]
    drawn = [
        "-" * 30,
        *lines([["k", "v", "w", "name"], ["-" * 30], *rows], "|").splitlines(),
        "-" * 30,
    ]
    source = read(saved(tmp_path, "\n".join(drawn) + "\n"))
    assert source.frame.shape == (29, 4) and "only draw a frame" in " ".join(source.notes)
    glued = 2 * lines([["k", "v", "w", "name"], *rows])
    source = read(saved(tmp_path, glued))
    assert source.frame.shape == (58, 4) and "repeated headers" in " ".join(source.notes)
    twice = read(saved(tmp_path, 2 * lines(rows)))  # rows may repeat
    assert len(twice.frame) == 58
    sums = ["", round(sum(row[1] for row in rows), 2), sum(row[2] for row in rows), ""]
    assert len(read(saved(tmp_path, lines([["k", "v", "w", "name"], *rows, sums]))).frame) == 29
    sums[1] += 1  # one sum alone may be chance
    assert len(read(saved(tmp_path, lines([["k", "v", "w", "name"], *rows, sums]))).frame) == 30


def test_points_that_mark_thousands_are_no_decimals_where_commas_are(tmp_path):
    """Of 21.328 people pandas would make 21; dates with points are no thousands."""
    rows = [
        [f"{i}.{328 + i}", f"{i},50", f"{1 + i % 28}.03.2020", f"1.2.{i}"] for i in range(1, 40)
    ]
    source = read(
        saved(
            tmp_path,
            lines(
                [
                    ["people", "share", "day", "version"],
                    *rows,
                    ["950", "1,00", "1.03.2020", "1.2.3"],
                ],
                ";",
            ),
        )
    )
    assert (
        source.frame["people"].tolist()[:2] == [1329, 2330]
        and source.frame["people"].iloc[-1] == 950
    )
    assert source.frame["share"].iloc[0] == 1.5 and source.frame["day"].iloc[0] == "2.03.2020"
    assert source.frame["version"].iloc[0] == "1.2.1"
    assert "commas mark decimals, and points thousands" in source.notes
    english = read(
        saved(tmp_path, lines([["a", "b"], *[[f"{i}.125", f"{i}.5"] for i in range(30)]]))
    )
    assert english.frame["a"].iloc[3] == 3.125


def test_japanese_tables_and_numbers_between_spaces_and_tabs_are_read(tmp_path):
    rows = [[f"東京都{k}区", 3_000, "千代田"] for k in "一二三四五六七八九十"] * 3
    source = read(
        saved(tmp_path, lines([["市区町村", "人口（人）", "備考"], *rows]).encode("cp932"))
    )
    assert source.frame.columns.tolist() == ["市区町村", "人口（人）", "備考"]
    assert any("Shift-JIS" in note for note in source.notes)
    russian = lines([["город", "число"], *[["Москва", k % 7] for k in range(30)]])
    assert "no Western text looks so" in read(saved(tmp_path, russian.encode("cp1251"))).notes[1]
    western = "name;note\n" + 30 * "it’s “new” – don’t ask;Köln, Mädchen\n"
    assert "cp1252" in read(saved(tmp_path, western.encode("cp1252"))).notes[1]
    cars = "".join(
        f'{18 + i / 7:.1f}   {4 + i % 5}   {300 + i}.0\t"ford torino {i}"\n' for i in range(30)
    )
    assert read(saved(tmp_path, cars)).frame.shape == (30, 4)


def test_one_column_raises_the_question_which_sign_divides_the_cells(tmp_path):
    source = read(saved(tmp_path, "a~b\n" + "".join(f"{i}~x\n" for i in range(9))))
    assert any("one column only" in note for note in source.notes)


REFUSED = {
    "no file": (None, "cannot be opened"),
    "empty": (b"", "is empty"),
    "only spaces": (b" \n\n", "is empty"),
    "a header only": (b"a,b\n", "no row under the header"),
    "long rows": (b"a,b\n1,2\n1,2,3\n", "cells"),
    "zeros": (b"a,b\n" + 9 * b"1,2\n" + b"\x00", "bytes of 0"),
    "a picture": (b"\x89PNG\r\n\x1a\n000", "is a picture"),
    "a zip archive": (b"PK\x03\x04000", "is an Excel file or a zip archive"),
    "gzip": (gzip.compress(b"a,b\n1,2\n"), "is a gzip archive"),
}
ARCHIVES = ("a.zip", "a.csv.gz", "a.BZ2", "a.xz")


def test_what_is_no_table_is_refused_in_one_sentence(tmp_path):
    def is_refused(content, words):
        (tmp_path / "a.csv").unlink(missing_ok=True)
        file = saved(tmp_path, content) if content is not None else tmp_path / "a.csv"
        with pytest.raises(ValueError, match=words) as error:
            read(file)
        assert "\n" not in str(error.value) and str(file) in str(error.value)

    each(is_refused, [(name, *case) for name, case in REFUSED.items()])
    for name in ARCHIVES:
        with pytest.raises(ValueError, match="ending of an archive: unpack it, or name it .csv"):
            read(saved(tmp_path, "a,b\n1,2\n", name))
    with pytest.raises(ValueError, match="cannot be opened"):
        read(tmp_path)


def test_parquet_and_excel_are_read_where_their_readers_are_installed(tmp_path, monkeypatch):
    frame = made.people(np.random.default_rng(0), 30)
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    with pd.ExcelWriter(tmp_path / "b.xlsx") as book:
        frame.to_excel(book, sheet_name="people", index=False, startrow=3)
        book.sheets["people"]["A1"] = "Report of May"
        frame.to_excel(book, sheet_name="more")
    for name in ("a.parquet", "a.xlsx", "b.xlsx"):
        source = read(tmp_path / name)
        pd.testing.assert_frame_equal(source.frame, frame, check_dtype=False)
        line = source.notes[0].removeprefix("read by ")
        pd.testing.assert_frame_equal(eval(line, {"pd": pd}), source.frame)
    assert source.notes[1:] == (
        "3 rows above the header left out",
        "sheet 'people' of 2 (people, more)",
    )
    for name, start in (("c.parquet", b"PAR1"), ("c.xlsx", b"PK\x03\x04"), ("d.xlsx", b"")):
        with pytest.raises(ValueError, match="cannot be read"):
            read(saved(tmp_path, start, name))
    for name, package in (("a.parquet", "pyarrow"), ("a.xlsx", "openpyxl")):
        monkeypatch.setitem(sys.modules, package, None)  # as where it is not installed
        monkeypatch.setitem(sys.modules, "fastparquet", None)
        with pytest.raises(ValueError, match=f"pip install {package}, or save"):
            read(tmp_path / name)


def test_texts_are_judged_alike_however_pandas_keeps_them():
    """pandas keeps texts in Python, or in Arrow where that is installed."""
    frame = made.people(np.random.default_rng(0)).assign(
        price=[f"${k + 0.5:,.2f}" for k in range(900, 1140)]
    )
    frame.loc[3:9, "town"] = "unknown"
    reports = []
    for kept in (object, pd.StringDtype("python"), pd.StringDtype("pyarrow")):
        texts = {name: kept for name in ("price", "town", "blood", "state")}
        reports.append(repr(audit.table(frame.astype(texts), "state")))
    assert "numbers as text" in reports[0] and "missing words" in reports[0]
    assert len(set(reports)) == 1


def test_the_home_folder_may_be_written_as_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    saved(tmp_path, lines(TABLE))
    assert len(read("~/a.csv").frame) == 30


def test_random_bytes_are_read_or_refused_in_a_sentence(tmp_path):
    dice = random.Random(0)
    signs = b'ab,;\t \n\r"#01.-\xff='
    for _ in range(150):
        n = dice.randrange(200)
        content = dice.randbytes(n) if dice.random() < 0.3 else bytes(dice.choices(signs, k=n))
        try:
            str(audit.file(saved(tmp_path, content)))
        except ValueError as error:
            assert "\n" not in str(error), content
