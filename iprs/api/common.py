"""What the views of IPRs and deployments share."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from alma.api.authentication import actor_of
from alma.api.parsers import body_object
from alma.api.schema import PAGE
from alma.errors import NotFound
from blueprints.models import Blueprint
from iprs import serializers
from iprs.models import IPR, Deployment

WAIT_SECONDS = 5.0
"""How long a caller may wait for a plan; `Prefer: respond-async` waits for nothing (RFC 7240)."""

ERRORS = dict.fromkeys((400, 403, 404, 422), serializers.ErrorBody)
SKIP, LIMIT = PAGE
ASYNC = OpenApiParameter("Prefer", str, OpenApiParameter.HEADER, description="respond-async: do not wait for the plan.")


def wait_of(request: Request) -> float:
    """How long the answer may wait for the plan."""
    return 0.0 if "respond-async" in request.headers.get("Prefer", "").lower() else WAIT_SECONDS


def find_ipr(request: Request, ipr_id: str) -> IPR:
    """The IPR of an id, if the actor may see it. Raises NotFound."""
    ipr = IPR.objects.visible_to(actor_of(request)).for_page().filter(pk=ipr_id).first()
    if ipr is None:
        raise NotFound(f"IPR {ipr_id} not found", code="IPR_NOT_FOUND")
    return ipr


def find_blueprint(request: Request, blueprint_id: int | str) -> Blueprint:
    """The blueprint of an id, if the actor may see it. Raises NotFound."""
    row = Blueprint.objects.visible_to(actor_of(request)).filter(pk=blueprint_id).first()
    if row is None:
        raise NotFound(f"Blueprint {blueprint_id} not found", code="BLUEPRINT_NOT_FOUND")
    return row


def checked(serializer: type[Serializer], request: Request) -> dict[str, Any]:
    """The body of a request by a serializer; an empty body is an empty object. Raises BadRequest, ValidationError."""
    filled = serializer(data=body_object(request.data if request.data else {}))
    filled.is_valid(raise_exception=True)
    return dict(filled.validated_data)


def find_deployment(request: Request, deployment_id: str) -> Deployment:
    """The deployment of an id, if the actor may see it. Raises NotFound."""
    rows = Deployment.objects.visible_to(actor_of(request)).select_related("job", "ipr", "plan", "rollback")
    row = rows.filter(job__public_id=deployment_id).first()
    if row is None:
        raise NotFound(f"Deployment {deployment_id[:40]} not found", code="DEPLOYMENT_NOT_FOUND")
    return row
