"""Who works on a blueprint in an environment: one run at a time, by a unique index. Here it is told who, since when, and
who would be next."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alma.errors import WrongState
from alma.events.models import Event
from alma.jobs.models import Job
from iprs.models import IPR, Deployment

TAKEN = "ALREADY_RUNNING"
MOST = 20


@dataclass(frozen=True)
class Lock:
    """A run that has not ended. `queue` are the approved IPRs for the same blueprint and environment, oldest first."""

    deployment: Deployment
    job: Job
    since: datetime
    queue: tuple[IPR, ...]

    @property
    def is_rollback(self) -> bool:
        """Whether the deployment is being undone."""
        return self.job.pk != self.deployment.job_id

    @property
    def sentence(self) -> str:
        """Why nobody else may begin."""
        doing = "is being rolled back" if self.is_rollback else "is being deployed"
        ipr = self.deployment.ipr
        return (
            f"IPR #{ipr.pk} {doing} for {ipr.source_name} in {ipr.environment.name}: {self.deployment}, by "
            f"{self.job.created_by or 'somebody'} since {self.since:%H:%M:%S} UTC. One run at a time; try again when it has ended."
        )


def lock_of(ipr: IPR) -> Lock | None:
    """The run that works on what an IPR is about, be it the IPR's own; None when nobody does."""
    rows = Job.objects.active().filter(exclusive_key=ipr.lock_key)
    job = rows.select_related(
        "deployment__ipr__environment", "deployment__ipr__blueprint", "deployment__ipr__operation", "deployment__job",
        "rolled_back__ipr__environment", "rolled_back__ipr__blueprint", "rolled_back__job",
    ).first()  # fmt: skip
    if job is None:
        return None
    deployment: Deployment = job.rolled_back if job.kind == "rollback" else job.deployment
    return Lock(deployment, job, _since(job), _queue(deployment.ipr))


def _since(job: Job) -> datetime:
    """When it was queued: at first, or by the last retry."""
    retried = Event.objects.of(job.stream).filter(kind="deployment.retried").order_by("-seq")
    at = retried.values_list("at", flat=True).first() if job.kind == "deployment" else None
    return at or job.created_at


def _queue(holder: IPR) -> tuple[IPR, ...]:
    if holder.blueprint_id is None:
        return ()
    rows = IPR.objects.filter(environment=holder.environment_id, blueprint=holder.blueprint_id)
    return tuple(rows.filter(status=IPR.Status.APPROVED).exclude(pk=holder.pk).order_by("pk")[:MOST])


def lock_body(lock: Lock | None) -> dict[str, Any] | None:
    """A lock as plain values, for answers and refusals."""
    if lock is None:
        return None
    return {
        "deployment_id": lock.deployment.job.public_id,
        "ipr_id": lock.deployment.ipr_id,
        "title": lock.deployment.ipr.title,
        "doing": "rollback" if lock.is_rollback else "deployment",
        "held_by": lock.job.created_by,
        "since": lock.since,
        "queue": [{"ipr_id": ipr.pk, "title": ipr.title, "created_by": ipr.author_name} for ipr in lock.queue],
    }


@contextmanager
def naming_the_holder(ipr: IPR) -> Iterator[None]:
    """Whoever is refused because another run has not ended is told which one. Raises WrongState."""
    try:
        yield
    except WrongState as error:
        lock = lock_of(ipr) if error.code == TAKEN else None
        if lock is None:
            raise
        raise WrongState(lock.sentence, code=TAKEN, details={"lock": lock_body(lock)}) from error
