"""The named formats of parameters, with the words Proxmox refuses them in."""

import ipaddress
import re
import zoneinfo

from vms.sandbox.core.parameters import Check, FormatError
from vms.sandbox.core.roles import EVERYTHING


def _matching(pattern: str, message: str) -> Check:
    compiled = re.compile(pattern)

    def check(value: str) -> None:
        if not compiled.fullmatch(value):
            raise FormatError(message.format(value))

    return check


_NAME = r"[a-zA-Z0-9](?:[a-zA-Z0-9\-]*[a-zA-Z0-9])?"

vmid = _matching(r"[1-9][0-9]{2,8}", "value does not look like a valid VM ID")
node_name = _matching(_NAME, "value does not look like a valid node name")
dns_name = _matching(rf"(?:(?:{_NAME})\.)*{_NAME}", "value does not look like a valid DNS name")
config_id = _matching(r"[A-Za-z][A-Za-z0-9_\-]+", "invalid configuration ID '{}'")
mac = _matching(
    r"[a-fA-F0-9][02468aceACE](?::[a-fA-F0-9]{2}){5}", "value does not look like a valid unicast MAC address"
)
tag = _matching(r"[A-Za-z0-9_][A-Za-z0-9_\-+.]*", "invalid characters in tag")
mac_prefix = _matching(
    r"[a-fA-F0-9][02468aceACE](?::[a-fA-F0-9]{2}){0,2}(?::?)", "value is not a valid unicast MAC address prefix"
)
bridge = _matching(r"[-_.\w\d]+", "invalid bridge ID '{}'")
pool_id = _matching(r"[A-Za-z0-9_.\-]+(?:/[A-Za-z0-9_.\-]+){0,2}", "value '{}' does not look like a valid pool name")
user_id = _matching(r"[^\s:/]+@[A-Za-z][A-Za-z0-9.\-_]+", "value '{}' does not look like a valid user name")
token_id = _matching(r"[A-Za-z][A-Za-z0-9.\-_]+", "value '{}' does not look like a valid token ID")
group_id = _matching(r"[A-Za-z0-9.\-_]+", "group name '{}' contains invalid characters")
role_id = _matching(r"[A-Za-z0-9.\-_]+", "role name '{}' contains invalid characters")
email = _matching(r"(?:[^\s@]+@[A-Za-z0-9.\-]+)?", "value does not look like a valid email address")
USER_OR_TOKEN = r"[^\s:/]+@[A-Za-z][A-Za-z0-9.\-_]+(?:![A-Za-z][A-Za-z0-9.\-_]+)?"
full_token_id = _matching(
    r"[^\s:/]+@[A-Za-z][A-Za-z0-9.\-_]+![A-Za-z][A-Za-z0-9.\-_]+", "value '{}' does not look like a valid token ID"
)
realm = _matching(r"[A-Za-z][A-Za-z0-9.\-_]+", "value does not look like a valid realm")
disk_size = _matching(r"\d+(?:\.\d+)?[KMGT]?", "value does not look like a valid disk size: {}")
startup = _matching(
    r"(?:(?:order=)?\d+|up=\d+|down=\d+)(?:,(?:order=\d+|up=\d+|down=\d+))*", "unable to parse startup options"
)
urlencoded = _matching(r"[-%a-zA-Z0-9_.!~*'()]*", "invalid urlencoded string: {}")
hotplug_feature = _matching(r"[01]|network|disk|cpu|memory|usb|cloudinit", "unable to parse hotplug option")
volume_id = _matching(r"[a-zA-Z][a-zA-Z0-9\-_.]*[a-zA-Z0-9]:\S+", "unable to parse volume ID '{}'")
boot_legacy = _matching(r"[acdn]{1,4}", "value does not match the regex pattern")


def privilege(value: str) -> None:
    if value not in EVERYTHING:
        raise FormatError(f"invalid privilege '{value}'")


def timezone(value: str) -> None:
    if value not in zoneinfo.available_timezones():
        raise FormatError(f"invalid time zone '{value}'")


def storage_id(value: str) -> None:
    if len(value) < 2:
        raise FormatError(f"storage ID '{value}' cannot be shorter than 2 characters")
    if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9\-_.]*[a-zA-Z0-9]", value):
        raise FormatError(f"storage ID '{value}' contains illegal characters")


ha_resource = _matching(r"[a-z]+:\S+", "value does not look like a valid ha resource id")
ha_resource_or_vm = _matching(r"[a-z]+:\S+|\d+", "value does not look like a valid ha resource id")
ha_node = _matching(rf"{_NAME}(?::\d+)?", "value does not look like a valid ha node")
interface = _matching(r"[a-zA-Z][a-zA-Z0-9_]{1,20}(?:[:.]\d+)?", "invalid network interface name '{}'")


_NETMASKS = {str(ipaddress.IPv4Network(f"0.0.0.0/{length}").netmask) for length in range(8, 33)}


def netmask(value: str) -> None:
    if value not in _NETMASKS:
        raise FormatError("value does not look like a valid IP netmask")


def cidr4(value: str) -> None:
    _network(value, ipaddress.IPv4Interface, "value does not look like a valid IPv4 CIDR network")


