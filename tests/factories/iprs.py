"""IPRs, plans, reviews and deployments for tests, as rows: nothing is queued and no cluster is asked."""

import hashlib
from itertools import count
from typing import Any

from django.utils import timezone

from alma.accounts.actors import Actor
from alma.jobs.models import Job, Step
from blueprints.models import Blueprint
from iprs.identity import identity_of
from iprs.models import IPR, Deployment, Plan, PlanItem, Review
from tests.factories.accounts import make_actor, make_environment, make_organization
from tests.factories.blueprints import make_blueprint

GIB = 1024**3
_numbers = count(1)


def make_ipr(*, by: Actor | None = None, plan: bool = True, **overrides: Any) -> IPR:
    """A pending IPR with a plan that creates one guest, by its own author; `plan=False` leaves it without one."""
    author = by or make_actor()
    identity = identity_of(author)
    environment = overrides.pop("environment", None) or _environment(author)
    values = {
        "organization_id": author.organization_id,
        "environment": environment,
        "blueprint": overrides.pop("blueprint", None) or make_blueprint(by=author),
        "title": f"Add cache {next(_numbers)}",
        "description": "More speed for the shop.",
        "author": author.user,
        "author_identity": identity.name,
        "created_by": identity.label,
        **overrides,
    }
    ipr = IPR.objects.create(**values)
    ipr.tell("ipr.opened", by=identity.label, environment=environment.slug, blueprint=ipr.blueprint_id)
    if plan:
        make_plan(ipr)
    return ipr


def _environment(author: Actor) -> Any:
    organization = make_organization() if author.organization_id is None else None
    rows = (organization or author.user.memberships.get().organization) if author.user else make_organization()
    found = rows.environments.filter(slug="production").first()
    return found or make_environment("production", organization=rows, required_approvals=1)


def item(key: str = "cache-1", action: str = "create", **overrides: Any) -> dict[str, Any]:
    """The fields of one plan item, as the planner would write them."""
    return {
        "action": action,
        "key": key,
        "kind": "vm",
        "node": "pve1",
        "vmid": None if action == "create" else 5001,
        "changes": _changes(action),
        "needs_restart": False,
        "reasons": ["On pve1, the least full node that keeps machines of one role apart."],
        "depends_on": [],
        "facts": {f"guest/{key}": "absent", "node/pve1": "online"},
        "steps": [
            {"kind": f"guest.{verb}", "key": key, "title": f"{verb.title()} VM {key}", "level": 10 + number, "weight": 2,
             "params": {}}
            for number, verb in enumerate(("create", "configure", "start", "verify"))
        ],
        **overrides,
    }  # fmt: skip


def _changes(action: str) -> list[dict[str, Any]]:
    if action == "delete":
        return [_change("disk", 40 * GIB, None, "not in the blueprint")]
    if action == "update":
        return [_change("memory", 4 * GIB, 8 * GIB, "specs.memory")]
    return [
        _change("image", None, "debian-12", "default"),
        _change("cores", None, 2, "specs.cpu"),
        _change("memory", None, 4 * GIB, "specs.memory"),
        _change("disk", None, 20 * GIB, "specs.disk"),
        _change("storage", None, "local-lvm", "placement"),
    ]


def _change(field: str, before: Any, after: Any, cause: str) -> dict[str, Any]:
    return {"field": field, "before": before, "after": after, "cause": cause}


def make_plan(ipr: IPR, *rows: dict[str, Any], **overrides: Any) -> Plan:
    """A computed plan that becomes the IPR's current one; without rows it creates one guest."""
    items = list(rows or [item()])
    summary: dict[str, int] = {}
    for row in items:
        summary[row["action"]] = summary.get(row["action"], 0) + 1
    number = ipr.plans.count() + 1
    values = {
        "organization_id": ipr.organization_id,
        "ipr": ipr,
        "number": number,
        "revision": ipr.blueprint.current_revision(),
        "status": Plan.Status.READY,
        "digest": hashlib.sha256(f"{ipr.pk} {number} {items}".encode()).hexdigest(),
        "summary": summary,
        "seconds": 40,
        "computed_at": timezone.now(),
        **overrides,
    }
    plan = Plan.objects.create(**values)
    for ordinal, row in enumerate(items, start=1):
        make_item(plan, ordinal=ordinal, **row)
    ipr.current_plan = plan
    ipr.save(update_fields=["current_plan"])
    return plan


def make_item(plan: Plan, **overrides: Any) -> PlanItem:
    """An item of a plan."""
    values = {**item(), "ordinal": plan.items.count() + 1, **overrides}
    digest = hashlib.sha256(str(values).encode()).hexdigest()
    return PlanItem.objects.create(plan=plan, digest=digest, **values)


def make_review(ipr: IPR, action: str = "approve", *, by: Actor | None = None, **overrides: Any) -> Review:
    """What somebody said of the current plan; the IPR's status stays as it is."""
    identity = identity_of(by or make_actor("reviewer"))
    plan = ipr.current_plan
    values = {
        "plan": plan,
        "plan_digest": plan.digest if plan else "",
        "comments": "" if action == "approve" else "Please look again.",
        "reviewer": identity.label,
        "identity": identity.name,
        "user": identity.user,
        "is_verified": identity.is_verified,
        **overrides,
    }
    return Review.objects.create(organization_id=ipr.organization_id, ipr=ipr, action=action, **values)


def make_deployment(ipr: IPR, status: str = Deployment.Status.IN_PROGRESS, **overrides: Any) -> Deployment:
    """A run of the current plan with the journal of its steps, all of them pending."""
    plan = overrides.pop("plan", None) or ipr.current_plan
    public_id = f"deploy-{next(_numbers):06d}"
    states = {"queued": "queued", "completed": "completed", "failed": "failed", "cancelled": "cancelled"}
    ended = timezone.now() if status in {"completed", "failed", "cancelled"} else None
    job = Job.objects.create(
        organization_id=ipr.organization_id, kind="deployment", public_id=public_id, title=ipr.title,
        stream=f"deployment:{public_id}", state=states.get(status, "running"), started_at=timezone.now(),
        finished_at=ended, created_by="ana", error=overrides.pop("error", None),
    )  # fmt: skip
    steps = [{"kind": "plan.confirm", "key": "plan", "title": "Make sure that nothing has moved", "level": 0}]
    steps += [step for row in plan.items.all() for step in row.steps]
    for ordinal, step in enumerate(steps, start=1):
        Step.objects.create(job=job, ordinal=ordinal, **{"params": {}, "weight": 1, **step})
    return Deployment.objects.create(
        organization_id=ipr.organization_id, job=job, ipr=ipr, plan=plan, status=status,
        **{"created_by": "ana", **overrides},
    )  # fmt: skip


def blueprint_of(ipr: IPR) -> Blueprint:
    """The blueprint as it is now."""
    return Blueprint.objects.get(pk=ipr.blueprint_id)
