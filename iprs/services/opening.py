"""Opening an IPR, planning it anew, taking it back."""

import time
from threading import BoundedSemaphore
from typing import Any, TypedDict, Unpack

from django.conf import settings
from django.db import transaction

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.errors import Invalid, WrongState
from alma.jobs.services import StepSpec, create_job
from blueprints.models import Blueprint
from blueprints.schema import check_title
from blueprints.services import hold
from iprs.identity import claimed_author, identity_of
from iprs.models import IPR, Deployment, Plan
from iprs.operating import claim_of, let_go
from iprs.rights import check_open, check_reopen, check_replan, check_withdraw
from vms.lanes import cluster_for
from vms.models import Cluster

LOOK_AGAIN = 0.04
_waiters = BoundedSemaphore(max(1, settings.ALMA_WEB_THREADS * 3 // 4))
"""Threads of the web role that may wait for a plan at a time; a quarter stays free, whatever a cluster does, and who
comes too late is answered at once that the plan is being computed."""


class Besides(TypedDict, total=False):
    """What may be said of a proposal beside its title. `claimed` is the name that the caller gives; it is shown, and used for
    nothing, when there is no key to know them by."""

    changes_summary: dict[str, Any] | None
    claimed: str
    safety_snapshots: bool


@transaction.atomic
def open_ipr(
    blueprint: Blueprint,
    *,
    by: Actor,
    title: str,
    description: str = "",
    environment: Environment | None = None,
    **besides: Unpack[Besides],
) -> IPR:
    """Propose a blueprint's latest revision for an environment and queue its planning. Raises Refused, Invalid, NotFound."""
    check_open(by=by)
    _check_title(title)
    place = environment or Environment.objects.visible_to(by).first()
    if place is None or place.organization_id != blueprint.organization_id:
        raise Invalid("Your organization has no such environment.", details={"field": "environment"})
    author = identity_of(by)
    blueprint = hold(blueprint, by=by)  # nobody deletes it in between
    ipr = IPR.objects.create(
        organization_id=blueprint.organization_id, environment=place, blueprint=blueprint, title=title,
        description=description, changes_summary=besides.get("changes_summary") or {}, author=author.user,
        author_identity=author.name, created_by=author.label,
        claimed_author=claimed_author(by, besides.get("claimed", "")),
        has_safety_snapshots=besides.get("safety_snapshots", False),
    )  # fmt: skip
    ipr.tell("ipr.opened", by=by.label, environment=place.slug, blueprint=blueprint.pk)
    plan_anew(ipr, by=by)
    return ipr


def _check_title(title: str) -> None:
    """What people decide by must be what is there: no text that hides or turns around. Raises Invalid."""
    try:
        check_title(title)
    except ValueError as error:
        raise Invalid(f"title: it {error}.", details=[{"field": "title", "message": str(error)}]) from error


def plan_anew(ipr: IPR, *, by: Actor) -> Plan:
    """Freeze the blueprint's latest revision, or take the operation as it was asked for, and queue the computation."""
    last = ipr.plans.order_by("-number").values_list("number", flat=True).first()
    plan = Plan.objects.create(
        organization_id=ipr.organization_id, ipr=ipr, number=(last or 0) + 1,
        revision=ipr.blueprint.current_revision() if ipr.blueprint else None, cluster=_cluster(ipr, by=by),
    )  # fmt: skip
    ipr.current_plan = plan
    ipr.save(update_fields=["current_plan", "updated_at"])
    create_job(
        "plan", [StepSpec("plan.compute", "plan", "Read the cluster and compute the plan", params={"plan": plan.pk})],
        organization_id=ipr.organization_id, title=f"Plan #{ipr.pk}", params={"ipr": ipr.pk},
        exclusive_key=f"plan:{plan.pk}", by=by.label,
    )  # fmt: skip
    return plan


def _cluster(ipr: IPR, *, by: Actor) -> Cluster | None:
    """Where a plan is for: that of the machine of an operation, else the one that this actor's work goes to."""
    if ipr.operation is not None:
        return claim_of(ipr.operation).cluster
    return cluster_for(ipr.organization_id, by=by)


@transaction.atomic
def replan(ipr: IPR, *, by: Actor, safety_snapshots: bool | None = None) -> Plan:
    """Compute the plan again, from the blueprint's latest revision, or the operation, and the cluster as it is now; from now on
    with safety snapshots or without, if that is said.

    Approvals stay with the plan that they named: they count again only when the new plan is the same to the letter.
    Raises Refused, WrongState."""
    row = _locked(ipr)
    check_replan(row, by=by)
    if safety_snapshots and row.operation_id is not None:
        raise WrongState("An operation is carried out as it was asked for; take a snapshot before it.")
    if safety_snapshots is not None:
        row.has_safety_snapshots = safety_snapshots
        row.save(update_fields=["has_safety_snapshots", "updated_at"])
    if row.status != IPR.Status.PENDING:
        row.move(IPR.Status.PENDING, by=by.label, reason="planned again")
    plan = plan_anew(row, by=by)
    row.tell("ipr.revised", by=by.label, plan=plan.number, revision=plan.revision_number)
    return plan


@transaction.atomic
def withdraw(ipr: IPR, *, by: Actor) -> None:
    """Take an IPR back before anything was done. Raises Refused, WrongState."""
    row = _locked(ipr)
    check_withdraw(row, by=by)
    row.move(IPR.Status.CANCELLED, by=by.label)
    let_go(row, by=by.label)


@transaction.atomic
def reopen(ipr: IPR, *, by: Actor) -> None:
    """Bring a rejected or withdrawn IPR back, with a new plan. Raises Refused, WrongState."""
    row = _locked(ipr)
    check_reopen(row, by=by)
    row.move(IPR.Status.PENDING, by=by.label, reason="opened again")
    plan_anew(row, by=by)


def _locked(ipr: IPR) -> IPR:
    if Deployment.objects.running().filter(ipr=ipr, is_dry_run=False).exists():
        raise WrongState("A deployment of this IPR is running.", code="ALREADY_RUNNING")
    rows = IPR.objects.select_for_update(of=("self",)).select_related("blueprint", "environment", "operation")
    return rows.get(pk=ipr.pk)


def wait_for_plan(ipr: IPR, seconds: float) -> IPR:
    """The IPR as it is once its plan is computed, or when the time is up; for callers that act on the answer at once."""
    if _waiters.acquire(blocking=False):
        try:
            _wait(ipr, time.monotonic() + seconds)
        finally:
            _waiters.release()
    return IPR.objects.for_page().get(pk=ipr.pk)


def _wait(ipr: IPR, deadline: float) -> None:
    while time.monotonic() < deadline:
        if not Plan.objects.filter(ipr_id=ipr.pk, status=Plan.Status.PLANNING).exists():
            return
        time.sleep(LOOK_AGAIN)


def uses_of_blueprint(blueprint: Blueprint) -> list[str]:
    """Why a blueprint cannot be deleted: what is proposed, running or deployed from it."""
    open_states = [*IPR.REVIEWABLE, IPR.Status.DEPLOYING, IPR.Status.FAILED]
    numbers = blueprint.iprs.filter(status__in=open_states).order_by("pk").values_list("pk", flat=True)[:5]
    return [f"IPR #{number} is open" for number in numbers]
