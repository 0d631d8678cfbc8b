"""What is told of an organization's keys, members and rules."""

from typing import Any

from alma.accounts.actors import Actor
from alma.accounts.models import Organization
from alma.errors import Refused
from alma.events.services import emit


def organization_of(actor: Actor) -> int:
    """The organization that an actor manages. Raises Refused."""
    if actor.organization_id is None:
        raise Refused("You belong to no organization.", code="NO_ORGANIZATION")
    return actor.organization_id


def hold(organization_id: int) -> Organization:
    """The organization, locked: one change of its members, keys and rules at a time. Within a transaction."""
    return Organization.objects.select_for_update().get(pk=organization_id)


def tell(organization_id: int, kind: str, *, by: Actor, **data: Any) -> None:
    """An event of the organization, in the caller's transaction."""
    emit(f"organization:{organization_id}", kind, organization_id=organization_id, actor=by.label, **data)
