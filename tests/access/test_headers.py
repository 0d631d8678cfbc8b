"""What a browser is told with every answer, whoever gives it; and that no other origin is told anything.

Of every route with every outcome the matrix says so, of the administration test_reads_change_nothing."""

from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.conf import settings as configured
from django.test import Client
from pytest_django import Settings

from alma.server.guard import BodyGuard
from alma.server.protocol import _plain
from alma.server.sockets import SocketRouter
from tests.access.judging import headers_of as of
from tests.access.judging import lacks
from tests.factories.accounts import PASSWORD, make_organization, make_user

pytestmark = pytest.mark.django_db
ORIGINS = ["https://evil.example", "null", "http://testserver.evil.example", "http://testserver:81"]
FAMILIES = [
    "/api/v1/nothing",
    "/api/v1/agents/x/nothing",
    "/v1/nothing",
    "/api/nothing",
    "/v1/models/nothing",
    "/nothing",
]


@pytest.mark.parametrize("path", [*FAMILIES, "/static/app.css", "/static/nothing", "/admin/nothing"])
@pytest.mark.parametrize("method", ["get", "post", "delete", "options", "trace"])
def test_what_is_not_there(path: str, method: str) -> None:
    assert lacks(of(getattr(Client(), method)(path))) == []


def test_another_host_and_a_forged_form(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.ALLOWED_HOSTS = ["alma.example"]
    refused = Client().get("/login/")
    assert (refused.status_code, lacks(of(refused))) == (400, [])
    (line,) = [record for record in caplog.records if record.name == "django.security.DisallowedHost"]
    assert (line.levelname, line.exc_info, "'testserver'" in line.getMessage()) == ("WARNING", None, True)
    settings.ALLOWED_HOSTS = ["testserver"]
    forged = Client(enforce_csrf_checks=True).post("/login/")
    assert (forged.status_code, lacks(of(forged))) == (403, [])


@pytest.mark.urls("tests.alma.site")
def test_a_fault_of_ours() -> None:
    broken = Client(raise_request_exception=False).get("/pages/fault")
    assert (broken.status_code, lacks(of(broken))) == (500, [])


def test_a_stream() -> None:
    client = Client()
    client.force_login(make_user(organization=make_organization()))
    path, body = "/api/v1/blueprints/generate-blueprint-stream", {"description": "one web server"}
    response = client.post(path, body, content_type="application/json")
    assert (response.streaming, lacks(of(response))) == (True, [])


async def _nothing(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("the guard lets this through")


def _decoded(headers: Any) -> dict[str, str]:
    return {name.decode().lower(): value.decode() for name, value in headers}


@pytest.mark.parametrize("path", FAMILIES)
@pytest.mark.parametrize("header", [(b"content-length", b"99999999999"), (b"content-encoding", b"gzip")])
async def test_what_the_guard_refuses(path: str, header: tuple[bytes, bytes]) -> None:
    scope = {"type": "http", "method": "POST", "path": path, "headers": [header]}
    communicator = ApplicationCommunicator(BodyGuard(_nothing), scope)
    start = await communicator.receive_output(5)
    assert (start["status"] >= 400, lacks(_decoded(start["headers"]))) == (True, [])
    communicator.stop()


@pytest.mark.parametrize("path", ["/ws/nothing", "/api/ws"])
async def test_what_is_refused_before_a_handshake(path: str) -> None:
    scope = {"type": "websocket", "path": path, "headers": [], "extensions": {"websocket.http.response": {}}}
    communicator = ApplicationCommunicator(SocketRouter({}), scope)
    await communicator.send_input({"type": "websocket.connect"})
    start = await communicator.receive_output(5)
    assert lacks(_decoded(start["headers"])) == []
    communicator.stop()


def test_what_is_no_request_yet() -> None:
    head = _plain(b"400 Bad Request", b"no").partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    assert lacks(_decoded(line.split(b": ", 1) for line in head)) == []


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("path", ["/api/v1/blueprints", "/v1/auth/tokens", "/graphql", "/metrics", "/"])
def test_other_origins_are_told_nothing(path: str, origin: str) -> None:
    """Neither to a request nor to the question that a browser asks before one."""
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    for response in (Client().get(path, headers={"Origin": origin}), Client().options(path, headers=asked)):
        assert lacks(of(response)) == []


def test_cookies_are_for_us_alone() -> None:
    """What they are called where TLS is on is the business of tests/alma/test_production.py."""
    client, person = Client(), make_user(organization=make_organization())
    assert client.post("/login/", {"username": person.username, "password": PASSWORD}).status_code == 302
    session = client.cookies[configured.SESSION_COOKIE_NAME]
    assert (bool(session["httponly"]), session["samesite"]) == (True, "Lax")
