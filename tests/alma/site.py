"""Routes for the tests of this folder: an API of one dialect and one page."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alma import errors, urls
from alma.api.authentication import actor_of
from alma.api.dialects import ALMA
from alma.api.paging import window
from alma.api.parsers import body_object
from alma.api.permissions import READS
from alma.htmx import HtmxRequest

RAISED: dict[str, Exception] = {}
WRITES: list[Any] = []


class Body(serializers.Serializer):
    """What `Notes` takes."""

    name = serializers.CharField(max_length=5)
    tags = serializers.ListField(child=serializers.IntegerField(), required=False)


class Notes(APIView):
    """Reads are public, writes need a right."""

    dialect = ALMA
    scopes = {"GET": "blueprint:read", "POST": "blueprint:write", "DELETE": "vm:write"}
    openings = {"GET": READS}

    def get(self, request: Request) -> Response:
        rows = window(request.query_params)
        return Response({"actor": actor_of(request).label, "start": rows.start, "stop": rows.stop})

    def post(self, request: Request) -> Response:
        body = Body(data=body_object(request.data))
        body.is_valid(raise_exception=True)
        WRITES.append(body.validated_data)
        return Response(body.validated_data, status=201)

    def delete(self, request: Request) -> Response:
        WRITES.append("deleted")
        return Response(status=204)


class Raises(APIView):
    """Raises what the test has put there."""

    dialect = ALMA
    scopes = {"GET": "blueprint:read"}
    openings = {"GET": READS}

    def get(self, request: Request, name: str) -> Response:
        raise RAISED[name]


class Secrets(APIView):
    """Not even reads are public."""

    dialect = ALMA
    scopes = {"GET": "key:read"}

    def get(self, request: Request) -> Response:
        return Response({"actor": actor_of(request).label})


def page(request: HtmxRequest, name: str) -> HttpResponse:
    raise RAISED[name]


FOREIGN = {
    "http404": Http404("nothing"),
    "denied": PermissionDenied("not you"),
    "fault": ZeroDivisionError("ours"),
}
DOMAIN = {
    name: getattr(errors, name)(f"It is {name}.", details={"hint": "try again"})
    for name in ("BadRequest", "Invalid", "NotAuthenticated", "NotFound", "Refused", "TooLarge", "Unavailable",
                 "WrongState")
}  # fmt: skip
RAISED |= FOREIGN | DOMAIN
urlpatterns = [
    path("api/v1/notes", Notes.as_view()),
    path("api/v1/secrets", Secrets.as_view()),
    path("api/v1/raises/<name>", Raises.as_view()),
    path("pages/<name>", page),
    *urls.urlpatterns,
]
handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500
