"""`/api/instances`, as llamactl-old-api.txt has it: created without a start, deleted when stopped."""

from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.authentication import actor_of
from alma.api.bodies import read_body
from alma.api.dialects import LLAMACTL_OLD
from alma.api.endpoints import Endpoint
from alma.api.negotiation import AnyNegotiation
from alma.api.schema import EVENT, MESSAGE, refusals
from alma.errors import BadRequest
from instances import logs, services
from instances.api.following import entry, followed
from instances.api.older_bodies import (
    OldAllDone,
    OldChange,
    OldChanged,
    OldCreated,
    OldDetail,
    OldDone,
    OldHealth,
    OldList,
    OldLogs,
    OldWish,
    StopHow,
)
from instances.api.reading import NAME, instance_of, instances_of, lines_asked, logs_of, shown_options
from instances.library.fitting import warnings_of
from instances.models import UNKNOWN, Instance

_NAMES = {"ctx_size": "context_size"}
_LEVELS = ("debug", "info", "warn", "error")
_DEFAULT_LINES = 100
_EXAMPLE = OpenApiExample(
    "As documented", request_only=True,
    value={
        "name": "my-instance", "model_path": "/path/to/model.gguf", "port": 8081,
        "options": {"threads": 4, "context_size": 2048, "gpu_layers": 0},
    },
)  # fmt: skip
_LOG_QUERY = [
    OpenApiParameter("lines", int, description="How many of the last lines; 100 without it, all that are kept for -1"),
    OpenApiParameter("level", str, description="Only lines of this level", enum=list(_LEVELS)),
    OpenApiParameter("follow", bool, description="Go on with what is written next, as server-sent events"),
]
_LINE = OpenApiResponse(EVENT, "Where it is followed: one line in each event")

_HEALTH = {
    Instance.Status.RUNNING: ("healthy", "running", "open", "ok"),
    Instance.Status.UNHEALTHY: ("unhealthy", "running", "unknown", "none"),
    Instance.Status.STARTING: ("starting", "running", "unknown", "none"),
    Instance.Status.STOPPING: ("stopping", "running", "unknown", "unknown"),
    Instance.Status.RESTARTING: ("unhealthy", "stopped", "closed", "none"),
    Instance.Status.FAILED: ("unhealthy", "stopped", "closed", "none"),
    Instance.Status.STOPPED: ("stopped", "stopped", "closed", "none"),
}
"""By status: in one word, the process, the port, the response."""
_UNKNOWN = ("unknown", "unknown", "unknown", "unknown")


def row(instance: Instance) -> dict[str, Any]:
    """One row of the list."""
    return {
        "name": instance.name, "status": instance.shown_status, "model_path": instance.model, "port": instance.port,
        "created_at": instance.created_at, "updated_at": instance.updated_at,
    }  # fmt: skip


def detail(instance: Instance) -> dict[str, Any]:
    """All of one."""
    stats = {
        "memory_usage": instance.memory_bytes, "cpu_usage": instance.cpu_percent, "uptime": instance.uptime_seconds,
    }  # fmt: skip
    options = shown_options(instance.options, _NAMES)
    return {**row(instance), "pid": instance.pid, "options": options, "stats": stats, "reason": instance.reason}


class _Base(Endpoint):
    dialect = LLAMACTL_OLD


