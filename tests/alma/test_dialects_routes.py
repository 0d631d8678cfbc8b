"""Whose path is whose: every documented route, every prefix, and every route that the product has."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from alma.api.dialects import ALMA, ALUMIA, ANTHROPIC, LLAMACTL, LLAMACTL_OLD, OPENAI, PROXMOX, Dialect, dialect_of
from alma.api.endpoints import Endpoint

# fmt: off
DOCUMENTED: dict[str, tuple[Dialect, list[str]]] = {
    "alma": (ALMA, [
        "blueprints", "blueprints/1", "blueprints/1/deploy", "blueprints/generate-blueprint",
        "blueprints/generate-blueprint-stream", "conversation/chat", "conversation/chat-stream", "iprs", "ipr",
        "iprs/1/review", "ipr/1/deploy", "tools", "tools/execute", "tools/execute-direct", "templates",
        "templates/simple-web-app", "templates/simple-web-app/customize", "monitoring/health",
        "monitoring/health/detailed", "monitoring/metrics", "monitoring/metrics/summary",
        "monitoring/rate-limit/stats", "nothing", "",
    ]),
    "alumia": (ALUMIA, [
        "docs/ask", "enterprise-inquiry", "dashboard/overview", "mission-control", "agents",
        "agents/7f3c8a7e-0000-4000-8000-000000000000", "projects", "sessions", "webhooks", "files", "billing",
        "connections",
    ]),
    "llamactl": (LLAMACTL, [
        "version", "server/help", "server/version", "server/devices", "instances", "instances/my-model",
        "instances/my-model/start", "instances/my-model/logs", "instances/my-model/proxy/completion", "requests",
    ]),
}
PATHS = [
    *[(f"/api/v1/{path}", dialect) for dialect, paths in DOCUMENTED.values() for path in paths],
    *[(f"/api/{path}", LLAMACTL_OLD) for path in (
        "instances", "instances/x", "instances/x/start", "instances/x/health", "instances/start-all", "system/status",
        "system/info", "config", "auth/login", "auth/refresh", "ws",
    )],
    *[(f"/v1/{path}", PROXMOX) for path in (
        "auth/tokens", "auth/tokens/tok_1", "vms", "vms/vm-001/snapshots/1/restore", "networks", "storage",
        "security/scans", "backups", "jobs", "monitoring/metrics", "monitoring/vms/vm-001/metrics", "ai/generate",
        "webhooks", "health", "info", "postman/collection.json", "openapi.json", "nothing", "modelsx", "",
    )],
    *[(f"/v1/{path}", OPENAI) for path in (
        "models", "models/x", "chat/completions", "completions", "embeddings", "rerank", "reranking", "chat/nothing",
        "responses", "audio/transcriptions",
    )],
    ("/v1/messages", ANTHROPIC), ("/v1/messages/count_tokens", ANTHROPIC),
    ("/graphql", ALMA), ("/metrics", ALMA), ("/ws/deployments", ALMA), ("/ws/nothing", ALMA),
    ("/api", ALMA), ("/api/v1", ALMA), ("/api/v2/vms", ALMA), ("/v1", PROXMOX), ("/api/nothing", ALMA),
]
PAGES = ["/", "", "/iprs/", "/blueprints/1/", "/apiary", "/v10/vms", "//api/v1/agents", "api/v1/agents", "/x/api/v1", "*"]
# fmt: on


@pytest.mark.parametrize(("path", "dialect"), PATHS, ids=[path for path, _ in PATHS])
def test_paths(path: str, dialect: Dialect) -> None:
    assert dialect_of(path) is dialect
    assert dialect_of(f"{path.rstrip('/')}/") is dialect


@pytest.mark.parametrize("path", PAGES)
def test_pages(path: str) -> None:
    assert dialect_of(path) is None


# -- what the product serves ----------------------------------------------------------------------
def routes(resolver: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every route with its view class, its pattern cut at the first parameter."""
    for pattern in resolver.url_patterns:
        text = prefix + str(pattern.pattern).removeprefix("^")
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, text)
        elif isinstance(pattern, URLPattern):
            view = getattr(pattern.callback, "cls", getattr(pattern.callback, "view_class", None))
            yield f"/{text.split('(')[0].split('<')[0].split('$')[0].removesuffix('/?').replace('s?', 's')}", view


SERVED = [(path, view) for path, view in routes(get_resolver()) if dialect_of(path) is not None]
EXPLORER = {"Description"}


def test_the_routes_are_found() -> None:
    paths = {path for path, _ in SERVED}
    assert {"/api/v1/blueprints", "/api/v1/iprs", "/api/v1/monitoring/health"} <= paths


@pytest.mark.parametrize(("path", "view"), SERVED, ids=[path for path, _ in SERVED])
def test_every_route_below_a_prefix_is_an_endpoint_of_its_dialect(path: str, view: Any) -> None:
    if view is not None and view.__name__ in EXPLORER:
        return
    assert isinstance(view, type)
    assert issubclass(view, Endpoint)
    assert view.dialect is dialect_of(path)
