"""Many cases in one test: all of them run, and a failure names each case that fails."""

import pytest


def each(judge, cases):
    """Let ``judge(*case)`` try every case, each a name and its inputs; fail for all that raise."""
    found = []
    for name, *case in cases:
        try:
            judge(*case)
        except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - all cases have their turn
            found.append(f"{name}: {type(error).__name__}: {error}")
    assert not found, "\n".join(found)


def each_is_refused(error, call, cases):
    """Fail unless for all cases, inputs and words, ``call(*inputs)`` raises an error with the words."""

    def is_refused(inputs, words):
        with pytest.raises(error, match=words):
            call(*inputs)

    each(is_refused, [(f"{inputs!r:.80}, {words}", inputs, words) for inputs, words in cases])
