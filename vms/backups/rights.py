"""Whose machine a backup holds, and whether somebody may do something with it now."""

from alma.accounts.actors import Actor
from alma.errors import Refused, WrongState
from alma.jobs.models import Job
from vms.backups import listing
from vms.lanes import check_lane
from vms.models import Backup, ClusterNode, Guest, GuestClaim
from vms.operations.rights import check_answers, not_ours, refuse_busy

READ, WRITE = "backup:read", "backup:write"


def savable_claim(guest: Guest, *, by: Actor) -> GuestClaim:
    """The ledger row of a machine that this actor may back up now. A protected environment allows it: nothing is changed.

    Raises Refused for a guest that ALMA did not make and a test key on a real cluster, Unavailable, WrongState."""
    by.require(WRITE)
    check_lane(guest.cluster, by=by)
    check_answers(guest.cluster)
    claim = GuestClaim.objects.active().filter(cluster=guest.cluster, vmid=guest.vmid).first()
    if claim is None:
        raise not_ours(guest)
    refuse_busy(claim)
    return claim


def usable(backup: Backup, *, by: Actor) -> GuestClaim:
    """The ledger row whose machine a backup holds, which may be gone. Raises Refused for one that is not ours, Unavailable,
    and WrongState for a backup that is not there or is busy."""
    by.require(WRITE)
    check_lane(backup.cluster, by=by)
    check_answers(backup.cluster)
    if backup.claim is None:
        raise Refused(
            f"{backup.public_id} does not hold a machine that ALMA made, so ALMA does not touch it. Use Proxmox.",
            code="BACKUP_NOT_OURS",
        )
    if not backup.is_there:
        raise WrongState(f"{backup.public_id} is {backup.state}: there is no archive.", code="BACKUP_NOT_THERE")
    _refuse_busy(backup)
    return backup.claim


def key_of(backup: Backup) -> str:
    """At most one job that changes or tests a backup has this key."""
    return f"backup:{backup.pk}"


def _refuse_busy(backup: Backup) -> None:
    at_work = Job.objects.active().filter(kind__in=listing.ON_IT, params__backup=backup.pk).first()
    if at_work is not None:
        raise WrongState(
            f"{backup.public_id} is being worked on by {at_work.public_id}; wait for its end, or cancel it.",
            code="BACKUP_BUSY", details={"job_id": at_work.public_id, "type": at_work.kind},
        )  # fmt: skip


def node_for(backup: Backup) -> str:
    """A node that reaches the archive. Raises WrongState when none does now."""
    if backup.node:
        return backup.node
    rows = backup.cluster.storages.filter(name=backup.storage, is_active=True)
    online = ClusterNode.objects.filter(cluster=backup.cluster, is_online=True).values("name")
    names = list(rows.filter(node__in=online).order_by("node").values_list("node", flat=True))
    preferred = backup.guest.node if backup.guest else ""
    if not names:
        raise WrongState(f"No node reaches {backup.storage} now.", code="STORAGE_OUT_OF_REACH")
    return preferred if preferred in names else str(names[0])
