"""`/v1/backups` of the Proxmox AI document: backups as their storages were last read, making them, and what is done with them."""

from dataclasses import replace
from operator import attrgetter
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.answers import Answer
from alma.api.authentication import actor_of
from alma.api.bodies import read_body, read_query
from alma.api.dialects import PROXMOX
from alma.api.dialects.ids import no_such
from alma.api.endpoints import Endpoint
from alma.api.paging import paginate
from alma.api.schema import listing_of, page_parameters
from alma.jobs.gate import decided_at
from alma.jobs.models import Job
from vms import machines, models
from vms.api.backup_bodies import (
    DOCUMENTED,
    FIELDS,
    PARAMETERS,
    BackupBegun,
    BackupQuery,
    BackupRequest,
    BackupRow,
    NewBackup,
    OneBackup,
    RestoreWish,
    detail_of,
    row_of,
)
from vms.api.operations import Begun, begun
from vms.backups import listing, proving, restoring, services
from vms.backups.rights import READ, WRITE

BACKUP_ID = OpenApiParameter("backup_id", str, OpenApiParameter.PATH, description="Like backup-001")


def backup_of(request: Request, backup_id: str) -> models.Backup:
    """The backup of a path, if the actor sees it. Raises NotFound."""
    try:
        return listing.find(PROXMOX.ids.read("backup", backup_id), by=actor_of(request))
    except OverflowError as error:
        raise no_such("backup", backup_id) from error


class Backups(Endpoint):
    """The backups of the caller's organization."""

    dialect = PROXMOX
    scopes = {"GET": READ, "POST": WRITE}

    @extend_schema(
        operation_id="backups_create", request=BackupRequest, responses={201: NewBackup}, tags=["backups"],
        examples=[OpenApiExample("As documented", request_only=True, value=DOCUMENTED)],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Back a machine up, whether it runs or not; the job ends when the archive was read back."""
        body = read_body(BackupRequest, request)
        actor = actor_of(request)
        row, _ = services.take(machines.find(body.vm_id, by=actor), body.wish(), by=actor)
        said = {**row_of(row, {}), "notes": body.notes(row)}
        return Response({"backup": said}, status=201, headers={"Location": f"/v1/backups/{row.public_id}"})

    @extend_schema(
        operation_id="backups_list", parameters=[*PARAMETERS, *page_parameters(PROXMOX)],
        responses={200: listing_of(PROXMOX, BackupRow, "backups")}, tags=["backups"],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List backups, those made outside ALMA as well; `meta` says how long ago their storages were read."""
        actor, query = actor_of(request), read_query(BackupQuery, request)
        rows = listing.listed(actor, query.wish(actor)).order_by(*query.names)
        page = paginate(request, rows.only("pk", FIELDS[query.sort]), attrgetter("pk"), key="backups")
        found = listing.whole(page.rows)
        busy = listing.busy(found.values())
        written = [row_of(found[pk], busy) for pk in page.rows if pk in found]
        return Answer(replace(page, rows=written), meta=listing.age_of(machines.clusters_of(actor).values()))


class Backup(Endpoint):
    """One backup."""

    dialect = PROXMOX
    scopes = {"GET": READ, "DELETE": WRITE}

    @extend_schema(operation_id="backups_get", parameters=[BACKUP_ID], responses={200: OneBackup}, tags=["backups"])
    def get(self, request: Request, backup_id: str) -> Response:
        """One backup as its storage was last read."""
        row = backup_of(request, backup_id)
        return Answer({"backup": detail_of(row, listing.busy([row]))}, meta=listing.age_of([row.cluster]))

    @extend_schema(
        operation_id="backups_delete", parameters=[BACKUP_ID], responses={200: BackupBegun}, tags=["backups"]
    )
    def delete(self, request: Request, backup_id: str) -> Response:
        """Delete a backup from its storage; in a protected environment when people have agreed to that."""
        row = backup_of(request, backup_id)
        return Response(_begun(row, services.drop(row, by=actor_of(request))))


class Verify(Endpoint):
    """Restore tests."""

    dialect = PROXMOX
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="backups_verify",
        parameters=[BACKUP_ID],
        request=None,
        responses={200: BackupBegun},
        tags=["backups"],
    )
    def post(self, request: Request, backup_id: str) -> Response:
        """Restore a backup into a guest of its own, cut off from all networks, start it, compare it, and remove it."""
        row = backup_of(request, backup_id)
        return Response(_begun(row, proving.verify(row, by=actor_of(request))))


class Restore(Endpoint):
    """Bringing machines back."""

    dialect = PROXMOX
    scopes = {"POST": (WRITE, "vm:write")}

    @extend_schema(
        operation_id="backups_restore", parameters=[BACKUP_ID], request=RestoreWish, responses={200: Begun},
        tags=["backups"],
    )  # fmt: skip
    def post(self, request: Request, backup_id: str) -> Response:
        """Make a new machine from a backup, or put the machine itself back to it."""
        row, body, actor = backup_of(request, backup_id), read_body(RestoreWish, request), actor_of(request)
        if body.in_place:
            guest, job = restoring.overwrite(row, is_forced=body.force, is_started=body.start, by=actor)
        else:
            guest, job = restoring.unpack(row, body.copy_of(), by=actor)
        return Response(begun(guest, job))


def _begun(row: models.Backup, job: Job) -> dict[str, Any]:
    status = job.params["status"] if job.is_active else row.state
    said = {"id": row.public_id, "status": status, "job_id": job.public_id, **decided_at(job.params)}
    return {"backup": said}
