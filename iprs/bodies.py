"""What the API answers about IPRs and deployments, as plain dictionaries."""

from typing import Any

from alma.jobs.models import Step
from iprs.gates import missing
from iprs.locks import lock_body, lock_of
from iprs.models import IPR, Deployment, Plan, PlanItem
from iprs.services.reviewing import said


def ipr_row(ipr: IPR) -> dict[str, Any]:
    """An element of the list."""
    return {
        "id": ipr.pk,
        "title": ipr.title,
        "description": ipr.description,
        "blueprint_id": ipr.blueprint_id,
        "operation": _operation(ipr),
        "status": ipr.status,
        "environment": ipr.environment.slug,
        "created_by": ipr.author_name,
        "created_by_claimed": ipr.claimed_author != "",
        "created_at": ipr.created_at,
        "updated_at": ipr.updated_at,
    }


def _operation(ipr: IPR) -> dict[str, Any] | None:
    job = ipr.operation
    return {"job_id": job.public_id, "type": job.kind, "vm_id": job.params["vm"]} if job is not None else None


def ipr_body(ipr: IPR) -> dict[str, Any]:
    """One IPR whole."""
    newest = ipr.deployments.filter(is_dry_run=False).values_list("job__public_id", flat=True).first()
    unmet = missing(ipr) if ipr.status in IPR.REVIEWABLE else []
    return {
        **ipr_row(ipr),
        "changes_summary": ipr.changes_summary,
        "safety_snapshot": ipr.has_safety_snapshots,
        "plan": plan_body(ipr.current_plan) if ipr.current_plan else None,
        "reviews": said(ipr),
        "missing": [{"code": gate.code, "title": gate.title, "message": gate.message} for gate in unmet],
        "deployment_id": newest,
        "lock": lock_body(lock_of(ipr)),
    }


def plan_body(plan: Plan) -> dict[str, Any]:
    """A plan without its items."""
    return {
        "number": plan.number,
        "status": plan.status,
        "hash": plan.digest or None,
        "blueprint_revision": plan.revision_number,
        "summary": plan.summary,
        "problems": plan.problems,
        "remarks": plan.remarks,
        "estimated_seconds": plan.seconds,
        "computed_at": plan.computed_at,
    }


def item_body(item: PlanItem) -> dict[str, Any]:
    """One plan item with every attribute and its cause."""
    return {
        "action": item.action,
        "key": item.key,
        "kind": item.kind,
        "node": item.node,
        "vmid": item.vmid,
        "changes": item.changes,
        "needs_restart": item.needs_restart,
        "reasons": item.reasons,
        "depends_on": item.depends_on,
        "steps": [step["title"] for step in item.steps],
        "hash": item.digest,
    }


def deployment_row(deployment: Deployment) -> dict[str, Any]:
    """An element of the list; the job is read with it."""
    job = deployment.job
    return {
        "deployment_id": job.public_id,
        "ipr_id": deployment.ipr_id,
        "status": deployment.status,
        "dry_run": deployment.is_dry_run,
        "engine": deployment.engine,
        "created_by": deployment.created_by,
        "created_at": deployment.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "error": job.error,
        "leftovers": deployment.leftovers,
    }


def deployment_body(deployment: Deployment) -> dict[str, Any]:
    """One deployment with its steps."""
    undoing = deployment.rollback.steps.all() if deployment.rollback else []
    return {
        **deployment_row(deployment),
        "percentage": deployment.job.progress(),
        "lock": None if deployment.is_dry_run else lock_body(lock_of(deployment.ipr)),
        "steps": [_step_body(step) for step in deployment.job.steps.all()],
        "rollback_steps": [_step_body(step) for step in undoing],
    }


def _step_body(step: Step) -> dict[str, Any]:
    return {
        **step.describe(), "attempts": step.attempts, "error": step.error, "evidence": step.evidence,
        "started_at": step.started_at, "finished_at": step.finished_at,
    }  # fmt: skip
