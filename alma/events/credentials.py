"""Who opened a websocket: a key in its headers, the session of a page of ours, or nobody in particular."""

from dataclasses import dataclass, field

from django.conf import settings
from django.http import parse_cookie

from alma.accounts.actors import Actor, for_anonymous
from alma.accounts.keys import resolve
from alma.api.authentication import presented_key, session_actor
from alma.asgi_types import Scope
from alma.errors import NotAuthenticated
from alma.events.origins import header, is_same_origin


@dataclass(frozen=True)
class Credential:
    """What was presented; asked again from time to time, for it may be revoked while the socket is open."""

    key: str = field(default="", repr=False)
    session: str = field(default="", repr=False)
    address: str = ""

    def actor(self) -> Actor:
        """Who this is now. Raises NotAuthenticated."""
        if self.key:
            return resolve(self.key, address=self.address)
        signed_in = session_actor(self.session) if self.session else None
        if signed_in is not None:
            return signed_in
        actor = for_anonymous()
        if actor.is_anonymous and (self.session or not settings.ALMA_PUBLIC_READ):
            raise NotAuthenticated("Sign in, or send an API key.")
        return actor


def presented(scope: Scope) -> Credential:
    """What a connection presents. A cookie counts only when a page of ours opened it: a browser sends cookies with
    connections that foreign pages open. Raises BadRequest for two different keys."""
    key = presented_key({"Authorization": header(scope, b"authorization"), "X-API-Key": header(scope, b"x-api-key")})
    if key:
        return Credential(key=key, address=(scope.get("client") or ("",))[0])
    return Credential(session=_session_cookie(scope) if is_same_origin(scope) else "")


def _session_cookie(scope: Scope) -> str:
    return parse_cookie(header(scope, b"cookie")).get(settings.SESSION_COOKIE_NAME, "")
