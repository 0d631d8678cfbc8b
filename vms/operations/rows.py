"""The row of a machine in the inventory, brought up to date by a job that has just read the machine, and what is told then."""

from typing import Any

from django.utils import timezone

from alma.events.services import emit
from alma.jobs.models import Job
from vms.models import Cluster, Guest


def held(job: Job) -> Guest | None:
    """The row of the job's machine, held against the inventory, which writes under the same lock; None when it is
    forgotten. Inside a transaction."""
    cluster_id = Guest.objects.filter(pk=job.params["guest"]).values_list("cluster_id", flat=True).first()
    if cluster_id is None:
        return None
    Cluster.objects.select_for_update().get(pk=cluster_id)
    return Guest.objects.select_related("cluster").filter(pk=job.params["guest"]).first()


def note(guest: Guest, **values: Any) -> None:
    """Write what is known of it now."""
    for name, value in {**values, "changed_at": timezone.now()}.items():
        setattr(guest, name, value)
    guest.save(update_fields=[*values, "changed_at"])


def facts(guest: Guest, job: Job) -> dict[str, Any]:
    """A machine as events tell it."""
    return {
        "id": job.params["vm"], "vmid": guest.vmid, "kind": guest.kind, "name": guest.name, "node": guest.node,
        "status": guest.status,
    }  # fmt: skip


def tell(guest: Guest, job: Job, kind: str, **more: Any) -> None:
    """An event of the machine, on the stream of its cluster, as the inventory tells what it sees by itself."""
    cluster = guest.cluster
    emit(
        cluster.stream, kind, organization_id=cluster.organization_id, actor=job.created_by,
        cluster=cluster.slug, job=job.public_id, **facts(guest, job), **more,
    )  # fmt: skip
