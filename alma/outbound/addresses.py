"""Which addresses may be connected to: public ones, and what the operator lists in ALMA_OUTBOUND_ALLOW."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

DENIED: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23",
        "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip
"""Everything that is not the public Internet, or that carries an address within another."""
PUBLIC_V6 = ip_network("2000::/3")
PRIVATE: tuple[Network, ...] = tuple(
    ip_network(text) for text in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
"""What an allowed host name may lead to. Loopback and link-local (where clouds keep credentials) take an address."""
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?")
_PORT = re.compile(r"(?P<rest>.+):(?P<port>\d{1,5}|\*)")


def is_public(address: Address) -> bool:
    """Whether an address is on the public Internet and nothing else."""
    if address.version == 6 and (address not in PUBLIC_V6 or getattr(address, "scope_id", None)):
        return False
    return not any(address.version == network.version and address in network for network in DENIED)


@dataclass(frozen=True)
class Allowance:
    """One entry of the operator's list: a network, an address or a host name, and the port that it opens."""

    network: Network | None
    host: str
    port: int | None
    """None: the usual ports."""
    any_port: bool = False

    @classmethod
    def parse(cls, text: str, setting: str = "ALMA_OUTBOUND_ALLOW") -> "Allowance":
        """`10.1.0.0/16`, `hooks.example.lan`, `127.0.0.1:9000`, `[fd00::/8]:*`. Raises ImproperlyConfigured."""
        rest, port = _split_port(text.strip().lower())
        try:
            network: Network | None = ip_network(rest.strip("[]"))
        except ValueError:
            network = None
        if network is None and (not _HOST.fullmatch(rest) or "/" in rest or rest.replace(".", "").isdigit()):
            raise ImproperlyConfigured(f"{setting}: {text!r} is no network, no address and no host name.")
        number = int(port) if port.isdigit() else None
        if number is not None and not 0 < number < 65536:
            raise ImproperlyConfigured(f"{setting}: {text!r} names no port between 1 and 65535.")
        return cls(network, "" if network else rest, number, port == "*")

    def covers(self, host: str, address: Address) -> bool:
        """Whether this address of this host is meant."""
        if self.network is not None:
            return address.version == self.network.version and address in self.network
        return host == self.host and any(address.version == net.version and address in net for net in PRIVATE)

    def opens(self, port: int) -> bool:
        """Whether this port is meant; an entry without one adds none to the usual ports."""
        return self.any_port or port == self.port or (self.port is None and port in settings.ALMA_OUTBOUND_PORTS)


def _split_port(text: str) -> tuple[str, str]:
    """An IPv6 address carries a port only in brackets."""
    match = _PORT.fullmatch(text)
    if match is None or (match["rest"].count(":") and not match["rest"].endswith("]")):
        return text, ""
    return match["rest"], match["port"]


@lru_cache(maxsize=4)
def _parsed(entries: tuple[str, ...]) -> tuple[Allowance, ...]:
    return tuple(Allowance.parse(entry) for entry in entries)


def allowances() -> tuple[Allowance, ...]:
    """The operator's list. Raises ImproperlyConfigured for an entry that cannot be read."""
    return _parsed(tuple(settings.ALMA_OUTBOUND_ALLOW))


def may_connect(host: str, address: str, port: int) -> bool:
    """Whether a connection for this host may be made to this address and port."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if is_public(found) and port in settings.ALMA_OUTBOUND_PORTS:
        return True
    return any(entry.covers(host, found) and entry.opens(port) for entry in allowances())


def may_name(host: str, port: int) -> bool:
    """Whether a port could be used with some address of this host; asked before the name is looked up."""
    return port in settings.ALMA_OUTBOUND_PORTS or any(
        entry.opens(port) for entry in allowances() if entry.network is not None or entry.host == host
    )


def all_may_be_connected(host: str, addresses: Sequence[str], port: int) -> bool:
    """Whether there is an address and none is forbidden: a name with one good and one bad answer is refused."""
    return bool(addresses) and all(may_connect(host, address, port) for address in addresses)
