"""Answering a drift with an IPR that goes the ordinary way of review."""

import re
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.errors import WrongState
from blueprints import services as blueprints
from blueprints.models import Blueprint
from blueprints.schema import BlueprintDocument, expand
from iprs.drifting import Obstacle, adopted, check_restore
from iprs.models import IPR, DriftAnswer, Plan, PlanItem
from iprs.rights import check_edit, check_open
from iprs.services.opening import open_ipr
from vms.lanes import cluster_for
from vms.models import Drift
from vms.services import accept_facts, claims_of

_OWNER = re.compile(r"env:(\d+)/blueprint:(\d+)")
_NO_BLUEPRINT = "The blueprint that it was made from is gone, so there is nothing that could say how it shall be."


@dataclass(frozen=True)
class Origin:
    """Where a guest of ours was declared."""

    environment: Environment
    blueprint: Blueprint
    document: BlueprintDocument


def origin_of(drift: Drift, *, by: Actor) -> Origin:
    """Raises Obstacle when it is gone, or when plans go to another cluster."""
    match = _OWNER.fullmatch(drift.claim.owner)
    environment = Environment.objects.visible_to(by).filter(pk=match[1]).first() if match else None
    blueprint = Blueprint.objects.visible_to(by).filter(pk=match[2]).first() if match else None
    if environment is None or blueprint is None:
        raise Obstacle(_NO_BLUEPRINT)
    cluster = cluster_for(drift.organization_id, by=by)
    if cluster is None or cluster.pk != drift.cluster_id:
        raise Obstacle(
            f"New plans are made for {cluster.name if cluster else 'no cluster'}, and this guest is elsewhere."
        )
    return Origin(environment, blueprint, blueprint.current_revision().parsed())


def obstacle(drift: Drift, kind: str, *, by: Actor) -> str:
    """Why a drift cannot be answered like this, or nothing when it can."""
    try:
        origin = origin_of(drift, by=by)
        if kind == DriftAnswer.Kind.ADOPT:
            adopted(drift, origin.document)
        else:
            check_restore(drift, origin.document)
    except Obstacle as error:
        return str(error)
    return ""


@transaction.atomic
def answer_drift(drift: Drift, kind: str, *, by: Actor) -> IPR:
    """Open the IPR that adopts or restores; while one stands, it is the answer. Raises Refused, Invalid, WrongState."""
    check_open(by=by)
    row = Drift.objects.select_for_update(of=("self",)).select_related("claim").get(pk=drift.pk)
    standing = DriftAnswer.objects.standing().filter(drift=row).select_related("ipr").first()
    if standing is not None:
        return standing.ipr
    if row.state != Drift.State.OPEN:
        raise WrongState(f"This drift has ended: {row.settled_as}.", code="DRIFT_SETTLED")
    try:
        ipr = _adopt(row, by=by) if kind == DriftAnswer.Kind.ADOPT else _restore(row, by=by)
    except Obstacle as error:
        raise WrongState(str(error), code="DRIFT_NOT_ANSWERABLE") from error
    DriftAnswer.objects.create(drift=row, ipr=ipr, kind=kind)
    return ipr


def _adopt(drift: Drift, *, by: Actor) -> IPR:
    check_edit(by=by)
    origin = origin_of(drift, by=by)
    document = adopted(drift, origin.document)
    blueprint = blueprints.update(origin.blueprint, document, by=by, based_on=origin.blueprint.revision_number)
    is_gone = drift.kind == Drift.Kind.GONE
    title = f"Adopt that {drift.claim.key} is gone" if is_gone else f"Adopt what changed on {drift.claim.key}"
    return _open(drift, origin, blueprint, title, {"removed": [drift.claim.key]} if is_gone else {}, by=by)


def _restore(drift: Drift, *, by: Actor) -> IPR:
    origin = origin_of(drift, by=by)
    check_restore(drift, origin.document)
    verb = "added" if drift.kind == Drift.Kind.GONE else "modified"
    title = f"Restore {drift.claim.key} to what was approved"
    return _open(drift, origin, origin.blueprint, title, {verb: [drift.claim.key]}, by=by)


def _open(drift: Drift, origin: Origin, blueprint: Blueprint, title: str, summary: dict[str, Any], *, by: Actor) -> IPR:
    return open_ipr(
        blueprint, by=by, title=title[:200], description=_described(drift), environment=origin.environment,
        changes_summary=summary,
    )  # fmt: skip


def _described(drift: Drift) -> str:
    what = {
        Drift.Kind.GONE: "was deleted in Proxmox.", Drift.Kind.CHANGED: "was changed in Proxmox:"
    }[Drift.Kind(drift.kind)]  # fmt: skip
    lines = [f"{drift.claim.key} (VMID {drift.claim.vmid} on {drift.cluster.name}) {what}"]
    lines += [f"- {row['field']}: {row['before']} → {row['after']}" for row in drift.changes]
    return "\n".join(lines)


def accept_unchanged(plan: Plan) -> None:
    """What a deployed plan found to be as its document says is expected from now on; with that its drift ends."""
    keys = set(plan.items.filter(action=PlanItem.Action.NOOP).values_list("key", flat=True))
    if plan.cluster is None or plan.revision is None or not keys:
        return
    machines = {machine.key: machine for machine in expand(plan.revision.parsed()).machines}
    for claim in claims_of(plan.cluster, plan.ipr.owner):
        machine = machines.get(claim.key) if claim.key in keys else None
        if machine is not None:
            accept_facts(
                claim, cores=machine.cores, memory=machine.memory_mib * 1024**2, disk_at_least=machine.disk_bytes,
                power="running" if machine.start else "stopped",
            )  # fmt: skip
