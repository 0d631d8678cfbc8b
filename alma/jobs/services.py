"""Making jobs, waking them, and asking them to stop."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from django.db.models.functions import Now
from django_q.tasks import async_task

from alma.accounts.actors import Actor
from alma.errors import WrongState
from alma.events.services import emit
from alma.failpoints import failpoint
from alma.jobs import gate
from alma.jobs.broker import DoorbellBroker, oldest_waiting
from alma.jobs.kinds import job_kind
from alma.jobs.leases import free, is_dead
from alma.jobs.models import Job, Step, new_public_id

KICK_AGAIN = timedelta(seconds=15)
URGE_AGAIN = timedelta(seconds=5)
SAME_TIME = timedelta(seconds=1)
"""A kick and its task are written together, by the clock of the database."""
URGENT_DEATHS = 8
"""So often in a row, without the end of a step in between, a job goes first after the death of its worker."""


@dataclass(frozen=True)
class StepSpec:
    """A step to be: `level` orders, `key` names the resource, `weight` is its share of the progress bar."""

    kind: str
    key: str
    title: str
    level: int = 0
    weight: int = 1
    params: dict[str, Any] = field(default_factory=dict)


def create_job(
    kind: str,
    steps: Iterable[StepSpec],
    *,
    organization_id: int,
    title: str = "",
    params: dict[str, Any] | None = None,
    exclusive_key: str = "",
    by: str = "",
) -> Job:
    """Write a job and its journal, and wake it once they are committed. Raises WrongState when the key is taken."""
    job = _new(kind, organization_id, params, title=title, exclusive_key=exclusive_key, created_by=by)
    return _write(job, steps, first=1)


def create_waiting_job(
    kind: str, steps: Iterable[StepSpec], *, organization_id: int, params: dict[str, Any], **fields: str
) -> Job:  # fmt: skip
    """Write a job and its journal that nobody works on until it is released. It holds no key before that."""
    return _write(_new(kind, organization_id, params, state=Job.State.WAITING, **fields), steps, first=1)


def _new(kind: str, organization_id: int, params: dict[str, Any] | None, **fields: str) -> Job:
    public_id = job_kind(kind).public_id(params or {})
    return Job(
        kind=kind, organization_id=organization_id, params=params or {}, public_id=public_id, stream=f"{kind}:{public_id}",
        **fields,
    )  # fmt: skip


def follow_job(
    previous: Job, kind: str, steps: Iterable[StepSpec], *, title: str = "", exclusive_key: str = "", by: str = ""
) -> Job:
    """A job that is told on the stream of another, with its steps counted on from there. Raises WrongState as above."""
    job = Job(
        kind=kind, organization_id=previous.organization_id, title=title, public_id=new_public_id(job_kind(kind).prefix),
        exclusive_key=exclusive_key, created_by=by, stream=previous.stream,
    )  # fmt: skip
    return _write(job, steps, first=_last_ordinal(previous.stream) + 1)


@transaction.atomic
def _write(job: Job, steps: Iterable[StepSpec], *, first: int) -> Job:
    try:
        with transaction.atomic():
            job.save(force_insert=True)
    except IntegrityError as error:
        raise WrongState("Another run for the same target has not ended yet.", code="ALREADY_RUNNING") from error
    Step.objects.bulk_create(Step(job=job, ordinal=number, **vars(spec)) for number, spec in enumerate(steps, first))
    if job.is_active:
        _tell_queued(job, by=job.created_by)
        transaction.on_commit(partial(kick, job.pk))
    return job


def _tell_queued(job: Job, *, by: str) -> None:
    """Pages show it before anybody works on it."""
    emit(job.stream, job_kind(job.kind).event(job, "queued"), organization_id=job.organization_id, actor=by)


def _last_ordinal(stream: str) -> int:
    return Step.objects.filter(job__stream=stream).aggregate(last=Max("ordinal", default=0))["last"] or 0


def _unkicked() -> Q:
    """Jobs without an outstanding kick. One that has not led to a lease for a while is taken for lost, unless tasks that
    were queued before it wait as well: a long queue must not grow by what it holds already."""
    urgent = Q(deaths__gt=0, deaths__lte=URGENT_DEATHS)
    lost = ~urgent & _lost(KICK_AGAIN, oldest_waiting())
    urgent_lost = urgent & _lost(URGE_AGAIN, oldest_waiting(is_urgent=True))
    return Q(kicked_at=None) | lost | urgent_lost


def _lost(patience: timedelta, oldest: datetime | None) -> Q:
    is_old = Q(kicked_at__lt=Now() - patience)
    return is_old if oldest is None else is_old & Q(kicked_at__lt=oldest - SAME_TIME)


@transaction.atomic
def kick(job_id: int, *, is_urgent: bool = False) -> bool:
    """Queue `advance` for a job, if need be before all others; at most one such task per job is outstanding."""
    job = Job.objects.active().filter(pk=job_id)
    if not job.filter(kicked_at=None).update(kicked_at=Now()) and not job.filter(_unkicked()).update(kicked_at=Now()):
        return False
    options = {"broker": DoorbellBroker.urgent()} if is_urgent else {}
    async_task("alma.jobs.tasks.advance", job_id, q_options=options)
    failpoint("kick.queued")
    return True


def kick_stalled(limit: int = 100) -> int:
    """Queue every active job that nobody works on; the reconciler calls this all the time.

    One whose worker has died goes before all that have not begun, unless workers die on it again and again."""
    _release_dead()
    due = Job.objects.active().filter(free(), _unkicked()).filter(Q(due_at=None) | Q(due_at__lt=Now()))
    deaths = due.order_by("-deaths", "pk").values_list("pk", "deaths")[:limit]
    return sum(kick(pk, is_urgent=0 < count <= URGENT_DEATHS) for pk, count in deaths)


def _release_dead() -> None:
    """A lease whose holder was a process of this machine that is gone need not run out first."""
    held = Job.objects.active().exclude(lease_until=None).values_list("pk", "lease_owner", "lease_token")
    for pk, owner, token in held:
        if is_dead(owner):
            Job.objects.filter(pk=pk, lease_token=token).update(lease_until=None, kicked_at=None)


@transaction.atomic
def cancel(job: Job, *, by: str) -> None:
    """Ask a job to stop: what is in flight is finished, nothing new begins. Raises WrongState when it has ended."""
    if not Job.objects.active().filter(pk=job.pk, cancel_requested_at=None).update(cancel_requested_at=Now()):
        raise WrongState("This run has ended or is being cancelled already.", code="NOT_RUNNING")
    emit(job.stream, job_kind(job.kind).event(job, "cancelling"), organization_id=job.organization_id, actor=by)
    transaction.on_commit(partial(kick, job.pk))


def stop(job: Job, *, by: Actor) -> None:
    """Ask for a cancel on behalf of somebody, as its kind has it, or take back what people have not agreed to yet.

    Raises Refused, WrongState."""
    kind = job_kind(job.kind)
    if job.state == Job.State.WAITING:
        gate.withdraw(job, by=by)
        return
    if not kind.is_cancellable:
        raise WrongState("Jobs of this kind end by themselves; they cannot be cancelled.", code="NOT_CANCELLABLE")
    if not kind.stop(job, by=by):
        cancel(job, by=by.label)


def log(job: Job, message: str, *, level: str = "info", by: str = "") -> None:
    """A line of a job's log that nobody who works on it tells. Inside a transaction."""
    kind = job_kind(job.kind).event(job, "log")
    emit(job.stream, kind, organization_id=job.organization_id, actor=by, message=message, level=level)


