import random
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest
import torch
from loops import each, each_is_refused

from tlcourse.teaching.guard import (
    Crash,
    Notepad,
    NotYet,
    Student,
    TimeUp,
    is_stub,
    sheltered,
    within,
)
from tlcourse.teaching.values import Mistake


def test_the_students_function_is_called_like_itself():
    assert Student("add", lambda a, b: a + b)(2, 3) == 5


def test_an_exception_becomes_a_sentence_with_call_and_line():
    def third(values):
        return values[2]

    with pytest.raises(Crash, match="list index out of range") as caught:
        Student("third", third)([1, 2])
    assert isinstance(caught.value.error, IndexError)
    assert "third([1, 2]) raised IndexError" in str(caught.value)
    assert "(`return values[2]`)" in str(caught.value)


def test_the_line_named_is_the_students_even_if_a_library_raised():
    def total(values):
        return np.concatenate(values)

    with pytest.raises(Crash, match=r"\(`return np.concatenate\(values\)`\)"):
        Student("total", total)(3)


def test_a_line_without_source_is_named_by_its_number():
    names = {}
    exec(compile("def half(x):\n    return x / 0", "<nowhere>", "exec"), names)  # noqa: S102
    with pytest.raises(Crash, match="division by zero, in line 2\\.$"):
        Student("half", names["half"])(1)


class Secretive(Exception):
    def __str__(self):
        raise RuntimeError("no")


def raises(error):
    def function(*inputs):
        raise error

    return function


def test_any_exception_is_explained():
    def again(x):
        return again(x)

    errors = [
        (raises(SystemExit(0)), "raised SystemExit: 0"),
        (raises(GeneratorExit()), "raised GeneratorExit"),
        (raises(Secretive()), "raised Secretive"),
        (raises(ValueError("a\nb")), "raised ValueError: a b"),
        (again, "RecursionError"),
    ]
    calls = [((function, 1), words) for function, words in errors]
    each_is_refused(Crash, lambda f, x: Student("f", f)(x), calls)


def test_ctrl_c_is_the_users_wish_and_passes():
    with pytest.raises(KeyboardInterrupt):
        Student("f", raises(KeyboardInterrupt()))(1)


def test_other_parameters_are_named():
    with pytest.raises(Mistake, match=r"called as f\(1, 2\), but yours is defined as f\(x\)"):
        Student("f", lambda x: x)(1, 2)


def test_a_built_in_without_signature_or_source_is_called_all_the_same():
    assert Student("largest", max)(1, 2) == 2
    with pytest.raises(Crash, match="not iterable\\.$"):
        Student("largest", max)(1)


CHANGES = [
    (np.zeros(3), lambda x: x.sort() or x.__setitem__(0, 1)),
    (torch.zeros(3), lambda x: x.add_(1)),
    ([1, 2], lambda x: x.clear()),
    ({"a": torch.zeros(2)}, lambda x: x["a"].add_(1)),
    ({"a": 1}, lambda x: x.pop("a")),
]


def test_a_changed_input_is_noticed():
    cases = [(case, "changed its input") for case in CHANGES]
    call = lambda value, change: Student("f", lambda x: [change(x)])(value)
    each_is_refused(Mistake, call, cases)


def test_a_function_that_is_meant_to_change_its_input_may_return_none():
    values = []
    assert Student("f", lambda x: x.append(1))(values, changes=True) is None
    assert values == [1]


def test_a_forgotten_return_is_named():
    def f(x):
        x + 1

    with pytest.raises(Mistake, match="does it end with a `return` line"):
        Student("f", f)(1)


def empty(x):
    """Do nothing."""


def ellipsis(x): ...


def nbgrader_stub(x):
    # YOUR CODE HERE
    raise NotImplementedError()


def stub_with_words(x):
    raise NotImplementedError("your turn")


def test_a_stub_is_not_yet_solved():
    stubs = [((stub,), None) for stub in (nbgrader_stub, stub_with_words, lambda x: ...)]
    each_is_refused(NotYet, lambda stub: Student("f", stub)(1), stubs)


