"""Deleting a machine."""

from alma.accounts.actors import Actor
from alma.errors import WrongState
from alma.jobs.models import Job
from alma.jobs.services import StepSpec
from vms.backups.services import drop_step
from vms.models import Backup, BackupSchedule, Guest, GuestClaim
from vms.operations.jobs import begin, ref_of, step
from vms.operations.power import Stop
from vms.operations.reaching import begins_work
from vms.operations.rights import held_claim


@begins_work
def delete(guest: Guest, *, is_forced: bool, keeps_backups: bool, by: Actor) -> Job:
    """Stop a machine, with grace unless it is forced, delete it with its disks and snapshots, take its backup job away, and
    delete its backups if they are not to be kept; those that cannot be deleted are named.

    Raises Refused, also without the right to delete backups where that is asked, WrongState, Unavailable."""
    claim = held_claim(guest, by=by)
    if not keeps_backups:
        by.require("backup:write")
    stop = Stop(is_graceful=not is_forced).step(guest, claim)
    steps = [stop, step("guest.delete", guest, claim, "Delete", 1), *_unscheduled(guest, claim)]
    away: list[str] = []
    if not keeps_backups:
        dropped, away = _dropped(claim)
        steps += dropped
    return begin("vm_deletion", guest, claim, steps, by=by, verb="delete", status="deleting", backups_away=away)


def _dropped(claim: GuestClaim) -> tuple[list[StepSpec], list[str]]:
    """The steps that delete its backups, and the names of those that no node reaches now."""
    steps, away = [], []
    for row in Backup.objects.there().filter(claim=claim).select_related("cluster", "guest"):
        try:
            steps.append(drop_step(row, claim, 2, is_lenient=True))
        except WrongState:
            away.append(row.volume)
    return steps, away


def _unscheduled(guest: Guest, claim: GuestClaim) -> list[StepSpec]:
    """The step that takes its backup job away, if it has one."""
    if not BackupSchedule.objects.filter(claim=claim).exists():
        return []
    params = ref_of(guest, claim).params() | {"claim": str(claim.pk)}
    return [StepSpec("backup.unschedule", claim.key, f"No longer back up {guest.name or claim.key}", 2, 1, params)]
