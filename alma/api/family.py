"""The OpenAPI document of one family, and the same as a Postman collection.

The document is the part of the whole one whose paths a dialect owns, with the components that they refer to and no
others: whoever generates a client from it gets this family and nothing else."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import orjson

from alma.api import older
from alma.api.description import Description
from alma.api.dialects import Dialect, dialect_of

POSTMAN = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
METHODS = ("get", "post", "put", "patch", "delete")
_SCHEMAS = "#/components/schemas/"
Json = dict[str, Any]


def document(dialect: Dialect, prefix: str, *, title: str, server: str) -> Json:
    """The OpenAPI document of a dialect's paths below a prefix, of version 3.0, as the document of the family has it; `server` is
    the address of that prefix."""
    version, paths, components = _part(dialect.name, prefix)
    about = {"title": title, "version": version}
    return {
        "openapi": older.VERSION,
        "info": about,
        "servers": [{"url": server}],
        "paths": paths,
        "components": components,
    }


@cache
def _part(name: str, prefix: str) -> tuple[str, Json, Json]:
    """Made once in each process: it is half a second of work, and the same for everybody."""
    whole = Description.generator_class().get_schema(request=None, public=True)
    paths = {
        path.removeprefix(prefix): operations
        for path, operations in whole["paths"].items()
        if path.startswith(f"{prefix}/") and (owner := dialect_of(path)) is not None and owner.name == name
    }
    schemas = whole["components"]["schemas"]
    needed = {key: schemas[key] for key in sorted(_closure(paths, schemas))}
    schemes = {key for operations in paths.values() for key in _schemes(operations)}
    ways = {key: scheme for key, scheme in whole["components"]["securitySchemes"].items() if key in schemes}
    return whole["info"]["version"], older.as_of_3_0(paths), {
        "schemas": older.as_of_3_0({"schemas": needed})["schemas"], "securitySchemes": ways,
    }  # fmt: skip


def _closure(paths: Json, schemas: Json) -> set[str]:
    """The names of all schemas that are referred to, however far away."""
    found: set[str] = set()
    waiting = list(_references(paths))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _references(schemas[name])
    return found


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        target = part.get("$ref")
        if isinstance(target, str):
            yield target.removeprefix(_SCHEMAS)
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from _references(inner)


def _schemes(operations: Json) -> Iterator[str]:
    for method in METHODS:
        for way in operations.get(method, {}).get("security", []):
            yield from way


def postman(described: Json) -> Json:
    """A Postman collection of an OpenAPI document: a folder for each tag, the address and the token as variables."""
    folders: dict[str, list[Json]] = {}
    for path, operations in described["paths"].items():
        for method in METHODS:
            if operation := operations.get(method):
                tag = (operation.get("tags") or ["other"])[0]
                folders.setdefault(tag, []).append(_item(method, path, operation, described))
    return {
        "info": {"name": described["info"]["title"], "version": described["info"]["version"], "schema": POSTMAN},
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{api_token}}", "type": "string"}]},
        "variable": [{"key": "base_url", "value": described["servers"][0]["url"]}, {"key": "api_token", "value": ""}],
        "item": [{"name": tag, "item": items} for tag, items in sorted(folders.items())],
    }  # fmt: skip


def _item(method: str, path: str, operation: Json, described: Json) -> Json:
    request: Json = {
        "method": method.upper(), "header": [], "url": _url(path, operation),
        "description": operation.get("description", ""),
    }  # fmt: skip
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body is not None:
        request["header"].append({"key": "Content-Type", "value": "application/json"})
        request["body"] = {
            "mode": "raw", "raw": _indented(_example(body, described)), "options": {"raw": {"language": "json"}},
        }  # fmt: skip
    if operation.get("security", [{}]) == [{}] or operation.get("security") == []:
        request["auth"] = {"type": "noauth"}
    return {"name": operation["operationId"], "request": request, "response": []}


def _url(path: str, operation: Json) -> Json:
    parts = path.strip("/").split("/")
    named = [part[1:-1] for part in parts if part.startswith("{")]
    query = [
        {"key": one["name"], "value": str(one["schema"].get("default", "")), "description": one.get("description", ""),
         "disabled": not one.get("required", False)}
        for one in operation.get("parameters", []) if one["in"] == "query"
    ]  # fmt: skip
    written = [f":{part[1:-1]}" if part.startswith("{") else part for part in parts]
    return {
        "raw": "{{base_url}}/" + "/".join(written), "host": ["{{base_url}}"], "path": written, "query": query,
        "variable": [{"key": name, "value": ""} for name in named],
    }  # fmt: skip


def _example(body: Json, described: Json) -> Any:
    """The first example of the document, or the fields that must be given."""
    for example in body.get("examples", {}).values():
        return example["value"]
    schema = body.get("schema", {})
    name = schema.get("$ref", "").removeprefix(_SCHEMAS)
    schema = described["components"]["schemas"].get(name, schema)
    return dict.fromkeys(schema.get("required", []), "")


def _indented(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
