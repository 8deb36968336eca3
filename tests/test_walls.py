"""The wall around a submission: what a program behind it sees and may do, for each way to build one."""

import compileall
import ctypes
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import types
from pathlib import Path

import grading
import psutil
import pytest
import repairing
import walls
import watching

LIMITS = walls.Limits(disk=8 * 2**20, processes=20)
# What it prints is judged out here; it needs no torch, so that it starts at once.
PROBE = """
import ctypes, json, os, pathlib, resource, socket, subprocess, sys, tlcourse
from importlib import import_module
def can(action):
    try: return action() or True
    except (OSError, AttributeError): return False
below = lambda path: sorted(os.listdir(path))
wrote = [p for p in json.loads(sys.argv[1]) if can(lambda: pathlib.Path(p, 'new').write_text('1'))]
libc = ctypes.CDLL(None)
full = 0
try:
    with open('full', 'wb') as file:
        while True: full += file.write(bytes(2**20))
except OSError: pass
os.remove('full')
started = []
while len(started) < 60 and can(lambda: started.append(subprocess.Popen(['sleep', '60']))): pass
status = pathlib.Path('/proc/self/status').read_text()
print(json.dumps({
    'library': below(tlcourse.__path__[0]), 'beside': below(pathlib.Path(tlcourse.__path__[0]).parent),
    'here': below('.'), 'wrote': wrote, 'environment': dict(os.environ), 'full': full,
    'rights': [line.split()[1] for line in status.splitlines() if line.startswith('Cap')],
    'processes': len(started), 'numbers': [p for p in os.listdir('/proc') if p.isdigit()],
    'namespace': libc.unshare(0x10000000), 'network': [n for _, n in socket.if_nameindex()],
    'remounted': libc.mount(None, b'/usr', None, 32 | 4096, None),
    'keys': libc.syscall(250, 10, -3, b'user', b'tlcourse', 0) if os.uname().machine == 'x86_64' else -1,
    'compiled': [str(p) for p in pathlib.Path(tlcourse.__path__[0]).rglob('__pycache__/*')],
    'specified': dir(import_module('tlcourse.lessons.ch03_tuning.exercises')),
    'core': can(lambda: pathlib.Path('/proc/sys/kernel/core_pattern').write_text('x')),
}))
"""


def usable():
    """The ways to build a wall on this machine without a container."""
    names = ("bubblewrap", "namespaces") if sys.platform == "linux" else ()
    names = names[1:] if os.geteuid() == 0 else names  # root needs no bubblewrap, see walls.way
    tools = [name for name in names if all(map(walls.shutil.which, walls.NEEDS[name]))]
    return [name for name in tools if walls.works(name)] or [None]


@pytest.fixture(scope="module", params=usable())
def seen(request, tmp_path_factory):
    """What a program behind a wall sees, and the places in which it tried to write."""
    if request.param is None:
        pytest.skip("this system lets nobody build a wall")
    submitted = tmp_path_factory.mktemp("submitted")
    (submitted / "data.csv").write_text("1,2")
    (submitted / "numpy.py").write_text("raise SystemExit('a file beside the notebook took over')")
    (submitted / "link.csv").symlink_to("/etc/passwd")
    os.mkfifo(submitted / "pipe")
    places = ["/", "/usr", "/etc", "/dev", "/brought", sys.prefix, str(walls.library())]
    places += [str(Path.home()), str(submitted), str(walls.HERE), "/tmp", "."]
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        room.chmod(0o755)
        walls.bring(submitted, room / "brought")
        compileall.compile_dir(walls.library() / "lessons", quiet=2)
        if platform.machine() == "x86_64":  # a secret in the keyring of our session: add_key(2)
            ctypes.CDLL(None).syscall(248, b"user", b"tlcourse", b"secret", 6, -3)
        command = [*walls.WAYS[request.param](room, LIMITS), sys.executable, "-c", PROBE]
        environment = os.environ | {"TLCOURSE_HIDDEN_SEED": "7"}
        options = {"env": environment, "capture_output": True, "text": True, "timeout": 60}
        done = subprocess.run([*command, json.dumps(places)], check=False, **options)
        assert not done.returncode, done.stderr
    assert list(submitted.iterdir()) and not (submitted / "new").exists()
    return json.loads(done.stdout) | {"way": request.param}


def test_it_sees_a_copy_of_its_own_files_and_the_library_and_writes_at_home_only(seen):
    assert seen["here"] == ["data.csv", "new", "numpy.py"]
    above = walls.library().parent
    packages = [p for p in walls.installed() if p.is_relative_to(above)]  # such as .venv
    assert set(seen["beside"]) == {"tlcourse", *(p.relative_to(above).parts[0] for p in packages)}
    assert {"__init__.py", "teaching", "lessons"} <= set(seen["library"])
    assert {"/tmp", "."} <= set(seen["wrote"]) <= {"/tmp", ".", str(Path.home())}
    assert not any("SEED" in name for name in seen["environment"])
    assert seen["environment"]["HOME"] == walls.HOME


