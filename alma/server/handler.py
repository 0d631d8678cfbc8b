"""Django behind ASGI without a thread hop per middleware.

The stock handler makes a thread per request and changes threads at each synchronous middleware. This one runs the whole
synchronous chain and the view in one hop to a lent thread, which keeps its database connection. It leans on internals
of the Django release below; on any other, and with ALMA_STOCK_HANDLER set, the stock handler serves.
"""

import asyncio
import contextvars
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import Executor
from typing import IO, Any, cast

import django
from asgiref.sync import SyncToAsync, ThreadSensitiveContext, sync_to_async
from django.conf import settings
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from alma.asgi_types import Receive, Scope, Send
from alma.server.threads import LentThreads, SharedThreads

logger = logging.getLogger(__name__)

PINNED = (5, 2)
STREAM_THREADS = 4
FILE_BLOCK = 256 * 1024
PATIENCE = 1.0
"""Seconds after which a request is watched for a caller that hung up; quick ones are not worth the watching."""


def django_application() -> ASGIHandler:
    """The handler for this process. Apps must be ready."""
    if settings.ALMA_STOCK_HANDLER:
        return ASGIHandler()
    if django.VERSION[:2] != PINNED:
        logger.warning("the pooled handler is made for Django 5.2; the stock handler serves")
        return ASGIHandler()
    return PooledHandler()


Respond = Callable[..., HttpResponseBase]


class CallerGone(Exception):
    """The caller hung up before there was an answer."""


class PooledHandler(ASGIHandler):
    """One hop per request."""

    def __init__(self) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        self._lent = LentThreads(settings.ALMA_WEB_THREADS)
        self._shared = SharedThreads(STREAM_THREADS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"Django answers http, not {scope['type']}.")
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        context = contextvars.copy_context()
        try:
            async with self._lent.lend() as thread:
                response = await _hop(thread, context, receive, self._respond, scope, body)
        except CallerGone:
            return
        if response.streaming:
            # in the context that the view left, where a language or a time zone may have been chosen
            await asyncio.get_running_loop().create_task(self._stream(response, receive, send), context=context)
        else:
            await self.send_response(response, send)

    def _respond(self, scope: Scope, body: IO[bytes]) -> HttpResponseBase:
        """Everything that is synchronous: in one thread, from the first signal to the last."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        response: Any
        request, response = self.create_request(scope, body)
        if request is None:
            body.close()
        else:
            response = self.get_response(request)
        response._handler_class = self.__class__
        if not response.streaming:
            response.close()
        return response

    async def _stream(self, response: HttpResponseBase, receive: Receive, send: Send) -> None:
        """Send a stream until its end or until the caller hangs up; then close it, whatever happened."""
        async with ThreadSensitiveContext(executor=self._shared.next()):
            try:
                _make_asynchronous(response)
                await _first_of(asyncio.ensure_future(self.send_response(response, send)), receive)
            except asyncio.CancelledError:
                if _is_being_cancelled():
                    raise
            finally:
                await sync_to_async(response.close)()


async def _hop(
    thread: Executor, context: contextvars.Context, receive: Receive, respond: Respond, *args: Any
) -> HttpResponseBase:
    """What respond answers, run in the thread and the context. A caller who hangs up cancels an asynchronous view; a
    synchronous one runs to its end unheard. sync_to_async would do, at twice the price.

    Raises CallerGone."""
    loop = asyncio.get_running_loop()
    views: list[asyncio.Task[Any]] = []
    work = loop.run_in_executor(thread, context.run, _respond_beside, loop, views, respond, *args)
    try:
        await asyncio.wait({work}, timeout=PATIENCE)
        if not work.done():
            await _first_of(work, receive)
        return work.result()
    except asyncio.CancelledError as error:
        work.cancel()
        await _cancel(views)
        if _is_being_cancelled():
            raise
        raise CallerGone from error


def _respond_beside(
    loop: asyncio.AbstractEventLoop, views: list["asyncio.Task[Any]"], respond: Respond, *args: Any
) -> HttpResponseBase:
    """What respond answers. asgiref runs an asynchronous view on the loop named here, and lists it while it runs."""
    local = SyncToAsync.threadlocal
    local.main_event_loop, local.main_event_loop_pid, local.task_context = loop, os.getpid(), views
    return respond(*args)


async def _cancel(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel the tasks and see them end."""
    running = list(tasks)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


def _is_being_cancelled() -> bool:
    """Whether somebody cancels us, and not only the work that we wait for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _first_of(work: "asyncio.Future[Any]", receive: Receive) -> None:
    """Wait for work, and cancel it when the caller hangs up first. Raises what the work raised."""
    hang_up = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait({work, hang_up}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (hang_up, work):
            if not task.done():
                task.cancel()
        await asyncio.gather(hang_up, work, return_exceptions=True)
    work.result()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


def _make_asynchronous(response: Any) -> None:
    """A file or a plain generator is read piece by piece in a thread, where stock Django takes all of it at once."""
    if isinstance(response, StreamingHttpResponse) and not response.is_async:
        if isinstance(response, FileResponse):
            response.block_size = FILE_BLOCK
        response.streaming_content = _pieces(cast("Iterator[bytes]", response.streaming_content))


async def _pieces(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (part := await sync_to_async(_next)(parts)) is not None:
        yield part


def _next(parts: Iterator[bytes]) -> bytes | None:
    return next(parts, None)
