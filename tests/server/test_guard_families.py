"""Bodies that are not taken, in the words of each family: announced, in pieces, and compressed."""

import json
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from pytest_django import Settings

from alma.asgi_types import Receive, Scope, Send
from alma.server.guard import BodyGuard
from alma.server.limits import KILOBYTE, MEGABYTE

CASES = [
    ("/api/v1/ipr", 128 * KILOBYTE, ("detail", "error_code", "timestamp")),
    ("/api/v1/blueprints", MEGABYTE, ("detail", "error_code", "timestamp")),
    ("/graphql", 128 * KILOBYTE, ("detail", "error_code", "timestamp")),
    ("/api/v1/projects", 128 * KILOBYTE, ("success", "error")),
    ("/api/v1/webhooks", 256 * KILOBYTE, ("success", "error")),
    ("/v1/vms", 128 * KILOBYTE, ("success", "error", "meta")),
    ("/v1/webhooks", 256 * KILOBYTE, ("success", "error", "meta")),
    ("/api/auth/login", 128 * KILOBYTE, ("error", "code", "details")),
    ("/api/v1/instances/web", 128 * KILOBYTE, ("error",)),
    ("/v1/chat/completions", 32 * MEGABYTE, ("error",)),
    ("/login/", 128 * KILOBYTE, None),
]
PIECE = 64 * KILOBYTE


async def takes(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that reads all there is."""
    while (await receive()).get("more_body"):
        continue
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def sent(
    path: str, size: int, *, is_announced: bool, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> tuple[int, Any]:
    """Status and body of the answer to a POST of so many bytes."""
    length = ((b"content-length", str(size).encode()),) if is_announced else ((b"transfer-encoding", b"chunked"),)
    scope = {"type": "http", "method": "POST", "path": path, "headers": [*length, *headers], "client": ("127.0.0.1", 1)}
    asked = ApplicationCommunicator(BodyGuard(takes), scope)
    whole, rest = divmod(size, PIECE)
    for _ in range(whole):
        await asked.send_input({"type": "http.request", "body": bytes(PIECE), "more_body": True})
    await asked.send_input({"type": "http.request", "body": bytes(rest), "more_body": False})
    status = (await asked.receive_output(10))["status"]
    body = (await asked.receive_output(10))["body"]
    await asked.wait(10)
    return status, body


@pytest.mark.parametrize("is_announced", [True, False])
@pytest.mark.parametrize(("path", "limit", "shape"), CASES, ids=[path for path, _, _ in CASES])
async def test_the_cap_of_a_route(
    settings: Settings, path: str, limit: int, shape: tuple[str, ...] | None, is_announced: bool
) -> None:
    settings.ALMA_REQUIRE_LENGTH = False
    assert (await sent(path, limit, is_announced=is_announced))[0] == 204
    status, body = await sent(path, limit + 1, is_announced=is_announced)
    assert status == 413
    assert shape is None or set(json.loads(body)) == set(shape)
    assert f"larger than the {limit:,} bytes" in body.decode()


@pytest.mark.parametrize(("path", "status"), [("/api/v1/projects", 411), ("/api/v1/ipr", 204), ("/v1/vms", 204)])
async def test_a_length_is_asked_for_where_the_document_does(settings: Settings, path: str, status: int) -> None:
    settings.ALMA_REQUIRE_LENGTH = True
    found, body = await sent(path, 10, is_announced=False)
    assert found == status
    assert status != 411 or json.loads(body)["error"]["code"] == "LENGTH_REQUIRED"


@pytest.mark.parametrize("encoding", [b"gzip", b"br", b"deflate", b"identity, gzip"])
@pytest.mark.parametrize(("path", "shape"), [(path, shape) for path, _, shape in CASES if shape])
async def test_compressed_bodies_are_refused(path: str, shape: tuple[str, ...], encoding: bytes) -> None:
    status, body = await sent(path, 10, is_announced=True, headers=((b"content-encoding", encoding),))
    assert (status, set(json.loads(body))) == (415, set(shape))
