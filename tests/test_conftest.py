"""How notebooks are run as tests: offline, no noise after a failure, never nothing at all."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).parent.parent
TRY_NETWORK = """
import socket, urllib.request
for attempt in (
    lambda: urllib.request.urlopen("https://github.com", timeout=5),
    lambda: socket.create_connection(("192.0.2.1", 80), timeout=5),
    lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"", ("192.0.2.1", 53)),
):
    try:
        attempt()
    except OSError as error:
        assert "a lesson must run offline" in str(error), error
    else:
        raise AssertionError("there is a network")
"""
LOOPBACK = """
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname()).close()
    socket.create_connection(("localhost", server.getsockname()[1])).close()
"""
SETTINGS = """
import os
names = ["TLCOURSE_SEED", "TLCOURSE_SCALE", "TLCOURSE_DEVICE"]
assert [os.environ[name] for name in names] == ["0", "quick", "cpu"]
assert "inline" in os.environ["MPLBACKEND"]
"""


@pytest.fixture
def run(tmp_path):
    """Run notebooks, each a list of (code, tags), under a copy of the project's own settings."""

    def run(*options, **notebooks):
        for name in ("conftest.py", "pyproject.toml"):
            shutil.copy(ROOT / name, tmp_path)
        shutil.copytree(ROOT / "tests" / "offline", tmp_path / "tests" / "offline")
        (tmp_path / "chapters").mkdir()
        for name, cells in notebooks.items():
            cells = [new_code_cell(code, metadata={"tags": tags}) for code, *tags in cells]
            nbformat.write(new_notebook(cells=cells), tmp_path / "chapters" / f"{name}.ipynb")
        environment = {key: os.environ[key] for key in os.environ if "TLCOURSE" not in key}
        environment.pop("CI", None)  # the copy is no git checkout
        environment["PYTHONPATH"] = str(tmp_path / "tests" / "offline")  # starts faster
        command = [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", "chapters"]
        how = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True}
        return subprocess.run([*command, *options], check=False, **how)

    return run


@pytest.mark.parametrize("options", [[], ["-n", "2"]])
def test_a_notebook_runs_offline_and_stops_at_its_first_failure(run, options):
    ended = run(
        *options,
        a=[[TRY_NETWORK], [LOOPBACK], [SETTINGS], ["1 / 0"], ["print('noise')"]],
        b=[["1"], ["1 / 0", "gpu"]],
    )
    assert ended.returncode == 1
    for line in [
        "PASSED chapters/a.ipynb::Cell 0",
        "PASSED chapters/a.ipynb::Cell 1",
        "PASSED chapters/a.ipynb::Cell 2",
        "FAILED chapters/a.ipynb::Cell 3",
        "an earlier cell of this notebook failed",
        "PASSED chapters/b.ipynb::Cell 0",
        "chapters/b.ipynb: needs a GPU",
        "s  chapters/a.ipynb: Cell ",
        "1 failed, 4 passed, 2 skipped",
    ]:
        assert line in ended.stdout, ended.stdout


def test_a_notebook_of_which_nothing_would_run_is_refused(run):
    ended = run(a=[["1"]], b=[["1", "nbval-skip"], ["1", "gpu"]])
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR
    assert "no code cell would run" in ended.stderr and "b.ipynb" in ended.stderr
    assert "a.ipynb" not in ended.stderr
