"""`/api/v1/webhooks` of the Alumia document: for a person in the browser who gave the password lately, and no key."""

from datetime import datetime
from typing import Annotated, Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from pydantic import Field, StringConstraints
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.authentication import actor_of
from alma.api.bodies import CamelModel, PatchModel, read_body
from alma.api.bounds import trimmed
from alma.api.dialects import ALUMIA
from alma.api.endpoints import Endpoint
from alma.api.paging import paginate
from alma.api.permissions import InPerson
from alma.api.schema import listing_of, page_parameters
from alma.events.models import WebhookEndpoint
from alma.events.webhooks import services
from alma.events.webhooks.api.proxmox import EventName, Secret, Url, as_changes
from alma.events.webhooks.kinds import NAMES

WEBHOOK_ID = OpenApiParameter("webhook_id", str, OpenApiParameter.PATH, description="UUID of the webhook")
_EXAMPLE = OpenApiExample(
    "Of two kinds", request_only=True, value={"url": "https://example.org/alma", "events": ["ipr.*", "vm.created"]}
)
Events = Annotated[list[EventName], Field(max_length=len(NAMES))]
Description = Annotated[str, StringConstraints(max_length=200), trimmed()]


class WebhookCreate(CamelModel):
    """A new webhook. No `events` are all; without a secret it gets one."""

    url: Url
    events: Events = Field(default_factory=list)
    description: Description = ""
    secret: Secret | None = None
    active: bool = True


class WebhookPatch(PatchModel):
    """What to change; what is left out stays."""

    url: Url = ""
    events: Events = Field(default_factory=list)
    description: Description = ""
    active: bool = True


class WebhookBody(CamelModel):
    """A webhook; its secret is shown nowhere."""

    id: str
    url: str
    events: list[str]
    description: str
    active: bool
    disabled_reason: str | None
    disabled_at: datetime | None
    created_by: str
    created_at: datetime


class WebhookCreated(WebhookBody):
    """A new webhook. `secret` is shown this once."""

    secret: str


class WebhookSecret(CamelModel):
    """A new secret, shown this once; until `previousSecretUntil` the one before signs as well."""

    id: str
    secret: str
    previous_secret_until: datetime


class WebhookDeleted(CamelModel):
    """That it is gone, and since when."""

    id: str
    deleted_at: datetime


def webhook_body(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """A webhook as clients of this family read it."""
    return {
        "id": ALUMIA.ids.write("webhook", endpoint.uid), "url": endpoint.url, "events": endpoint.kinds,
        "description": endpoint.description, "active": endpoint.is_active,
        "disabledReason": endpoint.disabled_reason or None, "disabledAt": endpoint.disabled_at,
        "createdBy": endpoint.created_by, "createdAt": endpoint.created_at,
    }  # fmt: skip


class WebhookList(Endpoint):
    """`/api/v1/webhooks`."""

    dialect = ALUMIA
    permission_classes = [InPerson]
    scopes = {"GET": services.SCOPE, "POST": services.SCOPE}

    @extend_schema(
        operation_id="alumia_webhooks_list", parameters=page_parameters(ALUMIA),
        responses={200: listing_of(ALUMIA, WebhookBody)}, tags=["webhooks"],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List webhooks, the oldest first."""
        rows = WebhookEndpoint.objects.visible_to(actor_of(request)).order_by("pk")
        return Response(paginate(request, rows, webhook_body))

    @extend_schema(
        operation_id="alumia_webhooks_create", request=WebhookCreate, responses={201: WebhookCreated},
        examples=[_EXAMPLE], tags=["webhooks"],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Add a webhook."""
        body = read_body(WebhookCreate, request)
        endpoint, secret = services.create(
            body.url, by=actor_of(request), kinds=body.events, description=body.description,
            secret=body.secret or "", is_active=body.active,
        )  # fmt: skip
        headers = {"Location": f"/api/v1/webhooks/{endpoint.uid}", "Cache-Control": "no-store"}
        return Response({**webhook_body(endpoint), "secret": secret}, status=201, headers=headers)


class WebhookDetail(Endpoint):
    """`/api/v1/webhooks/{webhook_id}`."""

    dialect = ALUMIA
    permission_classes = [InPerson]
    scopes = {"GET": services.SCOPE, "PATCH": services.SCOPE, "DELETE": services.SCOPE}

    @extend_schema(
        operation_id="alumia_webhooks_get", parameters=[WEBHOOK_ID], responses={200: WebhookBody}, tags=["webhooks"]
    )
    def get(self, request: Request, webhook_id: str) -> Response:
        """One webhook."""
        return Response(webhook_body(_find(request, webhook_id)))

    @extend_schema(
        operation_id="alumia_webhooks_patch", parameters=[WEBHOOK_ID], request=WebhookPatch,
        responses={200: WebhookBody}, tags=["webhooks"],
        examples=[OpenApiExample("Off for now", request_only=True, value={"active": False})],
    )  # fmt: skip
    def patch(self, request: Request, webhook_id: str) -> Response:
        """Change the fields that are given."""
        endpoint = _find(request, webhook_id)
        changes = as_changes(read_body(WebhookPatch, request).changes())
        return Response(webhook_body(services.amend(endpoint, changes, by=actor_of(request))))

    @extend_schema(
        operation_id="alumia_webhooks_delete", parameters=[WEBHOOK_ID], responses={200: WebhookDeleted},
        tags=["webhooks"],
    )  # fmt: skip
    def delete(self, request: Request, webhook_id: str) -> Response:
        """Delete a webhook; deleting it again says the same."""
        row = _find(request, webhook_id, deleted=True)
        if row.deleted_at is None:
            row = services.delete(row, by=actor_of(request))
        return Response({"id": str(row.uid), "deletedAt": row.deleted_at})


class WebhookRotation(Endpoint):
    """`/api/v1/webhooks/{webhook_id}/secret`."""

    dialect = ALUMIA
    permission_classes = [InPerson]
    scopes = {"POST": services.SCOPE}

    @extend_schema(
        operation_id="alumia_webhooks_rotate", parameters=[WEBHOOK_ID], request=None, responses={201: WebhookSecret},
        tags=["webhooks"],
    )  # fmt: skip
    def post(self, request: Request, webhook_id: str) -> Response:
        """Make a new secret."""
        endpoint = _find(request, webhook_id)
        secret = services.rotate(endpoint, by=actor_of(request))
        endpoint.refresh_from_db()
        body = {"id": str(endpoint.uid), "secret": secret, "previousSecretUntil": endpoint.previous_until}
        return Response(body, status=201, headers={"Cache-Control": "no-store"})


def _find(request: Request, webhook_id: str, *, deleted: bool = False) -> WebhookEndpoint:
    """The webhook of an id, if the actor may see it. Raises NotFound."""
    uid, actor = ALUMIA.ids.read("webhook", webhook_id), actor_of(request)
    rows = WebhookEndpoint.objects.visible_to(actor)
    if deleted:
        rows = WebhookEndpoint.objects.filter(organization_id=actor.organization_id or 0)
    row = rows.filter(uid=uid).first()
    if row is None:
        raise services.not_found()
    return row
