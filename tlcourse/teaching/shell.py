"""An IPython shell without a kernel: runs a notebook's cells and keeps what they show.

It is how a notebook's cells run where no server is: outputs come back in the notebook format, as
plain dicts of texts. Nothing is read from the home folder, and nothing is written to it.
"""

import base64
import builtins
import contextlib
import io
import os
import signal
import sys
import threading

from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

CUT = "\n… (cut: this cell printed too much)\n"
INLINE = "module://matplotlib_inline.backend_inline"


class Late(BaseException):
    """A cell took longer than it may; no ``except Exception`` of a cell catches it."""


class Outputs:
    """What one cell shows, as far as there is room.

    Parameters
    ----------
    limit : int
        Characters kept of everything together.
    """

    def __init__(self, limit: int):
        self.left = limit
        self.found: list[dict] = []

    def print(self, text: str, name: str) -> None:
        """Add text to a stream, "stdout" or "stderr"."""
        if self.left <= 0:
            return
        last = self.found[-1] if self.found else {}
        if last.get("name") != name:
            last = {"output_type": "stream", "name": name, "text": ""}
            self.found.append(last)
        last["text"] += text[: self.left]
        self.left -= len(text)
        if self.left <= 0:
            last["text"] += CUT

    def show(self, data: dict, kind: str = "display_data", **more) -> None:
        """Add something that has several forms: a dict from MIME types to texts."""
        data = {str(mime): as_text(value) for mime, value in data.items()}
        size = sum(map(len, data.values()))
        if size > self.left:
            self.print(CUT, "stdout")
            return
        self.left -= size
        self.found.append({"output_type": kind, "data": data, "metadata": {}, **more})

    def fail(self, error: str, words: str, lines: list[str]) -> None:
        """Add the error that ended the cell: always the last output, and always kept."""
        kept = [str(line)[:2000] for line in lines[-20:]]
        self.found.append(
            {
                "output_type": "error",
                "ename": str(error)[:200],
                "evalue": str(words)[:2000],
                "traceback": kept,
            }
        )


class Stream(io.TextIOBase):
    """A file that writes to the outputs of the cell that runs."""

    encoding, errors = "utf-8", "replace"

    def __init__(self, shell, name: str):
        self.shell = shell
        self.label = name

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def write(self, text: str) -> int:
        """Keep `text` as far as there is room, and claim to have written all of it."""
        self.shell.outputs.print(text, self.label)
        return len(text)


class Publisher(DisplayPublisher):
    """Takes what ``display`` shows."""

    def publish(self, data, metadata=None, **more):
        """Add it to the outputs of the cell that runs."""
        self.shell.outputs.show(data)

    def clear_output(self, wait=False):
        """Forget what the cell has shown so far, as a progress bar may ask."""
        self.shell.outputs.found.clear()


class Shell(InteractiveShell):
    """The shell of a notebook whose server is elsewhere."""

    def __init__(self):
        self.outputs = Outputs(0)
        super().__init__(display_pub_class=Publisher, colors="nocolor")
        self.displayhook.write_format_data = self._result
        self.displayhook.write_output_prompt = lambda: None
        self.displayhook.finish_displayhook = lambda: None

    def init_history(self):
        """Keep the inputs of this session in memory only."""
        self.config.HistoryManager.enabled = False
        super().init_history()

    def _result(self, data, metadata=None):
        self.outputs.show(data, "execute_result", execution_count=None)

    def _showtraceback(self, etype, evalue, stb):
        text = evalue if isinstance(evalue, str) else _words(evalue)
        self.outputs.fail(etype.__name__, text, stb)

    def enable_gui(self, gui=None):
        """Do nothing: no window can open here."""

    def system(self, cmd):
        """Say that no other program is started; ``!command`` and some magics come here."""
        print("(no other program runs here)")

    def ask_exit(self):
        """Stay: ``exit`` ends a session, not the notebook."""


def _words(error) -> str:
    try:
        return str(error)
    except BaseException:  # noqa: BLE001 - a student's exception may fail to say what it is
        return ""


def as_text(value) -> str:
    """Return what a notebook stores of one form of an output."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value if type(value) is str else str(value)


def make_shell() -> Shell:
    """Return the shell of this process; what runs in it is the module ``__main__``."""
    shell = Shell.instance()
    sys.modules["__main__"] = shell.user_module
    builtins.get_ipython = shell.get_ipython
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # helpers beside the notebook; the library's names come first
    os.environ["MPLBACKEND"] = INLINE  # before matplotlib is imported, as ipykernel does
    return shell


def run_cell(shell: Shell, source: str, seconds: float = 60, limit: int = 500_000) -> list[dict]:
    """Run one cell; return what it showed.

    Parameters
    ----------
    shell : Shell
    source : str
    seconds : float
        Then the cell is interrupted, where the system can do that (not on Windows).
    limit : int
        Characters kept of what the cell shows.

    Returns
    -------
    list of dict
        Outputs in the notebook format; an error is the last one.
    """
    shell.outputs = outputs = Outputs(limit)
    streams = Stream(shell, "stdout"), Stream(shell, "stderr")
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
        try:
            with alarm(seconds):
                shell.run_cell(source, store_history=True)
        except BaseException as error:  # noqa: BLE001 - Late, or what a cell's hooks raise
            outputs.fail(type(error).__name__, _words(error), [])
    return outputs.found


@contextlib.contextmanager
def alarm(seconds: float):
    """Raise Late in here after some seconds."""

    def ring(number, frame):
        raise Late(f"stopped after {seconds:g} s")

    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)  # again, should a bare except swallow it
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
