"""Undoing what a deployment did."""

from typing import Any

from django.db import transaction

from alma.accounts.actors import Actor
from alma.errors import Invalid
from alma.jobs.services import follow_job
from iprs.locks import naming_the_holder
from iprs.models import IPR, Deployment
from iprs.rights import check_rollback
from vms.services import Undo, undo_of


def undo_body(undo: Undo) -> dict[str, Any]:
    """What a rollback would do, as plain values: guests that it removes and restores, and sentences on what is lost."""
    return {"removes": list(undo.removes), "restores": list(undo.restores), "cannot_undo": list(undo.lost)}


def rollback_body(deployment: Deployment) -> dict[str, Any] | None:
    """What a rollback of a deployment that stopped would do now, or does; None for one that is not to be undone."""
    is_undoable = Deployment.Status.ROLLING_BACK in Deployment.MOVES[Deployment.Status(deployment.status)]
    is_undoing = deployment.status == Deployment.Status.ROLLING_BACK
    is_about_plan = not deployment.is_dry_run and deployment.ipr.operation_id is None
    return undo_body(undo_of(deployment.job)) if is_about_plan and (is_undoable or is_undoing) else None


@transaction.atomic
def roll_back(deployment: Deployment, *, by: Actor, is_confirmed: bool) -> Deployment:
    """Remove the guests that a failed or cancelled deployment made and give those that it changed their settings back.

    A rollback that failed is computed anew, from what is there now. Raises Refused, WrongState, and Invalid with what would
    be done while nobody has confirmed it."""
    ipr = IPR.objects.select_for_update(of=("self",)).get(pk=deployment.ipr_id)
    row = Deployment.objects.select_related("job", "plan__cluster").get(pk=deployment.pk)
    check_rollback(row, by=by)
    undo = undo_of(row.job)
    if not is_confirmed:
        message = "Read what would be undone and what cannot be, then ask again with confirm: true."
        raise Invalid(message, code="CONFIRMATION_REQUIRED", details=undo_body(undo))
    title = f"Roll back: {ipr.title}"[:200]
    with naming_the_holder(ipr):
        job = follow_job(row.job, "rollback", undo.steps, title=title, exclusive_key=ipr.lock_key, by=by.label)
    row.rollback = job
    row.save(update_fields=["rollback"])
    row.move(Deployment.Status.ROLLING_BACK)
    return row
