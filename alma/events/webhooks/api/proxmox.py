"""`/v1/webhooks` of the Proxmox AI document, over the services that the pages use.

Reading needs the right to write as well: many a URL of a receiver holds a token of its own."""

from datetime import datetime
from typing import Annotated, Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.answers import Answer
from alma.api.authentication import actor_of
from alma.api.bodies import read_body
from alma.api.dialects import PROXMOX
from alma.api.endpoints import Endpoint
from alma.api.paging import paginate
from alma.api.schema import MESSAGE, listing_of, page_parameters
from alma.errors import BadRequest
from alma.events.models import WebhookEndpoint
from alma.events.webhooks import services
from alma.events.webhooks.kinds import EVERYTHING, NAMES, WILDCARDS
from alma.outbound.targets import LONGEST

WEBHOOK_ID = OpenApiParameter("webhook_id", str, OpenApiParameter.PATH, description="Like webhook-001")
_EXAMPLE = OpenApiExample(
    "As documented",
    request_only=True,
    value={
        "url": "https://your-app.com/webhooks/proxmox-ai",
        "events": ["vm.created", "vm.status_changed"],
        "secret": "your-webhook-secret",
        "active": True,
    },
)
Url = Annotated[str, Field(min_length=1, max_length=LONGEST)]
EventName = Annotated[str, WithJsonSchema({"type": "string", "enum": [*NAMES, *WILDCARDS, EVERYTHING]})]
"""Said in the schema; the services refuse what is none of them, and name it."""
Events = Annotated[list[EventName], Field(min_length=1, max_length=len(NAMES))]
Secret = Annotated[str, Field(min_length=services.SHORTEST_SECRET, max_length=services.LONGEST_SECRET)]
Description = Annotated[str, Field(max_length=200)]


class WebhookWish(BaseModel):
    """A webhook that is wanted. Without a secret it gets one."""

    model_config = ConfigDict(strict=True, extra="forbid")

    url: Url
    events: Events
    secret: Secret | None = None
    active: bool = True
    description: Description = ""


class WebhookChange(BaseModel):
    """What to change; what is left out stays. A secret is not changed here, and a body with one is refused."""

    model_config = ConfigDict(strict=True, extra="forbid", json_schema_extra={"minProperties": 1})

    url: Url = ""
    events: Events = Field(default_factory=list)
    active: bool = True
    description: Description = ""


class WebhookRow(BaseModel):
    """What is known of a webhook; its secret is not. No `events` are all."""

    id: str
    url: str
    events: list[str]
    description: str
    active: bool
    disabled_reason: str | None
    disabled_at: datetime | None
    created_at: datetime
    created_by: str


class WebhookMade(WebhookRow):
    """A new webhook. `secret` is shown this once."""

    secret: str


class OneWebhook(BaseModel):
    """A webhook."""

    webhook: WebhookRow


class NewWebhook(BaseModel):
    """A webhook and its secret."""

    webhook: WebhookMade


def row_of(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """A webhook as clients of this family read it."""
    return {
        "id": endpoint.public_id, "url": endpoint.url, "events": endpoint.kinds, "description": endpoint.description,
        "active": endpoint.is_active, "disabled_reason": endpoint.disabled_reason or None,
        "disabled_at": endpoint.disabled_at, "created_at": endpoint.created_at, "created_by": endpoint.created_by,
    }  # fmt: skip


def as_changes(given: dict[str, Any]) -> dict[str, Any]:
    """The fields of a body as the services name them."""
    names = {"events": "kinds", "active": "is_active"}
    return {names.get(name, name): value for name, value in given.items()}


class Webhooks(Endpoint):
    """The webhooks of the caller's organization."""

    dialect = PROXMOX
    scopes = {"GET": services.SCOPE, "POST": services.SCOPE}

    @extend_schema(
        operation_id="webhooks_list",
        parameters=page_parameters(PROXMOX),
        responses={200: listing_of(PROXMOX, WebhookRow, "webhooks")},
        tags=["webhooks"],
    )
    def get(self, request: Request) -> Response:
        """List webhooks, the oldest first."""
        rows = WebhookEndpoint.objects.visible_to(actor_of(request)).order_by("pk")
        return Response(paginate(request, rows, row_of, key="webhooks"))

    @extend_schema(
        operation_id="webhooks_create", request=WebhookWish, responses={201: NewWebhook}, examples=[_EXAMPLE],
        tags=["webhooks"],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Add a webhook. Where its name leads is asked at each delivery, and nothing of one's own network is called."""
        body = read_body(WebhookWish, request)
        endpoint, secret = services.create(
            body.url, by=actor_of(request), kinds=body.events, description=body.description,
            secret=body.secret or "", is_active=body.active,
        )  # fmt: skip
        headers = {"Location": f"/v1/webhooks/{endpoint.public_id}", "Cache-Control": "no-store"}
        return Response({"webhook": {**row_of(endpoint), "secret": secret}}, status=201, headers=headers)


class Webhook(Endpoint):
    """One webhook."""

    dialect = PROXMOX
    scopes = {"GET": services.SCOPE, "PUT": services.SCOPE, "DELETE": services.SCOPE}

    @extend_schema(operation_id="webhooks_get", parameters=[WEBHOOK_ID], responses={200: OneWebhook}, tags=["webhooks"])
    def get(self, request: Request, webhook_id: str) -> Response:
        """One webhook."""
        return Response({"webhook": row_of(_find(request, webhook_id))})

    @extend_schema(
        operation_id="webhooks_update", parameters=[WEBHOOK_ID], request=WebhookChange, responses={200: OneWebhook},
        examples=[OpenApiExample("Off for now", request_only=True, value={"active": False})], tags=["webhooks"],
    )  # fmt: skip
    def put(self, request: Request, webhook_id: str) -> Response:
        """Change the fields that are given."""
        endpoint = _find(request, webhook_id)
        changes = as_changes(read_body(WebhookChange, request).model_dump(exclude_unset=True))
        if not changes:
            raise BadRequest("Give at least one field to change.")
        return Response({"webhook": row_of(services.amend(endpoint, changes, by=actor_of(request)))})

    @extend_schema(operation_id="webhooks_delete", parameters=[WEBHOOK_ID], responses={200: MESSAGE}, tags=["webhooks"])
    def delete(self, request: Request, webhook_id: str) -> Response:
        """Delete a webhook; it is told of nothing more."""
        services.delete(_find(request, webhook_id), by=actor_of(request))
        return Answer(message="Webhook deleted successfully")


def _find(request: Request, webhook_id: str) -> WebhookEndpoint:
    """The webhook of an id, if the actor may see it. Raises NotFound."""
    pk = PROXMOX.ids.read("webhook", webhook_id)
    row = WebhookEndpoint.objects.visible_to(actor_of(request)).filter(pk=pk).first()
    if row is None:
        raise services.not_found()
    return row
