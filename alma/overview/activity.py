"""The event log of an organization as one feed, narrowed by what it is about."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from alma.accounts.actors import Actor
from alma.accounts.models import Project
from alma.events.models import Event, Stream
from alma.overview.feed import WORDS, Entry, entry_of
from blueprints.models import Blueprint
from iprs.models import IPR, Deployment

LATEST = 20
KIND = re.compile(r"[a-z_]{1,30}(\.[a-z_]{1,30})?")
_SEARCHED = ("title", "name", "message", "reason", "key", "blueprint", "cluster", "comments")


@dataclass(frozen=True)
class Filters:
    """What to tell of; an empty one narrows nothing."""

    kind: str = ""
    agent: UUID | None = None
    project: Project | None = None
    machine: str = ""
    search: str = ""


def is_kind(text: str) -> bool:
    """Whether this can be the kind of an event, or the area of many."""
    return bool(KIND.fullmatch(text))


def activity(actor: Actor, filters: Filters) -> QuerySet[Event]:
    """The events that fit, newest first."""
    rows = Event.objects.visible_to(actor).filter(_kinds(filters))
    if filters.agent is not None:
        rows = rows.filter(data__agent=str(filters.agent))
    if filters.project is not None:
        rows = rows.filter(stream__in=_streams_of(filters.project))
    if filters.machine:
        rows = rows.filter(Q(data__name=filters.machine, kind__startswith="vm.") | Q(data__key=filters.machine))
    if filters.search:
        rows = rows.filter(_mentions(filters.search))
    return rows.select_related("stream").order_by("-at", "-pk")


def _kinds(filters: Filters) -> Q:
    """Steps and lines of logs are told to those alone who name their kind, or a machine."""
    if filters.kind:
        return Q(kind=filters.kind) if "." in filters.kind else Q(kind__startswith=f"{filters.kind}.")
    return Q() if filters.machine else Q(kind__in=WORDS)


def _mentions(words: str) -> Q:
    """Those whose names, titles or words hold this, or that were done by somebody of this name."""
    found = Q(kind__icontains=words) | Q(actor__icontains=words)
    for key in _SEARCHED:
        found |= Q(**{f"data__{key}__icontains": words})
    return found


def _streams_of(project: Project) -> QuerySet[Stream]:
    """Of the project itself, its blueprints, their IPRs and the deployments of those."""
    blueprints = Blueprint.objects.filter(project=project)
    requests = IPR.objects.filter(blueprint__in=blueprints)
    runs = Deployment.objects.filter(ipr__in=requests)
    is_theirs = (
        Q(name=f"project:{project.public_id}")
        | Q(name__in=_named("blueprint:", blueprints))
        | Q(name__in=_named("ipr:", requests))
        | Q(name__in=runs.order_by().values("job__stream"))
    )
    return Stream.objects.filter(is_theirs, organization_id=project.organization_id).order_by()


def _named(prefix: str, rows: QuerySet[Any]) -> QuerySet[Any]:
    name = Concat(Value(prefix), Cast(F("pk"), CharField()), output_field=CharField())
    return rows.order_by().annotate(stream_name=name).values("stream_name")


def latest(actor: Actor) -> list[Entry]:
    """The newest events that people care about; steps and log lines stay on their own pages."""
    return [entry_of(event, actor) for event in activity(actor, Filters())[:LATEST]]


def activity_body(event: Event, actor: Actor) -> dict[str, Any]:
    """One event as clients read it."""
    entry = entry_of(event, actor)
    return {
        "id": f"{event.stream.name}/{event.seq}", "kind": event.kind, "actor": entry.who,
        "message": entry.line.words, "target": entry.target, "tone": entry.line.tone, "createdAt": event.at,
    }  # fmt: skip
