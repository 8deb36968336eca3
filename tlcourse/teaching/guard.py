"""Call a student's function in another process, so that nothing it does can stop or fool a check.

`Child` is that process, `Student` the function in it, to be called like itself. Cases, expected values
and the verdict stay here, and only plain data comes back, so whatever happens over there becomes one
sentence: an exception, an endless loop, a crash, a changed input, a missing ``return``.
"""

import io
import linecache
import os
import pickle
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time

import cloudpickle
import torch

from tlcourse.teaching.holder import code_of, parameters_in
from tlcourse.teaching.plain import LARGEST, SIZE, Unreadable, unpack
from tlcourse.teaching.values import Mistake, describe

START = (
    60.0  # seconds that a process may take until its first word: importing torch, on a slow disk
)
UNPICKLABLE = (
    "your function cannot be taken to the process that checks it ({}): it may use imports, other "
    "functions and plain values; open files and the like are opened inside the function."
)


class NotYet(Exception):
    """The student's function is still the empty stub."""


class Crash(Mistake):
    """The student's function raised an exception; `kinds` are the names of its classes."""

    def __init__(self, sentence: str, kinds: list[str]):
        super().__init__(sentence)
        self.kinds = kinds


class TimeUp(Mistake):
    """The time limit has passed."""


class Gone(Mistake):
    """The process ended, or answered what cannot be read."""


class Pickler(cloudpickle.Pickler):
    """Pickles tensors as arrays, which takes a tenth of the time."""

    def reducer_override(self, value):
        """Return how to rebuild a plain tensor; leave all others to cloudpickle."""
        if type(value) is torch.Tensor and value.device.type == "cpu" and not value.requires_grad:
            return torch.from_numpy, (value.numpy(),)
        return super().reducer_override(value)


def pickled(value) -> bytes:
    """Return any value as bytes, functions of a notebook too."""
    file = io.BytesIO()
    Pickler(file).dump(value)
    return file.getvalue()


class Child:
    """A process that holds a student's functions.

    Parameters
    ----------
    command : list of str
        Put in front of the command that starts the process, such as that of a sandbox.
    folder : path, optional
        Where it works.
    environment : dict, optional
        Its environment variables; by default those of this process.
    budget : float, optional
        Seconds that may be waited for it in all.
    """

    def __init__(self, command=(), folder=None, environment=None, budget: float = float("inf")):
        self.command = [*command, sys.executable, "-m", "tlcourse.teaching.holder"]
        self.folder, self.environment, self.budget = folder, environment, budget
        self.cells = []  # what `run` was given, to be run again after a crash
        self.process = None
        self._lock = threading.RLock()
        self.start()

    def start(self) -> None:
        """Start the process, and return at once."""
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self.greeted = False
        self._tasks, self._answers = queue.Queue(), queue.Queue()
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self.errors}
        apart = {
            "start_new_session": True,  # Ctrl-C is meant for the check, not for its process
            "creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
            | getattr(subprocess, "CREATE_NO_WINDOW", 0),
        }
        try:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, env=self.environment, **pipes, **apart
            )
        except OSError as error:
            raise Gone(f"a process for the check cannot be started here ({error}).") from None
        worker = _talk, (self.process, self._tasks, self._answers)
        threading.Thread(target=worker[0], args=worker[1], daemon=True).start()

    def close(self) -> None:
        """End the process and all that it started."""
        process, self.process = self.process, None
        if process is None:
            return
        self._tasks.put(None)
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (AttributeError, OSError):  # Windows has no groups; or all have ended
            process.kill()
        process.wait()
        self.errors.close()

    def ask(self, *message, seconds: float = START, known=()):
        """Send a message, and return the answer as it was unpacked.

        Raises
        ------
        TimeUp, Gone
            The next question is for a new process then.
        """
        with self._lock:
            self.ready()
            return self._ask(message, seconds, known)

    def ready(self) -> None:
        """Wait until the process has started, and what it held before is there again."""
        with self._lock:
            if self.process is None:
                self.start()
            if self.greeted:
                return
            self._ask(("hello",), START)
            self.greeted = True
            for source, seconds in self.cells:
                self._ask(("run", source), seconds)

    def run(self, sources: list[str], seconds: float = 60.0) -> list[str | None]:
        """Run the cells of a notebook; return for each None, or a sentence on what ended it."""
        found = []
        for source in sources:
            try:
                answer = self.ask("run", source, seconds=seconds)
                self.cells.append((source, seconds))
                found.append(answer.get("value") if "value" in answer else "it cannot be run")
            except Mistake as mistake:  # not run again after it
                found.append(str(mistake))
        return found

    def hold(self, name: str, function) -> "Student":
        """Take a function over to the process."""
        try:
            sources = {}
            if code := code_of(function):
                sources[code.co_filename] = linecache.getlines(code.co_filename)
            content = pickled(function)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise Mistake(UNPICKLABLE.format(f"{type(error).__name__}: {_short(error)}")) from None
        folders = [os.path.abspath(folder) for folder in sys.path]
        answer = self.ask("hold", name, content, sources, folders, seconds=START / 3)
        if "raised" in answer:
            raise Mistake(
                UNPICKLABLE.format(": ".join([answer["raised"][0][0], answer["raised"][1]]))
            )
        return Student(name, self.ask, answer["value"])

    def student(self, name: str) -> "Student":
        """Return the function of that name from the notebook that was run."""
        answer = self.ask("find", name).get("value")
        if answer is None:
            raise Mistake(f"the notebook defines no {name}.")
        return Student(name, self.ask, answer)

    def _ask(self, message, seconds: float, known=()):
        limit = min(seconds, self.budget)
        start = time.monotonic()
        try:
            self._tasks.put(pickled((limit, *message)))
            while (answer := self._answer()) is None:
                if time.monotonic() - start > limit:
                    raise TimeUp(f"it was stopped after {limit:.3g} seconds.")
            return unpack(answer, known)
        except Unreadable:
            self._anew()
            raise Gone("what came back cannot be read.") from None
        except BaseException:  # out of time, at its end, or interrupted
            self._anew()
            raise
        finally:
            self.budget -= time.monotonic() - start

    def _anew(self) -> None:
        """End the process; start the next one at once, unless this one never worked."""
        worked = self.greeted
        self.close()
        if worked:
            self.start()

    def _answer(self) -> bytes | None:
        """Wait a moment for an answer: never long, so that an interrupt is heard on any system."""
        try:
            answer = self._answers.get(timeout=0.1)
        except queue.Empty:
            return None
        if answer is None:
            raise Gone(self._last_words())
        return answer

    def _last_words(self) -> str:
        if self.greeted:
            return "it ended the process that it ran in."
        self.errors.seek(0)
        lines = self.errors.read()[-2000:].decode(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()][-1:] or ["it said nothing"]
        return f"the process for the check did not start: {said[0][:300]}"


