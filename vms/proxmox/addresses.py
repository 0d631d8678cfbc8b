"""Where a cluster may lie: on the public Internet, on private networks that the operator lists, and nowhere near ourselves.

The list is the operator's alone and another one than that of webhooks. Loopback, link-local addresses and those at which
clouds hand out credentials are refused whatever it says; only the built-in sandbox is on loopback.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from django.conf import settings

from alma.outbound import Allowance, Unreached, is_public, look_up

Address = IPv4Address | IPv6Address
METADATA = frozenset(map(ip_address, ("100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")))
"""Where clouds hand out credentials outside the link-local range."""
_NO_CLUSTER = ("is_link_local", "is_multicast", "is_unspecified")


class AddressRefused(OSError):
    """The host leads where no cluster may be called. Its text is a sentence for people."""


@lru_cache(maxsize=4)
def _parsed(entries: tuple[str, ...]) -> tuple[Allowance, ...]:
    return tuple(Allowance.parse(entry, "ALMA_CLUSTER_ALLOW") for entry in entries)


def allowances() -> tuple[Allowance, ...]:
    """The operator's list. Raises ImproperlyConfigured for an entry that cannot be read."""
    return _parsed(tuple(settings.ALMA_CLUSTER_ALLOW))


def refusal_of(host: str, text: str, *, is_sandbox: bool = False) -> str:
    """Why a cluster at this address is not called, in a sentence; nothing when it may be."""
    address = ip_address(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_loopback:
        return "" if is_sandbox else "Only the built-in sandbox may be on this machine itself."
    if address in METADATA or any(getattr(address, name) for name in _NO_CLUSTER):
        return f"{address} is no address of a cluster."
    if is_public(address) or any(entry.covers(host.lower(), address) for entry in allowances()):
        return ""
    return f"{address} is not public; an operator of this ALMA would have to list it in ALMA_CLUSTER_ALLOW."


def resolve(host: str, port: int, seconds: float, *, is_sandbox: bool = False) -> list[str]:
    """The addresses of a host, looked up once. Raises AddressRefused when any of them is refused or there is none."""
    addresses = [host] if is_address(host) else _look_up(host, port, seconds)
    refusals = filter(None, (refusal_of(host, address, is_sandbox=is_sandbox) for address in addresses))
    for refusal in refusals:
        raise AddressRefused(refusal)
    return addresses


def is_address(host: str) -> bool:
    """Whether this is an address in its usual spelling, and no name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _look_up(host: str, port: int, seconds: float) -> list[str]:
    try:
        found = [address.partition("%")[0] for address in look_up(host, port, seconds)]
    except Unreached as error:
        raise AddressRefused(f"{host[:80]} was not found in time.") from error
    if not found:
        raise AddressRefused(f"{host[:80]} has no address.")
    return found
