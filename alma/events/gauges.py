"""How busy the live events of this process are. Asked from threads: what is read here is read at one look."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from alma.events.admission import _doormen
from alma.events.hub import _hubs
from alma.events.models import Stream

RECENT = timedelta(minutes=5)
MOST_STREAMS = 5_000


@dataclass(frozen=True)
class Lag:
    """How far the log is ahead of the hub."""

    events: int
    seconds: float


def open_sockets() -> int:
    """Sockets that were let in and have not left."""
    return sum(len(doorman.guests) for doorman in list(_doormen.values()))


def lag() -> Lag:
    """What was written to the streams that the hub knows and that it has not read; none while nobody listens."""
    seqs = {name: feed.seq for hub in list(_hubs.values()) if hub.subscribers for name, feed in list(hub.feeds.items())}
    if not seqs:
        return Lag(0, 0.0)
    now = timezone.now()
    touched = Stream.objects.filter(touched_at__gte=now - RECENT).order_by("-touched_at")
    rows = touched.values_list("name", "last_seq", "touched_at")[:MOST_STREAMS]
    behind = [(seq - seqs[name], at) for name, seq, at in rows if seq > seqs.get(name, seq)]
    oldest = min((at for _, at in behind), default=now)
    return Lag(sum(number for number, _ in behind), max(0.0, (now - oldest).total_seconds()))
