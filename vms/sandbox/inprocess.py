"""The simulated cluster behind `requests`, without a socket: what proxmoxer and our driver send is answered in this process."""

import io
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from aiohttp import web
from proxmoxer import ProxmoxAPI
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from vms.sandbox import bodies, uploads, wire
from vms.sandbox.core.clock import ManualClock
from vms.sandbox.core.core import Core, Request, Response
from vms.sandbox.core.errors import ApiError, NeedsTime
from vms.sandbox.core.routing import Upload
from vms.sandbox.credentials import SandboxCredentials

_MOMENT = 0.05
"""Seconds that a hurried request takes: guests boot while they are asked about."""


class SandboxAdapter(HTTPAdapter):
    """Mount it on a session, and every request goes to one core, in the words of the wire.

    Over a wall clock it waits as the server does. On a clock moved by hand no time passes but what a request has to
    wait for; with `is_hurried`, a request takes a moment, and finds all tasks ended that were begun before it."""

    def __init__(self, core: Core, *, is_hurried: bool = False) -> None:
        super().__init__()
        self.core = core
        self._is_hurried = is_hurried
        self._one_at_a_time = threading.Lock()

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Raises requests.ConnectionError for a request or an answer that a fault has lost."""
        with self._one_at_a_time:
            answer = self._answer(request)
        if answer is None:
            raise requests.ConnectionError("Remote end closed connection without response", request=request)
        body = answer.body if isinstance(answer.body, bytes) else b""
        raw = HTTPResponse(
            body=io.BytesIO(body), headers=dict(answer.headers), status=answer.status, reason=answer.reason,
            preload_content=False,
        )  # fmt: skip
        return self.build_response(request, raw)

    def _answer(self, request: requests.PreparedRequest) -> web.Response | None:
        url, method = urlsplit(request.url or ""), request.method or "GET"
        try:
            if method not in wire.METHODS:
                raise bodies.NotHttp(501, f"method '{method}' not available", has_text=False)
            format, path = wire.split_path(url.path)
            response = self._handle(method, path, url.query, request)
            wire.check_format(format, path)
        except bodies.NotHttp as error:
            return wire.refusal(error)
        accepted = request.headers.get("Accept-Encoding", "")
        return None if response.is_lost else wire.answer(response, wire.Asked(format, path, accepted))

    def _handle(self, method: str, path: str, query: str, request: requests.PreparedRequest) -> Response:
        if self.core.latency_of(path):
            self._wait(self.core.world.now() + self.core.latency_of(path))
        if self._is_hurried:
            self._finish_all()
        try:
            identity = self.core.authenticate(method, path, request.headers)
        except ApiError as error:
            return Response(error.status, error.message, has_body=False)
        given, upload = _read(method, path, query, request)
        asked = Request(method, path, given, identity, upload=upload)
        while True:
            try:
                return self.core.handle(asked)
            except NeedsTime as error:
                self._wait(error.until)

    def _finish_all(self) -> None:
        self._wait(self.core.world.now() + _MOMENT)
        while (due := self.core.next_due()) is not None:
            self._wait(due)
            self.core.tick()

    def _wait(self, moment: float) -> None:
        clock = self.core.world.clock
        if isinstance(clock, ManualClock):
            clock.move_to(moment)
        else:
            time.sleep(max(0.0, moment - clock.now()))


def _read(
    method: str, path: str, query: str, request: requests.PreparedRequest
) -> tuple[dict[str, Any], Upload | None]:
    content_type = request.headers.get("Content-Type", "")
    if uploads.is_upload(method, path, content_type):
        body = request.body if isinstance(request.body, bytes) else b"".join(map(_bytes, request.body or ()))
        return uploads.parse(content_type, body)
    return _parameters(method, query, request.headers, request.body), None


def _bytes(chunk: Any) -> bytes:
    return chunk if isinstance(chunk, bytes) else str(chunk).encode()


def _parameters(method: str, query: str, headers: Mapping[str, str], body: Any) -> dict[str, Any]:
    has_body = method in wire.WITH_BODY
    content = body if isinstance(body, bytes) else str(body or "").encode()
    return bodies.parameters(headers.get("Content-Type", "") if has_body else None, content if has_body else b"", query)


def client(core: Core, secrets: SandboxCredentials, *, is_hurried: bool = False) -> ProxmoxAPI:
    """The stock client on such a core, by token."""
    user, _, name = secrets.token_id.partition("!")
    api = ProxmoxAPI("sandbox", user=user, token_name=name, token_value=secrets.token_secret, verify_ssl=True)
    session = api._store["session"]
    session.adapters.clear()
    session.mount("https://", SandboxAdapter(core, is_hurried=is_hurried))
    return api
