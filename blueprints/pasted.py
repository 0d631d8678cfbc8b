"""A blueprint that somebody put into a request, as YAML or JSON, whole or in a fence among words."""

import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from alma.errors import BadRequest, Invalid
from blueprints.schema import BlueprintDocument, from_yaml, parse_document
from blueprints.schema.document import Resource
from blueprints.schema.yaml_text import value_of

_OPENING = re.compile(r"(?:^|\s)(?P<fence>`{3,}|~{3,})[ \t]*[\w.+-]{0,20}\s*$")
_RESOURCES = re.compile(r"""^["']?resources["']?[ \t]*:""", re.MULTILINE)
_JSON_RESOURCES = re.compile(r'"resources"\s*:\s*\[')
_SPECS = re.compile(r"""(?:^|[\s{,])["']?specs?["']?\s*:""")
_FIELDS = frozenset({*Resource.model_fields, "depends_on"})
_SPECS_KEYS = frozenset({"specs", "spec"})


@dataclass(frozen=True)
class Pasted:
    """The document, and the words that stand beside it."""

    document: BlueprintDocument
    beside: str


@dataclass(frozen=True)
class _Block:
    """A piece of the request that may be a blueprint, and on which line of it that begins, from 0."""

    text: str
    line: int
    start: int
    end: int


def holds_blueprint(request: str) -> bool:
    """Whether there is a blueprint in a request, right or wrong."""
    return any(_is_blueprint(block.text) for block in _blocks(request))


def text_in(request: str) -> tuple[str, str] | None:
    """The text of the one blueprint in a request, right or wrong, and the words beside it; None where there is none."""
    blocks = [block for block in _blocks(request) if _is_blueprint(block.text)]
    if len(blocks) != 1:
        return None
    return blocks[0].text, _beside(request, blocks[0])


def pasted_in(request: object) -> Pasted | None:
    """The blueprint in a request, or None where there are only words. Raises BadRequest for one that is wrong, with lines of
    the request, and for several."""
    if not isinstance(request, str):
        return None
    blocks = [block for block in _blocks(request) if _is_blueprint(block.text)]
    if not blocks:
        return None
    if len(blocks) > 1:
        raise BadRequest(f"The request holds {len(blocks)} blueprints; send one at a time.")
    (block,) = blocks
    try:
        document = _document(block)
    except Invalid as error:
        raise BadRequest(f"The blueprint in the request: {error.message}", details=error.details) from error
    return Pasted(document, _beside(request, block))


def _beside(request: str, block: _Block) -> str:
    return f"{request[: block.start]} {request[block.end :]}".strip()


def _blocks(request: str) -> Iterator[_Block]:
    """What stands in fences, or the whole where there are none."""
    fenced = list(_fenced(request.splitlines(keepends=True)))
    yield from fenced or [_Block(request, 0, 0, len(request))]


def _fenced(lines: list[str]) -> Iterator[_Block]:
    """What stands between a line that ends with a fence and the next that is one. A fence that is not closed is none."""
    fence, number, begin, at = "", 0, 0, 0
    for count, line in enumerate(lines):
        before, at = at, at + len(line)
        if fence and line.strip() == fence:
            yield _Block(textwrap.dedent("".join(lines[number:count])), number, begin, at)
            fence = ""
        elif not fence and (found := _OPENING.search(line)):
            fence, number, begin = found["fence"], count + 1, before + found.start("fence")


def _is_blueprint(text: str) -> bool:
    """Whether it is meant as one: it has resources with specs. What is like YAML but of no known shape is words."""
    is_json = text.lstrip().startswith("{") and _JSON_RESOURCES.search(text) is not None
    if not is_json and not _RESOURCES.search(text):
        return False
    rows = _rows_of(text)
    return _SPECS.search(text) is not None if rows is None else _are_resources(rows)


def _rows_of(text: str) -> list[Any] | None:
    """The resources of a text that can be read; None where it cannot be, or holds none."""
    try:
        values = _json(text) or value_of(text)
    except Invalid:
        return None
    rows = values.get("resources") if isinstance(values, Mapping) else []
    return rows if isinstance(rows, list) else []


def _are_resources(rows: list[Any]) -> bool:
    objects = [row for row in rows if isinstance(row, dict)]
    if any(_SPECS_KEYS & row.keys() for row in objects):
        return True
    return bool(objects) and all("type" in row and row.keys() <= _FIELDS for row in objects)


def _document(block: _Block) -> BlueprintDocument:
    """Raises Invalid, whose lines are those of the request."""
    values = _json(block.text)
    return parse_document(values) if values else from_yaml("\n" * block.line + block.text)


def _json(text: str) -> Any:
    """The text as JSON, whose tabs and escapes YAML does not know; None when it is none."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
