"""Jobs as the Proxmox AI document writes them.

Its clients ask again while `status` is `running`, so a job that waits for a worker or for people, or ends after a cancel,
is running as well; `phase` tells them apart."""

from datetime import datetime, timedelta
from typing import Any, Literal

from django.utils import timezone
from pydantic import BaseModel

from alma.accounts.actors import Actor
from alma.jobs.gate import decided_at
from alma.jobs.models import Job
from alma.jobs.progress import NONE, progress_of
from alma.jobs.telling import events_of, line_of

MOST_LOGS = 100
PAST_RUNS = 20
Status = Literal["running", "completed", "failed", "cancelled"]
Phase = Literal["waiting_approval", "queued", "executing", "cancelling", "ended"]


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
    """A job. `estimated_completion` follows from how far it is, or from how long such jobs took; null when nobody knows.
    `ipr_id` and `ipr_url` name the proposal that it waits for or belongs to, and are null for all others."""

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
    ipr_id: int | None
    ipr_url: str | None


class JobBody(JobRow):
    """A job with the newest lines of its log, oldest first."""

    logs: list[JobLine]


class OneJob(BaseModel):
    """A job."""

    job: JobBody


def rows_of(jobs: list[Job]) -> list[dict[str, Any]]:
    """Jobs of a list; how far all of them are is one query."""
    found = progress_of(job.pk for job in jobs)
    return [_row(job, found.get(job.pk, NONE).percentage) for job in jobs]


def body_of(job: Job, *, by: Actor) -> dict[str, Any]:
    """One job with its log."""
    row = _row(job, job.progress())
    if job.is_active and row["estimated_completion"] is None:
        row["estimated_completion"] = _as_before(job)
    return {**row, "logs": _logs(job, by)}


def _row(job: Job, share: int) -> dict[str, Any]:
    error = job.error or {}
    return {
        "id": job.public_id, "type": job.kind, "title": job.title, "status": "running" if job.is_open else job.state,
        "phase": _phase(job), "progress": 100 if job.state == Job.State.COMPLETED else share, "started_at": job.started_at,
        "estimated_completion": _by_progress(job, share), "created_at": job.created_at, "completed_at": job.finished_at,
        "created_by": job.created_by,
        "error": {"code": error.get("code", ""), "message": error.get("message", "")} if error else None,
        **decided_at(job.params),
    }  # fmt: skip


def _phase(job: Job) -> Phase:
    if job.state == Job.State.WAITING:
        return "waiting_approval"
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
    """The newest lines of this run."""
    newest = events_of(job, by=by).order_by("-seq")[:MOST_LOGS]
    lines = [line for line in map(line_of, newest) if line]
    return [{"timestamp": line.at, "level": line.level, "message": line.text} for line in reversed(lines)]
