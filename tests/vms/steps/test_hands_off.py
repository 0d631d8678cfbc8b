"""Hands off: what is not ours by ledger and marker is never touched, and what others did to ours is seen."""

from typing import Any

import pytest

from tests.factories.vms import GIB, guest_spec, make_cluster
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.conftest import Runner
from tests.vms.steps.conftest import CREATE, Meddler, ours, ref
from vms.models import Cluster, GuestClaim
from vms.services import GuestRef, create_steps, delete_steps, update_steps


def test_foreign_guest_keeps_its_number(
    fresh_sandbox: RunningSandbox, cluster: Cluster, runner: Runner, observer: Any
) -> None:
    node = observer.nodes("pve1")
    fresh_sandbox.wait(node.qemu.post(vmid=5000, name="theirs", cores=1, memory=512, description="hands off"))
    before = node.qemu(5000).config.get()

    job = runner.run(create_steps(guest_spec(cluster)))

    assert job.error is None
    assert ours(fresh_sandbox) == [5001]
    assert node.qemu(5000).config.get() == before
    assert list(GuestClaim.objects.values_list("vmid", "state")) == [(5000, "foreign"), (5001, "live")]
    assert fresh_sandbox.count("POST", CREATE, 5000) == 1, "only the stranger's own"
    assert any("not ours" in line for line in runner.log(job))


def test_number_of_a_guest_that_may_not_be_seen_is_given_up(
    fresh_sandbox: RunningSandbox, cluster: Cluster, runner: Runner
) -> None:
    text = "unable to create VM 5000 - VM 5000 already exists on node 'pve2'"
    fresh_sandbox.core.faults.answer_next(500, text, "POST", "*/qemu", count=3)

    job = runner.run(create_steps(guest_spec(cluster)))

    assert job.error is None
    assert ours(fresh_sandbox) == [5001]


def test_locked_guest_is_waited_for(
    fresh_sandbox: RunningSandbox, cluster: Cluster, runner: Runner, meddler: Meddler
) -> None:
    runner.run(create_steps(guest_spec(cluster)))
    config = fresh_sandbox.core.state.guests.get(5000).config
    config["lock"] = "backup"
    asked: list[int] = []

    def unlock() -> None:
        asked.append(fresh_sandbox.count("PUT", "/nodes/{node}/qemu/{vmid}/config", 5000))
        del config["lock"]

    meddler.later(0.8, unlock)

    job = runner.run(update_steps(guest_spec(cluster, tags=("new",))))

    assert job.error is None
    assert asked == [0], "nothing was sent while it was locked"
    assert "Waiting: VMID 5000 is locked (backup)." in runner.log(job)


@pytest.mark.parametrize("steps", [delete_steps, lambda guest: update_steps(guest_spec_of(guest), restart=True)])
def test_guest_without_our_marker_is_never_touched(
    fresh_sandbox: RunningSandbox, cluster: Cluster, runner: Runner, observer: Any, steps: Any
) -> None:
    runner.run(create_steps(guest_spec(cluster)))
    guest = observer.nodes("pve1").qemu(5000)
    guest.config.put(description="mine now")
    before = guest.config.get()

    job = runner.run(steps(ref(cluster)))

    assert job.error["code"] == "GUEST_NOT_OURS"
    assert guest.config.get() == before
    assert guest.status.current.get()["status"] == "running"
    assert GuestClaim.objects.get().state == "live"


def guest_spec_of(guest: GuestRef) -> Any:
    return guest_spec(Cluster.objects.get(pk=guest.cluster), cores=8)


def test_disk_is_never_shrunk(cluster: Cluster, runner: Runner) -> None:
    runner.run(create_steps(guest_spec(cluster)))

    job = runner.run(update_steps(guest_spec(cluster, disk_bytes=4 * GIB)))

    assert job.error["code"] == "DISK_CANNOT_SHRINK"


def test_guest_deleted_behind_our_back_is_missed_and_not_made_again(
    fresh_sandbox: RunningSandbox, cluster: Cluster, runner: Runner, observer: Any
) -> None:
    runner.run(create_steps(guest_spec(cluster)))
    fresh_sandbox.wait(observer.nodes("pve1").qemu(5000).status.stop.post())
    fresh_sandbox.wait(observer.nodes("pve1").qemu(5000).delete())

    assert runner.run(update_steps(guest_spec(cluster))).error["code"] == "GUEST_MISSING"
    assert ours(fresh_sandbox) == []

    job = runner.run(create_steps(guest_spec(cluster)))

    assert job.error is None
    assert list(GuestClaim.objects.values_list("vmid", "state")) == [(5000, "released"), (5001, "live")]


def test_guest_that_was_moved_is_found_and_not_made_again(
    fresh_sandbox: RunningSandbox, cluster: Cluster, runner: Runner
) -> None:
    runner.run(create_steps(guest_spec(cluster, storage="shared"))[:2])
    fresh_sandbox.core.state.guests.get(5000).node = "pve3"

    job = runner.run(update_steps(guest_spec(cluster, storage="shared", tags=("moved",))))

    assert job.error is None
    assert GuestClaim.objects.get().node == "pve3"


def test_numbers_run_out_with_a_sentence(cluster: Cluster, runner: Runner) -> None:
    Cluster.objects.update(vmid_first=6000, vmid_last=6000)
    runner.run(create_steps(guest_spec(cluster)))

    job = runner.run(create_steps(guest_spec(cluster, key="db")))

    assert job.error["code"] == "VMID_RANGE_EXHAUSTED"


def test_cluster_of_another_organization_is_out_of_reach(cluster: Cluster, runner: Runner) -> None:
    other = make_cluster()

    job = runner.run(create_steps(guest_spec(other)))

    assert job.error["code"] == "CLUSTER_GONE"
