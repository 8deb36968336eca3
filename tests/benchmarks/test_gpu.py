"""The tool that runs the lessons on a GPU, and the table that is made of what it stored."""

import execute
import gpu
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output


def lesson(*texts, error=None):
    cells = [
        new_code_cell(outputs=[new_output("stream", text=text)], metadata={"tags": [tag]})
        for text, tag in zip(texts, ("nbval-check-output", "other"), strict=False)
    ]
    if error:
        cells.append(new_code_cell(outputs=[new_output("error", ename="E", evalue=error)]))
    return new_notebook(cells=cells)


def test_a_run_is_compared_with_the_stored_one():
    stored = lesson("H1.1 | a | holds\nH1.2 | b | fails\n", "0.91")
    run = lesson("H1.1 | a | holds\nH1.2 | b | partly\n", "0.92", error="two devices")
    found = gpu.summary(stored, run)
    assert found["verdicts"] == ["H1.1 | a | holds", "H1.2 | b | partly"]
    assert found["other"] == ["H1.2 | b | partly"]
    assert found["errors"] == {2: "E: two devices"} and found["real data"] == []
    assert gpu.summary(stored, lesson("a", "MNIST: .9\nb"))["real data"] == ["MNIST: .9", "b"]
    assert not gpu.summary(stored, stored)["other"] + list(gpu.summary(stored, stored)["errors"])


def test_a_lesson_goes_on_after_an_error_and_its_file_stays(tmp_path):
    source = new_notebook(cells=[new_code_cell("1 / 0"), new_code_cell("print('on')")])
    source.cells[1].metadata.tags = ["nbval-check-output"]
    path = tmp_path / "lesson.ipynb"
    nbformat.write(source, path)
    before = path.read_bytes()
    found = gpu.run(path, 60)
    assert found["verdicts"] == ["on"] and "division" in found["errors"][0]
    assert found["seconds"] > 0 and path.read_bytes() == before


def test_a_lesson_that_is_not_there_is_named(capsys):
    with pytest.raises(SystemExit):
        gpu.main(["99"])
    assert "no lesson begins with" in capsys.readouterr().err


def test_what_is_stored_says_on_what_and_has_no_error():
    stored = gpu.read()
    for name, found in (item for scale in ("quick", "full") for item in stored[scale].items()):
        assert (execute.CHAPTERS / name).exists()
        assert found["device"] and found["torch"] and found["jobs"] >= 1 <= found["processes"]
        assert found["verdicts"] and not found["errors"]
        assert set(found["other"]) <= set(found["verdicts"])


def test_what_is_written_is_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu, "STORE", tmp_path / "gpu.json")
    assert gpu.read() == {}
    gpu.write({"quick": {"é": 1}})
    assert gpu.read() == {"quick": {"é": 1}} and "é" in gpu.STORE.read_text(encoding="utf-8")
