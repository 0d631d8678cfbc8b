"""Reading the event log for live listeners: synchronous, and each call is one or a few cheap queries."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from alma.events.models import Event, Stream

PAGE = 500
MOST_STREAMS = 5_000
_NAMES_PER_QUERY = 500


@dataclass(slots=True)
class EventRow:
    """An event as listeners get it. `frames` keeps what each renderer made of it, so that it is made once."""

    stream: str
    organization_id: int
    seq: int
    kind: str
    data: dict[str, Any]
    actor: str
    at: datetime
    frames: dict[Callable[..., Any], Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Head:
    """How far a stream has come."""

    id: int
    name: str
    organization_id: int
    seq: int


def heads_of(names: Sequence[str]) -> list[Head]:
    """The streams of these names that exist."""
    parts = (names[start : start + _NAMES_PER_QUERY] for start in range(0, len(names), _NAMES_PER_QUERY))
    return [head for part in parts for head in _heads(name__in=part)]


def heads_in(organization_id: int, prefix: str, since: datetime) -> list[Head]:
    """The streams of an organization whose name begins so and that were touched since a time: no more is read than what was
    touched since then, whoever's it is."""
    touched = _heads(name__startswith=prefix, touched_at__gte=since)
    return [head for head in touched if head.organization_id == organization_id]


def seqs_at(asked: Sequence[tuple[Head, datetime]]) -> dict[str, int]:
    """How far each stream had come at a time, by name. Passes over the rows that it has got since, and no others."""
    return {head.name: _seq_at(head, time) for head, time in asked}


def _seq_at(head: Head, time: datetime) -> int:
    rows = Event.objects.filter(stream_id=head.id, at__lt=time).order_by("-seq")
    return rows.values_list("seq", flat=True).first() or 0


def moved(names: Sequence[str], since: datetime) -> list[Head]:
    """The streams of these names and those that were touched since a time."""
    touched = list(_heads(MOST_STREAMS, touched_at__gte=since))
    seen = {head.name for head in touched}
    return [*touched, *heads_of([name for name in names if name not in seen])]


def newest(wanted: Sequence[tuple[Head, int]]) -> list[list[EventRow]]:
    """For each head the rows after a seq, the last page of them when there are more. The heads were read before:
    every row up to them is committed, so none can be missing."""
    return [rows_after(head, max(seq, head.seq - PAGE)) for head, seq in wanted]


def rows_after(head: Head, seq: int, limit: int = PAGE) -> list[EventRow]:
    """The next rows of a stream after a seq and up to its head, oldest first."""
    rows = Event.objects.filter(stream_id=head.id, seq__gt=seq, seq__lte=head.seq).order_by("seq")
    values = rows.values_list("seq", "kind", "data", "actor", "at")[:limit]
    return [EventRow(head.name, head.organization_id, *value) for value in values]


def _heads(limit: int | None = None, **criteria: Any) -> Iterator[Head]:
    rows = Stream.objects.filter(**criteria).order_by("-touched_at")[:limit]
    return (Head(*row) for row in rows.values_list("id", "name", "organization_id", "last_seq"))
