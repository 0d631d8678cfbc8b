"""Deleting a guest: only one that is ours by ledger and by marker, read again right before."""

from alma.jobs.kinds import StepFailed
from vms.models import BackupSchedule, GuestClaim
from vms.proxmox import guests
from vms.proxmox.answers import Refusal
from vms.proxmox.guests import Seen
from vms.proxmox.readings import GuestReading
from vms.steps.base import GuestStep
from vms.steps.scheduling import drop, own_job
from vms.steps.work import Work


class DeleteGuest(GuestStep):
    """Delete the guest and its disks, take its own backup job away, and give its ledger row back. No parameters beside the
    common ones. Gone is success."""

    deadline = 600.0

    def turn(self, work: Work) -> None:
        """Gone: release the row. Ours and stopped: delete. Anything else is left alone."""
        claim = work.claim()
        if claim is None or not claim.is_active:
            work.context.succeed(status="absent", vmid=work.journal.get("vmid"))
            return
        task = work.follow()
        seen = guests.observe(work.api, claim)
        if seen.reading is None or seen.seen == Seen.ABSENT:
            self._unschedule(work, claim)
            self._release(work, claim)
            return
        work.refuse_foreign(claim, seen)
        work.refuse_failed(task)
        work.wait_for_lock(seen)
        self._delete(work, claim, seen.reading)

    def _delete(self, work: Work, claim: GuestClaim, reading: GuestReading) -> None:
        if reading.status == "running":
            raise StepFailed("GUEST_RUNNING", f"VMID {claim.vmid} runs again; a running guest is not deleted.")
        here = guests.path(reading)
        work.submit(claim, lambda: work.api.delete(*here, purge=True), intent="delete")

    def _unschedule(self, work: Work, claim: GuestClaim) -> None:
        """Proxmox takes a guest that it purges out of its jobs; what is left of a job that was for it alone goes as well, unless
        the token may not. Raises Wait, Unknown, Refusal."""
        if not BackupSchedule.objects.filter(claim=claim).exists():
            return
        try:
            if own_job(work, claim) is not None:
                drop(work, claim)
        except (Refusal, StepFailed) as error:
            work.tell_once(f"The backup job of {claim.key} stays: {error}")

    def _release(self, work: Work, claim: GuestClaim) -> None:
        with work.context.fenced():
            BackupSchedule.objects.filter(claim=claim).delete()
            claim.move(GuestClaim.State.RELEASED)
            work.context.succeed(status="absent", vmid=claim.vmid, node=claim.node, kind=claim.kind)
