"""The documented limits as data: which class of requests a route belongs to, and how many of them a client has.

Where a document names no figure the class says so; docs/api.md prints the table.
"""

from dataclasses import dataclass, replace
from functools import cache

from django.conf import settings

MINUTE, HOUR = 60, 3600
SANDBOX_FACTOR = 10
"""A key of the sandbox lane may do so much more: the Proxmox AI document promises it."""


@dataclass(frozen=True)
class RateClass:
    """Requests that draw on one allowance: `limit` in each `window` of seconds, at most `burst` of them at once."""

    name: str
    route: str
    """What statistics call it."""
    limit: int
    window: int
    burst: int
    is_sensitive: bool = False
    """Counted by person and address together, and refused as Alumia's document says: 400, not 429."""
    is_local: bool = False
    """Counted by each process for itself: a probe must be answered while the database is away."""

    @property
    def interval(self) -> int:
        """Microseconds until one more request is allowed."""
        return self.window * 1_000_000 // self.limit

    @property
    def depth(self) -> int:
        """Microseconds until an empty bucket is full."""
        return self.interval * self.burst


def _per_minute(name: str, route: str, limit: int, burst: int) -> RateClass:
    return RateClass(name, route, limit, MINUTE, burst)


def _per_hour(name: str, route: str, limit: int) -> RateClass:
    """The hourly figures come without a burst: all of an hour may be used at once."""
    return RateClass(name, route, limit, HOUR, limit)


ALMA = _per_minute("alma", "/api/v1/*", 60, 10)
CHAT = _per_minute("alma.chat", "/api/v1/conversation/chat-stream", 20, 5)
GENERATE = _per_minute("alma.generate", "/api/v1/blueprints/generate-blueprint", 30, 8)
EXECUTE = _per_minute("alma.execute", "/api/v1/tools/execute", 40, 10)
BLUEPRINTS = _per_minute("alma.blueprints", "/api/v1/blueprints", 100, 15)
PROBES = RateClass(
    "alma.probes", "/api/v1/monitoring/health, /v1/health", 600, MINUTE, 100, is_local=True
)  # our figure

# The Alumia document has limits and no figures; these are ours.
ALUMIA = _per_minute("alumia", "/api/v1/projects, dashboard, mission-control", 100, 20)
ASK = _per_minute("alumia.ask", "/api/v1/docs/ask", 20, 5)
INQUIRE = _per_minute("alumia.inquire", "/api/v1/enterprise-inquiry", 10, 5)
SENSITIVE = RateClass("alumia.sensitive", "/api/v1/webhooks, connections", 10, MINUTE, 5, is_sensitive=True)

AUTHENTICATION = _per_minute("proxmox.authentication", "/v1/auth/*", 10, 10)
OPERATIONS = _per_hour("proxmox.operations", "/v1/* (operations)", 100)
READS = _per_hour("proxmox.reads", "/v1/* (reads)", 1_000)
AI = _per_hour("proxmox.ai", "/v1/ai/generate", 10)

REGULAR = _per_minute("llamactl-old", "/api/*", 100, 100)
INTENSIVE = _per_minute("llamactl-old.intensive", "/api/auth/*, changes at /api/instances", 10, 10)

# The llamactl document and OpenAI's name none: who has a credential is bounded by quotas, strangers are by this.
STRANGERS = _per_minute("strangers", "/v1/models, chat, … and /api/v1/instances (no credential)", 60, 10)

CLASSES = (
    ALMA, CHAT, GENERATE, EXECUTE, BLUEPRINTS, PROBES, ALUMIA, ASK, INQUIRE, SENSITIVE,
    AUTHENTICATION, OPERATIONS, READS, AI, REGULAR, INTENSIVE, STRANGERS,
)  # fmt: skip
_ANY, _READ = frozenset[str](), frozenset({"GET", "HEAD", "OPTIONS"})
_WRITE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
ROUTES: tuple[tuple[str, frozenset[str], RateClass | None], ...] = (
    ("/metrics", _ANY, None),
    ("/api/v1/monitoring/health", _ANY, PROBES),
    ("/api/v1/monitoring/metrics", _ANY, PROBES),
    ("/api/v1/conversation/chat", _ANY, CHAT),
    ("/api/v1/conversation/chat-stream", _ANY, CHAT),
    ("/api/v1/tools/execute", _ANY, EXECUTE),
    ("/api/v1/tools/execute-direct", _ANY, EXECUTE),
    ("/mcp", _ANY, EXECUTE),
    ("/api/v1/blueprints/generate-blueprint", _ANY, GENERATE),
    ("/api/v1/blueprints/generate-blueprint-stream", _ANY, GENERATE),
    ("/api/v1/blueprints", _ANY, BLUEPRINTS),
    ("/api/v1/docs/ask", _ANY, ASK),
    ("/api/v1/enterprise-inquiry", _ANY, INQUIRE),
    ("/api/v1/webhooks", _WRITE, SENSITIVE),
    ("/api/v1/connections", _WRITE, SENSITIVE),
    ("/v1/health", _ANY, PROBES),
    ("/v1/auth", _ANY, AUTHENTICATION),
    ("/v1/ai", _ANY, AI),
    ("/api/auth", _ANY, INTENSIVE),
    ("/api/instances", _WRITE, INTENSIVE),
)
"""By path, and by method where a row names some; the first that fits counts, and a path without one goes by family."""
_FAMILIES = {"alma": ALMA, "alumia": ALUMIA, "llamactl-old": REGULAR}
SHOWN_IN = frozenset({"alma", "proxmox", "llamactl-old"})
"""The families whose documents show an allowance in headers."""


def class_of(path: str, method: str, family: str, *, is_known: bool = False) -> RateClass | None:
    """The class of a request, None for what is not limited. `is_known` says whether a credential came and held."""
    path = path.rstrip("/")
    for prefix, methods, found in ROUTES:
        if (path == prefix or path.startswith(f"{prefix}/")) and (not methods or method in methods):
            return found
    if family == "proxmox":
        return READS if method in _READ else OPERATIONS
    return _FAMILIES.get(family) or (None if is_known else STRANGERS)


@cache
def scaled(rate_class: RateClass, factor: int) -> RateClass:
    """The same class with so many times the allowance. A bucket takes as long to fill as before."""
    return replace(rate_class, limit=rate_class.limit * factor, burst=rate_class.burst * factor)


def allowance(rate_class: RateClass, lane: str = "live") -> RateClass:
    """What a client of a lane really has, the operator's factor included."""
    return scaled(rate_class, settings.ALMA_RATE_LIMITS * (SANDBOX_FACTOR if lane == "test" else 1))
