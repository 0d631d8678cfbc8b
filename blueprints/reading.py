"""Reading blueprints for the API: no models are built, and stored JSON passes through as it lies in the database."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import orjson
from django.db.models import F, QuerySet, Subquery, TextField
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.statements import Statement
from blueprints.landmarks import Landmarks
from blueprints.models import Blueprint, BlueprintQuerySet, BlueprintRevision, Removals

SETTLED = timedelta(minutes=1)
landmarks = Landmarks()

_PLAIN = ("id", "version", "name", "description", "created_by", "revision_number")
_STORED = ("resources", "metadata", "created_at", "updated_at")
Row = Sequence[Any]


def listed(actor: Actor, window: slice) -> list[dict[str, Any]]:
    """A page of what the actor sees, by id; as quick far into the list as at its start."""
    if actor.organization_id is None:
        return []
    return [_body(*row) for row in _page(actor.organization_id, window.start, window.stop - window.start)]


def found(actor: Actor, pk: int) -> dict[str, Any] | None:
    """One blueprint that the actor sees."""
    if actor.organization_id is None:
        return None
    return next((_body(*row) for row in _ONE(organization_id=actor.organization_id, pk=pk)), None)


def revision_rows(revisions: QuerySet[BlueprintRevision]) -> list[dict[str, Any]]:
    """Revisions with their documents passed through."""
    text = Cast(F("document"), TextField())
    names = ("number", "digest", "created_by", "created_at")
    rows = revisions.annotate(document_text=text).values_list(*names, "document_text")
    return [{**dict(zip(names, plain, strict=True)), "document": orjson.Fragment(text)} for *plain, text in rows]


def _page(organization_id: int, skip: int, limit: int) -> list[Row]:
    removals, position, first = landmarks.nearest(organization_id, skip)
    rows = _PAGE(organization_id=organization_id, first=first, skip=skip - position, limit=limit)
    if rows and position and rows[0][-1] != removals:
        rows = _PAGE(organization_id=organization_id, first=0, skip=skip, limit=limit)
    if rows and skip and _is_settled(rows[0]):
        landmarks.learn(organization_id, rows[0][-1], skip, rows[0][0])
    return rows


def _is_settled(row: Row) -> bool:
    """Whether no row with a smaller id can still appear: ids are given before a transaction commits."""
    return _time(row[-3]) < (timezone.now() - SETTLED).strftime("%Y-%m-%dT%H:%M:%SZ")


def _visible(organization_id: int) -> BlueprintQuerySet:
    """What an actor sees depends on their organization alone, so that one statement serves all of them."""
    return Blueprint.objects.visible_to(Actor(organization_id, ""))


def _flat(blueprints: QuerySet[Blueprint], organization_id: int) -> QuerySet[Any, Any]:
    """Columns in the order of `_body`."""
    texts = {f"{name}_text": Cast(F(name), TextField()) for name in _STORED}
    removals = Removals.objects.filter(organization_id=organization_id).values("number")
    rows = blueprints.annotate(**texts, removals=Coalesce(Subquery(removals), 0))
    return rows.values_list(*_PLAIN, *texts, "removals")


def _page_of(organization_id: int, first: int, skip: int, limit: int) -> QuerySet[Any, Any]:
    rows = _visible(organization_id).filter(id__gte=first)
    return _flat(rows.page(slice(skip, skip + limit)), organization_id)


def _one_of(organization_id: int, pk: int) -> QuerySet[Any, Any]:
    return _flat(_visible(organization_id).filter(pk=pk), organization_id)


_PAGE = Statement(_page_of, "organization_id", "first", "skip", "limit", many=True)
_ONE = Statement(_one_of, "organization_id", "pk")


def _body(
    pk: int, version: str, name: str, description: str, author: str, revision: int, *stored: Any
) -> dict[str, Any]:
    resources, metadata, created_at, updated_at, _ = stored
    return {
        "id": pk,
        "version": version,
        "name": name,
        "description": description,
        "resources": orjson.Fragment(resources),
        "metadata": orjson.Fragment(metadata),
        "created_at": _time(created_at),
        "updated_at": _time(updated_at),
        "created_by": author,
        "revision": revision,
    }


def _time(text: str) -> str:
    """A stored time as the document writes it. Connections speak UTC, and every database begins `2025-11-16 10:30:00`."""
    return f"{text[:10]}T{text[11:19]}Z"
