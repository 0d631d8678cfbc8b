"""Guests are read closely in the background: what their configs, firewalls and agents tell, a few at a time."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from alma.jobs.models import Job
from alma.jobs.services import create_job
from tests.factories.vms import make_claim, make_cluster, make_guest
from tests.fixtures.sandbox import RunningSandbox
from vms import details, inventory, snapshots
from vms.models import Cluster, Guest, GuestDetails, GuestSnapshot
from vms.proxmox.closely import Closely

NOTHING = Closely(
    description="", sockets=None, os_type="", is_os_measured=False, ip_address="", firewall_enabled=None,
    has_ssh_keys=None, disks=[], cards=[], created_at=None,
)  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_tried() -> Iterator[None]:
    details._TRIED.clear()
    yield
    details._TRIED.clear()


def test_what_the_sandbox_tells(cluster: Cluster, observer: Any) -> None:
    inventory.refresh_all()
    observer.nodes("pve1").qemu(101).config.put(
        description="A web server", net0="virtio,bridge=vmbr0,firewall=1,tag=100"
    )
    details.read_due()
    machines = Guest.objects.machines().select_related("details")
    assert GuestDetails.objects.count() == machines.count()
    guest = machines.get(vmid=101)
    config = observer.nodes("pve1").qemu(101).config.get()
    found = guest.details
    assert (found.description, found.sockets) == ("A web server", int(config.get("sockets", 1)))
    assert guest.created_at is not None and f"ctime={int(guest.created_at.timestamp())}" in config["meta"]
    assert [(card["bridge"], card["vlan"], card["has_firewall"]) for card in found.cards] == [("vmbr0", 100, True)]
    assert [disk["place"] for disk in found.disks] and all(disk["bytes"] > 0 for disk in found.disks)
    assert found.firewall_enabled is False


def test_a_system_that_answers_is_asked(cluster: Cluster, observer: Any) -> None:
    inventory.refresh_all()
    details.read_due()
    told = {row.guest.vmid: row for row in GuestDetails.objects.select_related("guest")}
    answering = [row for row in told.values() if row.guest.status == "running" and row.ip_address]
    assert answering
    for row in answering:
        if row.guest.kind == "vm":
            api = observer.nodes(row.guest.node).qemu(row.guest.vmid).agent
            system = api("get-osinfo").get()["result"]
            name = "windows-server" if system["id"] == "mswindows" else system["id"]
            assert row.os_type == f"{name}-{system['version-id']}"
            assert row.ip_address in str(api("network-get-interfaces").get())


def test_what_is_measured_from_within(cluster: Cluster, observer: Any) -> None:
    inventory.refresh_all()
    details.read_due()
    rows = list(GuestDetails.objects.select_related("guest").exclude(file_systems=None))
    assert rows
    for row in rows:
        guest = row.guest
        (told,) = observer.nodes(guest.node).qemu(guest.vmid).agent("get-fsinfo").get()["result"]
        (kept,) = row.file_systems or []
        assert (kept["mount_point"], kept["bytes"], kept["used_bytes"]) == (
            told["mountpoint"], told["total-bytes"], told["used-bytes"],
        )  # fmt: skip
        assert kept["disk"] in {disk["place"] for disk in row.disks}
        assert row.file_systems_read_at == row.read_at
        assert any(row.ip_address == one.partition("/")[0] for card in row.cards for one in card["seen"])
    containers = Guest.objects.machines().filter(kind="lxc", status="running")
    assert containers and all(guest.disk_used for guest in containers)


def test_snapshots_that_somebody_took_in_proxmox(
    cluster: Cluster, observer: Any, fresh_sandbox: RunningSandbox
) -> None:
    inventory.refresh_all()
    details.read_due()
    api = observer.nodes("pve1").qemu(101).snapshot
    fresh_sandbox.wait(api.post(snapname="before", description="By hand"))
    fresh_sandbox.wait(api.post(snapname="after"))
    inventory.refresh_all()
    details.read_due()
    rows = GuestSnapshot.objects.filter(guest__vmid=101)
    assert {row.name: (row.parent, row.description, row.is_ours, row.is_current) for row in rows} == {
        "before": ("", "By hand", False, False), "after": ("before", "", False, True),
    }  # fmt: skip
    fresh_sandbox.wait(observer.nodes("pve1").qemu(101).snapshot("before").delete())
    inventory.refresh_all()
    details.read_due()
    assert list(GuestSnapshot.objects.filter(guest__vmid=101).values_list("name", "parent")) == [("after", "")]
    assert GuestDetails.objects.get(guest__vmid=101).snapshots_read_at is not None


def snapshot(name: str, taken_at: datetime) -> dict[str, Any]:
    return {"name": name, "description": "", "has_memory": False, "parent": "", "taken_at": taken_at.isoformat()}


def test_a_snapshot_of_the_same_name_and_another_time_is_not_ours(db: None) -> None:
    guest, taken_at = make_guest(make_cluster()), timezone.now()
    ours = GuestSnapshot.objects.create(guest=guest, name="s1", is_ours=True)
    snapshots.store(guest.pk, [snapshot("s1", taken_at)])
    assert GuestSnapshot.objects.get(pk=ours.pk).is_ours is True
    snapshots.store(guest.pk, [snapshot("s1", taken_at)])
    assert GuestSnapshot.objects.get(pk=ours.pk).is_ours is True
    snapshots.store(guest.pk, [snapshot("s1", taken_at + timedelta(minutes=1))])
    assert GuestSnapshot.objects.get().is_ours is False


@pytest.mark.parametrize("state", ["queued", "ended-meanwhile", "ended-before"])
def test_what_a_job_does_with_snapshots_is_its_own_to_tell(db: None, state: str) -> None:
    guest, since = make_guest(make_cluster()), timezone.now()
    GuestSnapshot.objects.create(guest=guest, name="kept", taken_at=since)
    ended = {
        "queued": None,
        "ended-meanwhile": since + timedelta(seconds=1),
        "ended-before": since - timedelta(seconds=1),
    }
    job = create_job(
        "vm_snapshot_deletion", [], organization_id=guest.organization_id,
        params={"guest": guest.pk, "vm": "vm-001", "verb": "unsnapshot"},
    )  # fmt: skip
    if state != "queued":
        Job.objects.filter(pk=job.pk).update(state=Job.State.COMPLETED, finished_at=ended[state])
    snapshots.store_seen(guest.cluster_id, {guest.pk: []}, since=since)
    assert GuestSnapshot.objects.exists() is (state != "ended-before")


def test_one_that_is_being_taken_is_not_forgotten(db: None) -> None:
    guest = make_guest(make_cluster())
    GuestSnapshot.objects.create(guest=guest, name="coming", is_ours=True)
    snapshots.store(guest.pk, [])
    assert GuestSnapshot.objects.exists()


def test_a_firewall_is_on_when_cluster_guest_and_cards_say_so(cluster: Cluster, observer: Any) -> None:
    inventory.refresh_all()
    node = observer.nodes("pve1").qemu(101)
    node.config.put(net0="virtio,bridge=vmbr0,firewall=1")
    node.firewall.options.put(enable=1)
    observer.cluster.firewall.options.put(enable=1)
    details.read_due()
    assert GuestDetails.objects.get(guest__vmid=101).firewall_enabled is True


def test_nothing_is_read_twice_without_a_reason(cluster: Cluster, observer: Any, fresh_sandbox: RunningSandbox) -> None:
    inventory.refresh_all()
    details.read_due()
    before = fresh_sandbox.count("GET", "/nodes/{node}/qemu/{vmid}/config", 101)
    details.read_due()
    assert fresh_sandbox.count("GET", "/nodes/{node}/qemu/{vmid}/config", 101) == before
    observer.nodes("pve1").qemu(101).config.put(tags="new")
    inventory.refresh_all()
    details.read_due()
    assert fresh_sandbox.count("GET", "/nodes/{node}/qemu/{vmid}/config", 101) == before + 1


@pytest.mark.parametrize(
    ("age", "changed", "is_due"),
    [(None, 0, True), (60, 30, True), (60, 90, False), (3600, 7200, True)],
)
def test_what_is_due(db: None, age: int | None, changed: int, is_due: bool) -> None:
    cluster, now = make_cluster(), timezone.now()
    guest = make_guest(cluster, changed_at=now - timedelta(seconds=changed))
    if age is not None:
        GuestDetails.objects.create(guest=guest, read_at=now - timedelta(seconds=age))
    assert details.due(cluster) == ([guest] if is_due else [])


def test_one_that_cannot_be_read_waits(db: None) -> None:
    cluster = make_cluster()
    first, second = make_guest(cluster), make_guest(cluster)
    details._TRIED[first.pk] = time.monotonic()
    assert details.due(cluster) == [second]


def test_a_silent_cluster_keeps_what_is_known(db: None) -> None:
    cluster = make_cluster(is_sandbox=True, last_read_at=timezone.now())
    guest = make_guest(cluster)
    GuestDetails.objects.create(guest=guest, description="known", read_at=timezone.now() - timedelta(hours=1))
    details.read_due()
    assert GuestDetails.objects.get().description == "known"


def test_a_system_that_went_quiet_is_what_it_was(db: None) -> None:
    guest = make_guest(make_cluster())
    GuestDetails.objects.create(guest=guest, os_type="ubuntu-22.04", read_at=timezone.now())
    details.store([(Guest.objects.select_related("details").get(), NOTHING)], timezone.now())
    assert GuestDetails.objects.get().os_type == "ubuntu-22.04"


def test_disks_hold_what_they_held_and_it_is_said_since_when(db: None) -> None:
    guest, then = make_guest(make_cluster()), timezone.now() - timedelta(hours=1)
    mounted = [{"mount_point": "/", "bytes": 10, "used_bytes": 1, "disk": "scsi0"}]
    GuestDetails.objects.create(guest=guest, file_systems=mounted, file_systems_read_at=then, read_at=then)
    details.store([(Guest.objects.select_related("details").get(), NOTHING)], timezone.now())
    kept = GuestDetails.objects.get()
    assert (kept.file_systems, kept.file_systems_read_at, kept.read_at > then) == (mounted, then, True)


def test_a_guest_that_went_meanwhile(db: None) -> None:
    guest = make_guest(make_cluster())
    Guest.objects.all().delete()
    details.store([(guest, NOTHING)], timezone.now())
    assert not GuestDetails.objects.exists()


@pytest.mark.django_db
def test_the_ledger_knows_when_a_copy_was_made() -> None:
    cluster, of_the_template = make_cluster(), timezone.now() - timedelta(days=300)
    claim = make_claim(cluster, state="live")
    ours, theirs = make_guest(cluster, claim=claim), make_guest(cluster)
    found = replace(NOTHING, created_at=of_the_template)
    details.store([(ours, found), (theirs, found)], timezone.now())
    ours.refresh_from_db()
    theirs.refresh_from_db()
    assert (ours.created_at, theirs.created_at) == (claim.created_at, of_the_template)
