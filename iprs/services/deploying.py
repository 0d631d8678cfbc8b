"""Starting, stopping and repeating deployments."""

from typing import Any

from django.db import transaction

from alma.accounts.actors import Actor
from alma.errors import Invalid, WrongState
from alma.jobs import services as jobs
from alma.jobs.models import Job
from alma.jobs.services import StepSpec, create_job
from blueprints.models import Blueprint
from blueprints.services import hold
from iprs.budgets import check_budget
from iprs.carrying import carrying
from iprs.gates import missing
from iprs.locks import naming_the_holder
from iprs.models import IPR, Deployment, Plan
from iprs.rights import check_cancel, check_deploy, check_dry_run, check_force_cancel, check_retry
from iprs.services.opening import open_ipr, wait_for_plan

ENGINES = ("proxmox",)
DONE = (IPR.Status.DEPLOYING, IPR.Status.DEPLOYED)


def check_engine(engine: str) -> None:
    """Raises Invalid for an engine that does not exist here."""
    if engine not in ENGINES:
        raise Invalid(f"There is no engine {engine[:40]!r}; use proxmox.", details={"field": "engine"})


def deploy(ipr: IPR, *, by: Actor, engine: str = "proxmox", plan_digest: str = "") -> Deployment:
    """Start the approved plan; asking again while it runs or after it is done returns the same deployment.

    Raises Refused, Invalid, and WrongState with the list of what is missing."""
    by.require("ipr:deploy")
    check_engine(engine)
    with transaction.atomic():
        row = _locked(ipr)
        running = _last_real(row)
        if running is not None and row.status in DONE:
            return running
        if plan_digest and (row.current_plan is None or row.current_plan.digest != plan_digest):
            raise WrongState("The plan has changed since you read it; read it again.", code="PLAN_CHANGED")
        if row.status == IPR.Status.FAILED and running is not None and running.plan_id == row.current_plan_id:
            return _retry(running, row, by=by)
        return _start(row, by=by, engine=engine)


def _locked(ipr: IPR) -> IPR:
    rows = IPR.objects.select_for_update(of=("self",)).select_related(
        "environment", "blueprint", "operation", "current_plan__revision"
    )
    return rows.get(pk=ipr.pk)


def _last_real(ipr: IPR) -> Deployment | None:
    return ipr.deployments.filter(is_dry_run=False).select_related("job", "plan").first()


def _start(ipr: IPR, *, by: Actor, engine: str) -> Deployment:
    check_deploy(ipr, missing(ipr), by=by)
    plan = ipr.current_plan
    assert plan is not None
    check_budget(ipr, plan)
    with naming_the_holder(ipr):
        deployment = _create(plan, list(_real_steps(plan)), by=by, engine=engine, exclusive=ipr.lock_key)
    ipr.move(IPR.Status.DEPLOYING, by=by.label, deployment=deployment.job.public_id)
    return deployment


def _confirm(plan: Plan, *, is_dry_run: bool) -> StepSpec:
    params = {"plan": plan.pk, "digest": plan.digest, "dry_run": is_dry_run}
    return StepSpec("plan.confirm", "", "Make sure that nothing has moved since the approval", params=params)


def _real_steps(plan: Plan) -> list[StepSpec]:
    """Those of the plan; the steps of an operation are run by the job that waits for them."""
    confirm, job = _confirm(plan, is_dry_run=False), plan.ipr.operation
    if job is not None:
        return [confirm, carrying(plan, job)]
    return [confirm, *(StepSpec(**step) for item in plan.items.all() for step in item.steps)]


def _create(plan: Plan, steps: list[StepSpec], *, by: Actor, engine: str, exclusive: str = "") -> Deployment:
    """The job and the deployment in one transaction; the job wakes when it is committed."""
    ipr = plan.ipr
    job = create_job(
        "deployment", steps, organization_id=ipr.organization_id, title=ipr.title, exclusive_key=exclusive, by=by.label,
        params={"ipr": ipr.pk, "ipr_url": ipr.get_absolute_url()},
    )  # fmt: skip
    return Deployment.objects.create(
        organization_id=ipr.organization_id, job=job, ipr=ipr, plan=plan, engine=engine,
        is_dry_run=not exclusive, created_by=by.label,
    )  # fmt: skip


def dry_run(ipr: IPR, *, by: Actor, engine: str = "proxmox") -> Deployment:
    """Read everything that the plan relies on, tell what would be done, and try it on a copy of the cluster.

    Changes nothing, needs no approval.

    Raises Refused, Invalid, WrongState while there is no plan."""
    check_dry_run(ipr, by=by)
    check_engine(engine)
    plan = ipr.current_plan
    assert plan is not None
    steps = [_confirm(plan, is_dry_run=True)]
    for item in plan.items.all():
        titles = [step["title"] for step in item.steps]
        steps.append(StepSpec("plan.rehearse", item.key, f"Check {item.key}", level=1, params={"steps": titles}))
    if any(item.steps for item in plan.items.all()):
        steps.append(
            StepSpec("plan.stage", "", "Try the plan on a copy of the cluster", level=2, params={"plan": plan.pk})
        )
    with transaction.atomic():
        return _create(plan, steps, by=by, engine=engine)


