"""What may stand in a path and which parameters may be sent: checked before a request exists."""

import re
from collections.abc import Mapping
from typing import Any

from alma.jobs.kinds import StepFailed

SEGMENT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,61}[A-Za-z0-9])?", re.ASCII)
STORAGE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?", re.ASCII)
UPID = re.compile(
    r"UPID:(?P<node>[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?):[0-9A-Fa-f]{8}:[0-9A-Fa-f]{8,9}:[0-9A-Fa-f]{8}"
    r":(?P<type>[A-Za-z0-9_-]{1,64}):(?P<id>[A-Za-z0-9@._-]{0,128}):(?P<user>[A-Za-z0-9@!._-]{1,256}):",
    re.ASCII,
)
FORBIDDEN = re.compile(
    r"args|hookscript|(hostpci|usb|serial|parallel)\d*|skiplock|lock|force|keepActive|migratedfrom", re.IGNORECASE
)
"""Options that reach into the host, or past a lock or a check. Nothing that ALMA does needs one."""
ARCHIVE = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}:backup/[A-Za-z0-9_][A-Za-z0-9_.+-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.:+-]*){0,3}", re.ASCII
)  # fmt: skip
"""A backup as storages name it: `nas:backup/vzdump-qemu-100-….vma.zst`, `pbs:backup/vm/100/2026-11-21T00:15:19Z`."""
IMAGE = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}:(?:import|iso|vztmpl)/[A-Za-z0-9_][A-Za-z0-9_.+=-]{0,199}", re.ASCII
)
"""An image as storages name it: `local:import/debian-12.qcow2`."""
_UNDERSCORED = frozenset({"storage", "snapshot"})
"""After these comes a name that may have an underscore."""
_MANY_LINES = frozenset({"description", "ssh-public-keys"})


class UnsafeValue(StepFailed):
    """A value that must not become part of a request."""

    def __init__(self, message: str) -> None:
        super().__init__("UNSAFE_VALUE", message)


def seg(part: str | int) -> str:
    """One path segment: a name, a number or a task id. Raises UnsafeValue."""
    text = str(part)
    if (SEGMENT.fullmatch(text) and ".." not in text) or UPID.fullmatch(text):
        return text
    raise UnsafeValue(f"{text[:80]!r} cannot stand in a Proxmox path.")


def storage_id(part: str) -> str:
    """The name of a storage, or of a snapshot: the names in which Proxmox has an underscore. Raises UnsafeValue."""
    if STORAGE.fullmatch(part) and ".." not in part:
        return part
    raise UnsafeValue(f"{part[:80]!r} is no name of a storage or snapshot.")


def archive_id(part: str) -> str:
    """The name of a backup, which is a path of its own. Raises UnsafeValue."""
    if ARCHIVE.fullmatch(part) and ".." not in part:
        return part
    raise UnsafeValue(f"{part[:80]!r} is no name of a backup.")


def image_id(part: str) -> str:
    """The name of an image. Raises UnsafeValue."""
    if IMAGE.fullmatch(part) and ".." not in part:
        return part
    raise UnsafeValue(f"{part[:80]!r} is no name of an image.")


def segments(path: tuple[str | int, ...], *, is_read: bool = False) -> list[str]:
    """The segments of a path. Of what lies on storages backups are named, and images where they are only read. Raises
    UnsafeValue."""
    before = ("", *path)
    return [_segment(before[at], part, is_read=is_read) for at, part in enumerate(path)]


def _segment(before: str | int, part: str | int, *, is_read: bool) -> str:
    if before == "content":
        return image_id(str(part)) if is_read and IMAGE.fullmatch(str(part)) else archive_id(str(part))
    return storage_id(str(part)) if before in _UNDERSCORED else seg(part)


def task_node(upid: str) -> str:
    """The node that runs a task. Raises UnsafeValue when it is no task id."""
    match = UPID.fullmatch(upid)
    if match is None:
        raise UnsafeValue(f"{upid[:80]!r} is no Proxmox task id.")
    return match["node"]


def parameters(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as Proxmox takes them: no None, 0 and 1 for booleans. Raises UnsafeValue for what is never sent."""
    is_restore = "archive" in values or "restore" in values
    for name in values:
        if name == "force" and is_restore:
            continue  # only a restore overwrites, and only what was read to be ours
        if FORBIDDEN.fullmatch(name):
            raise UnsafeValue(f"The Proxmox option {name} is never sent.")
    return {name: _plain(name, value) for name, value in values.items() if value is not None}


def _plain(name: str, value: Any) -> str | int:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    text = str(value)
    kept = text.replace("\n", "") if name in _MANY_LINES else text
    if not kept.isprintable():
        raise UnsafeValue(f"The value of {name} holds a control character.")
    return text
