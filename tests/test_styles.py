"""A right answer is right in every style that its statement does not exclude."""

import functools
import logging
import math
import sys
import warnings
from collections import namedtuple

import numpy as np
import pandas as pd
import pytest
import torch
from answers import RIGHT, RIGHT_ONE, examined
from loops import each
from tqdm import tqdm

from tlcourse.teaching.exercise import catalogue

NAMES = list(catalogue())


# ── how a function may be written ───────────────────────────────────────────────────────────


class Called:
    def __init__(self, function):
        self.function = function

    def __call__(self, *inputs):
        return self.function(*inputs)

    def method(self, *inputs):
        return self.function(*inputs)


def decorated(function):
    @functools.wraps(function)
    def inner(*inputs, **named):
        return function(*inputs, **named)

    return inner


def with_a_default(function):
    return lambda *inputs, verbose=False, **named: function(*inputs, **named)


def recursive(function):
    def again(*inputs, depth=50):
        return again(*inputs, depth=depth - 1) if depth else function(*inputs)

    return again


def remembering(function):
    seen = {}

    def inner(*inputs):
        seen["calls"] = seen.get("calls", 0) + 1
        return function(*inputs)

    return inner


def chatty(function):
    def inner(*inputs):
        print("working on", inputs)
        print("careful", file=sys.stderr)
        warnings.warn("careful", stacklevel=2)
        logging.getLogger().warning("careful")
        return next(function(*inputs) for _ in tqdm(range(1)))

    return inner


def careless(function):
    def inner(*inputs):
        np.random.seed(1)
        torch.manual_seed(1)
        return function(*inputs)

    return inner


def guarded(function):
    def inner(*inputs):
        try:
            return function(*inputs)
        except ZeroDivisionError:
            return 0.0

    return inner


def asserting(function):
    def inner(*inputs):
        assert inputs, "something is given"
        return function(*inputs)

    return inner


def generator_inside(function):
    return lambda *inputs: next(f(*inputs) for f in (function,))


def in_two_steps(function):
    first, second = (lambda *inputs: inputs), (lambda given: function(*given))
    return lambda *inputs: second(first(*inputs))


def in_a_loop(function):
    def inner(*inputs):
        for _ in range(3):
            result = function(*inputs)
            break
        return result

    return inner


def without_gradients(function):
    return torch.no_grad()(function)


def by_a_global_helper(function):
    return lambda *inputs: helper(function, inputs)


def helper(function, inputs):
    return function(*inputs)


def annotated(function):
    def inner(*inputs: object) -> object:
        """Do it."""
        return function(*inputs)

    return inner


WRITTEN = {
    "a lambda": lambda function: lambda *inputs: function(*inputs),
    "a partial function": functools.partial,
    "an object that is called": Called,
    "a bound method": lambda function: Called(function).method,
    "a static method": lambda function: staticmethod(function),
    "decorated": decorated,
    "with a default": with_a_default,
    "recursive": recursive,
    "remembering": remembering,
    "chatty": chatty,
    "careless with generators": careless,
    "guarded": guarded,
    "asserting": asserting,
    "a generator inside": generator_inside,
    "in two steps": in_two_steps,
    "in a loop": in_a_loop,
    "without gradients": without_gradients,
    "a global helper": by_a_global_helper,
    "annotated": annotated,
    "cached object": lambda function: functools.partial(Called(function)),
}

# ── what a function may return ──────────────────────────────────────────────────────────────


def is_number(value):
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def is_array(value):
    return isinstance(value, np.ndarray | list) and np.asarray(value).dtype.kind in "biuf"


def numbers(change):
    """Change a result that is one number."""
    return lambda value: change(value) if is_number(value) else value


def arrays(change):
    """Change a result that is one array, and every array of several."""

    def changed(value):
        if isinstance(value, tuple) and all(map(is_array, value)):
            return tuple(map(changed, value))
        return change(np.asarray(value)) if is_array(value) else value

    return changed


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


class OwnArray(np.ndarray):
    pass


def whole(value):
    return int(value) if math.isfinite(value) and value == int(value) else value


RETURNED = {
    "a list": arrays(lambda array: array.tolist()),
    "a tuple": arrays(lambda array: tuple(array.tolist())),
    "a list of arrays": arrays(list),
    "a tensor": arrays(lambda array: torch.tensor(array)),
    "a tensor with gradients": arrays(
        lambda array: torch.tensor(array).requires_grad_(array.dtype == np.float64)
    ),
    "a table of pandas": arrays(
        lambda a: (pd.Series, pd.DataFrame)[a.ndim - 1](a) if a.ndim in (1, 2) else a
    ),
    "an index of pandas": arrays(lambda a: pd.Index(a) if a.ndim == 1 else a),
    "a masked array": arrays(np.ma.array),
    "an array of objects": arrays(lambda array: array.astype(object)),
    "in Fortran's order": arrays(np.asfortranarray),
    "not contiguous": arrays(lambda array: np.repeat(array, 2, axis=0)[::2]),
    "turned twice": arrays(lambda array: array[::-1].copy()[::-1]),
    "read only": arrays(read_only),
    "another byte order": arrays(lambda array: array.astype(array.dtype.newbyteorder(">"))),
    "a class of its own": arrays(lambda array: array.view(OwnArray)),
    "short integers": arrays(lambda a: a.astype(np.int32) if a.dtype.kind in "iu" else a),
    "a number of Python": numbers(float),
    "a number of NumPy": numbers(np.float64),
    "an array of one number": numbers(np.array),
    "a tensor of one number": numbers(
        lambda value: torch.tensor(float(value)).double() * 0 + value
    ),
    "a whole number": numbers(whole),
    "long doubles": numbers(np.longdouble),
    "a list for a tuple": lambda value: list(value) if isinstance(value, tuple) else value,
    "a named tuple": lambda value: (
        namedtuple("Answers", list("abcdef")[: len(value)])(*value)
        if isinstance(value, tuple)
        else value
    ),
    "a tuple of tensors": arrays(lambda array: tuple(map(torch.as_tensor, array))),
}


def returning(change):
    return lambda function: lambda *inputs: change(function(*inputs))


STYLES = WRITTEN | {name: returning(change) for name, change in RETURNED.items()}


def test_there_are_many_styles():
    assert len(STYLES) >= 40


@pytest.mark.parametrize("seed", range(20))
def test_every_style_is_accepted(seed):
    """Each style at each of twenty seeds, for another exercise each time."""

    def is_accepted(name, style):
        answer = examined(name, STYLES[style](RIGHT_ONE[name]), seed)
        assert answer.solved, answer.message

    pairs = [(NAMES[(7 * i + 5 * seed) % len(NAMES)], style) for i, style in enumerate(STYLES)]
    each(is_accepted, [(f"{name}, {style}", name, style) for name, style in pairs])


@pytest.mark.weekly
@pytest.mark.parametrize("name", NAMES)
def test_every_right_answer_in_every_style_at_twenty_seeds(name):
    def is_accepted(function, style, seed):
        answer = examined(name, STYLES[style](function), seed)
        assert answer.solved, f"{seed}: {answer.message}"

    rows = [function for n, function in RIGHT if n == name]
    each(
        is_accepted,
        [
            (f"{function.__name__}, {style}, {seed}", function, style, seed)
            for i, function in enumerate(rows)
            for j, style in enumerate(STYLES)
            for seed in ([(i + j) % 20] if i else range(20))
        ],
    )
