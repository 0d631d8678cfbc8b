"""Archives of guests on the storages of a cluster, what they hold, and the jobs that make them by the calendar."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from alma.jobs.kinds import Unknown
from vms.models import MARKER
from vms.proxmox.answers import clean, rows, text, whole
from vms.proxmox.client import Api
from vms.proxmox.guests import marker_of

MOST_ARCHIVES = 20_000
"""On one storage; of more nothing is concluded."""
PBS = "pbs"
"""The plugin of a Proxmox Backup Server, which compresses, deduplicates and encrypts by itself."""
_KINDS = {"qemu": "vm", "lxc": "lxc", "vm": "vm", "ct": "lxc"}
_NAME = re.compile(r"[^:]+:backup/(?:vzdump-(qemu|lxc)-\d+-|(vm|ct)/\d+/)")
_COMPRESSIONS = {"gz": "gzip", "lzo": "lzo", "zst": "zstd", "vma": "none", "tar": "none"}
_MARK = re.compile(rf"(?:^|\s){MARKER}([0-9a-f-]{{36}})(?: #(\d{{1,18}}))?\s*\Z")
_LATEST = 32_503_680_000


@dataclass(frozen=True, kw_only=True)
class ArchiveReading:
    """An archive as its storage lists it. `claim` and `number` are what our mark at the end of its notes says: the ledger row
    of its machine, and the number of our backup; empty and None in those that others made."""

    volume: str
    storage: str
    vmid: int
    kind: str
    size_bytes: int
    taken_at: datetime
    compression: str
    notes: str
    is_encrypted: bool
    is_protected: bool
    claim: str = ""
    number: int | None = None

    def as_json(self) -> dict[str, Any]:
        """For the evidence of a step."""
        return {**vars(self), "taken_at": self.taken_at.isoformat()}


def read(api: Api, node: str, storage: str, *, vmid: int | None = None) -> list[ArchiveReading]:
    """The archives on a storage as a node sees it, the newest first. Raises Unknown, Refusal."""
    found = rows(api.get("nodes", node, "storage", storage, "content", content="backup", vmid=vmid), "backups")
    if len(found) > MOST_ARCHIVES:
        raise Unknown(f"{storage} holds more than {MOST_ARCHIVES} backups.")
    readings = [_archive(row, storage) for row in found if _NAME.match(text(row, "volid"))]
    return sorted(readings, key=lambda one: (one.taken_at, one.volume), reverse=True)


def _archive(row: dict[str, Any], storage: str) -> ArchiveReading:
    volume = text(row, "volid")
    match = _NAME.match(volume)
    notes, claim, number = unsigned(text(row, "notes"))
    return ArchiveReading(
        volume=volume[:300], storage=storage, vmid=whole(row, "vmid"), size_bytes=whole(row, "size"), notes=notes,
        kind=_KINDS[(match and (match[1] or match[2])) or "qemu"],
        taken_at=datetime.fromtimestamp(min(whole(row, "ctime"), _LATEST), UTC),
        compression=_COMPRESSIONS.get(text(row, "format").rpartition(".")[2], "zstd"),
        is_encrypted=bool(row.get("encrypted")), is_protected=bool(whole(row, "protected")), claim=claim, number=number,
    )  # fmt: skip


def signed(words: str, marker: str, number: int | None = None) -> str:
    """A template of notes that ends with our mark; what Proxmox would take for one of its variables is taken apart."""
    plain = clean(words, 700).replace("\\", "\\\\").replace("{{", "{ {")
    mark = marker if number is None else f"{marker} #{number}"
    return f"{plain}\\n{mark}" if plain else mark


def unsigned(notes: str) -> tuple[str, str, int | None]:
    """Notes without our mark, the ledger row that it names, and the number of the backup."""
    match = _MARK.search(notes)
    if match is None:
        return clean(notes, 1000), "", None
    return clean(notes[: match.start()], 1000), match[1], int(match[2]) if match[2] else None


@dataclass(frozen=True, kw_only=True)
class ArchivedConfig:
    """The configuration of the guest that an archive holds."""

    options: Mapping[str, str]
    description: str

    @property
    def marker(self) -> str:
        """The mark that the guest carried, or nothing."""
        return marker_of(self.description)

    @property
    def cards(self) -> dict[str, str]:
        """Its network cards by their place."""
        return {name: value for name, value in self.options.items() if re.fullmatch(r"net\d+", name)}


def read_config(api: Api, node: str, volume: str) -> ArchivedConfig:
    """What an archive holds, without unpacking it. Raises Unknown, Refusal."""
    said = api.get("nodes", node, "vzdump", "extractconfig", volume=volume)
    if not isinstance(said, str):
        raise Unknown(f"{volume}: a configuration was expected, not {type(said).__name__}.")
    return parse_config(said)


def parse_config(said: str) -> ArchivedConfig:
    """The text of a configuration: lines of words, then options; what stands in sections is of snapshots."""
    words: list[str] = []
    options: dict[str, str] = {}
    for line in said.splitlines():
        if line.startswith("["):
            break
        name, colon, value = line.partition(":")
        if line.startswith("#"):
            words += [] if line.startswith("#qmdump#") else [unquote(line[1:])]
        elif colon:
            options[name.strip()] = value.strip()
    given = unquote(options.pop("description", ""))
    return ArchivedConfig(options=options, description=given or "\n".join(words))


def encrypting(api: Api) -> dict[str, bool]:
    """By the name of each storage whether what is backed up there is encrypted. Raises Unknown, Refusal."""
    found = rows(api.get("storage"), "storages")
    return {text(row, "storage"): row.get("type") == PBS and bool(row.get("encryption-key")) for row in found}


@dataclass(frozen=True, kw_only=True)
class ScheduledJob:
    """A backup job of the cluster. `claim` is the ledger row that our mark in its comment names, empty in those of others."""

    id: str
    schedule: str
    storage: str
    vmids: tuple[str, ...]
    is_enabled: bool
    claim: str
    next_run: datetime | None
    options: Mapping[str, Any]


def jobs(api: Api) -> list[ScheduledJob]:
    """All backup jobs. Raises Unknown, Refusal."""
    return [_job(row) for row in rows(api.get("cluster", "backup"), "backup jobs")]


def _job(row: dict[str, Any]) -> ScheduledJob:
    due = whole(row, "next-run")
    return ScheduledJob(
        id=text(row, "id"), schedule=clean(text(row, "schedule"), 128), storage=text(row, "storage"),
        vmids=tuple(part for part in text(row, "vmid").split(",") if part), is_enabled=bool(whole(row, "enabled", 1)),
        claim=unsigned(text(row, "comment"))[1], options=row,
        next_run=datetime.fromtimestamp(min(due, _LATEST), UTC) if due else None,
    )  # fmt: skip
