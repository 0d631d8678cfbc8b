"""`/mcp` beside Django: who calls is known by a key before the protocol is spoken. The protocol's package is loaded by the first call,
for it takes a second that no start should wait for."""

import asyncio
from functools import cache
from http import HTTPStatus
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.utils.module_loading import import_string

from alma.accounts.actors import Actor, for_anonymous
from alma.accounts.keys import resolve
from alma.accounts.signing_in import network_of
from alma.api.authentication import presented_key
from alma.api.dialects import ALMA
from alma.api.limits.charging import charge_client
from alma.api.wire import BROWSER, RPC, given_id, rpc_error
from alma.asgi_types import Application, Receive, Scope, Send
from alma.errors import DomainError, NotAuthenticated, Refused
from alma.events.origins import is_foreign, is_known_host
from alma.http import status_of
from alma.monitoring.requests import SLOT
from blueprints import tools
from instances.router.inside import within


@cache
def _protocol() -> Any:
    return import_string("blueprints.mcp.server.serve_http")


class ProtocolMount:
    """Answers `/mcp`, and hands everything else on."""

    def __init__(self, below: Application) -> None:
        self.below = below

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].rstrip("/") != RPC:
            await self.below(scope, receive, send)
            return
        scope[SLOT] = "mcp"
        if scope["method"] != "POST":
            await _refuse(
                scope,
                send,
                HTTPStatus.METHOD_NOT_ALLOWED,
                "Calls are POSTed; there is no stream to open.",
                (b"allow", b"POST"),
            )
            return
        try:
            actor = await database_sync_to_async(admitted, thread_sensitive=False)(scope)
            serve = await asyncio.to_thread(_protocol)
        except DomainError as error:
            more = [(name.lower().encode(), value.encode()) for name, value in ALMA.error_headers(error).items()]
            if isinstance(error, NotAuthenticated):
                more = [(b"www-authenticate", b"Bearer")]
            await _refuse(scope, send, status_of(error), error.message, *more)
            return
        within(self.below)  # for tools that ask a model
        await serve(actor, settings.ALMA_VERSION, scope, receive, send)


def admitted(scope: Scope) -> Actor:
    """Who calls. Raises Refused for another origin or without the right to use tools, NotAuthenticated, RateLimited."""
    if not is_known_host(scope) or is_foreign(scope):
        raise Refused("This is not called from pages of other origins.")
    headers = {name.decode("latin-1").title(): value.decode("latin-1") for name, value in scope["headers"]}
    key = presented_key({"X-API-Key": headers.get("X-Api-Key", ""), "Authorization": headers.get("Authorization", "")})
    address = (scope.get("client") or ("",))[0]
    if not key and settings.ALMA_AUTH_ENABLED:
        _charge(address, None)
        raise NotAuthenticated("Send a key: Authorization: Bearer …, or X-API-Key.")
    actor = resolve(key, address=address) if key else for_anonymous()
    _charge(address, actor)
    actor.require(tools.READ)
    return actor


def _charge(address: str, actor: Actor | None) -> None:
    """Count the call. Raises RateLimited."""
    who = f"key:{actor.key_id}" if actor and actor.key_id is not None else None
    charge = charge_client(ALMA, RPC, "POST", network_of(address), who, actor.lane if actor else "")
    if charge is not None and not charge.reading.is_allowed:
        raise charge.refusal()


async def _refuse(scope: Scope, send: Send, status: int, message: str, *more: tuple[bytes, bytes]) -> None:
    body = rpc_error(message)
    headers = [
        (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *BROWSER,
        (b"x-request-id", given_id(scope["headers"]).encode()), *more,
    ]  # fmt: skip
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body})
