"""Giving a guest the options back that it had before a run changed them."""

from vms.proxmox import guests
from vms.proxmox.readings import GuestReading
from vms.steps import payloads
from vms.steps.base import GuestStep
from vms.steps.work import Work


class RestoreGuest(GuestStep):
    """Write the options of the config as they were, and read them back.

    Parameters beside the common ones: `claim`, the row of the guest, and `options`, from names in Proxmox's config to what
    stood there, or null where nothing did. Options that the run did not change stay as they are now.
    """

    def turn(self, work: Work) -> None:
        """Compare, write back what differs, and end when nothing does."""
        claim = work.own_claim()
        reading = work.ours(claim)
        values = payloads.restoration(reading, work.params["options"])
        if values:
            work.intend(claim, intent="restore", changes=sorted(values))
            work.context.renew()
            work.api.put(*guests.path(reading), "config", digest=reading.digest or None, **values)
            work.context.record(**work.tried())
            reading = work.ours(claim)
        if not payloads.restoration(reading, work.params["options"]):
            pending = self._pending(work, reading)
            work.succeed(claim, reading, warnings=bool(pending), pending=list(pending))

    def _pending(self, work: Work, reading: GuestReading) -> tuple[str, ...]:
        return guests.read_pending(work.api, reading) if reading.status == "running" else ()
