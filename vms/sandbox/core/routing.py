"""Which function answers which method and path, with what parameters and for whom."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote

from vms.sandbox.core.access import ROOT, SUPERUSER, USER, WORLD, Access, each, either, every, holder
from vms.sandbox.core.errors import ApiError
from vms.sandbox.core.identity import Identity
from vms.sandbox.core.model import Guest, Json, Value
from vms.sandbox.core.parameters import Table
from vms.sandbox.core.world import World

__all__ = [
    "ROOT", "SUPERUSER", "USER", "WORLD", "Access", "Call", "Handler", "Route", "Router", "Routes", "each", "either", "every",
    "holder",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a request: its size in bytes, and the hash that was asked for (empty when none was)."""

    size: int
    digest: str = ""


@dataclass(slots=True)
class Call:
    """One validated request on its way through a handler. `extra` are top-level keys beside `data`."""

    world: World
    identity: Identity
    params: dict[str, Value]
    received_at: float
    extra: dict[str, Json] = field(default_factory=dict)
    text: str | None = None
    upload: Upload | None = None

    @property
    def node(self) -> str:
        return str(self.params["node"])

    @property
    def vmid(self) -> int:
        return int(self.params["vmid"])

    def string(self, name: str, default: str = "") -> str:
        return str(self.params.get(name, default))

    def number(self, name: str, default: int = 0) -> int:
        return int(self.params.get(name, default))

    def flag(self, name: str, *, default: bool = False) -> bool:
        return bool(int(self.params.get(name, int(default))))

    def array(self, name: str) -> list[str]:
        """The elements of a parameter that is an array."""
        value = self.string(name)
        return value.split("\0") if value else []

    def guest(self, kind: str) -> Guest:
        return self.world.guest(kind, self.node, self.vmid)

    def refuse(self, *names: str) -> None:
        """The 501 of an option that the sandbox does not model: never a silent success."""
        for name in names:
            if self.params.get(name):
                raise ApiError(501, f"option '{name}' not implemented")


Handler = Callable[[Call], Json]
_NOT_OF_NODE = re.compile(
    r"/nodes/\{node\}(?:/(?:apt|capabilities/qemu/cpu(?:-flags)?|ceph(?:/cfg|/osd/\{osdid\}|/pool/\{name\})?"
    r"|certificates(?:/acme)?|hardware(?:/pci/\{[\w-]+\})?|replication/\{id\}|rrd|rrddata|scan|services/\{service\}"
    r"|sdn/(?:fabrics/\{fabric\}|vnets/\{vnet\}|zones/\{zone\})|storage/\{storage\}|tasks/\{upid\}|firewall"
    r"|(?:qemu|lxc)/\{vmid\}/(?:rrd|rrddata|snapshot/\{snapname\}|firewall(?:/(?:rules|aliases|ipset|refs).*)?)))?"
)
"""What is below a node but answered by any: indexes, what all nodes know, and the firewall's files, which all share."""


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    pattern: str
    table: Table
    access: Access
    handler: Handler
    is_ticket_only: bool = False
    is_shaped: bool = False
    """Whether it tells an example of the right shape instead of something that is modelled."""

    @property
    def segments(self) -> list[str]:
        return self.pattern.strip("/").split("/")

    @property
    def is_of_node(self) -> bool:
        """Whether the node that the path names must answer, and is missed when it is away."""
        if not self.pattern.startswith("/nodes/{node}"):
            return False
        is_shared = self.method == "GET" or "/firewall/" in self.pattern
        return not (is_shared and _NOT_OF_NODE.fullmatch(self.pattern))

    @property
    def is_a_change(self) -> bool:
        """Whether it writes to the cluster's shared configuration, which needs quorum."""
        return self.method != "GET" and self.pattern != "/access/ticket" and self.segments[0] != "sandbox"


class Routes:
    """The methods of one part of the API; `route` registers a handler."""

    def __init__(self) -> None:
        self.all: list[Route] = []

    def route(
        self, method: str, pattern: str, table: Table, access: Access, *, is_ticket_only: bool = False
    ) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            self.all.append(Route(method, pattern, table, access, handler, is_ticket_only))
            return handler

        return register

    def shape(self, pattern: str, table: Table, access: Access, handler: Handler) -> None:
        """A GET that answers an example."""
        self.all.append(Route("GET", pattern, table, access, handler, is_shaped=True))


class Router:
    """Finds a route by the number of its path's parts; fewer placeholders win."""

    def __init__(self, parts: Iterable[Routes]) -> None:
        self._by_size: dict[tuple[str, int], list[Route]] = {}
        self._swallowing: list[Route] = []
        routes = sorted((route for part in parts for route in part.all), key=lambda route: route.pattern.count("{"))
        for route in routes:
            if route.pattern.endswith("...}"):
                self._swallowing.append(route)
            else:
                self._by_size.setdefault((route.method, len(route.segments)), []).append(route)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The route and the values of its placeholders, or the 501 of a path without a handler."""
        parts = [part for part in unquote(path).split("/") if part]
        for route in self._by_size.get((method, max(1, len(parts))), []):
            if (values := _match(route.segments, parts or [""])) is not None:
                return route, values
        for route in self._swallowing:
            size = len(route.segments)
            if route.method == method and len(parts) >= size:
                joined = [*parts[: size - 1], "/".join(parts[size - 1 :])]
                if (values := _match(route.segments, joined)) is not None:
                    return route, values
        raise ApiError(501, f"Method '{method} {unquote(path) or '/'}' not implemented", is_line=False)


def _match(segments: list[str], parts: list[str]) -> dict[str, str] | None:
    values = {}
    for segment, part in zip(segments, parts, strict=True):
        if segment.startswith("{"):
            if re.search(r"\s", part) and not segment.endswith("...}"):
                return None
            values[segment.strip("{}.")] = part
        elif segment != part:
            return None
    return values
