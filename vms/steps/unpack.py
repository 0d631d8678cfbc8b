"""Bringing a guest back from a backup: in its own place, or as a new one."""

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from alma.jobs.kinds import StepFailed
from vms.models import MARKER, GuestClaim
from vms.proxmox import backups
from vms.proxmox.answers import mapping, rows, text
from vms.proxmox.backups import ArchivedConfig
from vms.proxmox.paths import seg, storage_id
from vms.proxmox.readings import GuestReading
from vms.proxmox.tasks import TaskReading
from vms.proxmox.values import dns_name, join_tags, parse_properties, parse_tags
from vms.steps import payloads
from vms.steps.backups import find, prove
from vms.steps.base import GuestStep
from vms.steps.create import CreateGuest
from vms.steps.power import DONE
from vms.steps.work import Work

OLDEST = 8
"""The first Proxmox VE that takes a description and cards with a restore: without, a new guest could not be told apart."""
_HARDWARE = re.compile(r"(hostpci|usb|serial|parallel|virtiofs)\d+|args|hookscript")
_MODELS = ("virtio", "e1000", "e1000e", "rtl8139", "vmxnet3")


class UnpackOver(GuestStep):
    """Put a guest back to a backup of it, in its own place: disks and snapshots that it has now are lost.

    Parameters beside the common ones: `archive_storage`, `volume`. The guest is stopped, and stays so.
    """

    deadline = 24 * 3600.0

    def turn(self, work: Work) -> None:
        """Observe, then begin or end. What was done twice is the same."""
        claim = work.own_claim()
        task = work.follow()
        reading = work.ours(claim)
        if task is not None and task.outcome in DONE and work.journal.get("intent") == "unpack":
            work.succeed(claim, reading, task, volume=work.params["volume"])
            return
        work.refuse_failed(task)
        if reading.status == "running":
            raise StepFailed("GUEST_RUNNING", f"VMID {claim.vmid} runs; a running guest is not overwritten.")
        self._adopt(work, reading)
        self._unpack(work, claim, reading)

    def _adopt(self, work: Work, reading: GuestReading) -> None:
        """A restore of ours that runs although its id was lost. Raises Wait."""
        if work.journal.get("intent") != "unpack":
            return
        kind = "qmrestore" if reading.kind == "vm" else "vzrestore"
        here = ("nodes", reading.node, "tasks")
        for row in rows(work.api.get(*here, vmid=reading.vmid, typefilter=kind, source="active"), "tasks"):
            if not row.get("endtime"):
                work.begun(text(row, "upid"))
                work.follow()

    def _unpack(self, work: Work, claim: GuestClaim, reading: GuestReading) -> None:
        config = archived(work, claim, node=reading.node)
        values = {"description": described(claim, config), **_archive(work, reading.kind, config), "force": True}
        here = ("nodes", reading.node, "qemu" if reading.kind == "vm" else "lxc")
        work.submit(claim, lambda: work.api.post(*here, vmid=claim.vmid, **values), intent="unpack")


class UnpackNew(CreateGuest):
    """Make a new guest from a backup, with addresses of its own.

    Parameters beside the common ones: `name`, `archive_storage`, `volume`, `source` (the ledger row whose machine the backup
    holds), `storage` for its disks or empty for where they were, `pool`, `tags`, and `is_isolated`: all network cards are cut
    off, and nothing starts it with its node.
    """

    deadline = 24 * 3600.0

    def request(self, work: Work, claim: GuestClaim) -> payloads.Call:
        """The restore, with our mark in it from the first moment."""
        version = text(mapping(work.api.get("version"), "version"), "version")
        if int(version.partition(".")[0] or 0) < OLDEST:
            raise StepFailed(
                "PROXMOX_TOO_OLD", f"A new guest from a backup takes Proxmox VE {OLDEST}; this is {version}."
            )
        params = work.params
        source = GuestClaim.objects.get(pk=params["source"])
        config = archived(work, source, node=params["node"])
        values: dict[str, Any] = {
            "vmid": claim.vmid, "description": described(claim, config), "unique": True, "onboot": False,
            "tags": _tags(config, params["tags"]), "pool": seg(params["pool"]) if params["pool"] else None,
            "name" if params["kind"] == "vm" else "hostname": dns_name(params["name"]),
            **_archive(work, params["kind"], config, params["storage"]),
        }  # fmt: skip
        if params["is_isolated"]:
            _check_harmless(config)
            values |= {"protection": False, **dict(cut_off(config, claim))}
        return ("nodes", params["node"], "qemu" if params["kind"] == "vm" else "lxc"), values

    def adopt(self, work: Work, claim: GuestClaim, reading: GuestReading, task: TaskReading | None) -> None:
        """A guest of a test is not let near any network."""
        if work.params["is_isolated"] and not is_cut_off(reading):
            raise StepFailed(
                "NOT_ISOLATED", f"VMID {claim.vmid} was restored with a card that is plugged in; it is not started."
            )
        super().adopt(work, claim, reading, task)


