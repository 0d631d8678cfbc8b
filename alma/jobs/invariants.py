"""What must hold of jobs, their journal and the streams in which they are told."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q
from django.db.models.functions import Now

from alma.events.models import Event, Stream
from alma.jobs import beats
from alma.jobs.broker import oldest_waiting
from alma.jobs.findings import MOST, Finding, breach, breaches
from alma.jobs.kinds import job_kind
from alma.jobs.leases import free
from alma.jobs.models import Beat, Job, Step
from alma.jobs.services import SAME_TIME

STANDING = timedelta(seconds=60)
"""How long an active job may be without a lease and without anybody being asked to take it."""


def streams() -> Iterator[Finding]:
    """Each stream counts 1, 2, 3 … to its last number, without a gap."""
    told = Stream.objects.annotate(count=Count("events"), first=Min("events__seq"), last=Max("events__seq"))
    is_whole = Q(count=F("last_seq"), last=F("last_seq"), first=1) | Q(count=0, last_seq=0)
    names = told.exclude(is_whole).values_list("name", flat=True)[:MOST]
    yield from breaches("EVENT_GAP", names, "Events of this stream are missing or numbered twice.")


def ended_jobs() -> Iterator[Finding]:
    """Whoever has ended holds nothing, has nothing in flight, and says why it failed."""
    ended = Job.objects.exclude(state__in=Job.OPEN)
    steps = Step.objects.filter(job=OuterRef("pk"))
    rules = (
        ("LEASE_OUTLIVES_JOB", ended.exclude(lease_until=None), "It has ended and is still leased."),
        (
            "STEP_OUTLIVES_JOB",
            ended.filter(Exists(steps.filter(state=Step.State.RUNNING))),
            "It has ended and a step of it is still running.",
        ),
        ("SILENT_FAILURE", ended.filter(state=Job.State.FAILED, error__isnull=True), "It failed and does not say why."),
        (
            "FALSE_SUCCESS",
            ended.filter(state=Job.State.COMPLETED).filter(Exists(steps.exclude(state__in=Step.DONE))),
            "It says completed, and a step of it is not done.",
        ),
        (
            "UNPROVEN_SUCCESS",
            ended.filter(state=Job.State.COMPLETED).filter(
                Exists(steps.filter(state__in=[Step.State.SUCCEEDED, Step.State.WARNED], evidence={}))
            ),
            "It says completed, and a step of it shows nothing that was read back.",
        ),
    )
    for code, rows, message in rules:
        yield from breaches(code, rows[:MOST], message)


def closing_events() -> Iterator[Finding]:
    """What the last job of a stream ended with is told as the last event."""
    followed = Job.objects.filter(stream=OuterRef("stream"), pk__gt=OuterRef("pk"))
    ended = Job.objects.exclude(state__in=Job.OPEN).exclude(Exists(followed))
    last = Event.objects.filter(stream__name=OuterRef("stream")).order_by("-seq")
    for job in ended.annotate(last=last.values("kind")[:1]).order_by("-pk")[:1000]:
        if job.last != job_kind(job.kind).event(job, job.state):
            yield breach("NO_CLOSING_EVENT", job, f"It is {job.state}, and the last thing told of it is {job.last}.")


def progress() -> Iterator[Finding]:
    """No active job stands still: it is leased, due later, or somebody was asked to take it."""
    long_ago = Now() - STANDING
    due = Job.objects.active().filter(free(), Q(due_at=None) | Q(due_at__lt=long_ago), created_at__lt=long_ago)
    still = due.filter(Q(kicked_at=None) | Q(kicked_at__lt=long_ago)).filter(
        Q(lease_until=None) | Q(lease_until__lt=long_ago)
    )
    if (oldest := oldest_waiting()) and Beat.objects.filter(name=beats.WORKER, at__gt=long_ago).exists():
        still = still.exclude(kicked_at__gte=oldest - SAME_TIME)  # it waits in a queue that moves
    yield from breaches("STANDS_STILL", still[:MOST], "Nobody works on it; is the reconciler running?")
