"""Whole jobs against the sandbox over TLS: create, change, delete."""

from typing import Any

import pytest

from tests.factories.vms import GIB, guest_spec
from tests.vms.conftest import Runner
from vms.models import Cluster, GuestClaim
from vms.proxmox.values import parse_properties
from vms.services import CloudInit, GuestRef, create_steps, delete_steps, owned_guests, read_cluster, update_steps


def test_vm_from_scratch_runs_as_planned(observer: Any, cluster: Cluster, runner: Runner) -> None:
    job = runner.run(create_steps(guest_spec(cluster, vlan=12, tags=("web", "Prod"), note="Declared by a blueprint.")))

    assert job.error is None
    claim = GuestClaim.objects.get()
    assert (claim.state, claim.vmid) == ("live", 5000)
    config = observer.nodes("pve1").qemu(5000).config.get()
    assert config["description"].splitlines()[0] == f"alma:{claim.pk}"
    assert "Declared by a blueprint." in config["description"]
    assert config["tags"] == "alma;prod;web"
    assert (config["cores"], int(config["memory"])) == (2, 2048)
    assert "bridge=vmbr0" in config["net0"]
    assert "tag=12" in config["net0"]
    assert observer.nodes("pve1").qemu(5000).status.current.get()["status"] == "running"
    assert job.steps.get(kind="guest.verify").evidence["disk_bytes"] == 8 * GIB


def test_vm_from_template_takes_the_plans_figures(cluster: Cluster, runner: Runner) -> None:
    template = read_cluster(cluster).template("debian-12-cloudinit")
    assert template is not None
    init = CloudInit(
        user="admin",
        ssh_keys=("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBd me@here",),
        ip="10.0.0.5/24",
        gateway="10.0.0.1",
    )
    spec = guest_spec(
        cluster,
        template_vmid=template.vmid,
        template_node=template.node,
        cores=4,
        memory_bytes=3 * GIB,
        disk_bytes=20 * GIB,
        cloud_init=init,
        tags=("db",),
    )

    job = runner.run(create_steps(spec))

    assert job.error is None
    (owned,) = owned_guests(cluster, "test")
    assert owned.is_ours
    assert owned.reading is not None
    assert (owned.reading.cores, owned.reading.memory_bytes, owned.reading.disk_bytes) == (4, 3 * GIB, 20 * GIB)
    assert owned.reading.tags == ("alma", "db"), "not those of the template"
    assert owned.reading.config["ipconfig0"] == "ip=10.0.0.5/24,gw=10.0.0.1"
    assert owned.reading.config["ciuser"] == "admin"


def test_container_from_archive(cluster: Cluster, runner: Runner) -> None:
    archive = read_cluster(cluster).ostemplates[0]
    spec = guest_spec(cluster, kind="lxc", ostemplate=archive.volid, node=archive.node, memory_bytes=GIB // 2)

    job = runner.run(create_steps(spec))

    assert job.error is None
    (owned,) = owned_guests(cluster, "test")
    assert owned.reading is not None
    assert (owned.kind, owned.reading.status, owned.reading.disk) == ("lxc", "running", "rootfs")


def test_update_with_restart_takes_effect(cluster: Cluster, runner: Runner) -> None:
    runner.run(create_steps(guest_spec(cluster)))

    job = runner.run(
        update_steps(guest_spec(cluster, cores=4, memory_bytes=4 * GIB, disk_bytes=12 * GIB), restart=True)
    )

    assert job.error is None
    (owned,) = owned_guests(cluster, "test")
    assert owned.reading is not None
    assert (owned.reading.cores, owned.reading.memory_bytes, owned.reading.disk_bytes) == (4, 4 * GIB, 12 * GIB)
    assert owned.reading.pending == ()


def test_update_without_restart_is_not_taken_for_done(cluster: Cluster, runner: Runner) -> None:
    runner.run(create_steps(guest_spec(cluster)))

    job = runner.run(update_steps(guest_spec(cluster, cores=4)))

    assert job.steps.get(kind="guest.configure").state == "succeeded_with_warnings"
    assert job.error is not None
    assert job.error["code"] == "VERIFY_MISMATCH"
    assert "cores takes effect at the next start only" in job.error["message"]


def test_delete_removes_the_guest_and_releases_its_number(observer: Any, cluster: Cluster, runner: Runner) -> None:
    runner.run(create_steps(guest_spec(cluster)))

    job = runner.run(delete_steps(GuestRef(cluster=cluster.pk, owner="test", key="web", node="pve1")))

    assert job.error is None
    assert GuestClaim.objects.get().state == "released"
    assert owned_guests(cluster, "test") == []
    assert 5000 not in {row["vmid"] for row in observer.cluster.resources.get(type="vm")}


def test_number_is_never_used_twice(cluster: Cluster, runner: Runner) -> None:
    runner.run(create_steps(guest_spec(cluster)))
    runner.run(delete_steps(GuestRef(cluster=cluster.pk, owner="test", key="web", node="pve1")))

    runner.run(create_steps(guest_spec(cluster)))

    assert list(GuestClaim.objects.values_list("vmid", "state")) == [(5000, "released"), (5001, "live")]


def test_tags_that_people_gave_stay(cluster: Cluster, runner: Runner, observer: Any) -> None:
    runner.run(create_steps(guest_spec(cluster, tags=("web",))))
    observer.nodes("pve1").qemu(5000).config.put(tags="alma;web;theirs")

    runner.run(update_steps(guest_spec(cluster, tags=("web", "new"))))

    assert observer.nodes("pve1").qemu(5000).config.get()["tags"] == "alma;new;theirs;web"


@pytest.mark.parametrize("kind", ["vm", "lxc"])
def test_an_address_of_ipv6_is_asked_for_by_its_own_name(
    observer: Any, cluster: Cluster, runner: Runner, kind: str
) -> None:
    found, init = read_cluster(cluster), CloudInit(ip="fd00:12::5/64", gateway="fd00:12::1")
    template, archive = found.template("debian-12-cloudinit"), found.ostemplates[0]
    assert template is not None
    of_vm = {"template_vmid": template.vmid, "template_node": template.node}
    source = of_vm if kind == "vm" else {"ostemplate": archive.volid, "node": archive.node}
    job = runner.run(create_steps(guest_spec(cluster, kind=kind, cloud_init=init, **source)))

    assert job.error is None
    (owned,) = owned_guests(cluster, "test")
    assert owned.reading is not None
    said = parse_properties(owned.reading.config["net0" if kind == "lxc" else "ipconfig0"])
    assert (said["ip6"], said["gw6"]) == ("fd00:12::5/64", "fd00:12::1")
    card = owned.reading.cards["net0"]
    assert (card.ip, card.gateway) == ("fd00:12::5/64", "fd00:12::1")
