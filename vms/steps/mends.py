"""What settings of a guest have to become for a rule of security to hold, by name: pure functions of its config."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from vms.proxmox.readings import GuestReading
from vms.proxmox.values import join_properties, parse_properties

WIDE_FEATURES = ("fuse", "keyctl", "mknod", "mount", "nesting")
"""Features of a container that reach into the kernel of its host."""
_CARD = re.compile(r"net\d+")
_DISK = re.compile(r"(?:ide|scsi|virtio|sata)\d+")
_ON = frozenset({"1", "on", "yes", "true"})
_SECRET = frozenset({"cipassword"})
Wanted = dict[str, Any]
"""Options by name; None for one that shall go."""


def protection(now: GuestReading) -> Wanted:
    """Neither the guest nor its disks can be removed before it is taken off again."""
    return {} if str(now.config.get("protection", 0)).lower() in _ON else {"protection": 1}


def agent(now: GuestReading) -> Wanted:
    """The guest agent is asked; that it runs within the guest nobody can see to from outside."""
    parts = parse_properties(str(now.config.get("agent", "0")))
    if (parts.get("enabled") or parts.get("", "0")).lower() in _ON:
        return {}
    kept = {name: value for name, value in parts.items() if name not in {"", "enabled"}}
    return {"agent": join_properties({"enabled": "1", **kept})}


def no_password(now: GuestReading) -> Wanted:
    """Cloud-init sets no password at its next start; what the account has within the guest stays."""
    return {"cipassword": None} if now.config.get("cipassword") else {}


def guarded_cards(now: GuestReading) -> Wanted:
    """Each card goes through the firewall."""
    parts = {name: parse_properties(str(text)) for name, text in now.config.items() if _CARD.fullmatch(name)}
    bare = {name: card for name, card in parts.items() if card.get("firewall", "0").lower() not in _ON}
    return {name: join_properties({**card, "firewall": "1"}) for name, card in sorted(bare.items())}


def plain_features(now: GuestReading) -> Wanted:
    """A container without features that reach into the kernel."""
    parts = parse_properties(str(now.config.get("features", "")))
    left = {name: value for name, value in parts.items() if name and not _is_wide(name, value)}
    if not any(_is_wide(name, value) for name, value in parts.items()):
        return {}
    return {"features": join_properties(left) if left else None}


def _is_wide(name: str, value: str) -> bool:
    return name in WIDE_FEATURES and value not in {"", "0"}


def safe_cache(now: GuestReading) -> Wanted:
    """Each disk heeds the flushes of its guest; the cache becomes what Proxmox has by default."""
    disks = {name: parse_properties(str(text)) for name, text in now.config.items() if _DISK.fullmatch(name)}
    unsafe = {name: parts for name, parts in sorted(disks.items()) if parts.get("cache") == "unsafe"}
    return {name: join_properties({k: v for k, v in parts.items() if k != "cache"}) for name, parts in unsafe.items()}


MENDS: Mapping[str, Callable[[GuestReading], Wanted]] = {
    mend.__name__: mend for mend in (protection, agent, no_password, guarded_cards, plain_features, safe_cache)
}


def wanted(now: GuestReading, names: Iterable[str]) -> Wanted:
    """The options that differ from what these mends ask for."""
    return {option: value for name in names for option, value in MENDS[name](now).items()}


def values(options: Wanted) -> dict[str, Any]:
    """The same as one request to change the config."""
    gone = sorted(name for name, value in options.items() if value is None)
    return {name: value for name, value in options.items() if value is not None} | (
        {"delete": ",".join(gone)} if gone else {}
    )


def shown(now: GuestReading, option: str) -> str | None:
    """What an option is now, for people; of a secret only that there is one."""
    value = now.config.get(option)
    if value is None:
        return None
    return "set" if option in _SECRET else str(value)
