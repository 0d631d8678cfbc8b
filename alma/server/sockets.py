"""Routing of websockets: a table of exact paths; what is refused before the handshake is answered as any request is."""

from collections.abc import Mapping
from dataclasses import dataclass

from alma.api.wire import error_response, given_id
from alma.asgi_types import Application, Message, Receive, Scope, Send
from alma.errors import DomainError, NotFound, Refused

ANSWER = "websocket.http.response"
"""The extension of ASGI for answers in the place of a handshake; a server without it says 403 and nothing else."""


class SocketRouter:
    """Hands a connection to the consumer of its path, with or without a trailing slash."""

    def __init__(self, routes: Mapping[str, Application]) -> None:
        self.routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self.routes.get(scope["path"].rstrip("/"))
        if route is not None:
            await route(scope, receive, _Handshake(scope, send, _REFUSED).send)
            return
        await receive()
        await _Handshake(scope, send, _UNKNOWN).send({"type": "websocket.close"})


_REFUSED = Refused("This socket may not be opened: the credential, the origin or the host is not accepted.")
_UNKNOWN = NotFound("There is no socket at this path.")


@dataclass
class _Handshake:
    """Gives whatever ends a handshake the id of the request, and a refusal the status and body of its dialect."""

    scope: Scope
    send_: Send
    error: DomainError
    is_over: bool = False

    async def send(self, message: Message) -> None:
        """Pass a message on."""
        if self.is_over:
            await self.send_(message)
            return
        self.is_over = True
        request_id = given_id(self.scope.get("headers", []))
        if message["type"] == "websocket.accept":
            headers = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await self.send_({**message, "headers": headers})
        elif message["type"] == "websocket.close" and ANSWER in (self.scope.get("extensions") or {}):
            await self._refuse(request_id)
        else:
            await self.send_(message)

    async def _refuse(self, request_id: str) -> None:
        status, headers, body = error_response(self.scope["path"], self.error, request_id, 403)
        await self.send_({"type": f"{ANSWER}.start", "status": status, "headers": headers})
        await self.send_({"type": f"{ANSWER}.body", "body": body})
