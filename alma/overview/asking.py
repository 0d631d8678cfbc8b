"""What a query string asks the activity for, the same for the page and the API."""

from collections.abc import Mapping
from uuid import UUID

from alma.accounts.actors import Actor
from alma.accounts.models import Project
from alma.errors import BadRequest
from alma.overview.activity import Filters, is_kind
from blueprints.projects import not_found

NAMES = ("search", "kind", "agentId", "projectId", "machine")
LONGEST = 100
Query = Mapping[str, str]


def filters_of(query: Query, actor: Actor) -> Filters:
    """Raises BadRequest for what cannot be a filter, NotFound for a project that the actor does not see."""
    kind = _text(query, "kind")
    if kind and not is_kind(kind):
        raise BadRequest("kind must read like ipr or ipr.opened.")
    return Filters(
        kind=kind, agent=_uuid(query, "agentId"), project=_project(query, actor),
        machine=_text(query, "machine"), search=_text(query, "search"),
    )  # fmt: skip


def _text(query: Query, name: str) -> str:
    value = query.get(name, "").strip()
    if len(value) > LONGEST or "\0" in value:
        raise BadRequest(f"{name} must be text of at most {LONGEST} characters.")
    return value


def _uuid(query: Query, name: str) -> UUID | None:
    value = _text(query, name)
    if not value:
        return None
    try:
        return UUID(value)
    except ValueError as error:
        raise BadRequest(f"{name} must be a UUID.") from error


def _project(query: Query, actor: Actor) -> Project | None:
    public_id = _uuid(query, "projectId")
    if public_id is None:
        return None
    project = Project.objects.visible_to(actor).filter(public_id=public_id).first()
    if project is None:
        raise not_found(public_id)
    return project
