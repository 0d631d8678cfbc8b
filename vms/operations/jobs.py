"""Beginning a job about one machine."""

from collections.abc import Sequence
from typing import Any

from alma.accounts.actors import Actor
from alma.errors import WrongState
from alma.jobs.models import Job
from alma.jobs.services import StepSpec, create_job
from vms.machines import public_id
from vms.models import Guest, GuestClaim
from vms.operations.rights import key_of, refuse_busy
from vms.specs import GuestRef

TITLES = {
    "create": "Create", "start": "Start", "stop": "Stop", "restart": "Restart", "update": "Change", "delete": "Delete",
    "snapshot": "Take a snapshot of", "restore": "Go back to a snapshot of", "unsnapshot": "Delete a snapshot of", "migrate": "Move", "clone": "Make the copy",
}  # fmt: skip
"""What a job about a machine is called, by its verb; the machine's name follows."""


def ref_of(guest: Guest, claim: GuestClaim) -> GuestRef:
    """The machine as steps name it."""
    return GuestRef(
        cluster=claim.cluster_id, owner=claim.owner, key=claim.key, node=guest.node or claim.node, kind=guest.kind,
        name=guest.name,
    )  # fmt: skip


def step(kind: str, guest: Guest, claim: GuestClaim, title: str, level: int = 0, **params: Any) -> StepSpec:
    """A step about a machine; `title` says what is done to it."""
    values = ref_of(guest, claim).params() | params
    return StepSpec(kind, claim.key, f"{title} {guest.name or claim.key}", level, 2, values)


def begin(
    kind: str, guest: Guest, claim: GuestClaim, steps: Sequence[StepSpec], *, by: Actor, verb: str, **params: Any
) -> Job:  # fmt: skip
    """Write the job of an operation. `verb` is for its id and its title; its parameters say as what the machine is shown
    until it ends: `status`. Raises WrongState."""
    try:
        return create_job(
            kind, steps, organization_id=claim.organization_id, exclusive_key=key_of(claim), by=by.label,
            title=f"{TITLES[verb]} {guest.name or claim.key}",
            params={"guest": guest.pk, "vm": public_id(guest), "vmid": claim.vmid, "verb": verb, **params},
        )  # fmt: skip
    except WrongState:
        refuse_busy(claim)
        raise
