"""Removing a guest that the ledger has given up and that is there all the same."""

from collections.abc import Callable
from typing import NoReturn

from alma.jobs.kinds import StepFailed
from vms.models import GuestClaim, Stray
from vms.proxmox import guests
from vms.proxmox.guests import Seen
from vms.proxmox.readings import GuestReading
from vms.steps.base import GuestStep
from vms.steps.work import MAX_TRIES, Work


class RemoveOrphan(GuestStep):
    """Stop and delete one orphan, with its mark read again before each call. Gone is success, and so is to leave it alone.

    Parameters beside the common ones: `stray`, the entry that waited in quarantine, and `claim`, the row of the ledger whose
    mark it carries. Nothing is done unless that row was given up, has this very number, and the guest this very mark.
    """

    deadline = 600.0

    def turn(self, work: Work) -> None:
        """Observe, then stop, delete, or end."""
        claim = GuestClaim.objects.get(pk=work.params["claim"])
        if not self._may(work, claim):
            work.context.succeed(status="left alone", vmid=claim.vmid)
            return
        task = work.follow()
        seen = guests.observe(work.api, claim)
        if seen.reading is None:
            work.context.succeed(status="absent", vmid=claim.vmid, node=claim.node, kind=claim.kind)
        elif seen.seen == Seen.FOREIGN:
            work.context.succeed(status="left alone", vmid=claim.vmid)
        else:
            work.wait_for_lock(seen)
            work.refuse_failed(task)
            self._remove(work, claim, seen.reading)

    @staticmethod
    def _may(work: Work, claim: GuestClaim) -> bool:
        """Whether ledger and quarantine still say so."""
        stray = Stray.objects.filter(pk=work.params["stray"], state=Stray.State.REMOVING, claim=claim).first()
        is_same = stray is not None and (stray.cluster_id, stray.vmid) == (claim.cluster_id, claim.vmid)
        return is_same and not claim.is_active and claim.cluster_id == work.cluster.pk

    def _remove(self, work: Work, claim: GuestClaim, reading: GuestReading) -> None:
        here = guests.path(reading)
        if reading.status == "running":
            self._submit(work, claim, lambda: work.api.post(*here, "status", "stop"), "stop")
        self._submit(work, claim, lambda: work.api.delete(*here, purge=True), "delete")

    def _submit(self, work: Work, claim: GuestClaim, call: Callable[[], object], intent: str) -> NoReturn:
        """As other steps do; but the row is given up, so nothing of the ledger is to be held for it."""
        if work.journal.get("tries", 0) >= MAX_TRIES:
            raise StepFailed("CHANGE_NOT_TAKEN", f"{work.context.step.title}: done {MAX_TRIES} times without effect.")
        work.context.record(exit=None, intent=intent, claim=str(claim.pk), vmid=claim.vmid)
        work.is_meant = True
        work.submit(claim, call, intent=intent)
