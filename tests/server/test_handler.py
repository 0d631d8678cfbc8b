"""The pooled handler answers as the stock one does, and better where it matters."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import django
import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.handlers.asgi import ASGIHandler
from pytest_django import Settings

from alma.server import handler as handlers
from alma.server.handler import PooledHandler, django_application
from tests.server import site


@pytest.fixture(autouse=True)
def small_site(settings: Settings) -> Iterator[None]:
    """The site of tests/server/site.py behind middlewares of both kinds."""
    settings.ROOT_URLCONF = "tests.server.site"
    settings.ALMA_WEB_THREADS = 2
    settings.MIDDLEWARE = [
        "django.middleware.security.SecurityMiddleware",
        "tests.server.site.Tagging",
        "django.middleware.common.CommonMiddleware",
    ]
    site.SEEN.clear()
    yield


def scope(path: str, method: str = "GET", **more: Any) -> dict[str, Any]:
    url, _, query = path.partition("?")
    return {
        "type": "http", "method": method, "path": url, "query_string": query.encode(), "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 80), "scheme": "http", **more,
    }  # fmt: skip


async def ask(app: Any, path: str, method: str = "GET", body: bytes = b"") -> tuple[int, list[Any], bytes]:
    communicator = ApplicationCommunicator(app, scope(path, method))
    await communicator.send_input({"type": "http.request", "body": body})
    start = await communicator.receive_output(5)
    content = b""
    while True:
        message = await communicator.receive_output(5)
        content += message.get("body", b"")
        if not message.get("more_body"):
            break
    await communicator.wait(5)
    return start["status"], sorted(start["headers"]), content


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize(
    "path", ["/plain/", "/echo/?a=1&b=%C3%A9", "/large/", "/fails/", "/asynchronous/", "/lines/", "/file/", "/nowhere/"]
)
async def test_answers_as_the_stock_handler(path: str, method: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # stock Django warns about each synchronous stream
        expected = await ask(ASGIHandler(), path, method)
    assert await ask(PooledHandler(), path, method) == expected


async def test_a_large_body_arrives_whole() -> None:
    status, _, content = await ask(PooledHandler(), "/echo/", "POST", b"y" * 1_000_000)
    assert status == 200
    assert b'"size": 1000000' in content


async def test_a_query_that_is_no_text_is_refused() -> None:
    communicator = ApplicationCommunicator(PooledHandler(), {**scope("/plain/"), "query_string": b"\xff"})
    await communicator.send_input({"type": "http.request"})
    assert (await communicator.receive_output())["status"] == 400


async def test_middleware_and_view_share_one_thread() -> None:
    await ask(PooledHandler(), "/plain/")
    assert site.SEEN["thread"] == site.SEEN["middleware thread"]


async def test_requests_keep_to_the_lent_threads() -> None:
    app, seen = PooledHandler(), set()
    for _ in range(10):
        await ask(app, "/plain/")
        seen.add(site.SEEN["thread"])
    assert len(seen) == 1  # the warmest thread is lent first


async def test_more_requests_than_threads_wait_their_turn() -> None:
    app = PooledHandler()
    answers = await asyncio.gather(*(ask(app, "/sleeps/?seconds=0.05") for _ in range(8)))
    assert [answer[2] for answer in answers] == [b"slept"] * 8


async def test_context_variables_reach_the_view_and_what_it_awaits() -> None:
    inner = PooledHandler()

    async def app(*message: Any) -> None:
        site.GREETING.set("hello")
        await inner(*message)

    assert (await ask(app, "/contexts/"))[2] == b"hello hello"


@asynccontextmanager
async def begun(path: str) -> AsyncIterator[ApplicationCommunicator]:
    communicator = ApplicationCommunicator(PooledHandler(), scope(path))
    await communicator.send_input({"type": "http.request"})
    yield communicator
    await communicator.wait(5)


async def test_a_stream_ends_when_the_caller_hangs_up() -> None:
    async with begun("/ticks/") as communicator:
        await communicator.receive_output()
        for number in range(3):
            assert (await communicator.receive_output())["body"] == f"data: {number}\n\n".encode()
        assert "closed" not in site.SEEN
        await communicator.send_input({"type": "http.disconnect"})
    assert site.SEEN["closed"]


async def test_streams_hold_no_thread_that_requests_need() -> None:
    app = PooledHandler()
    streams = [ApplicationCommunicator(app, scope("/ticks/")) for _ in range(6)]
    for stream in streams:
        await stream.send_input({"type": "http.request"})
        await stream.receive_output()
    assert (await ask(app, "/plain/"))[0] == 200
    for stream in streams:
        await stream.send_input({"type": "http.disconnect"})
        await stream.wait(5)


async def test_an_async_view_is_cancelled_when_the_caller_hangs_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "PATIENCE", 0.05)
    async with begun("/waits/") as communicator:
        await asyncio.sleep(0.15)
        await communicator.send_input({"type": "http.disconnect"})
    assert site.SEEN["cancelled"]


async def test_a_thread_still_busy_with_a_lost_caller_is_not_lent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "PATIENCE", 0.05)
    app = PooledHandler()
    lost = ApplicationCommunicator(app, scope("/sleeps/?seconds=0.6"))
    await lost.send_input({"type": "http.request"})
    await asyncio.sleep(0.15)
    await lost.send_input({"type": "http.disconnect"})
    await lost.wait(5)
    started = asyncio.get_running_loop().time()
    await asyncio.gather(ask(app, "/plain/"), ask(app, "/plain/"))
    assert asyncio.get_running_loop().time() - started < 0.3


async def test_a_file_is_sent_piece_by_piece(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    large = tmp_path / "large"
    large.write_bytes(b"z" * 5_000_000)
    monkeypatch.setattr(site, "__file__", str(large))
    async with begun("/file/") as communicator:
        await communicator.receive_output()
        sizes, is_over = [], False
        while not is_over:
            message = await communicator.receive_output()
            sizes.append(len(message.get("body", b"")))
            is_over = not message.get("more_body", False)
    assert sum(sizes) == 5_000_000
    assert max(sizes) <= PooledHandler.chunk_size


async def test_a_caller_who_leaves_before_the_body_is_complete_costs_nothing() -> None:
    communicator = ApplicationCommunicator(PooledHandler(), scope("/echo/", "POST"))
    await communicator.send_input({"type": "http.request", "body": b"half", "more_body": True})
    await communicator.send_input({"type": "http.disconnect"})
    await communicator.wait(5)
    assert await communicator.receive_nothing()
    gc.collect()


def test_only_http_is_answered() -> None:
    with pytest.raises(ValueError, match="not websocket"):
        asyncio.run(PooledHandler()({"type": "websocket"}, None, None))  # type: ignore[arg-type]


def test_the_stock_handler_is_a_switch_away(settings: Settings) -> None:
    assert type(django_application()) is PooledHandler
    settings.ALMA_STOCK_HANDLER = True
    assert type(django_application()) is ASGIHandler


def test_another_django_gets_the_stock_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(django, "VERSION", (6, 0, 0, "final", 0))
    assert type(django_application()) is ASGIHandler


def test_this_django_is_the_one_that_the_handler_is_made_for() -> None:
    assert django.VERSION[:2] == handlers.PINNED
