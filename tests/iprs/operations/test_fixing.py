"""From a finding to a scan without it: proposed as an IPR, agreed to, carried out, read back."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.errors import DomainError, Refused, WrongState
from alma.jobs import services as jobs
from alma.jobs.models import Job
from iprs import services
from iprs.models import IPR
from tests.factories.accounts import make_actor
from tests.iprs.operations.conftest import carry_out, ipr_of, planned, see, work
from tests.vms.scans.conftest import finish
from vms.models import Guest, ScanFinding, SecurityScan
from vms.scans import mending
from vms.scans import services as scans
from vms.scans.mending import fix


@pytest.fixture
def by(boss: Actor) -> Actor:
    """Somebody who scans, and acts on machines."""
    return boss


def scanned(machine: Guest, by: Actor) -> SecurityScan:
    see(machine.cluster)
    machine.refresh_from_db()
    return finish(scans.start(by=by, guests=[machine]))


def found(scan: SecurityScan, rule: str) -> ScanFinding | None:
    return ScanFinding.objects.broken().filter(subject__scan=scan, rule=rule, subject__kind="guest").first()


def finding_of(scan: SecurityScan, rule: str) -> ScanFinding:
    row = found(scan, rule)
    assert row is not None, ScanFinding.objects.filter(subject__scan=scan, rule=rule).values()
    return row


def config_of(observer: Any, machine: Guest) -> dict[str, Any]:
    told: dict[str, Any] = observer.nodes(machine.node).qemu(machine.vmid).config.get()
    return told


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "GUEST-OPT-001": ({}, "protection"),
    "GUEST-NET-001": ({}, "firewall"),
    "GUEST-NET-002": ({}, "net0"),
    "GUEST-AGENT-001": ({"agent": "enabled=0,fstrim_cloned_disks=1"}, "agent"),
}


@pytest.mark.parametrize("rule", list(CASES))
def test_from_a_finding_to_a_scan_without_it(machine: Guest, boss: Actor, observer: Any, rule: str) -> None:
    options, field = CASES[rule]
    if options:
        observer.nodes(machine.node).qemu(machine.vmid).config.put(**options)
    row = finding_of(scanned(machine, boss), rule)
    before = config_of(observer, machine)

    job = fix(row, by=replace(boss, label="robot", user=None))
    ipr = planned(job)
    assert ipr.current_plan is not None
    assert (job.state, ipr.status, ipr.current_plan.problems) == ("waiting", "pending", [])
    assert f"{row.subject.scan.public_id} found on web" in ipr.description
    assert rule in ipr.description
    assert [change["field"] for change in ipr.current_plan.items.get().changes] == [field]
    assert config_of(observer, machine) == before, "nothing is touched before people agree"

    assert carry_out(job, by=boss).status == "completed", job.error
    changed = {name for name, value in config_of(observer, machine).items() if before.get(name) != value} - {"digest"}
    assert changed <= {field}, "exactly that change"
    assert found(scanned(machine, boss), rule) is None


def test_a_password_of_cloud_init_goes_and_is_in_no_plan(machine: Guest, boss: Actor, observer: Any) -> None:
    observer.nodes(machine.node).qemu(machine.vmid).config.put(ciuser="root", cipassword="password")
    scan = scanned(machine, boss)
    hashed = ScanFinding.objects.get(subject__scan=scan, rule="GUEST-AUTH-001")
    assert "could not be judged" in mending.chances([hashed], by=boss)[hashed.pk].reason
    ScanFinding.objects.filter(pk=hashed.pk).update(unassessed="")
    job = fix(ScanFinding.objects.get(pk=hashed.pk), by=boss)
    ipr = planned(job)
    assert ipr.current_plan is not None
    assert ipr.current_plan.items.get().changes == [
        {"field": "cipassword", "before": "set", "after": None, "cause": "asked for"}
    ]
    services.review(ipr, "approve", by=make_actor("reviewer", organization=machine.cluster.organization))
    services.deploy(ipr_of(job), by=boss)
    work()
    job.refresh_from_db()
    assert (job.state, "cipassword" in config_of(observer, machine)) == ("completed", False)
    assert not ScanFinding.objects.filter(subject__scan=scanned(machine, boss), rule="GUEST-AUTH-001").exists()


def test_old_snapshots_are_deleted_by_name(machine: Guest, boss: Actor) -> None:
    scan = scanned(machine, boss)
    finding = ScanFinding.objects.create(
        subject=scan.subjects.get(kind="guest"), rule="GUEST-SNAP-001", severity="low", rank=3,
        evidence=[{"setting": "snapshot before", "value": "2020-01-01"}],
    )  # fmt: skip
    drop = fix(finding, by=boss)
    assert [(step.kind, step.params["snapshot"]) for step in drop.steps.all()] == [("guest.snapshot_drop", "before")]
    assert ipr_of(drop).title == "Mend web: Snapshot is old"


def test_where_nobody_has_to_agree_it_is_an_ipr_all_the_same(
    machine: Guest, boss: Actor, environment: Environment
) -> None:
    Environment.objects.filter(pk=environment.pk).update(is_protected=False, required_approvals=0)
    ipr = planned(fix(finding_of(scanned(machine, boss), "GUEST-NET-002"), by=boss))
    assert (ipr.status, ipr.environment) == ("approved", environment)
    services.deploy(ipr, by=boss)
    work()
    assert ipr_of(Job.objects.get(kind="vm_fix")).status == "deployed"


def test_asking_again_leads_to_the_same_ipr(machine: Guest, boss: Actor) -> None:
    row = finding_of(scanned(machine, boss), "GUEST-NET-002")
    job = fix(row, by=boss)
    assert fix(row, by=boss) == job
    chance = mending.chances([row], by=boss)[row.pk]
    assert (chance.is_possible, chance.ipr_id) == (True, IPR.objects.get().pk)
    jobs.stop(job, by=boss)
    assert mending.chances([row], by=boss)[row.pk].ipr_id is None


def test_what_cannot_be_mended_says_why(machine: Guest, boss: Actor, observer: Any) -> None:
    scan = scanned(machine, boss)
    rows = list(ScanFinding.objects.filter(subject__scan=scan).select_related("subject"))
    told = {row.rule: mending.chances([row], by=boss)[row.pk].reason for row in rows}
    assert told["GUEST-BACKUP-001"] == "A backup is made under Backups, not by a change of settings."
    assert "neither nodes nor clusters" in told["CLUSTER-FW-001"]
    assert told["GUEST-NET-002"] == ""
    for row in rows:
        if told[row.rule]:
            refused(lambda row=row: fix(row, by=boss), WrongState, "NOT_MENDABLE")
    assert not IPR.objects.exists()


def test_a_stranger_is_not_mended(machine: Guest, boss: Actor) -> None:
    stranger = Guest.objects.get(cluster=machine.cluster, name="gitlab")
    row = finding_of(scanned(stranger, boss), "GUEST-NET-002")
    assert "was not made by ALMA" in mending.chances([row], by=boss)[row.pk].reason
    refused(lambda: fix(row, by=boss), Refused, "GUEST_NOT_OURS")


def test_who_may_not(machine: Guest, boss: Actor) -> None:
    row = finding_of(scanned(machine, boss), "GUEST-NET-002")
    for rights in ({"security:read"}, {"vm:write"}):
        refused(lambda rights=rights: fix(row, by=replace(boss, scopes=frozenset(rights))), Refused, "MISSING_SCOPE")
    reader = replace(boss, scopes=frozenset({"security:read"}))
    assert mending.chances([row], by=reader)[row.pk].reason
    machine.cluster.__class__.objects.update(is_sandbox=False)
    refused(lambda: fix(row, by=replace(boss, lane="test")), Refused, "TEST_KEY_ON_LIVE")


def test_page_offers_it_and_leads_to_the_ipr(machine: Guest, boss: Actor) -> None:
    scan = scanned(machine, boss)
    row = finding_of(scan, "GUEST-NET-002")
    client = Client()
    assert boss.user is not None
    client.force_login(boss.user)
    page = client.get(scan.get_absolute_url()).content.decode()
    assert f'action="/security/{scan.pk}/findings/{row.pk}/fix/"' in page
    assert 'data-why="A backup is made under Backups' in page
    answer = client.post(f"/security/{scan.pk}/findings/{row.pk}/fix/")
    ipr = IPR.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, ipr.get_absolute_url())
    page = client.get(scan.get_absolute_url()).content.decode()
    assert f'href="{ipr.get_absolute_url()}"' in page
    assert f'action="/security/{scan.pk}/findings/{row.pk}/fix/"' not in page
    backup = finding_of(scan, "GUEST-BACKUP-001")
    assert client.post(f"/security/{scan.pk}/findings/{backup.pk}/fix/").status_code == 409
    assert client.post(f"/security/{scan.pk + 1}/findings/{row.pk}/fix/").status_code == 404


def refused(act: Callable[[], object], kind: type[DomainError], code: str) -> None:
    with pytest.raises(kind) as refusal:
        act()
    assert refusal.value.code == code
