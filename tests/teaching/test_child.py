"""The real process: nothing a function does keeps a check waiting, and the next check finds another one."""

import _thread
import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from answers import RIGHT_ONE, WRONG, examined
from loops import each, each_is_refused

from tlcourse.teaching import check as room
from tlcourse.teaching.check import examine
from tlcourse.teaching.child import Child
from tlcourse.teaching.exercise import catalogue
from tlcourse.teaching.guard import Crash, Gone, TimeUp
from tlcourse.teaching.plain import SIZE, pack
from tlcourse.teaching.values import Mistake


@pytest.fixture(scope="module")
def child():
    child = Child()
    yield child
    child.close()


def test_functions_of_a_notebook_and_what_they_use_travel_along(child):
    offset, module = 3, torch.nn.Linear(1, 1)

    class Adds:
        def __call__(self, x):
            return x + offset

    def nested(x):
        return Adds()(x) + np.ones(2)

    assert child.hold("f", nested)(1).tolist() == [5, 5]
    assert child.hold("f", Adds())(1) == 4
    assert child.hold("f", lambda x: module(torch.ones(1, 1)) * 0 + x)(2).item() == 2
    assert child.hold("f", max)(1, 2) == 2


def test_what_cannot_travel_is_a_sentence(child):
    lock = threading.Lock()

    class Heavy:
        def __reduce__(self):
            raise SystemExit

    heavy = Heavy()
    functions = [lambda: lock, lambda: heavy]
    cases = [(("f", function), "cannot be taken to the process") for function in functions]
    each_is_refused(Mistake, child.hold, cases)


def test_an_own_module_that_was_edited_is_loaded_anew(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_helper.py").write_text("def f():\n    return 1\n", encoding="utf-8")
    import own_helper

    child = Child(folder=tmp_path)
    assert child.hold("f", own_helper.f)() == 1
    (tmp_path / "own_helper.py").write_text("def f():\n    return 'new'\n", encoding="utf-8")
    assert child.hold("f", own_helper.f)() == "new"
    child.close()


# ── what never ends, and what ends too soon ─────────────────────────────────────────────────


def keeps_the_interpreter(*inputs):
    return sum(range(10**11))


def prints_and_catches_all(*inputs):
    while True:
        try:
            print("x" * 1000)
        except:  # noqa: E722, S110
            pass


def leaves(*inputs):
    os._exit(0)


def writes_to_our_pipe(*inputs):
    forged = pack({"value": "nothing moved", "solved": True})
    for number in range(3, 20):
        try:
            os.write(number, SIZE.pack(10**15) + forged)
        except OSError:
            pass
    return 3


def patterns(*inputs):
    import re

    return re.match(r"(a+)+b", "a" * 60)


ENDLESS = [keeps_the_interpreter, prints_and_catches_all, patterns]


def test_each_is_one_sentence_and_the_next_check_works(monkeypatch, child):
    monkeypatch.setattr(room, "process", lambda: child)

    def is_a_sentence(function, seconds, words):
        monkeypatch.setattr(room, "SECONDS", seconds)
        child.ready()
        start = time.monotonic()
        answer = examine("diagnose", function)
        assert words in answer.message and not answer.solved, answer.message
        assert time.monotonic() - start < seconds + 5
        assert len(answer.printed) <= 500

    cases = [(f.__name__, f, 0.3, "was stopped: is there a loop without end?") for f in ENDLESS]
    cases += [("ends", leaves, 20, "it ended the process that it ran in")]
    cases += [("forges", writes_to_our_pipe, 20, "diagnose(a dict of length ")]
    each(is_a_sentence, cases)
    monkeypatch.setattr(room, "SECONDS", 20)
    assert examine("diagnose", RIGHT_ONE["diagnose"]).solved


@pytest.fixture
def ctrl_c():
    """Let Ctrl-C be heard: a shell starts what runs in the background deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_an_interrupt_is_heard_at_once_and_the_process_is_another(child):
    student = child.hold("f", keeps_the_interpreter)
    student.end = time.monotonic() + 60
    before = child.process.pid
    threading.Timer(0.5, _thread.interrupt_main).start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        student(1)
    assert time.monotonic() - start < 5
    assert child.process.pid != before
    assert not Path(f"/proc/{before}").exists() or not sys.platform.startswith("linux")


def test_checks_leave_the_notebook_as_it_was_and_take_little_time(monkeypatch, child):
    monkeypatch.setattr(room, "process", lambda: child)
    before = torch.random.get_rng_state(), np.random.get_state()[1].tolist()
    for name in ("freeze", "balanced_draw", "drop_out"):
        assert examine(name, RIGHT_ONE[name]).solved
    assert torch.equal(before[0], torch.random.get_rng_state())
    assert before[1] == np.random.get_state()[1].tolist()
    assert torch.is_grad_enabled()
    times = []
    for _ in range(5):
        start = time.perf_counter()
        examine("paired_interval", RIGHT_ONE["paired_interval"])
        times.append(time.perf_counter() - start)
    assert min(times) < 0.3, times


@pytest.mark.parametrize("name", catalogue())
def test_the_real_process_says_what_the_tests_hear_without_one(monkeypatch, child, name):
    monkeypatch.setattr(room, "process", lambda: child)
    wrong = next(function for n, function, _ in reversed(WRONG) if n == name)
    for function in (RIGHT_ONE[name], wrong):
        assert examine(name, function, 3).message == examined(name, function, 3).message


# ── a whole notebook ────────────────────────────────────────────────────────────────────────

CELLS = [
    "import numpy as np\nhelper = 2",
    "def double(x):\n    return helper * np.asarray(x)",
    "raise ValueError('this cell is broken')",
    "%matplotlib inline\nprint('shown')",
    "def ends(x):\n    import os\n    os._exit(1)",
    "from tlcourse.check import examine\nanswer = examine('freeze', double)",
    "def said(x):\n    return answer.message",
]


def test_a_notebook_runs_there_and_after_a_crash_again():
    child = Child()
    child.run(CELLS)
    double = child.student("double")
    assert double([1, 2]).tolist() == [2, 4]
    assert double.__module__ == "__main__"
    with pytest.raises(Mistake, match="the notebook defines no triple"):
        child.student("triple")
    with pytest.raises(Gone, match="it ended the process"):
        child.student("ends")(1)
    assert double([1, 2]).tolist() == [2, 4]
    assert "not checked while a notebook is graded" in child.student("said")(1)
    with pytest.raises(Crash, match=r"in line 2 \(`return helper \* np.asarray\(x\)`\)"):
        double([[1], [2, 3]])
    child.budget = 0.2
    with pytest.raises(TimeUp):
        while True:
            double(1)
    child.close()


def test_a_notebook_that_replaced_a_layer_hears_to_restart(monkeypatch, child):
    class Patched(torch.nn.BatchNorm2d):
        pass

    monkeypatch.setattr(room, "process", lambda: child)
    monkeypatch.setattr(torch.nn, "BatchNorm2d", Patched)
    assert "restart the kernel" in examine("freeze", RIGHT_ONE["freeze"]).message


def test_a_process_that_cannot_start_is_a_sentence():
    cases = [
        ([sys.executable, "-c", "import sys; sys.exit('no sandbox here')"], "no sandbox here$"),
        (["/nowhere/at/all"], "cannot be started here"),
    ]

    def start(command):
        Child(command).ready()

    each_is_refused(Gone, start, [((command,), words) for command, words in cases])
