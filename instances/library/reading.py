"""The head of a GGUF file, read without trusting it: bounded, and without the weights behind it."""

import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO

MOST_KEYS, MOST_TENSORS, MOST_ITEMS = 10_000, 100_000, 4_000_000
LONGEST_TEXT, LONGEST_KEY, LONGEST_LIST = 1_000_000, 1_000, 1_024
VERSIONS = (2, 3)
_TEXT, _LIST = 8, 9
_CODES = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_ALIGNMENT = "general.alignment"

Value = bool | int | float | str | list[int | float | bool]
Kinds = Mapping[int, tuple[str, int, int]]
KINDS: Kinds = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22), 7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 36), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110), 12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292), 16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50), 20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136), 24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66), 39: ("MXFP4", 32, 17),
}  # fmt: skip
"""Of ggml: by number the name of a kind of tensor, how many numbers stand in a block, and its bytes."""


class Broken(ValueError):
    """Why a file is no model: the end of a sentence that begins with its name."""


@dataclass(frozen=True)
class Head:
    """What a file says of itself. Long lists are left out; `kinds` counts numbers by the name of their kind."""

    about: Mapping[str, Value]
    parameters: int
    kinds: Mapping[str, int]
    size: int


def read(path: Path) -> Head:
    """The head of a file. Raises Broken, OSError."""
    with path.open("rb") as file:
        return _Reader(file, path.stat().st_size).head()


class _Reader:
    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._items = 0

    def head(self) -> Head:
        if self._bytes(4) != b"GGUF":
            raise Broken("does not begin as a GGUF file does")
        version = self._number("I")
        if version not in VERSIONS:
            raise Broken(f"is GGUF of version {version}; versions 2 and 3 can be read")
        tensors, keys = self._number("Q"), self._number("Q")
        if keys > MOST_KEYS or tensors > MOST_TENSORS:
            raise Broken("says that it holds more than any model does")
        about = {key: value for key, value in (self._pair() for _ in range(keys)) if value is not None}
        kinds, ends = Counter[str](), 0
        for name, count, end in (self._tensor() for _ in range(tensors)):
            kinds[name] += count
            ends = max(ends, end)
        self._check_end(about, ends)
        return Head(about, sum(kinds.values()), kinds, self._size)

    def _check_end(self, about: Mapping[str, Value], ends: int) -> None:
        """A file that was cut off is the most usual of the broken ones."""
        alignment = about.get(_ALIGNMENT, 32)
        if not isinstance(alignment, int) or not 0 < alignment <= 65_536:
            raise Broken("has an alignment that cannot be")
        start = -(-self._file.tell() // alignment) * alignment
        if start + ends > self._size:
            raise Broken(f"ends after {self._size} bytes, and its tensors after {start + ends}: it was cut off")

    def _pair(self) -> tuple[str, Value | None]:
        key, kind = self._text(LONGEST_KEY), self._number("I")
        return key, self._list() if kind == _LIST else self._value(kind)

    def _list(self) -> Value | None:
        """A short list of numbers; of others nothing is kept."""
        kind, count = self._number("I"), self._number("Q")
        self._items += count
        if self._items > MOST_ITEMS:
            raise Broken("says that it holds longer lists than any model does")
        if kind in _CODES and count <= LONGEST_LIST:
            code = _CODES[kind] * count
            return list(struct.unpack(f"<{code}", self._bytes(struct.calcsize(f"<{code}"))))
        if kind in _CODES:
            self._skip(count * struct.calcsize(_CODES[kind]))
        elif kind == _TEXT:
            for _ in range(count):
                self._skip(self._number("Q"))
        else:
            raise Broken("holds a list of a kind that is not known")
        return None

    def _value(self, kind: int) -> Value:
        if kind == _TEXT:
            return self._text(LONGEST_TEXT)
        if kind not in _CODES:
            raise Broken("holds a value of a kind that is not known")
        return self._number(_CODES[kind])

    def _tensor(self) -> tuple[str, int, int]:
        """The name of its kind, how many numbers it has, and where it ends behind the head."""
        self._text(LONGEST_KEY)
        dimensions = self._number("I")
        if not 0 < dimensions <= 8:
            raise Broken("holds a tensor without a shape")
        count = prod(self._number("Q") for _ in range(dimensions))
        name, per_block, block = KINDS.get(self._number("I"), ("", 1, 0))
        return name or "other", count, self._number("Q") + count // per_block * block

    def _text(self, longest: int) -> str:
        length = self._number("Q")
        if length > longest:
            raise Broken("holds a longer text than any model does")
        return self._bytes(length).decode(errors="replace")

    def _number(self, code: str) -> int:
        return struct.unpack(f"<{code}", self._bytes(struct.calcsize(f"<{code}")))[0]

    def _bytes(self, count: int) -> bytes:
        data = self._file.read(count)
        if len(data) != count:
            raise Broken("ends within its own head: it was cut off")
        return data

    def _skip(self, count: int) -> None:
        if count > self._size - self._file.tell():
            raise Broken("ends within its own head: it was cut off")
        self._file.seek(count, 1)


def numbers(value: Value | None) -> Iterator[int]:
    """The whole numbers of a value, be it one or a list."""
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, int) and not isinstance(one, bool) and 0 <= one < 2**40:
            yield one
