"""Making a machine from a disk image or an ISO that lies on a storage of its cluster, on a sandbox over TLS."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.accounts.scopes import EVERYTHING
from alma.errors import Invalid
from alma.jobs.models import Job
from tests.factories.accounts import make_key
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.operations.conftest import see
from tests.vms.steps.conftest import ours
from vms import images
from vms.models import Cluster, ClusterImage, ClusterStorage, Guest, GuestClaim
from vms.operations.making import Machine, create
from vms.specs import CloudInit

Finish = Callable[[Job], Job]
DISK = "local:import/debian-12-genericcloud-amd64.qcow2"
ISO = "local:iso/debian-12.12.0-amd64-netinst.iso"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1HDfpvQBLG1Z2Aki0dBUDqEYH0GQaa7pN0Iqy5NvCa me@here"
WISH = Machine(name="from-image", image=DISK, cores=2, memory_mib=2048, disk_gib=20)


@pytest.fixture(autouse=True)
def known(cluster: Cluster, environment: Environment) -> None:
    see(cluster)
    images.read_due()


def test_a_disk_image_is_imported_and_grows(cluster: Cluster, by: Actor, finish: Finish, observer: Any) -> None:
    init = CloudInit(user="deploy", ssh_keys=(KEY,), ip="192.168.1.102/24")
    guest, job = create(replace(WISH, init=init, vlan=100, has_firewall=True), by=by)
    finish(job)
    assert job.error is None, job.error
    guest.refresh_from_db()
    config = observer.nodes(guest.node).qemu(guest.vmid).config.get()
    assert (guest.status, guest.disk_bytes, job.params["template"]) == ("running", 20 * 1024**3, DISK)
    assert "size=20G" in config["scsi0"] and "import-from" not in config["scsi0"]
    assert "cloudinit" in config["ide2"] and (config["ciuser"], config["ipconfig0"]) == (
        "deploy",
        "ip=192.168.1.102/24",
    )
    assert config["boot"].startswith("order=scsi0") and "tag=100" in config["net0"]


def test_a_disk_is_never_smaller_than_its_image(cluster: Cluster, by: Actor, finish: Finish, observer: Any) -> None:
    guest, job = create(replace(WISH, disk_gib=1), by=by)
    finish(job)
    assert job.error is None, job.error
    guest.refresh_from_db()
    assert "size=3G" in observer.nodes(guest.node).qemu(guest.vmid).config.get()["scsi0"]


def test_an_iso_lies_in_the_drive_of_an_empty_machine(
    cluster: Cluster, by: Actor, finish: Finish, observer: Any
) -> None:
    guest, job = create(replace(WISH, image=ISO), by=by)
    finish(job)
    assert job.error is None, job.error
    guest.refresh_from_db()
    config = observer.nodes(guest.node).qemu(guest.vmid).config.get()
    assert config["ide2"].startswith(f"{ISO},media=cdrom") and "size=20G" in config["scsi0"]
    assert config["boot"].startswith("order=scsi0;ide2") and "ipconfig0" not in config


@pytest.mark.parametrize(
    ("wish", "field", "told"),
    [
        ({"image": "local:import/plan9.qcow2"}, "image", f"images: {DISK}, "),
        ({"image": "", "template": "plan9"}, "template", "templates: debian-12-cloudinit, "),
        ({"image": "local:vztmpl/alpine-3.22-default_20250617_amd64.tar.xz"}, "image", "an archive of a container"),
        ({"image": ISO, "disk_gib": 0}, "configuration.storage_gb", "say how large"),
        ({"image": ISO, "init": CloudInit(user="deploy")}, "image", "installed by hand"),
        ({"cluster": "nowhere"}, "cluster", "no such cluster"),
    ],
    ids=["no image", "no template", "container", "no size", "cloud-init", "no cluster"],
)
def test_what_cannot_be_made_from_an_image(
    cluster: Cluster, by: Actor, wish: dict[str, Any], field: str, told: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        create(replace(WISH, **wish), by=by)
    assert refusal.value.details[0]["field"] == field and told in refusal.value.message
    assert not Job.objects.exists() and not GuestClaim.objects.exists()


def test_an_image_that_went_meanwhile_ends_the_job_with_those_that_stay(
    cluster: Cluster, by: Actor, finish: Finish, fresh_sandbox: RunningSandbox, observer: Any
) -> None:
    _, job = create(WISH, by=by)
    for node in ("pve1", "pve2", "pve3"):
        fresh_sandbox.wait(observer.nodes(node).storage("local").content(DISK).delete())
    finish(job)
    assert job.error is not None and job.error["code"] == "IMAGE_MISSING"
    assert "local:import/ubuntu-24.04-server-cloudimg-amd64.qcow2" in job.error["message"]
    assert ours(fresh_sandbox) == []


def test_a_machine_goes_to_a_node_that_sees_its_image(
    cluster: Cluster, by: Actor, finish: Finish, fresh_sandbox: RunningSandbox, observer: Any
) -> None:
    for node in ("pve1", "pve3"):
        fresh_sandbox.wait(observer.nodes(node).storage("local").content(DISK).delete())
    guest, job = create(WISH, by=by)
    finish(job)
    guest.refresh_from_db()
    assert (job.error, guest.node) == (None, "pve2")


@pytest.mark.parametrize(
    ("body", "status", "notes"),
    [
        ({"template": DISK}, 201, []),
        ({"template": "debian-12-genericcloud-amd64.qcow2"}, 201, []),
        ({"image": "debian-12-genericcloud-amd64.qcow2"}, 201, []),
        ({"image": DISK, "template": "debian-12"}, 422, None),
        ({}, 422, None),
        ({"image": "../../etc/passwd"}, 422, None),
    ],
    ids=["volume as template", "file as template", "file", "both", "neither", "path"],
)
def test_the_body_names_an_image(cluster: Cluster, body: dict[str, str], status: int, notes: Any) -> None:
    key = make_key(EVERYTHING, organization=cluster.organization)[1]
    client = Client(headers={"Authorization": f"Bearer {key}"})
    answer = client.post("/v1/vms", {"name": "web", **body}, content_type="application/json")
    assert answer.status_code == status, answer.content
    if status == 201:
        vm = answer.json()["data"]["vm"]
        assert vm["notes"] == notes
        assert Job.objects.get(public_id=vm["creation_job_id"]).params["template"] == DISK


def test_a_system_without_template_is_taken_from_an_image(cluster: Cluster, by: Actor) -> None:
    Guest.objects.filter(cluster=cluster, name__startswith="debian-12").delete()
    _, job = create(replace(WISH, image="", template="debian-12"), by=by)
    assert job.params["template"] == DISK


def test_images_are_read_once_a_minute_and_forgotten_when_gone(
    cluster: Cluster, fresh_sandbox: RunningSandbox, observer: Any
) -> None:
    def calls() -> int:
        return fresh_sandbox.count("GET", "/nodes/{node}/storage/{storage}/content")

    disks = ClusterImage.objects.filter(kind="import")
    assert {row.node for row in disks} == {"pve1", "pve2", "pve3"}
    assert set(ClusterImage.objects.filter(storage="shared").values_list("node", flat=True)) == {""}
    before = calls()
    images.read_due()
    assert calls() == before
    fresh_sandbox.wait(observer.nodes("pve1").storage("local").content(DISK).delete())
    ClusterStorage.objects.update(images_asked_at=timezone.now() - timedelta(seconds=61))
    images.read_due()
    assert set(disks.filter(volume=DISK).values_list("node", flat=True)) == {"pve2", "pve3"}
    fresh_sandbox.stop()
    ClusterStorage.objects.update(images_asked_at=timezone.now() - timedelta(seconds=61))
    images.read_due()
    assert disks.filter(volume=DISK).count() == 2, "what was not told stays"
