"""The page of one job: its steps with what was read back, its log, and what may be done about it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator

from alma.accounts.actors import Actor
from alma.jobs.kinds import job_kind
from alma.jobs.models import Job, Step
from alma.jobs.pages.listing import rows_of
from alma.jobs.telling import events_of, line_of

STEPS_PER_PAGE = 50
MOST_LINES = 200
MOST_LETTERS = 6_000
MOST_SEQ = 10**15
_TONES = {Job.State.COMPLETED: "ok", Job.State.FAILED: "bad", Job.State.CANCELLED: "neutral"}
_TAKING_BACK = "The proposal that it waits for is withdrawn with it. Nothing has been touched."


@dataclass(frozen=True)
class Cancelling:
    """Stopping a job: what it means, and why it cannot be done, empty when it can."""

    meaning: str
    reason: str = ""


@dataclass(frozen=True)
class StepLine:
    """A step, and what was read back as people can read it."""

    step: Step
    evidence: str


def job_context(job: Job, actor: Actor, params: Mapping[str, str]) -> dict[str, Any]:
    """Everything but the log."""
    row = rows_of([job])[0]
    page = Paginator(job.steps.defer("params", "journal"), STEPS_PER_PAGE).get_page(params.get("page"))
    return {
        "job": job, "row": row, "page": page, "steps": [StepLine(step, _readable(step.evidence)) for step in page],
        "tone": _TONES.get(Job.State(job.state), ""), "cancelling": _cancelling(job, actor),
        "error": _error(job),
    }  # fmt: skip


def _error(job: Job) -> dict[str, Any] | None:
    """What ended it, with the step that failed, if one did."""
    if not job.error:
        return None
    failed = job.steps.filter(state=Step.State.FAILED).order_by("ordinal").first()
    message = str(job.error.get("message", ""))
    title = message if failed is None or message.startswith(failed.title) else f"{failed.title}: {message}"
    return {"code": job.error.get("code", ""), "message": message, "title": title, "step": failed}


def _readable(evidence: dict[str, Any]) -> str:
    """Lines of JSON, cut off where they would fill the page."""
    text = json.dumps(evidence, indent=2, sort_keys=True, ensure_ascii=False) if evidence else ""
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}\n… {len(text) - MOST_LETTERS} more letters"


def _cancelling(job: Job, actor: Actor) -> Cancelling | None:
    """None for a job that has ended, or that was asked to stop already."""
    if not job.is_open or job.cancel_requested_at is not None or job.kind not in settings.ALMA_JOB_KINDS:
        return None
    kind = job_kind(job.kind)
    if not kind.is_cancellable:
        return Cancelling("Jobs of this kind end by themselves; they cannot be cancelled.", "It ends by itself.")
    lacking = next((right for right in kind.stopping_needs if not actor.has(right)), "")
    meaning = _TAKING_BACK if job.state == Job.State.WAITING else kind.stopping
    return Cancelling(meaning, f"This needs the right {lacking}, which you do not have." if lacking else "")


def log_context(job: Job, actor: Actor, *, after: int | None = None, before: int | None = None) -> dict[str, Any]:
    """The lines after a place in the stream, those before one, or the newest."""
    rows = events_of(job, by=actor)
    if after is not None:
        events = list(rows.filter(seq__gt=after).order_by("seq")[:MOST_LINES])
    else:
        older = rows.filter(seq__lt=before) if before is not None else rows
        events = list(reversed(older.order_by("-seq")[:MOST_LINES]))
    return {
        "lines": [line for line in map(line_of, events) if line], "is_tail": before is None, "is_full": len(events) == MOST_LINES,
        "last_seq": events[-1].seq if events else (after or 0), "first_seq": events[0].seq if events else 0,
    }  # fmt: skip


def seq_of(params: Mapping[str, str], name: str) -> int | None:
    """A place in the log from a query string; nonsense is none."""
    given = params.get(name, "")
    return min(int(given), MOST_SEQ) if given.isascii() and given.isdigit() and len(given) < 19 else None
