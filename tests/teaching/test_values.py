import math
from types import SimpleNamespace

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from loops import each_is_refused

from tlcourse.teaching.values import (
    Guess,
    Mistake,
    as_array,
    as_number,
    by_chance,
    describe,
    explain,
    same,
    settle,
)


def test_tablestensors_and_lists_are_read_alike():
    values = [
        [1.0, 2.0],
        (1.0, 2.0),
        np.array([1.0, 2.0]),
        torch.tensor([1.0, 2.0]),
        torch.tensor([1.0, 2.0], requires_grad=True),
        [torch.tensor(1.0), np.float32(2)],
    ]
    for value in values:
        assert as_array(value, (2,), "two numbers").tolist() == [1, 2], value
    assert as_array(np.zeros((7, 2)), (-1, 2), "rows").shape == (7, 2)  # -1 is any length


NO_ARRAYS = [
    (None, "you returned None: return two numbers."),
    ((x for x in [1, 2]), "a generator"),
    ({1: 2}, "a dict of length 1"),
    ("ab", "'ab'"),
    ([1, [2, 3]], r"\[1, \[2, 3\]\]"),
    (np.array(["a", "b"]), "type <U1"),
    (torch.zeros(2, dtype=torch.bfloat16), "tensor"),
    (np.zeros((2, 1)), r"shape \(2, 1\)"),
    (np.zeros(3), r"shape \(3,\)"),
    ([1, math.nan], "NaN"),
    ([1, math.inf], "infinity"),
]


def test_what_is_no_array_and_what_is_no_number_is_named():
    tables = [((value, (2,), "two numbers"), words) for value, words in NO_ARRAYS]
    each_is_refused(Mistake, as_array, tables)
    no_numbers = (True, "3", [3], np.array([3.0]), 3j, None)
    numbers = [((value, "a number"), ": return a number.") for value in no_numbers]
    each_is_refused(Mistake, as_number, [*numbers, ((math.nan, "a number"), "NaN")])


def test_every_kind_of_number_is_read_infinity_too():
    for value in (3, 3.0, np.float32(3), np.int64(3), np.array(3), torch.tensor(3)):
        assert as_number(value, "a number") == 3.0, value
    assert as_number(math.inf, "a number") == math.inf


def test_a_value_is_described_in_a_few_words():
    described = [
        (np.array([0.123456, 1]), "array([0.1235, 1.0])"),
        (torch.tensor([1, 2]), "tensor([1, 2])"),
        (np.zeros((3, 2)), "an array of shape (3, 2) and type float64"),
        (np.array([object()]), "an array of shape (1,) and type object"),
        (torch.zeros(9), "a tensor of shape (9,) and type torch.float32"),
        (np.float64(0.123456), "0.1235"),
        (torch.nn.Identity(), "an Identity"),
        (print, "a builtin_function_or_method"),
    ]
    for value, words in described:
        assert describe(value) == words


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.complex_numbers() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
)


@given(anything | arrays(st.sampled_from([float, int, bool, object, "U3"]), array_shapes()))
def test_whatever_comes_back_is_read_or_named_shortly(value):
    assert len(describe(value)) < 100
    for read in (lambda: as_array(value, (2,), "x"), lambda: as_number(value, "x")):
        try:
            read()
        except Mistake as mistake:
            assert str(mistake).endswith(": return x.")


def test_same_compares_values_and_not_identity():
    assert same({"a": [np.ones(2), torch.ones(2)]}, {"a": [np.ones(2), torch.ones(2)]})
    assert not same({"a": np.ones(2)}, {"a": np.zeros(2)})
    assert same(np.array([1, np.nan]), np.array([1, np.nan])), "a gap that stayed is no change"
    assert not same(np.array([1, np.nan]), np.array([1.0, 2]))
    assert same(np.array(["a"]), np.array(["a"]))
    assert not same([1], [1, 2])
    assert not same(np.ones(2), [1, 1])
    assert same(torch.nn.ReLU(), torch.nn.ReLU())


def test_a_wrong_value_is_explained_by_the_mistake_that_it_equals():
    known = {"twice too large": 2.0, "a vector of ones": np.ones(3), "a half": 0.5}

    def verdict(*pairs):
        """What is said of several results, each with the one expected."""
        student, guesses = SimpleNamespace(contradicted=set()), []
        for pair in pairs:
            try:
                explain(student, *pair, known, "wrong")
            except Guess as guess:
                guesses.append(guess)
        raise settle(guesses, student.contradicted)

    one, two, other = (1.0 + 1e-9, 1.0), (2.0, 1.0), (3.0, 1.0)
    wrong = [
        ((two,), r"^twice too large\.$"),
        ((two, two), r"^twice too large\.$"),
        ((one, two), r"^wrong: it should be 1, and you returned 2\.$"),
        ((two, other), r"^wrong: it should be 1, and you returned 2\.$"),
        ((other,), r"^wrong: it should be 1, and you returned 3\.$"),
        (((1.0, 0.0),), r"^wrong: it should be 0"),  # no broadcasting: one number is no vector
        (((0.33, 1 / 3), (0.67, 2 / 3)), "rounded to 2 decimals: return it as it is"),
        (((0.33, 1 / 3), (0.667, 2 / 3)), "it should be 0.3333, and you returned 0.33"),
        (((0.0, 0.01), (0.0, 0.02)), "it should be 0.01, and you returned 0"),
        (((1.00004, 1.0), (0.5, 0.7)), "it should be 0.7, and you returned 0.5"),
        (((1.00004, 1.0), (0.70001, 0.7)), "right to 4 digits"),
        (((np.array([True, False]), np.array([True, True])),), r"at \[1\] it should be True"),
    ]
    each_is_refused(Mistake, verdict, wrong)


def test_chance_is_neither_too_even_nor_too_uneven():
    rng = np.random.default_rng(0)
    assert all(by_chance(rng.multinomial(80, [0.2] * 5)) for _ in range(300))
    assert not by_chance([16] * 5 * 4)
    assert not by_chance([80, 0, 0, 0, 0])
