"""Call a student's function in another process, so that nothing it does can stop or fool a check.

`Student` is the function, to be called like itself; the process is a `child.Child`. Cases, expected
values and the verdict stay here, and only plain data comes back, so whatever happens over there becomes
one sentence: an exception, an endless loop, a crash, a changed input, a missing ``return``.
"""

import time

import cloudpickle

from tlcourse.teaching.holder import parameters_in
from tlcourse.teaching.values import Mistake, describe


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
    contradicted : set of str
        Known mistakes that a result contradicts; see `values.explain`.
    end : float
        When its time is over, by the clock of `time.monotonic`.
    """

    def __init__(self, name: str, ask, about: dict):
        self.name, self.about, self._ask = name, about, ask
        self.__name__, self.__module__ = name, str(about.get("module"))
        self.printed, self.end, self._inputs = "", float("inf"), ()
        self.contradicted = set()

    @property
    def last_call(self) -> str:
        """The call in progress or the last one, in words."""
        if isinstance(self._inputs, str):
            return self._inputs
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
        self._inputs = self.name  # the probe decides what is handed to the function
        return self._value("observe", cloudpickle.dumps(probe), inputs)

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
        if "call" in answer:
            self._inputs = f"{self.name}({answer['call']})"
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