def archived(work: Work, claim: GuestClaim, *, node: str) -> ArchivedConfig:
    """What the backup of a step holds, seen to be the machine of a ledger row. Raises StepFailed."""
    found = find(work, node)
    if found is None:
        raise StepFailed(
            "BACKUP_MISSING", f"{work.params['volume']} is not on {work.params['archive_storage']} any more."
        )
    return prove(work, claim, found, node) or backups.read_config(work.api, node, found.volume)


def described(claim: GuestClaim, config: ArchivedConfig) -> str:
    """The words for people that were backed up, below the mark of the guest that is to be."""
    first, _, rest = config.description.partition("\n")
    return payloads.marked(claim.marker, rest if first.startswith(MARKER) else config.description)


def _archive(work: Work, kind: str, config: ArchivedConfig, storage: str = "") -> dict[str, Any]:
    """Where it comes from and goes to; a container goes to `local` unless it is told where its disk was."""
    if kind == "vm":
        return {"archive": work.params["volume"], "storage": storage_id(storage) if storage else None}
    where = storage or config.options.get("rootfs", "").partition(":")[0]
    return {"ostemplate": work.params["volume"], "restore": True, "storage": storage_id(where) if where else None}


def _tags(config: ArchivedConfig, more: list[str]) -> str:
    return join_tags([payloads.OWN_TAG, *parse_tags(config.options.get("tags", "")), *more])


def _check_harmless(config: ArchivedConfig) -> None:
    """A copy must not reach for what the machine itself uses. Raises StepFailed."""
    reaching = sorted(
        name for name, value in config.options.items() if _HARDWARE.fullmatch(name) and value != "socket" or value.startswith("/dev/")
    )  # fmt: skip
    if reaching:
        raise StepFailed(
            "TEST_NOT_POSSIBLE",
            f"The machine uses what a copy must not reach for ({', '.join(reaching)}), so it is not tested.",
        )


def cut_off(config: ArchivedConfig, claim: GuestClaim) -> Iterator[tuple[str, str]]:
    """Its cards with the cable pulled, and with addresses that are nobody else's."""
    for number, (name, value) in enumerate(sorted(config.cards.items())):
        parts = parse_properties(value)
        model = next((one for one in _MODELS if one in parts), "")
        kept = {
            key: part
            for key, part in parts.items()
            if key not in {"", "link_down", "hwaddr", "macaddr", "model", *_MODELS}
        }
        mac = f"02:{hashlib.sha256(claim.pk.bytes).hexdigest()[:6]}{number:04x}"
        address = ":".join([mac[:2], *re.findall("..", mac[3:])])
        first = {model or parts.get("model", "virtio"): address} if "name" not in parts else {"hwaddr": address}
        yield name, ",".join(f"{key}={part}" for key, part in {**first, **kept, "link_down": "1"}.items())


def is_cut_off(reading: GuestReading) -> bool:
    """Whether the cable of each card is pulled."""
    cards = [str(value) for name, value in reading.config.items() if re.fullmatch(r"net\d+", name)]
    return all(parse_properties(card).get("link_down") == "1" for card in cards)
