"""Who may do what now. The services ask this before they act and the pages for every button, so both say the same."""

from collections.abc import Callable

from alma.accounts.actors import Actor
from alma.errors import DomainError, WrongState
from alma.jobs.models import Job
from iprs.gates import Gate
from iprs.identity import identity_of
from iprs.models import IPR, Deployment, Plan
from vms.lanes import check_lane, is_test

PLANNABLE = frozenset(
    {
        IPR.Status.PENDING,
        IPR.Status.CHANGES_REQUESTED,
        IPR.Status.REJECTED,
        IPR.Status.FAILED,
        IPR.Status.APPROVED,
    }
)
REOPENABLE = frozenset({IPR.Status.REJECTED, IPR.Status.CANCELLED})


def _check_lane(plan: Plan | None, *, by: Actor) -> None:
    """A test key touches no plan for a real cluster, whoever made it. Raises Refused."""
    if is_test(by):
        check_lane(plan.cluster if plan else None, by=by)


def check_open(*, by: Actor) -> None:
    """Raises Refused."""
    by.require("ipr:write")


def check_edit(*, by: Actor) -> None:
    """To change the blueprint that an IPR is made from. Raises Refused."""
    by.require("blueprint:write")


def check_review(ipr: IPR, *, by: Actor) -> None:
    """Raises Refused, WrongState."""
    if not by.is_anonymous:
        by.require("ipr:review")
        _check_lane(ipr.current_plan, by=by)
    if ipr.status not in IPR.REVIEWABLE:
        raise WrongState(f"An IPR that is {ipr.get_status_display().lower()} is not open for review.")


def check_replan(ipr: IPR, *, by: Actor) -> None:
    """Raises Refused, WrongState."""
    by.require("ipr:write")
    _check_lane(ipr.current_plan, by=by)
    if ipr.status not in PLANNABLE:
        raise WrongState(f"An IPR that is {ipr.get_status_display().lower()} cannot be planned again.")
    _check_awaited(ipr)


def _check_awaited(ipr: IPR) -> None:
    """An operation is proposed once: when its job has begun or ended, it is asked for anew. Raises WrongState."""
    job = ipr.operation
    if job is not None and job.state != Job.State.WAITING:
        raise WrongState(f"{job.public_id}, which waited for this, does so no more; ask for the operation anew.")


def check_withdraw(ipr: IPR, *, by: Actor) -> None:
    """Raises Refused, WrongState."""
    by.require("ipr:write")
    _check_lane(ipr.current_plan, by=by)
    if IPR.Status.CANCELLED not in IPR.MOVES[IPR.Status(ipr.status)]:
        raise WrongState(f"An IPR that is {ipr.get_status_display().lower()} cannot be withdrawn.")


def check_reopen(ipr: IPR, *, by: Actor) -> None:
    """Raises Refused, WrongState."""
    by.require("ipr:write")
    _check_lane(ipr.current_plan, by=by)
    if ipr.status not in REOPENABLE:
        raise WrongState("Only a rejected or withdrawn IPR can be opened again.")
    _check_awaited(ipr)


def check_deploy(ipr: IPR, unmet: list[Gate], *, by: Actor) -> None:
    """Raises Refused, and WrongState with the list of what is missing."""
    by.require("ipr:deploy")
    _check_lane(ipr.current_plan, by=by)
    if unmet:
        raise not_approved(unmet)
    if ipr.status != IPR.Status.APPROVED:
        raise _wrong_status(ipr)


def check_dry_run(ipr: IPR, *, by: Actor) -> None:
    """Raises Refused, and WrongState while there is no plan."""
    by.require("ipr:deploy")
    _check_lane(ipr.current_plan, by=by)
    plan = ipr.current_plan
    if plan is None or not plan.digest:
        is_planning = plan is not None and plan.status == Plan.Status.PLANNING
        message = "The plan is being computed." if is_planning else "There is no plan to try."
        raise not_approved([Gate("PLAN_READY", "Plan computed", False, message)])


