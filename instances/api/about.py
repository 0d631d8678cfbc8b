"""What llamactl-api.txt tells of the server and of llama-server itself, as plain text."""

from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.request import Request

from alma.api.dialects import LLAMACTL
from alma.api.endpoints import Endpoint
from alma.api.negotiation import AnyNegotiation
from alma.api.schema import refusals
from instances import build
from instances.backends.asking import said
from instances.backends.kinds import BACKENDS

_TEXT: dict[Any, Any] = {(200, "text/plain"): OpenApiResponse(OpenApiTypes.STR, "As the program prints it")}
_SAID: dict[Any, Any] = {**_TEXT, **refusals(503, dialect=LLAMACTL)}


class _Text(Endpoint):
    dialect = LLAMACTL
    scopes = {"GET": "instance:read"}
    content_negotiation_class = AnyNegotiation
    word: ClassVar[str] = ""

    def answer(self) -> HttpResponse:
        """What the operator's llama-server, or the embedded one, prints for this word. Raises Unavailable."""
        return _plain(said(BACKENDS["llama_cpp"], self.word))


class Version(_Text):
    """Which ALMA this is."""

    @extend_schema(operation_id="llamactl_version", responses=_TEXT, tags=["server"])
    def get(self, request: Request) -> HttpResponse:
        """Show the version, and of a clone the commit and its time."""
        found = build.current()
        commit = found.commit or build.UNKNOWN
        return _plain(f"Version: {found.version}\nCommit: {commit}\nBuild Time: {found.built}\n")


class Help(_Text):
    """The options of llama-server."""

    word = "--help"

    @extend_schema(operation_id="llamactl_server_help", responses=_SAID, tags=["server"])
    def get(self, request: Request) -> HttpResponse:
        """Show what `llama-server --help` prints."""
        return self.answer()


class ServerVersion(_Text):
    """The build of llama-server."""

    word = "--version"

    @extend_schema(operation_id="llamactl_server_version", responses=_SAID, tags=["server"])
    def get(self, request: Request) -> HttpResponse:
        """Show what `llama-server --version` prints."""
        return self.answer()


class Devices(_Text):
    """The devices that llama-server can use."""

    word = "--list-devices"

    @extend_schema(operation_id="llamactl_server_devices", responses=_SAID, tags=["server"])
    def get(self, request: Request) -> HttpResponse:
        """Show what `llama-server --list-devices` prints."""
        return self.answer()


@extend_schema_view(get=extend_schema(operation_id="llamactl_backend_help"))
class BackendHelp(Help):
    """As llamactl spells it today."""


@extend_schema_view(get=extend_schema(operation_id="llamactl_backend_version"))
class BackendServerVersion(ServerVersion):
    """As llamactl spells it today."""


@extend_schema_view(get=extend_schema(operation_id="llamactl_backend_devices"))
class BackendDevices(Devices):
    """As llamactl spells it today."""


def _plain(text: str) -> HttpResponse:
    return HttpResponse(text, content_type="text/plain; charset=utf-8")
