"""Changing a machine on its page: what is said before, what is sent of it, and what is kept when something is wrong."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alma.accounts.models import Environment
from alma.jobs.models import Job
from tests.factories.vms import GIB
from tests.vms.pages.conftest import Make
from vms.models import Cluster, ClusterNode, Guest, GuestDetails

pytestmark = pytest.mark.django_db


@pytest.fixture
def guest(ours: Make, place: Cluster) -> Guest:
    ClusterNode.objects.create(
        cluster=place, name="pve1", is_online=True, cores=8, memory_bytes=16 * GIB, seen_at=timezone.now()
    )
    guest = ours(tags="alma;web", memory_used=GIB)
    GuestDetails.objects.create(guest=guest, description="Shop front", read_at=timezone.now())
    return guest


def form_of(site: Client, guest: Guest) -> tuple[str, dict[str, str]]:
    """The page, and what a browser would send of it untouched."""
    page = site.get(f"/vms/{guest.pk}/change/").content.decode()
    sent = dict(re.findall(r'<input[^>]*name="([\w-]+)"[^>]*value="([^"]*)"', page))
    sent |= {name: text.strip() for name, text in re.findall(r'<textarea name="(\w+)"[^>]*>\s*([^<]*)<', page)}
    return page, sent


def send(site: Client, guest: Guest, **changes: str) -> Any:
    return site.post(f"/vms/{guest.pk}/change/", form_of(site, guest)[1] | changes)


def test_the_form_shows_what_is_and_what_needs_a_restart(site: Client, guest: Guest) -> None:
    page, sent = form_of(site, guest)
    shown = {name: sent[name] for name in ("cores", "memory", "disk", "tags", "description")}
    assert shown == {"cores": "2", "memory": "2048", "disk": "10", "tags": "web", "description": "Shop front"}
    assert page.count("It runs: this takes effect at its next start.") == 2
    Guest.objects.filter(pk=guest.pk).update(status="stopped")
    assert "takes effect at its next start" not in form_of(site, guest)[0]
    assert f'href="/vms/{guest.pk}/change/"' in site.get(f"/vms/{guest.pk}/").content.decode()


def test_only_what_was_changed_is_sent(site: Client, guest: Guest) -> None:
    answer = send(site, guest, tags="web, nginx", memory="4096")
    assert (answer.status_code, answer["Location"]) == (302, guest.get_absolute_url())
    step = Job.objects.get(kind="vm_update").steps.get(kind="guest.configure")
    asked = {name: step.params.get(name) for name in ("cores", "memory_bytes", "disk_bytes", "description", "tags")}
    assert asked == {
        "cores": None, "memory_bytes": 4 * GIB, "disk_bytes": None, "description": None, "tags": ["web", "nginx"],
    }  # fmt: skip
    page = site.get(guest.get_absolute_url()).content.decode()
    assert "Its memory will be so from its next start on" in page


def test_what_somebody_else_changed_meanwhile_stays(site: Client, guest: Guest) -> None:
    _, sent = form_of(site, guest)
    Guest.objects.filter(pk=guest.pk).update(cores=4)
    site.post(f"/vms/{guest.pk}/change/", sent | {"description": ""})
    step = Job.objects.get().steps.get()
    assert ("cores" in step.params, step.params["description"]) == (False, "")


def test_in_a_protected_environment_an_ipr_is_opened(site: Client, ours: Make, production: Environment) -> None:
    guest = ours("guarded", environment=production)
    assert "an IPR is opened, and when people have agreed it is changed" in form_of(site, guest)[0]
    answer = send(site, guest, disk="20")
    job = Job.objects.get(kind="vm_update")
    assert (job.state, answer["Location"]) == ("waiting", job.params["ipr_url"])


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({}, "", "Nothing is otherwise than it is now."),
        ({"disk": ""}, "", "Nothing is otherwise than it is now."),
        ({"disk": "5"}, "disk", "A disk only grows; it has 10 GiB."),
        ({"cores": "16"}, "cores", "pve1 has 8 cores, and starts no machine with 16"),
        ({"memory": "64000"}, "memory", "pve1 could give it"),
        ({"cores": "many"}, "cores", "Enter a whole number."),
        ({"tags": "web, <b>"}, "tags", "each of letters, digits"),
    ],
    ids=["nothing", "emptied", "shrinks", "cores", "memory", "words", "tags"],
)
def test_what_is_wrong_stands_beside_its_field_and_the_rest_is_kept(
    site: Client, guest: Guest, change: dict[str, str], field: str, words: str
) -> None:
    kept = {"description": "Typed &amp; kept"} if change.get("disk") != "" and change else {}
    answer = send(site, guest, **{**dict.fromkeys(kept, "Typed & kept"), **change})
    page = answer.content.decode()
    assert (answer.status_code, Job.objects.exists()) == (422, False)
    beside = re.split(r'<div class="field', page.split(f'name="{field}"')[1])[0] if field else page
    assert words in beside
    assert all(text in page for text in kept.values())
    assert all(f'value="{value}"' in page for value in change.values() if value.isdigit())
