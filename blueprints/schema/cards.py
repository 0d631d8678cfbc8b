"""Network cards of a machine: from its own specs, from named networks of the same document, and from defaults."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_interface, ip_network

from blueprints.schema.document import Resource
from blueprints.schema.machine import NetworkCard
from blueprints.schema.specs import Nic, Specs

DEFAULT_BRIDGE = "vmbr0"
DEFAULT_PREFIX = {4: 24, 6: 64}
_BRIDGE = re.compile(r"(?:vmbr|br|vnet|ovs)\w*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Networks:
    """The networks that a document declares, by name."""

    declared: Mapping[str, Resource]

    def cards_of(self, specs: Specs, *, index: int) -> tuple[NetworkCard, ...]:
        """The cards of the index-th machine of a resource; always at least one."""
        first = _merged(specs.network or Nic.model_construct(), _flat(specs))
        return tuple(self._card(nic, index) for nic in (first, *(specs.networks or ())))

    def _card(self, nic: Nic, index: int) -> NetworkCard:
        declared = self.declared.get(nic.name or "")
        if declared:
            nic = _merged(nic, _flat(declared.specs, with_ip=False))
        return NetworkCard(
            bridge=nic.bridge or _bridge_named(nic.name, is_declared=declared is not None),
            network=nic.name,
            vlan=nic.vlan,
            ip=_address(nic, index),
            gateway=nic.gateway,
            dns=tuple(nic.dns or ()),
            mac=nic.mac if index == 0 else None,
            mtu=nic.mtu,
            firewall=bool(nic.firewall),
        )


def _flat(specs: Specs, *, with_ip: bool = True) -> Nic:
    """The card that a resource describes without an object of its own."""
    return Nic.model_construct(
        bridge=specs.bridge,
        vlan=specs.vlan,
        ip=specs.ip if with_ip else None,
        subnet=specs.subnet,
        gateway=specs.gateway,
        dns=specs.dns,
        mac=specs.mac if with_ip else None,
        mtu=specs.mtu,
        firewall=specs.firewall if with_ip else None,
    )


def _merged(nic: Nic, other: Nic) -> Nic:
    """The card with what it lacks taken from the other description."""
    return Nic.model_construct(**{**dict(other), **{name: value for name, value in nic if value is not None}})


def _bridge_named(name: str | None, *, is_declared: bool) -> str:
    return name if name and not is_declared and _BRIDGE.fullmatch(name) else DEFAULT_BRIDGE


def _address(nic: Nic, index: int) -> str | None:
    address = nic.ip[index] if nic.ip and index < len(nic.ip) else "dhcp"
    if address == "dhcp" or "/" in address:
        return None if address == "dhcp" else address
    if nic.subnet:
        return f"{address}/{ip_network(nic.subnet).prefixlen}"
    return f"{address}/{DEFAULT_PREFIX[ip_interface(address).version]}"
