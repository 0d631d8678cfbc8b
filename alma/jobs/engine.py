"""Advancing a job: short, re-entrant, and harmless when called too often, too late or twice at once."""

import logging
import time
from contextlib import suppress
from functools import partial

from django.conf import settings
from django.db import connection
from django.db.models import Min
from django.utils import timezone

from alma.events.services import emit
from alma.failpoints import failpoint
from alma.jobs.context import Batch, StepContext
from alma.jobs.kinds import Full, StepFailed, StepKind, Unknown, Wait, job_kind, step_kind
from alma.jobs.lanes import Lanes
from alma.jobs.leases import Lease, LeaseLost
from alma.jobs.models import Job, Step
from alma.jobs.services import tell_end

logger = logging.getLogger(__name__)

FIRST_PAUSE, LAST_PAUSE = 0.05, 1.0
"""Seconds between two looks at what moves slowly: at first as quick as a person, later as patient as a machine."""
GROWTH = 1.1
LANES = 4
"""Steps whose turns are taken side by side."""
PAUSE = 0.15
MAX_DEATHS = 20
MAX_BACKOFF = 15.0


def run(lease: Lease, slot_seconds: float | None = None) -> bool:
    """Work under a lease until the job has ended (True) or the slot is used up (False). Raises LeaseLost."""
    _begin(lease)
    with Lanes(LANES, _leave) as lanes:
        return _work(lease, lanes, slot_seconds or settings.ALMA_SLOT_SECONDS)


def _leave() -> None:
    """In each lane at its end: let the kinds of steps close what they keep open for the thread."""
    for name in settings.ALMA_STEP_KINDS:
        step_kind(name).leave()


def _work(lease: Lease, lanes: Lanes, slot_seconds: float) -> bool:
    deadline = time.monotonic() + slot_seconds
    pause = FIRST_PAUSE
    while True:
        job = Job.objects.get(pk=lease.job_id)
        ending = _ending(job)
        if ending:
            _end(lease, ending)
            return True
        has_moved = _Pass(lease, job, deadline).run(lanes)
        if time.monotonic() > deadline:
            return False
        if has_moved:
            pause = FIRST_PAUSE
            continue
        lease.renew()
        time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
        pause = min(LAST_PAUSE, pause * GROWTH)


def _begin(lease: Lease) -> None:
    with lease.fenced() as job:
        if job.state == Job.State.QUEUED:
            job.move(Job.State.RUNNING)
            kind = job_kind(job.kind)
            kind.started(job)
            emit(job.stream, kind.event(job, "started"), organization_id=job.organization_id, actor=job.created_by)


def _is_stopping(job: Job) -> bool:
    """Whether nothing new may begin: a cancel was asked for, a step failed, or workers keep dying on it."""
    is_poison = job.deaths > MAX_DEATHS
    return bool(job.cancel_requested_at) or is_poison or job.steps.filter(state=Step.State.FAILED).exists()


def _runnable(job: Job) -> list[Step]:
    """The open steps of the lowest unfinished level; only those in flight once the job is stopping."""
    if _is_stopping(job):
        return list(job.steps.filter(state=Step.State.RUNNING))
    steps = job.steps.filter(state__in=Step.OPEN)
    lowest = steps.aggregate(level=Min("level"))["level"]
    return list(steps.filter(level=lowest)) if lowest is not None else []


def _ending(job: Job) -> Job.State | None:
    """How the job ends, or None while there is something to do."""
    if job.deaths > MAX_DEATHS:
        return Job.State.FAILED
    if not _is_stopping(job):
        return None if job.steps.filter(state__in=Step.OPEN).exists() else Job.State.COMPLETED
    if job.steps.filter(state=Step.State.RUNNING).exists():
        return None
    return Job.State.FAILED if job.steps.filter(state=Step.State.FAILED).exists() else Job.State.CANCELLED


