"""How much of Proxmox VE's API the sandbox answers, counted from its own table of methods."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from vms.sandbox.core.api import ALL_ROUTES
from vms.sandbox.core.routing import Route

DOCUMENTED = 649
"""Methods in the API viewer of Proxmox VE 9.1, on 431 paths."""


@dataclass(frozen=True, slots=True)
class Share:
    """The methods of one area: those that behave, and those that answer an example."""

    area: str
    modelled: int
    shaped: int


def _documented() -> Iterator[Route]:
    """The methods that Proxmox VE has as well: neither the index of all nor our own extension."""
    yield from (route for part in ALL_ROUTES for route in part.all if route.segments[0] not in {"", "sandbox"})


def _area(route: Route) -> str:
    parts = route.segments
    if parts[0] == "nodes" and len(parts) > 2:
        return (
            f"nodes/{parts[2]}"
            if parts[2] in {"qemu", "lxc", "storage", "ceph", "firewall", "network", "sdn"}
            else "nodes"
        )
    return f"cluster/{parts[1]}" if parts[0] == "cluster" and len(parts) > 1 else parts[0]


def shares() -> list[Share]:
    """One row per area, by name."""
    methods = {(route.method, route.pattern): route for route in _documented()}
    modelled = Counter(_area(route) for route in methods.values() if not route.is_shaped)
    shaped = Counter(_area(route) for route in methods.values() if route.is_shaped)
    return [Share(area, modelled[area], shaped[area]) for area in sorted({*modelled, *shaped})]


def table() -> str:
    """What is counted, as text."""
    found = shares()
    modelled, shaped = sum(row.modelled for row in found), sum(row.shaped for row in found)
    lines = [f"{'area':24} modelled  example"]
    lines += [f"{row.area:24} {row.modelled:8} {row.shaped:8}" for row in found]
    lines.append(f"{'all':24} {modelled:8} {shaped:8}")
    lines.append(f"{DOCUMENTED - modelled - shaped} of {DOCUMENTED} methods answer 501")
    return "\n".join(lines)
