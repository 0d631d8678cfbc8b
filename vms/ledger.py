"""Numbers for guests: given out once, under the cluster's row lock, and never again."""

from collections.abc import Iterable

from django.db.models import QuerySet

from alma.jobs.kinds import StepFailed, Wait
from alma.jobs.models import Job, Step
from vms.models import Cluster, Guest, GuestClaim

_WINDOW = 500


def reserve(cluster_id: int, *, owner: str, key: str, kind: str, node: str, job: Job) -> GuestClaim:
    """A new row with the next free number; inside a fenced transaction. Raises StepFailed when the range is used up."""
    cluster = Cluster.objects.select_for_update().get(pk=cluster_id)
    vmid = _next_vmid(cluster)
    Cluster.objects.filter(pk=cluster.pk).update(vmid_next=vmid + 1)
    return GuestClaim.objects.create(
        organization_id=cluster.organization_id, cluster=cluster, vmid=vmid,
        owner=owner, key=key, kind=kind, node=node, job=job.public_id,
    )  # fmt: skip


def _next_vmid(cluster: Cluster) -> int:
    """The lowest number never given out and not seen in use; a number that is taken unseen is found out by the create."""
    start = max(cluster.vmid_first, cluster.vmid_next)
    while start <= cluster.vmid_last:
        end = min(start + _WINDOW, cluster.vmid_last + 1)
        span = {"cluster": cluster, "vmid__gte": start, "vmid__lt": end}
        taken = set(Guest.objects.present().filter(**span).values_list("vmid", flat=True))
        taken |= set(GuestClaim.objects.filter(**span).values_list("vmid", flat=True))
        free = next((vmid for vmid in range(start, end) if vmid not in taken), None)
        if free is not None:
            return free
        start = end
    raise StepFailed(
        "VMID_RANGE_EXHAUSTED",
        f"All numbers from {cluster.vmid_first} to {cluster.vmid_last} of {cluster.name} were used; widen the range.",
    )


def pass_over(cluster_id: int, seen: Iterable[int], skip: int) -> int:
    """Give out no number up to the highest that was seen to be ours or is in the ledger, nor the next few; the first left.

    For a ledger that has forgotten numbers, because it is older than they are. Inside a transaction."""
    cluster = Cluster.objects.select_for_update().get(pk=cluster_id)
    used = [*seen, *GuestClaim.objects.filter(cluster=cluster).values_list("vmid", flat=True)]
    within = [vmid + 1 for vmid in used if cluster.vmid_first <= vmid <= cluster.vmid_last]
    first = max(cluster.vmid_first, cluster.vmid_next, *within) + skip
    Cluster.objects.filter(pk=cluster.pk).update(vmid_next=first)
    return first


def held(cluster_id: int, *, owner: str, key: str, job: Job) -> GuestClaim | None:
    """The row that stands for a resource and is under this run already: nothing need be written to use it."""
    rows = GuestClaim.objects.active().filter(cluster_id=cluster_id, owner=owner, key=key, job=job.public_id)
    return next(iter(rows.order_by()), None)


def is_claimed(cluster_id: int, *, owner: str, key: str) -> bool:
    """Whether some row stands for a resource."""
    return GuestClaim.objects.active().filter(cluster_id=cluster_id, owner=owner, key=key).exists()


def take(cluster_id: int, *, owner: str, key: str, job: Job) -> GuestClaim | None:
    """The row that stands for a resource now, put under this run; inside a fenced transaction.

    Raises Wait while another run that has not ended holds it.
    """
    rows = GuestClaim.objects.select_for_update().active()
    claim = rows.filter(cluster_id=cluster_id, owner=owner, key=key).first()
    if claim is None or claim.job == job.public_id:
        return claim
    if Job.objects.active().filter(public_id=claim.job).exists():
        raise Wait
    claim.job = job.public_id
    claim.save(update_fields=["job", "updated_at"])
    return claim


def take_named(claim_id: str, *, job: Job) -> GuestClaim:
    """One row and no other, put under this run when a run of the same stream had it; inside a fenced transaction.

    Raises StepFailed when another run took it over meanwhile: its guest is no longer ours to undo."""
    claim = GuestClaim.objects.select_for_update().get(pk=claim_id)
    if not claim.is_active or claim.job == job.public_id:
        return claim
    if not Job.objects.filter(stream=job.stream, public_id=claim.job).exists():
        raise StepFailed("GUEST_NOT_OURS", f"VMID {claim.vmid} was taken over by {claim.job}; it is left alone.")
    claim.job = job.public_id
    claim.save(update_fields=["job", "updated_at"])
    return claim


def named_jobs() -> QuerySet[GuestClaim, str]:
    """The public ids of the jobs that made what is there, or changed it last: drift is measured against their steps."""
    return GuestClaim.objects.active().order_by().values_list("job", flat=True)


def has_room(cluster_id: int) -> bool:
    """Whether one more guest may be created at the same time; inside a fenced transaction."""
    cluster = Cluster.objects.select_for_update().get(pk=cluster_id)
    return _creating(cluster_id).count() < cluster.parallel_limit


def is_being_copied(cluster_id: int, template_vmid: int) -> bool:
    """Whether a container is being cloned from this one: Proxmox refuses a second clone meanwhile. After `has_room`, whose
    lock makes the answer hold until the transaction ends."""
    return _creating(cluster_id).filter(params__kind="lxc", params__template_vmid=template_vmid).exists()


def _creating(cluster_id: int) -> QuerySet[Step]:
    return Step.objects.filter(
        kind="guest.create", state=Step.State.RUNNING, job__state=Job.State.RUNNING, params__cluster=cluster_id
    )
