"""Proxmox's ways of writing sizes, property strings and tags; built from typed parts, never from loose text."""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterable
from decimal import Decimal
from urllib.parse import quote, unquote

from alma.jobs.kinds import Unknown
from vms.proxmox.paths import UnsafeValue

MIB = 1024**2
GIB = 1024**3
EXTENT = 4 * MIB
"""Bytes by which a volume may be larger than asked for: volume groups round up to whole extents."""
_UNITS = {"": 1, "K": 1024, "M": MIB, "G": GIB, "T": 1024**4}
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)([KMGT]?)", re.ASCII)
_PART = re.compile(r"[^,\s\x00-\x1f\x7f]*")
_KEY_TYPE = re.compile(
    r"(ssh-(?:ed25519|rsa|dss)|ecdsa-sha2-nistp(?:256|384|521)|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com)"
)
_TAG = re.compile(r"[^a-z0-9_+.-]+")


def mib(size: int) -> int:
    """Whole MiB that hold a number of bytes; what Proxmox is asked for."""
    return -(-size // MIB)


def round_up(size: int) -> int:
    """Bytes as Proxmox will have them."""
    return mib(size) * MIB


def gib_text(size: int) -> str:
    """A size as new volumes are asked for: GiB as a decimal number, exact to the MiB."""
    return f"{Decimal(mib(size)) / 1024:f}"


def parse_size(text: str) -> int:
    """Bytes of a size as configs show it: `32G`, `528K`, `8.5G`. Raises Unknown."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise Unknown(f"{text[:40]!r} is no size.")
    return int(Decimal(match[1]) * _UNITS[match[2]])


def parse_properties(text: str) -> dict[str, str]:
    """`local:x,size=32G` as {"": "local:x", "size": "32G"}: the part without a name has the empty one."""
    found: dict[str, str] = {}
    for part in text.split(","):
        name, sign, value = part.partition("=")
        found.setdefault(name.strip() if sign else "", value.strip() if sign else part.strip())
    return found


def properties(first: str = "", /, **parts: object) -> str:
    """A property string from its parts; None is left out. Raises UnsafeValue for a part that would break out."""
    words = [_safe(first)] if first else []
    words += [f"{name}={_safe(str(value))}" for name, value in parts.items() if value is not None]
    return ",".join(words)


def address_properties(address: str, gateway: str | None) -> dict[str, str | None]:
    """How a card names its address and its way out: `ip` and `gw`, or `ip6` and `gw6`; an address that is given to it needs no way."""
    suffix = "6" if ":" in address else ""
    return {f"ip{suffix}": address, f"gw{suffix}": None if address in ("dhcp", "auto") else gateway or None}


def join_properties(values: dict[str, str]) -> str:
    """The reverse of parse_properties."""
    return ",".join(f"{name}={_safe(value)}" if name else _safe(value) for name, value in values.items())


def _safe(part: str) -> str:
    if not _PART.fullmatch(part):
        raise UnsafeValue(f"{part[:60]!r} cannot stand in a Proxmox option.")
    return part


def parse_tags(text: str) -> tuple[str, ...]:
    """Tags one by one, sorted."""
    return tuple(sorted({tag for tag in re.split(r"[;,\s]+", text.lower()) if tag}))


def join_tags(tags: Iterable[str]) -> str:
    """Tags as Proxmox keeps them: lower case, unique, sorted, other signs made `-`."""
    clean = {_TAG.sub("-", tag.lower()).strip("-+.") for tag in tags}
    return ";".join(sorted(tag for tag in clean if tag))


def dns_name(text: str) -> str:
    """A name that Proxmox takes for a guest."""
    parts = [re.sub(r"[^a-z0-9-]+", "-", part).strip("-")[:63] for part in text.lower().split(".")]
    return ".".join(part for part in parts if part)[:200].strip("-.") or "guest"


def encode_keys(keys: Iterable[str]) -> str:
    """SSH keys as the cloud-init option wants them: URL-encoded lines."""
    return quote("\n".join(key.strip() for key in keys if key.strip()), safe="")


def is_public_key(line: str) -> bool:
    """Whether a line is a public key as OpenSSH writes it, which Proxmox would take: a type, and a body that names the same."""
    kind, _, rest = line.strip().partition(" ")
    if not _KEY_TYPE.fullmatch(kind):
        return False
    try:
        body = b64decode(rest.strip().partition(" ")[0], validate=True)
    except (binascii.Error, ValueError):
        return False
    name = kind.encode()
    return len(body) > 4 + len(name) and body.startswith(len(name).to_bytes(4) + name)


def decode_keys(text: str) -> tuple[str, ...]:
    """SSH keys of a config."""
    return tuple(line.strip() for line in unquote(text).splitlines() if line.strip())
