"""What `python -m tlcourse report` prints: enough to help, and nothing private."""

import builtins
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import yaml

import tlcourse
from tlcourse import report, runtime

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in [name for name in os.environ if name.startswith("TLCOURSE_")]:
        monkeypatch.delenv(name)


def test_the_command_prints_what_a_lesson_prints_and_every_base_dependency(capsys):
    command = [sys.executable, "-m", "tlcourse", "report"]
    environment = os.environ | {"TLCOURSE_DEVICE": "cpu", "TLCOURSE_SEED": "12"}
    printed = subprocess.check_output(command, text=True, env=environment, cwd=ROOT)
    lines = dict(re.split(r" {2,}| (?=\S+$)", line, maxsplit=1) for line in printed.splitlines())
    assert lines["tlcourse"] == tlcourse.__version__
    assert lines["Python"] == ".".join(map(str, sys.version_info[:3]))
    assert (lines["device"], lines["seed"], lines["TLCOURSE_SEED"]) == ("cpu", "12", "12")
    runtime.setup()
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} <= set(lines)
    for package in ("torch", "torchvision", "numpy", "scikit-learn", "ipywidgets", "jupyterlab"):
        assert lines[package] == metadata.version(package)


def test_a_wrong_setting_is_an_answer_and_no_folder_is_named(monkeypatch):
    monkeypatch.setenv("TLCOURSE_DEVICE", "tpu")
    assert report.facts()["device"].startswith("ValueError: unknown device 'tpu': set TLCOURSE_")
    for name in ("DATA", "CACHE", "SEED", "SOMETHING_NEW"):
        monkeypatch.setenv(f"TLCOURSE_{name}", os.sep + os.path.join("srv", "ada", "data"))
    found = report.facts()
    assert "ada" not in str(found)
    assert found["TLCOURSE_DATA"] == found["TLCOURSE_SOMETHING_NEW"] == "set"


def test_what_is_broken_or_missing_does_not_stop_the_report(monkeypatch):
    def broken(name, *args):
        if name == "tlcourse":
            raise ImportError(f"{os.sep}srv{os.sep}libtorch.so: undefined symbol")
        return imported(name, *args)

    imported = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", broken)
    found = report.facts()
    assert found["device"] == "ImportError: [a path] undefined symbol"
    assert found["torch"] == metadata.version("torch")
    requires = ["no-such-package>=1", 'x; extra == "y"']
    monkeypatch.setattr(metadata, "requires", lambda name: requires)
    assert report.facts()["no-such-package"] == "missing" and "x" not in report.facts()


def test_the_issue_form_asks_chapter_cell_and_report():
    path = ROOT / ".github" / "ISSUE_TEMPLATE" / "problem.yml"
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    fields = {field["id"]: field for field in form["body"] if "id" in field}
    for name in ("chapter", "cell", "report"):
        assert fields[name]["validations"]["required"]
    assert "python -m tlcourse report" in fields["report"]["attributes"]["description"]


def test_the_citation_and_the_changelog_have_the_course_s_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["version"], citation["license"]) == (tlcourse.__version__, "Apache-2.0")
    assert citation["authors"] == [{"name": "The tlcourse developers"}]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"(?m)^## (\S+)", changelog).group(1).rstrip(",") == tlcourse.__version__
