"""What may come back from a process that holds a student's functions: plain data, and nothing that runs.

``unpack(pack(value))`` is `value` for numbers, texts, lists, tuples, dicts, arrays and tensors. What
offers itself as an array (a table of pandas, say) becomes one. Anything else becomes `Odd`, a few words
about it. No class is looked up by a name that was sent, so reading cannot run anything.
"""

import json
import math
import struct
from collections.abc import Iterator

import numpy as np
import torch

from tlcourse.teaching.values import Odd, describe

LARGEST = 64 * 2**20  # bytes of one answer
MOST = 300_000  # values in one answer, those inside arrays not counted
DEPTH = 20
LONGEST = 16 * 2**20  # bytes of JSON in an answer
KINDS = "biufcU"  # of NumPy's types: numbers, truths and texts, no objects
SIZE = struct.Struct("<Q")


class Unreadable(Exception):
    """What arrived is no packed value."""


class TooLarge(Exception):
    """A value has more parts than an answer may have."""


def pack(value, known=()) -> bytes:
    """Return `value` as bytes.

    Parameters
    ----------
    value : object
    known : sequence of torch.nn.Parameter
        Packed as their number: whoever unpacks gets the own parameter of that number.

    Raises
    ------
    TooLarge
    """
    packer = Packer(known)
    text = json.dumps(packer.tree(value, DEPTH)).encode()
    return SIZE.pack(len(text)) + text + b"".join(packer.blocks)


class Packer:
    """Turns values into what JSON can say, and arrays into blocks of bytes."""

    def __init__(self, known):
        self.numbers = {id(parameter): number for number, parameter in enumerate(known)}
        self.blocks, self.bytes, self.values = [], 0, 0

    def tree(self, value, depth: int):
        """Return `value` for JSON, down to `depth` levels."""
        self.values += 1
        if self.values > MOST:
            raise TooLarge
        try:
            return self.leaf(value) if depth == 0 else self.node(value, depth - 1)
        except (KeyboardInterrupt, TooLarge):
            raise
        except BaseException:  # noqa: BLE001 - a student's object may do anything when it is read
            return {"odd": words(value)}

    def node(self, value, depth: int):
        """Return a container's parts, or what `leaf` makes of it."""
        kind = type(value)
        if kind is dict:
            pairs = [[self.tree(key, 0), self.tree(part, depth)] for key, part in value.items()]
            return {"dict": pairs}
        if issubclass(kind, dict):  # a state dict is one
            return self.node(dict(value.items()), depth)
        if issubclass(kind, list | tuple | range):
            name = "tuple" if issubclass(kind, tuple) else "list"
            return {name: [self.tree(part, depth) for part in value]}
        if issubclass(kind, Iterator) and depth < DEPTH - 2:  # inside an answer, for optimisers
            return {"list": [self.tree(part, depth) for part in value]}
        if issubclass(kind, np.ndarray) and value.dtype.kind == "O":
            return self.tree(value.tolist(), depth)
        return self.leaf(value)

    def leaf(self, value):
        """Return a value without parts."""
        kind = type(value)
        if value is None or kind in (bool, str):
            return value
        if id(value) in self.numbers:
            return {"parameter": self.numbers[id(value)]}
        if issubclass(kind, torch.Tensor):
            array = value.detach().cpu().resolve_conj().resolve_neg().numpy()
            return {"tensor": [*self.array(array), bool(value.requires_grad)]}
        if issubclass(kind, np.generic | np.ndarray):
            return {"number" if issubclass(kind, np.generic) else "array": self.array(value)}
        if issubclass(kind, str):
            return str.__str__(value)
        if issubclass(kind, int):
            number = int.__index__(value)
            return number if abs(number) < 2**63 else {"odd": words(number)}
        if issubclass(kind, float):
            return float.__float__(value)
        if hasattr(kind, "__array__"):  # a table or a column of another library
            return self.node(np.asarray(value), 1)
        return {"odd": words(value)}

    def array(self, value) -> list:
        """Keep an array's bytes; return its type, its shape and where they begin."""
        array = np.asarray(value)
        if array.dtype.kind not in KINDS:
            raise TypeError("only numbers, truths and texts are plain")
        if self.bytes + array.nbytes > LARGEST:
            raise TooLarge
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        start, self.bytes = self.bytes, self.bytes + array.nbytes
        self.blocks.append(array.tobytes())
        return [array.dtype.str, list(array.shape), start]


def words(value) -> str:
    """Describe any value in a few words, whatever it does when asked for them."""
    try:
        return describe(value)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001
        return f"a {type(value).__name__}"


def unpack(data: bytes, known=()):
    """Return what was packed, or raise Unreadable; see `pack`."""
    try:
        size = SIZE.size + SIZE.unpack_from(data)[0]
        if size > LONGEST:
            raise ValueError("no answer is so long")
        tree = json.loads(data[SIZE.size : size])
        return Reader(data[size:], known).value(tree)
    except Exception as error:  # noqa: BLE001 - of bytes that may say anything
        raise Unreadable(str(error)[:200]) from None


def _key(value):
    """Return a key of a dict: a text, a truth, or a number that is not so large that many share a hash."""
    number = isinstance(value, int | float | np.integer | np.floating)
    if value is None or isinstance(value, str) or (number and abs(value) < 2**53):
        return value
    raise ValueError("no key is of this kind")


class Reader:
    """Turns what `Packer` made back into values."""

    def __init__(self, blocks: bytes, known):
        self.blocks, self.known, self.values = blocks, list(known), 0

    def value(self, tree):
        """Return the value that a part of the JSON stands for."""
        self.values += 1
        if self.values > MOST:
            raise ValueError("no answer has so many values")
        if not isinstance(tree, dict):
            return None if isinstance(tree, list) else tree
        ((kind, content),) = tree.items()
        if kind in ("list", "tuple"):
            parts = [self.value(part) for part in content]
            return parts if kind == "list" else tuple(parts)
        if kind == "dict":
            return {_key(self.value(key)): self.value(part) for key, part in content}
        if kind == "parameter":
            return self.known[content]
        if kind == "odd":
            return Odd(str(content)[:200])
        array = self.array(*content[:3])
        if kind == "tensor":
            return torch.from_numpy(array).requires_grad_(content[3] is True)
        return {"array": array, "number": array[()] if array.ndim == 0 else None}[kind]

    def array(self, dtype: str, shape: list, start: int) -> np.ndarray:
        """Return an array that owns its numbers."""
        dtype = np.dtype(str(dtype)[:16])
        if dtype.kind not in KINDS or not all(type(n) is int and n >= 0 for n in [*shape, start]):
            raise ValueError("no plain array")
        count = math.prod(shape)
        if not count:
            return np.zeros(shape, dtype)
        part = self.blocks[start : start + count * dtype.itemsize]
        return np.frombuffer(part, dtype, count).reshape(shape).copy()
