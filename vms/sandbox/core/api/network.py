"""/nodes/{node}/network: interfaces, changed in a file that waits until it is applied."""

import re

from vms.sandbox.core import formats, interfaces, permissions, sdn, tasks
from vms.sandbox.core.api.tables import NODE
from vms.sandbox.core.errors import invalid, wrong
from vms.sandbox.core.interfaces import BRIDGES, PORT_KEYS, Interface, Interfaces
from vms.sandbox.core.model import Json, Task
from vms.sandbox.core.parameters import Param, boolean, formatted, integer, listing, needing, one_of, text
from vms.sandbox.core.routing import USER, Call, Routes, holder
from vms.sandbox.core.validation import split_list
from vms.sandbox.core.world import World

routes = Routes()
_TYPES = (
    "bridge", "bond", "eth", "alias", "vlan", "fabric", "OVSBridge", "OVSBond", "OVSPort", "OVSIntPort", "vnet",
)  # fmt: skip
_IFACE = {**NODE, "iface": Param(format=formats.interface, min_length=2, max_length=20, is_required=True)}
_INTERFACES = listing(formats.interface)
_MODES = (
    "balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb", "balance-slb",
    "lacp-balance-slb", "lacp-balance-tcp",
)  # fmt: skip
_SETTINGS = {
    "type": one_of(*_TYPES, "unknown").required(), "comments": text(), "comments6": text(), "autostart": boolean(),
    "bridge_vlan_aware": boolean(), "bridge_vids": listing(formats.vlans), "bridge_ports": _INTERFACES,
    "ovs_ports": _INTERFACES, "ovs_tag": integer(1, 4094), "ovs_options": text(1024), "ovs_bridge": formatted(formats.interface),
    "slaves": _INTERFACES, "ovs_bonds": _INTERFACES, "bond_mode": one_of(*_MODES), "bond-primary": formatted(formats.interface),
    "bond_xmit_hash_policy": one_of("layer2", "layer2+3", "layer3+4"), "vlan-raw-device": formatted(formats.interface),
    "vlan-id": integer(1, 4094), "gateway": formatted(formats.ipv4), "netmask": needing(formatted(formats.netmask), "address"),
    "address": needing(formatted(formats.ipv4), "netmask"), "cidr": formatted(formats.cidr4), "mtu": integer(1280, 65520),
    "gateway6": formatted(formats.ipv6), "netmask6": needing(integer(0, 128), "address6"),
    "address6": needing(formatted(formats.ipv6), "netmask6"), "cidr6": formatted(formats.cidr6),
}  # fmt: skip
_MODIFY = holder("/nodes/{node}", "Sys.Modify")


@routes.route(
    "GET",
    "/nodes/{node}/network",
    {**NODE, "type": one_of(*_TYPES, "any_bridge", "any_local_bridge", "include_sdn")},
    USER,
)
def listing_of_node(call: Call) -> Json:
    """The interfaces that are configured; bridges only for those who may use them."""
    if changes := interfaces.changes(call.world, call.node):
        call.extra["changes"] = changes
    found = _filtered(call, interfaces.wanted(call.world, call.node), call.string("type"))
    shown = {name: row for name, row in found.items() if row["type"] not in BRIDGES or _may_use(call, name)}
    rank = {name: place for place, name in enumerate(shown, 2)}
    return [{**row, "iface": name, "priority": rank[name]} for name, row in shown.items()]


def _filtered(call: Call, found: Interfaces, wanted: str) -> Interfaces:
    if wanted and wanted != "include_sdn":
        is_any = wanted in {"any_bridge", "any_local_bridge"}
        found = {
            name: row for name, row in found.items() if row["type"] == wanted or (is_any and row["type"] in BRIDGES)
        }
    if wanted in {"any_bridge", "include_sdn", "vnet"}:
        found = {**found, **sdn.vnets_on(call.world, call.identity, call.node)}
    return found


def _may_use(call: Call, bridge: str) -> bool:
    path = f"/sdn/zones/localnetwork/{bridge}"
    return permissions.may(call.world, call.identity, path, "SDN.Audit", "SDN.Use")


@routes.route("POST", "/nodes/{node}/network", {**_IFACE, **_SETTINGS}, _MODIFY)
def create(call: Call) -> Json:
    found, name = dict(interfaces.wanted(call.world, call.node)), call.string("iface")
    if name in found:
        raise invalid(iface="interface already exists")
    row = _given(call, found)
    _join_switch(found, row, name)
    interfaces.write(call.world, call.node, {**found, name: interfaces.normal(row)})


