"""Bringing settings of a guest to what a rule of security asks for."""

from alma.jobs.kinds import Wait
from vms.proxmox import guests
from vms.steps import mends
from vms.steps.base import GuestStep
from vms.steps.work import Work


class MendGuest(GuestStep):
    """Change the options that differ, and no others. Parameters beside the common ones: `mends`, names of `mends.MENDS`.

    Compared with the config first, written with its digest, read back after. Ends with warnings when something takes effect
    at the next start only."""

    def turn(self, work: Work) -> None:
        """Compare, change what differs, and end when nothing does."""
        claim = work.own_claim()
        reading = work.ours(claim)
        options = mends.wanted(reading, work.params["mends"])
        if options:
            work.intend(claim, intent="mend", changes=sorted(options))
            work.context.renew()
            here = guests.path(reading)
            work.api.put(*here, "config", digest=reading.digest or None, **mends.values(options))
            work.context.record(**work.tried())
            raise Wait
        pending = guests.read_pending(work.api, reading) if reading.status == "running" else ()
        if pending:
            work.tell_once(f"VMID {reading.vmid}: {', '.join(pending)} will change at its next start.")
        work.succeed(claim, reading, warnings=bool(pending), pending=list(pending), mended=list(work.params["mends"]))