def test_the_specifications_of_the_exercises_are_not_there(seen):
    assert not [name for name in seen["specified"] if not name.startswith("__")]
    assert seen["compiled"] == [] and seen["keys"] == -1


def test_it_has_no_rights_no_network_and_no_way_to_get_them(seen):
    assert {int(right, 16) for right in seen["rights"]} == {0}
    assert set(seen["network"]) <= {"lo"}
    assert seen["remounted"] == -1 and not seen["core"]
    assert seen["namespace"] == -1 or seen["way"] == "bubblewrap"  # where it gives nothing back


def test_it_cannot_fill_the_disk_or_start_without_end_and_sees_only_what_it_started(seen):
    assert 0 < seen["full"] <= LIMITS.disk
    assert 0 < seen["processes"] < 60
    assert len(seen["numbers"]) <= seen["processes"] + 2


def test_links_pipes_and_heaps_are_not_read(tmp_path, monkeypatch):
    (tmp_path / "a.ipynb").write_text("{}")
    assert repairing.unreadable(tmp_path) == ""
    monkeypatch.setattr(repairing, "LARGEST_NOTEBOOK", 1)
    assert "MB: ask for it without outputs" in repairing.unreadable(tmp_path)
    monkeypatch.setattr(repairing, "MOST_FILES", 0)
    (tmp_path / "a.ipynb").rename(tmp_path / "a.csv")
    assert "ask for the notebook only" in repairing.unreadable(tmp_path)
    monkeypatch.undo()
    (tmp_path / "b.ipynb").write_text('{"metadata": [' + "{}," * repairing.MOST_PARTS + "{}]}")
    assert "'b.ipynb' has too many parts" in repairing.unreadable(tmp_path)
    (tmp_path / "b.ipynb").unlink()
    for hour, fine in (("2026-11-28 20:15:00.123 UTC", True), ("a." * 60, False), ("soon", False)):
        (tmp_path / "timestamp.txt").write_text(hour)
        assert (repairing.unreadable(tmp_path) == "") is fine, hour
    (tmp_path / "timestamp.txt").unlink()
    (tmp_path / "folder").symlink_to(tmp_path)
    assert "'folder' is a link" in repairing.unreadable(tmp_path)


def test_an_error_over_one_submission_stops_no_other(monkeypatch):
    def fails(*_):
        raise IsADirectoryError("a folder\nnamed like a notebook")

    monkeypatch.setattr(grading, "grade", fails)
    monkeypatch.setattr(grading, "NbGraderAPI", lambda config: None)
    monkeypatch.setattr(
        grading, "PyFileConfigLoader", lambda name: types.SimpleNamespace(load_config=dict)
    )
    worked, line = grading.line_of("01_concepts", "eve")
    assert not worked
    assert line.endswith("NOT GRADED: IsADirectoryError: a folder named like a notebook")


def test_without_a_wall_nothing_is_graded_unless_the_instructor_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(walls, "way", lambda: None)
    monkeypatch.delenv("TLCOURSE_TRUST", raising=False)
    monkeypatch.chdir(tmp_path)
    for folder in ("release/a", "submitted/ada/a"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.ipynb").write_text('{"cells": []}')
    with pytest.raises(SystemExit, match="Install bubblewrap.*--trust"):
        grading.main(["a"])
    monkeypatch.setenv("TLCOURSE_TRUST", "1")
    room = tmp_path / "room"
    walls.bring(None, room / "brought")
    command = [*walls.unwalled(room, LIMITS), sys.executable, "-c", "import os; print(os.getcwd())"]
    environment = walls.environment(room)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()) == room / "home" / "work"
    assert "PASSWORD" not in environment and environment["HOME"] == str(room / "home")


def watched(command, limits, seconds=30.0):
    """A watch over what a command started, after some seconds or its verdict."""
    held = types.SimpleNamespace(process=subprocess.Popen(["sh", "-c", command]))
    watch, used = watching.Watch(held, limits), 0.0
    end = time.monotonic() + seconds
    while not watch.said and time.monotonic() < end:
        watch.over.wait(0.1)
    for process in psutil.Process(held.process.pid).children():
        used += watching.seconds_of(process)
        process.kill()
    held.process.kill()
    watch.stop()
    return watch, used


@pytest.mark.parametrize("limit", ["memory", "left"])
def test_a_submission_that_takes_too_much_memory_is_ended(limit):
    limits = walls.Limits(memory=1) if limit == "memory" else walls.Limits(left=2**60)
    watch, _ = watched("sleep 60 & sleep 60", limits)
    assert {"memory": "GiB of memory", "left": "no memory left"}[limit] in watch.said


def test_a_submission_leaves_processors_to_others(monkeypatch):
    monkeypatch.setattr(watching, "BURST", 0.1)
    busy = "while :; do :; done"
    watch, used = watched(f"{busy} & {busy} & wait", walls.Limits(cores=0.02), seconds=4)
    assert not watch.said and used < 1.5, "two of them would use up to 8 seconds"
