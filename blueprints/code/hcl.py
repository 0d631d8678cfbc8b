"""HCL, as Terraform reads it: attributes and blocks, and text that stays text whatever is in it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Reference:
    """An expression, such as `var.node`."""

    expression: str


@dataclass(frozen=True)
class Block:
    """`kind "label" { … }`; a body row is (name, value) or a block. A value of None is left out."""

    kind: str
    body: Sequence["tuple[str, Any] | Block | None"]
    labels: tuple[str, ...] = ()


def write(blocks: Iterable[Block]) -> str:
    """The blocks as a file."""
    return "\n".join("\n".join(_lines(block, 0)) + "\n" for block in blocks)


def _lines(block: Block, depth: int) -> Iterable[str]:
    pad = "  " * depth
    yield f"{pad}{' '.join([block.kind, *map(_text, block.labels)])} {{"
    rows = [row for row in block.body if isinstance(row, Block) or (row is not None and row[1] is not None)]
    width = max((len(row[0]) for row in rows if not isinstance(row, Block)), default=0)
    for row in rows:
        if isinstance(row, Block):
            yield from _lines(row, depth + 1)
        else:
            yield f"{pad}  {row[0]:<{width}} = {_value(row[1])}"
    yield f"{pad}}}"


def _value(value: Any) -> str:
    if isinstance(value, Reference):
        return value.expression
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_text(key)} = {_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return str(value)


def _text(value: str) -> str:
    """Quoted as JSON is, with the two signs that begin an expression doubled."""
    return json.dumps(value).replace("${", "$${").replace("%{", "%%{")
