"""A process that holds a student's functions and answers calls of them with plain data.

It knows no case, no expected value and no verdict: those stay with whoever started it, see `guard`.
Started as ``python -m tlcourse.teaching.holder``; what it is asked arrives pickled, since whoever asks
may be trusted, and what it answers leaves packed (see `plain`), since it may not.
"""

import copy
import dis
import faulthandler
import inspect
import io
import linecache
import os
import pickle
import random
import sys
import traceback
import warnings
from contextlib import redirect_stderr, redirect_stdout

import numpy as np
import torch

from tlcourse.teaching.plain import SIZE, TooLarge, pack, words
from tlcourse.teaching.shell import make_shell, run_cell
from tlcourse.teaching.values import Odd, same

MARK = "TLCOURSE_HELD"  # set in the environment of such a process
GRACE = 5  # seconds after its time limit until a process ends itself, should nobody end it


class Notepad(io.TextIOBase):
    """Keeps the first characters of what is printed, however much that is."""

    def __init__(self, size: int = 500):
        self.size = size
        self.text = ""

    def write(self, text: str) -> int:
        """Keep `text` as far as there is room, and claim to have written all of it."""
        self.text += text[: self.size - len(self.text)]
        return len(text)


class Refused(BaseException):
    """A call gave no value; `answer` says why. No ``except Exception`` of a probe catches it."""

    def __init__(self, **answer):
        super().__init__()
        self.answer = answer


class Holder:
    """The functions, and the notebook that they came from."""

    def __init__(self):
        self.functions = {}
        self.fitting = set()  # ways to call the functions that are known to be right
        self.shell = None
        self.loaded = set(sys.modules)

    def answer(self, message: tuple) -> bytes:
        """Do what a message asks; return the packed answer, whatever happens meanwhile."""
        task, *inputs = message
        notepad, known = Notepad(), []
        with redirect_stdout(notepad), redirect_stderr(notepad), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.set_grad_enabled(True)  # a call before may have left it switched off
            try:
                known = parameters_in(inputs)
                found = {"value": getattr(self, task)(*inputs)}
            except Refused as refused:
                found = refused.answer
            except BaseException as error:  # noqa: BLE001 - becomes a sentence
                found = {"raised": [names_of(error), text_of(error), ""]}
            found["printed"] = notepad.text
            try:
                return pack(found, known)
            except TooLarge:
                found["value"] = Odd(f"{words(found['value'])}, more than an answer may hold")
                return pack(found, known)

    # ── what may be asked ──

    def hello(self) -> str:
        """Say that everything is loaded."""
        return "ready"

    def hold(self, name: str, pickled: bytes, sources: dict, folders: list) -> dict:
        """Take over a function; `sources` are the lines of files that are none, such as cells."""
        self._forget_own_modules()
        sys.path.extend(folder for folder in folders if folder not in sys.path)
        for file, lines in sources.items():
            linecache.cache[file] = (sum(map(len, lines)), None, lines, file)
        self.functions[name] = pickle.loads(pickled)
        self.fitting.clear()
        return self.find(name)

    def run(self, source: str | dict, seconds: float) -> list[dict]:
        """Run one cell as a notebook does; return what it showed, see `shell.run_cell`.

        ``{"hold": name}`` instead of a cell keeps a function as it is now, whatever takes its name.
        """
        shell = self._shell()
        if isinstance(source, str):
            return run_cell(shell, source, seconds)
        if source["hold"] in shell.user_ns:
            self.functions[source["hold"]] = shell.user_ns[source["hold"]]
        return []

    def find(self, name: str) -> dict | None:
        """Say what is known about a function without calling it; None if there is none."""
        if name not in self.functions and name not in self._names():
            return None
        function = self._function(name)
        random.seed(0), np.random.seed(0), torch.manual_seed(0)
        return {
            "what": function if not callable(function) else None,
            "module": str(getattr(function, "__module__", None)),
            "stub": is_stub(function),
            "inputs": inputs_of(function),
        }

    def call(self, name: str, inputs: tuple, named: dict):
        """Return what the function returns."""
        return self._guarded(name)(*inputs, **named)

    def observe(self, name: str, probe: bytes, inputs: tuple):
        """Return what a pickled probe makes of the function."""
        return pickle.loads(probe)(self._guarded(name, changes=True), *inputs)

    # ── how ──

    def _function(self, name: str):
        return self.functions[name] if name in self.functions else self._names()[name]

    def _names(self) -> dict:
        """Return what the notebook's cells defined; without a cell, nothing."""
        return self.shell.user_ns if self.shell else {}

    def _guarded(self, name: str, changes: bool = False):
        """Return the function, made to raise Refused for whatever else than a value comes out."""
        function = self._function(name)

        def call(*inputs, **named):
            def refused(**answer):
                given = [words(value) for value in (*inputs, *named.values())]
                return Refused(call=", ".join(given)[:400], **answer)

            way = (name, len(inputs), *named)
            if way not in self.fitting and not fits(function, inputs, named):
                raise refused(inputs=inputs_of(function))
            self.fitting.add(way)
            kept = None if changes else copy.deepcopy(inputs)
            try:
                value = function(*inputs, **named)
            except KeyboardInterrupt:
                raise refused(raised=[["KeyboardInterrupt"], "", ""]) from None
            except BaseException as error:
                line = line_of(function, error)
                if isinstance(error, NotImplementedError) and (not error.args or "raise" in line):
                    raise Refused(stub=True) from None
                raise refused(raised=[names_of(error), text_of(error), line]) from error
            if value is ...:
                raise Refused(stub=True)
            if not changes and not same(kept, inputs):
                raise refused(changed=True)
            return value

        return call

    def _shell(self):
        if self.shell is None:
            self.shell = make_shell()
        return self.shell

    def _forget_own_modules(self) -> None:
        """Load a student's own modules anew: they may have been edited since the last check."""
        home = os.getcwd()
        for name in set(sys.modules) - self.loaded:
            file = getattr(sys.modules[name], "__file__", None) or ""
            ours = name.startswith("tlcourse") or "site-packages" in file
            if file.startswith(home) and not ours:
                del sys.modules[name]


