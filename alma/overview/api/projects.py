"""`/api/v1/projects`: groups of blueprints with a monthly budget."""

from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from alma.accounts.models import Project
from alma.api.authentication import actor_of
from alma.api.bodies import read_body
from alma.api.dialects import ALUMIA
from alma.api.endpoints import Endpoint
from alma.api.paging import paginate
from alma.api.schema import listing_of, page_parameters
from alma.overview.api.project_bodies import (
    Placement,
    ProjectBlueprint,
    ProjectBody,
    ProjectCreate,
    ProjectDeleted,
    ProjectPatch,
)
from blueprints import projects, services
from blueprints.models import Blueprint
from blueprints.pricing.book import price_list
from iprs.budgets import committed

PROJECT_ID = OpenApiParameter("project_id", str, OpenApiParameter.PATH, description="UUID of the project")
BLUEPRINT_ID = OpenApiParameter("blueprint_id", int, OpenApiParameter.PATH, description="ID of the blueprint")
_EXAMPLE = OpenApiExample(
    "With a budget", request_only=True, value={"name": "Web shop", "slug": "web-shop", "monthlyBudget": 500}
)


def project_body(project: Project, spent: Decimal, currency: str) -> dict[str, Any]:
    """A project as clients read it; it was counted by `_counted`."""
    return {
        "id": ALUMIA.ids.write("project", project.public_id),
        "slug": project.slug, "name": project.name, "description": project.description, "currency": currency,
        "monthlyBudget": None if project.monthly_budget is None else float(project.monthly_budget),
        "monthlyCommitted": float(spent),
        "blueprintCount": project.blueprint_count,  # type: ignore[attr-defined]
        "metadata": project.metadata, "settings": project.settings,
        "createdAt": project.created_at, "updatedAt": project.updated_at,
    }  # fmt: skip


def _counted(rows: QuerySet[Project]) -> QuerySet[Project]:
    living = Count("blueprints", filter=Q(blueprints__deleted_at=None))
    return rows.annotate(blueprint_count=living)


def _find(request: Request, project_id: str, *, deleted: bool = False) -> Project:
    """The project of an id, if the actor may see it. Raises NotFound."""
    public_id = ALUMIA.ids.read("project", project_id)
    actor = actor_of(request)
    if deleted:
        rows = Project.objects.filter(organization_id=actor.organization_id or 0)
    else:
        rows = Project.objects.visible_to(actor)
    project = _counted(rows).filter(public_id=public_id).first()
    if project is None:
        raise projects.not_found(public_id)
    return project


def _written(project: Project, request: Request) -> dict[str, Any]:
    return _read(_find(request, str(project.public_id)))


def _read(row: Project) -> dict[str, Any]:
    prices = price_list(row.organization_id)
    return project_body(row, committed([row], prices)[row.pk], prices.currency)


