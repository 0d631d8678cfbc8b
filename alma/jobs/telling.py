"""Events of jobs as lines of a log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from alma.accounts.actors import Actor
from alma.events.models import Event
from alma.events.models.log import EventQuerySet
from alma.jobs.models import Job

_WORDS = {
    "queued": "Queued", "started": "Started", "completed": "Completed", "failed": "Failed", "cancelling": "Asked to stop",
    "cancelled": "Cancelled", "retried": "Taken up again",
}  # fmt: skip
_BAD = frozenset({"failed", "error"})
_LATE = timedelta(seconds=5)
"""How long after its end a job may still be told of."""


@dataclass(frozen=True)
class LogLine:
    """One line: its place in the stream, when, how bad, and what."""

    seq: int
    at: datetime
    level: str
    text: str


def events_of(job: Job, *, by: Actor) -> EventQuerySet:
    """What was told of this run; another one may be told on the same stream."""
    rows = Event.objects.visible_to(by).filter(stream__name=job.stream, at__gte=job.created_at)
    return rows if job.finished_at is None else rows.filter(at__lte=job.finished_at + _LATE)


def line_of(event: Event) -> LogLine | None:
    """An event in words, or None for one that says nothing which another line does not say."""
    what = event.kind.rpartition(".")[2]
    text, level = _words(what, event.data)
    return LogLine(event.seq, event.at, level, text) if text else None


def _words(what: str, data: Mapping[str, Any]) -> tuple[str, str]:
    """What the event was about stands before the last dot of its kind, `what` happened after it."""
    if "evidence" in data:
        return "", "info"  # the end of a resource; that of its last step stands before
    if "title" in data and "state" in data:
        what = data["state"]
        text = f"{data['title']}: {what.replace('_', ' ')}"
    else:
        text = str(data.get("message") or _WORDS.get(what, ""))
    return text, str(data.get("level") or ("error" if what in _BAD else "info"))
