"""Counts and times every HTTP request of a process: outermost, so that refusals before Django count as well."""

import re
from collections.abc import Callable
from functools import cache
from time import perf_counter

from django.conf import settings
from django.contrib.admindocs.views import simplify_regex
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from alma.asgi_types import Application, Message, Receive, Scope, Send
from alma.http import GetResponse

UNKNOWN = "unknown"
HUNG_UP = 499
"""The caller was gone before there was an answer; nobody saw this status."""
SLOT = "alma.route"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

disable_created_metrics()
REGISTRY = CollectorRegistry()
REQUESTS = Counter("http_requests", "Total HTTP requests", ["method", "endpoint", "status"], registry=REGISTRY)
DURATION = Histogram(
    "http_request_duration_seconds", "HTTP request latency", ["method", "endpoint"], buckets=BUCKETS, registry=REGISTRY
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CONVERTED = re.compile(r"<(?:\w+:)?(\w+)>")
_meters: dict[tuple[str, str, int], tuple[Callable[[], None], Callable[[float], None]]] = {}


class RouteMiddleware:
    """Leaves the route that Django found where the outermost layer sees it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> None:
        """Before the view, and before anything else that could answer in its place."""
        scope: Scope | None = getattr(request, "scope", None)
        if scope is not None and request.resolver_match is not None:
            scope[SLOT] = request.resolver_match.route


class RequestMetrics:
    """Pure ASGI. The time is that to the beginning of the answer: a stream may go on for hours."""

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, status = perf_counter(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            if not status:
                status = message.get("status", 0)
                note(scope, status, perf_counter() - began)
            await send(message)

        fault = HUNG_UP
        try:
            await self.app(scope, receive, noting)
        except Exception:
            fault = 500  # what the server makes of it
            raise
        finally:
            if not status:
                note(scope, fault, perf_counter() - began)


def note(scope: Scope, status: int, seconds: float) -> None:
    """One request, by its method and by the template of its route."""
    key = scope["method"], scope.get(SLOT) or _route(scope["path"], status), status
    meter = _meters.get(key)
    if meter is None:
        meter = _meters[key] = _meter(*key)
    count, observe = meter
    count()
    observe(seconds)


def _meter(method: str, route: str, status: int) -> tuple[Callable[[], None], Callable[[float], None]]:
    method = method if method in _METHODS else "other"
    endpoint = endpoint_of(route)
    counter = REQUESTS.labels(method=method, endpoint=endpoint, status=str(status))
    return counter.inc, DURATION.labels(method=method, endpoint=endpoint).observe


def _route(path: str, status: int) -> str:
    """The route of what was answered before Django looked for one."""
    if path.startswith(settings.STATIC_URL):
        return f"{settings.STATIC_URL[1:]}<path:file>"
    if status == 404:
        return UNKNOWN
    try:
        return resolve(path).route
    except Resolver404:
        return UNKNOWN


@cache
def endpoint_of(route: str) -> str:
    """`^api/v1/blueprints/(?P<blueprint_id>[^/]+)/?$` as the documents write it: /api/v1/blueprints/{blueprint_id}."""
    if route == UNKNOWN:
        return UNKNOWN
    return _CONVERTED.sub(r"{\1}", simplify_regex(route)).rstrip("/") or "/"


def counted_requests() -> dict[str, int]:
    """Sums over all that was noted: requests, those answered with 400 or more, and microseconds."""
    counts = [sample for metric in REQUESTS.collect() for sample in metric.samples]
    times = [sample.value for metric in DURATION.collect() for sample in metric.samples if sample.name.endswith("_sum")]
    return {
        "http.requests": int(sum(sample.value for sample in counts)),
        "http.errors": int(sum(sample.value for sample in counts if sample.labels["status"] >= "400")),
        "http.microseconds": int(sum(times) * 1_000_000),
    }
