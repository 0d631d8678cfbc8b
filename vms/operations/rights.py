"""Whether somebody may act on a machine now, and whether people have to agree first."""

from django.db.models import Q

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.errors import Refused, Unavailable, WrongState
from alma.jobs.models import Job
from vms.lanes import check_lane
from vms.models import Cluster, Guest, GuestClaim


def held_claim(guest: Guest, *, by: Actor) -> GuestClaim:
    """The ledger row of a machine that this actor may act on now, or ask to act on where people agree first. Raises what
    `own_claim` does, and WrongState while a job works on it."""
    claim = own_claim(guest, by=by)
    refuse_busy(claim)
    return claim


def own_claim(guest: Guest, *, by: Actor) -> GuestClaim:
    """The ledger row of a machine that this actor may act on.

    Raises Refused for a guest that ALMA did not make or a test key on a real cluster, Unavailable while its cluster gives no
    answer."""
    by.require("vm:write")
    cluster = guest.cluster
    check_lane(cluster, by=by)
    check_answers(cluster)
    claim = GuestClaim.objects.active().filter(cluster=cluster, vmid=guest.vmid).first()
    if claim is None:
        raise not_ours(guest)
    return claim


def not_ours(guest: Guest) -> Refused:
    """The answer about a guest that ALMA did not make, or that has lost its mark."""
    return Refused(
        f"{guest.name or guest.vmid} was not made by ALMA, so ALMA does not touch it. "
        "Change it in Proxmox, or declare a machine of your own and move what runs there.",
        code="GUEST_NOT_OURS",
    )


def gated_by(claim: GuestClaim) -> Environment | None:
    """The environment in which people have to agree to what is done to a machine; None where nobody has to. The one place in
    which that is decided."""
    environment = environment_of(claim)
    return environment if environment is not None and environment.is_protected else None


def refuse_gated(claim: GuestClaim) -> None:
    """Raises Refused for what nobody can agree to beforehand, where people have to."""
    environment = gated_by(claim)
    if environment is not None:
        raise Refused(
            f"{environment.name} is protected: what is done to a machine there is agreed to beforehand, and this cannot be.",
            code="IPR_REQUIRED",
            details={"environment": environment.slug, "open": "/api/v1/iprs"},
        )


def environment_of(claim: GuestClaim) -> Environment | None:
    """The environment for which a machine was declared."""
    rows = Environment.objects.filter(organization_id=claim.organization_id)
    return rows.filter(pk=claim.environment_id).first() if claim.environment_id is not None else None


def check_answers(cluster: Cluster) -> None:
    """Raises Unavailable while a cluster is switched off or gives no answer: nothing is begun then."""
    if not cluster.is_enabled:
        raise Unavailable(f"{cluster.name} is switched off.", code="CLUSTER_OFF")
    if cluster.last_error:
        raise Unavailable(f"{cluster.name} does not answer: {cluster.last_error}", code="CLUSTER_UNREACHABLE")


def key_of(claim: GuestClaim) -> str:
    """At most one job about a machine that has not ended has this key."""
    return f"guest:{claim.pk}"


def refuse_busy(claim: GuestClaim) -> None:
    """Raises WrongState that names the job which works on a machine."""
    at_work = Job.objects.active().filter(Q(exclusive_key=key_of(claim)) | Q(public_id=claim.job)).first()
    if at_work is not None:
        raise busy(claim, at_work)


def busy(claim: GuestClaim, at_work: Job) -> WrongState:
    """The answer for a machine on which a job works."""
    return WrongState(
        f"{claim.key} is being worked on by {at_work.public_id}; wait for its end, or cancel it.",
        code="GUEST_BUSY",
        details={"job_id": at_work.public_id, "type": at_work.kind},
    )
