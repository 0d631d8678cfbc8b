"""Parts written down as resources of a blueprint."""

from typing import Any

from blueprints.generation.addressing import networks_of
from blueprints.generation.design import Part
from blueprints.generation.facts import Group, Request
from blueprints.generation.lexicon import role_defaults
from blueprints.generation.parts import programs
from blueprints.schema.names import suffixed
from blueprints.schema.sizes import format_size

MOST_LISTED = 60
Resource = dict[str, Any]


def write(request: Request, parts: list[Part]) -> list[Resource]:
    """One resource per machine; a part of very many stays one resource with a count."""
    names = {id(part): _names(part, parts) for part in parts}
    return [_resource(request, part, name, place, names) for part in _ordered(parts) for place, name in names[id(part)]]


def _ordered(parts: list[Part]) -> list[Part]:
    """What is needed stands before what needs it."""
    ordered: list[Part] = []
    waiting = list(parts)
    while waiting:
        ready = [part for part in waiting if all(need not in waiting for need in part.needs)] or waiting[:1]
        ordered += ready
        waiting = [part for part in waiting if part not in ready]
    return ordered


def _names(part: Part, parts: list[Part]) -> list[tuple[int, str]]:
    if part.count == 1 or sum(other.count for other in parts) > MOST_LISTED:
        return [(0, part.label)]
    return [(place, suffixed(part.label, str(place + 1))) for place in range(part.count)]


def _resource(request: Request, part: Part, name: str, place: int, names: dict[int, list[tuple[int, str]]]) -> Resource:
    listed = len(names[id(part)])
    return {
        "name": name,
        "type": "lxc" if part.group.kind == "lxc" else "vm",
        "description": _description(part),
        "specs": _specs(request, part, place, collapsed=listed < part.count),
        "dependencies": [other for need in part.needs for _, other in names[id(need)]],
    }


def _description(part: Part) -> str:
    what = str(role_defaults(part.role).get("label", "machine")).replace("-", " ")
    software = f" with {', '.join(part.group.software)}" if part.group.software else ""
    return f"{what[0].upper()}{what[1:]}{software}"


def _specs(request: Request, part: Part, place: int, *, collapsed: bool) -> dict[str, Any]:
    group = part.group
    specs: dict[str, Any] = {"cpu": part.cpu, "memory": format_size(part.memory), "disk": format_size(part.disk)}
    cards = _networks(request, group, place, collapsed=collapsed)
    optional = {
        "count": part.count if collapsed else None,
        "role": part.role,
        "software": programs(group),
        "services": group.services,
        "os": group.os,
        "gpu": group.gpu,
        "user": group.user,
        "timezone": group.timezone,
        "disks": [format_size(size) for size in group.further_disks],
        "network": cards[0] if cards else None,
        "networks": cards[1:],
        "virtual_ip": group.virtual_ip,
        "dns": [group.dns] if group.dns else None,
        "anti_affinity": _apart(part) if part.is_spread else None,
        "backup": _backup(group),
        "environment": group.environment,
        "tags": [tag for tag in (part.role, group.environment or request.environment) if tag],
    }
    return specs | {key: value for key, value in optional.items() if value}


def _apart(part: Part) -> str:
    """What is to stand on different hosts has one name together: a part, or machines of one kind with names of their own."""
    return part.label if part.count > 1 else (part.group.software or [part.role or "machine"])[0].replace("_", "-")


def _addresses(group: Group, place: int, *, collapsed: bool) -> list[str]:
    """Those of this machine: one of as many as there are machines, or all when it is the only one."""
    if group.count in (None, 1) and not group.replicas:
        return group.ips
    return [] if collapsed else group.ips[place : place + 1]


def _networks(request: Request, group: Group, place: int, *, collapsed: bool) -> list[dict[str, Any]]:
    """The cards: what was said of these machines, or else of the network for all."""
    cards = networks_of(group, request.network, _addresses(group, place, collapsed=collapsed))
    if collapsed and len(group.ips) == group.count:
        cards = [{**(cards[0] if cards else {}), "ip": group.ips}, *cards[1:]]
    return cards


def _backup(group: Group) -> dict[str, Any]:
    policy = {"schedule": group.backup_schedule, "retention_days": group.backup_days}
    return {key: value for key, value in policy.items() if value} if group.backup_schedule else {}
