"""A blueprint that somebody put into a request, as YAML or JSON: whole, in a fence, or just among words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from django.utils.translation import gettext as _

from alma.errors import BadRequest, Invalid
from blueprints.excerpts import Block, blocks
from blueprints.schema import BlueprintDocument, from_yaml, parse_document
from blueprints.schema.document import Resource
from blueprints.schema.yaml_text import value_of

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


def holds_blueprint(request: str) -> bool:
    """Whether there is a blueprint in a request, right or wrong."""
    return bool(_blocks(request))


def texts_in(request: str) -> tuple[list[str], str]:
    """The texts of all blueprints in a request, and the words beside them."""
    found, beside = _blocks(request), request
    for block in reversed(found):
        beside = f"{beside[: block.start]} {beside[block.end :]}"
    return [block.text for block in found], beside.strip()


def pasted_in(request: object) -> Pasted | None:
    """The blueprint in a request, or None where there are only words. Raises BadRequest for one that is wrong, with lines of
    the request, and for several."""
    if not isinstance(request, str):
        return None
    found = _blocks(request)
    if not found:
        return None
    if len(found) > 1:
        raise BadRequest(_("The request holds %(count)s blueprints; send one at a time.") % {"count": len(found)})
    (block,) = found
    try:
        document = _document(block)
    except Invalid as error:
        reason = _("The blueprint in the request: %(reason)s") % {"reason": error.message}
        raise BadRequest(reason, details=error.details) from error
    return Pasted(document, _beside(request, block))


def _beside(request: str, block: Block) -> str:
    return f"{request[: block.start]} {request[block.end :]}".strip()


def _blocks(request: str) -> list[Block]:
    """What is meant as a blueprint, and where it stands."""
    return [block for block in blocks(request, _is_blueprint) if _is_blueprint(block.text)]


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


def _document(block: Block) -> BlueprintDocument:
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
