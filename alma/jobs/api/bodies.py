"""Jobs as the Proxmox AI document writes them.

Its clients ask again while `status` is `running`, so a job that waits for a worker, or ends after a cancel, is running as
well; `phase` tells them apart."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db.models import Q, Sum
from django.utils import timezone
from pydantic import BaseModel

from alma.accounts.actors import Actor
from alma.events.models import Event
from alma.jobs.models import Job, Step

MOST_LOGS = 100
PAST_RUNS = 20
Status = Literal["running", "completed", "failed", "cancelled"]
Phase = Literal["queued", "executing", "cancelling", "ended"]
_WORDS = {
    "started": "Started", "completed": "Completed", "failed": "Failed", "cancelling": "Asked to stop",
    "cancelled": "Cancelled", "retried": "Taken up again",
}  # fmt: skip
_BAD = frozenset({"failed", "error"})


class JobLine(BaseModel):
    """A line of the log."""

    timestamp: datetime
    level: str
    message: str


class JobError(BaseModel):
    """What ended it."""

    code: str
    message: str


class JobRow(BaseModel):
    """A job. `estimated_completion` follows from how far it is, or from how long such jobs took; null when nobody knows."""

    id: str
    type: str
    title: str
    status: Status
    phase: Phase
    progress: int
    started_at: datetime | None
    estimated_completion: datetime | None
    created_at: datetime
    completed_at: datetime | None
    created_by: str
    error: JobError | None


class JobBody(JobRow):
    """A job with the newest lines of its log, oldest first."""

    logs: list[JobLine]


class OneJob(BaseModel):
    """A job."""

    job: JobBody


def rows_of(jobs: list[Job]) -> list[dict[str, Any]]:
    """Jobs of a list; how far all of them are is one query."""
    shares = _shares(job.pk for job in jobs)
    return [_row(job, shares.get(job.pk, 0)) for job in jobs]


def body_of(job: Job, *, by: Actor) -> dict[str, Any]:
    """One job with its log."""
    row = _row(job, job.progress())
    if job.is_active and row["estimated_completion"] is None:
        row["estimated_completion"] = _as_before(job)
    return {**row, "logs": _logs(job, by)}


def _shares(pks: Iterable[int]) -> dict[int, int]:
    done = Sum("weight", filter=Q(state__in=Step.DONE), default=0)
    sums = Step.objects.filter(job_id__in=list(pks)).order_by().values("job_id").annotate(all=Sum("weight"), done=done)
    return {row["job_id"]: 100 * row["done"] // row["all"] if row["all"] else 0 for row in sums}


def _row(job: Job, share: int) -> dict[str, Any]:
    error = job.error or {}
    return {
        "id": job.public_id, "type": job.kind, "title": job.title, "status": "running" if job.is_active else job.state,
        "phase": _phase(job), "progress": 100 if job.state == Job.State.COMPLETED else share, "started_at": job.started_at,
        "estimated_completion": _by_progress(job, share), "created_at": job.created_at, "completed_at": job.finished_at,
        "created_by": job.created_by,
        "error": {"code": error.get("code", ""), "message": error.get("message", "")} if error else None,
    }  # fmt: skip


def _phase(job: Job) -> Phase:
    if not job.is_active:
        return "ended"
    if job.cancel_requested_at is not None:
        return "cancelling"
    return "queued" if job.state == Job.State.QUEUED else "executing"


def _by_progress(job: Job, share: int) -> datetime | None:
    """When it ends if it goes on as it went so far."""
    if not job.is_active or job.started_at is None or not 0 < share < 100:
        return None
    return job.started_at + (timezone.now() - job.started_at) * 100 / share


def _as_before(job: Job) -> datetime | None:
    """When it ends if it takes as long as the last jobs of its kind that ended well; None once that has passed."""
    rows = Job.objects.filter(organization_id=job.organization_id, kind=job.kind, state=Job.State.COMPLETED)
    times = rows.order_by("-pk").values_list("started_at", "finished_at")[:PAST_RUNS]
    took = [ended - began for began, ended in times if began and ended]
    if not took:
        return None
    end = (job.started_at or timezone.now()) + sum(took, timedelta()) / len(took)
    return end if end > timezone.now() else None


def _logs(job: Job, by: Actor) -> list[dict[str, Any]]:
    """The newest lines of this run; another run may be told on the same stream."""
    rows = Event.objects.visible_to(by).filter(stream__name=job.stream, at__gte=job.created_at)
    if job.finished_at is not None:
        rows = rows.filter(at__lte=job.finished_at + timedelta(seconds=5))
    newest = rows.order_by("-seq").values_list("at", "kind", "data")[:MOST_LOGS]
    lines = [_line(*row) for row in newest]
    return [line for line in reversed(lines) if line["message"]]


def _line(at: datetime, kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """An event as a line. What it was about stands before its last dot, what happened after it."""
    what = kind.rpartition(".")[2]
    if "evidence" in data:
        message = ""  # the end of a resource; that of its last step stands before
    elif "title" in data and "state" in data:
        message, what = f"{data['title']}: {data['state'].replace('_', ' ')}", data["state"]
    else:
        message = str(data.get("message") or _WORDS.get(what, ""))
    level = data.get("level") or ("error" if what in _BAD else "info")
    return {"timestamp": at, "level": level, "message": message}
