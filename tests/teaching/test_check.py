import threading

import numpy as np
import pytest
import torch
from answers import examined
from hypothesis import given, settings
from hypothesis import strategies as st
from lessons.ch01_concepts.right_answers import draw_by_choice, interval
from lessons.ch01_concepts.wrong_answers import unbalanced
from loops import each

from tlcourse.models import freeze
from tlcourse.teaching import check as room
from tlcourse.teaching.check import Answer, check, examine, hint, statement
from tlcourse.teaching.exercise import catalogue

NAMES = list(catalogue())


def test_one_call_says_whether_a_function_is_right_and_if_not_why(capsys):
    assert check("balanced_draw", draw_by_choice) is None
    assert capsys.readouterr().out == "✓ balanced_draw: right on 5 random cases.\n"
    check("balanced_draw", unbalanced)
    assert "✗ balanced_draw: you drew [" in capsys.readouterr().out


def test_a_wrong_call_is_explained(capsys):
    calls = [
        (("frezee", freeze), "there is no exercise 'frezee'. Did you mean 'freeze'? There are: "),
        (("xyz", freeze), "there is no exercise 'xyz'. There are: balanced_draw, freeze, "),
        ((freeze,), "the first input is the name in quotes"),
        (("freeze",), 'write check("freeze", freeze), without parentheses'),
        (("freeze", freeze(torch.nn.ReLU())), "you passed a ReLU, not a function"),
        (("paired_interval", (1, 2, 3)), "you passed (1, 2, 3), not a function"),
    ]

    def is_explained(inputs, words):
        check(*inputs)
        assert words in capsys.readouterr().out

    each(is_explained, [(words, inputs, words) for inputs, words in calls])


def test_a_check_is_the_same_each_time_and_another_seed_gives_other_cases():
    messages = [examined("balanced_draw", unbalanced, seed).message for seed in (0, 0, 1)]
    assert messages[0] == messages[1] != messages[2]


def test_what_the_function_prints_is_shown_once_and_shortly(capsys):
    def chatty(ours, baseline):
        print("mean", np.mean(ours - baseline))
        return interval(ours, baseline)

    check("paired_interval", chatty)
    printed = capsys.readouterr().out
    assert printed.startswith("Your function printed:\nmean")
    assert printed.endswith("✓ paired_interval: right on 20 random cases.\n")
    assert len(printed) < 700


def test_a_check_works_outside_the_main_thread():
    answers = []
    work = lambda: answers.append(examine("balanced_draw", draw_by_choice))
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(timeout=120)
    assert answers[0].solved


# ── nothing a beginner returns breaks a check ───────────────────────────────────────────────


class Hostile:
    """Refuses everything that a comparison may try."""

    def __getattr__(self, name):
        raise RuntimeError("hands off")

    def __repr__(self):
        raise RuntimeError("hands off")

    __len__ = __iter__ = __array__ = __eq__ = __float__ = __bool__ = __repr__


class HostileText(str):
    def __eq__(self, other):
        raise RuntimeError("hands off")

    __hash__ = str.__hash__


def empties_its_inputs(*inputs):
    for value in inputs:
        if isinstance(value, dict | list):
            value.clear()
        elif isinstance(value, np.ndarray | torch.Tensor):
            value[:] = 0
        elif isinstance(value, torch.nn.Sequential):
            del value[:]
    return 0


def recurses(*inputs):
    return recurses(*inputs)


def leaves(*inputs):
    raise SystemExit


def prints_a_lot(*inputs):
    for _ in range(10_000):
        print("x" * 100)


NONSENSE = [
    0,
    -1,
    True,
    np.nan,
    "",
    "nothing moved",
    {},
    (),
    [],
    [[]],
    [None],
    [[1], [2, 3]],
    set(),
    range(3),
    object(),
    type,
    Hostile(),
    HostileText("weights moved"),
    np.array(None),
    np.array([]),
    np.array(5),
    np.full((3,), np.nan),
    np.zeros((2, 0)),
    np.array(["a"]),
    np.zeros(10**7),
    np.ma.masked_all(3),
    torch.zeros(3, requires_grad=True),
    torch.zeros(0),
    torch.zeros(2, dtype=torch.bfloat16),
    torch.zeros(3, device="meta"),
    torch.eye(3).to_sparse(),
    torch.nn.Identity(),
]


