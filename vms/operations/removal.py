"""Deleting a machine."""

from django.db import transaction

from alma.accounts.actors import Actor
from alma.errors import Invalid
from alma.jobs.models import Job
from vms.models import Guest
from vms.operations.jobs import begin, step
from vms.operations.power import Stop
from vms.operations.rights import held_claim


@transaction.atomic
def delete(guest: Guest, *, is_forced: bool, keeps_backups: bool, by: Actor) -> Job:
    """Stop a machine, with grace unless it is forced, and delete it with its disks and snapshots; its backups stay.

    Raises Refused, WrongState, Unavailable, and Invalid where the backups shall go as well."""
    claim = held_claim(guest, by=by)
    if not keeps_backups:
        words = "backups stay when a machine is deleted; delete them one by one, once nothing needs them"
        raise Invalid(f"keep_backups: {words}.", details=[{"field": "keep_backups", "message": words}])
    stop = Stop(is_graceful=not is_forced).step(guest, claim)
    steps = [stop, step("guest.delete", guest, claim, "Delete", 1)]
    return begin("vm_deletion", guest, claim, steps, by=by, verb="delete", status="deleting")