def check_cancel(deployment: Deployment, *, by: Actor) -> None:
    """Raises Refused, WrongState."""
    by.require("ipr:deploy")
    _check_lane(deployment.plan, by=by)
    if not deployment.is_active or deployment.status == Deployment.Status.CANCELLING:
        raise WrongState("This run has ended or is being cancelled already.", code="NOT_RUNNING")


def check_force_cancel(deployment: Deployment, *, by: Actor) -> None:
    """Raises Refused, and WrongState unless an ordinary cancel was asked for and has not come to its end."""
    by.require("ipr:deploy")
    _check_lane(deployment.plan, by=by)
    if not deployment.is_active:
        raise WrongState("This run has ended already.", code="NOT_RUNNING")
    if deployment.status != Deployment.Status.CANCELLING:
        raise WrongState("Ask for an ordinary cancel first; force is for one that does not end.", code="CANCEL_FIRST")


def check_rollback(deployment: Deployment, *, by: Actor) -> None:
    """Raises Refused, WrongState."""
    by.require("ipr:deploy")
    _check_lane(deployment.plan, by=by)
    if deployment.is_dry_run:
        raise WrongState("A dry run touched nothing; there is nothing to roll back.")
    if deployment.ipr.operation_id is not None:
        raise WrongState("An operation on one machine is not rolled back; ask for the one that undoes it.")
    if Deployment.Status.ROLLING_BACK not in Deployment.MOVES[Deployment.Status(deployment.status)]:
        raise WrongState(f"A deployment that is {deployment.get_status_display().lower()} cannot be rolled back.")
    ipr = deployment.ipr
    later = Deployment.objects.filter(
        ipr__environment=ipr.environment_id, ipr__blueprint=ipr.blueprint_id, is_dry_run=False, pk__gt=deployment.pk
    )
    if later.exists():
        raise WrongState("A later deployment took these guests over; roll that one back.", code="NOT_THE_LATEST")


def check_retry(deployment: Deployment, ipr: IPR, unmet: list[Gate], *, by: Actor) -> None:
    """Raises Refused, WrongState."""
    by.require("ipr:deploy")
    _check_lane(deployment.plan, by=by)
    if Deployment.Status.QUEUED not in Deployment.MOVES[Deployment.Status(deployment.status)]:
        raise WrongState(f"A deployment that is {deployment.get_status_display().lower()} cannot be taken up again.")
    if deployment.is_dry_run:
        return
    if ipr.current_plan_id != deployment.plan_id:
        raise WrongState("The IPR has a newer plan; deploy that one.", code="PLAN_CHANGED")
    if unmet:
        raise not_approved(unmet)


def not_approved(unmet: list[Gate]) -> WrongState:
    """The refusal that lists what is missing."""
    rows = [{"code": gate.code, "title": gate.title, "message": gate.message} for gate in unmet]
    reasons = " ".join(gate.message for gate in unmet)
    return WrongState(f"This IPR may not run yet. {reasons}", code="IPR_NOT_APPROVED", details={"missing": rows})


def _wrong_status(ipr: IPR) -> WrongState:
    return WrongState(
        f"An IPR that is {ipr.get_status_display().lower()} cannot be deployed.",
        code="IPR_NOT_APPROVED",
        details={"missing": [{"code": "STATUS", "title": "Status", "message": f"It is {ipr.status}."}]},
    )


def is_author(ipr: IPR, actor: Actor) -> bool:
    """Whether the actor's approval would be the author's own, which no rule counts."""
    return identity_of(actor).name == ipr.author_identity


def refusal(check: Callable[[], None]) -> str:
    """Why something may not be done now, or nothing when it may: `refusal(lambda: check_review(ipr, by=actor))`."""
    try:
        check()
    except DomainError as error:
        return error.message
    return ""
