"""Read what a student's function returned: into an array or a number, or into a sentence."""

import math
import reprlib

import numpy as np
import torch
from scipy import stats


class Mistake(Exception):
    """What is wrong with an answer, in one sentence.

    Parameters
    ----------
    sentence : str
        Says what is wrong and, where that is known, what to do.
    drawing : matplotlib.figure.Figure, optional
        The answer beside the expected one.
    """

    def __init__(self, sentence: str, drawing=None):
        super().__init__(sentence)
        self.drawing = drawing


class Odd:
    """A value that is no plain data: of it only `text`, a few words, was sent."""

    def __init__(self, text: str):
        self.text = text


def describe(value) -> str:
    """Return a few words for any value, such as ``"an array of shape (3, 2) and type int64"``."""
    kind = type(value).__name__
    if isinstance(value, Odd):
        return value.text
    if isinstance(value, np.ndarray | torch.Tensor):
        tensor = isinstance(value, torch.Tensor)
        numbers = value.tolist() if value.ndim == 1 and len(value) <= 6 else [None]
        if all(isinstance(number, int | float) for number in numbers):
            text = f"{'tensor' if tensor else 'array'}({[round(number, 4) for number in numbers]})"
            if len(text) < 80:
                return text
        word = "a tensor" if tensor else "an array"
        return f"{word} of shape {tuple(value.shape)} and type {value.dtype}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if value is None or isinstance(value, bool | int | complex | str | list | tuple):
        text = reprlib.repr(value)
        return text if len(text) < 80 else f"a {kind} of length {len(value)}"
    if isinstance(value, dict):
        return f"a dict of length {len(value)}"
    return f"{'an' if kind[0] in 'AEIOUaeiou' else 'a'} {kind}"


def same(a, b) -> bool:
    """Tell whether two inputs, nested in lists, tuples and dicts, hold equal values.

    Modules count as the same: an exercise that hands one over compares its state itself.
    """
    if isinstance(a, np.ndarray):
        gaps = a.dtype.kind == "f"  # NaN is a gap, and a gap that stayed is no change
        return isinstance(b, np.ndarray) and np.array_equal(a, b, equal_nan=gaps)
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and torch.equal(a, b)
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return isinstance(a, torch.nn.Module) or a == b


def as_array(value, shape: tuple[int, ...], what: str) -> np.ndarray:
    """Return a student's value as a numeric array.

    Parameters
    ----------
    value : object
        Array, tensor or (nested) list; anything else is a mistake.
    shape : tuple of int
        The shape asked for; -1 stands for any length.
    what : str
        What is asked for, in words, for the message.

    Raises
    ------
    Mistake
        If `value` is no array of numbers, or has another shape, NaN or infinity.
    """
    if not isinstance(value, np.ndarray | torch.Tensor | list | tuple):
        raise Mistake(f"you returned {describe(value)}: return {what}.")
    try:
        tensor = isinstance(value, torch.Tensor)
        array = np.asarray(value.detach().cpu() if tensor else value)
    except (TypeError, ValueError, RuntimeError):  # ragged lists, lists of modules, bfloat16, …
        array = np.array(None)
    if array.dtype.kind not in "biuf":
        raise Mistake(f"you returned {describe(value)}: return {what}.")
    if len(array.shape) != len(shape) or any(
        wanted not in (-1, length) for wanted, length in zip(shape, array.shape, strict=True)
    ):
        raise Mistake(f"you returned values of shape {array.shape}: return {what}.")
    if not np.isfinite(array).all():
        raise Mistake(f"you returned NaN or infinity: return {what}.")
    return array


def as_number(value, what: str) -> float:
    """Return a student's value as a float; infinity is allowed, NaN is a mistake."""
    if isinstance(value, np.ndarray | torch.Tensor) and value.ndim == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise Mistake(f"you returned {describe(value)}: return {what}.")
    if np.isnan(value):
        raise Mistake(f"you returned NaN: return {what}.")
    return float(value)


class Guess(Mistake):
    """A wrong result, with the known mistakes that would explain it.

    Attributes
    ----------
    fitting : list of str
        Sentences of the mistakes that give exactly this result.
    near : bool
        Whether the result is right but for its rounding.
    """

    def __init__(self, sentence: str, fitting: list[str], near: bool, drawing=None):
        super().__init__(sentence, drawing)
        self.fitting, self.near = fitting, near


