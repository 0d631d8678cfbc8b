"""Which pages of other origins may ask models from a browser: those that the operator names."""

from django.conf import settings

from alma.asgi_types import Application, Message, Receive, Scope, Send
from instances.router.backends import Headers
from instances.router.replies import Reply
from instances.router.routes import route_of

_ALLOW = b"access-control-allow-origin"
_ALLOWED = [
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (b"access-control-allow-headers", b"authorization, content-type, x-api-key, x-request-id, anthropic-version, anthropic-beta"),
    (b"access-control-max-age", b"600"),
]  # fmt: skip
_SEEN = b"x-request-id, x-queue-position, x-queue-estimate, x-queue-seconds, retry-after"


class Origins:
    """Around everything that answers, so that a page can read a refusal as well, whoever refuses."""

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_for_models = scope["type"] == "http" and route_of(scope["path"]) is not None
        if not is_for_models or not settings.ALMA_MODEL_ORIGINS:
            await self.app(scope, receive, send)
            return
        told = cors_headers(scope["headers"])

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *told]}
            await send(message)

        await self.app(scope, receive, tell)


def cors_headers(headers: Headers) -> Headers:
    """What a browser has to be told so that a page of another origin may read the answer; nothing for those not named in
    the settings. Credentials of the browser are never among what it may send."""
    origin = next((value for name, value in headers if name.lower() == b"origin"), b"").decode("latin-1")
    if origin not in settings.ALMA_MODEL_ORIGINS:
        return [(b"vary", b"origin")]
    return [(_ALLOW, origin.encode("latin-1")), (b"access-control-expose-headers", _SEEN), (b"vary", b"origin")]


async def preflight(scope: Scope, send: Send) -> None:
    """The answer to OPTIONS: whether a page may ask."""
    is_named = any(name == _ALLOW for name, _ in cors_headers(scope["headers"]))
    await Reply.to(scope, send).whole(204, _ALLOWED if is_named else [], b"")
