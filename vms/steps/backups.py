"""Making a backup of a guest, and deleting one."""

from alma.jobs.context import StepContext
from alma.jobs.kinds import StepFailed
from vms.models import GuestClaim
from vms.proxmox import backups, tasks
from vms.proxmox.answers import Refusal, rows, text
from vms.proxmox.backups import ArchiveReading
from vms.proxmox.readings import GuestReading
from vms.proxmox.tasks import Outcome, TaskReading
from vms.steps.base import GuestStep
from vms.steps.power import settle
from vms.steps.work import MAX_TRIES, Work

LOG_LINES = 500


class TakeBackup(GuestStep):
    """Back a guest up, running or not. It ends with the archive as its storage lists it.

    Parameters beside the common ones: `storage`, `compress` as vzdump has it or None, `words` for people, and `number`, that
    of our backup: it stands in the archive's notes with the mark of the guest, and by it the archive is found again.
    """

    deadline = 24 * 3600.0
    """A node makes one backup after the other, and a large one takes hours."""

    def turn(self, work: Work) -> None:
        """Observe, then begin or end."""
        claim = work.own_claim()
        upid = work.journal.get("task")
        task = work.follow()
        self._explain(work, upid, task)
        reading = work.ours(claim)
        found = self._find(work, claim, reading)
        if found is not None:
            self._end(work, claim, reading, task, found)
            return
        settle(work, task, f"VMID {claim.vmid}: Proxmox says that it is backed up, and the storage does not show it.")
        self._adopt(work, reading)
        self._begin(work, claim, reading)

    def _find(self, work: Work, claim: GuestClaim, reading: GuestReading) -> ArchiveReading | None:
        """Our archive; nothing is asked before anything was meant."""
        if work.journal.get("intent") != "backup":
            return None
        listed = backups.read(work.api, reading.node, work.params["storage"], vmid=claim.vmid)
        mark = (str(claim.pk), work.params["number"])
        return next((one for one in listed if (one.claim, one.number) == mark), None)

    def _adopt(self, work: Work, reading: GuestReading) -> None:
        """A task of ours that runs although its id was lost, waiting for others of its node perhaps. Raises Wait."""
        if work.journal.get("intent") != "backup" or work.journal.get("task"):
            return
        here = ("nodes", reading.node, "tasks")
        running = rows(work.api.get(*here, vmid=reading.vmid, typefilter="vzdump", source="active"), "tasks")
        ours = work.cluster.token_id.partition("!")[0]
        for row in running:
            if text(row, "user").partition("!")[0] == ours and not row.get("endtime"):
                work.begun(text(row, "upid"))
                work.follow()

    def _begin(self, work: Work, claim: GuestClaim, reading: GuestReading) -> None:
        values = {
            "vmid": claim.vmid, "storage": work.params["storage"], "compress": work.params["compress"], "mode": "snapshot",
            "remove": False, "notes-template": backups.signed(work.params["words"], claim.marker, work.params["number"]),
        }  # fmt: skip
        work.submit(claim, lambda: work.api.post("nodes", reading.node, "vzdump", **values), intent="backup")

    def _end(
        self, work: Work, claim: GuestClaim, reading: GuestReading, task: TaskReading | None, found: ArchiveReading
    ) -> None:  # fmt: skip
        work.succeed(claim, reading, task, archive=found.as_json())

    def _explain(self, work: Work, upid: str | None, task: TaskReading | None) -> None:
        """Raises StepFailed with the reason that only the log of a failed task gives."""
        if task is None or task.outcome != Outcome.FAILED:
            return
        said = _errors(work, upid) if upid else ""
        raise StepFailed("BACKUP_FAILED", f"{work.context.step.title}: Proxmox says: {said or task.text}")


def _errors(work: Work, upid: str) -> str:
    try:
        lines = [line for _, line in tasks.log(work.api, upid, 0, limit=LOG_LINES)]
    except Refusal:
        return ""
    return "; ".join(line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: "))[:400]


class DropBackup(GuestStep):
    """Delete an archive of a machine of ours; gone is success.

    Parameters beside the common ones: `claim`, the ledger row whose machine it holds, `archive_storage`, `volume`, and
    `is_lenient`. What does not
    bear the mark of that row, in its notes or in the configuration within, is left alone.
    """

    deadline = 3600.0

    def run(self, context: StepContext) -> None:
        """One turn; where it is lenient, what cannot be deleted is named, and does not hold up the rest."""
        try:
            super().run(context)
        except StepFailed as error:
            if not context.params.get("is_lenient"):
                raise
            context.log(f"{context.params['volume']} stays: {error.message}", "warning")
            context.succeed(warnings=True, volume=context.params["volume"], is_gone=False, why=error.message)

    def turn(self, work: Work) -> None:
        """Observe, then delete or end."""
        claim = GuestClaim.objects.get(pk=work.params["claim"])
        task = work.follow()
        found = find(work)
        if found is None:
            work.context.succeed(volume=work.params["volume"], is_gone=True)
            return
        work.refuse_failed(task)
        if found.is_protected:
            raise StepFailed("BACKUP_PROTECTED", f"{found.volume} is protected in Proxmox; take that away first.")
        prove(work, claim, found)
        settle(work, task, f"{found.volume}: Proxmox says that it is deleted, and the storage still shows it.")
        self._delete(work, claim, found)

    def _delete(self, work: Work, claim: GuestClaim, found: ArchiveReading) -> None:
        """As other steps do; but the machine may be gone, so nothing of the ledger is to be held for it."""
        if work.journal.get("tries", 0) >= MAX_TRIES:
            raise StepFailed("CHANGE_NOT_TAKEN", f"{work.context.step.title}: done {MAX_TRIES} times without effect.")
        work.context.record(exit=None, intent="delete backup")
        work.is_meant = True
        here = ("nodes", work.params["node"], "storage", found.storage, "content", found.volume)
        work.submit(claim, lambda: work.api.delete(*here))


def find(work: Work, node: str = "") -> ArchiveReading | None:
    """The archive of a step as its storage lists it, or None. Raises Unknown, Refusal."""
    listed = backups.read(work.api, node or work.params["node"], work.params["archive_storage"])
    return next((one for one in listed if one.volume == work.params["volume"]), None)


def prove(work: Work, claim: GuestClaim, found: ArchiveReading, node: str = "") -> backups.ArchivedConfig | None:
    """See that an archive holds the machine of a ledger row; the configuration within, where that had to be read.

    Raises StepFailed when it does not."""
    if found.vmid == claim.vmid and found.claim == str(claim.pk):
        return None
    config = backups.read_config(work.api, node or work.params["node"], found.volume)
    if found.vmid != claim.vmid or config.marker != claim.marker:
        raise StepFailed(
            "BACKUP_NOT_OURS", f"{found.volume} does not bear the mark of a machine that ALMA made; it is left alone."
        )
    return config
