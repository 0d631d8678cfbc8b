"""What answers below Django speaks the dialect of its path as well, and always bears an id."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from pytest_django import Settings

from alma.asgi_types import Receive, Scope, Send
from alma.server.guard import BodyGuard
from alma.server.protocol import _plain
from alma.server.sockets import ANSWER, SocketRouter

ID = re.compile(r"[0-9a-f]{32}")
LENGTHLESS = [(b"transfer-encoding", b"chunked")]
FAMILIES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "/api/v1/notes": ("PAYLOAD_TOO_LARGE", lambda body: body["error_code"]),
    "/api/v1/agents": ("PAYLOAD_TOO_LARGE", lambda body: body["error"]["code"]),
    "/v1/vms": ("PAYLOAD_TOO_LARGE", lambda body: body["error"]["code"]),
    "/api/config": ("PAYLOAD_TOO_LARGE", lambda body: body["code"]),
    "/api/v1/instances/x": ("The request body", lambda body: body["error"][:16]),
    "/v1/completions": ("invalid_request_error", lambda body: body["error"]["type"]),
}


async def answers(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the body, and gives its answer no id."""
    while (await receive()).get("more_body"):
        continue
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"read"})


async def ask(
    path: str, headers: list[tuple[bytes, bytes]], body: bytes = b"", method: str = "POST", app: Any = answers
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer to a request behind the guard."""
    scope = {"type": "http", "method": method, "path": path, "headers": headers}
    communicator = ApplicationCommunicator(BodyGuard(app), scope)
    await communicator.send_input({"type": "http.request", "body": body, "more_body": False})
    start = await communicator.receive_output(2)
    named = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], named, (await communicator.receive_output(2))["body"]


@pytest.mark.parametrize("path", FAMILIES)
async def test_the_guard_refuses_in_the_dialect_of_the_path(path: str) -> None:
    code, read = FAMILIES[path]
    status, headers, body = await ask(path, [(b"content-length", b"999999999"), (b"X-Request-Id", b"mine")])
    assert (status, read(json.loads(body))) == (413, code)
    assert headers["x-request-id"] == "mine"
    assert headers["content-type"] == "application/json"
    assert headers["connection"] == "close"


async def test_the_id_stands_in_the_body_where_the_dialect_has_it_there() -> None:
    _, headers, body = await ask("/v1/vms", [(b"content-encoding", b"gzip")])
    assert ID.fullmatch(headers["x-request-id"])
    assert json.loads(body)["meta"]["request_id"] == headers["x-request-id"]
    assert headers["api-version"] == "v1"


async def test_status_and_code_of_what_the_guard_refuses() -> None:
    status, _, body = await ask("/api/v1/agents", [(b"content-encoding", b"gzip"), (b"content-length", b"1")])
    assert (status, json.loads(body)["error"]["code"]) == (415, "UNSUPPORTED_ENCODING")
    status, _, body = await ask("/api/v1/agents", [(b"content-length", b"x")])
    assert (status, json.loads(body)["error"]["code"]) == (400, "BAD_REQUEST")


async def test_a_page_is_refused_in_plain_words_with_the_status_that_fits() -> None:
    status, headers, body = await ask("/login/", [(b"content-encoding", b"gzip")])
    assert (status, headers["content-type"]) == (415, "text/plain; charset=utf-8")
    assert ID.fullmatch(headers["x-request-id"])
    assert (await ask("/login/", [(b"content-length", b"x")]))[0] == 400


# -- Content-Length -------------------------------------------------------------------------------
async def test_alumia_wants_to_know_the_length_beforehand() -> None:
    status, headers, body = await ask("/api/v1/docs/ask", LENGTHLESS, b"{}")
    assert status == 411
    assert json.loads(body) == {
        "success": False,
        "error": {"code": "LENGTH_REQUIRED", "message": "Say in Content-Length how long the body is."},
    }
    assert ID.fullmatch(headers["x-request-id"])
    assert (await ask("/api/v1/docs/ask", []))[0] == 411


@pytest.mark.parametrize(
    ("path", "method", "headers"),
    [
        ("/api/v1/docs/ask", "POST", [(b"Content-Length", b"2")]),
        ("/api/v1/docs/ask", "GET", []),
        ("/api/v1/agents/1", "PATCH", LENGTHLESS),
        ("/api/v1/blueprints", "POST", LENGTHLESS),
        ("/v1/vms", "POST", LENGTHLESS),
        ("/api/instances", "POST", LENGTHLESS),
        ("/v1/chat/completions", "POST", LENGTHLESS),
    ],
)
async def test_nothing_else_does(path: str, method: str, headers: list[tuple[bytes, bytes]]) -> None:
    assert (await ask(path, headers, b"{}", method))[0] == 200


async def test_nor_does_alumia_in_development(settings: Settings) -> None:
    settings.ALMA_REQUIRE_LENGTH = False
    assert (await ask("/api/v1/docs/ask", LENGTHLESS, b"{}"))[0] == 200


# -- ids ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("given", "is_kept"), [(b"mine-1", True), (b"not mine", False), (b"\xff", False)])
async def test_an_answer_without_an_id_gets_one(given: bytes, is_kept: bool) -> None:
    _, headers, _ = await ask("/v1/chat/completions", [(b"x-request-id", given)])
    assert (headers["x-request-id"] == "mine-1") is is_kept
    assert is_kept or ID.fullmatch(headers["x-request-id"])


async def test_an_answer_with_an_id_keeps_it() -> None:
    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"X-Request-ID", b"own")]})
        await send({"type": "http.response.body", "body": b""})

    _, headers, _ = await ask("/", [(b"x-request-id", b"mine")], app=named)
    assert headers == {"X-Request-ID": "own"}


def test_what_is_no_request_is_answered_with_an_id_too() -> None:
    head, _, body = _plain(b"400 Bad Request", b"No request").decode().partition("\r\n\r\n")
    lines = head.split("\r\n")
    headers = dict(line.split(": ") for line in lines[1:])
    assert (lines[0], headers["content-length"], body) == ("HTTP/1.1 400 Bad Request", "10", "No request")
    assert ID.fullmatch(headers["x-request-id"])


# -- sockets --------------------------------------------------------------------------------------
async def refuses(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.close"})


async def accepts(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept", "subprotocol": None, "headers": [(b"x-own", b"1")]})
    await send({"type": "websocket.close", "code": 4403})


async def knock(path: str, **scope: Any) -> ApplicationCommunicator:
    router = SocketRouter({"/ws/no": refuses, "/ws/yes": accepts, "/api/ws": refuses})
    headers = [(b"x-request-id", b"mine")]
    communicator = ApplicationCommunicator(router, {"type": "websocket", "path": path, "headers": headers, **scope})
    await communicator.send_input({"type": "websocket.connect"})
    return communicator


@pytest.mark.parametrize(("path", "status"), [("/ws/no", 403), ("/ws/nothing", 404), ("/api/ws", 403)])
async def test_a_refused_handshake_is_answered_in_the_dialect(path: str, status: int) -> None:
    socket = await knock(path, extensions={ANSWER: {}})
    start, body = await socket.receive_output(2), await socket.receive_output(2)
    assert (start["type"], start["status"]) == (f"{ANSWER}.start", status)
    assert (b"x-request-id", b"mine") in start["headers"]
    assert ("code" if path == "/api/ws" else "error_code") in json.loads(body["body"])


@pytest.mark.parametrize("scope", [{}, {"extensions": None}, {"extensions": {}}])
async def test_a_server_that_cannot_answer_so_is_told_to_close(scope: dict[str, Any]) -> None:
    socket = await knock("/ws/no", **scope)
    assert (await socket.receive_output(2))["type"] == "websocket.close"


async def test_an_accepted_socket_bears_the_id_and_closes_as_it_says() -> None:
    socket = await knock("/ws/yes/", extensions={ANSWER: {}})
    assert (await socket.receive_output(2))["headers"] == [(b"x-own", b"1"), (b"x-request-id", b"mine")]
    assert await socket.receive_output(2) == {"type": "websocket.close", "code": 4403}
