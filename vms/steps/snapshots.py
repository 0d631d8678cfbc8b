"""Taking a snapshot of a guest, going back to one, and dropping one."""

from typing import Any

from alma.jobs.kinds import StepFailed
from vms import snapshots as rows
from vms.models import GuestClaim
from vms.proxmox import guests, snapshots
from vms.proxmox.readings import GuestReading
from vms.proxmox.tasks import TaskReading
from vms.steps.base import GuestStep
from vms.steps.power import DONE, settle
from vms.steps.work import Work


class SnapshotStep(GuestStep):
    """The base: it ends with all snapshots of the guest as they were read back. Parameter: `snapshot`, a name."""

    deadline = 1800.0

    def turn(self, work: Work) -> None:
        """Observe, then act or end."""
        claim = work.own_claim()
        task = work.follow()
        reading = work.ours(claim)
        found = {one.name: one for one in snapshots.read(work.api, reading)}
        if self.is_done(work, reading, task, found):
            listed = [one.as_json() for one in found.values()]
            work.succeed(claim, reading, task, snapshots=listed)
            return
        work.refuse_failed(task)
        settle(work, task, f"VMID {claim.vmid}: Proxmox says that it is done, and it does not show.")
        self.act(work, claim, reading)

    def is_done(
        self, work: Work, reading: GuestReading, task: TaskReading | None, found: dict[str, snapshots.SnapshotReading]
    ) -> bool:
        """Whether the guest is as it shall be. Raises StepFailed."""
        raise NotImplementedError

    def act(self, work: Work, claim: GuestClaim, reading: GuestReading) -> None:
        """Begin the task. Raises Wait, StepFailed."""
        raise NotImplementedError


class TakeSnapshot(SnapshotStep):
    """Take a snapshot; its inverse is its deletion. Parameters beside the common ones: `snapshot`, `description`, `memory`, and
    `for_safety`: one that an earlier run of the same proposal took before it changed anything is good enough."""

    def is_done(
        self, work: Work, reading: GuestReading, task: TaskReading | None, found: dict[str, snapshots.SnapshotReading]
    ) -> bool:
        """It is there. One that was there before anything was meant is somebody else's."""
        name = work.params["snapshot"]
        if name not in found:
            return False
        is_safety = bool(work.params.get("for_safety"))
        is_earlier = is_safety and found[name].description == work.params["description"]
        if work.journal.get("intent") != "snapshot" and not is_earlier:
            raise StepFailed("SNAPSHOT_EXISTS", f"VMID {reading.vmid} has a snapshot {name} already.")
        if is_safety:
            with work.context.fenced():
                rows.note_ours(work.cluster.pk, reading.vmid, found[name].as_json())
        return True

    def act(self, work: Work, claim: GuestClaim, reading: GuestReading) -> None:
        """Where the disks can have none, say so before anything is locked."""
        if not snapshots.can_have(work.api, reading):
            stores = sorted({str(reading.config[disk]).partition(":")[0] for disk in reading.disks})
            raise StepFailed(
                "SNAPSHOT_NOT_POSSIBLE",
                f"A disk of VMID {reading.vmid} lies on a storage without snapshots ({', '.join(stores)}). "
                "Move it to one that has them, such as LVM-thin, ZFS, Ceph or qcow2 files.",
            )
        values: dict[str, Any] = {
            "snapname": work.params["snapshot"],
            "description": work.params["description"] or None,
        }
        if work.params["memory"] and reading.kind == "vm":
            values["vmstate"] = True
        here = guests.path(reading)
        work.submit(claim, lambda: work.api.post(*here, "snapshot", **values), intent="snapshot")


class RestoreSnapshot(SnapshotStep):
    """Go back to a snapshot. A guest without its memory in it is stopped then. To go back twice leaves the same."""

    def is_done(
        self, work: Work, reading: GuestReading, task: TaskReading | None, found: dict[str, snapshots.SnapshotReading]
    ) -> bool:
        """The task ended well, and the guest stands on the snapshot."""
        name = work.params["snapshot"]
        if name not in found:
            raise StepFailed("SNAPSHOT_MISSING", f"VMID {reading.vmid} has no snapshot {name} any more.")
        return task is not None and task.outcome in DONE and reading.config.get("parent") == name

    def act(self, work: Work, claim: GuestClaim, reading: GuestReading) -> None:
        """Roll back."""
        here = (*guests.path(reading), "snapshot", snapshot_of(work), "rollback")
        work.submit(claim, lambda: work.api.post(*here), intent="rollback")


class DropSnapshot(SnapshotStep):
    """Delete a snapshot; what was done since stays. Gone is success."""

    def is_done(
        self, work: Work, reading: GuestReading, task: TaskReading | None, found: dict[str, snapshots.SnapshotReading]
    ) -> bool:
        """It is not there."""
        return work.params["snapshot"] not in found

    def act(self, work: Work, claim: GuestClaim, reading: GuestReading) -> None:
        """Delete it."""
        here = (*guests.path(reading), "snapshot", snapshot_of(work))
        work.submit(claim, lambda: work.api.delete(*here), intent="delete snapshot")


def snapshot_of(work: Work) -> str:
    """Its name, which was checked when it was asked for."""
    return str(work.params["snapshot"])
