"""Backups as the Proxmox AI document writes them, and what may be asked of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self, get_args

from drf_spectacular.utils import OpenApiParameter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from alma.accounts.actors import Actor
from vms import machines, models
from vms.api.bodies import gigabytes
from vms.backups import listing, restoring, services

Word = Annotated[str, StringConstraints(max_length=100)]
Status = Literal["running", "completed", "verified", "expired", "failed", "cancelled"]
Sort = Literal["created_at", "status", "size_gb"]
Order = Literal["asc", "desc"]
DOCUMENTED = {
    "vm_id": "vm-001", "backup_type": "full", "compression": "gzip", "encryption": True, "description": "Monthly full backup",
}  # fmt: skip
FIELDS = {"created_at": "created_at", "status": "state", "size_gb": "size_bytes"}


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
        return [f"{sign}{FIELDS[self.sort]}", f"{sign}pk"]

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
        "id": row.public_id, "vm_id": _machine_of(row), "vmid": row.vmid, "status": busy.get(row.pk, row.state),
        "backup_type": "incremental" if row.is_incremental else "full",
        "encryption": row.is_encrypted, "protected": row.is_protected, "description": row.description,
        "size_gb": None if row.size_bytes is None else gigabytes(row.size_bytes), "storage": row.storage,
        "cluster": row.cluster.slug, "managed": row.claim_id is not None,
        "verified": is_verified, "verified_at": row.tested_at if is_verified else None,
        "created_at": row.created_at, "completed_at": row.taken_at, "seen_at": row.seen_at, **_known(row),
    }  # fmt: skip


def _known(row: models.Backup) -> dict[str, str | None]:
    """Texts of which an empty one says that nobody knows."""
    texts = {
        "vm_name": row.guest_name, "compression": row.compression, "volume": row.volume, "node": row.node,
        "created_by": row.created_by, "job_id": row.job, "error": row.error,
    }  # fmt: skip
    return {name: text or None for name, text in texts.items()}


def _machine_of(row: models.Backup) -> str | None:
    """Its machine, while that is there."""
    return machines.public_id(row.guest) if row.guest is not None and not row.guest.missing_since else None


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


class BackupRequest(BaseModel):
    """A backup that is wanted. Without a `storage` the best one is found; `encryption` takes one that encrypts, `incremental`
    a Proxmox Backup Server, which is sent what has changed and keeps each backup whole."""

    model_config = ConfigDict(strict=True, extra="forbid")

    vm_id: Annotated[str, Field(min_length=1, max_length=60)]
    backup_type: Literal["full", "incremental"] = "full"
    compression: Literal["gzip", "lzo", "zstd", "none"] = "zstd"
    encryption: bool = False
    description: Annotated[str, Field(max_length=500)] = ""
    storage: Word = ""

    def wish(self) -> services.Wish:
        """The same in terms of the domain."""
        return services.Wish(
            storage=self.storage, compression=self.compression, is_encrypted=self.encryption,
            is_incremental=self.backup_type == "incremental", description=self.description,
        )  # fmt: skip

    def notes(self, row: models.Backup) -> list[str]:
        """What is otherwise than it was asked for."""
        if not row.is_incremental:
            return []
        said = ["A Proxmox Backup Server is sent what has changed; the backup restores as a whole."]
        if self.compression != "zstd":
            said.append(f"It compresses by itself, with zstd: {self.compression} is not used.")
        return said


class BackupAtWork(BackupRow):
    """A backup on which a job works, and what is otherwise than it was asked for."""

    notes: list[str]


class NewBackup(BaseModel):
    """What has begun."""

    backup: BackupAtWork


class BackupJob(BaseModel):
    """A backup on which a job works, and the job to ask about. `ipr_id` and `ipr_url` name the proposal for whose approval
    the job waits; they are null where nobody has to agree."""

    id: str
    status: str
    job_id: str
    ipr_id: int | None
    ipr_url: str | None


class BackupBegun(BaseModel):
    """What has begun."""

    backup: BackupJob


class RestoreWish(BaseModel):
    """How to restore. Without anything a new machine is made beside the old one, stopped, under a name of its own. `in_place`
    puts the machine itself back and needs `force`, for what it has now is lost. `start` says whether it runs afterwards."""

    model_config = ConfigDict(strict=True, extra="forbid")

    in_place: bool = False
    force: bool = False
    name: Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)?$")] = ""
    storage: Word = ""
    environment: Word = ""
    start: bool | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.in_place and (self.name or self.storage or self.environment):
            raise ValueError("in_place takes no name, storage or environment: the machine keeps its own")
        return self

    def copy_of(self) -> restoring.Copy:
        """The new machine in terms of the domain."""
        return restoring.Copy(
            name=self.name, storage=self.storage, environment=self.environment, is_started=bool(self.start)
        )
