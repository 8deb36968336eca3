"""The lessons in a folder of one's own: from a checkout, from an installed course, over nothing."""

import subprocess
import sys
import venv

import course_wheel
import pytest
import start_student

from tlcourse.teaching import hand_out as room
from tlcourse.teaching.hand_out import CHECKOUT, hand_out, lessons

KINDS = {".ipynb", ".md", ".png"}


def names(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def due():
    """What git has, or would take, of what is given."""
    paths = [path for path in course_wheel.packed() if path.parts[0] == "chapters"]
    return {str(path.relative_to("chapters")) for path in paths}


def test_lessons_figures_glossary_and_releases_are_handed_out_and_no_solution(tmp_path):
    written = hand_out(tmp_path / "mine")
    assert names(tmp_path / "mine") == due()
    assert {str(path.relative_to(tmp_path / "mine")) for path in written} == due()
    assert {"01_concepts.ipynb", "glossary.md"} <= due()
    assert len([name for name in due() if name.startswith("assignments/release/")]) == 7
    assert not [name for name in due() if "source" in name.split("/")]
    for path in written:
        assert path.suffix in KINDS
        text = path.read_bytes()
        assert b"BEGIN SOLUTION" not in text and b"BEGIN HIDDEN TESTS" not in text, path
        assert text == (CHECKOUT / path.relative_to(tmp_path / "mine")).read_bytes()


def test_what_is_there_is_never_touched(tmp_path):
    (tmp_path / "01_concepts.ipynb").write_text("my own work")
    (tmp_path / "glossary.md").symlink_to(tmp_path / "elsewhere.md")
    written = hand_out(tmp_path)
    assert (tmp_path / "01_concepts.ipynb").read_text() == "my own work"
    assert not (tmp_path / "elsewhere.md").exists()
    assert len(written) == len(due()) - 2
    assert hand_out(tmp_path) == []


def test_a_file_in_the_way_is_a_sentence(tmp_path):
    (tmp_path / "mine").write_text("a file")
    command = [sys.executable, "-m", "tlcourse", "lessons", str(tmp_path / "mine")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "nothing more can be written to" in done.stderr
    assert (tmp_path / "mine").read_text() == "a file"


def test_the_hub_hands_out_the_same():
    assert start_student.hand_out is hand_out


def test_without_a_checkout_or_an_installed_course_a_sentence_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(room, "CHECKOUT", tmp_path / "nowhere")
    monkeypatch.setattr(room.metadata, "files", lambda name: None)
    with pytest.raises(FileNotFoundError, match="the lessons are not here"):
        lessons()


def test_an_installed_course_hands_out_the_same(tmp_path):
    wheel = course_wheel.build(tmp_path)
    venv.create(tmp_path / "venv", with_pip=False)
    python = next((tmp_path / "venv").glob("[bS]*/python*"))
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-index"]
    subprocess.run([*install, "--no-deps", str(wheel)], check=True, capture_output=True)
    command = [str(python), "-m", "tlcourse", "lessons", str(tmp_path / "mine")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path)
    assert names(tmp_path / "mine") == due()
    assert f"{len(due())} files are new in " in done.stdout
    again = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path)
    assert "0 files are new in " in again.stdout
