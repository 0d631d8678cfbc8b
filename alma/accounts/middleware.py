"""Puts the actor on each request of a page."""

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from alma.accounts.actors import Actor, for_anonymous, in_session
from alma.http import GetResponse


def actor_of(request: HttpRequest) -> Actor:
    """The actor of the session."""
    return in_session(request.user, request.session) if request.user.is_authenticated else for_anonymous()


class ActorMiddleware:
    """Sets `request.actor`, looked up when first used."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = SimpleLazyObject(lambda: actor_of(request))  # type: ignore[attr-defined]
        return self.get_response(request)
