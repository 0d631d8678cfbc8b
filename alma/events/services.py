"""Writing to the event log."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from alma.events import doorbell
from alma.events.models import Event, Stream
from alma.events.webhooks.queueing import queue_deliveries

Told = tuple[str, dict[str, Any]]
"""An event to be: its kind and its data. An `id` in there names what it is about, where its stream is about more."""
LONGEST_NAME = 80


def emit(stream: str, kind: str, /, *, organization_id: int, actor: str = "", **data: Any) -> Event:
    """Append an event, in the caller's transaction, and ring for its readers once that is committed.

    The stream's row stays locked until then, so numbers have no gaps and nobody sees 8 before 7.
    """
    return emit_all(stream, [(kind, data)], organization_id=organization_id, actor=actor)[0]


@transaction.atomic
def emit_all(stream: str, told: Sequence[Told], *, organization_id: int, actor: str = "") -> list[Event]:
    """Append several events of one stream in their order, at the cost of one."""
    row = _locked(stream, organization_id)
    now = timezone.now()
    events = [
        Event(stream=row, seq=seq, kind=kind, data=data, actor=actor, at=now, about=_about(data))
        for seq, (kind, data) in enumerate(told, start=row.last_seq + 1)
    ]
    row.last_seq += len(events)
    Stream.objects.filter(pk=row.pk).update(last_seq=row.last_seq, touched_at=now)
    Event.objects.bulk_create(events)
    for event in events:
        queue_deliveries(event, organization_id)
    transaction.on_commit(partial(doorbell.ring, doorbell.EVENTS, f"{stream}#{row.last_seq}"))
    return events


def _about(data: dict[str, Any]) -> str | None:
    name = data.get("id")
    return name[:LONGEST_NAME] if name and isinstance(name, str) else None


def _locked(stream: str, organization_id: int) -> Stream:
    rows = Stream.objects.select_for_update()
    found = next(iter(rows.filter(name=stream)), None)
    return found or rows.get_or_create(name=stream, defaults={"organization_id": organization_id})[0]