class Leaves(Exception):
    """Ends the program when asked what it says."""

    def __str__(self):
        raise SystemExit


class Unreadable:
    """Ends the program when it is read."""

    def __array__(self, *inputs, **named):
        raise SystemExit

    __len__ = __iter__ = __float__ = __array__


def raises_what_leaves(*inputs):
    raise Leaves


def is_its_own_wrapper(*inputs):
    raise ValueError("no")


is_its_own_wrapper.__wrapped__ = is_its_own_wrapper


def returns_what_leaves(*inputs):
    return [Unreadable(), Unreadable()]


def not_written(*inputs):
    raise NotImplementedError


NONSENSE_FUNCTIONS = {
    "empties its inputs": empties_its_inputs,
    "recurses": recurses,
    "leaves": leaves,
    "prints a lot": prints_a_lot,
    "raises what leaves": raises_what_leaves,
    "returns what leaves": returns_what_leaves,
    "is its own wrapper": is_its_own_wrapper,
    "takes nothing": lambda: 1,
    "takes four": lambda a, b, c, d: 1,
    "a generator": lambda *inputs: (x for x in inputs),
    "its inputs": lambda *inputs: inputs,
    "its first input": lambda *inputs: inputs[0],
    "its last input": lambda *inputs: inputs[-1],
}
STUBS = {
    "not written": not_written,
    "nothing": lambda *inputs: None,
    "dots": lambda *inputs: ...,
}


@pytest.mark.parametrize("name", NAMES)
def test_nonsense_gets_a_sentence_and_a_stub_not_yet(name):
    def is_refused(function):
        answer = examined(name, function)
        assert not answer.solved
        assert answer.message.startswith(f"✗ {name}: ")
        assert len(answer.message) < 600
        assert "\n" not in answer.message

    def is_not_yet(function):
        answer = examined(name, function)
        assert not answer.solved
        assert answer.message == (
            f"not yet: {name} is still empty; hint('{name}') gives you a first step."
        )

    values = [
        (f"{number}, a {type(value).__name__}", lambda *inputs, value=value: value)
        for number, value in enumerate(NONSENSE)
    ]
    each(is_refused, [*values, *NONSENSE_FUNCTIONS.items()])
    each(is_not_yet, STUBS.items())


leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)


@given(
    st.sampled_from(NAMES),
    st.recursive(leaf, lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner, inner)),
)
@settings(max_examples=60, deadline=None)
def test_no_returned_value_raises_or_passes(name, value):
    answer = examined(name, lambda *inputs: value)
    assert not answer.solved


# ── hints and statements ────────────────────────────────────────────────────────────────────


def test_each_call_adds_a_hint_until_the_last(capsys, monkeypatch):
    monkeypatch.setattr(room, "_hints_given", {})
    counts = []
    for _ in range(5):
        hint("freeze")
        lines = capsys.readouterr().out.splitlines()
        counts.append(len(lines))
    assert counts == [1, 2, 3, 4, 4]
    assert lines[0].startswith("hint 1 of 3: ")
    assert lines[3] == "That was the last hint."


def test_a_hint_for_no_exercise_lists_what_there_is(capsys):
    hint("Freeze")
    assert "Did you mean 'freeze'?" in capsys.readouterr().out


def test_a_statement_says_goal_input_result_and_example():
    text = statement("freeze")
    assert text.startswith("**`freeze`** ★★☆ · about 15 minutes\n\nFreeze a backbone")
    assert all(word in text for word in ("**Given:**", "**Return:**", "**Example:**"))


def test_outside_a_kernel_there_are_only_words(capsys):
    check("balanced_draw", unbalanced)
    assert capsys.readouterr().out.count("\n") == 1


def test_an_answer_is_a_value():
    assert Answer(True, "✓") == Answer(True, "✓")
