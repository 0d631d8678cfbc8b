"""Backup archives: their names, what they hold, how they are told and which of them a retention keeps."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from urllib.parse import quote

from vms.sandbox.core import drives, validation
from vms.sandbox.core.kinds import KINDS, QEMU, kind_of
from vms.sandbox.core.model import Guest, Json, Storage, Volume
from vms.sandbox.core.parameters import Shape, boolean, integer
from vms.sandbox.core.sizes import KIB
from vms.sandbox.core.world import World

SUFFIXES = {"0": "", "1": ".lzo", "lzo": ".lzo", "gzip": ".gz", "zstd": ".zst"}
_SHARES = {"": 1.0, ".lzo": 0.42, ".gz": 0.35, ".zst": 0.33}
_PLAIN = "".join(chr(sign) for sign in range(32, 127) if chr(sign) not in "%:")
"""What a description is written with as it is; all else as %3A and the like."""
_NAME = re.compile(
    r"backup/vzdump-(qemu|lxc)-(\d+)-(\d{4}_\d\d_\d\d-\d\d_\d\d_\d\d)\.((?:vma|tar)(?:\.(?:gz|lzo|zst))?)"
)
_ON_SERVER = re.compile(r"backup/(vm|ct)/(\d+)/(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")
"""How a Proxmox Backup Server names them; it compresses by itself."""
SERVER = "pbs"
KEEPS = ("keep-last", "keep-hourly", "keep-daily", "keep-weekly", "keep-monthly", "keep-yearly")
RETENTION = Shape({"keep-all": boolean(), **dict.fromkeys(KEEPS, integer(0))})
_PERIODS: dict[str, Callable[[datetime], str]] = {
    "keep-hourly": lambda moment: f"{moment:%Y-%m-%d %H}",
    "keep-daily": lambda moment: f"{moment:%Y-%m-%d}",
    "keep-weekly": lambda moment: "{}-{}".format(*moment.isocalendar()[:2]),
    "keep-monthly": lambda moment: f"{moment:%Y-%m}",
    "keep-yearly": lambda moment: f"{moment:%Y}",
}


def is_backup(name: str) -> bool:
    return bool(_NAME.fullmatch(name) or _ON_SERVER.fullmatch(name))


def subtype(volume: Volume) -> str:
    match = _NAME.fullmatch(volume.name) or _ON_SERVER.fullmatch(volume.name)
    return {"vm": "qemu", "ct": "lxc"}.get(match[1], match[1]) if match else ""


def file_name(guest: Guest, moment: float, compress: str, storage: Storage) -> str:
    """`vzdump-qemu-100-2026_11_21-00_15_19.vma.zst`, on a backup server `vm/100/2026-11-21T00:15:19Z`."""
    at = datetime.fromtimestamp(moment, UTC)
    if storage.type == SERVER:
        return f"{'vm' if guest.kind == QEMU.name else 'ct'}/{guest.vmid}/{at:%Y-%m-%dT%H:%M:%SZ}"
    kind = "vma" if guest.kind == QEMU.name else "tar"
    return f"vzdump-{guest.kind}-{guest.vmid}-{at:%Y_%m_%d-%H_%M_%S}.{kind}{SUFFIXES[compress]}"


def creation_line(storage: Storage, name: str) -> str:
    """What the log says when an archive is begun."""
    if storage.type == SERVER:
        return f"creating Proxmox Backup Server archive '{name}'"
    folder = storage.settings.get("path", f"/mnt/pve/{storage.name}")
    return f"creating vzdump archive '{folder}/dump/{name}'"


def format_of(name: str) -> str:
    """`vma.zst`, and on a backup server `pbs-vm`."""
    match = _ON_SERVER.fullmatch(f"backup/{name}")
    return f"{SERVER}-{match[1]}" if match else name.split(".", 1)[1]


def encryption_of(storage: Storage) -> str:
    """The fingerprint of the key with which a backup server is sent everything; empty where nothing is encrypted."""
    return str(storage.settings.get("encryption-key", "")) if storage.type == SERVER else ""


def included(world: World, guest: Guest) -> dict[str, Volume]:
    """The volumes that a backup of the guest holds, by key."""
    return {
        key: volume
        for key, volume in drives.attached(world, guest).items()
        if not kind_of(guest).is_unused(key) and _is_wanted(guest, key)
    }


def _is_wanted(guest: Guest, key: str) -> bool:
    """A machine's disks but those told otherwise; of a container's mounts the root and those asked for."""
    parts = drives.parse(kind_of(guest), key, str(guest.config[key]))
    if guest.kind == QEMU.name:
        return not drives.is_cdrom(parts) and parts.get("backup", "1") == "1"
    return key == "rootfs" or parts.get("backup") == "1"


def contents(guest: Guest, disks: dict[str, Volume]) -> dict[str, Json]:
    """What an archive holds: the configuration, and the images by key."""
    config = {key: value for key, value in guest.config.items() if key not in {"lock", "parent", "vmstate"}}
    return {
        "kind": guest.kind, "vmid": guest.vmid,
        "config": {key: value for key, value in config.items() if not key.startswith("unused")},
        "disks": {
            key: {"size": one.size, "system": one.system, "format": one.format, "storage": one.storage}
            for key, one in disks.items()
        },
    }  # fmt: skip


def size_of(disks: dict[str, Volume], compress: str) -> int:
    """Bytes of the archive: an installed system fills a quarter of its disk, an empty disk is sparse."""
    data = sum(volume.size // 4 if volume.system else 0 for volume in disks.values())
    return int(data * _SHARES[SUFFIXES[compress]]) + 2 * KIB


def config_text(volume: Volume) -> str:
    """The configuration file inside an archive."""
    held = volume.archive
    config, kind = dict(held.get("config", {})), KINDS[held["kind"]]
    words = str(config.pop("description", "")).rstrip().splitlines()
    lines = [f"#{quote(line, safe=_PLAIN)}" for line in words]
    lines += [f"{key}: {config[key]}" for key in sorted(config)]
    if kind is QEMU:
        disks = held["disks"].items()
        lines += [f"#qmdump#map:{key}:drive-{key}:{one['storage']}:{one['format']}:" for key, one in disks]
    return "\n".join(lines) + "\n"


def of_guest(world: World, storage: Storage, node: str, vmid: int = 0) -> list[Volume]:
    """The backups on a storage as a node sees it, newest first."""
    place = "" if storage.is_shared else node
    found = [
        volume for volume in world.state.volumes
        if volume.content == "backup" and volume.storage == storage.name and volume.node == place
        and vmid in {0, volume.vmid}
    ]  # fmt: skip
    return sorted(found, key=lambda volume: (-volume.ctime, volume.name))


def retention(text: str) -> dict[str, int]:
    """The numbers of `keep-last=3,keep-daily=7`; empty keeps everything."""
    parts = validation.parse(text, RETENTION)
    keeps = {name: int(parts[name]) for name in KEEPS if int(parts.get(name, 0)) > 0}
    return {} if parts.get("keep-all") == "1" else keeps


def marks(backups: Iterable[Volume], keeps: dict[str, int]) -> dict[str, str]:
    """`keep`, `remove` or `protected` for each backup by its id; guests and kinds are counted apart."""
    groups: dict[tuple[int, str], list[Volume]] = {}
    for volume in backups:
        groups.setdefault((volume.vmid, subtype(volume)), []).append(volume)
    marked: dict[str, str] = {}
    for group in groups.values():
        marked |= _marks_of_group(sorted(group, key=lambda volume: -volume.ctime), keeps)
    return marked


def _marks_of_group(group: list[Volume], keeps: dict[str, int]) -> dict[str, str]:
    marked = {volume.volid: "protected" for volume in group if volume.is_protected}
    counted = [volume for volume in group if not volume.is_protected]
    if not keeps:
        return marked | {volume.volid: "keep" for volume in counted}
    kept = {volume.volid for volume in counted[: keeps.get("keep-last", 0)]}
    for name, period in _PERIODS.items():
        kept |= _kept_by_period(counted, kept, keeps.get(name, 0), period)
    return marked | {volume.volid: "keep" if volume.volid in kept else "remove" for volume in counted}


def _kept_by_period(backups: list[Volume], kept: set[str], count: int, period: Callable[[datetime], str]) -> set[str]:
    """The newest backup of each of the last periods that no earlier rule has kept one of."""
    moments = {volume.volid: period(datetime.fromtimestamp(volume.ctime, UTC)) for volume in backups}
    covered = {moments[volid] for volid in kept}
    found: dict[str, str] = {}
    for volume in backups:
        moment = moments[volume.volid]
        if moment not in covered and moment not in found and len(found) < count:
            found[moment] = volume.volid
    return set(found.values())
