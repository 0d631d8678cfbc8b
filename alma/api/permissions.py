"""Which rights each method of a view needs, written on the view and checked here."""

from collections.abc import Mapping
from typing import Any, Final, cast

from django.urls import reverse
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from alma.accounts.actors import Actor, permit
from alma.accounts.recent_login import is_recent, refuse_keys
from alma.errors import Refused

Rights = Mapping[str, str | tuple[str, ...]]
"""By method the scope that is needed, or several of them; ANYBODY, or ANY_CREDENTIAL."""

ANYBODY: Final = ""
"""Needs nothing, on any installation: what a caller has to reach before they can have a credential."""
ANY_CREDENTIAL: Final = ()
"""Needs a credential and no particular right of it: what is done with it asks for rights by itself."""

READS: Final = ("ALMA_PUBLIC_READ",)
REVIEWS: Final = ("ALMA_PUBLIC_READ", "ALMA_KEYLESS_REVIEW")  # the answer to a review shows what was reviewed
DRAFTS: Final = ("ALMA_PUBLIC_DRAFTS",)
Openings = Mapping[str, tuple[str, ...]]
"""By method the settings that, when all of them are on, open it to everybody."""


class Scoped(BasePermission):
    """A view says `scopes = {"GET": "blueprint:read", "POST": "blueprint:write"}`, and in `openings = {"GET": READS}`
    under which settings a method is public all the same. A method it does not name is refused."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the actor of the request may call this method. Raises NotAuthenticated or Refused."""
        if request.method == "OPTIONS" or request.method not in view.allowed_methods:
            return True  # DRF answers both itself, the second with 405
        method = "GET" if request.method == "HEAD" else request.method
        needed = view.scopes.get(method)
        if needed is None:
            raise Refused("Nobody has the right to do this here.")
        if needed == ANYBODY:
            return True
        actor = cast("Actor", request.auth)
        scopes = (needed,) if isinstance(needed, str) else needed
        return permit(actor, *scopes, opened_by=getattr(view, "openings", {}).get(method, ()))


class InPerson(Scoped):
    """Besides, only a person in the browser who gave the password lately."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the actor may, and is there in person. Raises NotAuthenticated or Refused."""
        is_served = request.method != "OPTIONS" and request.method in view.allowed_methods
        return super().has_permission(request, view) and (not is_served or in_person(request))


def in_person(request: Request) -> bool:
    """True for a person in the browser who gave the password lately. Raises Refused for everybody else."""
    refuse_keys(request._request)
    if not is_recent(request._request):
        page = reverse("accounts:confirm_login")
        words = f"Give your password again at {page}, then repeat this."
        raise Refused(words, code="RECENT_LOGIN_REQUIRED", details={"confirm": page})
    return True
