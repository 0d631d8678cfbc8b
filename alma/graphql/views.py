"""`POST /graphql`. What cannot be run is refused in the words of the API; what fails while it runs stands in `errors`."""

import logging
from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from graphql import GraphQLError
from pydantic import BaseModel, Field, JsonValue
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.authentication import actor_of
from alma.api.dialects import ALMA
from alma.api.endpoints import Endpoint
from alma.api.parsers import body_object
from alma.api.permissions import ANY_CREDENTIAL, READS
from alma.api.renderers import OrjsonRenderer
from alma.api.schema import refusals
from alma.api.streaming import StreamNegotiation
from alma.errors import BadRequest, DomainError
from alma.graphql.limits import Asked, check
from alma.graphql.loading import Context
from alma.graphql.queries import LISTS, schema

logger = logging.getLogger(__name__)


class QueryBody(BaseModel):
    """One operation; several at once are not taken."""

    query: str = Field(min_length=1)
    variables: dict[str, JsonValue] | None = None
    operationName: str | None = None


class ResultBody(BaseModel):
    """What came of it. `errors` is there when something of it failed."""

    data: dict[str, JsonValue] | None
    errors: list[dict[str, JsonValue]] = []


_ASKED = OpenApiExample(
    "Documented", {"query": "query { systemStatus { status uptimeSeconds activeConnections } }"}, request_only=True
)
_ANSWERED = OpenApiExample(
    "Documented",
    {"data": {"systemStatus": {"status": "healthy", "uptimeSeconds": 345678, "activeConnections": 3}}},
    response_only=True,
    status_codes=["200"],
)


class GraphQLView(Endpoint):
    """`/graphql`: the same credentials, visibility and errors as the API."""

    dialect = ALMA
    scopes = {"POST": ANY_CREDENTIAL}
    openings = {"POST": READS}
    renderer_classes = [OrjsonRenderer]
    content_negotiation_class = StreamNegotiation

    @extend_schema(
        operation_id="graphql",
        request=QueryBody,
        responses={200: ResultBody, **refusals(400, 403)},
        examples=[_ASKED, _ANSWERED],
        tags=["graphql"],
    )
    def post(self, request: Request) -> Response:
        """Run one query. Depth, cost, aliases and length are bounded; introspection needs a credential."""
        asked, actor = read(request.data), actor_of(request)
        check(asked, LISTS, may_introspect=not actor.is_anonymous)
        result = schema.execute_sync(asked.query, asked.variables, Context(actor), operation_name=asked.name)
        errors = [said(error, request) for error in result.errors or ()]
        if result.data is None and not any("path" in error for error in errors):
            raise _invalid(errors)
        return Response({"data": result.data, **({"errors": errors} if errors else {})})


def read(data: Any) -> Asked:
    """The body of a request. Raises BadRequest."""
    body = body_object(data)
    query, variables, name = body.get("query"), body.get("variables"), body.get("operationName")
    if not isinstance(query, str) or not query.strip():
        raise BadRequest("query must be a GraphQL query.", code="VALIDATION_ERROR")
    if variables is not None and not isinstance(variables, dict):
        raise BadRequest("variables must be an object.", code="VALIDATION_ERROR")
    if name is not None and not isinstance(name, str):
        raise BadRequest("operationName must be text.", code="VALIDATION_ERROR")
    return Asked(query, variables or {}, name or None)


def said(error: GraphQLError, request: Request) -> dict[str, Any]:
    """An error for the caller: what the domain and the language say, and of our own faults only where they are logged."""
    cause = error.original_error
    if cause is None or isinstance(cause, GraphQLError):
        return {**error.formatted, "extensions": {"code": "GRAPHQL_INVALID"}}
    if isinstance(cause, DomainError):
        return {**error.formatted, "message": cause.message, "extensions": {"code": cause.code}}
    request_id = getattr(request, "request_id", "")
    logger.error("a GraphQL field failed", exc_info=cause, extra={"request_id": request_id, "path": error.path})
    message = f"Something went wrong on our side; it is logged as {request_id}."
    return {**error.formatted, "message": message, "extensions": {"code": "INTERNAL_ERROR"}}


def _invalid(errors: Sequence[dict[str, Any]]) -> BadRequest:
    message = errors[0]["message"] if errors else "The query cannot be run."
    code = errors[0]["extensions"]["code"] if errors else "GRAPHQL_INVALID"
    return BadRequest(message, code=code, details=errors)
