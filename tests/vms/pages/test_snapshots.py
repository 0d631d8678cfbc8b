"""Snapshots on the page of a machine: the tree, and what is done with them."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from alma.accounts.models import Environment
from alma.jobs.models import Job
from tests.factories.accounts import make_user
from tests.factories.vms import make_cluster, make_guest
from tests.vms.pages.conftest import Make, at_work
from vms.models import Cluster, Guest, GuestSnapshot
from vms.pages.tree import DEEPEST, tree

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def make_snapshot(guest: Guest, name: str, parent: str = "", *, day: int = 0, **overrides: Any) -> GuestSnapshot:
    values = {"taken_at": NOW - timedelta(days=100 - day), "is_ours": True} | overrides
    return GuestSnapshot.objects.create(guest=guest, name=name, parent=parent, **values)


def drawn(guest: Guest) -> list[str]:
    branches = tree(guest.snapshots.all(), {})
    return [f"{'  ' * branch.depth}{branch.snapshot.name if branch.snapshot else 'HERE'}" for branch in branches]


def test_a_chain_runs_straight_down(ours: Make) -> None:
    guest = ours()
    make_snapshot(guest, "c", "b", day=3)
    make_snapshot(guest, "a", day=1)
    make_snapshot(guest, "b", "a", day=2)
    assert drawn(guest) == ["a", "b", "c"]


def test_what_branched_off_stands_indented_before_what_goes_on(ours: Make) -> None:
    guest = ours()
    make_snapshot(guest, "root", day=1)
    make_snapshot(guest, "tried", "root", day=2)
    make_snapshot(guest, "tried-more", "tried", day=3)
    make_snapshot(guest, "kept", "root", day=4)
    make_snapshot(guest, "latest", "kept", day=5)
    assert drawn(guest) == ["root", "  tried", "  tried-more", "kept", "latest"]
    forks = {branch.snapshot.name for branch in tree(guest.snapshots.all(), {}) if branch.is_fork}
    assert forks == {"root"}


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        ("", ["root", "  tried", "kept"]),
        ("kept", ["root", "  tried", "kept", "HERE"]),
        ("tried", ["root", "  tried", "  HERE", "kept"]),
        ("root", ["root", "  tried", "  kept", "HERE"]),
    ],
)
def test_the_machine_itself_stands_after_the_snapshot_that_it_goes_on_from(
    site: Client, ours: Make, current: str, expected: list[str]
) -> None:
    guest = ours()
    for day, (name, parent) in enumerate({"root": "", "tried": "root", "kept": "root"}.items()):
        make_snapshot(guest, name, parent, day=day, is_current=name == current)
    assert drawn(guest) == expected
    page = part(site, guest)
    assert ("You are here" in page, f"after {current}<" in page) == (bool(current), bool(current))
    assert '<span class="n">3</span>' in page


def test_one_whose_parent_is_gone_is_a_root_and_one_being_taken_is_last(ours: Make) -> None:
    guest = ours()
    make_snapshot(guest, "coming", taken_at=None)
    make_snapshot(guest, "orphan", "gone", day=2)
    make_snapshot(guest, "root", day=1)
    assert drawn(guest) == ["root", "orphan", "coming"]
    assert [branch.status for branch in tree(guest.snapshots.all(), {})] == ["", "", "creating"]


def test_each_is_there_once_whatever_the_parents_say(ours: Make) -> None:
    guest = ours()
    make_snapshot(guest, "itself", "itself")
    for number in range(30):
        make_snapshot(guest, f"deep-{number}", f"deep-{number - 1}" if number else "itself", day=number)
        make_snapshot(guest, f"side-{number}", f"deep-{number - 1}" if number else "itself", day=number + 1)
    branches = tree(guest.snapshots.all(), {})
    assert len({branch.snapshot.pk for branch in branches}) == len(branches) == 61
    assert max(branch.depth for branch in branches) == DEEPEST


def part(site: Client, guest: Guest) -> str:
    path = f"/vms/{guest.pk}/?view=snapshots"
    return site.get(path, HTTP_HX_REQUEST="true", HTTP_HX_TARGET="vm-snapshots").content.decode()


def test_the_page_shows_them_and_what_can_be_done(site: Client, ours: Make) -> None:
    guest = ours()
    row = make_snapshot(guest, "before", description="Before <it>", has_memory=True)
    make_snapshot(guest, "theirs", "before", day=1, is_ours=False)
    page = site.get(f"/vms/{guest.pk}/?view=snapshots").content.decode()
    assert "Before &lt;it&gt;" in page
    assert "taken in Proxmox" in page
    assert "after before" in page
    assert f"/vms/{guest.pk}/snapshots/{row.pk}/restore/" in page
    assert "Take a snapshot" in page
    assert part(site, guest).lstrip().startswith('<section class="card" id="vm-snapshots"')


def test_while_a_job_works_nothing_else_is_offered(site: Client, ours: Make) -> None:
    guest = ours()
    row = make_snapshot(guest, "before")
    params = {"guest": guest.pk, "vm": "vm-1", "verb": "restore", "status": "restoring", "snapshot": row.pk}
    job = at_work(guest, "vm_snapshot_restore", params=params)
    page = part(site, guest)
    assert "Restoring" in page
    assert job.public_id in page
    assert "Go back" not in page


def test_going_back_says_what_is_lost_and_begins_a_job(site: Client, ours: Make) -> None:
    guest = ours()
    row = make_snapshot(guest, "before")
    url = f"/vms/{guest.pk}/snapshots/{row.pk}/restore/"
    page = site.get(url).content.decode()
    assert "What was written to it since then is lost." in page
    assert "runs again afterwards" in page
    assert not Job.objects.exists()
    assert site.post(url)["Location"] == f"/vms/{guest.pk}/?view=snapshots"
    job = Job.objects.get()
    assert (job.kind, job.params["snapshot_name"]) == ("vm_snapshot_restore", "before")
    assert site.post(url).status_code == 409, "one job at a time"
    assert "It cannot be done now" in site.get(url).content.decode()


def test_deleting_one(site: Client, ours: Make) -> None:
    guest = ours()
    row = make_snapshot(guest, "before")
    url = f"/vms/{guest.pk}/snapshots/{row.pk}/delete/"
    assert "can no longer be gone back to" in site.get(url).content.decode()
    site.post(url)
    assert Job.objects.get().kind == "vm_snapshot_deletion"


def test_taking_one_comes_back_to_the_tree(site: Client, ours: Make) -> None:
    guest = ours()
    answer = site.post(f"/vms/{guest.pk}/snapshot/", {"name": "before", "description": "Words"})
    assert answer["Location"] == f"/vms/{guest.pk}/?view=snapshots"
    assert (Job.objects.get().kind, guest.snapshots.get().description) == ("vm_snapshot", "Words")
    page = site.get(answer["Location"]).content.decode()
    assert "being taken" in page


def test_snapshots_of_others_and_of_other_machines(site: Client, ours: Make) -> None:
    guest, other = ours(), ours("other")
    foreign = make_guest(make_cluster())
    elsewhere, theirs = make_snapshot(other, "before"), make_snapshot(foreign, "before")
    for url in (
        f"/vms/{guest.pk}/snapshots/{elsewhere.pk}/restore/",
        f"/vms/{guest.pk}/snapshots/{theirs.pk}/delete/",
        f"/vms/{foreign.pk}/snapshots/{theirs.pk}/restore/",
        f"/vms/{guest.pk}/snapshots/987654321/restore/",
    ):
        assert site.get(url).status_code == site.post(url).status_code == 404
    assert not Job.objects.exists()


def test_who_may_not(site: Client, ours: Make, place: Cluster, production: Environment) -> None:
    guarded = ours("guarded", environment=production)
    row = make_snapshot(guarded, "before")
    url = f"/vms/{guarded.pk}/snapshots/{row.pk}/restore/"
    assert "is protected: this opens an IPR" in site.get(url).content.decode()
    assert site.post(url)["Location"].startswith("/iprs/")
    assert Job.objects.get(kind="vm_snapshot_restore").state == Job.State.WAITING
    site.force_login(make_user("viewer", organization=place.organization))
    assert site.get(url).status_code == 403
    page = site.get(f"/vms/{guarded.pk}/?view=snapshots").content.decode()
    assert "Take a snapshot" not in page
    assert "before" in page


@pytest.mark.parametrize("count", [1, 60])
def test_many_cost_as_much_as_one(
    site: Client, ours: Make, count: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    guest = ours()
    for number in range(count):
        make_snapshot(guest, f"s-{number}", day=number)
    with django_assert_max_num_queries(12):
        part(site, guest)
