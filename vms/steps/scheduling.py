"""A backup job of Proxmox for one machine: made, changed and removed, and only if it is ours."""

from typing import Any

from django.utils import timezone

from alma.failpoints import failpoint
from alma.jobs.context import StepContext
from alma.jobs.kinds import StepFailed, Wait
from vms.backups.targets import best_storage
from vms.models import BackupSchedule, GuestClaim
from vms.proxmox import backups
from vms.proxmox.answers import Refusal
from vms.proxmox.backups import ScheduledJob
from vms.steps.base import GuestStep
from vms.steps.work import MAX_TRIES, Work

FORBIDDEN = 403


def job_id(claim: GuestClaim) -> str:
    """What the job of a machine is called: the ledger row says it, so there is never a second one."""
    return BackupSchedule(claim=claim).job_id


def own_job(work: Work, claim: GuestClaim) -> ScheduledJob | None:
    """The job of a machine. Raises StepFailed when somebody else's has its name."""
    found = next((one for one in backups.jobs(work.api) if one.id == job_id(claim)), None)
    if found is not None and found.claim != str(claim.pk):
        raise StepFailed("JOB_NOT_OURS", f"The backup job {found.id} does not carry ALMA's mark; it is left alone.")
    return found


def _try(work: Work, intent: str) -> None:
    """The intent, before the effect. Raises StepFailed after too many times."""
    if work.journal.get("tries", 0) >= MAX_TRIES:
        raise StepFailed("CHANGE_NOT_TAKEN", f"{work.context.step.title}: done {MAX_TRIES} times without effect.")
    work.context.record(intent=intent, **work.tried())
    failpoint("work.intended")
    work.context.renew()
    failpoint("work.renewed")


class ScheduleBackups(GuestStep):
    """Let Proxmox back the machine up by the calendar. Parameters beside the common ones: `enabled`, `schedule`, `keep`,
    `retention_days`, and `is_lenient`: a token that may not make such jobs is a warning then."""

    def run(self, context: StepContext) -> None:
        """One turn."""
        try:
            super().run(context)
        except StepFailed as error:
            if not (context.params.get("is_lenient") and context.journal.get("is_forbidden")):
                raise
            context.log(f"Not scheduled: {error.message}", "warning")
            context.succeed(warnings=True, scheduled=False, why=error.message)

    def turn(self, work: Work) -> None:
        """Observe, then act or end."""
        claim = work.own_claim()
        reading = work.ours(claim)
        if not work.params["enabled"]:
            self._remove(work, claim)
            return
        found = own_job(work, claim)
        storage = found.storage if found else best_storage(work.cluster, reading.node)
        if not storage:
            raise StepFailed("NO_BACKUP_STORAGE", f"{reading.node} reaches no storage for backups.")
        wanted = _values(work.params, claim, reading.name, storage)
        if found is not None and not _differences(found, wanted):
            _end(work, claim, found)
            return
        self._write(work, claim, found, wanted)
        raise Wait

    def _write(self, work: Work, claim: GuestClaim, found: ScheduledJob | None, wanted: dict[str, Any]) -> None:
        _try(work, "schedule")
        try:
            if found is None:
                work.api.post("cluster", "backup", id=job_id(claim), **wanted)
            else:
                work.api.put("cluster", "backup", found.id, **wanted)
        except Refusal as error:
            _forbidden(work, error)
            raise
        failpoint("work.called")

    @staticmethod
    def _remove(work: Work, claim: GuestClaim) -> None:
        if own_job(work, claim) is not None:
            drop(work, claim)
        forget(work, claim, scheduled=False)


class UnscheduleBackups(GuestStep):
    """Take the backup job of a machine away that may be gone itself. Parameter beside the common ones: `claim`."""

    def turn(self, work: Work) -> None:
        """Gone is success."""
        claim = GuestClaim.objects.get(pk=work.params["claim"])
        if own_job(work, claim) is not None:
            drop(work, claim)
        forget(work, claim, scheduled=False)


def drop(work: Work, claim: GuestClaim) -> None:
    """Delete the job, and look again. Raises Wait."""
    _try(work, "unschedule")
    work.api.delete("cluster", "backup", job_id(claim))
    failpoint("work.called")
    raise Wait


def forget(work: Work, claim: GuestClaim, **evidence: Any) -> None:
    """End with no job; nobody shows one any more."""
    with work.context.fenced():
        BackupSchedule.objects.filter(claim=claim).delete()
        work.context.succeed(**evidence)


def _forbidden(work: Work, error: Refusal) -> None:
    if error.status == FORBIDDEN:
        work.context.record(is_forbidden=True)
        raise StepFailed(
            "TOKEN_MAY_NOT_SCHEDULE",
            f"The token may not make backup jobs; Proxmox asks for Sys.Modify on / ({error.text}).",
        )


def _values(params: dict[str, Any], claim: GuestClaim, name: str, storage: str) -> dict[str, Any]:
    return {
        "vmid": claim.vmid, "storage": storage, "schedule": params["schedule"], "prune-backups": params["keep"],
        "enabled": True, "mode": "snapshot", "compress": "zstd", "comment": f"{name}, kept by ALMA {claim.marker}",
        "notes-template": f"{{{{guestname}}}}\\n{claim.marker}",
    }  # fmt: skip


def _differences(found: ScheduledJob, wanted: dict[str, Any]) -> list[str]:
    """Names of options that are otherwise; Proxmox shows the retention as an object."""
    kept = found.options.get("prune-backups", "")
    shown = kept if isinstance(kept, str) else ",".join(f"{name}={kept[name]}" for name in sorted(kept))
    now = {
        "vmid": int(found.vmids[0]) if found.vmids[:1] == found.vmids and found.vmids else 0, "storage": found.storage,
        "schedule": found.schedule, "enabled": found.is_enabled, "prune-backups": ",".join(sorted(shown.split(","))),
    }  # fmt: skip
    return [name for name, value in now.items() if value != wanted[name]]


def _end(work: Work, claim: GuestClaim, found: ScheduledJob) -> None:
    """What was read back is what people are shown."""
    params = work.params
    values = {
        "is_enabled": True, "schedule": params["schedule"], "retention_days": params["retention_days"],
        "storage": found.storage, "applied_at": timezone.now(), "next_run": found.next_run,
    }  # fmt: skip
    with work.context.fenced():
        BackupSchedule.objects.update_or_create(claim=claim, defaults=values)
        work.context.succeed(
            scheduled=True, job=found.id, schedule=found.schedule, keep=params["keep"], storage=found.storage
        )
