"""What can be done with assistants: create, change, delete. Each tells the event log."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.errors import Invalid, NotFound, Refused
from alma.events.services import emit
from alma.outbound import parse
from blueprints.models import Assistant
from blueprints.tools import NAMES as TOOLS

READ, WRITE = "tool:read", "tool:write"


def not_found() -> NotFound:
    """The error for an assistant that is not there, or not there for this actor."""
    return NotFound("Agent not found", code="AGENT_NOT_FOUND")


def create(*, by: Actor, name: str, **values: Any) -> Assistant:
    """A new assistant; `values` are fields of its row. Raises Refused, Invalid."""
    by.require(WRITE)
    if by.organization_id is None:
        raise Refused("You belong to no organization yet, so there is nowhere to put an assistant.")
    assistant = Assistant(organization_id=by.organization_id, name=name, created_by=by.label, **values)
    _check(assistant)
    with transaction.atomic():
        assistant.save()
        _tell(assistant, "created", by)
    return assistant


def change(assistant: Assistant, changes: Mapping[str, Any], *, by: Actor) -> Assistant:
    """Set the fields that are given, and only them. Raises Refused, NotFound, Invalid."""
    by.require(WRITE)
    with transaction.atomic():
        row = _held(assistant, by=by)
        changed = sorted(name for name, value in changes.items() if getattr(row, name) != value)
        if changed:
            for name in changed:
                setattr(row, name, changes[name])
            _check(row)
            row.updated_at = timezone.now()
            row.save(update_fields=[*changed, "updated_at"])
            _tell(row, "updated", by, fields=changed)
    return row


def delete(assistant: Assistant, *, by: Actor) -> Assistant:
    """Hide an assistant; what it was asked stays. Deleting it again changes nothing. Raises Refused."""
    by.require(WRITE)
    with transaction.atomic():
        row = Assistant.objects.select_for_update().get(pk=assistant.pk)
        if row.deleted_at is None:
            row.deleted_at = row.updated_at = timezone.now()
            row.save(update_fields=["deleted_at", "updated_at"])
            _tell(row, "deleted", by)
    return row


def _held(assistant: Assistant, *, by: Actor) -> Assistant:
    row = Assistant.objects.select_for_update().visible_to(by).filter(pk=assistant.pk).first()
    if row is None:
        raise not_found()
    return row


def _check(assistant: Assistant) -> None:
    """Where the model is, is said once; a server elsewhere is none of our own network. Raises Invalid."""
    if assistant.model and assistant.endpoint:
        message = "an agent has a model of this installation or an endpoint elsewhere, not both"
        raise Invalid(f"endpoint: {message}.", details=[{"field": "endpoint", "message": message}])
    if unknown := sorted(set(assistant.tools) - set(TOOLS)):
        message = f"there are no tools named {', '.join(unknown)[:200]}"
        raise Invalid(f"allowedTools: {message}.", details=[{"field": "allowedTools", "message": message}])
    if assistant.endpoint:
        parse(assistant.endpoint)


def _tell(assistant: Assistant, what: str, by: Actor, **data: Any) -> None:
    emit(
        assistant.stream, f"agent.{what}", organization_id=assistant.organization_id, actor=by.label,
        agent=str(assistant.uid), name=assistant.name, **data,
    )  # fmt: skip
