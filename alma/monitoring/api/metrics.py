"""The metrics part of the Monitoring API: for Prometheus, and as a summary for people."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils.module_loading import import_string
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from prometheus_client.exposition import choose_encoder
from pydantic import BaseModel, Field
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.dialects import ALMA
from alma.api.endpoints import Endpoint
from alma.api.permissions import ANYBODY
from alma.api.schema import refusals
from alma.api.streaming import StreamNegotiation
from alma.monitoring.access import MayMeasure, is_open_to
from alma.monitoring.registry import REGISTRY
from alma.monitoring.tallies import tallies


class HttpSummary(BaseModel):
    """Of all requests that were ever answered."""

    total_requests: int
    avg_latency_ms: int
    error_rate: float = Field(description="Share of the answers with a status of 400 or more, from 0 to 1")


class LlmSummary(BaseModel):
    """Of the words that became blueprints. The offline planner needs no model and so no tokens."""

    total_generations: int
    avg_tokens_per_request: int
    total_tokens_generated: int


class BlueprintsSummary(BaseModel):
    """Of blueprints: all that were saved, those that are there, and what was refused."""

    total_created: int
    avg_resources: int
    validation_errors: int


class SummaryBody(BaseModel):
    """Totals of the whole installation."""

    http: HttpSummary
    llm: LlmSummary
    blueprints: BlueprintsSummary


_EXAMPLE = OpenApiExample(
    "Documented",
    {
        "http": {"total_requests": 15234, "avg_latency_ms": 145, "error_rate": 0.02},
        "llm": {"total_generations": 1250, "avg_tokens_per_request": 450, "total_tokens_generated": 562500},
        "blueprints": {"total_created": 340, "avg_resources": 8, "validation_errors": 12},
    },
    response_only=True,
    status_codes=["200"],
)
_TEXT: dict[Any, OpenApiResponse] = {
    (200, "text/plain"): OpenApiResponse(OpenApiTypes.STR, "Prometheus exposition format"),
    **refusals(403),
}


class MetricsView(Endpoint):
    """What all views of metrics share."""

    dialect = ALMA
    permission_classes = [MayMeasure]
    scopes = {"GET": ANYBODY}

    def perform_authentication(self, request: Request) -> None:
        """Who asks, unless that does not matter: metrics must come while the database is away."""
        if not is_open_to(request):
            super().perform_authentication(request)


class Metrics(MetricsView):
    """`/api/v1/monitoring/metrics`."""

    content_negotiation_class = StreamNegotiation

    @extend_schema(operation_id="monitoring_metrics", responses=_TEXT, tags=["monitoring"])
    def get(self, request: Request) -> HttpResponse:
        """Metrics of this web process and figures of the installation, as Prometheus reads them."""
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return HttpResponse(encode(REGISTRY), content_type=content_type, headers={"Cache-Control": "no-store"})


class RootMetrics(Metrics):
    """`/metrics`, where Prometheus looks by itself."""

    @extend_schema(operation_id="metrics", responses=_TEXT, tags=["monitoring"])
    def get(self, request: Request) -> HttpResponse:
        """The same as /api/v1/monitoring/metrics."""
        return super().get(request)


class Summary(MetricsView):
    """`/api/v1/monitoring/metrics/summary`."""

    @extend_schema(
        operation_id="monitoring_metrics_summary",
        responses={200: SummaryBody, **refusals(403)},
        examples=[_EXAMPLE],
        tags=["monitoring"],
    )
    def get(self, request: Request) -> Response:
        """Totals since the installation began, over all web processes."""
        parts = {name: import_string(path)() for name, path in settings.ALMA_SUMMARY.items()}
        return Response({"http": http_summary(), **parts})


def http_summary() -> dict[str, Any]:
    """From what every web process counted."""
    found = tallies.totals("http.requests", "http.errors", "http.microseconds")
    requests = found["http.requests"]
    return {
        "total_requests": requests,
        "avg_latency_ms": round(found["http.microseconds"] / 1000 / requests) if requests else 0,
        "error_rate": round(found["http.errors"] / requests, 4) if requests else 0.0,
    }
