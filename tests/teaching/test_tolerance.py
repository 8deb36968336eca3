"""What a statement promises about rounding is what a check and a graded cell ask for."""

import re

import graded
import numpy as np
import pytest
import torch
from answers import RIGHT, RIGHT_ONE, cases, examined, here
from loops import each
from test_assignment_notebooks import NOTEBOOKS, OF_EXERCISE

from tlcourse.teaching.exercise import catalogue
from tlcourse.teaching.values import near_miss, told_apart

NEARLY = re.compile(
    r"right to [45] digits, but 6 are asked for: compute in float64, NumPy's default, "
    r"and do not round\.$"
)
PROMISED = {
    name: "part" if "1 part in 1e6" in exercise.returns else "decimals"
    for name, exercise in catalogue().items()
    if "1e-6" in exercise.returns or "1 part in 1e6" in exercise.returns
}


def single(value):
    """The same inputs in single precision, nested ones too."""
    if isinstance(value, np.ndarray) and value.dtype == np.float64:
        return value.astype(np.float32)
    if isinstance(value, list | tuple):
        return type(value)(map(single, value))
    if isinstance(value, dict):
        return {name: single(part) for name, part in value.items()}
    return value


def twin_of(function, changed=None):
    """The function in single precision; it notes in `changed` which inputs that makes others."""

    def in_single_precision(*inputs, **named):
        fewer = [single(value) for value in inputs]
        if changed is not None:
            changed.update(k for k, value in enumerate(fewer) if not unchanged(value, inputs[k]))
        return function(*fewer, **named)

    return in_single_precision


def unchanged(value, before):
    """Whether single precision left everything in an input as it was."""
    if isinstance(value, np.ndarray):
        return value is before
    if isinstance(value, list | tuple):
        return all(map(unchanged, value, before))
    if isinstance(value, dict):
        return all(unchanged(part, before[name]) for name, part in value.items())
    return True


def inexact(function, error, part):
    """The function, with an error in each number of its result."""

    def blur(value):
        if isinstance(value, tuple) and not np.isscalar(value[0]):
            return tuple(map(blur, value))
        exact = np.asarray(value, dtype=float)
        return exact * (1 + error) if part else exact + error * (exact != np.inf)

    return lambda *inputs: blur(function(*inputs))


def test_most_exercises_promise_a_tolerance():
    assert len(PROMISED) > 15


# This one mixes single and double precision, which torch refuses whatever we do.
TWINS = [row for row in RIGHT if row[1].__name__ != "nearest_by_torch"]
# One overflows; a rule's limits may lie closer together than numbers in single precision.
FAIR = [t for t in TWINS if t[1].__name__ != "perplexity_as_a_root" and t[0] != "rules_as_features"]


@pytest.mark.parametrize("name", catalogue())
def test_single_precision_passes_or_hears_how_many_digits_are_right(name):
    own_twins = set()

    def in_the_check(function):
        changed = set()
        for seed in range(8):
            answer = examined(name, twin_of(function, changed), seed)
            assert answer.solved or NEARLY.search(answer.message), answer.message
            if not changed:  # whole numbers, or a network: other tests try the function itself
                own_twins.add(function)
                break

    def in_the_graded_cell(function):
        if function in own_twins:
            return
        said = graded.grade(
            NOTEBOOKS["source", OF_EXERCISE[name]], name, here(name, twin_of(function))
        )
        assert said is None or NEARLY.search(said), said

    each(in_the_check, cases(TWINS, name))
    each(in_the_graded_cell, cases(FAIR, name))
    assert not (own_twins and name in PROMISED), "single precision changes no input"


@pytest.mark.parametrize("name", PROMISED)
def test_an_error_within_the_promise_passes_and_a_larger_one_is_called_by_its_digits(name):
    for error in (9e-7, -9e-7):
        function = inexact(RIGHT_ONE[name], error, PROMISED[name] == "part")
        assert {examined(name, function, seed).message[0] for seed in range(4)} == {"✓"}, error
    function = inexact(RIGHT_ONE[name], 8e-5, part=True)
    assert NEARLY.search(examined(name, function).message)


@pytest.mark.parametrize("name", catalogue())
def test_no_sentence_asks_for_the_number_that_it_was_given(name):
    pairs = r"(?:should be|is|instead of|gives|return) (-?[\d.e-]+\d)\b.*?(-?\d[\d.e-]*\d)\b"
    for error in (2e-6, 2e-4, 2e-3):
        answer = examined(name, inexact_or_as_it_is(RIGHT_ONE[name], error))
        for one, other in re.findall(pairs, answer.message.split(") ")[-1]):
            assert one != other, answer.message


def inexact_or_as_it_is(function, error):
    def blurred(*inputs):
        value = function(*inputs)
        if isinstance(value, str | dict | list | torch.nn.Module) or value is None:
            return value
        return inexact(lambda: value, error, part=True)()

    return blurred


def test_a_near_miss_counts_digits_of_the_largest_number():
    assert near_miss(1.00003, 1.0).startswith("right to 4 digits")
    found, expected = np.array([0, 2.00001]), np.array([0, 2.0])
    assert near_miss(found, expected).startswith("right to 5 digits")
    # Nothing is nearly infinite, and an exact result is no near miss.
    for pair in ((1.001, 1.0), (np.inf, 1.0), (1.0, np.inf), (0.0, 0.0), (1e-9, 0)):
        assert near_miss(*pair) == "", pair


def test_numbers_are_told_apart_with_as_many_digits_as_it_takes():
    assert told_apart(0.5, 1 / 3) == ["0.5", "0.3333"]
    assert told_apart(-0.36731, -0.36734) == ["-0.36731", "-0.36734"]
    assert told_apart(10.0, np.nextafter(10.0, 11)) == ["10", "10.000000000000002"]


def test_rates_in_single_precision_are_rates():
    def rates(layers, lr, decay):
        steps = np.float32(lr) * np.float32(decay) ** np.arange(len(layers), dtype=np.float32)
        learns = [[p for p in layer.parameters() if p.requires_grad] for layer in layers]
        return [{"params": p, "lr": r} for p, r in zip(learns, steps[::-1], strict=True)]

    assert examined("learning_rates", rates).solved
    source = NOTEBOOKS["source", "02_model_choice"]
    assert graded.grade(source, "learning_rates", here("learning_rates", rates)) is None
