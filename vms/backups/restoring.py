"""Bringing a machine back: in its own place, or as a new one beside it."""

from dataclasses import dataclass
from typing import Any

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.errors import WrongState
from alma.jobs.models import Job
from alma.jobs.services import StepSpec
from vms.backups.rights import node_for, usable
from vms.inventory import BEING_MADE
from vms.models import Backup, Cluster, Guest, GuestClaim
from vms.operations.jobs import begin, ref_of, step
from vms.operations.newcomers import environment_for, number_for, row_for
from vms.operations.power import Stop
from vms.operations.reaching import begins_work
from vms.operations.rights import held_claim, refuse_gated
from vms.proxmox.values import dns_name
from vms.refusing import invalid
from vms.specs import GuestRef

MOST_COPIES = 100


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A new machine from a backup: its name, one after the old name when it is empty; the storage of its disks, where they
    were when it is empty; its environment, that of the old one when it is empty; and whether it is started."""

    name: str = ""
    storage: str = ""
    environment: str = ""
    is_started: bool = False


@begins_work
def overwrite(backup: Backup, *, is_forced: bool, is_started: bool | None = None, by: Actor) -> tuple[Guest, Job]:
    """Put a machine back to a backup of it: it is stopped, and what it has now is lost, snapshots too. It runs afterwards if
    it did before, unless that is said. Raises Refused, WrongState, Invalid without force, Unavailable."""
    source = usable(backup, by=by)
    guest = _present(backup, source)
    claim = held_claim(guest, by=by)
    if not is_forced:
        words = (
            f"this overwrites {guest.name or guest.vmid}: its disks and snapshots of now are lost; say true to do so"
        )
        raise invalid("force", words, False, reason="needs_force")
    runs = guest.status == "running" if is_started is None else is_started
    unpack = step(
        "backup.unpack_over", guest, claim, "Bring back", 1, archive_storage=backup.storage, volume=backup.volume
    )
    steps = [Stop(seconds=120, is_forced=True).step(guest, claim), unpack]
    if runs:
        steps.append(step("guest.start", guest, claim, "Start", 2))
    job = begin("backup_restore", guest, claim, steps, by=by, verb="bring_back", status="restoring", backup=backup.pk)
    return guest, job


def _present(backup: Backup, source: GuestClaim) -> Guest:
    """The machine that a backup holds, as it is now. Raises WrongState when it is gone or lies out of the archive's reach."""
    guest = Guest.objects.machines().select_related("cluster").filter(cluster=backup.cluster, claim=source).first()
    if guest is None:
        raise WrongState("The machine of this backup is there no more; restore it as a new one.", code="MACHINE_GONE")
    if backup.node and backup.node != guest.node:
        raise WrongState(
            f"The archive lies on {backup.storage} of {backup.node}, and the machine is on {guest.node}: move it there, or "
            "restore it as a new one.",
            code="ARCHIVE_ELSEWHERE",
        )
    return guest


@begins_work
def unpack(backup: Backup, wish: Copy, *, by: Actor) -> tuple[Guest, Job]:
    """Make a new machine from a backup, with a number and addresses of its own. What a protected environment holds does not
    leave it. Raises Refused, Invalid, WrongState for a name that is taken, Unavailable."""
    source = usable(backup, by=by)
    by.require("vm:write")
    environment = _environment(source, wish, by=by)
    if not environment.is_protected:
        refuse_gated(source)
    cluster = backup.cluster
    if wish.storage and not cluster.storages.filter(name=wish.storage).exists():
        raise invalid("storage", f"{cluster.name} has no such storage", wish.storage, reason="no_such_storage")
    name = dns_name(wish.name) if wish.name else _free_name(backup, source)
    claim = number_for(name, cluster, environment, kind=backup.guest_kind)
    guest = row_for(claim, environment, kind=backup.guest_kind, name=name, tags="alma", **_sizes(backup))
    job = begin(
        "backup_unpacking", guest, claim, _steps(backup, source, claim, wish, name), by=by, verb="unpack",
        status=BEING_MADE, backup=backup.pk,
    )  # fmt: skip
    GuestClaim.objects.filter(pk=claim.pk).update(job=job.public_id)
    return guest, job


def _environment(source: GuestClaim, wish: Copy, *, by: Actor) -> Environment:
    """The one that is wanted, else that of the old machine, else the first that is not protected. Raises Invalid."""
    own = Environment.objects.visible_to(by).filter(pk=source.environment_id or 0).first()
    return own if own is not None and not wish.environment else environment_for(wish.environment, by=by)


def _free_name(backup: Backup, source: GuestClaim) -> str:
    """`web-restored`, `web-restored-2`: a name that no machine of the cluster has. Raises WrongState."""
    first = f"{dns_name(backup.guest_name or source.key)[:50]}-restored"
    taken = set(
        Guest.objects.machines().filter(cluster=backup.cluster, name__startswith=first).values_list("name", flat=True)
    )
    names = (first if number == 1 else f"{first}-{number}" for number in range(1, MOST_COPIES))
    free = next((name for name in names if name not in taken), None)
    if free is None:
        raise WrongState("Give a name: too many machines were restored from this one already.", code="NAME_TAKEN")
    return free


def _sizes(backup: Backup) -> dict[str, Any]:
    """As the old machine is, until the new one is read."""
    old = backup.guest
    return {name: getattr(old, name) if old else 0 for name in ("cores", "memory_bytes", "disk_bytes")}


def _steps(backup: Backup, source: GuestClaim, claim: GuestClaim, wish: Copy, name: str) -> list[StepSpec]:
    node = node_for(backup)
    GuestClaim.objects.filter(pk=claim.pk).update(node=node)
    claim.node = node
    unpacked = unpack_step(backup, source, claim, name=name, storage=wish.storage)
    if not wish.is_started:
        return [unpacked]
    return [unpacked, StepSpec("guest.start", claim.key, f"Start {name}", 1, 1, _ref(claim, name).params())]


def _ref(claim: GuestClaim, name: str) -> GuestRef:
    return ref_of(Guest(node=claim.node, kind=claim.kind, name=name), claim)


def unpack_step(
    backup: Backup, source: GuestClaim, claim: GuestClaim, *, name: str, storage: str = "", is_isolated: bool = False
) -> StepSpec:  # fmt: skip
    """The step that makes a guest from a backup."""
    pool = Cluster.objects.values_list("pool", flat=True).get(pk=claim.cluster_id)
    params = _ref(claim, name).params() | {
        "name": name, "archive_storage": backup.storage, "volume": backup.volume, "source": str(source.pk), "storage": storage,
        "pool": pool, "tags": ["scratch"] if is_isolated else [], "is_isolated": is_isolated,
    }  # fmt: skip
    return StepSpec("backup.unpack_new", claim.key, f"Bring {name} back from {backup.public_id}", 0, 6, params)