class ProjectList(Endpoint):
    """`/api/v1/projects`."""

    dialect = ALUMIA
    scopes = {"GET": "blueprint:read", "POST": projects.SETTLE}

    @extend_schema(
        operation_id="projects_list", parameters=page_parameters(ALUMIA),
        responses={200: listing_of(ALUMIA, ProjectBody, "items")}, tags=["projects"],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List projects by slug."""
        rows = _counted(Project.objects.visible_to(actor_of(request))).order_by("slug")
        page = paginate(request, rows, lambda row: row)
        prices = price_list(actor_of(request).organization_id)
        spent = committed(page.rows, prices)
        page.rows[:] = [project_body(row, spent[row.pk], prices.currency) for row in page.rows]
        return Response(page)

    @extend_schema(
        operation_id="projects_create", request=ProjectCreate, responses={201: ProjectBody},
        examples=[_EXAMPLE], tags=["projects"],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Create a project."""
        values = read_body(ProjectCreate, request).model_dump()
        project = projects.create(by=actor_of(request), **{**values, "slug": values["slug"] or ""})
        headers = {"Location": f"/api/v1/projects/{project.public_id}"}
        return Response(_written(project, request), status=201, headers=headers)


class ProjectDetail(Endpoint):
    """`/api/v1/projects/{project_id}`."""

    dialect = ALUMIA
    scopes = {"GET": "blueprint:read", "PATCH": projects.SETTLE, "DELETE": projects.SETTLE}

    @extend_schema(
        operation_id="projects_get", parameters=[PROJECT_ID], responses={200: ProjectBody}, tags=["projects"]
    )
    def get(self, request: Request, project_id: str) -> Response:
        """One project."""
        return Response(_read(_find(request, project_id)))

    @extend_schema(
        operation_id="projects_patch", parameters=[PROJECT_ID], request=ProjectPatch, responses={200: ProjectBody},
        examples=[OpenApiExample("Another budget", request_only=True, value={"monthlyBudget": 750})], tags=["projects"],
    )  # fmt: skip
    def patch(self, request: Request, project_id: str) -> Response:
        """Change the fields that are given."""
        project = _find(request, project_id)
        changes = read_body(ProjectPatch, request).changes()
        return Response(_written(projects.change(project, changes, by=actor_of(request)), request))

    @extend_schema(
        operation_id="projects_delete", parameters=[PROJECT_ID], responses={200: ProjectDeleted}, tags=["projects"]
    )
    def delete(self, request: Request, project_id: str) -> Response:
        """Delete a project; its blueprints stay and belong to none. Deleting it again says the same."""
        row = projects.delete(_find(request, project_id, deleted=True), by=actor_of(request))
        return Response({"id": str(row.public_id), "deletedAt": row.deleted_at})


class ProjectBlueprints(Endpoint):
    """`/api/v1/projects/{project_id}/blueprints`."""

    dialect = ALUMIA
    scopes = {"GET": "blueprint:read", "POST": projects.PLACE}

    @extend_schema(
        operation_id="projects_blueprints_list", parameters=[PROJECT_ID, *page_parameters(ALUMIA)],
        responses={200: listing_of(ALUMIA, ProjectBlueprint, "items")}, tags=["projects"],
    )  # fmt: skip
    def get(self, request: Request, project_id: str) -> Response:
        """List the blueprints of a project by id."""
        rows = Blueprint.objects.visible_to(actor_of(request)).filter(project=_find(request, project_id))
        return Response(paginate(request, rows.order_by("id"), _placed))

    @extend_schema(
        operation_id="projects_blueprints_add", parameters=[PROJECT_ID], request=Placement,
        responses={201: ProjectBlueprint}, tags=["projects"],
    )  # fmt: skip
    def post(self, request: Request, project_id: str) -> Response:
        """Put a blueprint into a project. Its deployments count against the budget from now on."""
        project = _find(request, project_id)
        blueprint = _blueprint(request, read_body(Placement, request).blueprint_id)
        projects.place(blueprint, project, by=actor_of(request))
        return Response(_placed(blueprint), status=201)


class ProjectBlueprintDetail(Endpoint):
    """`/api/v1/projects/{project_id}/blueprints/{blueprint_id}`."""

    dialect = ALUMIA
    scopes = {"DELETE": projects.SETTLE}

    @extend_schema(
        operation_id="projects_blueprints_remove", parameters=[PROJECT_ID, BLUEPRINT_ID], responses={204: None},
        tags=["projects"],
    )  # fmt: skip
    def delete(self, request: Request, project_id: str, blueprint_id: str) -> Response:
        """Take a blueprint out of a project."""
        project = _find(request, project_id)
        projects.release(_blueprint(request, int(blueprint_id)), project, by=actor_of(request))
        return Response(status=204)


def _blueprint(request: Request, pk: int) -> Blueprint:
    row = Blueprint.objects.visible_to(actor_of(request)).filter(pk=pk).first()
    if row is None:
        raise services.not_found(pk)
    return row


def _placed(row: Blueprint) -> dict[str, Any]:
    return {
        "blueprintId": row.pk, "name": row.name, "version": row.version, "revision": row.revision_number,
        "updatedAt": row.updated_at,
    }  # fmt: skip
