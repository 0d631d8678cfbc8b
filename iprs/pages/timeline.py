"""What happened to an IPR, oldest first: events of its stream, and what people said."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from alma.events.models import Event
from iprs.gates import Verdict
from iprs.models import IPR, Review
from iprs.telling import Line, ipr_line

LONGEST = 200
_TOLD_BY_REVIEWS = ("ipr.reviewed", "ipr.commented", "ipr.rejected", "ipr.changes_requested")
_LOOKS = {
    Review.Action.APPROVE: Line("ring-check", "ok", "approved"),
    Review.Action.REJECT: Line("disc-x", "bad", "rejected"),
    Review.Action.REQUEST_CHANGES: Line("ring-minus", "warn", "requested changes"),
    Review.Action.COMMENT: Line("chat", "neutral", "commented"),
}


@dataclass(frozen=True)
class Entry:
    """One line of the timeline."""

    key: str
    at: datetime
    who: str
    line: Line
    text: str = ""
    note: str = ""
    url: str = ""
    is_person: bool = False
    is_verified: bool = True


def timeline(ipr: IPR, reviews: list[Review], judged: list[Verdict]) -> list[Entry]:
    """The latest entries, oldest first."""
    entries = [*map(_event, _events(ipr)), *(_review(row, judged, ipr) for row in reviews)]
    return sorted(entries, key=lambda entry: entry.at)[-LONGEST:]


def _events(ipr: IPR) -> list[Event]:
    rows = Event.objects.of(ipr.stream).exclude(kind__in=_TOLD_BY_REVIEWS).order_by("-seq")
    return list(rows[:LONGEST])


def _event(event: Event) -> Entry:
    run = event.data.get("deployment")
    url = reverse("iprs:deployment", args=[run]) if run else ""
    return Entry(f"event-{event.seq}", event.at, event.actor or "ALMA", ipr_line(event.kind, event.data), url=url)


def _review(review: Review, judged: list[Verdict], ipr: IPR) -> Entry:
    verdict = next((one for one in judged if one.review.pk == review.pk), None)
    note = verdict.reason if verdict else ""
    if verdict is None and review.action != Review.Action.COMMENT:
        note = "Replaced by a later verdict."
    if review.plan_id and review.plan_id != ipr.current_plan_id and not note:
        note = "Said of an earlier plan."
    return Entry(
        f"review-{review.pk}", review.created_at, review.reviewer, _LOOKS[Review.Action(review.action)],
        text=review.comments, note=note, is_person=True, is_verified=review.is_verified,
    )  # fmt: skip
