"""The sandbox on a TLS socket: each answer is sent when what it tells is on disk."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from vms.sandbox import screen, uploads, wire
from vms.sandbox.core import consoles
from vms.sandbox.core.core import Core, Request, Response
from vms.sandbox.core.errors import ApiError, NeedsTime
from vms.sandbox.core.model import Json
from vms.sandbox.core.routing import Upload
from vms.sandbox.credentials import folder_of
from vms.sandbox.listening import Listener
from vms.sandbox.store import Store

logger = logging.getLogger(__name__)
_LONGEST_NAP = 1.0
_LONGEST_LINE = 64 * 1024


class _Connection(web.RequestHandler):
    """What is no HTTP/1 is answered in Proxmox's words."""

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        if status != 400:
            logger.error("sandbox request failed", exc_info=exc, extra={"path": request.path})
        return wire.refusal(wire.not_understood(status, message or ""))


class HttpServer(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class SandboxServer:
    """One core, one state file, one listening address."""

    def __init__(self, core: Core, store: Store, data_dir: Path | str) -> None:
        self.core = core
        self._store = store
        self._folder = folder_of(data_dir)
        self._writing = asyncio.Lock()
        self._wake = asyncio.Event()
        self._is_stopping = False
        self._runner: web.ServerRunner | None = None
        self._listener: Listener | None = None
        self._ticking: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; answers the port, which the system chose when 0 was asked for."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._folder / "cert.pem", self._folder / "key.pem")
        context.set_alpn_protocols(["http/1.1"])
        server = HttpServer(self._serve, access_log=None, max_line_size=_LONGEST_LINE, max_field_size=8190)
        self._runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=2)
        await self._runner.setup()
        self._listener = Listener(server, context)
        bound = self._listener.open(host, port)
        self._ticking = asyncio.create_task(self._tick_until_stopped())
        return bound

    async def stop(self) -> None:
        self._is_stopping = True
        self._wake.set()
        if self._ticking is not None:
            await self._ticking
        if self._listener is not None:
            await self._listener.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self.core.suspend()
        await self._commit()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.version.major != 1 and request.transport is not None:
            request.transport.write(wire.foreign_version(request))
            request.transport.close()
            return web.Response()
        if wire.is_too_large(request):
            return self._drop(request)
        try:
            wire.check_head(request)
            asked = wire.Asked.by(request, *wire.split_path(request.rel_url.raw_path))
            response = await self._answer(request, asked)
        except wire.NotHttp as error:
            return wire.refusal(error)
        if response.status == 200 and screen.is_asked_for(request, asked.path):
            consoles.note_use(self.core.world, int(request.query["port"]))
            return await screen.serve(request, screen.Screen(f"sandbox {asked.path}", screen.password_of(request)))
        return self._drop(request) if response.is_lost else wire.answer(response, asked)

    def _drop(self, request: web.BaseRequest) -> web.StreamResponse:
        """Close the connection without a word."""
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async def _answer(self, request: web.BaseRequest, asked: wire.Asked) -> Response:
        """Who asks is settled before the body is read."""
        await asyncio.sleep(self.core.latency_of(asked.path))
        try:
            identity = self.core.authenticate(request.method, asked.path, request.headers)
        except ApiError as error:
            await asyncio.sleep(self.core.world.options.unauthorized_delay)
            return Response(error.status, error.message, has_body=False)
        given, upload = await self._read(request, asked.path)
        wire.check_format(asked.format, asked.path)
        return await self._handle(Request(request.method, asked.path, given, identity, upload=upload))

    async def _read(self, request: web.BaseRequest, path: str) -> tuple[dict[str, Json], Upload | None]:
        """The parameters, and the file that comes with them to the one path that takes files."""
        if uploads.is_upload(request.method, path, request.headers.get("Content-Type", "")):
            return await uploads.read(request)
        wire.check_length(request)
        return await wire.given(request), None

    async def _handle(self, request: Request) -> Response:
        """Run the call, waiting as long as it waits for a lock, and write what it changed."""
        while True:
            try:
                response = self.core.handle(request)
            except NeedsTime as error:
                await asyncio.sleep(max(0.0, error.until - self.core.world.now()))
                continue
            self._wake.set()
            await self._commit()
            if response.status == 401:
                await asyncio.sleep(self.core.world.options.unauthorized_delay)
            return response

    async def _commit(self) -> None:
        """Write all changes so far; calls that come meanwhile share the next write."""
        async with self._writing:
            changes = self.core.state.drain()
            if not changes:
                return
            try:
                await asyncio.get_running_loop().run_in_executor(None, self._store.write, changes)
            except Exception:
                self.core.state.undrain(changes)
                raise

    async def _tick_until_stopped(self) -> None:
        """End tasks at their time, also when nobody asks for them."""
        while not self._is_stopping:
            due = self.core.next_due()
            nap = _LONGEST_NAP if due is None else min(_LONGEST_NAP, max(0.0, due - self.core.world.now()))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(nap):
                    await self._wake.wait()
            self._wake.clear()
            await self._tick()

    async def _tick(self) -> None:
        """One fault of ours must not stop the clock of all guests; it is not tried again at once."""
        try:
            self.core.tick()
        except Exception:
            logger.exception("the sandbox could not tick")
            await asyncio.sleep(_LONGEST_NAP)
        await self._commit()


async def run(
    server: SandboxServer, host: str, port: int, *, on_ready: Callable[[int], None], until: asyncio.Event
) -> None:
    """Serve until the event is set."""
    on_ready(await server.start(host, port))
    try:
        await until.wait()
    finally:
        await server.stop()
