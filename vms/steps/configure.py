"""Bringing a guest's options to what the plan says."""

from vms.proxmox import guests
from vms.proxmox.readings import GuestReading
from vms.steps import fittings, payloads
from vms.steps.base import GuestStep
from vms.steps.work import Work


class ConfigureGuest(GuestStep):
    """Set cores, memory, name, tags, network cards and cloud-init, add further disks and cards, and let disks grow.

    Parameters beside the common ones, all optional: `cores`, `memory_bytes`, `disk_bytes`, `name`, `description` (below the
    mark), `bridge`, `vlan`, `tags`, `exact_tags` (drop all others), `storage` (for a new cloud-init drive), `cloud_init`,
    `volumes` [{slot, size_bytes, storage, mount}], `cards` [{slot, bridge, vlan, ip, gateway, mac, mtu, firewall}]. Nothing
    that a plan does not name is taken away. Compared with the config first, written with its digest, read back after. Ends
    with warnings when something takes effect at the next start only, unless `restart_follows`.
    """

    def turn(self, work: Work) -> None:
        """Compare, change what differs, and end when nothing does."""
        claim = work.own_claim()
        task = work.follow()
        work.refuse_failed(task)
        reading = work.ours(claim)
        values = payloads.changes(reading, work.params)
        growth = fittings.growth(reading, work.params)
        here = guests.path(reading)
        if values:
            before = {name: reading.config.get(name) for name in values} | work.journal.get("before", {})
            work.intend(claim, intent="configure", changes=sorted(values), before=before)
            work.context.renew()
            work.api.put(*here, "config", digest=reading.digest or None, **values)
            work.context.record(**work.tried())
            reading = work.ours(claim)
        elif growth:
            self._next_disk(work, growth["disk"])
            work.submit(
                claim, lambda: work.api.put(*here, "resize", **growth), intent="resize", changes=[growth["disk"]]
            )
        if not payloads.changes(reading, work.params) and not fittings.growth(reading, work.params):
            pending = self._pending(work, reading)
            waits = bool(pending) and not work.params.get("restart_follows")
            work.succeed(claim, reading, task, warnings=waits, pending=list(pending))

    def _next_disk(self, work: Work, disk: str) -> None:
        """Each disk has its own tries."""
        if work.journal.get("changes") != [disk]:
            work.context.note(tries=0)

    def _pending(self, work: Work, reading: GuestReading) -> tuple[str, ...]:
        pending = guests.read_pending(work.api, reading) if reading.status == "running" else ()
        if pending and not work.params.get("restart_follows"):
            work.tell_once(f"VMID {reading.vmid}: {', '.join(pending)} will change at its next start.")
        return pending
