"""The file format of llama.cpp's models, version 3: written here, from plain numbers."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

VERSION = 3
ALIGNMENT = 32
F32, F16 = 0, 1
_CODES = {F32: "f", F16: "e"}
_UINT32, _INT32, _FLOAT32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9

Scalar = bool | int | float | str
Item = Scalar | Sequence[int] | Sequence[float] | Sequence[str]


@dataclass(frozen=True)
class Tensor:
    """Numbers with a shape, rows first as in mathematics; `kind` is F32 or F16."""

    name: str
    shape: tuple[int, ...]
    kind: int
    data: bytes

    @classmethod
    def of(cls, name: str, shape: tuple[int, ...], numbers: Sequence[float], kind: int = F16) -> "Tensor":
        """From numbers, row by row."""
        return cls(name, shape, kind, struct.pack(f"<{len(numbers)}{_CODES[kind]}", *numbers))


@dataclass
class File:
    """A model: what is told of it, and its tensors."""

    about: dict[str, Item] = field(default_factory=dict)
    tensors: list[Tensor] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Write it whole or not at all."""
        draft = path.with_name(f"{path.name}.draft")
        draft.write_bytes(self.content())
        draft.replace(path)

    def content(self) -> bytes:
        """The bytes of the file."""
        head = b"GGUF" + struct.pack("<IQQ", VERSION, len(self.tensors), len(self.about))
        head += b"".join(_text(key) + _item(value) for key, value in self.about.items())
        offset = 0
        for tensor in self.tensors:
            head += _text(tensor.name) + struct.pack("<I", len(tensor.shape))
            head += struct.pack(f"<{len(tensor.shape)}Q", *reversed(tensor.shape))
            head += struct.pack("<IQ", tensor.kind, offset)
            offset += len(_padded(tensor.data))
        return _padded(head) + b"".join(_padded(tensor.data) for tensor in self.tensors)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % ALIGNMENT)


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _item(value: Item) -> bytes:
    if isinstance(value, Scalar):
        kind = _kind(value)
        return struct.pack("<I", kind) + _scalar(value, kind)
    kind = _INT32 if all(isinstance(one, int) for one in value) else _kind(value[0])
    return struct.pack("<IIQ", _ARRAY, kind, len(value)) + b"".join(_scalar(one, kind) for one in value)


def _kind(value: Scalar) -> int:
    """A truth value is a whole number to Python, so it is looked for first."""
    kinds = ((bool, _BOOL), (int, _UINT32), (float, _FLOAT32))
    return next((kind for type_, kind in kinds if isinstance(value, type_)), _STRING)


def _scalar(value: Scalar, kind: int) -> bytes:
    if isinstance(value, str):
        return _text(value)
    code = {_BOOL: "?", _UINT32: "I", _INT32: "i", _FLOAT32: "f"}[kind]
    return struct.pack(f"<{code}", value)
