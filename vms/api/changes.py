"""Changing and deleting one machine of `/v1/vms`."""

from typing import Annotated

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.authentication import actor_of
from alma.api.bodies import read_body, read_query
from alma.errors import BadRequest
from vms.api import machines
from vms.api.finding import VM_ID, machine_of
from vms.api.operations import Begun, MachineAtWork, begun
from vms.backups.plans import Plan
from vms.operations.changing import MOST_CORES, MOST_DISK, MOST_MEMORY, MOST_TAGS, TAG, Change, change
from vms.operations.removal import delete

Tag = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=rf"^{TAG.pattern}$")]
_WHETHER = {"type": "boolean"}
FORCE = OpenApiParameter("force", {**_WHETHER, "default": False}, description="Without shutting its system down")
KEEP = OpenApiParameter(
    "keep_backups", {**_WHETHER, "default": True}, description="Backups stay; false deletes those that can be"
)
_EXAMPLE = OpenApiExample(
    "As documented",
    request_only=True,
    value={
        "description": "Updated application server description",
        "configuration": {"memory_mb": 16384},
        "tags": ["application", "microservices", "production", "high-memory"],
    },
)


class SizeChange(BaseModel):
    """How large a machine shall be; what is left out stays, and its disk only grows."""

    model_config = ConfigDict(strict=True, extra="forbid")

    cpu_cores: int | None = Field(default=None, ge=1, le=MOST_CORES)
    memory_mb: int | None = Field(default=None, ge=16, le=MOST_MEMORY)
    storage_gb: int | None = Field(default=None, ge=1, le=MOST_DISK)


class BackupWish(BaseModel):
    """How it shall be backed up: by a job of Proxmox for this machine alone. `schedule` is hourly, daily, weekly or a calendar event
    of Proxmox; without `retention_days` everything is kept. Not `enabled`, the job is taken away."""

    model_config = ConfigDict(strict=True, extra="forbid")

    enabled: bool = False
    schedule: Annotated[str, StringConstraints(max_length=128)] = "daily"
    retention_days: Annotated[int, Field(ge=1, le=3650)] | None = None

    def plan(self) -> Plan:
        """The same in terms of the domain."""
        return Plan(is_enabled=self.enabled, schedule=self.schedule or "daily", retention_days=self.retention_days)

    def notes(self) -> list[str]:
        """How Proxmox counts what is kept."""
        if not self.enabled:
            return []
        kept = "everything is kept" if self.retention_days is None else f"Proxmox keeps by {self.plan().keep()}"
        return [f"Backups are scheduled at the end: {kept}."]


class MachineChange(BaseModel):
    """What to change; what is left out stays. `tags` replaces all tags but ALMA's own."""

    model_config = ConfigDict(strict=True, extra="forbid", json_schema_extra={"minProperties": 1})

    description: Annotated[str, Field(max_length=2000)] | None = None
    configuration: SizeChange = SizeChange()
    tags: Annotated[list[Tag], Field(max_length=MOST_TAGS)] | None = None
    backup: BackupWish | None = None

    def wish(self) -> Change:
        """The same in terms of the domain. Raises BadRequest when nothing is asked for."""
        sizes = self.configuration
        wish = Change(
            description=self.description, tags=self.tags, cores=sizes.cpu_cores, memory_mib=sizes.memory_mb,
            disk_gib=sizes.storage_gb, backup=self.backup.plan() if self.backup else None,
        )  # fmt: skip
        if not wish.params() and wish.backup is None:
            raise BadRequest("Give at least one field to change.")
        return wish


class DeletionQuery(BaseModel):
    """How to delete."""

    force: bool = False
    keep_backups: bool = True


class MachineInChange(MachineAtWork):
    """Besides, the fields that take effect at the next start only."""

    restart_required: list[str]


class Changing(BaseModel):
    """What has begun."""

    vm: MachineInChange


class Machine(machines.Machine):
    """One machine: read, changed, deleted."""

    scopes = {**machines.Machine.scopes, "PUT": "vm:write", "DELETE": "vm:write"}

    @extend_schema(
        operation_id="vms_update", parameters=[VM_ID], request=MachineChange, responses={200: Changing},
        examples=[_EXAMPLE], tags=["vms"],
    )  # fmt: skip
    def put(self, request: Request, vm_id: str) -> Response:
        """Change the fields that are given. What a running machine takes up at its next start is named."""
        guest = machine_of(request, vm_id)
        wish = read_body(MachineChange, request).wish()
        job = change(guest, wish, by=actor_of(request))
        return Response(begun(guest, job, restart_required=wish.waits_for_restart(guest)))

    @extend_schema(operation_id="vms_delete", parameters=[VM_ID, FORCE, KEEP], responses={200: Begun}, tags=["vms"])
    def delete(self, request: Request, vm_id: str) -> Response:
        """Delete a machine with its disks and snapshots; its backups too where `keep_backups` is false, which needs backup:write."""
        guest = machine_of(request, vm_id)
        query = read_query(DeletionQuery, request)
        job = delete(guest, is_forced=query.force, keeps_backups=query.keep_backups, by=actor_of(request))
        return Response(begun(guest, job))
