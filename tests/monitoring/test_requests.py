"""Every request counts once: by template, method and status, whoever answered it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from pytest_django import Settings

from alma.asgi_types import Receive, Scope, Send
from alma.monitoring.requests import REQUESTS, RequestMetrics, RouteMiddleware, counted_requests, endpoint_of
from alma.server.guard import BodyGuard
from alma.server.handler import PooledHandler

Labels = tuple[str, str, str]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def scope(path: str, method: str = "GET", headers: dict[str, str] | None = None) -> dict[str, Any]:
    named = {"host": "localhost", **(headers or {})}
    return {
        "type": "http", "method": method, "path": path, "query_string": b"", "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 80),
    }  # fmt: skip


def counts() -> dict[Labels, float]:
    samples = [sample for metric in REQUESTS.collect() for sample in metric.samples]
    return {
        (sample.labels["method"], sample.labels["endpoint"], sample.labels["status"]): sample.value
        for sample in samples
        if sample.name == "http_requests_total"
    }


async def counted(app: App, path: str, method: str = "GET", headers: dict[str, str] | None = None) -> set[Labels]:
    """What one request adds."""
    before = counts()
    communicator = ApplicationCommunicator(RequestMetrics(app), scope(path, method, headers))
    await communicator.send_input({"type": "http.request", "body": b""})
    await communicator.receive_output(5)
    while (await communicator.receive_output(5)).get("more_body"):
        continue
    await communicator.send_input({"type": "http.disconnect"})
    await communicator.wait(5)
    return {labels for labels, value in counts().items() if value == before.get(labels, 0) + 1}


@pytest.fixture
def site(settings: Settings) -> App:
    """The small site of the server's tests, behind the body guard."""
    settings.ROOT_URLCONF = "tests.server.site"
    settings.MIDDLEWARE = ["alma.monitoring.requests.RouteMiddleware", "django.middleware.common.CommonMiddleware"]
    return BodyGuard(PooledHandler())


@pytest.mark.parametrize(
    ("path", "method", "labels"),
    [
        ("/plain/", "GET", ("GET", "/plain", "200")),
        ("/plain/", "POST", ("POST", "/plain", "200")),
        ("/plain/", "BREW", ("other", "/plain", "200")),
        ("/fails/", "GET", ("GET", "/fails", "500")),
        ("/lines/", "GET", ("GET", "/lines", "200")),
        ("/nowhere/7/", "GET", ("GET", "unknown", "404")),
        ("/nowhere/8/", "GET", ("GET", "unknown", "404")),
        ("/static/secret-name.css", "GET", ("GET", "/static/{file}", "404")),
    ],
)
async def test_a_request_counts_once_under_its_route(site: App, path: str, method: str, labels: Labels) -> None:
    assert await counted(site, path, method) == {labels}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-length": "99999999"}, "413"),
        ({"content-length": "1", "transfer-encoding": "chunked"}, "400"),
        ({"content-encoding": "gzip"}, "415"),
    ],
)
async def test_what_the_guard_refuses_counts_as_well(site: App, headers: dict[str, str], status: str) -> None:
    assert await counted(site, "/echo/", "POST", headers) == {("POST", "/echo", status)}
    assert await counted(site, "/nowhere/", "POST", headers) == {("POST", "unknown", status)}


async def test_a_fault_below_is_a_500_and_goes_on() -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise KeyError("a fault of ours")

    before = counts().get(("GET", "unknown", "500"), 0)
    with pytest.raises(KeyError):
        await RequestMetrics(fails)(scope("/nowhere/"), _nothing, _nothing)
    assert counts()["GET", "unknown", "500"] == before + 1


async def test_a_caller_who_hung_up_is_no_fault() -> None:
    async def gives_up(scope: Scope, receive: Receive, send: Send) -> None:
        return

    await RequestMetrics(gives_up)(scope("/nowhere/"), _nothing, _nothing)
    assert counts()["GET", "unknown", "499"] >= 1


async def test_a_stream_is_timed_to_its_beginning() -> None:
    async def slow_to_end(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0.2)
        await send({"type": "http.response.body", "body": b""})

    async def slow_to_begin(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.2)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    before = counted_requests()["http.microseconds"]
    await RequestMetrics(slow_to_end)(scope("/nowhere/"), _nothing, _nothing)
    assert counted_requests()["http.microseconds"] - before < 100_000
    await RequestMetrics(slow_to_begin)(scope("/nowhere/"), _nothing, _nothing)
    assert counted_requests()["http.microseconds"] - before >= 200_000


async def test_refusals_are_errors_in_the_sums(site: App) -> None:
    before = counted_requests()
    await counted(site, "/plain/")
    await counted(site, "/nowhere/")
    after = counted_requests()
    assert after["http.requests"] - before["http.requests"] == 2
    assert after["http.errors"] - before["http.errors"] == 1


@pytest.mark.parametrize(
    ("route", "endpoint"),
    [
        (r"^api/v1/blueprints/?$", "/api/v1/blueprints"),
        (r"^api/v1/blueprints/(?P<blueprint_id>[^/]+)/revisions/(?P<number>[^/]+)/?$",
         "/api/v1/blueprints/{blueprint_id}/revisions/{number}"),
        (r"^api/v1/iprs?/(?P<ipr_id>[0-9]{1,18})/deploy/?$", "/api/v1/iprs/{ipr_id}/deploy"),
        ("blueprints/<int:pk>/edit/", "/blueprints/{pk}/edit"),
        ("", "/"),
        ("unknown", "unknown"),
    ],
)  # fmt: skip
def test_a_route_is_written_as_in_the_documents(route: str, endpoint: str) -> None:
    assert endpoint_of(route) == endpoint


def test_a_middleware_without_a_scope_does_nothing() -> None:
    class Request:
        resolver_match = None

    assert RouteMiddleware(lambda request: None).process_view(Request(), None, (), {}) is None  # type: ignore[arg-type, return-value]


async def _nothing(*_: object) -> dict[str, Any]:
    return {}
