"""Each invariant holds after a real deployment, and each notices what it is for."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction

from alma.accounts.actors import Actor
from alma.events.models import Event, Stream
from alma.jobs.findings import check_invariants
from alma.jobs.models import Job, Step
from iprs.models import IPR, Deployment, Plan, PlanItem
from tests.iprs.test_deployments import actor, cluster, deployed, proposed, resource
from vms.models import Cluster, GuestClaim

__all__ = ["actor", "cluster"]

pytestmark = pytest.mark.django_db(transaction=True)
Damage = Callable[[], object]

LONG_AGO = "2026-01-01T00:00:00Z"
DAMAGES: list[tuple[str, Damage]] = [
    ("EVENT_GAP", lambda: Event.objects.filter(stream__name__startswith="deployment:", seq=3).delete()),
    ("EVENT_GAP", lambda: Stream.objects.filter(name__startswith="ipr:").update(last_seq=1)),
    ("NO_CLOSING_EVENT", lambda: Event.objects.filter(kind="deployment.completed").update(kind="deployment.log")),
    ("LEASE_OUTLIVES_JOB", lambda: Job.objects.filter(kind="deployment").update(lease_until=LONG_AGO)),
    ("STEP_OUTLIVES_JOB", lambda: last_step().update(state="running")),
    ("FALSE_SUCCESS", lambda: last_step().update(state="failed")),
    ("UNPROVEN_SUCCESS", lambda: last_step().update(evidence={})),
    ("SILENT_FAILURE", lambda: Job.objects.filter(kind="plan").update(state="failed", error=None)),
    ("STANDS_STILL", lambda: Job.objects.filter(kind="plan").update(state="queued", created_at=LONG_AGO)),
    ("TWO_STORIES", lambda: Deployment.objects.update(status="failed")),
    ("TWO_STORIES", lambda: Deployment.objects.update(status="rolled_back")),
    ("NOT_UNDONE", lambda: Deployment.objects.update(status="rolled_back", leftovers=[{"key": "web"}])),
    ("NOTHING_DEPLOYS", lambda: IPR.objects.update(status="deploying")),
    ("HIDDEN_DEPLOYMENT", lambda: Deployment.objects.update(status="in_progress")),
    ("PLAN_ALTERED", lambda: PlanItem.objects.update(node="elsewhere")),
    ("NOT_THE_PLAN", lambda: last_step().update(params={"cores": 64})),
    ("NOT_THE_PLAN", lambda: last_step().delete()),
    ("NOT_THE_PLAN", lambda: Plan.objects.update(digest="0" * 64)),
    ("NOBODY_PLANS", lambda: Plan.objects.update(status="planning")),
    ("ORPHAN", lambda: GuestClaim.objects.update(state="released")),
    ("MARKER_UNKNOWN", lambda: GuestClaim.objects.update(vmid=700_001)),
    ("GUEST_MISSING", lambda: GuestClaim.objects.update(vmid=700_001)),
    ("CLUSTER_UNREADABLE", lambda: Cluster.objects.update(token_id="root@pam!nobody")),
]


def last_step() -> Any:
    return Step.objects.filter(pk=Step.objects.filter(job__kind="deployment").latest("pk").pk)


def codes() -> set[str]:
    return {finding.code for finding in check_invariants()}


def test_all_hold_after_a_deployment_and_each_notices_its_damage(actor: Actor, cluster: Cluster) -> None:
    deployed(proposed(actor, resource("web")), actor)
    assert check_invariants() == []
    unnoticed = []
    for code, damage in DAMAGES:
        with transaction.atomic():
            assert damage()
            found = codes()
            transaction.set_rollback(True)
        if code not in found:
            unnoticed.append((code, found))
    assert unnoticed == []
    assert check_invariants() == []


def test_a_guest_that_nobody_answers_for_is_noticed(actor: Actor, cluster: Cluster, fresh_sandbox: Any) -> None:
    deployed(proposed(actor, resource("web")), actor)
    claim = GuestClaim.objects.get()
    GuestClaim.objects.filter(pk=claim.pk).update(state="released")
    second = GuestClaim.objects.create(
        organization=claim.organization, cluster=cluster, vmid=claim.vmid + 1, owner=claim.owner, key=claim.key,
        kind="vm", node=claim.node, job=claim.job, state="live",
    )  # fmt: skip
    api = fresh_sandbox.proxmoxer()
    upid = api.nodes(claim.node).qemu.post(vmid=second.vmid, description=second.marker)
    assert fresh_sandbox.wait(upid) == "OK"
    assert "ORPHAN" in codes()
    GuestClaim.objects.filter(pk=claim.pk).update(key="other", state="live")
    assert codes() == set()
    api.nodes(claim.node).qemu(second.vmid).config.put(description=f"{second.marker}x")
    assert codes() == {"MARKER_UNKNOWN", "MARKER_LOST"}


def doctor(*arguments: str) -> tuple[int, str]:
    output = io.StringIO()
    try:
        call_command("doctor", *arguments, stdout=output)
    except SystemExit as ending:
        return int(str(ending.code)), output.getvalue()
    return 0, output.getvalue()


def test_the_doctor_says_it_with_its_exit_status(actor: Actor, cluster: Cluster) -> None:
    deployed(proposed(actor, resource("web")), actor)
    assert doctor() == (0, "Everything holds.\n")
    Cluster.objects.update(token_id="root@pam!nobody")
    status, text = doctor()
    assert (status, "unknown  CLUSTER_UNREADABLE   sandbox: " in text) == (2, True)
    Event.objects.filter(stream__name__startswith="deployment:", seq=3).delete()
    status, text = doctor("--json")
    assert status == 1
    assert {row["code"] for row in json.loads(text)} == {"EVENT_GAP", "CLUSTER_UNREADABLE"}