class OldInstances(_Base):
    """All of them, and new ones."""

    scopes = {"GET": "instance:read", "POST": "instance:write"}

    @extend_schema(operation_id="instances_list", responses={200: OldList}, tags=["instances"])
    def get(self, request: Request) -> Response:
        """List instances, by name."""
        return Response({"instances": [row(instance) for instance in instances_of(request)]})

    @extend_schema(
        operation_id="instances_create", request=OldWish, examples=[_EXAMPLE], tags=["instances"],
        responses={201: OldCreated, **refusals(400, 409, 503, dialect=LLAMACTL_OLD)},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Create an instance; it is not started."""
        wish = read_body(OldWish, request)
        draft = services.Draft(name=wish.name, model=wish.model_path, options=wish.options, port=wish.port)
        instance = services.create(draft, by=actor_of(request), starts=False)
        return Response({"message": "Instance created successfully", "instance": row(instance)}, status=201)


class OldInstance(_Base):
    """One of them."""

    scopes = {"GET": "instance:read", "PUT": "instance:write", "DELETE": "instance:write"}

    @extend_schema(
        operation_id="instances_get", parameters=[NAME], tags=["instances"],
        responses={200: OldDetail, **refusals(404, dialect=LLAMACTL_OLD)},
    )  # fmt: skip
    def get(self, request: Request, name: str) -> Response:
        """Show an instance with what it takes."""
        return Response(detail(instance_of(request, name)))

    @extend_schema(
        operation_id="instances_update", parameters=[NAME], request=OldChange, tags=["instances"],
        responses={200: OldChanged, **refusals(400, 404, 503, dialect=LLAMACTL_OLD)},
    )  # fmt: skip
    def put(self, request: Request, name: str) -> Response:
        """Change what is given; the rest stays."""
        instance, wish = instance_of(request, name), read_body(OldChange, request)
        needs_restart = services.change(
            instance, by=actor_of(request), model=wish.model_path, options=wish.options
        )  # fmt: skip
        message = "Instance updated successfully"
        return Response({"message": message, "instance": row(instance), "restart_required": needs_restart})

    @extend_schema(
        operation_id="instances_delete", parameters=[NAME], tags=["instances"],
        responses={200: MESSAGE, **refusals(404, 409, dialect=LLAMACTL_OLD)},
    )  # fmt: skip
    def delete(self, request: Request, name: str) -> Response:
        """Delete an instance that was stopped."""
        services.remove(instance_of(request, name), by=actor_of(request), stops_first=False)
        return Response({"message": "Instance deleted successfully"})


class _Verb(_Base):
    scopes = {"POST": "instance:write"}


class OldStart(_Verb):
    """Starting."""

    @extend_schema(
        operation_id="instances_start", parameters=[NAME], request=None, tags=["instances"],
        responses={200: OldDone, **refusals(404, 409, dialect=LLAMACTL_OLD)},
    )  # fmt: skip
    def post(self, request: Request, name: str) -> Response:
        """Start an instance; one that runs is left alone."""
        actor = actor_of(request)
        instance = services.start(instance_of(request, name), by=actor)
        warnings = {"warnings": found} if (found := warnings_of(instance, by=actor)) else {}
        return Response({"message": "Instance start initiated", "status": instance.shown_status, **warnings})


class OldStop(_Verb):
    """Stopping."""

    @extend_schema(
        operation_id="instances_stop", parameters=[NAME], request=StopHow, tags=["instances"],
        responses={200: OldDone, **refusals(400, 404, dialect=LLAMACTL_OLD)},
    )  # fmt: skip
    def post(self, request: Request, name: str) -> Response:
        """Stop an instance; harmless when it does not run. The body may be left out."""
        how = read_body(StopHow, request) if request.data else StopHow()
        seconds = 0 if how.force else how.timeout
        instance = services.stop(instance_of(request, name), by=actor_of(request), seconds=seconds)
        return Response({"message": "Instance stop initiated", "status": instance.shown_status})


class OldRestart(_Verb):
    """Restarting."""

    @extend_schema(
        operation_id="instances_restart", parameters=[NAME], request=None, tags=["instances"],
        responses={200: OldDone, **refusals(404, 409, dialect=LLAMACTL_OLD)},
    )  # fmt: skip
    def post(self, request: Request, name: str) -> Response:
        """Stop an instance and start it again; one that is stopped is started."""
        instance = services.restart(instance_of(request, name), by=actor_of(request))
        return Response({"message": "Instance restart initiated", "status": instance.shown_status})


class StartAll(_Verb):
    """Starting all."""

    @extend_schema(
        operation_id="instances_start_all", request=None, tags=["instances"],
        responses={200: OldAllDone, **refusals(409, dialect=LLAMACTL_OLD)},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Start all that are stopped or failed, as far as the limit reaches."""
        started = services.start_all(by=actor_of(request))
        return Response({"message": "Start of all instances initiated", "instances": [row.name for row in started]})


class StopAll(_Verb):
    """Stopping all."""

    @extend_schema(operation_id="instances_stop_all", request=None, responses={200: OldAllDone}, tags=["instances"])
    def post(self, request: Request) -> Response:
        """Stop all that run."""
        stopped = services.stop_all(by=actor_of(request))
        return Response({"message": "Stop of all instances initiated", "instances": [row.name for row in stopped]})


class Health(_Base):
    """Whether it answers."""

    scopes = {"GET": "instance:read"}

    @extend_schema(
        operation_id="instances_health", parameters=[NAME], tags=["instances"],
        responses={200: OldHealth, **refusals(404, dialect=LLAMACTL_OLD)},
    )  # fmt: skip
    def get(self, request: Request, name: str) -> Response:
        """Show what its supervisor last saw; the instance itself is not asked."""
        instance = instance_of(request, name)
        is_unknown = instance.shown_status == UNKNOWN
        status, process, port, response = _UNKNOWN if is_unknown else _HEALTH[Instance.Status(instance.status)]
        checks = {"process": process, "port": port, "response": response}
        return Response({"status": status, "checks": checks, "last_check": instance.checked_at})


class OldLogsView(_Base):
    """What it prints."""

    scopes = {"GET": "instance:read"}
    content_negotiation_class = AnyNegotiation

    @extend_schema(
        operation_id="instances_logs", parameters=[NAME, *_LOG_QUERY], tags=["instances"],
        responses={200: OldLogs, (200, "text/event-stream"): _LINE, **refusals(400, 404, 503, dialect=LLAMACTL_OLD)},
    )  # fmt: skip
    def get(self, request: Request, name: str) -> Response | StreamingHttpResponse:
        """Show the last lines, also of an instance that has ended; followed, they are server-sent events that go on."""
        instance, most = instance_of(request, name), lines_asked(request, _DEFAULT_LINES)
        level = request.query_params.get("level", "")
        if level and level not in _LEVELS:
            raise BadRequest(f"level must be one of {', '.join(_LEVELS)}.")
        if _is_yes(request.query_params.get("follow", "false")):
            return followed(instance, level, most)
        found = [line for line in logs.parsed(logs_of(instance)) if not level or line.level == level]
        kept = found if most is None else found[len(found) - min(most, len(found)) :]
        return Response({"logs": [entry(line) for line in kept]})


def _is_yes(text: str) -> bool:
    """Raises BadRequest for what is neither yes nor no."""
    word = text.lower()
    if word not in {"true", "1", "yes", "false", "0", "no", ""}:
        raise BadRequest("follow must be true or false.")
    return word in {"true", "1", "yes"}
