"""The page of all backups, and the part of a machine's page."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from alma.jobs.models import Job
from tests.factories.accounts import make_environment, make_organization, make_user
from tests.factories.backups import make_backup, make_storage
from tests.factories.vms import make_claim, make_cluster, make_guest
from vms.models import Backup, BackupSchedule, Cluster, ClusterNode, ClusterStorage, Guest, GuestClaim

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(client: Client) -> Client:
    client.force_login(make_user("viewer", organization=make_organization()))
    return client


@pytest.fixture
def cluster() -> Cluster:
    return make_cluster(organization=make_organization(), slug="lab", name="Lab")


@pytest.fixture
def machine(cluster: Cluster) -> Guest:
    claim = make_claim(cluster, state="live")
    return make_guest(cluster, name="web", vmid=claim.vmid, claim=claim)


def shown(site: Client, path: str, **headers: str) -> str:
    answer = site.get(path, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def test_nothing_yet(site: Client) -> None:
    assert "No backups yet" in shown(site, "/backups/")
    assert "Nothing matches" in shown(site, "/backups/?status=failed")


def test_ours_and_not_those_of_others(site: Client, machine: Guest) -> None:
    make_backup(guest=machine, description="Monthly")
    theirs = make_backup(guest_name="quokka")
    html = shown(site, "/backups/")
    assert ("web" in html, "Monthly" in html, "quokka" in html, theirs.public_id in html) == (True, True, False, False)
    part = shown(site, "/backups/", **{"HX-Request": "true"})
    assert ("Monthly" in part, "<html" in part) == (True, False)
    assert 'href="/backups/"' in html and 'aria-current="page"' in html


@pytest.mark.parametrize(("headers", "is_page"), [({}, True), ({"HX-Request": "true"}, False)])
def test_backups_of_a_machine_are_a_page_unless_htmx_asks(
    site: Client, machine: Guest, headers: dict[str, str], is_page: bool
) -> None:
    html = shown(site, f"/vms/{machine.pk}/backups/", **headers)
    assert ("<h1" in html, f'href="/vms/{machine.pk}/"' in html, 'id="machine-backups"' in html) == (
        is_page,
        is_page,
        True,
    )


def test_gaps_stand_first(site: Client, cluster: Cluster, machine: Guest) -> None:
    assert "Without a good backup" not in shown(site, "/backups/"), "nobody has looked yet"
    make_storage(cluster)
    assert "no backup on any storage that was read" in shown(site, "/backups/")
    assert f'href="/vms/{machine.pk}/"' in shown(site, "/backups/")
    make_guest(cluster, name="to-be", status="creating", claim=make_claim(cluster, key="to-be", vmid=6), vmid=6)
    assert "to-be" not in shown(site, "/backups/"), "what is not made yet has nothing to lose"
    old = make_backup(guest=machine, taken_at=timezone.now() - timedelta(days=9))
    assert "older than 7 days" in shown(site, "/backups/")
    make_backup(guest=machine)
    assert "Without a good backup" not in shown(site, "/backups/")
    make_claim(cluster, owner="scratch:1", key="scratch", state="live", vmid=5)
    make_guest(cluster, vmid=5, claim=cluster.claims.get(vmid=5))
    assert "Without a good backup" not in shown(site, "/backups/"), "a guest of a test needs none"
    assert old.public_id in shown(site, "/backups/")


def test_all_gaps_have_a_list_of_their_own(site: Client, cluster: Cluster, machine: Guest) -> None:
    make_storage(cluster)
    for number in range(60):
        make_guest(cluster, name=f"theirs-{number:02d}", vmid=700 + number)
    make_backup(guest=machine, taken_at=timezone.now() - timedelta(days=9))
    first = shown(site, "/backups/")
    assert first.index(">web</a>") < first.index(">theirs-00</a>"), "what ALMA cannot back up does not fill it"
    assert 'href="/backups/gaps/">and 56 more</a>' in first
    pages = shown(site, "/backups/gaps/"), shown(site, "/backups/gaps/?page=2")
    assert [page.count('class="item" id="gap-') for page in pages] == [50, 11]
    for query, names in {
        "q=theirs-07": ["theirs-07"], "q=703": ["theirs-03"], "age=old": ["web"], "origin=declared": ["web"],
        "origin=declared&age=none": [], "origin=foreign&q=theirs-1": [f"theirs-1{number}" for number in range(10)],
        "cluster=none": [],
    }.items():  # fmt: skip
        html = shown(site, f"/backups/gaps/?{query}", **{"HX-Request": "true"})
        assert re.findall(r'class="strong" href="[^"]+">([^<]+)<', html) == names, query
        assert ("Nothing matches" in html, "<html" in html) == (not names, False)


def test_what_could_not_be_read_is_said(site: Client, cluster: Cluster) -> None:
    make_storage(cluster, name="nas", error="mount error <b>")
    for node in ("pve1", "pve2"):
        make_storage(cluster, name="local", node=node, error="The cluster refused the connection.")
    html = shown(site, "/backups/")
    assert "The backups on nas (Lab) could not be read" in html and "mount error &lt;b&gt;" in html
    assert "The backups on local on pve1, local on pve2 (Lab) could not be read" in html, "one thing is said once"
    assert html.count("could not be read") == 2


def test_states(site: Client, machine: Guest) -> None:
    now = timezone.now()
    make_backup(guest=machine, state="verified", tested_at=now, is_encrypted=True)
    make_backup(guest=machine, state="completed", tested_at=now, evidence={"is_good": False})
    make_backup(guest=machine, state="failed", volume="", taken_at=None, size_bytes=None, error="job errors")
    html = shown(site, "/backups/")
    for words in ("restored in a test", "encrypted", "failed its restore test", "job errors"):
        assert words in html
    assert shown(site, "/backups/?verified=yes").count("<tr id=") == 1
    assert shown(site, "/backups/?verified=no").count("<tr id=") == 2
    assert shown(site, f"/backups/?q={machine.vmid}").count("<tr id=") == 3
    assert "Nothing matches" in shown(site, "/backups/?q=unheard-of")


def test_few_queries(
    site: Client, cluster: Cluster, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:  # fmt: skip
    make_storage(cluster)
    for _ in range(30):
        make_backup(guest=make_guest(cluster))
    with django_assert_max_num_queries(16):
        shown(site, "/backups/")


def test_part_of_a_machine(site: Client, machine: Guest) -> None:
    where = f"/vms/{machine.pk}/backups/"
    assert "none that was seen" in shown(site, where) and "not known" in shown(site, where)
    for _ in range(9):
        make_backup(guest=machine)
    make_backup(guest_name="other")
    BackupSchedule.objects.create(claim=machine.claim, schedule="daily", retention_days=30)
    part = shown(site, where, **{"HX-Request": "true"})
    assert ("daily, kept for 30 days" in part, part.count("<tr id="), "All 9 backups" in part) == (True, 8, True)
    assert "<html" not in part and f'hx-get="{where}"' in part


def test_part_of_a_machine_of_others(site: Client) -> None:
    assert site.get(f"/vms/{make_guest(make_cluster()).pk}/backups/").status_code == 404


# -- what is done with one --------------------------------------------------------------------
@pytest.fixture
def desk(client: Client) -> Client:
    """Somebody who may do all of it."""
    client.force_login(make_user("operator", organization=make_organization()))
    return client


@pytest.fixture
def backup(machine: Guest) -> Backup:
    now = timezone.now()
    ClusterNode.objects.create(cluster=machine.cluster, name="pve1", is_online=True, memory_bytes=10**12, seen_at=now)
    ClusterStorage.objects.create(
        cluster=machine.cluster,
        node="pve1",
        name="shared",
        plugin="nfs",
        content="backup",
        is_active=True,
        is_shared=True,
    )
    make_environment("development", organization=machine.organization)
    return make_backup(guest=machine)


def test_one_backup(desk: Client, backup: Backup) -> None:
    html = shown(desk, f"/backups/{backup.pk}/")
    assert backup.volume in html and "Never tested" in html and "Restore…" in html
    checks = [{"what": "memory", "expected": "2048 MiB", "found": "1024 MiB", "is_good": False}]
    Backup.objects.filter(pk=backup.pk).update(
        tested_at=timezone.now(),
        evidence={"is_good": False, "why": "It came back smaller.", "checks": checks, "seconds": 9.5},
    )
    html = shown(desk, f"/backups/{backup.pk}/")
    assert "It came back smaller." in html and "1024 MiB" in html
    assert "<html" not in shown(desk, f"/backups/{backup.pk}/", **{"HX-Request": "true"})
    assert desk.get(f"/backups/{make_backup().pk}/").status_code == 404


def test_what_is_not_offered_says_why(desk: Client, cluster: Cluster, backup: Backup) -> None:
    foreign = make_backup(cluster)
    html = shown(desk, f"/backups/{foreign.pk}/")
    assert "does not hold a machine that ALMA made" in html and "Restore…" not in html
    for way in ("restore", "verify", "delete"):
        html = shown(desk, f"/backups/{foreign.pk}/{way}/")
        assert "It cannot be done now" in html and 'method="post" data-guard' not in html
    assert f"/backups/{foreign.pk}/restore/" not in shown(desk, "/backups/")
    assert f"/backups/{backup.pk}/restore/" in shown(desk, "/backups/")


def test_one_of_a_protected_environment_is_deleted_when_people_have_agreed(
    desk: Client, machine: Guest, backup: Backup
) -> None:
    place = make_environment("production", organization=machine.organization, is_protected=True)
    GuestClaim.objects.filter(pk=backup.claim_id).update(owner=f"env:{place.pk}/direct")
    html = shown(desk, f"/backups/{backup.pk}/delete/")
    assert "Production is protected: this opens an IPR" in html and "data-guard" in html
    assert "opens an IPR" not in shown(desk, f"/backups/{backup.pk}/verify/"), "a test changes nothing of the machine"
    answer = desk.post(f"/backups/{backup.pk}/delete/")
    job = Job.objects.get(kind="backup_deletion")
    assert (job.state, answer["Location"]) == ("waiting", job.params["ipr_url"])
    html = shown(desk, f"/backups/{backup.pk}/")
    assert "waits until people have agreed" in html and f'href="{job.params["ipr_url"]}"' in html


def test_who_only_reads_is_offered_nothing(site: Client, machine: Guest, backup: Backup) -> None:
    assert "Restore…" not in shown(site, "/backups/") + shown(site, f"/backups/{backup.pk}/")
    assert "Back up…" not in shown(site, f"/vms/{machine.pk}/backups/")
    assert site.get(f"/backups/{backup.pk}/verify/").status_code == 403


@pytest.mark.parametrize(("way", "kind"), [("verify", "backup_verification"), ("delete", "backup_deletion")])
def test_asked_first_and_then_begun(desk: Client, backup: Backup, way: str, kind: str) -> None:
    assert "data-guard" in shown(desk, f"/backups/{backup.pk}/{way}/") and not Job.objects.exists()
    answer = desk.post(f"/backups/{backup.pk}/{way}/")
    job = Job.objects.get()
    assert (answer.status_code, answer["Location"], job.kind) == (302, job.get_absolute_url(), kind)
    assert desk.post(f"/backups/{backup.pk}/{way}/").status_code == 409, "the second one finds it busy"
    assert Job.objects.count() == 1


def test_restored_as_a_new_machine(desk: Client, backup: Backup) -> None:
    assert "In its own place" in shown(desk, f"/backups/{backup.pk}/restore/")
    answer = desk.post(f"/backups/{backup.pk}/restore/", {"how": "new", "name": "second", "is_started": "on"})
    job = Job.objects.get()
    assert (answer.status_code, job.kind) == (302, "backup_unpacking")
    assert [step.kind for step in job.steps.all()] == ["backup.unpack_new", "guest.start"]
    assert Guest.objects.filter(name="second", status="creating").exists()


def test_a_name_that_is_taken_is_said_in_the_form(desk: Client, backup: Backup) -> None:
    answer = desk.post(f"/backups/{backup.pk}/restore/", {"how": "new", "name": "web"})
    html = answer.content.decode()
    assert (answer.status_code, Job.objects.exists()) == (422, False)
    assert "There is a machine web on Lab already." in html and 'value="web"' in html, "what was typed stays"


def test_overwritten_only_by_whoever_types_its_name(desk: Client, backup: Backup) -> None:
    answer = desk.post(f"/backups/{backup.pk}/restore/", {"how": "place", "confirm": "wbe"})
    assert (answer.status_code, Job.objects.exists()) == (422, False)
    assert "Type web to say" in answer.content.decode() and 'value="place" checked' in answer.content.decode()
    assert desk.post(f"/backups/{backup.pk}/restore/", {"how": "place", "confirm": "web"}).status_code == 302
    assert Job.objects.get().kind == "backup_restore"


def test_a_backup_is_made_from_the_page(desk: Client, machine: Guest, backup: Backup) -> None:
    where = f"/vms/{machine.pk}/backups/take/"
    assert where in shown(desk, f"/vms/{machine.pk}/backups/") and "shared" in shown(desk, where)
    answer = desk.post(where, {"compression": "gzip", "description": "By hand"})
    assert answer.status_code == 302
    made = Backup.objects.get(description="By hand")
    assert (made.state, made.compression, made.storage) == ("running", "gzip", "shared")
    assert desk.post(where, {"compression": "bzip2"}).status_code == 422
    theirs = make_guest(machine.cluster)
    assert "was not made by ALMA" in shown(desk, f"/vms/{theirs.pk}/backups/take/")
