"""The page on which a machine is made: it offers what was last read, and keeps what was typed."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from alma.accounts.models import Environment
from alma.jobs.models import Job
from tests.factories.accounts import sign_in
from tests.factories.vms import make_cluster, make_guest
from vms.models import Cluster, ClusterImage, ClusterNode, Guest

DISK = "local:import/debian-12.qcow2"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1HDfpvQBLG1Z2Aki0dBUDqEYH0GQaa7pN0Iqy5NvCa me@here"


@pytest.fixture
def site(client: Client, operator: User, place: Cluster, development: Environment, production: Environment) -> Client:
    """With a template and images on a cluster, and another cluster that has none."""
    now = timezone.now()
    make_guest(place, vmid=9000, name="debian-12-cloudinit", is_template=True)
    ClusterNode.objects.create(cluster=place, name="pve1", is_online=True, seen_at=now)
    for kind, volume in (("import", DISK), ("iso", "local:iso/debian-12.iso"), ("vztmpl", "local:vztmpl/a.tar.zst")):
        ClusterImage.objects.create(cluster=place, node="pve1", storage="local", volume=volume, kind=kind, seen_at=now)
    make_cluster(organization=place.organization, slug="bare")
    foreign = make_cluster()
    ClusterImage.objects.create(
        cluster=foreign, storage="x", volume="x:iso/theirs.iso", kind="iso", size_bytes=1, seen_at=now
    )
    sign_in(client, operator)
    return client


def wish(place: Cluster, **values: Any) -> dict[str, Any]:
    return {
        "name": "app-1", "source": f"{place.slug}|{DISK}", "environment": "development", "cpu_cores": "2",
        "memory_mb": "2048", "storage_gb": "20", "user": "deploy", "ssh_keys": f"{KEY}\n\n", "tags": "web, nginx",
        "static_ip": "10.0.0.5/24", "schedule": "daily", "retention_days": "30", **values,
    }  # fmt: skip


def test_what_can_be_chosen_stands_by_cluster(
    site: Client, place: Cluster, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(14):
        html = site.get("/vms/new/").content.decode()
    groups = ("Rack 1: templates", "Rack 1: disk images", "Rack 1: ISO images")
    assert all(f'<optgroup label="{group}">' in html for group in groups)
    assert f'value="{place.slug}|{DISK}"' in html and f'value="{place.slug}|9000"' in html
    assert "theirs.iso" not in html and "vztmpl" not in html
    assert "people agree first" in html


def test_a_machine_is_begun_and_shown(site: Client, place: Cluster) -> None:
    answer = site.post("/vms/new/", wish(place))
    guest = Guest.objects.get(name="app-1")
    assert (answer.status_code, answer["Location"]) == (302, guest.get_absolute_url())
    job = Job.objects.get()
    create = job.steps.get(kind="guest.create").params
    assert (create["import_from"], create["cores"], create["tags"]) == (DISK, 2, ["web", "nginx"])
    assert (create["cloud_init"]["ssh_keys"], create["cloud_init"]["ip"]) == ([KEY], "10.0.0.5/24")
    assert job.steps.get(kind="backup.schedule").params["keep"] == "keep-daily=30,keep-last=1"


def test_in_a_protected_environment_people_are_asked(site: Client, place: Cluster, production: Environment) -> None:
    answer = site.post("/vms/new/", wish(place, environment=production.slug))
    assert answer.status_code == 302 and answer["Location"].startswith("/iprs/")
    assert Job.objects.get(kind="vm_creation").state == "waiting"


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"name": "-"}, "name", "Letters, digits and hyphens"),
        ({"cpu_cores": "0"}, "cpu_cores", "greater than or equal to 1"),
        ({"static_ip": "10.0.0.500"}, "static_ip", "Value is not a valid IPv4 or IPv6"),
        ({"source": "nowhere|x"}, "source", "is not one of the available choices"),
        ({"encrypt_disk": "on"}, "encrypt_disk", "is known to encrypt disks"),
        ({"tags": "web, <b>"}, "tags", "Each of letters"),
    ],
    ids=["name", "cores", "address", "source", "encryption", "tags"],
)
def test_what_is_wrong_stands_beside_its_field_and_the_rest_is_kept(
    site: Client, place: Cluster, change: dict[str, str], field: str, words: str
) -> None:
    answer = site.post("/vms/new/", wish(place, description="kept <words>", **change))
    html = answer.content.decode()
    assert answer.status_code == 422 and not Job.objects.exists()
    assert words in re.split(r"<div class=.field|<section", html.split(f'name="{field}"')[1])[0]
    assert "kept &lt;words&gt;" in html and KEY in html
