"""What can be done with projects: create, change, delete, and put blueprints into them. Each tells the event log."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from alma.accounts.actors import Actor
from alma.accounts.models import Project
from alma.errors import Invalid, NotFound, Refused, WrongState
from alma.events.services import emit
from blueprints.models import Blueprint
from blueprints.services import hold

SETTLE = "policy:write"
"""A budget is a rule: who sets it may do more than who works under it."""
PLACE = "blueprint:write"


def not_found(public_id: object) -> NotFound:
    """The error for a project that is not there, or not there for this actor."""
    return NotFound("Project not found", code="PROJECT_NOT_FOUND")


def create(*, by: Actor, name: str, slug: str = "", **values: Any) -> Project:
    """A new project; without a slug it gets one from its name. Raises Refused, Invalid, WrongState."""
    by.require(SETTLE)
    if by.organization_id is None:
        raise Refused("You belong to no organization yet, so there is nowhere to put a project.")
    project = Project(organization_id=by.organization_id, name=name, slug=slug or _slug(name), **values)
    with transaction.atomic():
        _save(project)
        _tell(project, "created", by)
    return project


def _slug(name: str) -> str:
    slug = slugify(name)[:50].strip("-")
    if not slug:
        raise Invalid(
            "slug: cannot be made of this name; give one.", details=[{"field": "slug", "message": "is required"}]
        )
    return slug


def change(project: Project, changes: Mapping[str, Any], *, by: Actor) -> Project:
    """Set the fields that are given, and only them. Raises Refused, NotFound, WrongState."""
    by.require(SETTLE)
    with transaction.atomic():
        row = held(project, by=by)
        changed = sorted(name for name, value in changes.items() if getattr(row, name) != value)
        if changed:
            for name in changed:
                setattr(row, name, changes[name])
            row.updated_at = timezone.now()
            _save(row)
            _tell(row, "updated", by, fields=changed)
    return row


def delete(project: Project, *, by: Actor) -> Project:
    """Hide a project and set its blueprints free; deleting it again changes nothing. Raises Refused."""
    by.require(SETTLE)
    with transaction.atomic():
        row = Project.objects.select_for_update().get(pk=project.pk)
        if row.deleted_at is None:
            row.deleted_at = row.updated_at = timezone.now()
            row.save(update_fields=["deleted_at", "updated_at"])
            freed = row.blueprints.update(project=None)
            _tell(row, "deleted", by, blueprints=freed)
    return row


def place(blueprint: Blueprint, project: Project, *, by: Actor) -> None:
    """Put a blueprint into a project. Taking it out of another one, and its budget, is a decision on the rules.

    Raises Refused, NotFound."""
    by.require(PLACE)
    with transaction.atomic():
        into = held(project, by=by)
        row = hold(blueprint, by=by)
        if row.project_id == into.pk:
            return
        if row.project_id is not None:
            by.require(SETTLE)
        _move(row, into)
        _tell(into, "blueprint_added", by, blueprint_id=row.pk, blueprint=row.name)


def release(blueprint: Blueprint, project: Project, *, by: Actor) -> None:
    """Take a blueprint out of its project. Raises Refused, and NotFound when it is not in it."""
    by.require(SETTLE)
    with transaction.atomic():
        row = hold(blueprint, by=by)
        if row.project_id != project.pk:
            raise NotFound("This blueprint is not in this project", code="BLUEPRINT_NOT_FOUND")
        _move(row, None)
        _tell(project, "blueprint_removed", by, blueprint_id=row.pk, blueprint=row.name)


def _move(blueprint: Blueprint, project: Project | None) -> None:
    blueprint.project = project
    blueprint.save(update_fields=["project"])


def held(project: Project, *, by: Actor) -> Project:
    """The row as it is now, kept so until the caller's transaction ends. Raises NotFound when it is gone."""
    row = Project.objects.select_for_update().visible_to(by).filter(pk=project.pk).first()
    if row is None:
        raise not_found(project.public_id)
    return row


def _save(project: Project) -> None:
    try:
        with transaction.atomic():
            project.save()
    except IntegrityError as error:
        raise WrongState(f"There is a project with the slug {project.slug} already.", code="SLUG_TAKEN") from error


def _tell(project: Project, what: str, by: Actor, **data: Any) -> None:
    emit(
        f"project:{project.public_id}", f"project.{what}", organization_id=project.organization_id, actor=by.label,
        project=str(project.public_id), name=project.name, **data,
    )  # fmt: skip
