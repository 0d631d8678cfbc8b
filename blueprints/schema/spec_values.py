"""The kinds of values that specs hold: what is accepted, how it is read, how JSON schema shows it."""

import base64
import binascii
import re
from collections.abc import Callable
from functools import partial
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface, ip_network
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, JsonValue, StringConstraints, WithJsonSchema

from blueprints.schema import sizes

_SIZE_SCHEMA = {"type": "string", "pattern": sizes.PATTERN, "examples": ["8GB", "8192 MB", "0.5TB"]}
_KEY_TYPES = (
    "ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-ssh-ed25519@openssh.com|sk-ecdsa-sha2-nistp256@openssh.com"
)
_SSH_KEY = re.compile(rf"(?:{_KEY_TYPES}) (?P<body>[A-Za-z0-9+/]+={{0,2}})(?: [^\n\r]{{0,200}})?", re.ASCII)
_MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", re.ASCII | re.IGNORECASE)
_TAG = re.compile(r"[a-z0-9_][a-z0-9_.+-]{0,62}", re.ASCII | re.IGNORECASE)


def _listed(value: object) -> object:
    """One value may stand for a list of one."""
    return [value] if isinstance(value, str | int) and not isinstance(value, bool) else value


def _address(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value.lower() == "dhcp":
        return "dhcp"
    try:
        interface = ip_interface(value)
    except ValueError as error:
        raise ValueError(f'"{value[:60]}" is not an IP address; write 10.0.0.5, 10.0.0.5/24 or dhcp') from error
    return _plain_or_prefixed(value, interface)


def _plain_or_prefixed(value: str, interface: IPv4Interface | IPv6Interface) -> str:
    if interface.ip.is_multicast or interface.ip.is_unspecified:
        raise ValueError(f'"{value}" is not an address of a machine')
    return str(interface) if "/" in value else str(interface.ip)


def _host(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return str(ip_address(value))
    except ValueError as error:
        raise ValueError(f'"{value[:60]}" is not an IP address') from error


def _subnet(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        network = ip_network(value)
    except ValueError as error:
        raise ValueError(f'"{value[:60]}" is not a subnet; write for example 10.0.10.0/24 ({error})') from error
    if network.prefixlen == network.max_prefixlen:
        raise ValueError(f'"{value}" is a single address, not a subnet; write for example 10.0.10.0/24')
    return str(network)


def _ssh_key(value: object) -> object:
    if not isinstance(value, str):
        return value
    if "PRIVATE KEY" in value:
        raise ValueError("is a private key; give the public one (the .pub file) and replace this key pair")
    match = _SSH_KEY.fullmatch(value.strip())
    if match is None or not _is_base64(match["body"]):
        raise ValueError('is not an OpenSSH public key; it begins with "ssh-ed25519" or "ssh-rsa"')
    return value.strip()


def _is_base64(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) >= 32
    except binascii.Error:
        return False


def _matching(value: object, *, pattern: re.Pattern[str], message: str) -> object:
    if isinstance(value, str) and pattern.fullmatch(value) is None:
        raise ValueError(message)
    return value


def _within(least: int, most: int, noun: str) -> Callable[[Any], int]:
    return partial(sizes.bounded_size, least=least, most=most, noun=noun)


Memory = Annotated[
    int, BeforeValidator(_within(16 * sizes.MIB, 64 * sizes.TIB, "memory")), WithJsonSchema(dict(_SIZE_SCHEMA))
]
Disk = Annotated[
    int, BeforeValidator(_within(64 * sizes.MIB, 1024 * sizes.TIB, "a disk")), WithJsonSchema(dict(_SIZE_SCHEMA))
]
Swap = Annotated[int, BeforeValidator(_within(0, sizes.TIB, "swap")), WithJsonSchema(dict(_SIZE_SCHEMA))]
Cores = Annotated[int, Field(ge=1, le=1024)]
Count = Annotated[int, Field(ge=1, le=500)]
Port = Annotated[int, Field(ge=1, le=65535)]
Vlan = Annotated[int, Field(ge=1, le=4094)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
Slug = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$")]
UnixName = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")]
Address = Annotated[str, BeforeValidator(_address)]
Host = Annotated[str, BeforeValidator(_host)]
Subnet = Annotated[str, BeforeValidator(_subnet)]
SshKey = Annotated[str, BeforeValidator(_ssh_key)]
Mac = Annotated[
    str,
    BeforeValidator(
        partial(_matching, pattern=_MAC, message="is not a MAC address; write for example BC:24:11:00:00:01")
    ),
]
Tag = Annotated[
    str,
    BeforeValidator(
        partial(_matching, pattern=_TAG, message="is not a tag; use letters, digits and _ - + . and no spaces")
    ),
]
Words = Annotated[list[Word], BeforeValidator(_listed, json_schema_input_type=Word | list[Word]), Field(max_length=100)]
Addresses = Annotated[
    list[Address],
    BeforeValidator(_listed, json_schema_input_type=Address | list[Address]),
    Field(min_length=1, max_length=500),
]
Hosts = Annotated[list[Host], BeforeValidator(_listed, json_schema_input_type=Host | list[Host]), Field(max_length=8)]
Ports = Annotated[list[Port], BeforeValidator(_listed, json_schema_input_type=Port | list[Port]), Field(max_length=100)]
SshKeys = Annotated[
    list[SshKey], BeforeValidator(_listed, json_schema_input_type=SshKey | list[SshKey]), Field(max_length=50)
]
Tags = Annotated[list[Tag], BeforeValidator(_listed, json_schema_input_type=Tag | list[Tag]), Field(max_length=50)]
Texts = Annotated[dict[Word, Word], Field(max_length=100)]
FreeForm = Annotated[dict[str, JsonValue], Field(max_length=100)]
