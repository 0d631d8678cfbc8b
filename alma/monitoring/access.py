"""Who may see metrics: everybody where ALMA_PUBLIC_METRICS says so, else whoever may read anything at all."""

from typing import Any

from django.conf import settings
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from alma.api.authentication import actor_of, presented_key
from alma.errors import NotAuthenticated, Refused


def is_open_to(request: Request) -> bool:
    """Whether nothing need be known about the caller. A key that is sent is checked all the same."""
    return bool(settings.ALMA_PUBLIC_METRICS) and presented_key(request.headers) is None


class MayMeasure(BasePermission):
    """Metrics are of the whole installation and name nothing of any organization."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Raises NotAuthenticated or Refused."""
        if is_open_to(request) or request.method not in {"GET", "HEAD"}:
            return True  # DRF answers other methods itself
        actor = actor_of(request)
        if actor.is_anonymous:
            raise NotAuthenticated("Invalid API key")
        if not settings.ALMA_PUBLIC_METRICS and not any(scope.endswith(":read") for scope in actor.scopes):
            raise Refused("Metrics need a key with a right to read.", code="MISSING_SCOPE")
        return True