def _given(call: Call, found: Interfaces) -> Interface:
    """The settings of a call, checked against all other interfaces."""
    row: Interface = {key: call.params[key] for key in _SETTINGS if key in call.params}
    name = call.string("iface")
    for key, words in (("gateway", "Default gateway"), ("gateway6", "Default ipv6 gateway")):
        other = next((one for one, settings in found.items() if one != name and settings.get(key)), "")
        if row.get(key) and other:
            raise wrong({key: f"{words} already exists on interface '{other}'."})
    _check_ports(found, name, row)
    _split_address(row)
    if "bridge_vids" in row:
        row["bridge_vids"] = " ".join(split_list(str(row["bridge_vids"])))
    return row


def _check_ports(found: Interfaces, name: str, row: Interface) -> None:
    key = next((key for key in PORT_KEYS if row.get(key)), "")
    ports = _ports(row)
    for other, settings in found.items():
        for port in _ports(settings) if other != name else []:
            if port in ports:
                raise wrong({key: f"{port} is already used on interface '{other}'."})


def _ports(row: Interface) -> list[str]:
    return [port for key in PORT_KEYS for port in split_list(str(row.get(key) or ""))]


def _split_address(row: Interface) -> None:
    for suffix in ("", "6"):
        cidr = row.pop(f"cidr{suffix}", None)
        if not cidr:
            continue
        for key in (f"address{suffix}", f"netmask{suffix}"):
            if row.get(key):
                raise wrong({key: f"{key} conflicts with cidr{suffix}"})
        row[f"address{suffix}"], _, mask = str(cidr).partition("/")
        row[f"netmask{suffix}"] = int(mask) if suffix else mask


def _join_switch(found: Interfaces, row: Interface, name: str) -> None:
    """A port of a virtual switch names the switch, which then lists it."""
    if row["type"] not in {"OVSIntPort", "OVSBond"}:
        return
    switch = str(row.get("ovs_bridge", ""))
    if not switch:
        raise wrong({"ovs_bridge": "parameter is required"})
    if switch not in found:
        raise wrong({"ovs_bridge": f"bridge '{switch}' does not exist"})
    if found[switch]["type"] != "OVSBridge":
        raise wrong({"ovs_bridge": f"interface '{switch}' is no OVS bridge"})
    ports = dict.fromkeys([*str(found[switch].get("ovs_ports", "")).split(), name])
    found[switch] = {**found[switch], "ovs_ports": " ".join(ports)}


def _one(call: Call) -> Interface:
    found = interfaces.wanted(call.world, call.node).get(call.string("iface"))
    if found is None:
        raise invalid(iface="interface does not exist")
    return found


@routes.route("GET", "/nodes/{node}/network/{iface}", _IFACE, holder("/nodes/{node}", "Sys.Audit"))
def read(call: Call) -> Json:
    return _one(call)


@routes.route(
    "PUT", "/nodes/{node}/network/{iface}", {**_IFACE, **_SETTINGS, "delete": listing(formats.config_id)}, _MODIFY
)
def change(call: Call) -> Json:
    row = dict(_one(call))
    for key in split_list(call.string("delete")):
        for gone in (key, *_PARTS.get(key, ())):
            row.pop(gone, None)
    given = _given(call, interfaces.wanted(call.world, call.node))
    for suffix in ("", "6"):
        if f"address{suffix}" not in given:
            row.pop(f"cidr{suffix}", None)
    found = {**interfaces.wanted(call.world, call.node), call.string("iface"): interfaces.normal(row | given)}
    interfaces.write(call.world, call.node, found)


_PARTS = {"cidr": ("address", "netmask"), "cidr6": ("address6", "netmask6")}


@routes.route("DELETE", "/nodes/{node}/network/{iface}", _IFACE, _MODIFY)
def delete(call: Call) -> Json:
    gone, name = _one(call), call.string("iface")
    found = {one: row for one, row in interfaces.wanted(call.world, call.node).items() if one != name}
    switch = found.get(str(gone.get("ovs_bridge", "")))
    if switch is not None:
        ports = [port for port in str(switch.get("ovs_ports", "")).split() if port != name]
        found[str(gone["ovs_bridge"])] = {**switch, "ovs_ports": " ".join(ports)}
    interfaces.write(call.world, call.node, found)


@routes.route("DELETE", "/nodes/{node}/network", NODE, _MODIFY)
def revert(call: Call) -> Json:
    interfaces.revert(call.world, call.node)


@routes.route("PUT", "/nodes/{node}/network", {**NODE, "regenerate-frr": boolean()}, _MODIFY)
def apply(call: Call) -> Json:
    return tasks.fork(call.world, call.identity, tasks.Work("srvreload", call.node, "networking", 2.0))


@tasks.effect("srvreload")
def finish_apply(world: World, task: Task) -> None:
    if re.fullmatch("networking", task.id):
        interfaces.apply(world, task.node)