def deploy_blueprint(
    blueprint: Blueprint, *, by: Actor, wait: float, engine: str = "proxmox", is_dry_run: bool = False
) -> tuple[IPR, Deployment | None]:
    """Open an IPR for the latest revision, or take the one that is open for it, and follow the environment's policy.

    Returns the deployment, or None while the IPR needs people. Raises Refused, Invalid, WrongState."""
    by.require("ipr:deploy")
    check_engine(engine)
    ipr = wait_for_plan(_proposal(blueprint, by=by), wait)
    if is_dry_run:
        return ipr, dry_run(ipr, by=by, engine=engine)
    if ipr.status in {IPR.Status.PENDING, IPR.Status.CHANGES_REQUESTED} and _needs_people_only(ipr):
        return ipr, None
    return ipr, deploy(ipr, by=by, engine=engine)


@transaction.atomic
def _proposal(blueprint: Blueprint, *, by: Actor) -> IPR:
    """The IPR for the latest revision. The blueprint is held, so that two callers at once get the same one."""
    row = hold(blueprint, by=by)
    return _open_for(row, by=by) or open_ipr(
        row, by=by, title=f"Deploy {row.name}"[:200], description="Opened by a deploy of the blueprint."
    )


def _open_for(blueprint: Blueprint, *, by: Actor) -> IPR | None:
    """The newest IPR that proposes exactly this revision in the environment that a new one would go to."""
    states = [*IPR.REVIEWABLE, *DONE, IPR.Status.FAILED]
    newest = IPR.objects.visible_to(by).filter(blueprint=blueprint, status__in=states).select_related("current_plan")
    ipr = newest.filter(environment__position=0).order_by("-pk").first()
    is_same = ipr and ipr.current_plan and ipr.current_plan.revision_number == blueprint.revision_number
    return ipr if is_same else None


def _needs_people_only(ipr: IPR) -> bool:
    return all(gate.code in {"APPROVALS", "NO_OBJECTION"} for gate in missing(ipr))


def retry_deployment(deployment: Deployment, *, by: Actor) -> Deployment:
    """Take a failed or cancelled deployment up at the step where it stopped. Raises Refused, WrongState."""
    with transaction.atomic():
        ipr = _locked(deployment.ipr)
        return _retry(deployment, ipr, by=by)


def _retry(deployment: Deployment, ipr: IPR, *, by: Actor) -> Deployment:
    check_retry(deployment, ipr, [] if deployment.is_dry_run else missing(ipr), by=by)
    deployment.move(Deployment.Status.QUEUED)
    deployment.leftovers = []  # they belong to the run again
    deployment.save(update_fields=["leftovers"])
    with naming_the_holder(ipr):
        jobs.retry(deployment.job, by=by.label)
    if not deployment.is_dry_run:
        ipr.move(IPR.Status.DEPLOYING, by=by.label, deployment=deployment.job.public_id, retry=True)
    return deployment


@transaction.atomic
def cancel_deployment(deployment: Deployment, *, by: Actor) -> None:
    """Let what is in flight finish and begin nothing new. Raises Refused, WrongState."""
    job = Job.objects.select_for_update().get(pk=deployment.job_id)
    row = Deployment.objects.get(pk=deployment.pk)
    check_cancel(row, by=by)
    jobs.cancel(job, by=by.label)
    row.move(Deployment.Status.CANCELLING)


@transaction.atomic
def force_cancel_deployment(deployment: Deployment, *, by: Actor) -> None:
    """End a run whose cancel was asked for without waiting for what is in flight. Raises Refused, WrongState."""
    job = Job.objects.select_for_update().get(pk=deployment.job_id)
    check_force_cancel(Deployment.objects.select_related("plan").get(pk=deployment.pk), by=by)
    jobs.force_cancel(job, by=by.label)
    operation = deployment.ipr.operation
    if operation is not None and operation.is_active:
        jobs.end_by_force(operation, by=by.label)


def response(deployment: Deployment) -> dict[str, Any]:
    """What `POST …/deploy` answers: the documented status is in_progress, whatever the queue says."""
    status = deployment.status
    return {
        "deployment_id": deployment.job.public_id,
        "status": "in_progress" if deployment.is_active else status,
        "phase": status,
        "estimated_duration": words(deployment.plan.seconds),
        "dry_run": deployment.is_dry_run,
        "ipr_id": deployment.ipr_id,
    }


def words(seconds: int) -> str:
    """A duration as people say it: `45 seconds`, `15 minutes`."""
    if seconds < 60:
        return f"{max(1, seconds)} second{'' if seconds == 1 else 's'}"
    minutes = round(seconds / 60)
    return f"{minutes} minute{'' if minutes == 1 else 's'}"
