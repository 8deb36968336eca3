"""Look after a submission from outside while it runs: its memory, and its share of the processors."""

import contextlib
import threading
import time

import psutil

LOOK = 0.3  # seconds between two looks
BURST = 2.0  # seconds of a processor that may be used ahead of time


class Watch(threading.Thread):
    """Ends a submission that uses too much memory, and slows one that takes all processors.

    A hundred busy processes would leave those of another submission no time, and so no points.
    Memory is counted by its processes, and by what is left: some memory belongs to none of them.

    Parameters
    ----------
    child : tlcourse.teaching.child.Child
    limits : walls.Limits

    Attributes
    ----------
    said : str
        Why the submission was ended; empty if it was not.
    """

    def __init__(self, child, limits):
        super().__init__(daemon=True)
        self.child, self.limits, self.said = child, limits, ""
        self.over, self.stopped = threading.Event(), False
        self.start()

    def run(self):
        """Look again and again until told to stop."""
        start, used = time.monotonic(), {}
        while not self.over.wait(LOOK):
            top = self.child.process
            if top is None:
                continue
            with contextlib.suppress(psutil.Error):
                every = psutil.Process(top.pid).children(recursive=True)
                self.end(every)
                used |= {process.pid: seconds_of(process) for process in every}
                fair = BURST + self.limits.cores * (time.monotonic() - start)
                self.slow(every, sum(used.values()) > fair)

    def end(self, every):
        """End all processes if they use too much memory."""
        if sum(memory_of(process) for process in every) > self.limits.memory:
            self.said = f"it used more than {self.limits.memory / 2**30:.3g} GiB of memory"
        elif psutil.virtual_memory().available < self.limits.left:
            self.said = "the machine had no memory left while it ran: grade it again by itself"
        for process in every if self.said else ():
            process.kill()

    def slow(self, every, ahead: bool):
        """Let all processes wait while they are ahead of their share."""
        if ahead or self.stopped:
            for process in every:
                with contextlib.suppress(psutil.Error):
                    process.suspend() if ahead else process.resume()
        self.stopped = ahead

    def stop(self):
        """Look no more."""
        self.over.set()
        self.join()


def memory_of(process) -> int:
    """Return the bytes of memory that are in use by a process; 0 when it has just ended."""
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0


def seconds_of(process) -> float:
    """Return the seconds of a processor that a process has used, with those that it waited for."""
    try:
        return sum(process.cpu_times()[:4])
    except psutil.Error:
        return 0.0
