"""`/v1/vms/{vm_id}/snapshots`: as they were last read, and what is done with them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from pydantic import BaseModel, ConfigDict, Field
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.answers import Answer
from alma.api.authentication import actor_of
from alma.api.bodies import read_body
from alma.api.dialects import PROXMOX
from alma.api.endpoints import Endpoint
from alma.jobs.models import Job
from vms.api.bodies import details_of
from vms.api.finding import VM_ID, machine_of
from vms.api.machines import age_of
from vms.api.operations import Begun, begun
from vms.models import Guest, GuestSnapshot
from vms.operations import snapshots

SNAPSHOT_ID = OpenApiParameter("snapshot_id", str, OpenApiParameter.PATH, description="Like snap-001")
_FOREIGN = "This snapshot was taken in Proxmox itself, and not by ALMA."
_EXAMPLE = OpenApiExample(
    "As documented",
    request_only=True,
    value={
        "name": "pre-deployment-snapshot",
        "description": "Snapshot before application deployment",
        "include_memory": False,
    },
)


class SnapshotWish(BaseModel):
    """A snapshot that is wanted."""

    model_config = ConfigDict(strict=True, extra="forbid")

    name: Annotated[str, Field(min_length=2, max_length=40)]
    description: Annotated[str, Field(max_length=1000)] = ""
    include_memory: bool = False


class SnapshotRow(BaseModel):
    """A snapshot. `status` is creating, available, restoring or deleting; `parent` names the one before it, and the machine goes on from the
    one that is `current`. `taken_by` is alma, or
    elsewhere for one that somebody took in Proxmox itself."""

    id: str
    name: str
    description: str
    status: str
    include_memory: bool
    parent: str | None
    created_at: datetime | None
    current: bool
    taken_by: Literal["alma", "elsewhere"]


class SnapshotList(BaseModel):
    """All snapshots of a machine, the oldest first."""

    snapshots: list[SnapshotRow]


class OneSnapshot(BaseModel):
    """A snapshot."""

    snapshot: SnapshotRow


class SnapshotAtWork(SnapshotRow):
    """A snapshot that is being taken, and the job to ask about."""

    job_id: str


class SnapshotBegun(Begun):
    """What has begun; `note` says what should be known of the snapshot."""

    note: str | None


class NewSnapshot(Begun):
    """What has begun."""

    snapshot: SnapshotAtWork


def id_of(row: GuestSnapshot) -> str:
    """Its id for clients: `snap-012`."""
    return str(PROXMOX.ids.write("snap", row.pk))


def row_of(row: GuestSnapshot, busy: dict[int, str]) -> dict[str, Any]:
    """A snapshot as clients read it."""
    usual = "available" if row.taken_at else "creating"
    return {
        "id": id_of(row), "name": row.name, "description": row.description, "status": busy.get(row.pk, usual),
        "include_memory": row.has_memory, "parent": row.parent or None, "created_at": row.taken_at, "current": row.is_current,
        "taken_by": "alma" if row.is_ours else "elsewhere",
    }  # fmt: skip


def begun_with(guest: Guest, row: GuestSnapshot, job: Job) -> dict[str, Any]:
    """The answer to what is done with a snapshot."""
    return {**begun(guest, job), "note": None if row.is_ours else _FOREIGN}


class Snapshots(Endpoint):
    """The snapshots of one machine."""

    dialect = PROXMOX
    scopes = {"GET": "vm:read", "POST": "vm:write"}

    @extend_schema(operation_id="vms_snapshots_list", parameters=[VM_ID], responses={200: SnapshotList}, tags=["vms"])
    def get(self, request: Request, vm_id: str) -> Response:
        """List the snapshots of a machine as they were last read, those that were taken in Proxmox itself too. `meta.read_at` is null
        while they never were."""
        guest = machine_of(request, vm_id)
        busy = snapshots.busy(guest)
        listed = [row_of(row, busy) for row in snapshots.listed(guest)]
        return Answer({"snapshots": listed}, meta=_age(guest))

    @extend_schema(
        operation_id="vms_snapshots_create", parameters=[VM_ID], request=SnapshotWish, responses={201: NewSnapshot},
        examples=[_EXAMPLE], tags=["vms"],
    )  # fmt: skip
    def post(self, request: Request, vm_id: str) -> Response:
        """Take a snapshot of a machine."""
        guest = machine_of(request, vm_id)
        body = read_body(SnapshotWish, request)
        row, job = snapshots.take(
            guest, body.name, description=body.description, has_memory=body.include_memory, by=actor_of(request)
        )
        said = {**begun(guest, job), "snapshot": {**row_of(row, {}), "job_id": job.public_id}}
        where = f"/v1/vms/{job.params['vm']}/snapshots/{id_of(row)}"
        return Response(said, status=201, headers={"Location": where})


class Snapshot(Endpoint):
    """One snapshot."""

    dialect = PROXMOX
    scopes = {"GET": "vm:read", "DELETE": "vm:write"}

    @extend_schema(
        operation_id="vms_snapshots_get", parameters=[VM_ID, SNAPSHOT_ID], responses={200: OneSnapshot}, tags=["vms"]
    )
    def get(self, request: Request, vm_id: str, snapshot_id: str) -> Response:
        """One snapshot of a machine."""
        guest, row = _named(request, vm_id, snapshot_id)
        return Answer({"snapshot": row_of(row, snapshots.busy(guest))}, meta=_age(guest))

    @extend_schema(
        operation_id="vms_snapshots_delete",
        parameters=[VM_ID, SNAPSHOT_ID],
        responses={200: SnapshotBegun},
        tags=["vms"],
    )
    def delete(self, request: Request, vm_id: str, snapshot_id: str) -> Response:
        """Delete a snapshot, whoever took it; the machine stays as it is."""
        guest, row = _named(request, vm_id, snapshot_id)
        return Response(begun_with(guest, row, snapshots.drop(guest, row, by=actor_of(request))))


class Restore(Endpoint):
    """Going back to a snapshot."""

    dialect = PROXMOX
    scopes = {"POST": "vm:write"}

    @extend_schema(
        operation_id="vms_snapshots_restore", parameters=[VM_ID, SNAPSHOT_ID], request=None,
        responses={200: SnapshotBegun},
        tags=["vms"],
    )  # fmt: skip
    def post(self, request: Request, vm_id: str, snapshot_id: str) -> Response:
        """Put a machine back to a snapshot, whoever took it: what was done since is lost. One that ran runs afterwards."""
        guest, row = _named(request, vm_id, snapshot_id)
        return Response(begun_with(guest, row, snapshots.restore(guest, row, by=actor_of(request))))


def _named(request: Request, vm_id: str, snapshot_id: str) -> tuple[Guest, GuestSnapshot]:
    """The machine and its snapshot. Raises NotFound."""
    guest = machine_of(request, vm_id)
    return guest, snapshots.find(guest, PROXMOX.ids.read("snap", snapshot_id))


def _age(guest: Guest) -> dict[str, Any]:
    """For `meta`: when the snapshots of a machine were read, and how long ago that was."""
    details = details_of(guest)
    read_at = details.snapshots_read_at if details else None
    age = int((timezone.now() - read_at).total_seconds()) if read_at else None
    return {**age_of([guest.cluster]), "read_at": read_at, "age_seconds": age}
