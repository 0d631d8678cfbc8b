"""The health part of the Monitoring API of alma-api.txt."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from pydantic import BaseModel
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.dialects import ALMA, timestamp
from alma.api.endpoints import Endpoint
from alma.api.permissions import ANYBODY, READS
from alma.api.schema import refusals
from alma.monitoring import probes


class HealthBody(BaseModel):
    """Whether ALMA can serve."""

    status: probes.Status
    version: str
    timestamp: str


class ComponentsBody(BaseModel):
    """Whether each part answers: up, down, or unknown while nothing was heard of it."""

    database: probes.State
    llm_service: probes.State
    cache: probes.State
    worker: probes.State
    reconciler: probes.State
    doorbell: probes.State
    rate_limits: probes.State


class DetailedHealthBody(BaseModel):
    """What ALMA consists of and how each part is."""

    status: probes.Status
    components: ComponentsBody
    uptime_seconds: int
    version: str


_UNHEALTHY = "The database does not answer"
_EXAMPLE = OpenApiExample(
    "A healthy system",
    {
        "status": "healthy",
        "components": {
            "database": "up",
            "llm_service": "up",
            "cache": "up",
            "worker": "up",
            "reconciler": "up",
            "doorbell": "up",
            "rate_limits": "up",
        },
        "uptime_seconds": 345678,
        "version": "0.1.0",
    },
    response_only=True,
    status_codes=["200"],
)


def _answer(status: probes.Status, **body: Any) -> Response:
    return Response({"status": status, **body}, status=503 if status == "unhealthy" else 200)


class Health(Endpoint):
    """For load balancers and start scripts: public, quick, and honest about the database."""

    dialect = ALMA
    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    scopes = {"GET": ANYBODY}

    @extend_schema(
        operation_id="monitoring_health",
        responses={200: HealthBody, 503: OpenApiResponse(HealthBody, _UNHEALTHY)},
        auth=[],
        tags=["monitoring"],
    )
    def get(self, request: Request) -> Response:
        """Whether ALMA can serve: 200, or 503 when the database does not answer."""
        status: probes.Status = "healthy" if probes.database() == "up" else "unhealthy"
        return _answer(status, version=settings.ALMA_VERSION, timestamp=timestamp())


class DetailedHealth(Endpoint):
    """For people and dashboards: every part on its own."""

    dialect = ALMA
    scopes = {"GET": "job:read"}
    openings = {"GET": READS}

    def perform_authentication(self, request: Request) -> None:
        """Who asks, as long as that can be known: without a database the one answer left is that it is away."""
        if probes.database() == "up":
            super().perform_authentication(request)
            super().check_permissions(request)

    def check_permissions(self, request: Request) -> None:
        """Done with the authentication."""

    @extend_schema(
        operation_id="monitoring_health_detailed",
        responses={200: DetailedHealthBody, 503: OpenApiResponse(DetailedHealthBody, _UNHEALTHY), **refusals(403)},
        examples=[_EXAMPLE],
        tags=["monitoring"],
    )
    def get(self, request: Request) -> Response:
        """How each component is; `degraded` when one is down that the rest can do without for a while."""
        components = probes.components()
        return _answer(
            probes.overall(components), components=components,
            uptime_seconds=probes.uptime_seconds(), version=settings.ALMA_VERSION,
        )  # fmt: skip
