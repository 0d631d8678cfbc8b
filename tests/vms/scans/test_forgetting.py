"""Old scans are forgotten, but for those from which something that is shown was taken."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from tests.factories.accounts import make_organization
from tests.factories.scans import make_scan
from tests.factories.vms import make_cluster, make_guest
from vms.models import Cluster, ScanFinding, ScanSubject, SecurityScan
from vms.scans import forgetting
from vms.scans.forgetting import forget_old, forgettable
from vms.scans.services import security_of
from vms.scans.standing import standing_of

pytestmark = pytest.mark.django_db
OLD = timedelta(days=400)


@pytest.fixture
def place() -> Cluster:
    return make_cluster()


@pytest.fixture(autouse=True)
def all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "AT_ONCE", 100)


def old_scan(place: Cluster, **overrides: object) -> SecurityScan:
    return make_scan(place, at=timezone.now() - OLD, **overrides)  # type: ignore[arg-type]


def new_scans(place: Cluster, count: int = forgetting.ALWAYS) -> list[SecurityScan]:
    return [make_scan(place) for _ in range(count)]


def test_old_ones_go_with_what_they_found(place: Cluster) -> None:
    old_scan(place)
    kept = new_scans(place)
    assert forget_old() == 1
    assert set(SecurityScan.objects.all()) == set(kept)
    assert ScanSubject.objects.count() == len(kept) and ScanFinding.objects.count() == 2 * len(kept)
    assert forget_old() == 0


def test_the_last_ones_stay_however_old(place: Cluster) -> None:
    for _ in range(forgetting.ALWAYS + 3):
        old_scan(place)
    assert forget_old() == 3
    assert SecurityScan.objects.count() == forgetting.ALWAYS


def test_each_organization_has_its_own_last_ones(place: Cluster) -> None:
    theirs = old_scan(make_cluster(organization=make_organization("elsewhere")))
    new_scans(place)
    assert forget_old() == 0 and SecurityScan.objects.filter(pk=theirs.pk).exists()


def test_the_last_of_a_machine_stays_while_it_is_there(place: Cluster) -> None:
    guest = make_guest(place)
    old_scan(place, guest=guest)
    new_scans(place)
    assert forget_old() == 0 and guest.pk in security_of([guest])
    guest.missing_since = timezone.now()
    guest.save()
    assert forget_old() == 1


def test_a_machine_that_was_looked_at_again_needs_its_first_scan_no_more(place: Cluster) -> None:
    guest = make_guest(place)
    old_scan(place, guest=guest)
    make_scan(place, guest=guest)
    new_scans(place)
    assert forget_old() == 1


def test_the_last_of_a_cluster_stays(place: Cluster) -> None:
    scan = old_scan(place)
    new_scans(make_cluster(organization=place.organization))
    assert forget_old() == 0
    standing = standing_of(place)
    assert standing is not None and standing.scan == scan
    make_scan(place, state="failed")
    assert forget_old() == 0, "a scan that failed tells nothing of a cluster"
    make_scan(place)
    assert forget_old() == 1


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_scans_without_a_score_go_as_well(place: Cluster, state: str) -> None:
    old_scan(place, state=state)
    new_scans(place)
    assert forget_old() == 1


def test_one_that_runs_stays(place: Cluster) -> None:
    old_scan(place, state="running")
    new_scans(place)
    assert forget_old() == 0


def test_the_days_are_the_operators(place: Cluster, settings: Settings) -> None:
    make_scan(place, at=timezone.now() - timedelta(days=3))
    new_scans(place)
    assert not forgettable().exists()
    settings.ALMA_SCAN_DAYS = 2
    assert forgettable().count() == 1


def test_some_at_a_time(place: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "AT_ONCE", 2)
    first = [old_scan(place) for _ in range(3)][0]
    new_scans(place)
    assert forget_old() == 2 and not SecurityScan.objects.filter(pk=first.pk).exists()
    assert [forget_old(), forget_old()] == [1, 0]
