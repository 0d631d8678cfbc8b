"""Disks and network cards beside the first, made on the sandbox over TLS, changed, and taken back."""

from typing import Any

import pytest

from alma.accounts.actors import Actor
from iprs.models import IPR
from tests.iprs.test_deployments import actor, cluster, deployed, proposed, resource
from tests.iprs.test_rollback import again, changed, rolled_back
from vms.models import Cluster, GuestClaim

__all__ = ["actor", "cluster"]

pytestmark = pytest.mark.django_db(transaction=True)
BACK = {"bridge": "vmbr0", "vlan": 20, "ip": "10.1.0.5/24", "gateway": "10.1.0.1", "mac": "BC:24:11:00:00:77"}


def config_of(sandbox: Any, key: str) -> dict[str, Any]:
    claim = GuestClaim.objects.active().get(key=key)
    kind = "lxc" if claim.kind == "lxc" else "qemu"
    values: dict[str, Any] = sandbox.proxmoxer().nodes(claim.node)(kind)(claim.vmid).config.get()
    return values


def is_nothing_left_to_do(ipr: IPR, actor: Actor) -> bool:
    plan = proposed(actor, blueprint=ipr.blueprint).current_plan
    assert plan is not None
    return set(plan.summary) == {"noop"}


def test_a_clone_gets_its_disks_and_cards_and_grows_them_while_it_runs(
    cluster: Cluster, actor: Actor, fresh_sandbox: Any
) -> None:
    ipr = proposed(actor, resource("web", disks=["5GB", {"size": "1GB", "storage": "shared"}], networks=[BACK]))
    deployment = deployed(ipr, actor)

    assert (deployment.status, deployment.job.error) == ("completed", None)
    config = config_of(fresh_sandbox, "web")
    assert config["scsi1"].endswith("size=5G")
    assert config["scsi2"].startswith("shared:")
    assert config["net1"] == "virtio=BC:24:11:00:00:77,bridge=vmbr0,tag=20"
    assert config["ipconfig1"] == "ip=10.1.0.5/24,gw=10.1.0.1"
    assert is_nothing_left_to_do(ipr, actor)

    disks = ["7GB", {"size": "2GB", "storage": "shared"}, "1GB"]
    second = changed(ipr, actor, resource("web", disks=disks, networks=[{**BACK, "vlan": 30}, "vmbr0"]))
    assert second.current_plan is not None
    assert not second.current_plan.items.get().needs_restart
    assert deployed(second, actor).status == "completed"
    grown = config_of(fresh_sandbox, "web")
    assert [grown[slot].rpartition("size=")[2] for slot in ("scsi1", "scsi2", "scsi3")] == ["7G", "2G", "1G"]
    assert grown["scsi1"].partition(",")[0] == config["scsi1"].partition(",")[0], "the same volume"
    assert "tag=30" in grown["net1"]
    assert "bridge=vmbr0" in grown["net2"]
    assert is_nothing_left_to_do(second, actor)


def test_a_container_gets_its_mount_points_and_cards(cluster: Cluster, actor: Actor, fresh_sandbox: Any) -> None:
    disks = [{"size": "2GB", "mount": "/srv/data"}]
    ipr = proposed(actor, resource("proxy", kind="lxc", os="debian-12", disks=disks, networks=[BACK]))
    assert deployed(ipr, actor).status == "completed"
    config = config_of(fresh_sandbox, "proxy")
    assert (config["mp0"].split(",")[1:]) == ["mp=/srv/data", "size=2G"]
    assert "name=eth1" in config["net1"]
    assert "ip=10.1.0.5/24" in config["net1"]
    assert "hwaddr=BC:24:11:00:00:77" in config["net1"]
    assert is_nothing_left_to_do(ipr, actor)

    more = [{"size": "3GB", "mount": "/srv/data"}, "1GB"]
    second = changed(ipr, actor, resource("proxy", kind="lxc", os="debian-12", disks=more, networks=[BACK]))
    assert deployed(second, actor).status == "completed"
    grown = config_of(fresh_sandbox, "proxy")
    assert (grown["mp0"].rpartition("=")[2], "mp=/mnt/data2" in grown["mp1"]) == ("3G", True)
    assert is_nothing_left_to_do(second, actor)


def test_many_disks_grow_one_after_the_other(cluster: Cluster, actor: Actor, fresh_sandbox: Any) -> None:
    ipr = proposed(actor, resource("db", disks=["1GB"] * 7))
    deployed(ipr, actor)
    second = changed(ipr, actor, resource("db", disks=["2GB"] * 7))
    assert deployed(second, actor).status == "completed"
    config = config_of(fresh_sandbox, "db")
    assert {config[f"scsi{number}"].rpartition("=")[2] for number in range(1, 8)} == {"2G"}


def test_a_rollback_takes_a_new_disk_off_and_keeps_what_is_on_it(
    cluster: Cluster, actor: Actor, fresh_sandbox: Any
) -> None:
    ipr = proposed(actor, resource("web"))
    deployed(ipr, actor)
    second = changed(ipr, actor, resource("web", disks=["5GB"], networks=[BACK]), resource("new", "web"))
    fresh_sandbox.core.faults.fail_next("qmclone", "out of luck", count=9)
    failed = deployed(second, actor)
    assert (failed.status, "scsi1" in config_of(fresh_sandbox, "web")) == ("failed", True)

    done = again(rolled_back(failed, actor))

    assert (done.status, done.rollback and done.rollback.error) == ("rolled_back", None)
    config = config_of(fresh_sandbox, "web")
    assert {"scsi1", "net1", "ipconfig1"} & config.keys() == set()
    assert config["unused0"].partition(",")[0].endswith("vm-5000-disk-1.qcow2")


def test_a_disk_in_the_place_of_something_else_stops_before_anything_is_lost(
    cluster: Cluster, actor: Actor, fresh_sandbox: Any
) -> None:
    ipr = proposed(actor, resource("web"))
    deployed(ipr, actor)
    claim = GuestClaim.objects.get(key="web")
    machine = fresh_sandbox.proxmoxer().nodes(claim.node).qemu(claim.vmid)
    machine.config.put(scsi1="none,media=cdrom")
    failed = deployed(changed(ipr, actor, resource("web", disks=["5GB"])), actor)
    assert failed.status == "failed"
    assert failed.job.error is not None
    assert failed.job.error["code"] == "SLOT_TAKEN"
    assert machine.config.get()["scsi1"] == "none,media=cdrom"
