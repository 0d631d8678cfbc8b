"""Blueprints: list, create, read, replace, patch, delete, and their revisions."""

import orjson
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from alma.accounts.actors import Actor
from alma.api.dialects import ALMA
from alma.api.endpoints import Endpoint
from alma.api.paging import window
from alma.api.parsers import body_object
from alma.api.permissions import READS
from alma.api.renderers import dumps
from alma.api.schema import PAGE, array_of, refusals
from alma.errors import NotFound
from alma.remembering import remembered
from blueprints import examples, services
from blueprints.api.schema import BLUEPRINT_ID, NUMBER
from blueprints.models import Blueprint, BlueprintRevision
from blueprints.reading import found, listed, revision_rows
from blueprints.schema import BlueprintDocument
from blueprints.serializers import BlueprintBody, MessageBody, RevisionBody, body

MAX_DIGITS = 18


def actor_of(request: Request) -> Actor:
    """Who calls; the authenticator always sets one."""
    actor: Actor = request.auth  # type: ignore[assignment]
    return actor


def number_of(blueprint_id: str) -> int:
    """The id in a path. Raises NotFound for what can be none."""
    if not (blueprint_id.isascii() and blueprint_id.isdigit() and len(blueprint_id) <= MAX_DIGITS):
        raise services.not_found(blueprint_id)
    return int(blueprint_id)


def load(request: Request, blueprint_id: str) -> Blueprint:
    """That blueprint, if the caller sees it. Raises NotFound."""
    blueprint = Blueprint.objects.visible_to(actor_of(request)).filter(pk=number_of(blueprint_id)).first()
    if blueprint is None:
        raise services.not_found(blueprint_id)
    return blueprint


class BlueprintCollection(Endpoint):
    """All blueprints of the caller's organization."""

    dialect = ALMA
    scopes = {"GET": services.READ, "POST": services.WRITE}
    openings = {"GET": READS}

    @extend_schema(
        operation_id="blueprints_list",
        parameters=PAGE,
        responses={200: array_of(BlueprintBody), **refusals(400)},
        examples=[examples.listed],
        tags=["blueprints"],
    )
    def get(self, request: Request) -> Response:
        """List blueprints, oldest first, as a bare array."""
        actor, rows = actor_of(request), window(request.query_params)
        key = ("blueprints", actor.organization_id, rows.start, rows.stop)
        return Response(orjson.Fragment(remembered(key, lambda: dumps(listed(actor, rows)))))

    @extend_schema(
        operation_id="blueprints_create",
        request=BlueprintDocument,
        responses={201: BlueprintBody, **refusals(400, 403, 422)},
        examples=[examples.given, examples.saved, examples.invalid],
        tags=["blueprints"],
    )
    def post(self, request: Request) -> Response:
        """Create a blueprint."""
        blueprint = services.create(body_object(request.data), by=actor_of(request))
        headers = {"Location": f"/api/v1/blueprints/{blueprint.pk}"}
        return Response(body(blueprint), status=status.HTTP_201_CREATED, headers=headers)


class BlueprintItem(Endpoint):
    """One blueprint."""

    dialect = ALMA
    scopes = {"GET": services.READ, "PUT": services.WRITE, "PATCH": services.WRITE, "DELETE": services.WRITE}
    openings = {"GET": READS}

    @extend_schema(
        operation_id="blueprints_retrieve",
        parameters=[BLUEPRINT_ID],
        responses={200: BlueprintBody, **refusals(404)},
        examples=[examples.saved, examples.not_found],
        tags=["blueprints"],
    )
    def get(self, request: Request, blueprint_id: str) -> Response:
        """Get one blueprint."""
        blueprint = found(actor_of(request), number_of(blueprint_id))
        if blueprint is None:
            raise services.not_found(blueprint_id)
        return Response(blueprint)

    @extend_schema(
        operation_id="blueprints_update",
        parameters=[BLUEPRINT_ID],
        request=BlueprintDocument,
        responses={200: BlueprintBody, **refusals(400, 403, 404, 422)},
        examples=[examples.given, examples.saved, examples.not_found, examples.invalid],
        tags=["blueprints"],
    )
    def put(self, request: Request, blueprint_id: str) -> Response:
        """Replace the content by a new revision; the same content again makes none."""
        blueprint = load(request, blueprint_id)
        return Response(body(services.update(blueprint, body_object(request.data), by=actor_of(request))))

    @extend_schema(
        operation_id="blueprints_patch",
        parameters=[BLUEPRINT_ID],
        request={"application/json": {"type": "object", "description": "A JSON merge patch (RFC 7396)."}},
        responses={200: BlueprintBody, **refusals(400, 403, 404, 422)},
        examples=[examples.patched, examples.saved, examples.not_found],
        tags=["blueprints"],
    )
    def patch(self, request: Request, blueprint_id: str) -> Response:
        """Change some fields: objects are merged, null removes a key, lists are replaced."""
        blueprint = load(request, blueprint_id)
        return Response(body(services.patch(blueprint, body_object(request.data), by=actor_of(request))))

    @extend_schema(
        operation_id="blueprints_delete",
        parameters=[BLUEPRINT_ID],
        responses={200: MessageBody, **refusals(400, 403, 404)},
        examples=[examples.deleted, examples.in_use, examples.not_found],
        tags=["blueprints"],
    )
    def delete(self, request: Request, blueprint_id: str) -> Response:
        """Delete a blueprint; refused while something uses it."""
        services.delete(load(request, blueprint_id), by=actor_of(request))
        return Response({"message": "Blueprint deleted successfully"})


class RevisionCollection(Endpoint):
    """The saved versions of one blueprint."""

    dialect = ALMA
    scopes = {"GET": services.READ}
    openings = {"GET": READS}

    @extend_schema(
        operation_id="blueprints_revisions_list",
        parameters=[BLUEPRINT_ID, *PAGE],
        responses={200: array_of(RevisionBody), **refusals(400, 404)},
        examples=[examples.revisions, examples.not_found],
        tags=["blueprints"],
    )
    def get(self, request: Request, blueprint_id: str) -> Response:
        """List the revisions of a blueprint, newest first."""
        revisions = load(request, blueprint_id).revisions.order_by("-number")
        return Response(revision_rows(revisions[window(request.query_params)]))


class RevisionItem(Endpoint):
    """One saved version."""

    dialect = ALMA
    scopes = {"GET": services.READ}
    openings = {"GET": READS}

    @extend_schema(
        operation_id="blueprints_revisions_retrieve",
        parameters=[BLUEPRINT_ID, NUMBER],
        responses={200: RevisionBody, **refusals(404)},
        examples=[examples.revision, examples.not_found],
        tags=["blueprints"],
    )
    def get(self, request: Request, blueprint_id: str, number: str) -> Response:
        """Get one revision."""
        revision = next(iter(revision_rows(_numbered(load(request, blueprint_id), number))), None)
        if revision is None:
            raise NotFound(f"Blueprint {blueprint_id} has no revision {number[:20]}", code="REVISION_NOT_FOUND")
        return Response(revision)


def _numbered(blueprint: Blueprint, number: str) -> QuerySet[BlueprintRevision]:
    is_number = number.isascii() and number.isdigit() and len(number) <= MAX_DIGITS
    return blueprint.revisions.filter(number=int(number)) if is_number else blueprint.revisions.none()
