"""What the server in front of the views refuses on the routes of alumia-api.txt, in the words of that document."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from asgiref.testing import ApplicationCommunicator
from django.test import Client

from alma.asgi_types import Receive, Scope, Send
from alma.server.guard import BodyGuard
from alma.server.limits import limit_of
from tests.factories.accounts import make_organization

POSTS = ["/api/v1/docs/ask", "/api/v1/enterprise-inquiry", "/api/v1/projects", "/api/v1/projects/x/blueprints/"]
KILOBYTE = 1024


async def reads_all(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that takes the body and says so."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def post(path: str, *parts: bytes, headers: Any = ()) -> tuple[int, Any]:
    scope = {"type": "http", "method": "POST", "path": path, "headers": list(headers), "http_version": "1.1"}
    talk = ApplicationCommunicator(BodyGuard(reads_all), scope)
    for number, part in enumerate(parts, start=1):
        await talk.send_input({"type": "http.request", "body": part, "more_body": number < len(parts)})
    start, body = await talk.receive_output(3), await talk.receive_output(3)
    return start["status"], orjson.loads(body["body"] or b"null")


@pytest.fixture
def in_production(settings: Any) -> Iterator[None]:
    settings.ALMA_REQUIRE_LENGTH = True
    yield


@pytest.mark.parametrize("path", POSTS)
async def test_a_post_says_its_length_in_production(in_production: None, path: str) -> None:
    status, body = await post(path, b"{}")
    assert (status, body["success"], body["error"]["code"]) == (411, False, "LENGTH_REQUIRED")
    assert (await post(path, b"{}", headers=[(b"content-length", b"2")]))[0] == 204


async def test_elsewhere_it_need_not(settings: Any) -> None:
    settings.ALMA_REQUIRE_LENGTH = False
    assert (await post(POSTS[0], b"{}"))[0] == 204


@pytest.mark.parametrize("path", POSTS)
async def test_a_body_is_bounded_announced_or_not(settings: Any, path: str) -> None:
    settings.ALMA_REQUIRE_LENGTH = False
    assert limit_of(path) == 128 * KILOBYTE
    announced = [(b"content-length", str(128 * KILOBYTE + 1).encode())]
    for answer in (await post(path, headers=announced), await post(path, *[b"x" * 100 * KILOBYTE] * 2)):
        assert (answer[0], answer[1]["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/api/v1/projects/x/y", "/api/v1/docs", "/api/v1/dashboard", "/api/v1/mission-control/x"]
)
def test_unknown_routes_beside_them(client: Client, path: str) -> None:
    make_organization()
    body = client.get(path).json()
    assert (body["success"], body["error"]["code"]) == (False, "NOT_FOUND")
