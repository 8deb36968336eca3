"""A student's function as a check sees it: every call gives plain data or one sentence."""

import random
import warnings

import numpy as np
import pytest
import torch
from answers import here
from loops import each, each_is_refused

from tlcourse.teaching.guard import Crash, Gone, NotYet, Student, TimeUp, observe
from tlcourse.teaching.holder import Holder, Notepad, is_stub
from tlcourse.teaching.values import Mistake


def test_the_students_function_is_called_like_itself():
    add = here("add", lambda a, b: a + b)
    assert add(2, 3) == add(2, b=3) == 5
    assert add.__module__ == __name__


def test_an_exception_becomes_a_sentence_with_call_and_line():
    def third(values):
        return values[2]

    with pytest.raises(Crash, match="list index out of range") as caught:
        here("third", third)([1, 2])
    assert caught.value.kinds == ["IndexError", "LookupError", "Exception"]
    assert "third([1, 2]) raised IndexError" in str(caught.value)
    assert "(`return values[2]`)" in str(caught.value)


def test_the_line_named_is_the_students_even_if_a_library_raised():
    def total(values):
        return np.concatenate(values)

    with pytest.raises(Crash, match=r"\(`return np.concatenate\(values\)`\)"):
        here("total", total)(3)


def test_a_line_without_source_is_named_by_its_number():
    names = {}
    exec(compile("def half(x):\n    return x / 0", "<nowhere>", "exec"), names)  # noqa: S102
    with pytest.raises(Crash, match="division by zero, in line 2\\.$"):
        here("half", names["half"])(1)


class Secretive(Exception):
    def __str__(self):
        raise SystemExit


def raises(error):
    def function(*inputs):
        raise error

    return function


def test_any_exception_is_explained():
    def again(x):
        return again(x)

    errors = [
        (raises(SystemExit(0)), "raised SystemExit: 0"),
        (raises(GeneratorExit()), "raised GeneratorExit"),
        (raises(KeyboardInterrupt()), "raised KeyboardInterrupt"),
        (raises(Secretive()), "raised Secretive"),
        (raises(ValueError("a\nb")), "raised ValueError: a b"),
        (again, "RecursionError"),
    ]
    calls = [((function, 1), words) for function, words in errors]
    each_is_refused(Crash, lambda f, x: here("f", f)(x), calls)


def test_other_parameters_are_named():
    with pytest.raises(Mistake, match=r"called as f\(1, 2\), but yours is defined as f\(x\)"):
        here("f", lambda x: x)(1, 2)


def test_a_built_in_without_signature_or_source_is_called_all_the_same():
    assert here("largest", max)(1, 2) == 2
    with pytest.raises(Crash, match="not iterable\\.$"):
        here("largest", max)(1)


CHANGES = [
    (np.zeros(3), lambda x: x.sort() or x.__setitem__(0, 1)),
    (torch.zeros(3), lambda x: x.add_(1)),
    ([1, 2], lambda x: x.clear()),
    ({"a": torch.zeros(2)}, lambda x: x["a"].add_(1)),
    ({"a": 1}, lambda x: x.pop("a")),
]


def test_a_changed_input_is_noticed_and_ours_stays():
    cases = [(case, "changed its input") for case in CHANGES]
    call = lambda value, change: here("f", lambda x: [change(x)])(value)
    each_is_refused(Mistake, call, cases)
    assert CHANGES[2][0] == [1, 2]


def test_a_forgotten_return_is_named():
    def f(x):
        x + 1

    with pytest.raises(Mistake, match="does it end with a `return` line"):
        here("f", f)(1)


# ── what cannot be seen from outside ────────────────────────────────────────────────────────


def freeze_first(module):
    module[0].requires_grad_(False)


def flags(freeze, module):
    freeze(module)
    return [p.requires_grad for p in module.parameters()]


def test_a_probe_sees_what_a_function_did_where_the_function_is():
    module = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 1))
    assert observe(here("freeze", freeze_first), flags, module) == [False, False, True, True]
    assert all(p.requires_grad for p in module.parameters()), "it was a copy that was frozen"
    assert observe(freeze_first, flags, module) == [False, False, True, True]