def explain(student, found, expected, known: dict, words: str = "", drawing=None) -> None:
    """Raise Guess unless `found` is `expected`.

    A mistake is named in the end only if it explains every result of a check, see `settle`; so the
    student remembers which mistakes a result contradicts, a right one too.

    Parameters
    ----------
    student : object
        Its set `contradicted` is added to.
    found, expected : float or np.ndarray
    known : dict of str to float or np.ndarray
        A sentence without its full stop, to what somebody returns who makes that mistake.
    words : str
        A sentence without its full stop, for any other wrong result; numbers are added.
    drawing : callable, optional
        ``drawing()`` returns the result beside the expected one.
    """
    known = {**known, **_rounded(expected)}
    fitting = [
        sentence
        for sentence, wrong in known.items()
        if np.shape(wrong) == np.shape(found) and close(found, wrong)
    ]
    student.contradicted.update(known.keys() - set(fitting))
    if close(found, expected):
        return
    near = near_miss(found, expected)
    sentence = near or (f"{words}: " if words else "") + worst(found, expected)
    raise Guess(sentence, fitting, bool(near), drawing and drawing())


def settle(guesses: list[Guess], contradicted: set[str]) -> Mistake:
    """Return the one sentence on several wrong results: a mistake only if it explains them all."""
    if sentences := explained(guesses, contradicted):
        return Mistake(f"{sentences[0]}.", guesses[0].drawing)
    first = next((guess for guess in guesses if not guess.near), guesses[0])
    return Mistake(str(first), first.drawing)


def explained(guesses: list[Guess], contradicted: set[str]) -> list[str]:
    """Return the sentences that explain all wrong results and contradict no other."""
    return [
        sentence
        for sentence in guesses[0].fitting
        if sentence not in contradicted and all(sentence in guess.fitting for guess in guesses)
    ]


def worst(found, expected) -> str:
    """Say where a result errs most, in numbers that differ to the eye."""
    found, expected = np.asarray(found), np.asarray(expected)
    with np.errstate(invalid="ignore"):
        errors = np.nan_to_num(np.abs(found.astype(float) - expected.astype(float)), nan=np.inf)
    place = np.unravel_index(errors.argmax(), errors.shape)
    if expected.dtype == bool:
        due, yours = bool(expected[place]), bool(found[place])
    else:
        due, yours = told_apart(float(expected[place]), float(found[place]))
    where = f"at {[int(i) for i in place]} " if place else ""
    return f"{where}it should be {due}, and you returned {yours}."


def _rounded(expected) -> dict:
    """Return what somebody returns who rounds the right result, by the sentence on it."""
    exact = np.asarray(expected)
    if exact.dtype.kind != "f":
        return {}
    size = np.abs(exact[np.isfinite(exact)]).max(initial=0)
    return {
        f"your result is rounded to {digits} decimal{'s'[: digits - 1]}: return it as it is": (
            exact.round(digits)
        )
        for digits in range(1, 6)
        if 10.0**-digits <= size / 10  # a nought for small numbers is not rounded, but wrong
    }


def close(found, expected, tolerance: float = 1e-6) -> bool:
    """Tell whether `found` keeps to the tolerance that a statement promises.

    An error of 1e-6 is one in the sixth decimal, or one part in a million of the largest number:
    "correct to 1e-6" may be read either way, and nobody loses a point for the one or the other.
    """
    error, size = _error_and_size(found, expected)
    return error <= tolerance * max(1, size)


def near_miss(found, expected) -> str:
    """Return a sentence on a result that is right but for its rounding; else an empty one.

    It is for results that missed their tolerance. Float32 keeps about 7 digits, and a
    computation loses some of them.
    """
    error, size = _error_and_size(found, expected)
    if not 0 < error <= 1e-4 * size:
        return ""
    return (
        f"right to {math.floor(-math.log10(error / size))} digits, but 6 are asked for: compute in "
        "float64, NumPy's default, and do not round."
    )


def _error_and_size(found, expected) -> tuple[float, float]:
    """Return the largest error and the largest number expected; NaN or infinity is never near."""
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    if np.array_equal(found, expected):
        return 0.0, 1.0
    with np.errstate(invalid="ignore"):
        error = np.abs(found - expected).max()
    finite = np.isfinite(error)
    return (float(error), float(np.abs(expected).max())) if finite else (math.inf, 1.0)


def told_apart(*numbers: float) -> list[str]:
    """Return different numbers as texts that differ: with four digits, or with more."""
    for digits in range(4, 18):
        texts = [f"{number:.{digits}g}" for number in numbers]
        if len(set(texts)) == len(texts):
            break
    return texts


def by_chance(counts, due=None) -> bool:
    """Tell whether counts may come from chance: neither too uneven nor too even for it.

    The chi-square test behind it refuses chance itself once in five million times.

    Parameters
    ----------
    counts : array
        How often each of several things came.
    due : array, optional
        How often each is due; by default all alike.
    """
    counts = np.asarray(counts, float)
    due = np.broadcast_to(counts.mean() if due is None else due, counts.shape)
    above = stats.chi2.sf(((counts - due) ** 2 / due).sum(), counts.size - 1)
    return bool(1e-7 < above < 1 - 1e-7)
