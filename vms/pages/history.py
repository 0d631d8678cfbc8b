"""What happened to one machine, in words, the newest first."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from alma.accounts.actors import Actor
from alma.api.dialects import Page
from alma.api.paging import read_on
from alma.events.models import Event
from alma.templatetags.statuses import words_of
from vms.machines import public_id
from vms.models import Guest

PER_PAGE = 25
Data = Mapping[str, Any]
Look = tuple[str, str, str]
"""An icon, a tone and a sentence."""


@dataclass(frozen=True)
class Happened:
    """One line. `who` is empty for what the cluster showed by itself."""

    key: str
    at: datetime
    who: str
    icon: str
    tone: str
    words: str
    job: str


class History:
    """The events of a machine on the stream of its cluster, from where the cursor says."""

    def __init__(self, guest: Guest, actor: Actor, cursor: str = "") -> None:
        self.guest = guest
        self.actor = actor
        self.cursor = cursor

    @cached_property
    def page(self) -> Page:
        """The part that the cursor names."""
        rows = Event.objects.visible_to(self.actor).filter(
            stream__name=self.guest.cluster.stream, kind__startswith="vm.", about=public_id(self.guest)
        )
        place = ("history of a machine", self.actor.organization_id, self.guest.pk)
        return read_on(rows.order_by("-at", "-pk"), self.cursor, PER_PAGE, *place)

    @cached_property
    def lines(self) -> list[Happened]:
        """That part in words."""
        return [_line(event) for event in self.page.rows]


def _line(event: Event) -> Happened:
    icon, tone, words = _WORDS.get(event.kind, _other(event.kind))(event.data)
    return Happened(f"event-{event.pk}", event.at, event.actor, icon, tone, words, str(event.data.get("job", "")))


def _other(kind: str) -> Callable[[Data], Look]:
    return lambda data: ("info", "neutral", f"{words_of(kind.partition('.')[2])}.")


def _always(icon: str, tone: str, words: str) -> Callable[[Data], Look]:
    return lambda data: (icon, tone, words)


def _status(data: Data) -> Look:
    now, was = str(data.get("status", "")), str(data.get("was", ""))
    icons = {"running": ("play", "ok"), "stopped": ("stop", "neutral"), "paused": ("pause", "warn")}
    icon, tone = icons.get(now, ("info", "neutral"))
    return icon, tone, f"It is {now}; it was {was}." if was else f"It is {now}."


def _drifted(data: Data) -> Look:
    kinds = {"gone": "It is gone from the cluster.", "unmarked": "Its mark is gone."}
    fields = ", ".join(str(change.get("field", "")) for change in data.get("changes", ()))
    return "alert", "warn", kinds.get(str(data.get("drift")), f"Somebody changed it outside ALMA: {fields}.")


_WORDS: Mapping[str, Callable[[Data], Look]] = {
    "vm.created": _always("plus", "ok", "It is there."),
    "vm.deleted": _always("trash", "warn", "It is no longer there."),
    "vm.status_changed": _status,
    "vm.moved": lambda data: (
        "cluster",
        "neutral",
        f"It was moved from {data.get('was', '')} to {data.get('node', '')}.",
    ),
    "vm.console_opened": lambda data: ("terminal", "neutral", f"A console ({data.get('console', '')}) was asked for."),
    "vm.drifted": _drifted,
    "vm.drift_settled": lambda data: ("ring-check", "ok", f"No drift any more: {data.get('why', '')}."),
}
