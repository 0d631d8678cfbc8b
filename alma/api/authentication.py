"""Who calls the API: a key or a token in the headers, name and password where that is documented, or a session."""

import base64
import binascii
from collections.abc import Mapping
from importlib import import_module
from typing import cast

from django.conf import settings
from django.contrib.auth import authenticate, get_user
from django.contrib.auth.models import User
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from alma.accounts.actors import Actor, for_anonymous, for_user, in_session
from alma.accounts.keys import resolve
from alma.errors import BadRequest, DomainError, NotAuthenticated


def presented_key(headers: Mapping[str, str]) -> str | None:
    """The key in the headers of a request, or None. Raises BadRequest when two different ones are sent."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else None
    key = headers.get("X-API-Key")
    if key and bearer and key != bearer:
        raise _ambiguous()
    return key or bearer


def presented_password(headers: Mapping[str, str]) -> tuple[str, str] | None:
    """Name and password of an Authorization header of the scheme Basic, or None. Raises NotAuthenticated, BadRequest."""
    scheme, _, text = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    if "X-API-Key" in headers:
        raise _ambiguous()
    try:
        name, colon, password = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise _wrong_password() from error
    if not colon:
        raise _wrong_password()
    return name, password


def person_of(request: HttpRequest, name: str, password: str) -> User:
    """The person whose password this is. Raises NotAuthenticated in words that do not tell whether there is such a
    person, and RateLimited after too many attempts."""
    user = None if "\0" in name else authenticate(request, username=name, password=password)
    if not isinstance(user, User):
        raise _wrong_password()
    return user


def _wrong_password() -> NotAuthenticated:
    details = {"field": "password", "reason": "authentication_failed"}
    return NotAuthenticated("Invalid username or password", code="INVALID_CREDENTIALS", details=details)


def _ambiguous() -> BadRequest:
    return BadRequest("Two different credentials in one request; send one.", code="AMBIGUOUS_CREDENTIALS")


class Credentials(SessionAuthentication):
    """Sets request.user to a person or None and request.auth to an Actor, for everybody, anonymous included."""

    password_methods: frozenset[str] = frozenset()

    def authenticate(self, request: Request) -> tuple[User | None, Actor]:
        """A key wins over a session; a wrong key is refused even where none is needed."""
        if request.method in self.password_methods or settings.ALMA_BASIC_AUTH:
            password = presented_password(request.headers)
            if password is not None:
                person = person_of(request._request, *password)
                return person, for_user(person)
        key = presented_key(request.headers)
        if key is not None:
            actor = resolve(key, address=request.META.get("REMOTE_ADDR", ""))
            return actor.user, actor
        return self._of_session(request)

    def _of_session(self, request: Request) -> tuple[User | None, Actor]:
        user = getattr(request._request, "user", None)
        if user is not None and user.is_authenticated and user.is_active:
            self.enforce_csrf(request)
            return user, in_session(user, getattr(request._request, "session", {}))
        return None, for_anonymous()


class PasswordsOrCredentials(Credentials):
    """Of a route to which a document shows a name and a password being posted."""

    password_methods = frozenset({"POST"})


class NoCredentials(BaseAuthentication):
    """Of a route that makes credentials: those of the request are looked at by the route itself, if at all."""

    def authenticate(self, request: Request) -> tuple[None, Actor]:
        """Whoever it is, they are nobody yet."""
        return None, for_anonymous()


def session_actor(key: str) -> Actor | None:
    """The active person that a session belongs to, by the same checks as for a page, in the same organization."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    user = get_user(request)
    return in_session(user, request.session) if isinstance(user, User) else None


def still_stands(request: HttpRequest, caller: Actor) -> bool:
    """Whether the credential of a request stands for the same actor as when it came, read anew."""
    try:
        return _anew(request, caller) == caller
    except DomainError:
        return False


def _anew(request: HttpRequest, caller: Actor) -> Actor | None:
    key = presented_key(request.headers)
    if key is not None:
        return resolve(key, address=request.META.get("REMOTE_ADDR", ""))
    if caller.user is None:
        return for_anonymous()
    session = getattr(request, "session", None)
    if session is not None and session.session_key:
        return session_actor(session.session_key)
    person = User.objects.filter(pk=caller.user.pk, is_active=True).first()  # who gave name and password
    return for_user(person) if person else None


def actor_of(request: Request) -> Actor:
    """The actor that Credentials put on a request."""
    return cast(Actor, request.auth)
