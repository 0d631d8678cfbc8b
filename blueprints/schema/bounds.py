"""What any JSON value must keep to before it is looked at as a blueprint: finite, shallow, small, printable."""

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

MAX_DEPTH = 24
MAX_METADATA_DEPTH = 12
MAX_NODES = 20_000
MAX_TEXT = 65_536
MAX_INTEGER = 2**63 - 1

_SURROGATE = re.compile("[\ud800-\udfff]")

Path = tuple[str | int, ...]


class Fault(NamedTuple):
    """One broken rule and where it was broken."""

    path: Path
    message: str


def faults_of(value: object) -> Iterator[Fault]:
    """Walk without recursion; stop at the first thing that makes walking on pointless."""
    stack: list[tuple[Path, object]] = [((), value)]
    seen = 0
    while stack:
        path, node = stack.pop()
        seen += 1
        if seen > MAX_NODES:
            yield Fault((), f"has more than {MAX_NODES} values")
            return
        if len(path) > _depth_limit(path):
            yield Fault(path[:3], f"is nested more than {_depth_limit(path)} levels deep")
            continue
        yield from _faults_of_node(path, node)
        stack.extend(_children(path, node))


def _depth_limit(path: Path) -> int:
    return MAX_METADATA_DEPTH + 1 if path[:1] == ("metadata",) else MAX_DEPTH


def _children(path: Path, node: object) -> list[tuple[Path, object]]:
    if isinstance(node, dict):
        return [((*path, key), child) for key, child in reversed(node.items()) if isinstance(key, str)]
    if isinstance(node, list):
        return [((*path, index), child) for index, child in reversed(list(enumerate(node)))]
    return []


def _faults_of_node(path: Path, node: object) -> Iterator[Fault]:
    if isinstance(node, dict):
        for key in node:
            message = _text_fault(key) if isinstance(key, str) else "has a key that is not text"
            if message:
                yield Fault(path, f"key: {message}")
    elif message := _scalar_fault(node):
        yield Fault(path, message)


def _scalar_fault(node: object) -> str:
    if isinstance(node, str):
        return _text_fault(node)
    if isinstance(node, float):
        return "" if math.isfinite(node) else "must be a finite number"
    if isinstance(node, int):
        return "" if abs(node) <= MAX_INTEGER else "is too large a number"
    return "" if node is None or isinstance(node, list) else "is not a JSON value"


def _text_fault(text: str) -> str:
    if "\0" in text:
        return "must not contain a NUL character"
    if len(text) > MAX_TEXT:
        return f"is longer than {MAX_TEXT} characters"
    return "is not valid Unicode text" if _SURROGATE.search(text) else ""
