"""An operation on one machine as something that people agree to: its plan, and what becomes of the job that waits for it."""

from alma.errors import NotFound, Unavailable
from alma.jobs import services as jobs
from alma.jobs.context import StepContext
from alma.jobs.kinds import StepFailed, Unknown
from alma.jobs.models import Job
from alma.jobs.services import StepSpec
from iprs.models import IPR, Plan
from iprs.planner import Draft, Item
from iprs.planner.draft import change
from iprs.planner.facts import guest_fact
from vms.models import GuestClaim
from vms.operations.effects import action_of, effects_of, warnings_of
from vms.services import OwnedGuest, owned_guest

ASKED = "asked for"
"""The cause of all that an operation changes."""
_ENDINGS = {
    IPR.Status.REJECTED: ("IPR_REJECTED", "rejected"),
    IPR.Status.CANCELLED: ("IPR_WITHDRAWN", "withdrawn"),
}
"""What the error of the waiting job says, by how its proposal ended."""


def steps_of(job: Job) -> list[StepSpec]:
    """What a job does, as it was asked for."""
    return [
        StepSpec(step.kind, step.key, step.title, step.level, step.weight, step.params)
        for step in job.steps.order_by("ordinal")
    ]


def claim_of(job: Job) -> GuestClaim:
    """The ledger row of the machine that a job is about."""
    return GuestClaim.objects.select_related("cluster").get(pk=job.params["claim"])


def operation_steps(plan: Plan) -> list[StepSpec]:
    """The steps of the operation that a plan is made from."""
    assert plan.ipr.operation is not None
    return steps_of(plan.ipr.operation)


def read_machine(plan: Plan, context: StepContext) -> OwnedGuest:
    """The machine of an operation as it is now. Raises Unknown, StepFailed."""
    assert plan.ipr.operation is not None
    claim = claim_of(plan.ipr.operation)
    try:
        return owned_guest(claim.cluster, str(claim.pk), pulse=context.renew)
    except NotFound as error:
        raise StepFailed(error.code, error.message) from error
    except Unavailable as error:
        raise Unknown(error.message) from error


def facts_of_operation(guest: OwnedGuest) -> dict[str, str]:
    """All that an operation relies on: how its machine stands."""
    return {f"guest/{guest.key}": guest_fact(guest)}


def draft_operation(steps: list[StepSpec], guest: OwnedGuest) -> Draft:
    """The plan of an operation: these steps, to the letter, and what they change on the machine as it is. Pure."""
    action, now = action_of(steps), guest.reading
    problem = _problem(guest, is_new=action == "create")
    if problem:
        return Draft((), (problem,), ())
    kinds = {step.kind for step in steps}
    item = Item(
        action, guest.key, guest.kind, guest.node, guest.vmid if now else None,
        changes=tuple(change(one.field, one.before, one.after, ASKED) for one in effects_of(steps, now)),
        needs_restart={"guest.stop", "guest.start"} <= kinds, reasons=tuple(warnings_of(steps)),
        facts=facts_of_operation(guest), steps=tuple(steps),
    )  # fmt: skip
    return Draft((item,), (), ())


def _problem(guest: OwnedGuest, *, is_new: bool) -> str:
    """Why nothing can be done to a machine as it is; empty where something can."""
    if is_new:
        is_free = guest.reading is None and guest.state == "reserved"
        return "" if is_free else f"{guest.key}: VMID {guest.vmid} is there already."
    if guest.reading is None:
        return f"{guest.key}: VMID {guest.vmid} is no longer on the cluster."
    return "" if guest.is_ours else f"{guest.key}: VMID {guest.vmid} no longer carries ALMA's mark; it is not touched."


def let_go(ipr: IPR, *, by: str, why: str = "") -> None:
    """End the job that waited for an IPR which people turned down, with their reason; in the transaction of their decision."""
    ending = _ENDINGS.get(IPR.Status(ipr.status))
    job = ipr.operation
    if ending is None or job is None or job.state != Job.State.WAITING:
        return
    code, did = ending
    reason = f": {why.strip()[:500]}" if why.strip() else "."
    jobs.dismiss(job, code=code, message=f"IPR #{ipr.pk} was {did} by {by}{reason}", by=by)
