"""What a network shall be, what is wrong with a wish, and what of it Proxmox is told."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from typing import Any

from vms.models import PlaceClaim
from vms.refusing import invalid

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,58}[A-Za-z0-9]", re.ASCII)
MOST_DNS = 4
NO_DHCP = (
    "Proxmox gives out addresses in simple zones only, not in VLANs: the range is kept with the subnet, and the DHCP server of "
    "VLAN {} has to serve it. With type vnet Proxmox does it itself, on a network that does not leave the node."
)
ONE_DNS = "Proxmox keeps one DNS server for a subnet, {}; ALMA remembers the others."


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network as it shall be. `uplink` is the bridge that carries a VLAN, `node` the place of a bridge; `dhcp_range` are
    its first and last address, `subnet` is written with its prefix length."""

    name: str
    kind: str
    vlan_id: int | None = None
    subnet: str = ""
    gateway: str = ""
    dns_servers: tuple[str, ...] = ()
    has_dhcp: bool = False
    dhcp_range: tuple[str, str] | None = None
    uplink: str = ""
    node: str = ""

    @classmethod
    def of(cls, wish: Mapping[str, Any]) -> "Network":
        """From the form in which the ledger keeps it."""
        span = wish.get("dhcp_range")
        return cls(**{**wish, "dns_servers": tuple(wish["dns_servers"]), "dhcp_range": tuple(span) if span else None})

    @property
    def zone(self) -> str:
        """The zone of ALMA's that it lies in; one for each way of carrying networks."""
        carried = f"vlan:{self.uplink}" if self.kind == "vlan" else f"simple:{self.has_dhcp}"
        return f"alma{hashlib.sha256(carried.encode()).hexdigest()[:4]}" if self.kind != "bridge" else ""

    def layout(self, claim: PlaceClaim) -> dict[str, Any]:
        """What Proxmox shall be told, with the mark of the ledger's row."""
        words = f"{self.name} ({claim.marker})"
        if self.kind == "bridge":
            address = {"cidr": f"{self.gateway}/{self.subnet.partition('/')[2]}"} if self.gateway else {}
            return {"iface": claim.handle, "type": "bridge", "autostart": True, "comments": words, **address}
        tag = {"tag": self.vlan_id} if self.vlan_id else {}
        return {
            "zone": self._zone(), "vnet": {"vnet": claim.handle, "zone": self.zone, "alias": words, **tag},
            "subnet": self._subnet() if self.subnet else None,
        }  # fmt: skip

    def _zone(self) -> dict[str, Any]:
        if self.kind == "vlan":
            return {"zone": self.zone, "type": "vlan", "bridge": self.uplink}
        return {"zone": self.zone, "type": "simple"} | ({"dhcp": "dnsmasq", "ipam": "pve"} if self.has_dhcp else {})

    def _subnet(self) -> dict[str, Any]:
        values: dict[str, Any] = {"subnet": self.subnet, "type": "subnet"}
        if self.gateway:
            values["gateway"] = self.gateway
        if self.dhcp_range:
            values["dhcp-range"] = "start-address={},end-address={}".format(*self.dhcp_range)
        return values | ({"dhcp-dns-server": self.dns_servers[0]} if self.dns_servers else {})

    def notes(self) -> list[str]:
        """What is not quite as it was asked for."""
        found = [NO_DHCP.format(self.vlan_id)] if self.kind == "vlan" and self.has_dhcp else []
        return found + ([ONE_DNS.format(self.dns_servers[0])] if len(self.dns_servers) > 1 else [])

    def shown(self) -> dict[str, Any]:
        """The fields of the row that pages and lists show."""
        is_vlan = self.kind == "vlan"
        zone_kind = {"vlan": "vlan", "vnet": "simple"}.get(self.kind, "")
        return {
            "name": self.name, "vlan_id": self.vlan_id, "subnets": [self.subnet] if self.subnet else [], "zone": self.zone,
            "gateway": self.gateway, "dns_servers": list(self.dns_servers), "zone_kind": zone_kind,
            "dhcp_enabled": self.has_dhcp and not is_vlan,
        }  # fmt: skip


def check(wish: Network) -> None:
    """What can be said without any cluster. Raises Invalid."""
    if not _NAME.fullmatch(wish.name):
        raise invalid(
            "name",
            "2 to 60 letters, digits, spaces, dots, hyphens and underscores",
            wish.name[:100],
            reason="invalid_name",
        )
    if wish.kind == "vlan" and wish.vlan_id is None:
        raise invalid("vlan_id", "a VLAN needs its number, 1 to 4094", reason="required")
    if wish.kind != "vlan" and wish.vlan_id is not None:
        raise invalid(
            "vlan_id",
            f"a network of type {wish.kind} has none; use type vlan",
            wish.vlan_id,
            reason="not_for_this_type",
        )
    if wish.kind == "bridge" and (wish.has_dhcp or wish.dns_servers):
        raise invalid(
            "dhcp_enabled",
            "nobody gives out addresses on a bridge of a node; use type vnet",
            reason="not_for_this_type",
        )
    if len(wish.dns_servers) > MOST_DNS:
        raise invalid("dns_servers", f"at most {MOST_DNS}", reason="too_many")
    _check_addresses(wish)


def _check_addresses(wish: Network) -> None:
    for server in wish.dns_servers:
        _address("dns_servers", server)
    if not wish.subnet:
        _refuse_without_subnet(wish)
        return
    subnet = _subnet(wish.subnet)
    gateway = _inside(subnet, "gateway", wish.gateway) if wish.gateway else None
    if wish.has_dhcp != bool(wish.dhcp_range):
        raise invalid("dhcp_range", "belongs to dhcp_enabled: give both or none", reason="required")
    if wish.dhcp_range:
        _check_range(wish.dhcp_range, subnet, gateway)


def _refuse_without_subnet(wish: Network) -> None:
    for name, value in (("gateway", wish.gateway), ("dhcp_range", wish.dhcp_range), ("dhcp_enabled", wish.has_dhcp)):
        if value:
            raise invalid(name, "needs a subnet", reason="needs_subnet")


def _check_range(span: tuple[str, str], subnet: IPv4Network, gateway: IPv4Address | None) -> None:
    if gateway is None:
        raise invalid("gateway", "addresses are only given out in a subnet with a gateway", reason="required")
    first, last = (_inside(subnet, "dhcp_range", address) for address in span)
    if first > last or first <= gateway <= last:
        raise invalid(
            "dhcp_range", "begins before it ends, and does not hold the gateway", list(span), reason="invalid_range"
        )


def _subnet(given: str) -> IPv4Network:
    try:
        return IPv4Network(given)
    except (AddressValueError, NetmaskValueError, ValueError) as error:
        words = "an IPv4 network with its prefix length, such as 192.168.2.0/24"
        raise invalid("subnet", words, given[:100], reason="invalid_subnet") from error


def _address(field: str, given: str) -> IPv4Address:
    try:
        return IPv4Address(given)
    except AddressValueError as error:
        raise invalid(field, "an IPv4 address", given[:100], reason="invalid_address") from error


def _inside(subnet: IPv4Network, field: str, given: str) -> IPv4Address:
    address = _address(field, given)
    if address not in subnet or address in {subnet.network_address, subnet.broadcast_address}:
        raise invalid(field, f"an address of {subnet}", given[:100], reason="outside_subnet")
    return address


def kept(wish: Network) -> dict[str, Any]:
    """In the form in which the ledger keeps it."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(wish).items()}
