"""What people do to guests behind ALMA's back is noticed, told once, and forgotten when it is undone."""

from typing import Any

import pytest

from alma.events.models import Event
from tests.factories.vms import GIB, guest_spec, make_claim, make_cluster, make_guest
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.conftest import Runner
from vms import inventory
from vms.drift import watching
from vms.models import Cluster, Drift, Expectation, GuestClaim
from vms.services import GuestRef, create_steps, delete_steps, update_steps


def look(cluster: Cluster, *, whole: bool = True) -> None:
    """One reading of the inventory and one round of comparing."""
    if whole:
        Cluster.objects.filter(pk=cluster.pk).update(compared_at=None)
    inventory.refresh_all()
    watching.watch_all()


def told(cluster: Cluster, prefix: str = "vm.drift") -> list[tuple[str, Any]]:
    events = Event.objects.of(cluster.stream).filter(kind__startswith=prefix)
    return [(event.kind, event.data.get("changes", event.data.get("why"))) for event in events]


@pytest.fixture
def web(cluster: Cluster, runner: Runner, observer: Any) -> Any:
    """A guest of ours that was just made, by an independent client; its ledger row is 5000."""
    job = runner.run(create_steps(guest_spec(cluster, vlan=7, tags=("alma", "shop"))))
    assert job.error is None
    return observer.nodes("pve1").qemu(5000)


def test_a_guest_that_is_as_it_was_left_has_no_drift(cluster: Cluster, web: Any) -> None:
    look(cluster)

    assert not Drift.objects.exists()
    assert Expectation.objects.get().facts == {
        "cores": 2, "memory": 2 * GIB, "disk": 8 * GIB, "power": "running", "name": "web", "cards": {"net0": "vmbr0, VLAN 7"},
        "disks": {}, "tags": ["alma", "shop"],
    }  # fmt: skip
    cluster.refresh_from_db()
    assert cluster.compared_at is not None


def test_a_change_by_hand_is_told_once_with_before_and_after(cluster: Cluster, web: Any) -> None:
    look(cluster)
    web.config.put(cores=4, memory="4096")
    look(cluster)
    look(cluster)

    drift = Drift.objects.get()
    assert (drift.kind, drift.state) == ("changed", "open")
    assert drift.changes == [
        {"field": "cores", "before": 2, "after": 4},
        {"field": "memory", "before": 2 * GIB, "after": 4 * GIB},
    ]
    assert told(cluster) == [("vm.drifted", drift.changes)]


@pytest.mark.parametrize(
    ("values", "change"),
    [
        ({"name": "mine"}, {"field": "name", "before": "web", "after": "mine"}),
        (
            {"net0": "virtio,bridge=vmbr1,tag=7"},
            {"field": "network", "before": "vmbr0, VLAN 7", "after": "vmbr1, VLAN 7"},
        ),
        ({"net0": "virtio,bridge=vmbr0"}, {"field": "network", "before": "vmbr0, VLAN 7", "after": "vmbr0"}),
        ({"tags": "alma;extra"}, {"field": "tags", "before": ["alma", "shop"], "after": ["alma", "extra"]}),
    ],
)
def test_what_the_list_of_the_cluster_does_not_show_is_found_in_the_config(
    cluster: Cluster, web: Any, values: dict[str, str], change: dict[str, Any]
) -> None:
    web.config.put(**values)
    look(cluster)

    assert Drift.objects.get().changes == [change]


def test_a_tag_that_people_add_is_theirs(cluster: Cluster, web: Any) -> None:
    web.config.put(tags="alma;shop;favourite")
    look(cluster)

    assert not Drift.objects.exists()


def test_power_is_seen_without_waiting_for_a_whole_round(
    cluster: Cluster, web: Any, fresh_sandbox: RunningSandbox
) -> None:
    look(cluster)
    fresh_sandbox.wait(web.status.stop.post())
    look(cluster, whole=False)

    assert Drift.objects.get().changes == [{"field": "power", "before": "running", "after": "stopped"}]


def test_a_guest_that_is_as_before_again_settles(cluster: Cluster, web: Any) -> None:
    web.config.put(cores=4)
    look(cluster)
    web.config.put(cores=2)
    look(cluster, whole=False)

    drift = Drift.objects.get()
    assert (drift.state, drift.settled_as) == ("settled", "it is as it was left")
    assert [kind for kind, _ in told(cluster)] == ["vm.drifted", "vm.drift_settled"]


