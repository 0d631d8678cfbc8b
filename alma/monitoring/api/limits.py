"""The rate limit part of the Monitoring API: who draws on which allowance, and how often somebody was refused."""

from collections.abc import Mapping

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.limits.classes import CLASSES, RateClass, allowance
from alma.api.limits.limiter import ALLOWED, REFUSED, current, tally_of
from alma.api.limits.limiter import tallies as names
from alma.api.schema import refusals
from alma.monitoring.api.metrics import MetricsView
from alma.monitoring.tallies import tallies


class EndpointStats(BaseModel):
    """Of one class of requests, named after its route."""

    limit: int = Field(description="Requests of one client in a minute, or in an hour where the document says so")
    active_clients: int = Field(description="Clients that asked within that time, or whose allowance was filling up")
    total_requests: int = Field(description="Since the installation began")
    rejected_requests: int


class RateLimitStatsBody(BaseModel):
    """Clients are credentials, and addresses of those who sent none."""

    total_clients: int
    rate_limited_clients: int = Field(description="Those who would be refused now")
    endpoint_stats: dict[str, EndpointStats]


_EXAMPLE = OpenApiExample(
    "Documented",
    {
        "total_clients": 45,
        "rate_limited_clients": 3,
        "endpoint_stats": {
            "/api/v1/conversation/chat-stream": {
                "limit": 20, "active_clients": 12, "total_requests": 2450, "rejected_requests": 15,
            }
        },
    },
    response_only=True,
    status_codes=["200"],
)  # fmt: skip


class RateLimitStats(MetricsView):
    """`/api/v1/monitoring/rate-limit/stats`."""

    @extend_schema(
        operation_id="monitoring_rate_limit_stats",
        responses={200: RateLimitStatsBody, **refusals(403)},
        examples=[_EXAMPLE],
        tags=["monitoring"],
    )
    def get(self, request: Request) -> Response:
        """Clients of now and requests since the installation began, over all web processes."""
        return Response(statistics())


def statistics() -> dict[str, object]:
    """As the document has it. The buckets tell of clients, the tallies of requests."""
    counts, active, limited = tallies.totals(*names()), set[str](), set[str]()
    known, now = current().known()
    stats = {}
    for rate_class in CLASSES:
        asking, waiting = clients_of(rate_class, known.get(rate_class.name, {}), now)
        active |= asking
        limited |= waiting
        allowed, refused = (counts[tally_of(rate_class, outcome)] for outcome in (ALLOWED, REFUSED))
        stats[rate_class.route] = {
            "limit": allowance(rate_class).limit if settings.ALMA_RATE_LIMITS else 0, "active_clients": len(asking),
            "total_requests": allowed + refused, "rejected_requests": refused,
        }  # fmt: skip
    return {"total_clients": len(active), "rate_limited_clients": len(limited), "endpoint_stats": stats}


def clients_of(rate_class: RateClass, moments: Mapping[str, int], now: int) -> tuple[set[str], set[str]]:
    """Who asked within the window of a class or whose allowance was still filling up then, and who has to wait now."""
    since = now - rate_class.window * 1_000_000 - rate_class.depth + rate_class.interval
    return {who for who, ready in moments.items() if ready > since}, {who for who, r in moments.items() if r > now}
