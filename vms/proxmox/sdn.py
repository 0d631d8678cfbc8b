"""Software-defined networks as they are configured: what waits to be applied, and the calls that lead to a layout.

Nothing here has effect until everything that is configured is applied, which is one act for the whole cluster."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from alma.jobs.kinds import StepFailed, Unknown
from vms.proxmox.answers import clean, mapping, rows, text
from vms.proxmox.client import Api

HERE = ("cluster", "sdn")
Values = dict[str, Any]
Layout = dict[str, Any]
"""A virtual network as it shall be: `vnet`, `zone` and `subnet`, each the values of one call; `zone` is None where it lies
in somebody else's, `subnet` where it has none."""
Part = tuple[str, str]
"""What waits: its kind and its name."""
_OF_VNET = ("zone", "tag", "alias")
_OF_SUBNET = ("gateway", "dhcp-range", "dhcp-dns-server", "snat")
_FIXED_IN_ZONE = ("type", "bridge", "dhcp")


@dataclass(frozen=True)
class Call:
    """One change of the configuration; `words` say what it is."""

    words: str
    method: str
    path: tuple[str, ...]
    values: Values = field(default_factory=dict)

    def make(self, api: Api) -> None:
        """Do it. Raises Refusal, Unknown: then it may have happened or not."""
        getattr(api, self.method)(*HERE, *self.path, **self.values)


@dataclass(frozen=True)
class Seen:
    """What is configured now: zones, vnets, and the subnets of one vnet by their CIDR."""

    zones: dict[str, Values]
    vnets: dict[str, Values]
    subnets: dict[str, Values]


def look(api: Api, vnet: str) -> Seen:
    """Read it. Raises Unknown, Refusal."""
    zones = {text(row, "zone"): row for row in rows(api.get(*HERE, "zones"), "zones")}
    vnets = {text(row, "vnet"): row for row in rows(api.get(*HERE, "vnets"), "virtual networks")}
    subnets = rows(api.get(*HERE, "vnets", vnet, "subnets"), "subnets") if vnet in vnets else []
    return Seen(zones, vnets, {text(row, "cidr"): row for row in subnets})


def waiting(api: Api) -> set[Part]:
    """Everything that is configured and not applied, whoever configured it. Raises Unknown, Refusal."""
    found = {part for kind in ("zone", "vnet", "controller") for part in _waiting(api, kind, f"{kind}s")}
    for row in rows(api.get(*HERE, "vnets"), "virtual networks"):
        name = text(row, "vnet")
        found |= set(_waiting(api, "subnet", "vnets", name, "subnets"))
    return found | set(_fabrics(api))


def _waiting(api: Api, kind: str, *path: str) -> Iterator[Part]:
    for row in rows(api.get(*HERE, *path, pending=1), f"{kind}s"):
        if row.get("state"):
            yield kind, text(row, kind)


def _fabrics(api: Api) -> Iterator[Part]:
    """Newer versions have them."""
    try:
        told = mapping(api.get(*HERE, "fabrics", "all", pending=1), "fabrics")
    except Unknown as error:
        if not str(error).startswith("501"):
            raise
        return
    for kind in ("fabrics", "nodes"):
        yield from ((kind, clean(text(row, "id"), 40)) for row in rows(told.get(kind) or [], kind) if row.get("state"))


def next_call(seen: Seen, goal: Layout | None, vnet: str, own_zone: str) -> Call | None:
    """What brings the configuration nearer to the goal, or None when it is reached. Without a goal the vnet goes, and its
    zone once nobody else is in it. Raises StepFailed."""
    calls = _removal(seen, vnet, own_zone) if goal is None else _making(seen, goal)
    return next(calls, None)


def _making(seen: Seen, goal: Layout) -> Iterator[Call]:
    if goal["zone"]:
        yield from _zone(seen, goal["zone"])
    vnet = goal["vnet"]["vnet"]
    if vnet not in seen.vnets:
        yield Call(f"make the virtual network {vnet}", "post", ("vnets",), goal["vnet"])
    elif changed := _changes(seen.vnets[vnet], goal["vnet"], _OF_VNET):
        yield Call(f"change the virtual network {vnet}", "put", ("vnets", vnet), changed)
    wanted = goal["subnet"]
    for cidr, row in seen.subnets.items():
        if wanted is None or cidr != wanted["subnet"]:
            yield _without(vnet, row)
    if wanted is None:
        return
    if wanted["subnet"] not in seen.subnets:
        yield Call(f"make the subnet {wanted['subnet']}", "post", ("vnets", vnet, "subnets"), wanted)
    elif changed := _changes(seen.subnets[wanted["subnet"]], wanted, _OF_SUBNET):
        name = text(seen.subnets[wanted["subnet"]], "subnet")
        yield Call(f"change the subnet {wanted['subnet']}", "put", ("vnets", vnet, "subnets", name), changed)


def _zone(seen: Seen, wanted: Values) -> Iterator[Call]:
    name = wanted["zone"]
    if name not in seen.zones:
        yield Call(f"make the zone {name}", "post", ("zones",), wanted)
        return
    differing = [key for key in _FIXED_IN_ZONE if text(seen.zones[name], key) != str(wanted.get(key) or "")]
    if differing:
        raise StepFailed(
            "ZONE_DIFFERS", f"The zone {name} is there with another {' and '.join(differing)}; it is left alone."
        )


def _removal(seen: Seen, vnet: str, own_zone: str) -> Iterator[Call]:
    for row in seen.subnets.values():
        yield _without(vnet, row)
    if vnet in seen.vnets:
        yield Call(f"remove the virtual network {vnet}", "delete", ("vnets", vnet))
    inside = [name for name, row in seen.vnets.items() if text(row, "zone") == own_zone]
    if own_zone in seen.zones and not inside:
        yield Call(f"remove the zone {own_zone}", "delete", ("zones", own_zone))


def _without(vnet: str, row: Values) -> Call:
    return Call(f"remove the subnet {text(row, 'cidr')}", "delete", ("vnets", vnet, "subnets", text(row, "subnet")))


def _changes(row: Values, wanted: Values, names: tuple[str, ...]) -> Values:
    """The values that differ, and in `delete` those that shall not be there."""
    now, then = {name: _plain(row.get(name)) for name in names}, {name: _plain(wanted.get(name)) for name in names}
    changed = {name: wanted[name] for name in names if then[name] and then[name] != now[name]}
    gone = [name for name in names if now[name] and not then[name]]
    return changed | ({"delete": ",".join(gone)} if gone else {})


def _plain(value: Any) -> str:
    """A value in the spelling in which it is sent; Proxmox answers ranges as a list of objects."""
    if isinstance(value, list):
        return ";".join(_plain(one) for one in value)
    if isinstance(value, dict):
        return f"start-address={value.get('start-address')},end-address={value.get('end-address')}"
    return "" if value in {None, 0, "0"} else str(value)
