"""Schemas of OpenAPI 3.1 in the words of 3.0."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.validation import validate_schema

from alma.api.older import as_of_3_0

REF = {"$ref": "#/components/schemas/Thing"}
NULL = {"type": "null"}


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ({"type": "string"}, {"type": "string"}),
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": ["string", "integer"]}, {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        ({"anyOf": [{"type": "number"}, NULL], "title": "A"}, {"type": "number", "nullable": True, "title": "A"}),
        ({"anyOf": [REF, NULL]}, {"allOf": [REF], "nullable": True}),
        ({"oneOf": [REF, {"type": "string"}, NULL]}, {"oneOf": [REF, {"type": "string"}], "nullable": True}),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        ({"const": "ssd"}, {"enum": ["ssd"]}),
        ({"type": "integer", "exclusiveMinimum": 0}, {"type": "integer", "minimum": 0, "exclusiveMinimum": True}),
        ({"type": "integer", "exclusiveMaximum": 9}, {"type": "integer", "maximum": 9, "exclusiveMaximum": True}),
        ({"type": "string", "examples": ["a", "b"]}, {"type": "string", "example": "a"}),
        ({**REF, "description": "Words"}, {"allOf": [REF], "description": "Words"}),
        ({**REF, "default": {"size": None}}, {"allOf": [REF]}),
        ({**REF, "default": "small"}, {"allOf": [REF], "default": "small"}),
        ({"type": "string", "contentMediaType": "application/json"}, {"type": "string"}),
        (NULL, {"type": "string", "nullable": True, "enum": [None]}),
        (REF, REF),
        (
            {"type": "object", "properties": {"type": {"type": ["string", "null"]}}, "additionalProperties": False},
            {"type": "object", "properties": {"type": {"type": "string", "nullable": True}}, "additionalProperties": False},
        ),
        ({"type": "array", "items": {"anyOf": [REF, NULL]}}, {"type": "array", "items": {"allOf": [REF], "nullable": True}}),
        ({"additionalProperties": {"type": ["integer", "null"]}}, {"additionalProperties": {"type": "integer", "nullable": True}}),
    ],
)  # fmt: skip
def test_a_schema(new: dict[str, Any], old: dict[str, Any]) -> None:
    assert as_of_3_0({"schema": new}) == {"schema": old}
    assert as_of_3_0({"schemas": {"Thing": new}}) == {"schemas": {"Thing": old}}


def test_what_is_no_schema_stays() -> None:
    """An example may look like a schema, and says what it says."""
    media = {"examples": {"one": {"value": {"type": ["a", "null"], "const": 1}}}, "schema": {"const": 1}}
    assert as_of_3_0({"content": {"json": media}})["content"]["json"] == {**media, "schema": {"enum": [1]}}


def parts(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
        part = [value for name, value in part.items() if name not in {"example", "examples"}]
    if isinstance(part, list):
        for one in part:
            yield from parts(one)


@pytest.mark.django_db
def test_the_document_of_the_family_is_one_of_3_0(client: Client) -> None:
    document = client.get("/v1/openapi.json").json()
    assert document["openapi"] == "3.0.3"
    validate_schema(document)
    for part in parts(document):
        assert "const" not in part
        assert "$ref" not in part or len(part) == 1
        assert not isinstance(part.get("type"), list)
        assert part.get("type") != "null"
    row = document["components"]["schemas"]["MachineRow"]["properties"]
    assert (row["memory_mb"]["type"], row["memory_mb"]["nullable"]) == ("integer", True)