def _talk(process, tasks, answers) -> None:
    """Write to a process and read from it in a thread, since both may take for ever."""
    while (task := tasks.get()) is not None:
        try:
            process.stdin.write(SIZE.pack(len(task)) + task)
            process.stdin.flush()
            answers.put(_frame(process.stdout))
        except (OSError, ValueError):
            answers.put(None)
    for pipe in (process.stdin, process.stdout):
        try:
            pipe.close()
        except OSError:  # something was still to be written
            pass


def _frame(pipe) -> bytes | None:
    """Read one answer; None where the process has ended, or where no answer is so long."""
    head = pipe.read(SIZE.size)
    if len(head) < SIZE.size or SIZE.unpack(head)[0] > 3 * LARGEST:
        return None
    data = pipe.read(SIZE.unpack(head)[0])
    return data if len(data) == SIZE.unpack(head)[0] else None


def _short(error: BaseException) -> str:
    try:
        return " ".join(str(error).split())[:120]
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - a student's exception may fail to say what it is
        return "no words"


class Student:
    """A student's function in another process, to be called like the function itself.

    Parameters
    ----------
    name : str
        Name of the exercise, used in messages.
    ask : callable
        `Child.ask`.
    about : dict
        What the process says of the function: `what` it is if it cannot be called, its `module`,
        whether it is a `stub`, its `inputs` as text.

    Attributes
    ----------
    printed : str
        The beginning of what the function printed.
    end : float
        When its time is over, by the clock of `time.monotonic`.
    """

    def __init__(self, name: str, ask, about: dict):
        self.name, self.about, self._ask = name, about, ask
        self.__name__, self.__module__ = name, str(about.get("module"))
        self.printed, self.end, self._inputs = "", float("inf"), ()

    @property
    def last_call(self) -> str:
        """The call in progress or the last one, in words."""
        return f"{self.name}({', '.join(describe(value) for value in self._inputs)})"

    def __call__(self, *inputs, **named):
        """Return what the function returns.

        Raises
        ------
        NotYet
            If it returns ``...`` or raises NotImplementedError.
        Mistake
            If it raises, takes other parameters, changes an input or returns None.
        """
        self._inputs = (*inputs, *named.values())
        value = self._value("call", inputs, named)
        if value is None:
            raise Mistake(f"{self.last_call} returned None: does it end with a `return` line?")
        return value

    def observe(self, probe, *inputs):
        """Return what ``probe(function, *inputs)`` returns over there; see `observe`."""
        self._inputs = inputs
        return self._value("observe", probe, inputs)

    def _value(self, task: str, *content):
        seconds = min(self.end - time.monotonic(), 3600.0)
        known = parameters_in(list(content))
        try:
            if seconds <= 0:
                raise TimeUp("its time is over.")
            answer = self._ask(task, self.name, *content, seconds=seconds, known=known)
            self.printed += str(answer.get("printed", ""))[: 500 - len(self.printed)]
            if "value" in answer:
                return answer["value"]
            self._explain(answer)
        except TimeUp:
            raise TimeUp(f"{self.last_call} was stopped: is there a loop without end?") from None
        except Gone as gone:
            raise Gone(f"at {self.last_call} {gone}") from None
        except (AttributeError, LookupError, TypeError, ValueError):
            raise Gone(f"at {self.last_call} what came back cannot be read.") from None

    def _explain(self, answer: dict):
        """Raise what an answer without a value stands for."""
        if "stub" in answer:
            raise NotYet
        if "inputs" in answer:
            raise Mistake(
                f"it is called as {self.last_call}, but yours is defined as "
                f"{self.name}{answer['inputs']}: take those inputs, in that order."
            )
        if "changed" in answer:
            raise Mistake(f"{self.last_call} changed its input: work on a copy of it.")
        kinds, text, line = answer["raised"]
        cause = f"{kinds[0]}: {text}".rstrip(": ")
        raise Crash(f"{self.last_call} raised {cause}{line}.", list(map(str, kinds)))


def observe(function, probe, *inputs):
    """Return ``probe(function, *inputs)``, run where the function is.

    For what cannot be seen from outside, such as what a function did to a network.

    Parameters
    ----------
    function : callable
        An ordinary function, or a `Student`.
    probe : callable
        Returns plain data.
    """
    if isinstance(function, Student):
        return function.observe(probe, *inputs)
    return probe(function, *inputs)