def test_a_sentence_names_the_call_that_a_probe_made():
    with pytest.raises(Crash, match=r"^freeze\(3\) raised TypeError"):
        here("freeze", freeze_first).observe(lambda freeze, x: freeze(x + 1), 2)


def test_parameters_that_come_back_are_those_that_were_given():
    layers = [torch.nn.Linear(2, 2), torch.nn.Linear(2, 1)]
    groups = here("f", lambda layers: [{"params": layer.parameters()} for layer in layers])(layers)
    for group, layer in zip(groups, layers, strict=True):
        assert all(a is b for a, b in zip(group["params"], layer.parameters(), strict=True))


# ── stubs ───────────────────────────────────────────────────────────────────────────────────


def empty(x):
    """Do nothing."""


def ellipsis(x): ...


def nbgrader_stub(x):
    # YOUR CODE HERE
    raise NotImplementedError()


def stub_with_words(x):
    raise NotImplementedError("your turn")


class Whole:
    def __call__(self, x):
        return x


def test_a_stub_is_not_yet_solved():
    stubs = [((stub,), None) for stub in (nbgrader_stub, stub_with_words, lambda x: ...)]
    each_is_refused(NotYet, lambda stub: here("f", stub)(1), stubs)


def test_an_empty_body_is_a_stub_and_code_is_not():
    assert is_stub(empty)
    assert is_stub(ellipsis)
    assert is_stub(lambda *values: None)
    assert not any(is_stub(f) for f in (lambda x: x, lambda x: 0, max, Whole(), Whole))


def test_a_librarys_not_implemented_error_is_no_stub():
    def f(x):
        return missing(x)

    missing = raises(NotImplementedError("no kernel for Half"))
    missing.__code__ = missing.__code__.replace(co_filename="library.py")
    with pytest.raises(Crash, match="no kernel for Half"):
        here("f", f)(1)


# ── what is printed, warned of and left behind ──────────────────────────────────────────────


def test_output_is_kept_shortly_and_warnings_are_not(capsys):
    def loud(x):
        warnings.warn("not shown", stacklevel=1)
        print("x" * 300, x)
        return x

    student = here("loud", loud)
    assert [student(x) for x in range(3)] == [0, 1, 2]
    assert student.printed.startswith("x" * 300 + " 0\n") and len(student.printed) == 500
    assert capsys.readouterr() == ("", "")


def test_the_notepad_stays_short():
    notepad = Notepad(size=5)
    for _ in range(100):
        print("abc", file=notepad)
    assert notepad.text == "abc\na"


def test_a_gradient_switch_left_off_is_on_again_for_the_next_call():
    student = here("f", lambda on: [torch.is_grad_enabled(), torch.set_grad_enabled(on)][0])
    assert [student(False), student(False), student(True)] == [True, True, True]


def test_each_check_begins_with_the_same_random_numbers():
    def draws():
        return [random.random(), np.random.rand(), torch.rand(1)]

    assert here("f", draws)() == here("f", draws)()


# ── answers that nobody sent ────────────────────────────────────────────────────────────────

FORGED = [None, 3, "solved", [], {}, {"raised": 3}, {"raised": [[], "", ""]}, {"solved": True}]


def test_a_forged_answer_is_a_sentence_and_never_a_verdict():
    def call(answer):
        return Student("f", lambda *message, **limits: answer, {})(1)

    each_is_refused(Gone, call, [((answer,), "cannot be read") for answer in FORGED])
    assert call({"value": True, "solved": True}) is True


def test_a_question_that_fails_is_a_sentence_with_the_call():
    def late(*message, **limits):
        raise TimeUp("it was stopped.")

    student = Student("f", late, {})
    each_is_refused(
        TimeUp, student, [((1,), r"^f\(1\) was stopped: is there a loop without end\?")]
    )


def test_failures_of_a_holder_are_answers():
    each(
        lambda message: Holder().answer(message),
        [(str(m), m) for m in [("call", "f", (), {}), ("nothing",), ("hold", "f", b"", {}, [])]],
    )
