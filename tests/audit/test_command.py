"""The command: what it prints, writes and returns."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from audit import tables_for_tests as made
from loops import each

from tlcourse.audit.command import main as command

ROOT = Path(__file__).parents[2]


def save(path, names, rows):
    path.write_text("\n".join(",".join(map(str, row)) for row in [names, *rows]), encoding="utf-8")
    return str(path)


def test_the_command_audits_a_file_and_its_status_says_whether_anything_was_found(tmp_path, capsys):
    frame = made.people(np.random.default_rng(0))
    clean, family, test = (str(tmp_path / name) for name in ("a.csv", "b.csv", "test.csv"))
    frame.to_csv(clean, index=False)
    assert command([clean, "--target", "state"]) == 0
    assert "240 rows, 8 columns: 0 findings" in capsys.readouterr().out
    frame.assign(family=np.arange(240) // 2).to_csv(family, index=False)
    assert command([family, "--label", "state", "--groups", "family"]) == 1
    said = capsys.readouterr().out
    assert "120 groups have several rows; tested on new groups, a random forest has" in said
    frame.iloc[:20, ::-1].to_csv(test, index=False)
    assert command([clean, "--target", "state", "--other", test]) == 1
    said = capsys.readouterr().out
    assert "rows of the other table that are in this one too (20 rows" in said
    assert "The lines above run, on `frame` and `other`, after:\n  import io" in said


def test_all_findings_are_printed_if_asked_and_a_reader_may_stop(tmp_path, capsys):
    file = save(tmp_path / "a.csv", "abcdefgh", [[3] * 8] * 30)
    command([file])
    assert "… and 3 more" in capsys.readouterr().out
    command([file, "--all"])
    said = capsys.readouterr().out
    assert " more:" not in said and said.count("all cells have one content") == 8
    pipe = f"{sys.executable} -m tlcourse audit {file} --all | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", pipe], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert "Traceback" not in done.stderr and done.returncode in (0, 1)


def test_the_command_writes_a_page(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    frame = made.people(np.random.default_rng(0))
    frame.loc[:9, "age"] = -999
    frame.to_csv(tmp_path / "a.csv", index=False)
    assert command(["~/a.csv", "--html", "~/page.html"]) == 1
    assert f"page with pictures: {tmp_path / 'page.html'}" in capsys.readouterr().out
    assert "missing codes" in (tmp_path / "page.html").read_text(encoding="utf-8")
    with pytest.raises(SystemExit) as stop:
        command(["~/a.csv", "--html", "~/none/page.html"])
    assert stop.value.code == 2 and "cannot be written" in capsys.readouterr().err


def test_a_bad_call_gets_one_sentence_and_status_two(tmp_path, capsys):
    file = save(tmp_path / "a.csv", ["a", "b"], [[1, 2], [3, 4]])

    def gets_a_sentence(arguments, words):
        with pytest.raises(SystemExit) as stop:
            command(arguments)
        assert stop.value.code == 2
        assert words in capsys.readouterr().err

    cases = [
        ([file, "--target", "c"], "no column 'c': the table has a, b"),
        ([file, "--groups", "c"], "no column 'c'"),
        ([str(tmp_path / "none.csv")], "cannot be opened"),
        ([file, "--other", str(tmp_path / "none.csv")], "cannot be opened"),
    ]
    each(gets_a_sentence, [(case[1], *case) for case in cases])


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
    readable = "ascii" if encoding == "C" else encoding
    return done.returncode, done.stdout.decode(readable), done.stderr.decode()


def test_the_report_is_printed_in_any_encoding(tmp_path):
    rows = [["红", 1], ["红", 2], ["红 ", 5], ["", 2], ["“蓝”", 1]] * 6
    rows += [["£5", "1−"]]
    audit_it = ["-m", "tlcourse", "audit", save(tmp_path / "表.csv", ["颜色", "数量"], rows)]

    def is_printed(encoding):
        status, text, errors = printed([*audit_it, "--target", "数量"], encoding)
        assert status == 1 and errors == ""
        assert "one category written in several ways" in text and "\n      -> frame[" in text
        assert "'\\u989c\\u8272': " in text  # 颜色
        status, text, errors = printed([*audit_it, "--target", "重量"], encoding)
        assert status == 2 and text == "" and "there is no column" in errors

    each(is_printed, [(encoding, encoding) for encoding in ENCODINGS])


def test_an_error_of_ours_has_its_own_status(tmp_path):
    """Python's own is 1, which says that something was found."""
    file = save(tmp_path / "a.csv", ["a", "b"], [[1, 2]])
    broken = (
        "import runpy, sys; from tlcourse import audit; audit.file = lambda *a, **k: 1 / 0\n"
        f"sys.argv[1:] = ['audit', {file!r}]; runpy.run_module('tlcourse', run_name='__main__')"
    )
    status, _, errors = printed(["-c", broken], "cp1252")
    assert status == 3 and "ZeroDivisionError" in errors
    status, text, _ = printed(["-m", "tlcourse", "audit", "--help"], "cp1252")
    words = " ".join(text.split())
    assert status == 0
    for part in ("0 nothing found", "1 something found", "2 could not read", "3 an error of ours"):
        assert part in words
