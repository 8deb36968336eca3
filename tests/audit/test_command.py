"""The command that audits a file: what it prints, and its exit status."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from audit.test_audit import patients
from loops import each
from tlcourse.audit.tables import read_csv

from tlcourse.audit.command import main as command

ROOT = Path(__file__).parents[2]


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


def test_a_csv_file_may_use_other_signs(tmp_path):
    for text in ("a;b\n1;2\n3;x\n", "a\tb\n1\t2\n3\tx\n", '\ufeffa,"b"\r\n1,2\r\n\r\n3,x'):
        (tmp_path / "a.csv").write_text(text, encoding="utf-8", newline="")
        assert read_csv(tmp_path / "a.csv") == (["a", "b"], [["1", "2"], ["3", "x"]]), text


def test_a_bad_file_gets_one_sentence(tmp_path, capsys):
    other = save(tmp_path / "other.csv", ["b", "c"], [[1, 2]])

    def gets_a_sentence(content, arguments, words):
        file = tmp_path / "a.csv"
        file.unlink(missing_ok=True)
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(SystemExit) as stop:
            command([str(file), *arguments])
        assert stop.value.code == 2
        assert words in capsys.readouterr().err

    cases = [
        (b"a,b\n1,2,3\n", [], "row 2 has 3 cells, and the header has 2"),
        (b"\xff\xfe\x00", [], "no CSV file in UTF-8"),
        (b"a,b\n1,2\n", ["--label", "c"], "no column 'c': it has a, b"),
        (None, [], "cannot be opened"),
        (b"a,b\n1,2\n", ["--label", "a", "--other", other], "different columns"),
    ]
    each(gets_a_sentence, [(case[2], *case) for case in cases])


def test_an_empty_file_is_reported(tmp_path, capsys):
    (tmp_path / "a.csv").write_bytes(b"")
    assert command([str(tmp_path / "a.csv")]) == 1
    assert "nothing to judge" in capsys.readouterr().out


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


def test_the_report_is_printed_in_any_encoding(tmp_path):
    rows = [["红", 1], ["红", 2], ["红 ", 5], ["", 2], ["“蓝”", 1]] * 6
    rows += [["£5", "1−"]]
    audit_it = ["-m", "tlcourse", "audit", save(tmp_path / "表.csv", ["颜色", "数量"], rows)]

    def is_printed(encoding):
        status, text, errors = printed([*audit_it, "--label", "数量"], encoding)
        assert status == 1 and errors == ""
        assert "-> give each category one spelling" in text
        assert "\\u989c\\u8272, 6 rows" in text  # 颜色
        status, text, errors = printed([*audit_it, "--label", "重量"], encoding)
        assert status == 2 and text == "" and "has no column" in errors

    each(is_printed, [(encoding, encoding) for encoding in ENCODINGS])


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
