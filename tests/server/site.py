"""A small site of every kind of view, to compare handlers with."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from pathlib import Path

from asgiref.sync import async_to_sync, sync_to_async
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path

GREETING: ContextVar[str] = ContextVar("greeting", default="none")
SEEN: dict[str, object] = {}


def plain(request: HttpRequest) -> HttpResponse:
    SEEN["thread"] = threading.get_ident()
    response = HttpResponse("plain", headers={"X-Method": request.method or ""})
    response.set_cookie("first", "1")
    response.set_cookie("second", "2", httponly=True)
    return response


def echo(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"size": len(request.body), "query": request.GET.dict(), "prefix": request.path})


def large(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"x" * 300_000)


def fails(request: HttpRequest) -> HttpResponse:
    raise ValueError("a fault of ours")


async def asynchronous(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(0)
    return HttpResponse("async")


async def waits(request: HttpRequest) -> HttpResponse:
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        SEEN["cancelled"] = True
        raise
    return HttpResponse("late")


def sleeps(request: HttpRequest) -> HttpResponse:
    time.sleep(float(request.GET["seconds"]))
    return HttpResponse("slept")


def contexts(request: HttpRequest) -> HttpResponse:
    async def ask() -> str:
        return GREETING.get()

    return HttpResponse(f"{GREETING.get()} {async_to_sync(ask)()}")


def lines(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[str]:
        for number in range(5):
            yield f"{number}\n"

    return StreamingHttpResponse(parts())


def ticks(request: HttpRequest) -> StreamingHttpResponse:
    async def parts() -> AsyncIterator[str]:
        try:
            for number in range(10_000):
                yield f"data: {await sync_to_async(str)(number)}\n\n"
                await asyncio.sleep(0.01)
        finally:
            SEEN["closed"] = True

    return StreamingHttpResponse(parts(), content_type="text/event-stream")


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(Path(__file__).open("rb"))


class Tagging:
    """A middleware that is only synchronous, as most are."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        SEEN["middleware thread"] = threading.get_ident()
        response = self.get_response(request)
        response["X-Tagged"] = "yes"
        return response


urlpatterns = [
    path(f"{view.__name__}/", view)
    for view in (plain, echo, large, fails, asynchronous, waits, sleeps, contexts, lines, ticks, file)
]
