"""The pages of scans."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from alma.jobs.models import Job
from tests.factories.accounts import make_user
from tests.factories.scans import BROKEN, UNKNOWN, make_finding, make_scan
from tests.factories.vms import make_cluster, make_guest
from vms.models import Cluster, ScanSubject, SecurityScan
from vms.scans.charting import chart
from vms.scans.services import trend

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def place() -> Cluster:
    return make_cluster()


@pytest.fixture
def browser(place: Cluster) -> Client:
    client = Client()
    client.force_login(make_user("operator", organization=place.organization))
    return client


def viewer(place: Cluster) -> Client:
    client = Client()
    person: User = make_user("viewer", organization=place.organization)
    client.force_login(person)
    return client


def test_without_a_scan_the_page_says_what_one_is(browser: Client, place: Cluster) -> None:
    page = browser.get("/security/").content.decode()
    assert "No scan yet" in page
    assert "Start a scan" in page
    assert "Start a scan" not in viewer(place).get("/security/").content.decode()


def test_the_list_has_the_last_figures_and_the_trend(
    browser: Client, place: Cluster, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(4):
        make_scan(place)
    with django_assert_max_num_queries(16):
        page = browser.get("/security/").content.decode()
    assert "The score of 4 scans, from 16 to 16 percent." in page
    assert page.count('id="scan-0') == 4


def test_htmx_gets_the_part(browser: Client, place: Cluster) -> None:
    scan = make_scan(place)
    part = browser.get("/security/", headers=HTMX).content.decode()
    assert part.lstrip().startswith('<div class="stack stack-l" id="scan-list"')
    part = browser.get(f"/security/{scan.pk}/?q=web", headers=HTMX).content.decode()
    assert part.lstrip().startswith('<div class="stack stack-l" id="scan-view"')


def test_starting_leads_to_the_scan(browser: Client, place: Cluster) -> None:
    make_guest(place)
    body = {"where": place.slug, "kind": "compliance", "is_deep": "on"}
    response = browser.post("/security/start/", body)
    scan = SecurityScan.objects.get()
    assert response["Location"] == f"/security/{scan.pk}/"
    assert (scan.kind, scan.is_deep, scan.has_surroundings) == ("compliance", True, False)


def test_a_cluster_of_others_cannot_be_chosen(browser: Client) -> None:
    theirs = make_cluster()
    make_guest(theirs)
    assert browser.post("/security/start/", {"where": theirs.slug, "kind": "compliance"}).status_code == 422
    assert not SecurityScan.objects.exists()


def test_viewers_start_and_cancel_nothing(place: Cluster) -> None:
    scan = make_scan(place, state="running", score=None)
    client = viewer(place)
    assert client.post("/security/start/", {"kind": "compliance"}).status_code == 403
    assert client.post(f"/security/{scan.pk}/cancel/").status_code == 403
    assert "Cancel" not in client.get(f"/security/{scan.pk}/").content.decode()


def test_cancelling(browser: Client, place: Cluster) -> None:
    scan = make_scan(place, state="running", score=None)
    assert browser.post(f"/security/{scan.pk}/cancel/").status_code == 302
    assert Job.objects.get(pk=scan.job_id).cancel_requested_at is not None


def test_a_running_scan_shows_its_progress_and_then_loads_anew(browser: Client, place: Cluster) -> None:
    scan = make_scan(place, state="running", score=None)
    here = f"/security/{scan.pk}/"
    assert "1 of 1 guest looked at" in browser.get(here).content.decode()
    assert "HX-Refresh" not in browser.get(f"{here}?part=state", headers=HTMX)
    scan.move(SecurityScan.State.COMPLETED)
    assert browser.get(f"{here}?part=state", headers=HTMX)["HX-Refresh"] == "true"


@pytest.mark.parametrize(("state", "words"), [("failed", "The scan failed"), ("cancelled", "The scan was cancelled")])
def test_a_scan_without_an_end_says_so(browser: Client, place: Cluster, state: str, words: str) -> None:
    scan = make_scan(place, state=state, score=None)
    assert words in browser.get(f"/security/{scan.pk}/").content.decode()


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("", "Firewall of the guest is off", "end of life"),
        ("?view=unassessed", "end of life", "Firewall of the guest is off"),
        ("?severity=critical", "Nothing matches", "Firewall of the guest is off"),
        (f"?rule={BROKEN}", "Firewall of the guest is off", "end of life"),
        ("?q=elsewhere", "Nothing matches", "Firewall of the guest is off"),
        ("?view=controls", "Implement and manage a firewall on servers", "Remedy"),
        ("?view=subjects", "web", "Remedy"),
        ("?view=nonsense&severity=odd", "Firewall of the guest is off", "Nothing matches"),
    ],
)
def test_what_of_a_scan_is_shown(browser: Client, place: Cluster, query: str, shown: str, hidden: str) -> None:
    page = browser.get(f"/security/{make_scan(place).pk}/{query}").content.decode()
    assert shown in page
    assert hidden not in page


def test_many_guests_under_one_rule_cost_no_more(
    browser: Client, place: Cluster, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    scan = make_scan(place)
    for number in range(8):
        subject = ScanSubject.objects.create(
            scan=scan, kind="guest", cluster=place, name=f"app-{number}", assessed_at=timezone.now()
        )
        for rule in (BROKEN, UNKNOWN, "GUEST-NET-002"):
            make_finding(subject, rule)
    with django_assert_max_num_queries(16):
        page = browser.get(f"/security/{scan.pk}/").content.decode()
    assert "All 9" in page
    assert page.count('id="finding-') == 15
    assert browser.get(f"/security/{scan.pk}/?rule={BROKEN}").content.decode().count('id="finding-') == 9


def test_what_comes_from_a_cluster_is_only_text(browser: Client, place: Cluster) -> None:
    scan = make_scan(place, name="<b>web</b>", evidence="<script>alert(1)</script>")
    page = browser.get(f"/security/{scan.pk}/").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;b&gt;web&lt;/b&gt;" in page


def test_scans_of_others_are_not_there(browser: Client) -> None:
    assert browser.get(f"/security/{make_scan(make_cluster()).pk}/").status_code == 404


def test_the_picture_of_the_trend(place: Cluster) -> None:
    now = timezone.now()
    scores: list[dict[str, dict[str, int]]] = [{BROKEN: {"failed": 1}}, {BROKEN: {"passed": 1}}]
    first, last = (
        make_scan(place, tally=tally, at=now + timedelta(minutes=place_)) for place_, tally in enumerate(scores)
    )
    assert chart(trend(first)) is None
    drawn = chart(trend(last))
    assert drawn is not None
    assert [point.score for point in drawn.points] == [0, 100]
    assert drawn.points[0].y > drawn.points[1].y
    assert [level for level, _ in drawn.levels] == [100, 50, 0]
