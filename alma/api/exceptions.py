"""One exception handler for every API view: whatever was raised becomes a DomainError, and its dialect does the rest."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from alma.api.dialects import ALMA, Dialect, ProtocolError, dialect_of
from alma.errors import BadRequest, DomainError, Invalid, NotAuthenticated, NotFound, Refused, TooLarge


def invalid(detail: Any) -> Invalid:
    """The errors of a serializer, flat: the message names the first field, the details list all."""
    rows = list(_flat(detail, ""))
    first = rows[0] if rows else {"field": "", "message": "The request is not valid."}
    return Invalid(f"{first['field']}: {first['message']}" if first["field"] else first["message"], details=rows)


def _flat(detail: Any, path: str) -> Iterator[dict[str, str]]:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from _flat(inner, path if name == "non_field_errors" else f"{path}.{name}".lstrip("."))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _flat(inner, path)
    else:
        yield {"field": path, "message": str(detail)}


_CONVERTERS: tuple[tuple[type[Exception], Callable[[Any], DomainError]], ...] = (
    (Http404, lambda error: NotFound("There is no such thing here.")),
    (PermissionDenied, lambda error: Refused(str(error) or "You may not do this.")),
    (exceptions.PermissionDenied, lambda error: Refused(str(error.detail))),
    (exceptions.NotAuthenticated, lambda error: NotAuthenticated("Invalid API key")),
    (exceptions.AuthenticationFailed, lambda error: NotAuthenticated("Invalid API key")),
    (exceptions.ValidationError, lambda error: invalid(error.detail)),
    (exceptions.ParseError, lambda error: BadRequest(str(error.detail), code="INVALID_JSON")),
    (RequestDataTooBig, lambda error: TooLarge("The request body is larger than is allowed here.")),
    (
        exceptions.APIException,
        lambda error: ProtocolError(str(error.detail), str(error.default_code).upper(), error.status_code),
    ),
)


def as_domain_error(error: Exception) -> DomainError | None:
    """The domain error behind an exception of Django or DRF; None for a fault of ours."""
    if isinstance(error, DomainError):
        return error
    convert = next((convert for kind, convert in _CONVERTERS if isinstance(error, kind)), None)
    return convert(error) if convert else None


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER."""
    domain_error = as_domain_error(error)
    if domain_error is None:
        return None
    view, request = context["view"], context["request"]
    dialect: Dialect = getattr(view, "dialect", None) or dialect_of(request.path) or ALMA
    headers = dialect.error_headers(domain_error)
    if isinstance(error, exceptions.MethodNotAllowed):
        headers["Allow"] = ", ".join(view.allowed_methods)
    body = dialect.error_body(domain_error, getattr(request, "request_id", ""))
    return Response(body, status=dialect.status(domain_error), headers=headers)


def api_error(request: HttpRequest, error: DomainError) -> HttpResponse | None:
    """The error as the dialect that owns the path says it; None when the path belongs to a page."""
    dialect = dialect_of(request.path)
    if dialect is None:
        return None
    body = dialect.error_body(error, getattr(request, "request_id", ""))
    return JsonResponse(body, status=dialect.status(error), headers=dialect.error_headers(error))
