"""What drf-spectacular has to be told, and what routes share in the OpenAPI schema."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from pydantic import BaseModel

from alma.api.bodies import RequestBody
from alma.api.dialects import ALMA, Dialect
from alma.api.paging import DEFAULT_LIMIT, MAX_LIMIT, MAX_PAGE, MAX_SKIP
from alma.api.permissions import ANYBODY


def whole_number(name: str, description: str, *, least: int, most: int, default: int | None = None) -> OpenApiParameter:
    """A number of the query string, with the bounds that `alma.api.paging.whole` holds it to."""
    schema: dict[str, Any] = {"type": "integer", "minimum": least, "maximum": most}
    return OpenApiParameter(
        name, schema if default is None else {**schema, "default": default}, description=description
    )


PAGE = [
    whole_number("skip", "Number of records to skip", least=0, most=MAX_SKIP, default=0),
    whole_number("limit", "Max records to return", least=1, most=MAX_LIMIT, default=DEFAULT_LIMIT),
]
MESSAGE: dict[str, Any] = {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}}
"""In `responses=`: a message and no data, as `Answer(message=…)` gives it."""
EVENT: dict[str, Any] = {
    "type": "object", "required": ["data"],
    "properties": {"data": {"type": "string", "contentMediaType": "application/json"}},
}  # fmt: skip
"""In `responses=`: one event of a stream, whose data is JSON."""
_WORDS = {
    400: "The request cannot be understood, or not in this state",
    401: "Missing or invalid credential",
    402: "A budget does not reach for this",
    403: "Invalid or missing API key",
    404: "Not found",
    409: "In conflict with the state of things",
    422: "Validation error",
    429: "Rate limit exceeded",
    503: "Not available now",
}
_KEY = {
    "in": "header", "name": "Idempotency-Key", "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "description": "Repeat a request under the same key, and it has one effect and one answer, kept for 24 hours.",
}  # fmt: skip


def refusals(*statuses: int, dialect: Dialect = ALMA) -> dict[int, OpenApiResponse]:
    """Responses with the documented error body of a family."""
    return {status: OpenApiResponse(dialect.error_model, _WORDS[status]) for status in statuses}


def page_parameters(dialect: Dialect) -> list[OpenApiParameter]:
    """How a family asks for a part of a list."""
    style = dialect.page_style
    first, most = (1, MAX_PAGE) if style.position == "page" else (0, MAX_SKIP)
    parameters = [
        whole_number("limit", "How many", least=1, most=MAX_LIMIT, default=style.default_limit),
        whole_number(style.position, "Where to begin", least=first, most=most, default=first),
    ]
    if style.has_cursors:
        parameters.append(OpenApiParameter("cursor", str, description="Where to go on, as an answer said it"))
    return parameters


def listing_of(dialect: Dialect, row: type[BaseModel], key: str = "items") -> Any:
    """In `responses=`: a page of rows, as `paginate` gives it."""
    return dialect.page_style.model(row, key)


class DialectSchema(AutoSchema):
    """Views describe their data; the dialect adds the envelope around it and the body of whatever goes wrong."""

    def _get_response_for_code(
        self, serializer: Any, status_code: str, media_types: Any = None, direction: Any = "response"
    ) -> dict[str, Any]:
        response: dict[str, Any] = super()._get_response_for_code(serializer, status_code, media_types, direction)
        dialect: Dialect | None = getattr(self.view, "dialect", None)
        media = response.get("content", {}).get("application/json")
        if dialect and dialect.envelope_schema and media and status_code.startswith("2"):
            is_message = media["schema"] == MESSAGE
            media["schema"] = dialect.envelope_schema(None if is_message else media["schema"])
        return response

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        dialect: Dialect | None = getattr(self.view, "dialect", None)
        if dialect:
            fault = OpenApiResponse(dialect.error_model, "Whatever goes wrong")
            bodies["default"] = self._get_response_for_code(fault, "default", ["application/json"], direction)
        return bodies

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)
        kind = serializer if isinstance(serializer, type) else type(serializer)
        return {**schema, "additionalProperties": False} if issubclass(kind, RequestBody) else schema

    def _get_parameters(self) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super()._get_parameters()
        is_kept = self.method == "POST" and getattr(self.view, "keeps_answers", False)
        return [*parameters, _KEY] if is_kept else parameters


def array_of(model: type[BaseModel]) -> dict[str, Any]:
    """A bare array of a model that another route of the schema answers with."""
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{model.__name__}"}}


class CredentialsScheme(OpenApiAuthenticationExtension):
    """A key in either header, or the session of a signed-in person."""

    target_class = "alma.api.authentication.Credentials"
    name = ["apiKey", "bearer", "session"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        """The three ways, in the order of `name`."""
        return [
            {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            {"type": "http", "scheme": "bearer"},
            {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME},
        ]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[str]]]:
        """Any one of them; none where the method is, or can be, public."""
        one_of: list[dict[str, list[str]]] = [{name: []} for name in self.name]
        view, method = auto_schema.view, auto_schema.method
        is_open = method in getattr(view, "openings", {})
        is_public = is_open or getattr(view, "scopes", {}).get(method, ANYBODY) == ANYBODY
        return [*one_of, {}] if is_public else one_of


def without_trailing_slash(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A postprocessing hook: routes answer with and without the slash, the schema shows the documented form."""
    result["paths"] = {path.rstrip("/") or "/": operations for path, operations in result["paths"].items()}
    return result