# ── about a function ────────────────────────────────────────────────────────────────────────


def parameters_in(value) -> list:
    """Return the parameters of all modules in nested inputs, each once, in a fixed order."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        every = [parameter for part in value for parameter in parameters_in(part)]
        return list({id(parameter): parameter for parameter in every}.values())
    return list(value.parameters()) if isinstance(value, torch.nn.Module) else []


def inputs_of(function) -> str | None:
    """Return a function's parameters as text; None where they are unknown."""
    try:
        return str(inspect.signature(function))[:200]
    except Exception:  # noqa: BLE001 - some built-in functions have none
        return None


def fits(function, inputs: tuple, named: dict) -> bool:
    """Tell whether a function can be called so."""
    try:
        inspect.signature(function).bind(*inputs, **named)
    except TypeError:
        return inputs_of(function) is None
    except Exception:  # noqa: BLE001 - no signature, or one that cannot be asked
        return True
    return True


def code_of(function):
    """Return the code inside a function and its decorators, or None."""
    try:
        function = inspect.unwrap(function)
    except ValueError:  # a function that claims to wrap itself
        pass
    function = getattr(function, "func", function)  # a partial function's
    method = type(function).__call__  # an object that can be called
    return getattr(function, "__code__", None) or getattr(method, "__code__", None)


def is_stub(function) -> bool:
    """Tell whether a function's body is only a docstring, ``pass`` or ``...``."""
    code = code_of(function)
    if code is None:
        return False
    steps = [i for i in dis.get_instructions(code) if i.opname not in {"RESUME", "NOP"}]
    ends = {"LOAD_CONST", "RETURN_CONST", "RETURN_VALUE"}
    return all(i.opname in ends and i.argval is None for i in steps)


# ── about an error ──────────────────────────────────────────────────────────────────────────


def names_of(error: BaseException) -> list[str]:
    """Return the names of an error's classes, its own first."""
    return [kind.__name__ for kind in type(error).__mro__[:-2]]


def text_of(error: BaseException) -> str:
    """Return what an error says, in one line; empty if it fails to say it."""
    try:
        return " ".join(str(error).split())[:200].rstrip(".")
    except BaseException:  # noqa: BLE001
        return ""


def line_of(function, error: BaseException) -> str:
    """Say which line of the student's code raised `error`; empty when it is not known."""
    code = code_of(function)
    lines = [
        (number, linecache.getline(frame.f_code.co_filename, number).strip())
        for frame, number in traceback.walk_tb(error.__traceback__)
        if code and frame.f_code.co_filename == code.co_filename
    ]
    if not lines:
        return ""
    number, text = lines[-1]
    return f", in line {number} (`{text[:120]}`)" if text else f", in line {number}"


# ── the process ─────────────────────────────────────────────────────────────────────────────


def private_pipes():
    """Take the two pipes to the outside away from the student's code: print goes nowhere."""
    pipes = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    return pipes


def main() -> None:
    """Answer until the other side is gone."""
    questions, answers = private_pipes()
    os.environ[MARK] = "1"
    holder, nothing = Holder(), open(os.devnull, "w")  # noqa: SIM115 - open to the end
    while size := questions.read(SIZE.size):
        seconds, *message = pickle.loads(questions.read(*SIZE.unpack(size)))
        # A clock in C: it ends this process even if a call never gives the interpreter back.
        faulthandler.dump_traceback_later(seconds + GRACE, exit=True, file=nothing)
        answer = holder.answer(tuple(message))
        faulthandler.cancel_dump_traceback_later()
        answers.write(SIZE.pack(len(answer)) + answer)
        answers.flush()


if __name__ == "__main__":
    main()
