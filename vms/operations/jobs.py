"""Beginning a job about one machine."""

from collections.abc import Sequence
from typing import Any

from alma.accounts.actors import Actor
from alma.errors import WrongState
from alma.jobs.models import Job
from alma.jobs.services import StepSpec
from vms.machines import public_id
from vms.models import Guest, GuestClaim
from vms.operations.proposing import Wish, propose
from vms.operations.rights import gated_by, refuse_busy
from vms.specs import GuestRef

TITLES = {
    "create": "Create", "start": "Start", "stop": "Stop", "restart": "Restart", "update": "Change", "delete": "Delete",
    "snapshot": "Take a snapshot of", "restore": "Go back to a snapshot of", "unsnapshot": "Delete a snapshot of", "migrate": "Move", "fix": "Mend", "clone": "Make the copy",
    "bring_back": "Put back to a backup:", "unpack": "Restore from a backup:",
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
    """Write the job of an operation; in a protected environment one that waits until people have agreed to these steps.

    `verb` is for its id and its title; its parameters say as what the machine is shown until it ends: `status`. Raises
    WrongState."""
    wish = wish_of(kind, guest, claim, steps, verb=verb, **params)
    environment = gated_by(claim)
    if environment is not None:
        return propose(wish, environment, by=by)
    try:
        return wish.begin(by=by)
    except WrongState:
        refuse_busy(claim)
        raise


def wish_of(
    kind: str, guest: Guest, claim: GuestClaim, steps: Sequence[StepSpec], *, verb: str, **params: Any
) -> Wish:  # fmt: skip
    """The job that an operation becomes, before it is written."""
    values = {
        "guest": guest.pk,
        "vm": public_id(guest),
        "vmid": claim.vmid,
        "claim": str(claim.pk),
        "verb": verb,
        **params,
    }
    return Wish(
        kind=kind, claim=claim, title=f"{TITLES[verb]} {guest.name or claim.key}", steps=tuple(steps), params=values
    )
