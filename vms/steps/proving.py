"""Seeing whether a guest that was brought back from a backup is what was backed up."""

from typing import Any

from alma.jobs.kinds import StepFailed
from alma.jobs.models import Step
from vms.models import GuestClaim
from vms.proxmox import guests
from vms.proxmox.readings import GuestReading
from vms.proxmox.values import GIB, MIB
from vms.steps.base import GuestStep
from vms.steps.unpack import archived
from vms.steps.work import Work


class CheckRestored(GuestStep):
    """Compare the running guest with the configuration in the archive; what was found is kept, whether it is good or not.

    Parameters beside the common ones: `archive_storage`, `volume`, `source` (the ledger row whose machine the backup holds).
    """

    deadline = 300.0

    def turn(self, work: Work) -> None:
        """Succeed when all is as it was. Raises StepFailed that names what is not."""
        claim = work.own_claim()
        reading = work.ours(claim)
        source = GuestClaim.objects.get(pk=work.params["source"])
        config = archived(work, source, node=reading.node)
        was = guests.interpret(config.options, vmid=reading.vmid, kind=reading.kind, node=reading.node, status="")
        checks = [*compare(was, reading), *self._asked(work)]
        bad = [one["what"] for one in checks if not one["is_good"]]
        if bad:
            work.context.record(checks=checks)
            raise StepFailed("RESTORE_DIFFERS", f"What came back is not what was backed up: {', '.join(bad)}.")
        work.succeed(claim, reading, checks=checks)

    @staticmethod
    def _asked(work: Work) -> list[dict[str, Any]]:
        """What the step before has heard from the guest itself."""
        told = work.context.job.steps.filter(kind="guest.await", state__in=Step.DONE).values_list("evidence", flat=True)
        evidence: dict[str, Any] = next(iter(told), {})
        who = evidence.get("answered")
        found = f"{who} answered" if who else f"not asked: {evidence.get('unasked') or 'nobody to ask'}"
        return [_check("system", "it is up", found, is_good=True)]


def compare(was: GuestReading, now: GuestReading) -> list[dict[str, Any]]:
    """Whether it runs, and has the cores, the memory and the disks that it had."""
    disks = [
        _check(f"disk {name}", _gib(size), _gib(now.disks[name]) if name in now.disks else "not there", is_good=now.disks.get(name) == size)
        for name, size in sorted(was.disks.items())
    ]  # fmt: skip
    return [
        _check("power", "running", now.status, is_good=now.status == "running"),
        _check("cores", str(was.cores), str(now.cores), is_good=was.cores == now.cores),
        _check("memory", _mib(was), _mib(now), is_good=was.memory_bytes == now.memory_bytes),
        *disks,
    ]


def _check(what: str, expected: str, found: str, *, is_good: bool) -> dict[str, Any]:
    return {"what": what, "expected": expected, "found": found[:200], "is_good": is_good}


def _mib(reading: GuestReading) -> str:
    return f"{reading.memory_bytes // MIB} MiB"


def _gib(size: int) -> str:
    return f"{size / GIB:g} GiB"
