"""How rules read configurations: switches, disks and cards of guests."""

import re
from collections.abc import Mapping
from typing import Any

from vms.proxmox.values import parse_properties
from vms.scans.facts import GuestFacts, known

_DISK = re.compile(r"(ide|scsi|virtio|sata)\d+|rootfs|mp\d+")
_CARD = re.compile(r"net\d+")
_MAC = re.compile(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}")
Parts = dict[str, str]


def is_on(options: Mapping[str, Any], name: str, default: int = 0) -> bool:
    """A switch of a configuration, which Proxmox leaves out where it has its default."""
    return str(options.get(name, default)).lower() in {"1", "on", "yes", "true"}


def base(facts: GuestFacts) -> str:
    """Where the guest lies in the API."""
    return f"/nodes/{facts.node}/{'lxc' if facts.kind == 'lxc' else 'qemu'}/{facts.vmid}"


def disks(facts: GuestFacts) -> dict[str, Parts]:
    """Disks by their place; drives for media and the seed of cloud-init are none. Raises NotAssessed."""
    found = {name: parse_properties(str(text)) for name, text in known(facts.config).items() if _DISK.fullmatch(name)}
    return {name: parts for name, parts in sorted(found.items()) if _is_disk(parts)}


def _is_disk(parts: Parts) -> bool:
    volume = parts.get("", "") or parts.get("volume", "")
    return parts.get("media") != "cdrom" and "cloudinit" not in volume and volume != "none"


def storage_of(parts: Parts) -> str:
    """The storage that a disk lies on; empty for a device or a folder of the node itself."""
    volume = parts.get("", "") or parts.get("volume", "")
    return "" if volume.startswith("/") else volume.partition(":")[0]


def cards(facts: GuestFacts) -> dict[str, Parts]:
    """Network cards by their place. Raises NotAssessed."""
    config = known(facts.config)
    return {name: parse_properties(str(config[name])) for name in sorted(config) if _CARD.fullmatch(name)}


def mac_of(parts: Parts) -> str:
    """The hardware address of a card, in capitals."""
    return next((value.upper() for value in parts.values() if _MAC.fullmatch(value)), "")