def test_an_empty_body_is_a_stub_and_code_is_not():
    assert is_stub(empty)
    assert is_stub(ellipsis)
    assert is_stub(lambda *values: None)
    assert not is_stub(lambda x: x)
    assert not is_stub(lambda x: 0)
    assert not is_stub(max)


def test_a_librarys_not_implemented_error_is_no_stub():
    def f(x):
        return missing(x)

    missing = raises(NotImplementedError("no kernel for Half"))
    with pytest.raises(Crash, match="no kernel for Half"):
        student = Student("f", f)
        missing.__code__ = missing.__code__.replace(co_filename="library.py")
        student(1)


def test_generators_and_output_are_put_back(capsys):
    def states():
        numpy_state = np.random.get_state()[1].tolist()
        return random.getstate(), numpy_state, torch.random.get_rng_state().tolist()

    before = states()
    notepad = Notepad()
    with sheltered(notepad):
        random.seed(1), np.random.seed(1), torch.manual_seed(1)
        warnings.warn("not shown", stacklevel=1)
        print("heard")
    assert states() == before
    assert notepad.text == "heard\n"
    assert capsys.readouterr() == ("", "")


def test_the_notepad_stays_short():
    notepad = Notepad(size=5)
    for _ in range(100):
        print("abc", file=notepad)
    assert notepad.text == "abc\na"


def test_work_within_the_limit_hands_over_its_result_or_exception():
    assert within(60, lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        within(60, lambda: 1 / 0)


def test_the_gradient_switch_stays_inside():
    within(60, lambda: torch.set_grad_enabled(False))
    assert torch.is_grad_enabled()


def forever():
    while True:
        pass


def forever_catching_exceptions():
    while True:
        try:
            time.sleep(0.001)
        except Exception:  # noqa: BLE001
            time.sleep(0.001)


def forever_catching_once():
    try:
        forever()
    except:  # noqa: E722
        forever()


def test_an_endless_loop_is_stopped_without_a_word_and_leaves_no_thread(capsys):
    def is_stopped(work):
        threads = threading.active_count()
        with pytest.raises(TimeUp):
            within(0.1, work)
        end = time.monotonic() + 60
        while threading.active_count() > threads and time.monotonic() < end:
            time.sleep(0.01)
        assert threading.active_count() == threads
        assert capsys.readouterr().err == ""

    works = (forever, forever_catching_exceptions, forever_catching_once)
    each(is_stopped, [(work.__name__, work) for work in works])


# In a process of its own: a mistake here would end the tests.
ALONE = """
import _thread, cProfile, signal, threading, time
from tlcourse.teaching.guard import TimeUp, within

# A shell without job control starts what runs behind it with Ctrl-C ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)

def forever():
    while True: pass

threading.Timer(0.5, _thread.interrupt_main).start()
try: within(600, forever)
except KeyboardInterrupt: time.sleep(1); print("threads:", threading.active_count())

within(5, int)
try: within(0.1, forever)
except TimeUp: cProfile.run('print("sum:", sum(range(9)))')

try: within(0.1, lambda: time.sleep(600))
except TimeUp: print("left behind")
"""


@pytest.fixture(scope="module")
def alone():
    """Return what the process prints; it has to end long before the long sleep would."""
    run = [sys.executable, "-c", ALONE]
    done = subprocess.run(run, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_ctrl_c_ends_the_wait_and_the_work(alone):
    assert alone[0] == "threads: 1"


def test_profilers_and_debuggers_go_on_after_a_stop(alone):
    # A pending asynchronous exception that is never raised would make Python 3.11 hang there.
    assert alone[1] == "sum: 36"


def test_a_long_sleep_is_left_behind(alone):
    assert alone[-1] == "left behind"


def test_no_stop_strikes_the_caller():
    late = 0
    for i in range(100):
        try:
            within(0.002, lambda i=i: time.sleep(0.0002 * i))
        except TimeUp:
            late += 1
    end = time.monotonic() + 0.5
    while time.monotonic() < end:  # a TimeUp that came here would fail the test
        pass
    assert late > 0
