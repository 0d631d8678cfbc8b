"""Which pages of other origins may ask models from a browser: those that the operator names, letter for letter."""

import asyncio
from typing import Any

import pytest

from alma.application import application, data_plane

pytestmark = pytest.mark.django_db(transaction=True)
NAMED = "https://chat.example"


async def answered(method: str, path: str, origin: str | None, **headers: str) -> dict[str, str]:
    """Status and headers of an answer of the whole application."""
    sent: list[dict[str, Any]] = []
    given = [(b"host", b"testserver"), *((name.encode(), value.encode()) for name, value in headers.items())]
    if origin is not None:
        given.append((b"origin", origin.encode()))
    scope = {
        "type": "http", "http_version": "1.1", "method": method, "scheme": "http", "path": path, "raw_path": path.encode(),
        "query_string": b"", "headers": given, "client": ("127.0.0.1", 1), "server": ("testserver", 80),
    }  # fmt: skip

    bodies = [b"{}"]

    async def receive() -> dict[str, Any]:
        if not bodies:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": bodies.pop(), "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await application(scope, receive, send)
    await data_plane.stop()
    start = next(one for one in sent if one["type"] == "http.response.start")
    return {"status": str(start["status"])} | {name.decode(): value.decode() for name, value in start["headers"]}


@pytest.fixture(autouse=True)
def named(settings) -> None:
    settings.ALMA_MODEL_ORIGINS = [NAMED, "http://localhost:3000"]


@pytest.mark.parametrize("origin", [NAMED, "http://localhost:3000"])
async def test_pages_of_an_origin_that_is_named_may_ask(origin: str) -> None:
    said = await answered("OPTIONS", "/v1/chat/completions", origin)
    assert (said["status"], said["access-control-allow-origin"], said["vary"]) == ("204", origin, "origin")
    assert "authorization" in said["access-control-allow-headers"]
    assert "POST" in said["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in said, "no cookie of the browser goes along"
    refused = await answered("POST", "/v1/chat/completions", origin, authorization="Bearer wrong")
    assert (refused["status"], refused["access-control-allow-origin"]) == ("401", origin), "pages can read a refusal"


@pytest.mark.parametrize(
    "origin",
    [
        None, "null", "https://evil.example", "https://chat.example.evil.example", "http://chat.example", "https://chat.example:8443",
        "https://CHAT.example", "*",
    ],
)  # fmt: skip
async def test_no_other_page_may(origin: str | None) -> None:
    for method in ("OPTIONS", "POST"):
        said = await answered(method, "/v1/chat/completions", origin)
        assert "access-control-allow-origin" not in said
        assert said["vary"] == "origin"


async def test_by_default_and_beside_the_models_nobody_may(settings) -> None:
    assert "access-control-allow-origin" not in await answered("GET", "/api/v1/instances", NAMED)
    settings.ALMA_MODEL_ORIGINS = []
    assert "access-control-allow-origin" not in await answered("OPTIONS", "/v1/models", NAMED)
