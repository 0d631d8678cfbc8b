"""Removing what a run made: one guest, named by its ledger row, stopped and deleted and read back as gone."""

from vms.models import GuestClaim
from vms.proxmox import guests
from vms.proxmox.guests import Observation, Seen
from vms.proxmox.readings import GuestReading
from vms.steps.base import GuestStep
from vms.steps.work import Work


class DiscardGuest(GuestStep):
    """Stop the guest hard, delete it with its disks, and give its ledger row back. Gone is success.

    Parameter beside the common ones: `claim`, the row that the run to be undone took; no other guest is looked at. A number
    that was only reserved and that somebody else's guest has meanwhile is left to them.
    """

    deadline = 600.0

    def turn(self, work: Work) -> None:
        """Observe, then stop, delete, or end."""
        claim = work.claim()
        if claim is None or not claim.is_active:
            work.context.succeed(status="absent", vmid=work.journal.get("vmid"))
            return
        task = work.follow()
        seen = guests.observe(work.api, claim)
        if seen.reading is None:
            self._end(work, claim, GuestClaim.State.RELEASED, "absent")
        elif seen.seen == Seen.FOREIGN and claim.state == GuestClaim.State.RESERVED:
            self._end(work, claim, GuestClaim.State.FOREIGN, "somebody else's, left alone")
        else:
            self._refuse(work, claim, seen)
            work.refuse_failed(task)
            self._remove(work, claim, seen.reading)

    def _refuse(self, work: Work, claim: GuestClaim, seen: Observation) -> None:
        work.refuse_foreign(claim, seen)
        work.wait_for_lock(seen)

    def _remove(self, work: Work, claim: GuestClaim, reading: GuestReading) -> None:
        here = guests.path(reading)
        if reading.status == "running":
            work.submit(claim, lambda: work.api.post(*here, "status", "stop"), intent="stop")
        work.submit(claim, lambda: work.api.delete(*here, purge=True), intent="delete")

    def _end(self, work: Work, claim: GuestClaim, state: GuestClaim.State, status: str) -> None:
        with work.context.fenced():
            claim.move(state)
            work.context.succeed(status=status, vmid=claim.vmid, node=claim.node, kind=claim.kind)
