"""What an IPR's plan would say, without an IPR: the same planner, the same facts, nothing stored."""

from itertools import count
from typing import Any

from django.conf import settings

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.errors import NotFound
from blueprints.models import Blueprint
from blueprints.schema import BlueprintDocument
from blueprints.tools.planning import PlanChange, PlannedItem, PlannedStep, PlanResult
from blueprints.tools.rounding import counted
from iprs.models import IPR
from iprs.pages.words import rule_of
from iprs.planner import Draft, Target, draft_plan
from iprs.planning import made_from, usual_seconds
from vms.models import Cluster
from vms.services import default_cluster, owned_guests, read_cluster


def preview(
    document: BlueprintDocument, *, by: Actor, blueprint: Blueprint | None = None, environment: str | None = None
) -> PlanResult:
    """The plan of a document in an environment. Raises NotFound without an environment or a cluster, Unavailable."""
    place = environment_of(document, environment, by)
    cluster = default_cluster(place.organization_id)
    owner = IPR(environment=place, blueprint=blueprint).owner if blueprint else ""
    reading = read_cluster(cluster)
    owned = owned_guests(cluster, owner) if owner else []
    draft = draft_plan(document, reading, owned, _target(cluster, place, owner, blueprint))
    return _result(draft, cluster, place, blueprint)


def environment_of(document: BlueprintDocument, slug: str | None, by: Actor) -> Environment:
    """The one that is named, else the document's, else the first. Raises NotFound."""
    rows = Environment.objects.visible_to(by).order_by("position", "slug")
    wanted = slug or str(document.metadata.get("environment") or "")
    found = rows.filter(slug=wanted).first() if wanted else rows.first()
    if found is None and not slug:
        found = rows.first()
    if found is None:
        words = f"There is no environment {slug[:50]}." if slug else "There is no environment yet; make one first."
        raise NotFound(words, code="ENVIRONMENT_NOT_FOUND")
    return found


def _target(cluster: Cluster, place: Environment, owner: str, blueprint: Blueprint | None) -> Target:
    return Target(
        cluster_id=cluster.pk, owner=owner, tags=("alma", place.slug), default_storage=cluster.default_storage,
        default_bridge=cluster.default_bridge, pool=cluster.pool, chosen_nodes=tuple(cluster.chosen_nodes),
        chosen_storages=tuple(cluster.chosen_storages), ready_seconds=settings.ALMA_READY_SECONDS,
        made_from=made_from(blueprint.pk, place.pk) if blueprint else {},
    )  # fmt: skip


def _result(draft: Draft, cluster: Cluster, place: Environment, blueprint: Blueprint | None) -> PlanResult:
    seconds = draft.seconds(usual_seconds(cluster.pk))
    assumed = [] if blueprint else ["The document is not saved, so nothing of it exists yet: everything is created."]
    return PlanResult(
        summary=f"On {cluster.name} in {place.name}: {_told(draft, seconds)}", assumptions=assumed, feasible=not draft.problems,
        cluster=cluster.name, environment=place.slug, counts=draft.summary(), items=[_item(item) for item in draft.items],
        steps=_steps(draft), problems=list(draft.problems), remarks=list(draft.remarks), approvals=rule_of(place),
        estimated_seconds=seconds, next_steps=_next(place, blueprint),
    )  # fmt: skip


def _told(draft: Draft, seconds: int) -> str:
    """What would be done, or that it cannot run: an empty plan with problems is not a finished one."""
    counts = ((number, action) for action, number in draft.summary().items() if action != "noop")
    said = ", ".join(f"{number} to {action}" for number, action in counts)
    if draft.problems:
        first = f"{said}, but it" if said else "no plan can be made; it"
        return f"{first} cannot run: {counted(len(draft.problems), 'problem')}."
    return f"{said}. About {seconds} s." if said else "nothing to do, all of it stands."


def _item(item: Any) -> PlannedItem:
    told = {name: value for name, value in item.content().items() if name in PlannedItem.model_fields}
    return PlannedItem(
        **{**told, "depends_on": list(item.depends_on), "changes": [PlanChange(**row) for row in item.changes]}
    )


def _steps(draft: Draft) -> list[PlannedStep]:
    """In the order in which they begin; levels that are empty are no waves."""
    steps = sorted((step for item in draft.items for step in item.steps), key=lambda step: step.level)
    number = count(1)
    waves = {level: next(number) for level in sorted({step.level for step in steps})}
    return [PlannedStep(wave=waves[s.level], kind=s.kind, guest=s.key, title=s.title) for s in steps]


def _next(place: Environment, blueprint: Blueprint | None) -> list[str]:
    if blueprint is None:
        return ["Save the document: POST /api/v1/blueprints.", "Then propose it: POST /api/v1/iprs."]
    body = f'{{"title": "Deploy {blueprint.pk}", "blueprint_id": {blueprint.pk}, "environment": "{place.slug}"}}'
    return [f"Propose it: POST /api/v1/iprs with {body}; people decide then."]
