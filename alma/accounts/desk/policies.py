"""The rules of an organization: its name, and what each environment asks before a plan may run."""

from django.db import transaction

from alma.accounts.actors import Actor
from alma.accounts.desk.audit import hold, organization_of, tell
from alma.accounts.models import Environment, Organization
from alma.errors import Invalid, NotFound

WRITE = "policy:write"
ADMIN = "admin:write"
MOST_APPROVALS = 10


def environment_of(slug: str, *, by: Actor) -> Environment:
    """That environment of the actor's organization. Raises Refused, NotFound."""
    by.require("policy:read")
    row = Environment.objects.visible_to(by).filter(slug=slug).first()
    if row is None:
        raise NotFound("There is no such environment.", code="ENVIRONMENT_NOT_FOUND")
    return row


@transaction.atomic
def change_rule(environment: Environment, *, required_approvals: int, is_protected: bool, by: Actor) -> bool:
    """Set how many approvals a plan needs and whose count; every gate reads it anew. False when nothing changed.

    Raises Refused, Invalid."""
    by.require(WRITE)
    if not 0 <= required_approvals <= MOST_APPROVALS:
        words = f"required_approvals: must be 0 to {MOST_APPROVALS}."
        raise Invalid(words, details={"field": "required_approvals"})
    hold(organization_of(by))
    row = environment_of(environment.slug, by=by)
    was = {"required_approvals": row.required_approvals, "is_protected": row.is_protected}
    now = {"required_approvals": required_approvals, "is_protected": is_protected}
    if was == now:
        return False
    row.required_approvals, row.is_protected = required_approvals, is_protected
    row.save(update_fields=list(now))
    tell(row.organization_id, "policy.environment_changed", by=by, environment=row.slug, was=was, now=now)
    return True


@transaction.atomic
def rename(name: str, *, by: Actor) -> Organization:
    """Give the organization another name; its slug stays. Raises Refused, Invalid."""
    by.require(ADMIN)
    name = name.strip()
    if not name or len(name) > 100 or not name.isprintable():
        raise Invalid("name: must be 1 to 100 characters that can be seen.", details={"field": "name"})
    row = hold(organization_of(by))
    was, row.name = row.name, name
    if was != name:
        row.save(update_fields=["name"])
        tell(row.pk, "policy.organization_renamed", by=by, was=was, now=name)
    return row
