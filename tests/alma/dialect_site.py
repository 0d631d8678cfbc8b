"""One small API per dialect, below a prefix of each, for the tests of dialects, pages and kept answers."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import re_path
from drf_spectacular.utils import extend_schema
from pydantic import BaseModel
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from alma import errors, urls
from alma.accounts.models import ApiKey
from alma.api.answers import Answer
from alma.api.authentication import actor_of
from alma.api.dialects import ALMA, ALUMIA, ANTHROPIC, LLAMACTL, LLAMACTL_OLD, OPENAI, PROXMOX, Dialect
from alma.api.endpoints import Endpoint
from alma.api.negotiation import AnyNegotiation
from alma.api.paging import paginate
from alma.api.permissions import ANYBODY
from alma.api.schema import MESSAGE, listing_of, page_parameters
from alma.api.streaming import StreamNegotiation, event_stream

FAMILIES: dict[str, tuple[Dialect, str]] = {
    "alma": (ALMA, "/api/v1/notes"),
    "alumia": (ALUMIA, "/api/v1/agents/notes"),
    "proxmox": (PROXMOX, "/v1/notes"),
    "llamactl-old": (LLAMACTL_OLD, "/api/system/notes"),
    "llamactl": (LLAMACTL, "/api/v1/server/notes"),
    "openai": (OPENAI, "/v1/models/notes"),
    "anthropic": (ANTHROPIC, "/v1/messages/notes"),
}
MOMENT = datetime(2025, 7, 29, 12, 0, 0, 123456, tzinfo=UTC)
SECOND = 1753790400
ROWS = [{"id": number} for number in range(1, 8)]
EFFECTS: list[Any] = []
RAISED: dict[str, Exception] = {
    "BadRequest": errors.BadRequest("It is wrong."),
    "Invalid": errors.Invalid("name: too long", details=[{"field": "name", "message": "too long"}]),
    "NotAuthenticated": errors.NotAuthenticated("Invalid API key"),
    "PaymentRequired": errors.PaymentRequired("The budget is spent."),
    "Refused": errors.Refused("Not you."),
    "NotFound": errors.NotFound("Note 7 not found", code="NOTE_NOT_FOUND"),
    "WrongState": errors.WrongState("It runs.", details={"status": "running"}),
    "LengthRequired": errors.LengthRequired("How long?"),
    "TooLarge": errors.TooLarge("Too large."),
    "RateLimited": errors.RateLimited("Too many requests.", retry_after=30),
    "Unavailable": errors.Unavailable("The cluster is silent."),
    "DomainError": errors.DomainError("It cannot be."),
    "bad password": errors.NotAuthenticated("Invalid username or password", code="INVALID_CREDENTIALS"),
    "http404": Http404("nothing"),
    "denied": PermissionDenied("not you"),
    "csrf": exceptions.PermissionDenied("CSRF Failed: CSRF token missing."),
    "too big": RequestDataTooBig("big"),
    "fault": ZeroDivisionError("ours"),
}


class NoteBody(BaseModel):
    """One note."""

    name: str
    at: datetime


class SecondsBody(BaseModel):
    """One note of a family that writes times as seconds."""

    name: str
    at: int


class RowBody(BaseModel):
    """One row."""

    id: int


class _List(Endpoint):
    """A list, and a POST with an effect."""

    scopes = {"GET": ANYBODY, "POST": ANYBODY}

    def get(self, request: Request) -> Response:
        return Response(paginate(request, ROWS, dict, key="notes"))

    def post(self, request: Request) -> Response:
        if request.data.get("refuse"):
            raise errors.Invalid("name: no")
        if request.data.get("break"):
            raise ZeroDivisionError
        EFFECTS.append(request.data)
        headers = {"Location": f"{request.path}/{len(EFFECTS)}"}
        return Response({"effect": len(EFFECTS)}, status=201, headers=headers)


class _Keys(Endpoint):
    """A page of a queryset."""

    scopes = {"GET": ANYBODY}

    def get(self, request: Request) -> Response:
        order = request.query_params.get("sort", "name").split(",")
        rows = ApiKey.objects.visible_to(actor_of(request)).order_by(*order)
        return Response(paginate(request, rows, lambda row: row.pk, key="keys"))


class _One(Endpoint):
    """A thing with a time."""

    scopes = {"GET": ANYBODY, "DELETE": ANYBODY}

    def get(self, request: Request) -> Response:
        return Response({"name": "web", "at": MOMENT})

    def delete(self, request: Request) -> Response:
        return Response(status=204)


class _Said(Endpoint):
    """A message, and something about the exchange."""

    scopes = {"GET": ANYBODY, "DELETE": ANYBODY}

    def get(self, request: Request) -> Response:
        return Answer({"code": "x"}, meta={"ai_model": "planner", "tokens_used": 7})

    def delete(self, request: Request) -> Response:
        return Answer(message="Revoked")


class _Raises(Endpoint):
    """Raises what the test asks for."""

    scopes = {"GET": ANYBODY, "POST": "blueprint:write"}

    def get(self, request: Request, name: str) -> Response:
        raise RAISED[name]

    def post(self, request: Request, name: str) -> Response:
        raise RAISED[name]


class _Text(Endpoint):
    """Plain text, whatever was asked for."""

    scopes = {"GET": ANYBODY}
    content_negotiation_class = AnyNegotiation

    def get(self, request: Request) -> HttpResponse:
        if "fail" in request.query_params:
            raise errors.NotFound("There is no text")
        return HttpResponse("Version: 1", content_type="text/plain; charset=utf-8")


class _Stream(Endpoint):
    """A stream with an effect."""

    scopes = {"POST": ANYBODY}
    content_negotiation_class = StreamNegotiation

    def post(self, request: Request) -> HttpResponse:
        EFFECTS.append("streamed")
        return event_stream(iter([{"type": "complete"}]))  # type: ignore[return-value]


def _descriptions(dialect: Dialect) -> dict[str, dict[str, dict[str, Any]]]:
    """What authors say of their views."""
    note = SecondsBody if dialect.has_unix_times else NoteBody
    listed = listing_of(dialect, RowBody, "notes")
    return {
        "_List": {
            "get": {"responses": {200: listed}, "parameters": page_parameters(dialect)},
            "post": {"request": RowBody, "responses": {201: RowBody}},
        },
        "_One": {"get": {"responses": {200: note}}, "delete": {"responses": {204: None}}},
        "_Said": {"get": {"responses": {200: RowBody}}, "delete": {"responses": {200: MESSAGE}}},
    }


def _method(base: type[Endpoint], name: str, described: dict[str, Any]) -> Any:
    """A method of its own to describe: a description stays with the function."""
    inner = getattr(base, name)

    def method(self: Endpoint, request: Request) -> Any:
        """One of them."""
        return inner(self, request)

    return extend_schema(**described)(method)


def _own(base: type[Endpoint], dialect: Dialect) -> type[Endpoint]:
    """The view in one dialect."""
    methods = {
        name: _method(base, name, {"operation_id": f"{dialect.name}{base.__name__}_{name}", **described})
        for name, described in _descriptions(dialect).get(base.__name__, {}).items()
    }
    return type(base.__name__, (base,), {"dialect": dialect, "__module__": __name__, **methods})


def page(request: HttpRequest) -> HttpResponse:
    """A page that answers a form."""
    return HttpResponse("page")


def _routes() -> Iterator[Any]:
    parts = {"/?": _List, "/one/?": _One, "/said/?": _Said, "/keys/?": _Keys, "/text/?": _Text, "/stream/?": _Stream,
             "/raises/(?P<name>[^/]+)/?": _Raises}  # fmt: skip
    for name, (dialect, prefix) in FAMILIES.items():
        for path, base in parts.items():
            view = _own(base, dialect).as_view()
            yield re_path(rf"^{prefix[1:]}{path}$", view, name=f"{name}{base.__name__}")


API = list(_routes())
urlpatterns = [re_path(r"^form/$", page), re_path(r"^graphql/form$", page), *API, *urls.urlpatterns]
handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500
