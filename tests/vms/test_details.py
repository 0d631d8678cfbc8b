"""Guests are read closely in the background: what their configs, firewalls and agents tell, a few at a time."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.factories.vms import make_cluster, make_guest
from tests.fixtures.sandbox import RunningSandbox
from vms import details, inventory
from vms.models import Cluster, Guest, GuestDetails
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
            assert row.os_type == "-".join(filter(None, (system["id"], system["version-id"])))
            assert row.ip_address in str(api("network-get-interfaces").get())


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


def test_a_guest_that_went_meanwhile(db: None) -> None:
    guest = make_guest(make_cluster())
    Guest.objects.all().delete()
    details.store([(guest, NOTHING)], timezone.now())
    assert not GuestDetails.objects.exists()
