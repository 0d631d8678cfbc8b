"""The tray of the shell."""

from typing import Any

from alma.accounts.actors import Actor
from alma.jobs import tray
from alma.jobs.kinds import topics
from alma.jobs.pages.listing import rows_of


def tray_context(actor: Actor) -> dict[str, Any]:
    """What runs, what failed and is unread, and what has just ended, each with its rows; how far all are is one query."""
    sorts = {
        "active": tray.shown(tray.active(actor).order_by("-pk"), tray.MOST_ACTIVE),
        "unread": tray.shown(tray.unread(actor).order_by("-finished_at", "-pk"), tray.MOST_UNREAD),
        "ended": tray.shown(tray.ended(actor), tray.MOST_ENDED),
    }
    rows = {row.job.pk: row for row in rows_of(job for sort in sorts.values() for job in sort.jobs)}
    found = {name: [rows[job.pk] for job in sort.jobs] for name, sort in sorts.items()}
    return {**found, "has_more": {name: sort.has_more for name, sort in sorts.items()}, "topics": topics()}
