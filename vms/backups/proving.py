"""Restore tests: a backup is brought back into a guest of its own, cut off from all networks, started, looked at and removed."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.errors import WrongState
from alma.jobs.kinds import StepFailed
from alma.jobs.models import Job
from alma.jobs.services import StepSpec, create_job
from vms import ledger
from vms.backups.restoring import unpack_step
from vms.backups.rights import key_of, node_for, usable
from vms.models import Backup, Cluster, ClusterNode, Guest, GuestClaim
from vms.operations.jobs import ref_of
from vms.operations.reaching import begins_work

OWNER = "scratch:"
"""What the owner of a guest of a test begins with, in the ledger."""
UP_WITHIN = 300
"""Seconds that a guest has to come up."""
AGAIN = timedelta(minutes=5)


@begins_work
def verify(backup: Backup, *, by: Actor) -> Job:
    """Begin a restore test. Raises Refused, WrongState, also where no node has the memory for it, Unavailable."""
    source = usable(backup, by=by)
    node = _node(backup)
    Cluster.objects.select_for_update().get(pk=backup.cluster_id)
    try:
        claim = ledger.reserve(
            backup.cluster_id, owner=f"{OWNER}{backup.pk}", key=f"alma-test-{backup.pk}", kind=backup.guest_kind, node=node,
            job=Job(public_id="job_verify"),
        )  # fmt: skip
    except StepFailed as error:
        raise WrongState(error.message, code=error.code) from error
    job = create_job(
        "backup_verification", _steps(backup, source, claim), organization_id=backup.organization_id, by=by.label,
        exclusive_key=key_of(backup), title=f"Test {backup.public_id} of {backup.guest_name or backup.vmid}",
        params={"backup": backup.pk, "verb": "verify", "status": "verifying", "claim": str(claim.pk)},
    )  # fmt: skip
    GuestClaim.objects.filter(pk=claim.pk).update(job=job.public_id)
    return job


def _node(backup: Backup) -> str:
    """One that reaches the archive and has the memory: that of the machine if it can be. Raises WrongState."""
    wanted = backup.guest.memory_bytes if backup.guest else 0
    first = node_for(backup)
    reaching = [first] if backup.node else list(
        backup.cluster.storages.filter(name=backup.storage, is_active=True).values_list("node", flat=True)
    )  # fmt: skip
    nodes = ClusterNode.objects.filter(cluster=backup.cluster, is_online=True, name__in=reaching)
    free = {row.name: row.memory_bytes - row.memory_used for row in nodes}
    fit = [name for name, room in free.items() if room >= wanted]
    if not fit:
        raise WrongState("No node that reaches the archive has the memory for a restore test.", code="NO_PLACE")
    return first if first in fit else max(fit, key=lambda name: (free[name], name))


def _steps(backup: Backup, source: GuestClaim, claim: GuestClaim) -> list[StepSpec]:
    """Unpack, start, hear from it, compare, remove."""
    name = claim.key
    common = ref_of(Guest(node=claim.node, kind=claim.kind, name=name), claim).params()
    archive = {"archive_storage": backup.storage, "volume": backup.volume, "source": str(source.pk)}
    asking = {"timeout": UP_WITHIN, "has_system": True, "port": None, "address": ""}
    return [
        unpack_step(backup, source, claim, name=name, is_isolated=True),
        StepSpec("guest.start", name, f"Start {name}, cut off from all networks", 1, 2, common),
        StepSpec("guest.await", name, f"See whether {name} comes up", 2, 2, common | asking),
        StepSpec("backup.check", name, "Compare it with what was backed up", 3, 1, common | archive),
        discard_step(claim, 4),
    ]


def discard_step(claim: GuestClaim, level: int = 0) -> StepSpec:
    """The step that removes a guest of a test: the one of this ledger row and no other."""
    params = ref_of(Guest(node=claim.node, kind=claim.kind, name=claim.key), claim).params()
    return StepSpec("guest.discard", claim.key, f"Remove {claim.key}", level, 2, params)


def clear(claim: GuestClaim) -> Job | None:
    """A job that removes what a test has left; None while one is at it."""
    key = f"scratch:{claim.pk}"
    if Job.objects.active().filter(exclusive_key=key).exists():
        return None
    return create_job(
        "backup_cleanup", [discard_step(claim)], organization_id=claim.organization_id, title=f"Remove {claim.key}",
        exclusive_key=key, params={"claim": str(claim.pk), "vmid": claim.vmid},
    )  # fmt: skip


def clear_left() -> None:
    """The chore that finds guests of tests whose job has ended, however it did, and has them removed; again and again."""
    working = Job.objects.active().values("public_id")
    left = GuestClaim.objects.active().filter(owner__startswith=OWNER).exclude(job__in=working)
    lately = timezone.now() - AGAIN
    for claim in left.filter(updated_at__lt=timezone.now() - timedelta(seconds=30)):
        failed = Job.objects.filter(kind="backup_cleanup", params__claim=str(claim.pk), finished_at__gt=lately)
        if not failed.exists():
            with transaction.atomic():
                clear(claim)
