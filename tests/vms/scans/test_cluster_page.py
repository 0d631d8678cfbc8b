"""The security of one cluster: its part of the last scan, and starting another."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.factories.accounts import make_user
from tests.factories.scans import BROKEN, PASSED, UNKNOWN, make_finding, make_scan
from tests.factories.vms import make_cluster, make_guest
from vms.models import Cluster, ScanSubject, SecurityScan
from vms.scans.running import figures_of
from vms.scans.standing import standing_of

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
CLUSTER_RULE = "CLUSTER-FW-001"


@pytest.fixture
def place() -> Cluster:
    return make_cluster(slug="lab", name="Lab")


@pytest.fixture
def browser(place: Cluster, client: Client) -> Client:
    client.force_login(make_user("operator", organization=place.organization))
    return client


def page_of(browser: Client, place: Cluster, **headers: str) -> str:
    answer = browser.get(f"{place.get_absolute_url()}security/", headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def add_subject(scan: SecurityScan, cluster: Cluster, name: str, tally: dict[str, Any], kind: str = "guest") -> None:
    """One more that was looked at in a scan."""
    subject = ScanSubject.objects.create(
        scan=scan, kind=kind, cluster=cluster, name=name, assessed_at=timezone.now(), tally=tally, **figures_of(tally)
    )
    for rule, outcomes in tally.items():
        if "passed" not in outcomes:
            make_finding(subject, rule, is_broken="failed" in outcomes)


def test_before_any_scan(browser: Client, place: Cluster) -> None:
    html = page_of(browser, place)
    assert "No scan of this cluster yet" in html and "No guest of this cluster was seen yet." in html
    make_guest(place)
    assert '<input type="hidden" name="where" value="lab">' in page_of(browser, place)


def test_only_what_is_of_this_cluster_counts(browser: Client, place: Cluster) -> None:
    other = make_cluster(organization=place.organization, slug="other")
    scan = make_scan(place, name="web")
    add_subject(scan, place, "Lab", {CLUSTER_RULE: {"failed": 1}}, kind="cluster")
    add_subject(scan, other, "far-away", {BROKEN: {"failed": 1}, PASSED: {"passed": 1}})
    found = standing_of(place)
    assert found is not None and found.scan == scan
    assert {name: number for name, number in found.counts.items() if number} == {"critical": 1, "high": 1}
    assert (found.guests, found.unassessed) == (1, 1)
    assert [broken.rule for broken in found.rules] == [CLUSTER_RULE, BROKEN]
    assert {subject.name for subject in found.subjects} == {"web", "Lab"}
    elsewhere = standing_of(other)
    assert elsewhere is not None and elsewhere.score != found.score
    html = page_of(browser, place)
    assert "far-away" not in html and f'href="/security/{scan.pk}/?rule={CLUSTER_RULE}"' in html


def test_the_last_completed_scan_of_it_is_shown(browser: Client, place: Cluster) -> None:
    make_scan(place, name="old", at=timezone.now() - timedelta(days=3))
    last = make_scan(place, name="new")
    make_scan(place, name="begun", state="running")
    make_scan(place, name="broken", state="failed")
    make_scan(make_cluster(organization=place.organization), name="of another")
    found = standing_of(place)
    assert found is not None and found.scan == last
    html = page_of(browser, place)
    assert "new" in html and "of another" not in html
    assert 'aria-current="page">Security</a>' in html
    assert page_of(browser, place, **HTMX).lstrip().startswith('<div class="stack stack-l" id="cluster-security"')


def test_a_clean_cluster_and_one_of_which_nothing_is_known(browser: Client, place: Cluster) -> None:
    make_scan(place, tally={PASSED: {"passed": 3}})
    assert "Nothing that was assessed breaks a rule." in page_of(browser, place)
    make_scan(place, tally={UNKNOWN: {"unassessed": 3}})
    assert "Nothing could be assessed." in page_of(browser, place)


def test_starting_one_from_there(browser: Client, place: Cluster) -> None:
    make_guest(place)
    body = {"where": place.slug, "kind": "vulnerability", "is_deep": "on", "has_surroundings": "on"}
    answer = browser.post("/security/start/", body)
    scan = SecurityScan.objects.get()
    assert answer["Location"] == f"/security/{scan.pk}/"
    assert scan.job.params == {"scan": scan.pk}
    assert "0 of 1 looked at" in page_of(browser, place)


def test_who_may_not(place: Cluster, client: Client) -> None:
    make_guest(place)
    client.force_login(make_user("viewer", organization=place.organization))
    html = page_of(client, place)
    assert "This needs the right security:write" in html and "/security/start/" not in html
    client.force_login(make_user("operator", organization=make_cluster().organization))
    assert client.get(f"{place.get_absolute_url()}security/").status_code == 404


@pytest.mark.parametrize("count", [1, 40])
def test_takes_few_queries(
    browser: Client, place: Cluster, count: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    scan = make_scan(place)
    for number in range(count):
        add_subject(scan, place, f"web-{number}", {BROKEN: {"failed": 1}})
    with django_assert_max_num_queries(11):
        page_of(browser, place, **HTMX)
