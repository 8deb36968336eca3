"""What may come back from a student's process: plain data, whatever was sent."""

import math
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from loops import each, each_is_refused

from tlcourse.teaching.plain import LONGEST, MOST, SIZE, TooLarge, Unreadable, pack, unpack
from tlcourse.teaching.values import Odd, same

KINDS = ["f8", "f4", "f2", "i8", "u1", "?", "c16", "U3", ">f8"]
leaf = st.none() | st.booleans() | st.floats() | st.text() | st.integers(-(2**63) + 1, 2**63 - 1)
leaf |= arrays(st.sampled_from(KINDS), array_shapes(min_dims=0, min_side=0))
plain = st.recursive(
    leaf,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def alike(a, b):
    if isinstance(a, float):
        return isinstance(b, float) and (a == b or math.isnan(a) and math.isnan(b))
    if isinstance(a, np.ndarray) and a.dtype.kind in "fc":
        a, b = (np.nan_to_num(x.astype(complex)) for x in (a, b))
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(alike(a[key], b[key]) for key in a)
    return type(a) is type(b) and same(a, b)


@given(plain)
@settings(deadline=None, max_examples=150)
def test_plain_data_comes_back_as_it_was(value):
    assert alike(value, unpack(pack(value)))


def test_tensors_and_numbers_of_numpy_keep_their_type():
    tensor = torch.arange(6.0).reshape(2, 3).T.requires_grad_()
    back = unpack(pack({"a": tensor, "b": np.float32(0.1), "c": np.int64(3)}))
    assert torch.equal(back["a"], tensor) and back["a"].requires_grad
    assert back["b"].dtype == np.float32 and back["c"].dtype == np.int64
    assert unpack(pack(torch.tensor([True]))).dtype == torch.bool


def test_what_offers_itself_as_an_array_is_one():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    values = {
        "table": (frame, [[1, 3], [2, 4]]),
        "column": (frame["b"], [3, 4]),
        "index": (pd.Index([5, 6]), [5, 6]),
        "range": (range(3), [0, 1, 2]),
        "masked": (np.ma.array([1, 2]), [1, 2]),
        "array of objects": (np.array([np.float32(1), 2.5], dtype=object), [1, 2.5]),
        "tensor": (torch.eye(2), [[1, 0], [0, 1]]),
        "iterator inside": ([(x for x in (1, 2))], [[1, 2]]),
    }
    each(
        lambda value, due: np.testing.assert_array_equal(np.array(unpack(pack([value]))[0]), due),
        [(name, *pair) for name, pair in values.items()],
    )


class Leaves:
    """Ends the program whatever it is asked."""

    def __getattr__(self, name):
        raise SystemExit

    __repr__ = __len__ = __iter__ = __array__ = __eq__ = __float__ = __bool__ = __getattr__


def around(value, times):
    for _ in range(times):
        value = [value]
    return value


def test_anything_else_is_a_few_words():
    class Text(str):
        def __eq__(self, other):
            raise SystemExit

        __hash__ = str.__hash__

    cyclic = []
    cyclic.append(cyclic)
    odd = [object(), type, {1}, Leaves(), torch.nn.ReLU(), lambda: 1, 1j, 10**400, math, sys.stdout]
    odd += [torch.zeros(2, dtype=torch.bfloat16), torch.zeros(2, device="meta"), around(0, 50)]
    odd += [cyclic, (x for x in [1]), np.array([object()]), b"", pd.Series([object()])]

    def is_odd(value):
        found = unpack(pack({"value": value}))["value"]
        while isinstance(found, list):
            (found,) = found
        assert isinstance(found, Odd) and 0 < len(found.text) <= 200

    each(is_odd, [(f"number {number}", value) for number, value in enumerate(odd)])
    assert unpack(pack(Text("a"))) == "a" and type(unpack(pack(Text("a")))) is str


def test_an_answer_has_a_largest_size():
    values = [np.zeros(10**7), [0] * 10**6, [[]] * 10**6]
    each_is_refused(TooLarge, pack, [((value,), None) for value in values])


def message(text, blocks=b""):
    return SIZE.pack(len(text)) + text.encode() + blocks


FORGED = [
    b"",
    b"\xff" * 30,
    message("{"),
    message("[" * 10**5),
    message('{"array": ["O", [1], 0]}', b"12345678"),
    message('{"array": ["<f8", [1000000000000], 0]}', b"12345678"),
    message('{"array": ["<f8", [-1], 0]}', b"12345678"),
    message('{"array": ["<U0", [1000000000000], 0]}'),
    message('{"array": ["<f8", [1], -8]}', b"12345678"),
    message('{"tensor": ["<U1", [1], 0, false]}', b"1234"),
    message('{"number": ["<f8", [2, 3], 0], "list": []}'),
    message('{"parameter": 7}'),
    message('{"class": "os.system"}'),
    message("9" * 10**5),
    message(f'{{"dict": [[{2**61 - 1}, 0], [0, 0]]}}'),  # many such keys would have one hash
    message('{"dict": [[{"number": ["<c16", [], 0]}, 0]]}', bytes(16)),
    message('{"list": [' + "[]," * MOST + "0]}"),
    message(" " * LONGEST),
]


def test_forged_bytes_are_refused():
    each_is_refused(Unreadable, unpack, [((forged,), None) for forged in FORGED])


@given(st.binary(max_size=200), st.binary(max_size=40))
@settings(deadline=None)
def test_no_bytes_do_anything_else(text, blocks):
    for data in (text, SIZE.pack(len(text)) + text + blocks):
        try:
            unpack(data)
        except Unreadable:
            pass


@pytest.mark.parametrize("place", [0, 3, 9, 20, 45])
def test_a_message_that_was_damaged_is_data_or_refused(place):
    data = bytearray(pack({"a": np.arange(3.0), "b": [1, "c"]}))
    for value in (0, 34, 123, 255):
        data[place] = value
        try:
            unpack(bytes(data))
        except Unreadable:
            continue
