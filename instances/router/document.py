"""The data plane in the OpenAPI document: it is no Django view, so its routes are written down here for clients that are made from
the document."""

from typing import Any

from pydantic import BaseModel

from alma.api.dialects import ANTHROPIC, OPENAI, dialect_of
from instances.router.routes import MODEL, MODELS, PROXY, ROUTES, Route

TAG = "inference"
_BESIDE = "/api/v1/instances"
"""A document without this route is one of a part, as tests make it."""
_REF = "#/components/schemas/{model}"
_ABOUT = {
    "/v1/chat/completions": ("chat", "Ask for the next message of a chat, whole or as a stream."),
    "/v1/completions": ("completion", "Ask for what follows a text, whole or as a stream."),
    "/v1/embeddings": ("embedding", "Ask for the vectors of texts."),
    "/v1/rerank": ("rerank", "Order documents by how well they answer a query."),
    "/v1/reranking": ("reranking", "The same as `/v1/rerank`."),
    "/v1/messages": ("message", "Ask as Anthropic's clients do, whole or as a stream."),
    "/v1/messages/count_tokens": ("count_tokens", "Count the tokens of a message."),
    "/v1/responses": ("response", "Ask as OpenAI's newer clients do, whole or as a stream."),
    "/v1/audio/transcriptions": ("transcription", "Write down what is said in a file."),
}
_NEEDS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": {"type": "array", "items": {"type": "object"}}},
    "/v1/completions": {"prompt": {}},
    "/v1/embeddings": {"input": {}},
    "/v1/rerank": {"query": {"type": "string"}, "documents": {"type": "array", "items": {}}},
    "/v1/reranking": {"query": {"type": "string"}, "documents": {"type": "array", "items": {}}},
    "/v1/messages": {"messages": {"type": "array", "items": {"type": "object"}}, "max_tokens": {"type": "integer"}},
    "/v1/messages/count_tokens": {"messages": {"type": "array", "items": {"type": "object"}}},
    "/v1/responses": {"input": {}},
}
_STREAMS = frozenset({"/v1/chat/completions", "/v1/completions", "/v1/messages", "/v1/responses"})
_UPLOADS = frozenset({"/v1/audio/transcriptions"})
_MODEL_ROW = {
    "type": "object", "required": ["id", "object", "created", "owned_by"],
    "properties": {
        "id": {"type": "string"}, "object": {"const": "model"}, "created": {"type": "integer"}, "owned_by": {"type": "string"},
        "root": {"type": "string"}, "aliases": {"type": "array", "items": {"type": "string"}}, "status": {"type": "string"},
    },
}  # fmt: skip
_OBJECT = {"type": "object", "additionalProperties": True}


def with_models(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A postprocessing hook: adds the routes that the router answers."""
    if _BESIDE not in result["paths"]:
        return result
    schemas = result["components"].setdefault("schemas", {})
    for dialect in (OPENAI, ANTHROPIC):
        _add(schemas, dialect.error_model)
    paths = {route.template: {"post": _asking(route)} for route in ROUTES.values() if route is not MODELS}
    rows = {"type": "object", "required": ["object", "data"], "properties": {
        "object": {"const": "list"}, "data": {"type": "array", "items": _MODEL_ROW},
    }}  # fmt: skip
    paths[MODELS.template] = {"get": _operation(MODELS, "models_list", "List the models that the key may use.", rows)}
    one = _operation(MODEL, "models_get", "Show one model, by name or alias.", _MODEL_ROW)
    paths[MODEL.template] = {"get": one | {"parameters": [_segment("model")]}}
    paths[PROXY.template] = {
        method: _proxied(method) for method in ("get", "post", "put", "patch", "delete")
    }  # fmt: skip
    result["paths"] = dict(sorted({**result["paths"], **paths}.items()))
    return result


def _asking(route: Route) -> dict[str, Any]:
    name, summary = _ABOUT[route.template]
    needed = {"model": {"type": "string", "description": "A name or an alias"}, **_NEEDS.get(route.template, {})}
    is_upload = route.template in _UPLOADS
    if is_upload:
        needed["file"] = {"type": "string", "format": "binary"}
    body = {"type": "object", "required": list(needed), "properties": needed, "additionalProperties": True}
    if route.template in _STREAMS:
        body["properties"] = needed | {"stream": {"type": "boolean", "default": False}}
    found = _operation(route, f"inference_{name}", summary, _OBJECT, streams=route.template in _STREAMS)
    media = "multipart/form-data" if is_upload else "application/json"
    return found | {"requestBody": {"required": True, "content": {media: {"schema": body}}}}


def _operation(route: Route, name: str, summary: str, answer: Any, *, streams: bool = False) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": answer}}
    if streams:
        content["text/event-stream"] = {"schema": {"type": "string"}}
    dialect = dialect_of(route.template) or OPENAI
    fault = {"application/json": {"schema": {"$ref": _REF.format(model=dialect.error_model.__name__)}}}
    return {
        "operationId": name, "description": summary, "tags": [TAG], "security": [{"apiKey": []}, {"bearer": []}],
        "responses": {
            "200": {"description": "", "content": content}, "default": {"description": "Whatever goes wrong", "content": fault},
        },
    }  # fmt: skip


def _proxied(method: str) -> dict[str, Any]:
    words = "Ask an instance itself; it is not started for this. What it answers is passed on as it is."
    found = _operation(PROXY, f"instances_proxy_{method}", words, {})
    found["responses"]["200"] = {"description": "As the instance answers", "content": {"*/*": {"schema": {}}}}
    if method not in {"get", "delete"}:
        found["requestBody"] = {"content": {"*/*": {"schema": {}}}}
    return found | {"parameters": [_segment("name"), _segment("path")]}


def _segment(name: str) -> dict[str, Any]:
    return {"in": "path", "name": name, "required": True, "schema": {"type": "string"}}


def _add(schemas: dict[str, Any], model: type[BaseModel]) -> None:
    """A model and what it consists of, unless another route has brought it."""
    found = model.model_json_schema(ref_template=_REF)
    for name, schema in {**found.pop("$defs", {}), model.__name__: found}.items():
        schemas.setdefault(name, schema)
