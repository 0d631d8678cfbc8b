"""`/v1/backups` of the Proxmox AI document: backups as their storages were last read."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import Annotated, Any, Literal, get_args

from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BaseModel, StringConstraints
from rest_framework.request import Request
from rest_framework.response import Response

from alma.accounts.actors import Actor
from alma.api.answers import Answer
from alma.api.authentication import actor_of
from alma.api.bodies import read
from alma.api.dialects import PROXMOX
from alma.api.dialects.ids import no_such
from alma.api.endpoints import Endpoint
from alma.api.paging import paginate
from alma.api.schema import listing_of, page_parameters
from vms import machines, models
from vms.api.bodies import gigabytes
from vms.backups import listing

READ, WRITE = "backup:read", "backup:write"
BACKUP_ID = OpenApiParameter("backup_id", str, OpenApiParameter.PATH, description="Like backup-001")
Word = Annotated[str, StringConstraints(max_length=100)]
Status = Literal["running", "completed", "verified", "expired", "failed", "cancelled"]
Sort = Literal["created_at", "status", "size_gb"]
Order = Literal["asc", "desc"]
_FIELDS = {"created_at": "created_at", "status": "state", "size_gb": "size_bytes"}


class BackupQuery(BaseModel):
    """What may be asked of the list."""

    vm_id: Word = ""
    status: Status | None = None
    cluster: Word = ""
    verified: bool | None = None
    sort: Sort = "created_at"
    order: Order = "desc"

    @property
    def names(self) -> list[str]:
        """The order; ties go by number."""
        sign = "-" if self.order == "desc" else ""
        return [f"{sign}{_FIELDS[self.sort]}", f"{sign}pk"]

    def wish(self, actor: Actor) -> listing.Wish:
        """Which backups are wanted. Raises NotFound for a machine that the actor does not see."""
        guest = machines.find(self.vm_id, by=actor).pk if self.vm_id else None
        return listing.Wish(guest, self.status or "", self.cluster, self.verified)


PARAMETERS = [
    OpenApiParameter("vm_id", {"type": "string", "maxLength": 100}, description="Of this machine, like vm-001"),
    OpenApiParameter("status", str, description="How it stands", enum=get_args(Status)),
    OpenApiParameter("cluster", {"type": "string", "maxLength": 100}, description="Slug of its cluster"),
    OpenApiParameter("verified", bool, description="Whether a restore test has shown that it works"),
    OpenApiParameter("sort", str, description="What to sort by", enum=get_args(Sort), default="created_at"),
    OpenApiParameter("order", str, description="Which way", enum=get_args(Order), default="desc"),
]


class BackupCheck(BaseModel):
    """One thing that a restore test compared."""

    what: str
    expected: str
    found: str
    is_good: bool


class BackupTest(BaseModel):
    """The last restore test of a backup: into a guest of its own that was started, looked at and removed."""

    passed: bool
    tested_at: datetime
    duration_seconds: float | None
    checks: list[BackupCheck]
    reason: str | None


class BackupRow(BaseModel):
    """A backup. `status` is that of the archive, or what a job does with it: restoring, verifying, deleting. `vm_id` is null
    where its machine is there no more; `managed` says whether it holds a machine of ALMA's, and so can be restored here."""

    id: str
    vm_id: str | None
    vm_name: str | None
    vmid: int
    status: str
    backup_type: str
    compression: str | None
    encryption: bool | None
    protected: bool
    description: str
    size_gb: float | None
    storage: str
    volume: str | None
    cluster: str
    node: str | None
    managed: bool
    verified: bool
    verified_at: datetime | None
    created_at: datetime
    completed_at: datetime | None
    created_by: str | None
    job_id: str | None
    error: str | None
    seen_at: datetime | None


class BackupDetail(BackupRow):
    """A backup, with what its last restore test showed."""

    verification: BackupTest | None


class OneBackup(BaseModel):
    """A backup."""

    backup: BackupDetail


def row_of(row: models.Backup, busy: Mapping[int, str]) -> dict[str, Any]:
    """A backup in a list."""
    is_verified = row.state == models.Backup.State.VERIFIED
    return {
        "id": row.public_id, "vm_id": machines.public_id(row.guest) if row.guest and not row.guest.missing_since else None,
        "vm_name": row.guest_name or None, "vmid": row.vmid, "status": busy.get(row.pk, row.state),
        "backup_type": "incremental" if row.is_incremental else "full", "compression": row.compression or None,
        "encryption": row.is_encrypted, "protected": row.is_protected, "description": row.description,
        "size_gb": None if row.size_bytes is None else gigabytes(row.size_bytes), "storage": row.storage,
        "volume": row.volume or None, "cluster": row.cluster.slug, "node": row.node or None,
        "managed": row.claim_id is not None, "verified": is_verified, "verified_at": row.tested_at if is_verified else None,
        "created_at": row.created_at, "completed_at": row.taken_at, "created_by": row.created_by or None,
        "job_id": row.job or None, "error": row.error or None, "seen_at": row.seen_at,
    }  # fmt: skip


def detail_of(row: models.Backup, busy: Mapping[int, str]) -> dict[str, Any]:
    """A backup on its own."""
    return {**row_of(row, busy), "verification": _test(row)}


def _test(row: models.Backup) -> dict[str, Any] | None:
    told = row.evidence
    if not told or row.tested_at is None:
        return None
    return {
        "passed": told["is_good"], "tested_at": row.tested_at, "duration_seconds": told.get("seconds"),
        "checks": told.get("checks", []), "reason": told.get("why") or None,
    }  # fmt: skip


def backup_of(request: Request, backup_id: str) -> models.Backup:
    """The backup of a path, if the actor sees it. Raises NotFound."""
    try:
        return listing.find(PROXMOX.ids.read("backup", backup_id), by=actor_of(request))
    except OverflowError as error:
        raise no_such("backup", backup_id) from error


class Backups(Endpoint):
    """The backups of the caller's organization."""

    dialect = PROXMOX
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="backups_list", parameters=[*PARAMETERS, *page_parameters(PROXMOX)],
        responses={200: listing_of(PROXMOX, BackupRow, "backups")}, tags=["backups"],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List backups, those made outside ALMA as well; `meta` says how long ago their storages were read."""
        actor, query = actor_of(request), read(BackupQuery, request.query_params.dict())
        rows = listing.listed(actor, query.wish(actor)).order_by(*query.names)
        page = paginate(request, rows.only("pk", _FIELDS[query.sort]), attrgetter("pk"), key="backups")
        found = listing.whole(page.rows)
        busy = listing.busy(found.values())
        written = [row_of(found[pk], busy) for pk in page.rows if pk in found]
        return Answer(replace(page, rows=written), meta=listing.age_of(machines.clusters_of(actor).values()))


class Backup(Endpoint):
    """One backup."""

    dialect = PROXMOX
    scopes = {"GET": READ}

    @extend_schema(operation_id="backups_get", parameters=[BACKUP_ID], responses={200: OneBackup}, tags=["backups"])
    def get(self, request: Request, backup_id: str) -> Response:
        """One backup as its storage was last read."""
        row = backup_of(request, backup_id)
        return Answer({"backup": detail_of(row, listing.busy([row]))}, meta=listing.age_of([row.cluster]))
