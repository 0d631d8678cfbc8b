"""What the apps above call: readings are clear or Unavailable, steps are what the plan needs."""

from typing import Any

import pytest
from pytest_django import Settings

from alma.errors import Invalid, NotFound, Unavailable
from tests.factories.vms import GIB, guest_spec, make_claim, make_cluster
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.conftest import Runner
from vms.models import Cluster, GuestClaim
from vms.services import (
    LEVELS,
    CloudInit,
    GuestRef,
    claims_of,
    create_steps,
    default_cluster,
    delete_steps,
    owned_guests,
    read_cluster,
    register_cluster,
    update_steps,
)  # fmt: skip


def test_default_cluster_is_the_first_enabled(db: None) -> None:
    first = make_cluster()
    second = make_cluster(organization=first.organization)
    assert default_cluster(first.organization_id) == first
    Cluster.objects.filter(pk=first.pk).update(is_enabled=False)
    assert default_cluster(first.organization_id) == second


def test_no_cluster_is_said_so(db: None) -> None:
    with pytest.raises(NotFound) as error:
        default_cluster(4711)
    assert error.value.code == "NO_CLUSTER"


def test_registering_again_updates(db: None) -> None:
    cluster = make_cluster(slug="main")
    again = register_cluster(
        organization_id=cluster.organization_id,
        slug="main",
        name="Main",
        host="pve.example",
        token_id="a@pve!b",
        token_secret="s",
    )
    assert again.pk == cluster.pk
    assert (again.name, again.token_secret) == ("Main", "s")


def test_registering_nonsense_names_the_field(db: None) -> None:
    cluster = make_cluster()
    with pytest.raises(Invalid) as error:
        register_cluster(
            organization_id=cluster.organization_id, slug="x", name="X", host="a b", token_id="root", token_secret="s"
        )
    assert set(error.value.details or ()) == {"host", "token_id"}
    assert Cluster.objects.count() == 1


@pytest.mark.parametrize("pattern", ["/cluster/resources", "/version", "/nodes/pve1/network", "*/content"])
def test_reading_is_whole_or_unavailable(fresh_sandbox: RunningSandbox, cluster: Cluster, pattern: str) -> None:
    fresh_sandbox.core.faults.answer_next(596, "Connection timed out", "GET", pattern)
    with pytest.raises(Unavailable) as error:
        read_cluster(cluster)
    assert error.value.code == "CLUSTER_UNREACHABLE"
    assert read_cluster(cluster).guests


def test_offline_node_is_read_as_offline(fresh_sandbox: RunningSandbox, cluster: Cluster) -> None:
    fresh_sandbox.core.faults.take_offline("pve3")
    reading = read_cluster(cluster)
    assert {node.name for node in reading.online_nodes()} == {"pve1", "pve2"}
    assert "pve3" not in reading.bridges


def test_pulse_beats_between_calls(cluster: Cluster) -> None:
    beats: list[int] = []
    read_cluster(cluster, pulse=lambda: beats.append(1))
    assert len(beats) > 3


@pytest.mark.parametrize("fault", ["offline", "500", "no quorum"])
def test_owned_guests_are_never_left_out(
    fresh_sandbox: RunningSandbox, cluster: Cluster, runner: Runner, fault: str
) -> None:
    runner.run([step for key in "ab" for step in create_steps(guest_spec(cluster, key=key))])
    faults = fresh_sandbox.core.faults
    if fault == "offline":
        faults.take_offline("pve1")
    else:
        faults.answer_next(
            500, "cluster not ready - no quorum?" if fault == "no quorum" else "it broke", "GET", "*/5001/config"
        )

    with pytest.raises(Unavailable):
        owned_guests(cluster, "test")
    faults.clear()
    assert [guest.is_ours for guest in owned_guests(cluster, "test")] == [True, True]


