"""What every machine that is to be needs before its job begins: an environment, a number of its own, and a row that shows it."""

from typing import Any

from django.utils import timezone

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.errors import Unavailable, WrongState
from alma.jobs.kinds import StepFailed
from alma.jobs.models import Job
from vms import ledger
from vms.inventory import BEING_MADE
from vms.machines import public_id
from vms.models import Cluster, Guest, GuestClaim
from vms.models.ledger import DIRECT
from vms.operations.rights import refuse_busy
from vms.refusing import invalid


def environment_for(slug: str, *, by: Actor) -> Environment:
    """The one of that name; without a name the first that is not protected. Raises Invalid."""
    found = Environment.objects.visible_to(by)
    row = found.filter(slug=slug).first() if slug else found.order_by("is_protected", "position", "slug").first()
    if row is None:
        known = ", ".join(found.values_list("slug", flat=True)) or "none"
        raise invalid(
            "environment", f"there is no such environment (there are: {known})", slug, reason="no_such_environment"
        )
    return row


def number_for(name: str, cluster: Cluster, environment: Environment, *, kind: str = "vm") -> GuestClaim:
    """A number: a new one, or that of an attempt which made nothing. Raises WrongState for a name that is taken, Unavailable."""
    owner = f"env:{environment.pk}{DIRECT}"
    Cluster.objects.select_for_update().get(pk=cluster.pk)
    claim = GuestClaim.objects.active().filter(cluster=cluster, owner=owner, key=name).first()
    if claim is not None:
        refuse_busy(claim)
    others = Guest.objects.machines().filter(cluster=cluster, name=name)
    if claim is not None and claim.state == GuestClaim.State.RESERVED:
        others = others.exclude(vmid=claim.vmid)  # its own row, which waits for people
    taken = others.first()
    if taken is not None or (claim is not None and claim.state == GuestClaim.State.LIVE):
        details = {"vm_id": public_id(taken)} if taken else {}
        raise WrongState(f"There is a machine {name} on {cluster.name} already.", code="NAME_TAKEN", details=details)
    if claim is not None:
        return claim
    try:
        nobody = Job(public_id="job_create")
        return ledger.reserve(cluster.pk, owner=owner, key=name, kind=kind, node=_some_node(cluster), job=nobody)
    except StepFailed as error:
        raise WrongState(error.message, code=error.code) from error


def _some_node(cluster: Cluster) -> str:
    """One from which the whole cluster can be asked, until the job has found the right one. Raises Unavailable."""
    name = cluster.nodes.filter(is_online=True).order_by("name").values_list("name", flat=True).first()
    if name is None:
        raise Unavailable(f"No node of {cluster.name} has been seen online yet.", code="NO_NODE")
    return str(name)


def row_for(claim: GuestClaim, environment: Environment, *, kind: str = "vm", **values: Any) -> Guest:
    """The row of the machine to be; one of another guest that once had the number is forgotten."""
    now = timezone.now()
    Guest.objects.filter(cluster=claim.cluster_id, vmid=claim.vmid).exclude(claim=claim).delete()
    guest = Guest.objects.filter(cluster=claim.cluster_id, claim=claim).first() or Guest(
        cluster_id=claim.cluster_id, organization_id=claim.organization_id, vmid=claim.vmid, claim=claim
    )
    values |= {
        "kind": kind, "status": BEING_MADE, "environment": environment, "created_at": now, "changed_at": now,
        "seen_at": now, "missing_since": None,
    }  # fmt: skip
    for name, value in values.items():
        setattr(guest, name, value)
    guest.save()
    return guest
