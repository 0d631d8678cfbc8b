"""Snapshots of one machine: taking one, going back to one, deleting one, and the rows that show them."""

import re
from typing import Any

from alma.accounts.actors import Actor
from alma.errors import NotFound, WrongState
from alma.jobs.models import Job, Step
from vms.models import Guest, GuestClaim, GuestSnapshot
from vms.operations.jobs import begin, step
from vms.operations.kinds import MachineKind
from vms.operations.reaching import begins_work
from vms.operations.rights import held_claim
from vms.proxmox.snapshots import MOST
from vms.refusing import invalid
from vms.snapshots import SNAPSHOT_JOBS as ON_IT
from vms.snapshots import store

NAME = re.compile(r"\A[A-Za-z][A-Za-z0-9_-]{0,38}[A-Za-z0-9]\Z", re.ASCII)
_RESERVED = frozenset({"current", "pending"})


class SnapshotKind(MachineKind):
    """A job about one snapshot: at its end the rows are what was read back."""

    def show(self, job: Job) -> dict[str, Any]:
        """The rows of the snapshots, then that of the machine."""
        seen = [
            step.evidence["snapshots"] for step in job.steps.filter(state__in=Step.DONE) if "snapshots" in step.evidence
        ]
        if seen:
            store(job.params["guest"], seen[-1])
        elif job.kind == "vm_snapshot":
            GuestSnapshot.objects.filter(pk=job.params["snapshot"], taken_at=None).delete()
        return super().show(job)


def listed(guest: Guest) -> list[GuestSnapshot]:
    """As they were last read, the oldest first."""
    return list(guest.snapshots.order_by("taken_at", "pk")[:MOST])


def busy(guest: Guest) -> dict[int, str]:
    """How those are shown that a job works on, by number."""
    jobs = Job.objects.active().filter(kind__in=ON_IT, organization_id=guest.organization_id, params__guest=guest.pk)
    return {params["snapshot"]: ON_IT[kind] for kind, params in jobs.values_list("kind", "params")}


def find(guest: Guest, number: int) -> GuestSnapshot:
    """A snapshot of a machine. Raises NotFound."""
    row = guest.snapshots.filter(pk=number).first()
    if row is None:
        raise NotFound("The machine has no such snapshot.", code="SNAPSHOT_NOT_FOUND")
    return row


@begins_work
def take(
    guest: Guest, name: str, *, description: str = "", has_memory: bool = False, by: Actor
) -> tuple[GuestSnapshot, Job]:
    """Take a snapshot; to ask for the same while people decide is to have asked once. Raises Invalid for a name that Proxmox
    refuses, Refused, WrongState, Unavailable."""
    _check(guest, name, has_memory=has_memory)
    claim = held_claim(guest, by=by)
    row = _row_for(guest, name, description=description, has_memory=has_memory)
    steps = [
        step(
            "guest.snapshot",
            guest,
            claim,
            "Take a snapshot of",
            snapshot=name,
            description=description,
            memory=has_memory,
        )
    ]
    return row, _begin("vm_snapshot", guest, claim, steps, row, by=by, verb="snapshot", status="snapshotting")


def _row_for(guest: Guest, name: str, *, description: str, has_memory: bool) -> GuestSnapshot:
    """A new row, or that of the same snapshot which was asked for and is not taken yet: no job works on the machine, so it waits
    for people. Raises WrongState for a name that is used."""
    known = guest.snapshots.filter(name=name).first()
    if known is not None:
        if known.taken_at is None and (known.description, known.has_memory) == (description, has_memory):
            return known
        raise WrongState(f"{guest.name} has a snapshot {name} already.", code="SNAPSHOT_EXISTS")
    if guest.snapshots.count() >= MOST:
        raise WrongState(f"{guest.name} has {MOST} snapshots; delete some first.", code="TOO_MANY_SNAPSHOTS")
    return GuestSnapshot.objects.create(
        guest=guest, name=name, description=description, has_memory=has_memory, is_ours=True
    )


def _check(guest: Guest, name: str, *, has_memory: bool) -> None:
    if not NAME.fullmatch(name) or name in _RESERVED:
        words = (
            "2 to 40 letters, digits, hyphens and underscores, beginning with a letter, and neither current nor pending"
        )
        raise invalid("name", words, name[:100], reason="invalid_name")
    if has_memory and guest.kind == "lxc":
        words = "a container has no memory that could be kept; take the snapshot without"
        raise invalid("include_memory", words, True, reason="container_has_no_memory")


@begins_work
def restore(guest: Guest, row: GuestSnapshot, *, by: Actor) -> Job:
    """Go back to a snapshot; a machine that ran runs afterwards. Raises Refused, WrongState, Unavailable."""
    claim = held_claim(guest, by=by)
    steps = [step("guest.snapshot_restore", guest, claim, "Restore a snapshot of", snapshot=row.name)]
    if guest.status == "running":
        steps.append(step("guest.start", guest, claim, "Start", 1))
    return _begin("vm_snapshot_restore", guest, claim, steps, row, by=by, verb="restore", status="restoring")


@begins_work
def drop(guest: Guest, row: GuestSnapshot, *, by: Actor) -> Job:
    """Delete a snapshot. Raises Refused, WrongState, Unavailable."""
    claim = held_claim(guest, by=by)
    steps = [step("guest.snapshot_drop", guest, claim, "Delete a snapshot of", snapshot=row.name)]
    return _begin("vm_snapshot_deletion", guest, claim, steps, row, by=by, verb="unsnapshot", status=guest.status)


def _begin(
    kind: str, guest: Guest, claim: GuestClaim, steps: list[Any], row: GuestSnapshot, *, by: Actor, **params: str
) -> Job:  # fmt: skip
    return begin(kind, guest, claim, steps, by=by, snapshot=row.pk, snapshot_name=row.name, **params)