def test_guest_of_another_and_no_guest_are_told_apart(cluster: Cluster) -> None:
    make_claim(cluster, key="gone", vmid=7000)
    make_claim(cluster, key="taken", vmid=110)

    gone, taken = owned_guests(cluster, "test")

    assert (gone.key, gone.reading, gone.is_ours) == ("gone", None, False)
    assert taken.reading is not None
    assert (taken.reading.name, taken.is_ours) == ("gitlab", False)
    assert claims_of(cluster, "test") == list(GuestClaim.objects.order_by("key"))


def test_many_guests_on_a_slow_cluster_are_read_in_time(
    fresh_sandbox: RunningSandbox, cluster: Cluster, settings: Settings
) -> None:
    for number in range(24):
        make_claim(cluster, key=f"web-{number:02}", vmid=7000 + number)
    settings.ALMA_CLUSTER_TOTAL_SECONDS = 4
    fresh_sandbox.core.faults.latency = 0.15  # one after the other: 24 guests x 2 calls x 0.15 s

    found = owned_guests(cluster, "test")

    assert [guest.key for guest in found] == [f"web-{number:02}" for number in range(24)]


def test_one_guest_of_many_without_an_answer_is_not_left_out(fresh_sandbox: RunningSandbox, cluster: Cluster) -> None:
    for number in range(20):
        make_claim(cluster, key=f"web-{number:02}", vmid=7000 + number)
    fresh_sandbox.core.faults.answer_next(500, "it broke", "GET", "*/7013/config")
    with pytest.raises(Unavailable):
        owned_guests(cluster, "test")


def test_change_that_waits_for_a_restart_is_read(cluster: Cluster, runner: Runner, observer: Any) -> None:
    runner.run(create_steps(guest_spec(cluster)))
    observer.nodes("pve1").qemu(5000).config.put(cores=8)

    (owned,) = owned_guests(cluster, "test")

    assert owned.reading is not None
    assert owned.reading.pending == ("cores",)


def test_steps_stay_within_their_levels_and_hold_plain_values(cluster: Cluster) -> None:
    spec = guest_spec(cluster, tags=("a",), cloud_init=CloudInit(ssh_keys=("ssh-ed25519 AAAA x",)))
    ref = GuestRef(cluster=cluster.pk, owner="test", key="web", node="pve1")
    for steps in (create_steps(spec, 8), update_steps(spec, 8, restart=True), delete_steps(ref, 8)):
        levels = [step.level for step in steps]
        assert levels == sorted(levels)
        assert all(8 <= level < 8 + LEVELS for level in levels)
        assert all(step.key == "web" and step.params["cluster"] == cluster.pk for step in steps)
    assert create_steps(spec)[0].params["cloud_init"]["ssh_keys"] == ["ssh-ed25519 AAAA x"]
    assert create_steps(spec)[0].params["tags"] == ["a"]
    assert [step.kind for step in update_steps(spec)] == ["guest.configure", "guest.start", "guest.verify"]


def test_guest_that_shall_not_run_is_not_started(cluster: Cluster, runner: Runner) -> None:
    job = runner.run(create_steps(guest_spec(cluster, running=False, disk_bytes=GIB)))
    assert job.error is None
    assert job.steps.get(kind="guest.verify").evidence["status"] == "stopped"


def test_a_template_on_shared_storage_is_cloned_to_another_node(
    fresh_sandbox: RunningSandbox, cluster: Cluster, runner: Runner, observer: Any
) -> None:
    shared = next(s.name for s in read_cluster(cluster).storages if s.is_shared and "images" in s.content)
    guests = observer.nodes("pve1").qemu
    fresh_sandbox.wait(guests.post(vmid=9500, name="shared", memory=512, scsi0=f"{shared}:4", description="theirs"))
    fresh_sandbox.wait(guests(9500).template.post())

    assert 9500 in read_cluster(cluster).shared_templates
    spec = guest_spec(cluster, template_vmid=9500, template_node="pve1", node="pve2", storage=shared)
    assert runner.run(create_steps(spec)).error is None
    (owned,) = owned_guests(cluster, "test")
    assert owned.node == "pve2"
