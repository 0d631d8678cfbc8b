"""`/api/system` and `/api/config` of llamactl-old-api.txt, and the configuration as llamactl itself shows it today."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.authentication import actor_of
from alma.api.bodies import read_body
from alma.api.dialects import LLAMACTL, LLAMACTL_OLD
from alma.api.endpoints import Endpoint
from alma.api.schema import refusals
from alma.errors import BadRequest
from instances import build, configuration, machine
from instances.api.system_bodies import (
    ConfigChanged,
    ConfigShown,
    ConfigWish,
    OldConfigShown,
    SystemInfo,
    SystemStatus,
)
from instances.models import Instance

READ = "instance:read"


class Status(Endpoint):
    """How the machine is now."""

    dialect = LLAMACTL_OLD
    scopes = {"GET": READ}

    @extend_schema(operation_id="system_status", responses={200: SystemStatus}, tags=["system"])
    def get(self, request: Request) -> Response:
        """Show the caller's instances and what of the machine is in use."""
        shown = [row.shown_status for row in Instance.objects.visible_to(actor_of(request))]
        counts = {"total": len(shown), "running": shown.count("running"), "stopped": shown.count("stopped")}
        return Response(
            {
                "version": build.current().version, "uptime": machine.uptime_seconds(), "instances": counts,
                "resources": asdict(machine.resources()),
            }
        )  # fmt: skip


class Info(Endpoint):
    """What the machine is."""

    dialect = LLAMACTL_OLD
    scopes = {"GET": READ}

    @extend_schema(operation_id="system_info", responses={200: SystemInfo}, tags=["system"])
    def get(self, request: Request) -> Response:
        """Show the machine and the build of ALMA."""
        current = build.current()
        return Response(
            {
                "hostname": machine.hostname(), "os": machine.system(), "arch": machine.architecture(),
                "cpu_count": machine.cpu_count(), "memory_total": machine.memory_bytes().total,
                "version": current.version, "build_time": current.built_at,
            }
        )  # fmt: skip


class OldConfig(Endpoint):
    """The configuration, to read and to change."""

    dialect = LLAMACTL_OLD
    scopes = {"GET": READ, "PUT": configuration.WRITE}

    @extend_schema(operation_id="config_get", responses={200: OldConfigShown}, tags=["config"])
    def get(self, request: Request) -> Response:
        """Show the configuration at work, and what waits for a restart."""
        return Response(_old())

    @extend_schema(
        operation_id="config_update", request=ConfigWish, tags=["config"],
        responses={200: ConfigChanged, **refusals(400, 403, 409, dialect=LLAMACTL_OLD)},
    )  # fmt: skip
    def put(self, request: Request) -> Response:
        """Change it for the next start. The environment of ALMA stands above what is changed here."""
        wish = read_body(ConfigWish, request).instances.model_dump(exclude_none=True)
        if not wish:
            raise BadRequest("Give at least one value to change.")
        configuration.change(wish, by=actor_of(request))
        message = "Configuration updated successfully"
        return Response({"message": message, "restart_required": bool(configuration.pending()), "config": _old()})


class NewConfig(Endpoint):
    """The configuration as llamactl shows it."""

    dialect = LLAMACTL
    scopes = {"GET": READ}

    @extend_schema(operation_id="llamactl_config", responses={200: ConfigShown}, tags=["server"])
    def get(self, request: Request) -> Response:
        """Show the configuration at work, without anything secret."""
        return Response(configuration.shown())


def _old() -> dict[str, Any]:
    return {**configuration.shown(), "pending": configuration.pending()}
