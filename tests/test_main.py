"""The commands of ``python -m tlcourse``."""

import importlib
import sys
from pathlib import Path

import pytest
from loops import each

import tlcourse.__main__ as room
from tlcourse.settings import stored

PACKAGE = Path(room.__file__).parent


@pytest.fixture(autouse=True)
def arguments_are_put_back(monkeypatch):
    monkeypatch.setattr(sys, "argv", sys.argv)


def test_without_a_command_they_are_listed(capsys):
    for arguments in ([], ["--help"], ["-h"], ["choose", "--help"]):
        assert room.main(arguments) == 0
        listed = capsys.readouterr()
        assert listed.err == ""
        for name, (_, words) in room.COMMANDS.items():
            assert f"  {name} " in listed.out and words in listed.out, name
        assert all(name in listed.out.splitlines()[-1] for name in room.CHOICES), arguments


def test_an_unknown_command_or_room_gives_status_2_and_the_list(capsys):
    for arguments in (["adut"], ["choose"], ["choose", "nothing"], ["--label"]):
        assert room.main(arguments) == 2, arguments
        listed = capsys.readouterr()
        assert (listed.out, listed.err) == ("", room.usage() + "\n"), arguments


def test_choose_knows_every_room_with_stored_settings():
    rooms = {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for path in PACKAGE.rglob("*.json")
        if path.with_suffix(".py").exists()
    }
    assert rooms == set(room.CHOICES.values())
    for name in rooms:
        choosing = importlib.import_module(f"tlcourse.{name}")
        assert callable(choosing.main) and stored(Path(choosing.__file__).with_suffix(".json")), (
            name
        )


def test_every_command_says_how_to_call_it_and_takes_no_unknown_option(capsys):
    def is_called(*command):
        for option, status in (("--help", 0), ("--no-such-option", 2)):
            with pytest.raises(SystemExit) as stop:
                room.main([*command, option])
            assert stop.value.code == status
            said = "".join(capsys.readouterr())
            assert said.startswith(f"usage: python -m tlcourse {command[0]} ")

    commands = [(name, name) for name in room.COMMANDS if name != "choose"]
    choices = [(f"choose {name}", "choose", name) for name in room.CHOICES]
    each(is_called, commands + choices)


def test_an_audit_ends_with_its_status(tmp_path, capsys):
    clean, odd = tmp_path / "clean.csv", tmp_path / "odd.csv"
    clean.write_text("a,b\n" + "".join(f"{i % 7},{i % 5}\n" for i in range(30)))
    odd.write_text("a,b\n1,2\n")
    assert room.main(["audit", str(clean)]) == 0
    assert room.main(["audit", str(odd)]) == 1
    with pytest.raises(SystemExit) as stop:
        room.main(["audit", str(tmp_path / "none.csv")])
    assert stop.value.code == 2
    assert "cannot be opened" in capsys.readouterr().err


def test_what_cannot_be_made_again_is_a_sentence(capsys):
    for name in ("pretrain", "language", "landscapes"):
        with pytest.raises(SystemExit) as stop:
            room.main([name, "nonsense"])
        assert stop.value.code == 2, name
        assert "unknown nonsense: choose of " in capsys.readouterr().err, name


def test_the_report_is_printed(capsys):
    assert room.main(["report"]) == 0
    assert "tlcourse" in capsys.readouterr().out