def test_a_deleted_guest_is_gone_and_never_made_again(
    cluster: Cluster, web: Any, fresh_sandbox: RunningSandbox
) -> None:
    fresh_sandbox.wait(web.status.stop.post())
    fresh_sandbox.wait(web.delete())
    look(cluster)
    look(cluster)

    drift = Drift.objects.get()
    assert (drift.kind, drift.state) == ("gone", "open")
    assert fresh_sandbox.count("POST", "/nodes/{node}/qemu") == 1
    assert GuestClaim.objects.get().state == "live"


def test_a_changed_guest_that_is_then_deleted_is_one_drift_after_the_other(
    cluster: Cluster, web: Any, fresh_sandbox: RunningSandbox
) -> None:
    web.config.put(cores=4)
    look(cluster)
    fresh_sandbox.wait(web.status.stop.post())
    fresh_sandbox.wait(web.delete())
    look(cluster)

    assert list(Drift.objects.order_by("pk").values_list("kind", "state")) == [("changed", "settled"), ("gone", "open")]


def test_a_guest_without_its_mark_is_told_and_left_alone(cluster: Cluster, web: Any) -> None:
    web.config.put(description="mine now")
    look(cluster)

    drift = Drift.objects.get()
    claim = GuestClaim.objects.get()
    assert drift.kind == "unmarked"
    assert drift.changes == [{"field": "mark", "before": claim.marker, "after": ""}]


def test_a_run_that_deals_with_it_ends_it(cluster: Cluster, web: Any, runner: Runner) -> None:
    web.config.put(cores=4)
    look(cluster)
    runner.run(update_steps(guest_spec(cluster, vlan=7, tags=("alma", "shop")), restart=True))
    look(cluster)

    assert Drift.objects.get().state == "settled"


def test_what_a_run_changes_is_expected_from_then_on(cluster: Cluster, web: Any, runner: Runner) -> None:
    look(cluster)
    runner.run(update_steps(guest_spec(cluster, vlan=7, cores=3, tags=("alma", "shop")), restart=True))
    look(cluster)

    assert not Drift.objects.exists()
    assert Expectation.objects.get().facts["cores"] == 3


def test_a_guest_that_the_ledger_gives_up_has_no_drift_any_more(cluster: Cluster, web: Any, runner: Runner) -> None:
    web.config.put(cores=4)
    look(cluster)
    runner.run(delete_steps(GuestRef(cluster=cluster.pk, owner="test", key="web", node="pve1")))
    look(cluster)

    drift = Drift.objects.get()
    assert (drift.state, drift.settled_as) == ("settled", "a run has given the guest up")


def test_nothing_is_concluded_while_a_run_works_on_the_guest(cluster: Cluster, web: Any, runner: Runner) -> None:
    web.config.put(cores=4)
    job = runner.make(update_steps(guest_spec(cluster)))
    GuestClaim.objects.update(job=job.public_id)
    look(cluster)

    assert not Drift.objects.exists()


def test_nothing_is_concluded_of_a_guest_that_proxmox_works_on(
    cluster: Cluster, web: Any, fresh_sandbox: RunningSandbox
) -> None:
    web.config.put(cores=4)
    fresh_sandbox.core.state.guests.get(5000).config["lock"] = "backup"
    look(cluster)

    assert not Drift.objects.exists()


def test_a_cluster_that_gives_no_clear_answer_is_skipped_whole(
    cluster: Cluster, web: Any, fresh_sandbox: RunningSandbox
) -> None:
    look(cluster)
    web.config.put(cores=4)
    Cluster.objects.update(compared_at=None)
    inventory.refresh_all()
    fresh_sandbox.core.faults.answer_next(596, "Connection timed out", "GET", "*/config", count=20)
    watching.watch_all()

    cluster.refresh_from_db()
    assert not Drift.objects.exists()
    assert cluster.compared_at is None


def test_an_old_inventory_says_nothing_of_guests_that_are_gone(db: None) -> None:
    cluster = make_cluster(is_sandbox=True)
    make_guest(cluster, vmid=5000)
    make_claim(cluster, vmid=5000, state="live")
    inventory.refresh_all()  # nothing answers there
    watching.watch_all()

    assert not Drift.objects.exists()


def test_a_row_of_the_ledger_without_a_known_run_is_judged_by_its_mark_alone(
    cluster: Cluster, observer: Any, fresh_sandbox: RunningSandbox
) -> None:
    claim = make_claim(cluster, vmid=5000, state="live")
    fresh_sandbox.wait(observer.nodes("pve1").qemu.post(vmid=5000, name="old", description=claim.marker, memory=512))
    look(cluster)

    assert not Drift.objects.exists()
