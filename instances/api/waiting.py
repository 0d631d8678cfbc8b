"""`/api/v1/queue` and `/api/v1/limits`: who waits, and how many may run. Not in llamactl; in the manner of its document."""

from typing import Any

from drf_spectacular.utils import extend_schema
from pydantic import BaseModel, ConfigDict, Field
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.authentication import actor_of
from alma.api.bodies import read_body
from alma.api.dialects import LLAMACTL
from alma.api.endpoints import Endpoint
from alma.api.paging import window
from alma.api.schema import PAGE, array_of, refusals
from instances import limits, queueing


class QueueRow(BaseModel):
    """A request that waits for an instance."""

    instance: str
    position: int = Field(description="In the line of its instance, from 1")
    request_id: str
    key: str = Field(description="Label of the key that asks")
    since: int = Field(description="Seconds since 1970")
    deadline: int = Field(description="Seconds since 1970; then it is told that it has waited for too long")
    waited_seconds: float
    estimate_seconds: float | None = Field(
        description="Until the instance is ready, from its past starts; null if unknown"
    )


class PlaceRow(BaseModel):
    """How many may run, and how many shall."""

    limit: int
    running: int


class LimitRow(PlaceRow):
    """In all, and by group."""

    groups: dict[str, PlaceRow]


class LimitChange(BaseModel):
    """What to change; null takes a limit back to that of the installation, which is never exceeded."""

    model_config = ConfigDict(extra="forbid", strict=True)

    limit: int | None = Field(default=None, ge=1, le=10_000)
    groups: dict[str, int | None] = Field(default_factory=dict, max_length=100)


class _Base(Endpoint):
    dialect = LLAMACTL


class Queue(_Base):
    """The line before each instance."""

    scopes = {"GET": "instance:read"}

    @extend_schema(
        operation_id="instances_queue", parameters=PAGE, tags=["instances"],
        responses={200: array_of(QueueRow), **refusals(400, dialect=LLAMACTL)},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List the requests that wait, by instance and in the order in which they are served."""
        return Response([_waiter(row) for row in queueing.line_of(actor_of(request), window(request.query_params))])


class LimitsView(_Base):
    """How many instances run at a time."""

    scopes = {"GET": "instance:read", "PUT": "instance:write"}

    @extend_schema(operation_id="instances_limits", responses={200: LimitRow}, tags=["instances"])
    def get(self, request: Request) -> Response:
        """Show the limits and how far they are used."""
        return Response(_limits(request))

    @extend_schema(
        operation_id="instances_limits_update", request=LimitChange, tags=["instances"],
        responses={200: LimitRow, **refusals(400, dialect=LLAMACTL)},
    )  # fmt: skip
    def put(self, request: Request) -> Response:
        """Change the limits that are given. Whoever runs beyond a lower one goes on until room is needed."""
        wish = read_body(LimitChange, request)
        own = {limits.IN_ALL: wish.limit} if "limit" in wish.model_fields_set else {}
        limits.change(own | wish.groups, by=actor_of(request))
        return Response(_limits(request))


def _waiter(row: queueing.Place) -> dict[str, Any]:
    waiter = row.waiter
    return {
        "instance": waiter.instance.name, "position": row.position, "request_id": waiter.request_id, "key": waiter.label,
        "since": waiter.since, "deadline": waiter.deadline, "waited_seconds": row.waited_seconds,
        "estimate_seconds": row.estimate_seconds,
    }  # fmt: skip


def _limits(request: Request) -> dict[str, Any]:
    used = limits.usage(actor_of(request))
    groups = {name: {"limit": most, "running": running} for name, (most, running) in used.groups.items()}
    return {"limit": used.limit, "running": used.running, "groups": groups}
