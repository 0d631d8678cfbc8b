"""Which dialect owns a path. The families share prefixes, and no path belongs to two of them."""

from collections.abc import Mapping

from alma.api.dialects.base import Dialect
from alma.api.dialects.families import ALMA, ALUMIA, ANTHROPIC, LLAMACTL, LLAMACTL_OLD, OPENAI, PROXMOX

_ALUMIA_NOUNS = (
    "agents", "projects", "sessions", "files", "connections", "billing", "webhooks",
    "docs", "dashboard", "mission-control", "enterprise-inquiry",
)  # fmt: skip
_LLAMACTL_NOUNS = (
    "version", "server", "instances", "config", "backends", "models", "auth", "queue", "limits", "nodes", "requests",
)  # fmt: skip
_LLAMACTL_OLD_NOUNS = ("instances", "system", "config", "auth", "ws")
_OPENAI_NOUNS = ("models", "chat", "completions", "embeddings", "rerank", "reranking", "responses", "audio")

ROUTES: Mapping[tuple[str, ...], Dialect] = {
    **{("api", "v1", noun): ALUMIA for noun in _ALUMIA_NOUNS},
    **{("api", "v1", noun): LLAMACTL for noun in _LLAMACTL_NOUNS},
    **{("api", noun): LLAMACTL_OLD for noun in _LLAMACTL_OLD_NOUNS},
    **{("v1", noun): OPENAI for noun in _OPENAI_NOUNS},
    ("v1", "messages"): ANTHROPIC,
    ("v1",): PROXMOX,
    ("api",): ALMA,
    ("graphql",): ALMA,
    ("metrics",): ALMA,
    ("ws",): ALMA,
}
"""By the first segments of a path; the longest counts."""
_DEPTH = max(map(len, ROUTES))


def dialect_of(path: str) -> Dialect | None:
    """The dialect that owns a path, or None for a page."""
    root, *segments = path.split("/", _DEPTH + 1)[: _DEPTH + 1]
    if root:
        return None
    return next((ROUTES[key] for end in range(_DEPTH, 0, -1) if (key := tuple(segments[:end])) in ROUTES), None)
