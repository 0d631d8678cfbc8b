"""Networks of a cluster: bridges and VLANs of a node, and virtual networks with their zones, subnets and firewall rules."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_interface
from typing import Any

from alma.jobs.kinds import StepFailed, Unknown
from vms.proxmox.answers import Refusal, clean, rows, text, whole
from vms.proxmox.client import Api

MOST_INTERFACES = 500
MOST_VNETS = 40
"""Virtual networks whose subnets and rules are read; each takes two calls."""
MOST_RULES = 100
KINDS = {"bridge": "bridge", "OVSBridge": "bridge", "vlan": "vlan"}
"""What guests are attached to, or carries a VLAN; ports and bonds carry networks, and are none."""
TAGGED_ZONES = frozenset({"vlan", "qinq"})
"""Zones in which the tag of a virtual network is a VLAN; in others it is something else, or there is none."""
ACTIONS = {"ACCEPT": "allow", "DROP": "deny", "REJECT": "reject"}
MARK = re.compile(r"\s*\(?\balma-[0-9a-f]{12}\b\)?")
"""What names the row of the ledger in the alias or comment of a network that ALMA made."""
RULE_MARK = re.compile(r"\balma-rule-([0-9a-f]{12})\b")
_TAG = re.compile(r"(?:\.|^vlan)(\d{1,4})$")
_PAST_REACH = (Unknown, Refusal, StepFailed)


@dataclass(frozen=True, kw_only=True)
class NetworkReading:
    """A network as a node or the cluster tells it; what it does not tell is None or empty.

    `nodes` are those that a zone spans, empty for all. `firewall_rules` are {id, action, protocol, port, source,
    destination, enabled}."""

    bridge: str
    name: str
    kind: str
    is_active: bool
    description: str = ""
    zone: str = ""
    zone_kind: str = ""
    nodes: list[str] = field(default_factory=list)
    vlan_id: int | None = None
    subnets: list[str] | None = None
    gateway: str = ""
    dns_servers: list[str] | None = None
    dhcp_enabled: bool | None = None
    firewall_rules: list[dict[str, Any]] | None = None


def of_node(api: Api, node: str) -> list[NetworkReading] | None:
    """Bridges and VLANs of a node; None when it did not tell."""
    try:
        found = rows(api.get("nodes", node, "network"), "networks")[:MOST_INTERFACES]
        return [_interface(row) for row in found if row.get("type") in KINDS and row.get("iface")]
    except _PAST_REACH:
        return None


def _interface(row: dict[str, Any]) -> NetworkReading:
    name = clean(text(row, "iface"), 64)
    tag = whole(row, "vlan-id") or int((_TAG.search(name) or [0, 0])[1])
    kind = KINDS[row["type"]]
    cidrs = [_subnet(text(row, key)) for key in ("cidr", "cidr6")]
    return NetworkReading(
        bridge=name, name=name, kind=kind, is_active=bool(whole(row, "active")),
        description=MARK.sub("", clean(text(row, "comments"), 256)), vlan_id=tag or None if kind == "vlan" else None,
        subnets=[cidr for cidr in cidrs if cidr], gateway=_address(text(row, "gateway") or text(row, "gateway6")),
    )  # fmt: skip


def of_cluster(api: Api) -> list[NetworkReading] | None:
    """Virtual networks as they run, not those that wait to be applied; None when the cluster did not tell."""
    try:
        zones = {text(row, "zone"): row for row in rows(api.get("cluster", "sdn", "zones", running=1), "zones")}
        found = rows(api.get("cluster", "sdn", "vnets", running=1), "virtual networks")[:MOST_INTERFACES]
        return [
            _vnet(api, row, zones.get(text(row, "zone"), {}), is_read=number < MOST_VNETS)
            for number, row in enumerate(found)
        ]
    except _PAST_REACH:
        return None


def _vnet(api: Api, row: dict[str, Any], zone: Mapping[str, Any], *, is_read: bool) -> NetworkReading:
    name, zone_kind = clean(text(row, "vnet"), 64), text(zone, "type")
    alias = MARK.sub("", clean(text(row, "alias"), 256))
    is_vlan = zone_kind in TAGGED_ZONES
    subnets = _subnets(api, name) if is_read else None
    rules = _rules(api, name) if is_read else None
    return NetworkReading(
        bridge=name, name=alias or name, kind="vlan" if is_vlan else "vnet", is_active=True,
        zone=clean(text(row, "zone"), 64), zone_kind=clean(zone_kind, 32),
        nodes=[node for node in text(zone, "nodes").split(",") if node], vlan_id=whole(row, "tag") or None if is_vlan else None,
        firewall_rules=None if rules is None else [rule(row) for row in rules[:MOST_RULES]],
        **_addressing(zone, subnets),
    )  # fmt: skip


def _subnets(api: Api, vnet: str) -> list[dict[str, Any]] | None:
    """The subnets as they run; None when they may not be read. Raises Unknown: then what is known of them stays."""
    try:
        return rows(api.get("cluster", "sdn", "vnets", vnet, "subnets", running=1), "subnets")
    except Refusal:
        return None


def _rules(api: Api, vnet: str) -> list[dict[str, Any]] | None:
    """The rules of its own firewall; None when they are not told, as by a Proxmox in which only guests have one."""
    try:
        return rows(api.get("cluster", "sdn", "vnets", vnet, "firewall", "rules"), "rules")
    except _PAST_REACH:
        return None


def _addressing(zone: Mapping[str, Any], subnets: list[dict[str, Any]] | None) -> dict[str, Any]:
    """What the subnets say. Addresses are given out where the zone has a DHCP server and a subnet has a range for it."""
    if subnets is None:
        return {}
    cidrs = [_subnet(text(row, "cidr")) for row in subnets]
    servers = [_address(text(row, "dhcp-dns-server")) for row in subnets]
    has_range = any(row.get("dhcp-range") for row in subnets)
    return {
        "subnets": [cidr for cidr in cidrs if cidr],
        "gateway": next(filter(None, (_address(text(row, "gateway")) for row in subnets)), ""),
        "dns_servers": [server for server in dict.fromkeys(servers) if server],
        "dhcp_enabled": bool(zone.get("dhcp")) and has_range if zone else None,
    }  # fmt: skip


def rule(row: dict[str, Any]) -> dict[str, Any]:
    """A rule of a firewall in the words of the API document; one that is switched off says so. The id of one that ALMA made
    stays, others are counted."""
    action, port = text(row, "action"), clean(text(row, "dport"), 100)
    mark = RULE_MARK.search(text(row, "comment"))
    return {
        "id": f"rule-{mark[1]}" if mark else f"rule-{whole(row, 'pos') + 1:03d}", "action": ACTIONS.get(action, clean(action, 40)),
        "protocol": clean(text(row, "proto"), 40) or None, "port": int(port) if port.isdecimal() else port or None,
        "source": clean(text(row, "source"), 512) or None, "destination": clean(text(row, "dest"), 512) or None,
        "enabled": bool(whole(row, "enable")),
    }  # fmt: skip


def _subnet(given: str) -> str:
    """The network of an address with its prefix length; empty when it is none."""
    try:
        return str(ip_interface(given).network) if "/" in given else ""
    except ValueError:
        return ""


def _address(given: str) -> str:
    try:
        return str(ip_address(given))
    except ValueError:
        return ""