def _end(lease: Lease, state: Job.State) -> None:
    """Move the job and tell it as the last event of the run, in one transaction."""
    with lease.fenced() as job:
        failed = job.steps.filter(state=Step.State.FAILED).order_by("ordinal").first()
        error = failed.error if failed else None
        if state == Job.State.FAILED and error is None:
            error = {"code": "WORKER_DIED", "message": f"Workers died {job.deaths} times in a row on this job."}
        if error:
            Job.objects.filter(pk=job.pk).update(error=error)
        job.move(state)
        failpoint("job.ending")
        tell_end(job, **(error or {}))


class _Pass:
    """A turn of each runnable step while the slot lasts.

    Each lease begins with another step: one that waits for a silent cluster does not keep its neighbours from theirs."""

    def __init__(self, lease: Lease, job: Job, deadline: float) -> None:
        self._lease = lease
        self._job = job
        self._deadline = deadline
        self._batch = Batch(lease, job)
        self._full: set[str] = set()
        self._has_begun = False
        self._has_moved = False
        self._is_broken = False

    def run(self, lanes: Lanes) -> bool:
        """Side by side, unless a transaction is open that other threads could not see; whether any step moved."""
        steps = _runnable(self._job)
        first = (self._lease.token - 1) % len(steps) if steps else 0
        turns = [partial(self._take, step) for step in steps[first:] + steps[:first]]
        if len(turns) > 1 and not connection.in_atomic_block:
            lanes.run(turns)
        else:
            for turn in turns:
                turn()
        self._batch.write()
        return self._has_moved

    def _take(self, step: Step) -> None:
        is_over = self._is_broken or (self._has_begun and time.monotonic() > self._deadline)
        self._has_begun = True
        if is_over or (step.state == Step.State.PENDING and step.kind in self._full):
            return
        context = StepContext(self._lease, self._job, step, self._batch)
        try:
            self._has_moved |= _turn(context, self._full)
            self._batch.add(context)
        except BaseException:
            self._is_broken = True
            raise


def _turn(context: StepContext, full: set[str]) -> bool:
    """One turn of one step; whether it moved. A kind of which no more may begin now is added to `full`."""
    step = context.step
    before = (step.state, step.journal)
    kind = step_kind(step.kind)
    try:
        with suppress(Wait):
            _run(kind, context, full)
    except StepFailed as failure:
        context.fail(failure.code, failure.message)
    except Unknown as error:
        _unknown(context, str(error), kind.patience)
        return False
    else:
        _known_again(context)
    return (step.state, step.journal) != before


def _run(kind: StepKind, context: StepContext, full: set[str]) -> None:
    try:
        kind.run(context)
    except Full:
        full.add(context.step.kind)
        raise


def _unknown(context: StepContext, reason: str, patience: float) -> None:
    """Remember since when nothing is known, tell it once, and give up after the kind's patience."""
    since = context.journal.get("unknown_since")
    now = timezone.now().timestamp()
    logger.info("nothing known of a step", extra={"job": context.job.public_id, "reason": reason})
    if since is None:
        context.record(unknown_since=now)
        context.log(f"No clear answer, looking again: {reason}", "warning")
    elif now - since > patience:
        context.record(unknown_since=None)  # a retry waits anew
        context.fail("CLUSTER_UNREACHABLE", f"No clear answer for {int(now - since)} s: {reason}")
    else:
        context.renew()
        time.sleep(min(MAX_BACKOFF, 2.0, PAUSE + (now - since) / 4))


def _known_again(context: StepContext) -> None:
    if context.step.state == Step.State.RUNNING and context.journal.get("unknown_since") is not None:
        context.record(unknown_since=None)


def _connect_anew() -> None:
    """The fault may be that the database hung up; the lease must be given back all the same, for its holder lives."""
    if not connection.in_atomic_block:
        connection.close()


def advance(job_id: int, *, slot_seconds: float | None = None) -> str:
    """The task: take the lease, work, give it back. Whoever finds the lease taken leaves at once."""
    lease = Lease.acquire(job_id)
    if lease is None:
        return "leased elsewhere or ended"
    failpoint("lease.taken")
    try:
        ended = run(lease, slot_seconds)
    except LeaseLost:
        return "lease lost"
    except Exception:
        _connect_anew()
        lease.give_up()
        raise
    failpoint("slot.used")
    if not ended:
        lease.release()
        failpoint("lease.released")
    return "ended" if ended else "more to do"