@transaction.atomic
def release(job: Job, *, by: str) -> None:
    """Let a job begin that waited for people, or go on that has stopped. Raises WrongState while another has its key."""
    if job.state != Job.State.WAITING:
        retry(job, by=by)
        return
    try:
        with transaction.atomic():
            job.move(Job.State.QUEUED)
    except IntegrityError as error:
        raise WrongState("Another run for the same target has not ended yet.", code="ALREADY_RUNNING") from error
    _tell_queued(job, by=by)
    transaction.on_commit(partial(kick, job.pk))


@transaction.atomic
def dismiss(job: Job, *, code: str, message: str, by: str) -> None:
    """End a job that waited for people before it has begun; `message` says what they decided. Raises WrongState."""
    error = {"code": code, "message": message}
    Job.objects.waiting().filter(pk=job.pk).update(error=error)
    job.move(Job.State.CANCELLED)
    tell_end(job, actor=by, **error)


@transaction.atomic
def force_cancel(job: Job, *, by: str) -> Job:
    """End a job whose cancel was asked for, without waiting for what is in flight: those steps are marked cancelled.

    Whoever works on it loses the lease with this transaction, and can write nothing more; a call that is on its way may
    still have its effect. Raises WrongState when it has ended, or before an ordinary cancel."""
    row = Job.objects.select_for_update().active().filter(pk=job.pk).first()
    if row is None:
        raise WrongState("This run has ended already.", code="NOT_RUNNING")
    if row.cancel_requested_at is None:
        raise WrongState("Ask for an ordinary cancel first; force is for one that does not end.", code="CANCEL_FIRST")
    in_flight = list(row.steps.filter(state=Step.State.RUNNING))
    for step in in_flight:
        step.move(Step.State.CANCELLED)
    row.move(Job.State.CANCELLED)
    tell_end(row, actor=by, forced=True, in_flight=[step.describe() for step in in_flight])
    return row


def end_by_force(job: Job, *, by: str) -> Job:
    """Ask for an ordinary cancel, unless somebody has, and do not wait for it. Raises WrongState when it has ended."""
    if job.cancel_requested_at is None:
        cancel(job, by=by)
    return force_cancel(job, by=by)


def tell_end(job: Job, *, actor: str = "", **why: Any) -> None:
    """Tell what a job ended with, with what its kind adds: the last event of the run, in the transaction of its end."""
    kind = job_kind(job.kind)
    data = {**why, **getattr(kind, job.state)(job)}
    emit(job.stream, kind.event(job, job.state), organization_id=job.organization_id, actor=actor, **data)


@transaction.atomic
def retry(job: Job, *, by: str) -> None:
    """Take a failed or cancelled job up again at the steps where it stopped. Raises WrongState."""
    try:
        with transaction.atomic():
            job.move(Job.State.QUEUED)
    except IntegrityError as error:
        raise WrongState("Another run for the same target has not ended yet.", code="ALREADY_RUNNING") from error
    Job.objects.filter(pk=job.pk).update(deaths=0, cancel_requested_at=None)
    stopped = job.steps.filter(state__in=[Step.State.FAILED, Step.State.CANCELLED])
    stopped.update(state=Step.State.PENDING, error=None, finished_at=None)
    emit(job.stream, job_kind(job.kind).event(job, "retried"), organization_id=job.organization_id, actor=by)
    transaction.on_commit(partial(kick, job.pk))
