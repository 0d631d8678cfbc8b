"""The network interfaces of a node: the running configuration, the one that waits, and the file that both are."""

import difflib
import ipaddress
from datetime import UTC, datetime

from vms.sandbox.core.model import Json
from vms.sandbox.core.state import State
from vms.sandbox.core.world import World

Interface = dict[str, Json]
Interfaces = dict[str, Interface]
PORT_KEYS = ("bridge_ports", "ovs_ports", "slaves", "ovs_bonds")
BRIDGES = {"bridge", "OVSBridge"}
_FILE = "/etc/network/interfaces"
_PLACES = {"eth": 3, "bond": 4, "bridge": 5, "OVSBridge": 5, "vlan": 6}
_OPTIONS = {
    "gateway": "gateway", "mtu": "mtu", "bridge_ports": "bridge-ports", "bridge_stp": "bridge-stp", "bridge_fd": "bridge-fd",
    "bridge_vlan_aware": "bridge-vlan-aware", "bridge_vids": "bridge-vids", "slaves": "bond-slaves",
    "bond_mode": "bond-mode", "bond-primary": "bond-primary", "bond_xmit_hash_policy": "bond-xmit-hash-policy",
    "vlan-id": "vlan-id", "vlan-raw-device": "vlan-raw-device", "ovs_ports": "ovs_ports", "ovs_bridge": "ovs_bridge",
    "ovs_bonds": "ovs_bonds", "ovs_options": "ovs_options",
}  # fmt: skip


def _installed(world: World, name: str) -> Interfaces:
    """One bridge over one port, as an installation leaves it."""
    address = world.node(name).ip
    port: Interface = {"type": "eth", "exists": 1, "active": 1, "method": "manual"}
    bridge: Interface = {
        "type": "bridge", "active": 1, "autostart": 1, "address": address, "netmask": "24",
        "gateway": address.rpartition(".")[0] + ".1", "bridge_ports": "nic0",
    }  # fmt: skip
    return {"nic0": normal(port), "vmbr0": normal(bridge)}


def normal(interface: Interface) -> Interface:
    """An interface as it is read back from the file."""
    row = {key: value for key, value in interface.items() if key not in {"cidr", "cidr6"}}
    for suffix in ("", "6"):
        has_address = bool(row.get(f"address{suffix}"))
        row[f"method{suffix}"] = "static" if has_address else "manual"
        if has_address:
            row |= _with_prefix(str(row[f"address{suffix}"]), row.get(f"netmask{suffix}", 24), suffix)
    row["families"] = [name for name, suffix in (("inet", ""), ("inet6", "6")) if row.get(f"address{suffix}")] or [
        "inet"
    ]
    if row["type"] == "bridge":
        row = {"bridge_ports": "", "bridge_stp": "off", "bridge_fd": "0", **row}
    return row


def _with_prefix(address: str, mask: Json, suffix: str) -> Interface:
    """The mask as its length, and both in one."""
    length = ipaddress.ip_interface(f"{address}/{mask}").network.prefixlen
    return {f"netmask{suffix}": length if suffix else str(length), f"cidr{suffix}": f"{address}/{length}"}


def install(state: State, node: str, interfaces: Interfaces) -> None:
    """Have a node run with these from the beginning."""
    state.set(f"interfaces {node}", interfaces)


def running(world: World, node: str) -> Interfaces:
    """What the node runs with."""
    kept: Interfaces | None = world.state.setting(f"interfaces {node}")
    return _installed(world, node) if kept is None else kept


def wanted(world: World, node: str) -> Interfaces:
    """What is configured: what waits to be applied, or what runs."""
    waiting: Interfaces | None = world.state.setting(f"interfaces.new {node}")
    return running(world, node) if waiting is None else waiting


def write(world: World, node: str, interfaces: Interfaces) -> None:
    world.state.set(f"interfaces.new {node}", interfaces)


def revert(world: World, node: str) -> None:
    world.state.set(f"interfaces.new {node}", None)


def apply(world: World, node: str) -> None:
    """What a reload of the network does: everything that starts by itself comes up."""
    interfaces = wanted(world, node)
    for interface in interfaces.values():
        if interface.get("autostart") or interface.get("exists"):
            interface["active"] = 1
    world.state.set(f"interfaces {node}", interfaces)
    revert(world, node)


def changes(world: World, node: str) -> str:
    """The unified diff between the file that is used and the one that waits; empty when nothing waits."""
    if world.state.setting(f"interfaces.new {node}") is None:
        return ""
    before, after = _text(running(world, node)), _text(wanted(world, node))
    stamp = datetime.fromtimestamp(world.now(), UTC).strftime("\t%Y-%m-%d %H:%M:%S.%f000 +0000")
    lines = difflib.unified_diff(before, after, f"{_FILE}{stamp}", f"{_FILE}.new{stamp}", n=3, lineterm="")
    return "".join(f"{line}\n" for line in lines)


def _text(interfaces: Interfaces) -> list[str]:
    lines = ["auto lo", "iface lo inet loopback"]
    for name in sorted(interfaces, key=lambda name: (_PLACES.get(interfaces[name]["type"], 7), name)):
        lines += ["", *_stanza(name, interfaces[name])]
    return lines


def _stanza(name: str, interface: Interface) -> list[str]:
    lines = [f"auto {name}"] if interface.get("autostart") else []
    lines.append(f"iface {name} inet {interface['method']}")
    if interface.get("address"):
        lines.append(f"\taddress {interface['cidr']}")
    lines += [f"\t{word} {interface[key] or 'none'}" for key, word in _OPTIONS.items() if key in interface]
    lines += [f"#{line}" for line in str(interface.get("comments", "")).splitlines()]
    if interface.get("address6"):
        lines += ["", f"iface {name} inet6 static", f"\taddress {interface['cidr6']}"]
        lines += [f"\tgateway {interface['gateway6']}"] if interface.get("gateway6") else []
    return lines
