"""A part of an OpenAPI document in the words of version 3.0, for readers that know no other: 3.1 says more, and says it otherwise."""

from collections.abc import Callable
from typing import Any

VERSION = "3.0.3"
_NEW = ("contentMediaType", "contentEncoding", "propertyNames", "$schema", "$comment", "patternProperties")
"""What 3.0 has no words for; without it a schema only says less."""
Json = dict[str, Any]


def as_of_3_0(part: Any) -> Any:
    """The same part of a document, whatever it is: what is a schema in it is rewritten."""
    if isinstance(part, list):
        return [as_of_3_0(one) for one in part]
    if not isinstance(part, dict):
        return part
    found = {
        name: _schemas(value) if name == "schemas" else _schema(value) if name == "schema" else as_of_3_0(value)
        for name, value in part.items() if name not in {"example", "examples"}
    }  # fmt: skip
    return found | {name: part[name] for name in ("example", "examples") if name in part}


def _schemas(named: Json) -> Json:
    return {name: _schema(schema) for name, schema in named.items()}


def _schema(schema: Any) -> Any:
    """One schema, from the inside out."""
    if not isinstance(schema, dict):
        return schema
    found = {name: _WITHIN.get(name, _same)(value) for name, value in schema.items() if name not in _NEW}
    for rewrite in (_constant, _bounds, _example, _types, _alternatives, _reference):
        found = rewrite(found)
    return found


def _same(value: Any) -> Any:
    return value


def _each(schemas: list[Any]) -> list[Any]:
    return [_schema(one) for one in schemas]


_WITHIN: dict[str, Callable[[Any], Any]] = {
    "properties": _schemas, "items": _schema, "additionalProperties": _schema, "not": _schema, "anyOf": _each,
    "oneOf": _each, "allOf": _each,
}  # fmt: skip
"""The keywords below which there are schemas again."""


def _constant(schema: Json) -> Json:
    if "const" not in schema:
        return schema
    return {name: value for name, value in schema.items() if name != "const"} | {"enum": [schema["const"]]}


def _bounds(schema: Json) -> Json:
    """`exclusiveMinimum` was a flag beside `minimum`."""
    found = dict(schema)
    for limit in ("minimum", "maximum"):
        flag = f"exclusive{limit.title()}"
        if not isinstance(found.get(flag, False), bool):
            found[limit], found[flag] = found[flag], True
    return found


def _example(schema: Json) -> Json:
    """A schema had one example."""
    if not isinstance(schema.get("examples"), list):
        return schema
    found = {name: value for name, value in schema.items() if name != "examples"}
    return found | ({"example": schema["examples"][0]} if schema["examples"] else {})


def _types(schema: Json) -> Json:
    """There was one type, and no type of null: it was allowed beside another."""
    types = schema.get("type")
    if types == "null":
        return schema | {"type": "string", "nullable": True, "enum": [None]}
    if not isinstance(types, list):
        return schema
    told = [one for one in types if one != "null"]
    nullable = {"nullable": True} if len(told) < len(types) else {}
    rest = {name: value for name, value in schema.items() if name != "type"}
    return rest | nullable | ({"type": told[0]} if len(told) == 1 else {"anyOf": [{"type": one} for one in told]})


def _alternatives(schema: Json) -> Json:
    """Null was no alternative among others, but allowed beside them."""
    for word in ("anyOf", "oneOf"):
        options = schema.get(word, [])
        others = [one for one in options if not _is_null(one)]
        if len(others) == len(options):
            continue
        rest = {name: value for name, value in schema.items() if name != word} | {"nullable": True}
        if len(others) > 1:
            return rest | {word: others}
        only = others[0] if others else {}
        return rest | {"allOf": [only]} if "$ref" in only else only | rest
    return schema


def _is_null(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get("enum") == [None]


def _reference(schema: Json) -> Json:
    """Whatever stood beside a reference was not read. A whole object as the default of one is more than generators of clients know."""
    if "$ref" not in schema or len(schema) == 1:
        return schema
    left_out = {"$ref", "default"} if isinstance(schema.get("default"), dict) else {"$ref"}
    return {name: value for name, value in schema.items() if name not in left_out} | {
        "allOf": [{"$ref": schema["$ref"]}]
    }
