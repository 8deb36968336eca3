"""The process that holds a student's functions, seen from outside: start it, ask it, end it."""

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

from tlcourse.teaching.guard import Gone, Student, TimeUp
from tlcourse.teaching.holder import GRACE, code_of, text_of
from tlcourse.teaching.plain import LARGEST, SIZE, Unreadable, unpack
from tlcourse.teaching.values import Mistake

START = 60.0  # seconds until the first word of a process: importing torch, from a slow disk
UNPICKLABLE = (
    "your function cannot be taken to the process that checks it ({}): it may use imports, other "
    "functions and plain values; open files and the like are opened inside the function."
)

REPLACED = (
    "the check cannot hand over its own inputs ({}): something of torch or NumPy was replaced in this "
    "notebook, so restart the kernel."
)


class Pickler(pickle.Pickler):
    """Pickles tensors as arrays, which takes a tenth of the time."""

    def reducer_override(self, value):
        """Return how to rebuild a plain tensor; leave the rest as it is."""
        if type(value) is torch.Tensor and value.device.type == "cpu" and not value.requires_grad:
            return torch.from_numpy, (value.numpy(),)
        return NotImplemented


def pickled(value) -> bytes:
    """Return a question as bytes."""
    file = io.BytesIO()
    Pickler(file, protocol=5).dump(value)
    return file.getvalue()


def stopped(outputs) -> bool:
    """Tell whether the outputs of a cell end with its interruption."""
    last = outputs[-1] if isinstance(outputs, list) and outputs else {}
    name = last.get("ename") if isinstance(last, dict) else None
    return type(name) is str and name == "Late"


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
        talk = (self.process, self._tasks, self._answers)
        threading.Thread(target=_talk, args=talk, daemon=True).start()

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
                self._ask(("run", source, seconds), seconds + GRACE)

    def run(self, sources: list, seconds: float = 60.0) -> list:
        """Run the cells of a notebook.

        Parameters
        ----------
        sources : list of str or dict
            Code, or ``{"hold": name}`` where a function is to be kept as it is then.
        seconds : float
            For each cell; then it is interrupted.

        Returns
        -------
        list
            For each cell its outputs, see `shell.run_cell`, or a sentence if it ended the process.
        """
        found = []
        for source in sources:
            try:
                answer = self.ask("run", source, seconds, seconds=seconds + GRACE)
            except Mistake as mistake:
                found.append(str(mistake))
                continue
            outputs = answer.get("value")
            outputs = outputs if isinstance(outputs, list) else "it cannot be run"
            found.append(outputs)
            if not stopped(outputs):
                self.cells.append((source, seconds))  # a cell that was stopped is not run again
        return found

    def hold(self, name: str, function) -> "Student":
        """Take a function over to the process."""
        try:
            sources = {}
            if code := code_of(function):
                sources[code.co_filename] = linecache.getlines(code.co_filename)
            content = cloudpickle.dumps(function)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a student's object may do anything
            raise Mistake(UNPICKLABLE.format(f"{type(error).__name__}: {text_of(error)}")) from None
        folders = [os.path.abspath(folder) for folder in sys.path]
        answer = self.ask("hold", name, content, sources, folders, seconds=START / 3)
        if isinstance(about := answer.get("value"), dict):
            return Student(name, self.ask, about)
        raise Mistake(UNPICKLABLE.format(str(answer.get("raised", "it was not understood"))[:200]))

    def student(self, name: str) -> "Student":
        """Return the function of that name from the notebook that was run."""
        about = self.ask("find", name).get("value")
        if not isinstance(about, dict):
            raise Mistake(f"the notebook defines no {name}.")
        return Student(name, self.ask, about)

    def _ask(self, message, seconds: float, known=()):
        limit = min(seconds, self.budget)
        start = time.monotonic()
        try:
            content = pickled((limit, *message))
        except Exception as error:  # noqa: BLE001 - of a class that is no longer where it was
            raise Mistake(REPLACED.format(f"{type(error).__name__}: {text_of(error)}")) from None
        try:
            self._tasks.put(content)
            while (answer := self._answer()) is None:
                if time.monotonic() - start > limit:
                    raise TimeUp(f"it was stopped after {limit:.3g} seconds.")
            if not isinstance(found := unpack(answer, known), dict):
                raise Unreadable("no answer has this form")  # somebody else wrote into the pipe
            return found
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
