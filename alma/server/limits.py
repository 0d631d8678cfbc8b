"""How large a request body may be, by its path; the first row that fits its beginning counts."""

import re

KILOBYTE = 1024
MEGABYTE = 1024 * KILOBYTE

DEFAULT = 128 * KILOBYTE
TABLE: tuple[tuple[str, int], ...] = (
    ("/api/v1/(blueprints|tools)(/|$)", MEGABYTE),
    ("/api/v1/webhooks(/|$)", 256 * KILOBYTE),
    ("/v1/webhooks(/|$)", 256 * KILOBYTE),
    # what models are asked: pictures and long conversations
    ("/v1/(chat|completions|embeddings|rerank|reranking|messages|responses|audio)(/|$)", 32 * MEGABYTE),
    ("/api/(v1/)?instances/[^/]+/proxy/", 32 * MEGABYTE),
    ("/api/", DEFAULT),
    ("/(admin|blueprints|iprs|tools)/", MEGABYTE),
    ("/mcp(/|$)", MEGABYTE),
)
_ROWS = tuple((re.compile(pattern), limit) for pattern, limit in TABLE)
BODY_SECONDS = 30.0
"""A body that takes longer than this to arrive is given up."""


def limit_of(path: str) -> int:
    """The most bytes that a body sent to this path may have."""
    return next((limit for pattern, limit in _ROWS if pattern.match(path)), DEFAULT)