def cidr6(value: str) -> None:
    _network(value, ipaddress.IPv6Interface, "value does not look like a valid IPv6 CIDR network")


def cidr(value: str) -> None:
    """A network of either family."""
    kind = ipaddress.IPv6Interface if ":" in value else ipaddress.IPv4Interface
    _network(value, kind, "value does not look like a valid CIDR network")


def subnet_id(value: str) -> None:
    """`10.0.0.0/24`, or the id of a subnet, which names its zone first."""
    cidr(value if "/" in value else "/".join(value.split("-")[1:]))


def vlans(value: str) -> None:
    """A VLAN tag or a range of them."""
    match = re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", value)
    if not match:
        raise FormatError(f"invalid VLAN configuration '{value}'")
    for tag in filter(None, match.groups()):
        if not 2 <= int(tag) <= 4094:
            raise FormatError(f"invalid VLAN tag '{tag}'")
    if match[2] and int(match[1]) >= int(match[2]):
        raise FormatError(f"VLAN range must go from lower to higher tag '{value}'")


def sdn_id(noun: str, *, length: int = 0) -> Check:
    """The name of a zone, vnet, controller and so on."""

    def check(value: str) -> None:
        if not re.fullmatch(
            r"[a-zA-Z][a-zA-Z0-9_-]*[a-zA-Z0-9]" if not length else r"[a-zA-Z][a-zA-Z0-9]*[a-zA-Z0-9]", value
        ):
            raise FormatError(f"{noun} ID '{value}' contains illegal characters")
        if length and len(value) > length:
            raise FormatError(f"{noun} ID '{value}' can't be more length than {length} characters")

    return check


def ipv4(value: str) -> None:
    try:
        ipaddress.IPv4Address(value)
    except ValueError as error:
        raise FormatError("value does not look like a valid IPv4 address") from error


def ipv6(value: str) -> None:
    try:
        ipaddress.IPv6Address(value)
    except ValueError as error:
        raise FormatError("value does not look like a valid IPv6 address") from error


def address(value: str) -> None:
    try:
        ipaddress.ip_address(value)
    except ValueError as error:
        raise FormatError("value does not look like a valid IP address") from error


def ipv4_config(value: str) -> None:
    """`dhcp`, `manual` or an address with its prefix."""
    if value not in {"dhcp", "manual"}:
        _network(value, ipaddress.IPv4Interface, "value does not look like a valid ipv4 network configuration")


def ipv6_config(value: str) -> None:
    if value not in {"auto", "dhcp", "manual"}:
        _network(value, ipaddress.IPv6Interface, "value does not look like a valid ipv6 network configuration")


def _network(value: str, kind: type, message: str) -> None:
    if "/" not in value:
        raise FormatError(message)
    try:
        kind(value)
    except ValueError as error:
        raise FormatError(message) from error


def upid(value: str) -> None:
    if not UPID.fullmatch(value):
        raise FormatError("unable to parse worker upid")


UPID = re.compile(
    rf"UPID:({_NAME}):([0-9A-Fa-f]{{8}}):([0-9A-Fa-f]{{8,9}}):([0-9A-Fa-f]{{8}}):([^:\s/]+):([^:\s/]*):([^:\s/]+):"
)


def address_or_cidr(value: str) -> None:
    """An address or a network of either family."""
    try:
        ipaddress.ip_interface(value)
    except ValueError as error:
        raise FormatError("value does not look like a valid IP address or CIDR network") from error


_ALIAS = re.compile(r"(?:dc/|guest/)?[A-Za-z][A-Za-z0-9\-_]+")


def address_cidr_or_alias(value: str) -> None:
    if not _ALIAS.fullmatch(value):
        address_or_cidr(value)


def addresses(value: str) -> None:
    """What a rule matches: a set, an alias, or addresses, networks and ranges apart by commas."""
    if value.startswith("+") or _ALIAS.fullmatch(value):
        return
    for part in re.split(r"[,;\s]+", value):
        for end in part.split("-", 1):
            address_or_cidr(end)


_PROTOCOLS = {
    "tcp", "udp", "icmp", "igmp", "sctp", "esp", "ah", "gre", "ipv6-icmp", "icmpv6", "udplite", "dccp", "ospf", "vrrp", "all",
    "ipv6", "ipencap", "l2tp", "egp", "ggp", "pup", "hmp", "rdp", "st",
}  # fmt: skip


def protocol(value: str) -> None:
    if value not in _PROTOCOLS and not (value.isdecimal() and int(value) < 256):
        raise FormatError(f"unknown protocol '{value}'")


def ports(value: str) -> None:
    """Ports, names of services and ranges (`80:90`), apart by commas."""
    for part in value.split(","):
        match = re.fullmatch(r"(\d+)(?:[:-](\d+))?|[a-zA-Z][a-zA-Z0-9_.-]*", part.strip())
        if not match:
            raise FormatError(f"invalid port '{part}'")
        limits = [int(number) for number in match.groups() if number]
        for number in limits:
            if number > 65535:
                raise FormatError(f"invalid port '{number}'")
        if limits != sorted(limits):
            low, high = limits
            raise FormatError(f"backwards range '{low}:{high}' not allowed, did you mean '{high}:{low}'?")
