"""Call a student's function so that nothing it does can stop a check.

Whatever happens inside becomes one sentence: an exception, an endless loop, a changed input, a
missing ``return``. Afterwards the random generators are as they were; the gradient switch is a
thread's own, so `within` keeps it too.
"""

import copy
import ctypes
import dis
import inspect
import io
import linecache
import random
import threading
import time
import traceback
import warnings
from contextlib import contextmanager, redirect_stderr, redirect_stdout

import numpy as np
import torch

from tlcourse.teaching.values import Mistake, describe, same


class Crash(Mistake):
    """The student's function raised an exception, kept as `error`."""

    def __init__(self, sentence: str, error: BaseException):
        super().__init__(sentence)
        self.error = error


class NotYet(Exception):
    """The student's function is still the empty stub."""


class TimeUp(SystemExit):
    """The time limit has passed.

    A SystemExit, because no ``except Exception`` of a student's code swallows it, and a thread
    that ends with it does so without a word.
    """


class Notepad(io.TextIOBase):
    """Keeps the first characters of what is printed, however much that is."""

    def __init__(self, size: int = 500):
        self.size = size
        self.text = ""

    def write(self, text: str) -> int:
        """Keep `text` as far as there is room, and claim to have written all of it."""
        self.text += text[: self.size - len(self.text)]
        return len(text)


class Student:
    """The student's function, to be called like the function itself.

    Parameters
    ----------
    name : str
        Name of the exercise, used in messages.
    function : callable
        What the student wrote.

    Attributes
    ----------
    last_call : str
        The call in progress or the last one, in words.
    """

    def __init__(self, name: str, function):
        self.name = name
        self.function = function
        self.last_call = f"{name}()"
        self._fitting = set()  # numbers of inputs that the function is known to take

    def __call__(self, *inputs, changes: bool = False):
        """Return what the function returns.

        Parameters
        ----------
        *inputs
            Handed to the function.
        changes : bool
            Whether the function is meant to change its inputs and may return None.

        Raises
        ------
        NotYet
            If it returns ``...`` or raises NotImplementedError.
        Mistake
            If it raises, takes other parameters, changes an input or returns None.
        """
        self.last_call = f"{self.name}({', '.join(describe(value) for value in inputs)})"
        self._fits(inputs)
        kept = None if changes else copy.deepcopy(inputs)
        try:
            result = self.function(*inputs)
        except (KeyboardInterrupt, TimeUp):
            raise
        except BaseException as error:
            raise self._explain(error) from error
        if result is ...:
            raise NotYet
        if not changes and not same(kept, inputs):
            raise Mistake(f"{self.last_call} changed its input: work on a copy of it.")
        if not changes and result is None:
            raise Mistake(f"{self.last_call} returned None: does it end with a `return` line?")
        return result

    def _fits(self, inputs) -> None:
        if len(inputs) in self._fitting:
            return
        try:
            signature = inspect.signature(self.function)
        except (TypeError, ValueError):  # some built-in functions have none
            return
        try:
            signature.bind(*inputs)
        except TypeError:
            raise Mistake(
                f"it is called as {self.last_call}, but yours is defined as "
                f"{self.name}{signature}: take those inputs, in that order."
            ) from None
        self._fitting.add(len(inputs))

    def _explain(self, error: BaseException) -> Exception:
        line = _line_of(self.function, error)
        if isinstance(error, NotImplementedError) and (not error.args or "raise" in line):
            return NotYet()
        cause = f"{type(error).__name__}: {_text(error)}".rstrip(": ")
        return Crash(f"{self.last_call} raised {cause}{line}.", error)


def _text(error: BaseException) -> str:
    try:
        return " ".join(str(error).split())[:200].rstrip(".")
    except (KeyboardInterrupt, TimeUp):
        raise
    except BaseException:  # noqa: BLE001 - a student's exception may fail to say what it is
        return ""


def _line_of(function, error: BaseException) -> str:
    """Say which line of the student's code raised `error`; empty when it is not known."""
    code = _code_of(function)
    lines = [
        (number, linecache.getline(frame.f_code.co_filename, number).strip())
        for frame, number in traceback.walk_tb(error.__traceback__)
        if code and frame.f_code.co_filename == code.co_filename
    ]
    if not lines:
        return ""
    number, text = lines[-1]
    return f", in line {number} (`{text}`)" if text else f", in line {number}"


def _code_of(function):
    """Return the code inside a function and its decorators, or None."""
    try:
        return getattr(inspect.unwrap(function), "__code__", None)
    except ValueError:  # a function that claims to wrap itself
        return getattr(function, "__code__", None)


def is_stub(function) -> bool:
    """Tell whether a function's body is only a docstring, ``pass`` or ``...``."""
    code = _code_of(function)
    if code is None:
        return False
    steps = [i for i in dis.get_instructions(code) if i.opname not in {"RESUME", "NOP"}]
    ends = {"LOAD_CONST", "RETURN_CONST", "RETURN_VALUE"}
    return all(i.opname in ends and i.argval is None for i in steps)


@contextmanager
def sheltered(notepad: Notepad):
    """Catch what is printed; put random generators and warnings back afterwards."""
    states = random.getstate(), np.random.get_state(), torch.random.get_rng_state()
    try:
        with redirect_stdout(notepad), redirect_stderr(notepad), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.random.set_rng_state(states[2])


def within(seconds: float, work):
    """Return ``work()``, which runs in a thread of its own, or raise what it raises.

    A thread can be left behind when it does not end, and no exception ever strikes the caller
    from outside. Needs no signal, so it is the same on every system and in every thread.

    Parameters
    ----------
    seconds : float
        How long the work may take.
    work : callable
        Called without inputs.

    Raises
    ------
    TimeUp
        If the work takes longer. It is stopped then; only a call into compiled code, such as one
        matrix product or a long sleep, ends first.
    """
    outcome = []

    def run():
        try:
            outcome.append((work(), None))
        except BaseException as error:  # noqa: BLE001 - handed to the caller
            outcome.append((None, error))

    worker = threading.Thread(target=run, daemon=True)
    worker.start()
    end = time.monotonic() + seconds
    try:
        # No join: Ctrl-C inside it marks a running thread as ended (CPython 3.11).
        while not outcome and time.monotonic() < end:
            time.sleep(0.005)
    finally:
        late = not outcome
        if late:
            _stop(worker)
    if late:
        raise TimeUp
    result, error = outcome[0]
    if error is not None:
        raise error
    return result


def _stop(worker: threading.Thread) -> None:
    """Raise TimeUp inside a thread: again, should a bare ``except:`` have swallowed it."""
    set_exception = ctypes.pythonapi.PyThreadState_SetAsyncExc
    for _ in range(50):
        if worker.is_alive():
            set_exception(ctypes.c_ulong(worker.ident), ctypes.py_object(TimeUp))
            time.sleep(0.02)
