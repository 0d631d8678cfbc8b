"""Which paths are the router's, and what each means."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from alma.errors import BadRequest

INFERENCE, SERVICE = "inference:use", "instance:write"


@dataclass(frozen=True)
class Route:
    """One of them. `asks` is where the instance is asked; `template` names it in figures."""

    template: str
    methods: tuple[str, ...]
    asks: str = ""
    streams_usage: bool = False
    """Whether a stream tells how many tokens it took only when it is asked to."""


def _asked(path: str, *, streams_usage: bool = False) -> Route:
    return Route(path, ("POST",), path, streams_usage)


MODELS = Route("/v1/models", ("GET", "HEAD"))
MODEL = Route("/v1/models/{model}", ("GET", "HEAD"))
PROXY = Route("/api/v1/instances/{name}/proxy/{path}", ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"))
ROUTES = {
    route.template: route
    for route in (
        MODELS,
        _asked("/v1/chat/completions", streams_usage=True),
        _asked("/v1/completions", streams_usage=True),
        _asked("/v1/embeddings"),
        _asked("/v1/rerank"),
        _asked("/v1/reranking"),
        _asked("/v1/messages"),
        _asked("/v1/messages/count_tokens"),
        _asked("/v1/responses"),
        _asked("/v1/audio/transcriptions"),
    )
}
_PROXY = re.compile(r"/api/v1/instances/([^/]+)/proxy(/.*)?")
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")
OPEN_PATHS = frozenset(
    [
        "/health",
        "/v1/health",
        "/models",
        "/v1/models",
        "/completion",
        "/completions",
        "/v1/completions",
        "/chat/completions",
        "/v1/chat/completions",
        "/embedding",
        "/embeddings",
        "/v1/embeddings",
        "/rerank",
        "/reranking",
        "/v1/rerank",
        "/v1/reranking",
        "/v1/messages",
        "/v1/messages/count_tokens",
        "/v1/responses",
        "/v1/audio/transcriptions",
        "/infill",
        "/tokenize",
        "/detokenize",
        "/apply-template",
    ]
)
"""What who may use models may ask of an instance directly. All else, as other people's slots, is for those who manage it."""


def route_of(path: str) -> Route | None:
    """The route of a path; None for what is not the router's."""
    found = ROUTES.get(path.rstrip("/") or "/")
    if found is not None:
        return found
    if path.startswith("/v1/models/"):
        return MODEL
    return PROXY if _PROXY.fullmatch(path) else None


def proxied(raw_path: str) -> tuple[str, str]:
    """The instance and the path of it that a path means. Raises BadRequest for one that could be read in two ways."""
    found = _PROXY.fullmatch(raw_path)
    name, rest = (found[1], found[2] or "/") if found else ("", "/")
    plain = unquote(rest)
    if _UNSAFE.search(plain) or unquote(plain) != plain or {"..", "."} & set(plain.split("/")) or "//" in plain:
        raise BadRequest("This path cannot be asked of an instance.", code="INVALID_PATH")
    return unquote(name), rest


def right_for(method: str, path: str) -> str:
    """The right that it takes to ask an instance directly."""
    return INFERENCE if path.rstrip("/") in OPEN_PATHS and method in {"GET", "HEAD", "POST"} else SERVICE
