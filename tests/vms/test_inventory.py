"""The rows of guests follow the cluster, and stay when it is silent."""

from typing import Any

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from alma.events.models import Event
from tests.factories.vms import guest_spec, make_cluster
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.conftest import Runner
from vms import inventory, machines, networks
from vms.models import Cluster, ClusterNetwork, ClusterNode, ClusterStorage, Guest
from vms.proxmox.readings import GuestRow
from vms.services import create_steps


def told(cluster: Cluster) -> list[tuple[str, Any]]:
    events = Event.objects.of(cluster.stream).exclude(kind="cluster.tasks")
    return [(event.kind, event.data.get("vmid")) for event in events]


def row(vmid: int, **overrides: Any) -> GuestRow:
    values = {
        "vmid": vmid, "kind": "vm", "node": "pve1", "name": f"vm-{vmid}", "status": "running", "is_template": False,
        "cores": 2, "memory_bytes": 2048, "disk_bytes": 4096, "memory_used": 10, "cpu_load": 0.1, "uptime": 5,
        "tags": "", "lock": "",
    }  # fmt: skip
    return GuestRow(**(values | overrides))


def test_first_reading_fills_the_rows_with_one_event(cluster: Cluster, observer: Any) -> None:
    inventory.refresh_all()

    listed = {guest["vmid"] for guest in observer.cluster.resources.get(type="vm")}
    assert set(Guest.objects.values_list("vmid", flat=True)) == listed
    assert told(cluster) == [("cluster.read", None)]
    cluster.refresh_from_db()
    assert cluster.last_read_at is not None


def test_reading_uses_up_no_numbers(cluster: Cluster) -> None:
    """People call machines, storages and networks by them: the next one that appears has the next one."""
    for number in range(4):
        inventory.refresh_all()
        cluster.nodes.update(networks_asked_at=None)
        networks.read_due()
        Guest.objects.update(name=f"changed-{number}")
    fresh = {
        Guest: {"vmid": 8_888},
        ClusterStorage: {"name": "new"},
        ClusterNode: {"name": "new"},
        ClusterNetwork: {"bridge": "new"},
    }
    for model, values in fresh.items():
        last = model.objects.order_by("-pk").first()
        assert last is not None
        number, last.pk = last.pk, None
        for name, value in values.items():
            setattr(last, name, value)
        last.save(force_insert=True)
        assert last.pk == number + 1, model


def test_guest_of_a_job_is_linked_to_its_ledger_row(cluster: Cluster, runner: Runner) -> None:
    inventory.refresh_all()
    runner.run(create_steps(guest_spec(cluster)))

    inventory.refresh_all()

    guest = Guest.objects.get(vmid=5000)
    assert guest.claim is not None
    assert guest.claim.key == "web"
    assert told(cluster)[1:] == [("vm.created", 5000)]


def test_what_is_told_names_the_machine_as_the_api_does(cluster: Cluster) -> None:
    inventory.store(cluster, [row(101)])
    cluster.refresh_from_db()
    inventory.store(cluster, [row(101, status="stopped"), row(102)])
    cluster.refresh_from_db()
    inventory.store(cluster, [row(102)])

    ids = {guest.vmid: machines.public_id(guest) for guest in Guest.objects.all()}
    events = [event for event in Event.objects.of(cluster.stream) if "vmid" in event.data]
    assert [event.kind for event in events] == ["vm.status_changed", "vm.created", "vm.deleted"]
    assert [event.data["id"] for event in events] == [ids[101], ids[102], ids[101]]


def test_stop_and_delete_are_told_once(cluster: Cluster, observer: Any, fresh_sandbox: RunningSandbox) -> None:
    inventory.refresh_all()
    fresh_sandbox.wait(observer.nodes("pve1").qemu(101).status.stop.post())
    inventory.refresh_all()
    fresh_sandbox.wait(observer.nodes("pve1").qemu(101).delete())
    inventory.refresh_all()
    inventory.refresh_all()

    assert told(cluster)[1:] == [("vm.status_changed", 101), ("vm.deleted", 101)]
    assert Guest.objects.get(vmid=101).missing_since is not None


def test_silent_cluster_keeps_its_rows(db: None) -> None:
    cluster = make_cluster(is_sandbox=True)
    inventory.store(cluster, [row(100)])

    inventory.refresh_all()
    inventory.refresh_all()

    guest = Guest.objects.get()
    assert (guest.status, guest.missing_since) == ("running", None)
    cluster.refresh_from_db()
    assert "refused the connection" in cluster.last_error
    assert [kind for kind, _ in told(cluster)] == ["cluster.read", "cluster.unreachable"]

    inventory.store(cluster, [row(100)])
    cluster.refresh_from_db()
    assert cluster.last_error == ""
    assert told(cluster)[-1] == ("cluster.reachable", None)


def test_one_silent_cluster_does_not_stop_the_others(cluster: Cluster) -> None:
    make_cluster(organization=cluster.organization)

    inventory.refresh_all()

    assert Guest.objects.filter(cluster=cluster).exists()


def test_quiet_figures_are_not_written_each_time(db: None) -> None:
    cluster = make_cluster()
    inventory.store(cluster, [row(100)])
    inventory.store(cluster, [row(100, uptime=10, cpu_load=0.7)])
    assert Guest.objects.get().uptime == 5

    inventory.store(cluster, [row(100, uptime=15, status="stopped")])
    assert Guest.objects.get().uptime == 15


def test_many_changes_are_one_event(db: None) -> None:
    cluster = make_cluster()
    inventory.store(cluster, [])
    cluster.refresh_from_db()

    inventory.store(cluster, [row(vmid) for vmid in range(100, 150)])

    assert Event.objects.of(cluster.stream).last().data["counts"] == {"vm.created": 50}


@pytest.mark.parametrize("size", [1, 400])
def test_store_writes_in_batches_and_never_row_by_row(
    db: None, django_assert_max_num_queries: DjangoAssertNumQueries, size: int
) -> None:
    cluster = make_cluster()
    inventory.store(cluster, [row(vmid) for vmid in range(100, 100 + size)])
    with django_assert_max_num_queries(30):
        inventory.store(cluster, [row(vmid, status="stopped") for vmid in range(100, 100 + size)])


def test_guest_that_comes_back_is_no_longer_missing(db: None) -> None:
    cluster = make_cluster()
    inventory.store(cluster, [row(100)])
    inventory.store(cluster, [])
    inventory.store(cluster, [row(100, name="again")])

    guest = Guest.objects.get()
    assert (guest.name, guest.missing_since) == ("again", None)
