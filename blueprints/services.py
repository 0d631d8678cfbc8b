"""What can be done with blueprints: create, update, patch, delete. Each writes a revision and an event, or nothing."""

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.module_loading import import_string

from alma.accounts.actors import Actor
from alma.accounts.models import Project
from alma.errors import Invalid, NotFound, Refused, WrongState
from alma.events.services import emit
from blueprints import counting
from blueprints.models import Blueprint, BlueprintRevision, Removals
from blueprints.schema import BlueprintDocument, parse_document

READ = "blueprint:read"
WRITE = "blueprint:write"


def as_document(data: object) -> BlueprintDocument:
    """The document in data that may be one already. Raises Invalid."""
    if isinstance(data, BlueprintDocument):
        return data
    try:
        return parse_document(data)
    except Invalid:
        counting.refused()
        raise


def not_found(public_id: object) -> NotFound:
    """The error for a blueprint that is not there, or not there for this actor."""
    return NotFound(f"Blueprint {str(public_id)[:40]} not found", code="BLUEPRINT_NOT_FOUND")


def create(data: object, *, by: Actor, project: Project | None = None) -> Blueprint:
    """Save a new blueprint with its first revision. Raises Invalid, Refused."""
    by.require(WRITE)
    if by.organization_id is None:
        raise Refused("You belong to no organization yet, so there is nowhere to put a blueprint.")
    document = as_document(data)
    blueprint = Blueprint(organization_id=by.organization_id, project=project, created_by=by.label)
    blueprint.show(document)
    with transaction.atomic():
        blueprint.save()
        _record(blueprint, document, "blueprint.created", by)
    return blueprint


def saved_alike(document: BlueprintDocument, *, by: Actor) -> Blueprint | None:
    """The newest blueprint whose current revision says the same. Raises Refused."""
    by.require(WRITE)
    alike = BlueprintRevision.objects.filter(
        digest=document.digest(), blueprint__in=Blueprint.objects.visible_to(by), number=F("blueprint__revision_number")
    )
    row = alike.select_related("blueprint").order_by("-blueprint_id").first()
    return row.blueprint if row else None


def update(blueprint: Blueprint, data: object, *, by: Actor, based_on: int | None = None) -> Blueprint:
    """Save another version; the same content again saves nothing.

    `based_on` is the revision that the author saw: a newer one by somebody else is not overwritten.
    Raises Invalid, Refused, NotFound, WrongState."""
    by.require(WRITE)
    document = as_document(data)
    with transaction.atomic():
        return _revise(hold(blueprint, by=by), document, by=by, based_on=based_on)


def patch(blueprint: Blueprint, changes: Mapping[str, Any], *, by: Actor) -> Blueprint:
    """Save another version made by a JSON merge patch (RFC 7396) of the current one. Raises as update does."""
    by.require(WRITE)
    with transaction.atomic():
        row = hold(blueprint, by=by)
        merged = merge_patch(row.current_revision().document, changes)
        return _revise(row, as_document(merged), by=by)


def merge_patch(target: object, changes: object) -> object:
    """RFC 7396: objects are merged key by key, null removes a key, everything else replaces."""
    if not isinstance(changes, Mapping):
        return changes
    merged = dict(target) if isinstance(target, Mapping) else {}
    for key, value in changes.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def delete(blueprint: Blueprint, *, by: Actor) -> None:
    """Hide a blueprint; its history stays. Raises Refused, NotFound, and WrongState while something uses it."""
    by.require(WRITE)
    with transaction.atomic():
        row = hold(blueprint, by=by)
        if reasons := uses(row):
            raise WrongState(
                f"{row.name} is in use: {'; '.join(reasons)}.", code="BLUEPRINT_IN_USE", details={"used_by": reasons}
            )
        row.deleted_at = timezone.now()
        row.save(update_fields=["deleted_at"])
        Removals.note(row.organization_id)
        emit(row.stream, "blueprint.deleted", organization_id=row.organization_id, actor=by.label, name=row.name)


def hold(blueprint: Blueprint, *, by: Actor) -> Blueprint:
    """The row as it is now, kept so until the caller's transaction ends. Raises NotFound when it is gone."""
    row = Blueprint.objects.select_for_update().visible_to(by).filter(pk=blueprint.pk).first()
    if row is None:
        raise not_found(blueprint.pk)
    return row


def uses(blueprint: Blueprint) -> list[str]:
    """Sentences about what uses a blueprint, from every app that registered a guard in ALMA_BLUEPRINT_GUARDS."""
    guards: list[Callable[[Blueprint], list[str]]] = [import_string(name) for name in settings.ALMA_BLUEPRINT_GUARDS]
    return [reason for guard in guards for reason in guard(blueprint)]


def _revise(row: Blueprint, document: BlueprintDocument, *, by: Actor, based_on: int | None = None) -> Blueprint:
    if row.current_revision().digest == document.digest():
        return row
    if based_on is not None and based_on != row.revision_number:
        raise WrongState(
            f"Somebody saved revision {row.revision_number} while you worked on revision {based_on}; compare them first.",
            code="BLUEPRINT_CHANGED",
        )
    row.show(document)
    row.revision_number += 1
    row.updated_at = timezone.now()
    row.save()
    _record(row, document, "blueprint.updated", by)
    return row


def _record(blueprint: Blueprint, document: BlueprintDocument, kind: str, by: Actor) -> None:
    """The revision and the event of a change, in its transaction."""
    BlueprintRevision.objects.create(
        blueprint=blueprint,
        number=blueprint.revision_number,
        document=document.as_dict(),
        digest=document.digest(),
        created_by=by.label,
        created_at=blueprint.updated_at,
    )
    emit(
        blueprint.stream,
        kind,
        organization_id=blueprint.organization_id,
        actor=by.label,
        blueprint_id=blueprint.pk,
        name=blueprint.name,
        revision=blueprint.revision_number,
    )
