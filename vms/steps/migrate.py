"""Moving a guest to another node of its cluster."""

from collections.abc import Iterator
from typing import Any

from alma.jobs.context import StepContext
from alma.jobs.kinds import StepFailed
from vms.models import GuestClaim
from vms.proxmox import guests, migration
from vms.proxmox.paths import seg, storage_id
from vms.proxmox.readings import GuestReading
from vms.proxmox.tasks import Outcome
from vms.proxmox.values import GIB
from vms.steps.base import GuestStep
from vms.steps.power import settle
from vms.steps.work import Work


class MigrateGuest(GuestStep):
    """See the guest on a node. One that is there already is left as it is; its inverse is the move back.

    Parameters beside the common ones: `target`, a node; `online`, whether a machine that runs may be moved as it runs;
    `restart`, whether a container that runs may be stopped for it; `local_disks`, whether a machine that runs may take disks
    along that only its node sees; `storage`, where such disks go, or empty for one of the same name.
    What is in the way is looked for first and named; nothing has been touched then.
    """

    deadline = 4 * 3600.0

    def begin(self, context: StepContext) -> None:
        """Begin without what an earlier try has left."""
        super().begin(context)
        context.note(before=None)

    def turn(self, work: Work) -> None:
        """Observe, then move or end."""
        claim = work.own_claim()
        upid = work.journal.get("task", "")
        task = work.follow()
        reading = work.ours(claim)
        if reading.node == work.params["target"]:
            work.succeed(claim, reading, task)
            return
        if task is not None and task.outcome == Outcome.FAILED:
            said = migration.complaints(work.api, upid) if upid else ""
            raise StepFailed("PVE_TASK_FAILED", f"{work.context.step.title}: Proxmox says: {said or task.text}.")
        if task is None:
            work.find_lost(reading, "qmigrate")
        settle(work, task, f"VMID {claim.vmid}: Proxmox says that it was moved, and it is still on {reading.node}.")
        found = list(objections(migration.read(work.api, reading, work.params["target"]), reading, work.params))
        found += _unsealed(work, reading)
        if found:
            raise StepFailed("MIGRATION_NOT_POSSIBLE", f"VMID {claim.vmid} cannot be moved: {'; '.join(found)}.")
        self._move(work, claim, reading)

    def _move(self, work: Work, claim: GuestClaim, reading: GuestReading) -> None:
        values, here = call(reading, work.params), guests.path(reading)
        before = work.newest(reading, "qmigrate")
        work.submit(claim, lambda: work.api.post(*here, "migrate", **values), intent="migrate", before=before)


def _unsealed(work: Work, reading: GuestReading) -> Iterator[str]:
    """What is encrypted stays encrypted, as far as an operator has said where that is."""
    storage = str(work.params.get("storage", ""))
    used = {str(reading.config[disk]).partition(":")[0] for disk in reading.disks}
    if storage and work.cluster.encrypts(storage) is False and any(map(work.cluster.encrypts, used)):
        yield f"its disks are encrypted, and {storage} does not encrypt"


def call(reading: GuestReading, params: dict[str, Any]) -> dict[str, Any]:
    """What is sent: of a container that runs, that it is stopped for the move; of a machine, that it is not."""
    is_machine, runs = reading.kind == "vm", reading.status == "running"
    values: dict[str, Any] = {"target": seg(params["target"])}
    if params.get("storage"):
        values["targetstorage" if is_machine else "target-storage"] = storage_id(params["storage"])
    if not runs:
        return values
    return values | ({"online": True, "with-local-disks": params["local_disks"]} if is_machine else {"restart": True})


def objections(way: migration.Way, reading: GuestReading, params: dict[str, Any]) -> Iterator[str]:
    """What is in the way, in words."""
    target, here = params["target"], reading.node
    if not way.is_online:
        yield f"{target} is not online"
    if way.is_managed:
        yield "it is managed by high availability, which decides where it runs; ask that to move it"
    yield from (f"{target} cannot take it: {why}" for why in way.refused)
    yield from _too_large(way, reading, target)
    if way.devices:
        yield f"it is tied to hardware of {here}: {', '.join(way.devices)}"
    yield from (f"the CD {image} is on {here} only; take it out" for image in way.images)
    if reading.status == "running":
        yield from (_of_machine if reading.kind == "vm" else _of_container)(way, here, params)


def _too_large(way: migration.Way, reading: GuestReading, target: str) -> Iterator[str]:
    """A node starts no machine with more cores than its own, and what runs needs its memory there at once."""
    if reading.kind == "vm" and way.cores is not None and way.cores < reading.cores:
        yield f"{target} has {way.cores} cores, and runs no machine with {reading.cores}"
    if reading.status == "running" and way.free_bytes is not None and way.free_bytes < reading.memory_bytes:
        free, needed = round(way.free_bytes / GIB, 1), round(reading.memory_bytes / GIB, 1)
        yield f"{target} has {free:g} GiB of memory free, and it needs {needed:g}"


def _of_machine(way: migration.Way, here: str, params: dict[str, Any]) -> Iterator[str]:
    """What keeps a machine that runs."""
    if not params["online"]:
        yield "it runs; move it online, or stop it first"
    if way.disks and not params["local_disks"]:
        yield f"only {here} sees {', '.join(way.disks)}; allow local disks to be taken along"


def _of_container(way: migration.Way, here: str, params: dict[str, Any]) -> Iterator[str]:
    """What keeps a container that runs."""
    if not params["restart"]:
        yield f"it runs on {here}, and a container is stopped for a move; allow a restart, or stop it first"
