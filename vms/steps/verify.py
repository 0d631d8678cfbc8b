"""Reading back: no step before this one is believed."""

from collections.abc import Iterator
from typing import Any

from alma.jobs.kinds import StepFailed
from vms.proxmox import guests
from vms.proxmox.readings import GuestReading
from vms.proxmox.values import mib
from vms.steps import fittings
from vms.steps.base import GuestStep
from vms.steps.work import Work


class VerifyGuest(GuestStep):
    """See that the guest is what the plan says, in effect and not only in its config.

    Parameters beside the common ones, each checked when given: `cores`, `memory_bytes`, `disk_bytes`, `volumes`, `cards`,
    `status`, `encrypted`.
    """

    deadline = 60.0

    def turn(self, work: Work) -> None:
        """Succeed when nothing differs. Raises StepFailed that names each difference."""
        claim = work.own_claim()
        reading = work.ours(claim)
        pending = guests.read_pending(work.api, reading) if reading.status == "running" else ()
        found = [*differences(reading, work.params)]
        found += _plain_disks(reading, work) if work.params.get("encrypted") else ()
        told = {"cores", "memory"} | fittings.slots(work.params)
        found += [f"{name} takes effect at the next start only" for name in pending if name in told]
        if found:
            raise StepFailed("VERIFY_MISMATCH", f"VMID {claim.vmid} is not as planned: {'; '.join(found)}.")
        work.succeed(claim, reading)


def _plain_disks(reading: GuestReading, work: Work) -> Iterator[str]:
    """Disks that do not lie on a storage that encrypts, in words."""
    for disk in sorted(reading.disks):
        storage = str(reading.config[disk]).partition(":")[0]
        if not work.cluster.encrypts(storage):
            yield f"its disk {disk} lies on {storage}, which is not known to encrypt"


def differences(reading: GuestReading, params: dict[str, Any]) -> Iterator[str]:
    """What is not as the plan says, in words."""
    if params.get("status") and reading.status != params["status"]:
        yield f"it is {reading.status}, not {params['status']}"
    if params.get("cores") and reading.cores != params["cores"]:
        yield f"it has {reading.cores} cores, not {params['cores']}"
    if params.get("memory_bytes") and mib(reading.memory_bytes) != mib(params["memory_bytes"]):
        yield f"it has {mib(reading.memory_bytes)} MiB of memory, not {mib(params['memory_bytes'])}"
    yield from fittings.differences(reading, params)
