"""Making a backup, and deleting one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from alma.accounts.actors import Actor
from alma.errors import WrongState
from alma.jobs.models import Job
from alma.jobs.services import StepSpec, create_job
from vms.backups.rights import key_of, node_for, savable_claim, usable
from vms.backups.targets import Target, targets
from vms.machines import public_id
from vms.models import Backup, Guest, GuestClaim
from vms.operations.jobs import step
from vms.operations.proposing import Wish as Proposal
from vms.operations.proposing import propose
from vms.operations.reaching import begins_work
from vms.operations.rights import gated_by, refuse_busy
from vms.operations.rights import key_of as key_of_guest
from vms.proxmox import backups as archives
from vms.proxmox.backups import ArchiveReading
from vms.proxmox.client import connect
from vms.refusing import invalid
from vms.services import clear_answers

COMPRESSIONS = {"gzip": "gzip", "lzo": "lzo", "zstd": "zstd", "none": "0"}
"""As vzdump calls them."""
MOST_RUNNING = 20
"""Backups of one cluster that may be waiting or running at the same time."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """How a machine is backed up; without a storage the best one is found."""

    storage: str = ""
    compression: str = "zstd"
    is_encrypted: bool = False
    is_incremental: bool = False
    description: str = ""


@begins_work
def take(guest: Guest, wish: Wish, *, by: Actor) -> tuple[Backup, Job]:
    """Back a machine up, whether it runs or not. Raises Refused, Invalid for what no storage offers, WrongState, Unavailable."""
    claim = savable_claim(guest, by=by)
    target = target_for(guest, wish)
    waiting = Backup.objects.filter(cluster=guest.cluster, state=Backup.State.RUNNING).count()
    if waiting >= MOST_RUNNING:
        raise WrongState(f"{waiting} backups of {guest.cluster.name} are waiting already.", code="TOO_MANY_BACKUPS")
    row = Backup.objects.create(
        organization_id=claim.organization_id, cluster=guest.cluster, guest=guest, claim=claim, vmid=guest.vmid,
        guest_kind=guest.kind, guest_name=guest.name, node=target.node, storage=target.storage,
        compression="zstd" if target.is_server else wish.compression, is_encrypted=target.encrypts,
        is_incremental=target.is_server, description=wish.description, created_by=by.label,
    )  # fmt: skip
    job = _begin(row, guest, claim, wish, target, by=by)
    row.job = job.public_id
    row.save(update_fields=["job"])
    return row, job


def _begin(row: Backup, guest: Guest, claim: GuestClaim, wish: Wish, target: Target, *, by: Actor) -> Job:
    """The job; it changes nothing of the machine, so nobody has to agree to it."""
    asked: dict[str, Any] = {
        "storage": target.storage, "compress": None if target.is_server else COMPRESSIONS[wish.compression],
        "words": wish.description, "number": row.pk,
    }  # fmt: skip
    params = {
        "guest": guest.pk, "vm": public_id(guest), "vmid": claim.vmid, "verb": "backup", "status": "backing_up",
        "backup": row.pk,
    }  # fmt: skip
    try:
        return create_job(
            "backup", [step("backup.take", guest, claim, "Back up", **asked)], organization_id=claim.organization_id,
            exclusive_key=key_of_guest(claim), by=by.label, title=f"Back up {guest.name or claim.key}", params=params,
        )  # fmt: skip
    except WrongState:
        refuse_busy(claim)
        raise


def target_for(guest: Guest, wish: Wish) -> Target:
    """The storage for a backup, by the last reading: a shared one before one of the node alone, then the one with most room.
    Raises Invalid for what is asked and no storage has."""
    known = targets(guest.cluster, guest.node)
    found = [one for one in known if wish.storage in {"", one.storage}]
    if not found:
        names = ", ".join(one.storage for one in known) or "none"
        words = f"no storage that is meant takes backups from {guest.node} (there are: {names})"
        raise invalid("storage", words, wish.storage, reason="no_such_storage")
    if wish.is_encrypted:
        found = _narrowed(found, lambda one: bool(one.encrypts), "encryption", _WHY_PLAIN, True)
    if wish.is_incremental:
        found = _narrowed(found, lambda one: one.is_server, "backup_type", _WHY_WHOLE, "incremental")
    return found[0]


def _narrowed(
    found: list[Target], fits: Callable[[Target], bool], field: str, why_not: str, value: object
) -> list[Target]:  # fmt: skip
    """Those that fit. Raises Invalid when none does."""
    left = [one for one in found if fits(one)]
    if not left:
        raise invalid(field, why_not, value, reason="no_storage_offers_it")
    return left


_WHY_WHOLE = "vzdump writes whole archives; only a Proxmox Backup Server is sent what has changed"
_WHY_PLAIN = (
    "none of the storages that can be used encrypts: vzdump does not, a Proxmox Backup Server with an encryption key does. "
    "Leave it out, or add such a storage to the cluster"
)


def droppable(backup: Backup, *, by: Actor) -> GuestClaim:
    """The ledger row whose machine a backup holds that this actor may delete now, or ask to where people agree first.
    Raises Refused, WrongState, also for one that is protected, Unavailable."""
    claim = usable(backup, by=by)
    if backup.is_protected:
        raise WrongState(
            f"{backup.public_id} is protected in Proxmox; take that away there first.", code="BACKUP_PROTECTED"
        )
    return claim


@begins_work
def drop(backup: Backup, *, by: Actor) -> Job:
    """Delete a backup from its storage; one that holds a machine of a protected environment when people have agreed to that.
    Raises what `droppable` does."""
    claim = droppable(backup, by=by)
    wish = Proposal(
        kind="backup_deletion", claim=claim, steps=(drop_step(backup, claim),), of_backup=key_of(backup),
        title=f"Delete {backup.public_id} of {backup.guest_name or backup.vmid}",
        params={"backup": backup.pk, "claim": str(claim.pk), "verb": "delete", "status": "deleting"},
    )  # fmt: skip
    environment = gated_by(claim)
    return wish.begin(by=by) if environment is None else propose(wish, environment, by=by)


def archive_of(backup: Backup, *, pulse: Callable[[], None]) -> ArchiveReading | None:
    """A backup as its storage lists it now, None when it does not. Raises Unavailable, WrongState when no node reaches it."""
    node = node_for(backup)
    pulse()
    with clear_answers(backup.cluster):
        listed = archives.read(connect(backup.cluster), node, backup.storage, vmid=backup.vmid)
    return next((one for one in listed if one.volume == backup.volume), None)


def drop_step(backup: Backup, claim: GuestClaim, level: int = 0, *, is_lenient: bool = False) -> StepSpec:
    """The step that deletes a backup; one that is lenient names what it could not delete, and ends well."""
    params = {
        "cluster": backup.cluster_id, "owner": claim.owner, "node": node_for(backup), "kind": backup.guest_kind,
        "claim": str(claim.pk), "archive_storage": backup.storage, "volume": backup.volume, "backup": backup.pk,
        "is_lenient": is_lenient,
    }  # fmt: skip
    return StepSpec("backup.delete", claim.key, f"Delete {backup.public_id}", level, 1, params)
