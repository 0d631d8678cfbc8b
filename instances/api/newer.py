"""`/api/v1/instances`, as llamactl-api.txt has it: created and started in one, stopped and removed in one."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from pydantic import BaseModel, Field, JsonValue
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.authentication import actor_of
from alma.api.bodies import read_body
from alma.api.dialects import LLAMACTL
from alma.api.endpoints import Endpoint
from alma.api.negotiation import AnyNegotiation
from alma.api.schema import array_of, refusals
from alma.errors import BadRequest
from instances import services
from instances.api.reading import NAME, Wish, instance_of, instances_of, lines_asked, logs_of, shown_settings
from instances.library.fitting import warnings_of
from instances.models import Instance

_EXAMPLE = OpenApiExample("As documented", request_only=True, value={"model": "/models/llama-2-7b.gguf"})
_LINES = OpenApiParameter(
    "lines", int, description="How many of the last lines; all that are kept without it or for -1"
)
_TEXT = {(200, "text/plain"): OpenApiResponse(OpenApiTypes.STR, "The log")}


class InstanceRow(BaseModel):
    """An instance. `status` is what was asked for as soon as it was; `reason` says why it is not as it should be."""

    id: int
    name: str
    status: str
    created: int = Field(description="Seconds since 1970")
    backend_type: str
    model: str
    port: int
    node: str
    group: str
    pinned: bool
    auto_restart: bool
    max_restarts: int
    restart_delay: int
    stop_seconds: int
    on_demand_start: bool
    idle_timeout: int = Field(description="Minutes, rounded up; 0 for never")
    idle_seconds: int
    preload: bool
    aliases: list[str]
    unlisted: bool
    request_defaults: dict[str, JsonValue]
    concurrency: int | None
    draining_since: int | None = Field(description="Seconds since 1970")
    kept_until: int | None = Field(description="Seconds since 1970")
    last_used: int | None = Field(description="Seconds since 1970")
    options: dict[str, JsonValue]
    reason: str


class ChangedInstance(InstanceRow):
    """An instance after a change; one that runs goes on as it was until it is restarted."""

    restart_required: bool


class StartedInstance(InstanceRow):
    """An instance that was asked to start; `warnings` say why that can hardly go well, in sentences."""

    warnings: list[str]


def row(instance: Instance, **more: Any) -> dict[str, Any]:
    """One instance as this document says it."""
    return {
        "id": instance.pk, "name": instance.name, "status": instance.shown_status, "created": instance.created_at,
        "backend_type": instance.backend, "model": instance.model, "port": instance.port, "node": instance.node,
        **shown_settings(instance), "draining_since": instance.draining_since, "kept_until": instance.kept_until,
        "last_used": instance.last_used_at, "options": instance.options, "reason": instance.reason, **more,
    }  # fmt: skip


class _Base(Endpoint):
    dialect = LLAMACTL


class InstanceList(_Base):
    """All of them."""

    scopes = {"GET": "instance:read"}

    @extend_schema(operation_id="llamactl_instances_list", responses={200: array_of(InstanceRow)}, tags=["instances"])
    def get(self, request: Request) -> Response:
        """List instances, by name."""
        return Response([row(instance) for instance in instances_of(request)])


class InstanceView(_Base):
    """One of them."""

    scopes = {"GET": "instance:read", "POST": "instance:write", "PUT": "instance:write", "DELETE": "instance:write"}

    @extend_schema(
        operation_id="llamactl_instances_get", parameters=[NAME], tags=["instances"],
        responses={200: InstanceRow, **refusals(404, dialect=LLAMACTL)},
    )  # fmt: skip
    def get(self, request: Request, name: str) -> Response:
        """Show an instance."""
        return Response(row(instance_of(request, name)))

    @extend_schema(
        operation_id="llamactl_instances_create", parameters=[NAME], request=Wish, examples=[_EXAMPLE], tags=["instances"],
        responses={201: StartedInstance, **refusals(400, 409, 503, dialect=LLAMACTL)},
    )  # fmt: skip
    def post(self, request: Request, name: str) -> Response:
        """Create an instance and start it."""
        draft = read_body(Wish, request).draft(name)
        actor = actor_of(request)
        instance = services.create(draft, by=actor, starts=True)
        return Response(row(instance, warnings=warnings_of(instance, by=actor)), status=201)

    @extend_schema(
        operation_id="llamactl_instances_update", parameters=[NAME], request=Wish, tags=["instances"],
        responses={200: ChangedInstance, **refusals(400, 404, 409, 503, dialect=LLAMACTL)},
    )  # fmt: skip
    def put(self, request: Request, name: str) -> Response:
        """Change what is given; the rest stays. Backend, machine and port stay for the life of an instance."""
        instance, wish = instance_of(request, name), read_body(Wish, request)
        _refuse_fixed(instance, wish)
        model, options = wish.parts()
        needs_restart = services.change(
            instance, by=actor_of(request), model=model, options=options, changes=wish.settings()
        )
        return Response(row(instance, restart_required=needs_restart))

    @extend_schema(
        operation_id="llamactl_instances_delete", parameters=[NAME], tags=["instances"],
        responses={204: None, **refusals(404, dialect=LLAMACTL)},
    )  # fmt: skip
    def delete(self, request: Request, name: str) -> Response:
        """Stop an instance and remove it."""
        services.remove(instance_of(request, name), by=actor_of(request), stops_first=True)
        return Response(status=204)


class _Verb(_Base):
    scopes = {"POST": "instance:write"}


class Start(_Verb):
    """Starting."""

    @extend_schema(
        operation_id="llamactl_instances_start", parameters=[NAME], request=None, tags=["instances"],
        responses={200: StartedInstance, **refusals(404, 409, dialect=LLAMACTL)},
    )  # fmt: skip
    def post(self, request: Request, name: str) -> Response:
        """Start an instance; one that runs is left alone."""
        actor = actor_of(request)
        instance = services.start(instance_of(request, name), by=actor)
        return Response(row(instance, warnings=warnings_of(instance, by=actor)))


class Stop(_Verb):
    """Stopping."""

    @extend_schema(
        operation_id="llamactl_instances_stop", parameters=[NAME], request=None, tags=["instances"],
        responses={200: InstanceRow, **refusals(404, dialect=LLAMACTL)},
    )  # fmt: skip
    def post(self, request: Request, name: str) -> Response:
        """Stop an instance; harmless when it does not run."""
        return Response(row(services.stop(instance_of(request, name), by=actor_of(request))))


class Restart(_Verb):
    """Restarting."""

    @extend_schema(
        operation_id="llamactl_instances_restart", parameters=[NAME], request=None, tags=["instances"],
        responses={200: InstanceRow, **refusals(404, 409, dialect=LLAMACTL)},
    )  # fmt: skip
    def post(self, request: Request, name: str) -> Response:
        """Stop an instance and start it again; one that is stopped is started."""
        return Response(row(services.restart(instance_of(request, name), by=actor_of(request))))


class Logs(_Base):
    """What an instance prints."""

    scopes = {"GET": "instance:read"}
    content_negotiation_class = AnyNegotiation

    @extend_schema(
        operation_id="llamactl_instances_logs", parameters=[NAME, _LINES], tags=["instances"],
        responses={**_TEXT, **refusals(400, 404, 503, dialect=LLAMACTL)},
    )  # fmt: skip
    def get(self, request: Request, name: str) -> HttpResponse:
        """Show the last lines, also of an instance that has ended."""
        instance = instance_of(request, name)
        lines = logs_of(instance, lines_asked(request, None))
        return HttpResponse("".join(f"{line}\n" for line in lines), content_type="text/plain; charset=utf-8")


def _refuse_fixed(instance: Instance, wish: Wish) -> None:
    """Raises BadRequest for what cannot be changed."""
    given = wish.model_fields_set
    if "backend_type" in given and wish.backend_type != instance.backend:
        raise BadRequest("The backend of an instance stays; create another instance for another one.")
    if "nodes" in given and wish.nodes != [instance.node]:
        raise BadRequest("An instance stays on its machine; create another one elsewhere.")
    if "port" in given and wish.port != instance.port:
        raise BadRequest("The port of an instance stays for as long as it exists.")
