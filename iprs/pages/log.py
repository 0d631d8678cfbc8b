"""The log of a deployment: the events of its stream, one line each."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alma.events.models import Event
from iprs.models import Deployment
from iprs.telling import run_words

LINES = 500


@dataclass(frozen=True)
class LogLine:
    """One line of the log."""

    seq: int
    at: datetime
    level: str
    text: str


def log_context(deployment: Deployment, *, after: int | None = None, before: int | None = None) -> dict[str, Any]:
    """The lines after a seq, those before one, or the newest page."""
    rows = Event.objects.filter(stream__name=deployment.job.stream)
    if after is not None:
        events = list(rows.filter(seq__gt=after).order_by("seq")[:LINES])
    else:
        older = rows.filter(seq__lt=before) if before is not None else rows
        events = list(reversed(older.order_by("-seq")[:LINES]))
    lines = [_line(event) for event in events]
    return {
        "lines": lines,
        "last_seq": lines[-1].seq if lines else (after or 0),
        "first_seq": lines[0].seq if lines else 0,
        "has_earlier": bool(lines) and lines[0].seq > 1,
        "is_tail": before is None,
        "is_full": len(lines) == LINES,
    }


def _line(event: Event) -> LogLine:
    level, text = run_words(event.kind, event.data)
    by = f" by {event.actor}" if event.actor else ""
    return LogLine(event.seq, event.at, level, f"{text}{by}")
