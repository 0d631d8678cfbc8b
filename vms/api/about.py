"""What the Proxmox AI document tells of itself: health, versions, and the API as OpenAPI and as a Postman collection."""

from typing import Any, Literal

import orjson
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from pydantic import BaseModel
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api import family
from alma.api.dialects import PROXMOX
from alma.api.endpoints import Endpoint
from alma.api.permissions import ANYBODY
from alma.errors import Unavailable
from alma.monitoring import probes
from vms.models import Cluster

TITLE = "Proxmox AI Infrastructure Assistant"
PREFIX = "/v1"
KEPT_SECONDS = 30
State = Literal["healthy", "unhealthy", "unknown"]
_STATES: dict[str, State] = {"up": "healthy", "down": "unhealthy", "unknown": "unknown"}


class ServiceComponents(BaseModel):
    """How each part is; unknown while nothing was heard of it."""

    database: State
    proxmox: State
    ai_service: State


class ServiceHealth(BaseModel):
    """Whether it can serve, and since when it does."""

    status: Literal["healthy", "degraded"]
    version: str
    uptime_seconds: int
    components: ServiceComponents


class ServiceInfo(BaseModel):
    """What this is, and where to read on."""

    name: str
    version: str
    api_version: str
    supported_versions: list[str]
    authentication: list[str]
    openapi: str
    postman: str
    documentation: str


class Public(Endpoint):
    """Needs no credential and looks at none."""

    dialect = PROXMOX
    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    scopes = {"GET": ANYBODY}


class Health(Public):
    """For load balancers and clients."""

    @extend_schema(
        operation_id="health", auth=[], tags=["system"],
        responses={200: ServiceHealth, 503: OpenApiResponse(PROXMOX.error_model, "The database does not answer")},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """How each part is. `degraded` while something is away that reads can do without; 503 without the database."""
        database = _STATES[probes.database()]
        components = {"database": database, "proxmox": _proxmox(), "ai_service": _ai_service()}
        told = {
            "version": settings.ALMA_VERSION, "uptime_seconds": probes.uptime_seconds(), "components": components,
        }  # fmt: skip
        if database != "healthy":
            raise Unavailable("The database does not answer.", details={"status": "unhealthy", **told})
        return Response({"status": "degraded" if "unhealthy" in components.values() else "healthy", **told})


def _proxmox() -> State:
    """How the last reading of the clusters went: none is asked now."""
    try:
        rows = list(Cluster.objects.enabled().values_list("last_read_at", "unreachable_since"))
    except DatabaseError:
        return "unknown"
    if any(since for _, since in rows):
        return "unhealthy"
    return "healthy" if any(read for read, _ in rows) else "unknown"


def _ai_service() -> State:
    """Whether words become blueprints, asked twice a minute at most: anybody may ask us."""
    state: State | None = cache.get_or_set("v1.health.ai", lambda: _STATES[probes.language_model()], KEPT_SECONDS)
    return state or "unknown"


class Info(Public):
    """What this API is."""

    @extend_schema(operation_id="info", responses={200: ServiceInfo}, auth=[], tags=["system"])
    def get(self, request: Request) -> Response:
        """Versions, ways to authenticate, and where the API is described."""
        here = request.build_absolute_uri(PREFIX)
        return Response({
            "name": TITLE, "version": settings.ALMA_VERSION, "api_version": "v1", "supported_versions": ["v1"],
            "authentication": ["bearer", "basic"] if settings.ALMA_BASIC_AUTH else ["bearer"],
            "openapi": f"{here}/openapi.json", "postman": f"{here}/postman/collection.json",
            "documentation": request.build_absolute_uri("/swagger/"),
        })  # fmt: skip


class OpenApi(Public):
    """This family as an OpenAPI document."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """Bare, as generators of clients read it."""
        return _as_json(described(request))


class Postman(Public):
    """This family as a Postman collection."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """Made from the OpenAPI document."""
        return _as_json(family.postman(described(request)))


def described(request: Request) -> dict[str, Any]:
    """The OpenAPI document of this family, with the address under which it was asked for."""
    return family.document(PROXMOX, PREFIX, title=TITLE, server=request.build_absolute_uri(PREFIX))


def _as_json(value: dict[str, Any]) -> HttpResponse:
    return HttpResponse(orjson.dumps(value), content_type="application/json")
