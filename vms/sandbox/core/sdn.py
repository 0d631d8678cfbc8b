"""Software-defined networks: objects that are configured, and the state in which they run since they were last applied."""

import ipaddress
from collections.abc import Mapping

from vms.sandbox.core import permissions, sections
from vms.sandbox.core.errors import die
from vms.sandbox.core.identity import Identity
from vms.sandbox.core.interfaces import Interface, Interfaces
from vms.sandbox.core.model import Entry, Json
from vms.sandbox.core.sections import Section
from vms.sandbox.core.world import World

LOCK = "domain-sdn"
Objects = dict[str, dict[str, Json]]


def _section(name: str, key: str, missing: str = "sdn '{}' does not exist") -> Section:
    noun = f"sdn {name} object"
    return Section(f"sdn/{name}s", key, missing, noun + " ID '{}' already defined", LOCK, noun)


ZONES = _section("zone", "zone")
VNETS = _section("vnet", "vnet", "sdn vnet '{}' does not exist")
SUBNETS = _section("subnet", "subnet", "sdn subnet '{}' does not exist")
CONTROLLERS = _section("controller", "controller")
IPAMS = Section(
    "sdn/ipams", "ipam", "sdn '{}' does not exist", "sdn ipam object ID '{}' already defined", LOCK, "sdn ipam object"
)
DNS = Section(
    "sdn/dns", "dns", "sdn '{}' does not exist", "sdn dns object ID '{}' already defined", LOCK, "sdn dns object"
)
APPLIED = (ZONES, VNETS, SUBNETS, CONTROLLERS)
OWN_IPAM = Entry(IPAMS.name, "pve", {"type": "pve"})


def configured(world: World, section: Section) -> Objects:
    """The objects of a kind as they are configured; Proxmox's own IPAM is always there."""
    found = {entry.name: entry.values for entry in sections.rows(world, section)}
    return {OWN_IPAM.name: OWN_IPAM.values, **found} if section is IPAMS else found


def running(world: World, section: Section) -> Objects:
    """The objects as they were when they were last applied."""
    found: Objects = (world.state.setting("sdn running") or {}).get(section.name, {})
    return found


def pending(world: World, section: Section) -> Objects:
    """What runs, with what would change: `state` is new, changed or deleted, `pending` the values that wait."""
    now, then = configured(world, section), running(world, section)
    return {name: _pending_row(now.get(name), then.get(name)) for name in sorted({**now, **then})}


def _pending_row(now: dict[str, Json] | None, then: dict[str, Json] | None) -> dict[str, Json]:
    if now is None:
        return {**(then or {}), "state": "deleted", "pending": {}}
    if now == then:
        return now
    fixed = {key: value for key, value in now.items() if key in {"type", "vnet"}}
    before = then or {}
    waiting = {key: value for key, value in now.items() if key not in fixed and value != before.get(key)}
    gone = {key: "deleted" for key in before if key not in now}
    return {**before, **fixed, "state": "changed" if then is not None else "new", "pending": {**waiting, **gone}}


def has_pending(world: World) -> bool:
    return any(configured(world, section) != running(world, section) for section in APPLIED)


def commit(world: World) -> None:
    """Make the configuration the running one."""
    world.state.set("sdn running", {section.name: configured(world, section) for section in APPLIED})


def roll_back(world: World) -> None:
    """Make the running configuration the configured one."""
    for section in APPLIED:
        for entry in sections.rows(world, section):
            world.state.entries.remove(entry)
        for name, values in running(world, section).items():
            world.state.entries.put(Entry(section.name, name, dict(values)))


def check_lock(world: World, token: str) -> None:
    """While somebody holds the lock of all of SDN, only who knows its token changes anything."""
    held = world.state.setting("sdn lock", "")
    if held and held != token:
        raise die("invalid lock token provided!")


def subnet_id(zone: str, cidr: str) -> str:
    """`zone1-10.0.0.0-24`, however the subnet was named."""
    return f"{zone}-{cidr.replace('/', '-')}" if "/" in cidr else cidr


def subnet_parts(name: str) -> dict[str, str]:
    """What the name of a subnet tells."""
    zone, network, mask = name.split("-")
    return {"id": name, "zone": zone, "network": network, "mask": mask, "cidr": f"{network}/{mask}"}


def is_within(cidr: str, address: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(cidr, strict=False)


def is_on(values: Mapping[str, Json], node: str) -> bool:
    """Whether a zone spans a node."""
    nodes = str(values.get("nodes") or "")
    return not nodes or node in nodes.split(",")


def vnets_on(world: World, identity: Identity, node: str) -> Interfaces:
    """The vnets that run on a node and that one may use, as interfaces."""
    zones = running(world, ZONES)
    return {
        name: _interface(values) for name, values in running(world, VNETS).items()
        if is_on(zones.get(str(values.get("zone")), {}), node)
        and permissions.may(world, identity, f"/sdn/zones/{values.get('zone')}/{name}", "SDN.Audit", "SDN.Use")
    }  # fmt: skip


def _interface(values: dict[str, Json]) -> Interface:
    alias = {"comments": values["alias"]} if values.get("alias") else {}
    return {"type": "vnet", "active": 1, **alias}
