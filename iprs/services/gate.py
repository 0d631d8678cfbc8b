"""The gate before operations on machines of protected environments: each becomes a proposal of exactly its steps."""

from django.db import transaction

from alma.accounts.actors import Actor
from alma.errors import WrongState
from alma.jobs import services as jobs
from alma.jobs.models import Job
from iprs.identity import identity_of
from iprs.models import IPR
from iprs.operating import claim_of, let_go
from iprs.services.opening import plan_anew
from vms.lanes import check_lane
from vms.operations.proposing import Operation


@transaction.atomic
def propose(job: Job, operation: Operation, *, by: Actor) -> IPR:
    """Open an IPR for a job that waits, and queue its planning. Whoever may ask for the operation may propose it."""
    author = identity_of(by)
    ipr = IPR.objects.create(
        organization_id=job.organization_id, environment=operation.environment, operation=job, title=operation.title[:200],
        description=_described(operation, job), author=author.user, author_identity=author.name, created_by=author.label,
    )  # fmt: skip
    url = ipr.get_absolute_url()
    Job.objects.filter(pk=job.pk).update(params={**job.params, "ipr": ipr.pk, "ipr_url": url})
    job.refresh_from_db()
    ipr.tell("ipr.opened", by=author.label, environment=operation.environment.slug, job=job.public_id)
    jobs.log(job, f"Waits for the approval of IPR #{ipr.pk}.", by=author.label)
    plan_anew(ipr, by=by)
    return ipr


def _described(operation: Operation, job: Job) -> str:
    place = operation.environment
    why = operation.reason or f"Asked for directly. {place.name} is protected, so people agree first."
    return f"{why}\n\nIt is about {operation.key}. {job.public_id} waits for this, and goes on when it is deployed."


def take_back(job: Job, *, by: Actor) -> None:
    """Withdraw the IPR for which a job waits; whoever may cancel jobs may. Raises WrongState while it is being deployed, and
    Refused for a test key on a real cluster."""
    check_lane(claim_of(job).cluster, by=by)
    with transaction.atomic():
        ipr = IPR.objects.select_for_update(of=("self",)).get(operation=job)
        if ipr.status == IPR.Status.DEPLOYING:
            raise WrongState(f"IPR #{ipr.pk} is being deployed right now; ask again in a moment.", code="NOT_RUNNING")
        if IPR.Status.CANCELLED in IPR.MOVES[IPR.Status(ipr.status)]:
            ipr.move(IPR.Status.CANCELLED, by=by.label)
            let_go(ipr, by=by.label)
        else:  # its deployment stopped before the job began
            jobs.dismiss(job, code="IPR_WITHDRAWN", message=f"{by.label} cancelled it.", by=by.label)
