"""How jobs about backups end: rows become what was read back, and what was shown is kept."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from alma.jobs.kinds import JobKind, Place
from alma.jobs.models import Job, Step
from vms.backups import proving
from vms.backups.storing import values_of
from vms.machines import public_id
from vms.models import Backup, GuestClaim
from vms.operations.kinds import MachineKind
from vms.operations.making import CreationKind
from vms.proxmox.backups import ArchiveReading

_ITS_FAULT = frozenset(
    {"RESTORE_DIFFERS", "GUEST_NOT_UP", "PVE_TASK_FAILED", "NO_EFFECT", "BACKUP_MISSING", "BACKUP_NOT_OURS"}
)
"""What ends a restore test in a way that says something of the backup."""


def facts(row: Backup) -> dict[str, Any]:
    """A backup as events tell it."""
    return {
        "id": row.public_id, "vm_id": public_id(row.guest) if row.guest else None, "vm_name": row.guest_name,
        "vmid": row.vmid, "status": row.state, "storage": row.storage, "size_bytes": row.size_bytes,
        "taken_at": row.taken_at.isoformat() if row.taken_at else None,
    }  # fmt: skip


def _row(job: Job) -> Backup | None:
    """The backup of a job, held until the transaction ends."""
    return Backup.objects.select_for_update().filter(pk=job.params["backup"]).first()


class BackupKind(MachineKind):
    """A job that makes a backup. Its closing event is what webhooks are told."""

    def completed(self, job: Job) -> dict[str, object]:
        """The row becomes the archive that was read back."""
        return self._end(job, Backup.State.COMPLETED)

    def failed(self, job: Job) -> dict[str, object]:
        """There is none, unless it was seen before something else failed."""
        return self._end(job, Backup.State.FAILED)

    def cancelled(self, job: Job) -> dict[str, object]:
        """The same: what was in flight has come to its end."""
        return self._end(job, Backup.State.CANCELLED)

    def _end(self, job: Job, state: Backup.State) -> dict[str, object]:
        vm, row = self.show(job), _row(job)
        if row is None:
            return {"vm": vm}
        seen = _archive(job)
        if seen is not None and not row.is_there:
            row.move(Backup.State.COMPLETED, error="", **values_of(seen, timezone.now()))
        elif row.state == Backup.State.RUNNING:
            row.move(state, error=str((job.error or {}).get("message", ""))[:500])
        return {**facts(row), "vm": vm}


def _archive(job: Job) -> ArchiveReading | None:
    """What the step has read back."""
    evidence = job.steps.filter(kind="backup.take", state__in=Step.DONE).values_list("evidence", flat=True).first()
    found = (evidence or {}).get("archive")
    return ArchiveReading(**{**found, "taken_at": datetime.fromisoformat(found["taken_at"])}) if found else None


class _AboutBackup(JobKind):
    """A job about one backup, named after it."""

    def public_id(self, params: Mapping[str, Any]) -> str:
        """`job_verify_backup_012_4f6c1b0a`"""
        return f"job_{params['verb']}_backup_{params['backup']:03d}_{secrets.token_hex(4)}"

    def places(self, job: Job) -> Sequence[Place]:
        """The backup."""
        number = job.params.get("backup")
        return [Place("Backup", reverse("vms:backup", args=[number]), "disk")] if number is not None else []


class DropKind(_AboutBackup):
    """A job at whose end a backup is no more."""

    def places(self, job: Job) -> Sequence[Place]:
        """The backup, while there is one."""
        return () if job.state == Job.State.COMPLETED else super().places(job)

    def completed(self, job: Job) -> dict[str, object]:
        """Read back as gone: nobody lists it any more."""
        row = _row(job)
        if row is None:
            return {}
        told = {**facts(row), "status": "deleted"}
        row.delete()
        return {"backup": told}


class ProofKind(_AboutBackup):
    """A restore test."""

    def completed(self, job: Job) -> dict[str, object]:
        """It came back, and was removed again."""
        return self._keep(job, is_good=True)

    def failed(self, job: Job) -> dict[str, object]:
        """What it showed of the backup is kept; what is left of the guest is removed by a job of its own."""
        self._clear(job)
        error = job.error or {}
        if error.get("code") not in _ITS_FAULT:
            return {}
        return self._keep(job, is_good=False, why=str(error.get("message", "")))

    def cancelled(self, job: Job) -> dict[str, object]:
        """Nothing is known of the backup then."""
        self._clear(job)
        return {}

    def _keep(self, job: Job, *, is_good: bool, why: str = "") -> dict[str, object]:
        row = _row(job)
        if row is None or not row.is_there:
            return {}
        now, state = timezone.now(), Backup.State.VERIFIED if is_good else Backup.State.COMPLETED
        evidence = {
            "is_good": is_good, "seconds": round((now - (job.started_at or now)).total_seconds(), 1), "why": why[:500],
            "checks": _checks(job), "job": job.public_id,
        }  # fmt: skip
        if row.state == state:
            Backup.objects.filter(pk=row.pk).update(tested_at=now, evidence=evidence)
        else:
            row.move(state, tested_at=now, evidence=evidence)
        return {"backup": facts(row), "passed": is_good}

    @staticmethod
    @transaction.atomic
    def _clear(job: Job) -> None:
        claim = GuestClaim.objects.active().filter(pk=job.params["claim"]).first()
        if claim is not None:
            proving.clear(claim)


def _checks(job: Job) -> list[dict[str, Any]]:
    """What was compared, found good or not."""
    step = job.steps.filter(kind="backup.check").first()
    if step is None:
        return []
    checks: list[dict[str, Any]] = step.evidence.get("checks") or step.journal.get("checks") or []
    return checks


class RestoreKind(MachineKind):
    """A job that puts a machine back to a backup of it."""


class UnpackKind(CreationKind):
    """A job that makes a new machine from a backup."""

    def public_id(self, params: Mapping[str, Any]) -> str:
        """What can happen again gets some letters of its own."""
        return MachineKind.public_id(self, params)
