"""Words into a draft, at once or as a stream. Nothing is stored: saving a draft is POST /api/v1/blueprints."""

from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from pydantic import BaseModel, Field, JsonValue
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.authentication import actor_of
from alma.api.dialects import ALMA
from alma.api.endpoints import Endpoint
from alma.api.parsers import body_object
from alma.api.permissions import DRAFTS
from alma.api.schema import EVENT, refusals
from alma.api.streaming import StreamNegotiation, event_stream
from alma.errors import BadRequest
from blueprints import examples, services
from blueprints.pricing.book import price_list
from blueprints.schema import BlueprintDocument
from blueprints.understanding import Asking, draft, stream

MAX_DESCRIPTION = 8000


class GenerationBody(BaseModel):
    """What is wanted, in words."""

    description: str = Field(min_length=1, max_length=MAX_DESCRIPTION)
    constraints: dict[str, JsonValue] | None = Field(default=None, description="max_cost, region, environment")


def wish(data: Any) -> tuple[str, dict[str, Any] | None]:
    """The description and the constraints of a body. Raises BadRequest, the one refusal that the document names here."""
    body = body_object(data)
    if unknown := sorted(body.keys() - GenerationBody.model_fields.keys()):
        raise _invalid(unknown[0][:60], "is not a known field; known are description, constraints")
    description, constraints = body.get("description"), body.get("constraints")
    if not isinstance(description, str) or not description.strip():
        raise _invalid("description", "is required: say in a sentence or two what is to be built")
    if len(description) > MAX_DESCRIPTION:
        raise _invalid("description", f"must not be longer than {MAX_DESCRIPTION} characters")
    if constraints is not None and not isinstance(constraints, dict):
        raise _invalid("constraints", 'must be an object, for example {"max_cost": 500}')
    return description, constraints


def _invalid(field: str, message: str) -> BadRequest:
    details = [{"resource": None, "field": field, "message": message}]
    return BadRequest(f"Field {field}: {message}.", code="VALIDATION_ERROR", details=details)


class Generation(Endpoint):
    """A draft at once."""

    dialect = ALMA
    scopes = {"POST": services.WRITE}
    openings = {"POST": DRAFTS}

    @extend_schema(
        operation_id="blueprints_generate",
        request=GenerationBody,
        responses={200: BlueprintDocument, **refusals(400)},
        examples=[examples.asked, examples.drafted],
        tags=["blueprints"],
    )
    def post(self, request: Request) -> Response:
        """Generate a blueprint from a description. It is not stored."""
        return Response(draft(*wish(request.data), about=_about(request)))


class GenerationStream(Endpoint):
    """A draft as it comes into being."""

    dialect = ALMA
    scopes = {"POST": services.WRITE}
    openings = {"POST": DRAFTS}
    content_negotiation_class = StreamNegotiation

    @extend_schema(
        operation_id="blueprints_generate_stream",
        request=GenerationBody,
        responses={
            (200, "text/event-stream"): OpenApiResponse(EVENT, "Events: thinking, progress, resource, complete"),
            **refusals(400),
        },
        examples=[examples.asked, examples.streamed],
        tags=["blueprints"],
    )
    def post(self, request: Request) -> StreamingHttpResponse:
        """Generate a blueprint as server-sent events; the last one carries it."""
        return event_stream(stream(*wish(request.data), about=_about(request)))


def _about(request: Request) -> Asking:
    actor = actor_of(request)
    return Asking(actor, price_list(actor.organization_id))
