"""Restore tests: what they show is kept, and nothing of them is left over."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.errors import WrongState
from alma.jobs.models import Job
from alma.jobs.services import cancel
from tests.factories.vms import make_claim, make_cluster
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.backups.conftest import look
from tests.vms.backups.test_making import refused
from tests.vms.backups.test_restoring import backup
from tests.vms.conftest import Runner
from tests.vms.operations.conftest import end_of
from vms.backups import proving
from vms.models import Backup, Cluster, ClusterNode, Guest, GuestClaim
from vms.proxmox.backups import parse_config
from vms.steps.unpack import cut_off

__all__ = ["backup"]
Finish = Callable[[Job], Job]


def scratch(cluster: Cluster) -> GuestClaim:
    return GuestClaim.objects.get(cluster=cluster, owner__startswith="scratch:")


def numbers(observer: Any) -> set[int]:
    return {one["vmid"] for one in observer.cluster.resources.get(type="vm")}


def test_what_comes_back_is_verified(
    machine: Guest, backup: Backup, by: Actor, finish: Finish, observer: Any, cluster: Cluster
) -> None:
    before = numbers(observer)
    job = proving.verify(backup, by=by)
    refused(lambda: proving.verify(backup, by=by), WrongState, "BACKUP_BUSY")
    finish(job)
    assert job.error is None
    row = Backup.objects.get(pk=backup.pk)
    assert (row.state, row.evidence["is_good"], row.tested_at is not None) == ("verified", True, True)
    checks = {one["what"]: one for one in row.evidence["checks"]}
    assert checks["cores"]["found"] == "2" and checks["memory"]["expected"] == "2048 MiB"
    assert checks["power"]["found"] == "running" and checks["system"]["found"] == "its guest agent answered"
    assert any(name.startswith("disk ") for name in checks) and row.evidence["seconds"] >= 0
    assert (numbers(observer), scratch(cluster).state) == (before, "released")
    assert end_of(job)["passed"] is True
    look()
    assert Backup.objects.get(pk=backup.pk).state == "verified", "the next reading keeps it"


def test_its_guest_reaches_no_network(
    machine: Guest, backup: Backup, by: Actor, runner: Runner, observer: Any, cluster: Cluster
) -> None:
    job = proving.verify(backup, by=by)
    job.steps.filter(kind__in=["guest.discard", "backup.check", "guest.await"]).delete()
    runner.finish(job)
    copy = observer.nodes(scratch(cluster).node).qemu(scratch(cluster).vmid).config.get()
    cards = {name: value for name, value in copy.items() if name.startswith("net") and name[3:].isdigit()}
    assert cards and all("link_down=1" in card for card in cards.values())
    original = observer.nodes(machine.node).qemu(machine.vmid).config.get()
    assert cards["net0"].split(",")[0] != original["net0"].split(",")[0]
    assert "scratch" in copy["tags"] and copy.get("onboot", 0) == 0


def test_a_restore_that_fails_says_so_and_leaves_nothing(
    backup: Backup, by: Actor, finish: Finish, observer: Any, cluster: Cluster, fresh_sandbox: RunningSandbox
) -> None:
    before = numbers(observer)
    Backup.objects.filter(pk=backup.pk).update(state="verified")
    fresh_sandbox.core.faults.fail_next("qmrestore", "unable to restore VM - wrong vma extent header checksum")
    job = finish(proving.verify(backup, by=by))
    row = Backup.objects.get(pk=backup.pk)
    assert job.error is not None and row.state == "completed", "it was verified once, and is no more"
    assert row.evidence["is_good"] is False and "checksum" in row.evidence["why"]
    left = Job.objects.get(kind="backup_cleanup")
    finish(left)
    assert (numbers(observer), scratch(cluster).state) == (before, "released")


def test_a_guest_that_does_not_start_is_removed(
    backup: Backup, by: Actor, finish: Finish, observer: Any, cluster: Cluster, fresh_sandbox: RunningSandbox
) -> None:
    before = numbers(observer)
    fresh_sandbox.core.faults.fail_next("qmstart", "start failed: exit code 1")
    finish(proving.verify(backup, by=by))
    assert numbers(observer) - before == {scratch(cluster).vmid}
    finish(Job.objects.get(kind="backup_cleanup"))
    assert (numbers(observer), scratch(cluster).state) == (before, "released")
    assert Backup.objects.get(pk=backup.pk).evidence["is_good"] is False


def test_what_differs_is_named(
    backup: Backup, by: Actor, runner: Runner, observer: Any, cluster: Cluster
) -> None:  # fmt: skip
    job = proving.verify(backup, by=by)
    later = list(job.steps.filter(kind__in=["backup.check", "guest.discard"]).order_by("ordinal"))
    job.steps.filter(pk__in=[step.pk for step in later]).delete()
    runner.finish(job)
    claim = scratch(cluster)
    observer.nodes(claim.node).qemu(claim.vmid).status.stop.post()
    observer.nodes(claim.node).qemu(claim.vmid).config.put(cores=1)
    Job.objects.filter(pk=job.pk).update(state="failed")
    job.refresh_from_db()
    for step in later:
        step.pk = None
        step.save()
    from alma.jobs.services import retry

    retry(job, by="ana")
    runner.finish(job)
    row = Backup.objects.get(pk=backup.pk)
    assert job.error is not None and job.error["code"] == "RESTORE_DIFFERS"
    bad = {one["what"] for one in row.evidence["checks"] if not one["is_good"]}
    assert (row.state, bad) == ("completed", {"cores", "power"})


def test_a_cancel_removes_the_guest(
    backup: Backup, by: Actor, finish: Finish, observer: Any, cluster: Cluster
) -> None:  # fmt: skip
    before = numbers(observer)
    job = proving.verify(backup, by=by)
    cancel(job, by="ana")
    finish(job)
    row = Backup.objects.get(pk=backup.pk)
    assert (job.state, row.state, row.evidence) == ("cancelled", "completed", {})
    for left in Job.objects.filter(kind="backup_cleanup"):
        finish(left)
    assert (numbers(observer), scratch(cluster).state) == (before, "released")


def test_no_node_has_the_memory(backup: Backup, by: Actor) -> None:
    ClusterNode.objects.update(memory_used=10**15, memory_bytes=10**15)
    refused(lambda: proving.verify(backup, by=by), WrongState, "NO_PLACE")
    assert not Job.objects.active().exists()


@pytest.mark.django_db
def test_what_a_job_has_left_is_found_by_the_chore() -> None:
    cluster = make_cluster()
    claim = make_claim(cluster, owner="scratch:1", key="alma-test-1", state="live")
    proving.clear_left()
    assert not Job.objects.exists(), "it may have ended just now"
    GuestClaim.objects.update(updated_at=timezone.now() - timedelta(minutes=1))
    proving.clear_left()
    proving.clear_left()
    job = Job.objects.get(kind="backup_cleanup")
    assert job.steps.get().kind == "guest.discard" and job.params["claim"] == str(claim.pk)
    Job.objects.update(state="failed", finished_at=timezone.now())
    proving.clear_left()
    assert Job.objects.count() == 1, "not at once"
    Job.objects.update(finished_at=timezone.now() - timedelta(minutes=6))
    proving.clear_left()
    assert Job.objects.count() == 2, "it is tried again and again"


@pytest.mark.django_db
def test_cards_are_cut_off_whatever_they_look_like() -> None:
    config = parse_config(
        "net0: virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1,tag=10\n"
        "net1: model=e1000,macaddr=BC:24:11:00:00:02,bridge=vmbr1,link_down=0\n"
        "net2: name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:03,ip=dhcp,type=veth\n"
    )
    cards = dict(cut_off(config, make_claim(make_cluster())))
    assert cards["net0"].startswith("virtio=02:") and cards["net0"].endswith(
        "bridge=vmbr0,firewall=1,tag=10,link_down=1"
    )
    assert cards["net1"].startswith("e1000=02:") and cards["net1"].endswith("bridge=vmbr1,link_down=1")
    assert cards["net2"].startswith("hwaddr=02:") and "name=eth0" in cards["net2"]
    macs = {card.partition("=")[2].partition(",")[0] for card in cards.values()}
    assert len(macs) == 3 and not any(mac.startswith("BC") for mac in macs) and all(len(mac) == 17 for mac in macs)
