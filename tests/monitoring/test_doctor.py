"""The doctor's chore and its page."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from alma.accounts.models import Organization
from alma.jobs.findings import Finding, breach
from alma.monitoring import examining
from alma.monitoring.models import Examination
from alma.monitoring.remedies import REMEDIES, remedy
from tests.factories.accounts import make_organization, make_user

pytestmark = pytest.mark.django_db
HERE = "tests.monitoring.test_doctor"


def sound() -> Iterator[Finding]:
    yield from ()


def sick() -> Iterator[Finding]:
    yield breach("ORPHAN", "pve/5001", "web was given up, and its guest is still there.")


def broken() -> Iterator[Finding]:
    yield breach("EVENT_GAP", "deployment:x", "Events are missing.")
    raise RuntimeError("no")


def slow() -> Iterator[Finding]:
    """While it looks, another copy takes the examination over."""
    Examination.objects.update(token=99)
    yield from ()


@pytest.fixture
def checks(settings: Settings) -> Settings:
    """An installation that has stood for a day, with two checks."""
    make_organization()
    Organization.objects.update(created_at=timezone.now() - timedelta(days=1))
    settings.ALMA_INVARIANTS = [f"{HERE}.sound", f"{HERE}.sick"]
    return settings


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_user("admin", is_staff=True))
    return client


def examined() -> Examination:
    examining.examine_due()
    return Examination.objects.get(finished_at__isnull=False)


def test_it_is_examined_once_a_day_and_when_asked(checks: Settings) -> None:
    row = examined()
    assert (row.requested_by, row.done, row.total) == ("", 2, 2)
    assert [finding["code"] for finding in row.findings] == ["ORPHAN"]
    examining.examine_due()
    assert Examination.objects.count() == 1, "not again before a day is over"
    Examination.objects.update(requested_at=timezone.now() - timedelta(days=1, seconds=1))
    examining.examine_due()
    assert Examination.objects.count() == 2


def test_a_new_installation_is_not_examined_while_it_starts(checks: Settings) -> None:
    Organization.objects.update(created_at=timezone.now())
    examining.examine_due()
    assert not Examination.objects.exists()
    examining.ask(by="jane")
    assert examined().requested_by == "jane", "unless somebody asks"


def test_two_who_ask_get_the_same(checks: Settings) -> None:
    assert examining.ask(by="jane") == examining.ask(by="joe")


def test_a_check_that_breaks_is_unknown_and_keeps_no_other_from_its_turn(checks: Settings) -> None:
    checks.ALMA_INVARIANTS = [f"{HERE}.broken", f"{HERE}.sick"]
    found = [(finding["code"], finding["severity"]) for finding in examined().findings]
    assert found == [("EVENT_GAP", "breach"), ("CHECK_BROKE", "unknown"), ("ORPHAN", "breach")]


def test_what_a_dead_reconciler_left_is_begun_anew_and_what_lives_is_left_alone(checks: Settings) -> None:
    row = examining.ask(by="jane")
    Examination.objects.filter(pk=row.pk).update(seen_at=timezone.now(), token=1, done=1)
    examining.examine_due()
    assert not Examination.objects.exclude(finished_at=None).exists()
    Examination.objects.filter(pk=row.pk).update(seen_at=timezone.now() - examining.SILENT * 2)
    assert (examined().done, examined().token) == (2, 2)


def test_whoever_was_superseded_writes_nothing_more(checks: Settings) -> None:
    checks.ALMA_INVARIANTS = [f"{HERE}.slow", f"{HERE}.sick"]
    examining.examine_due()
    row = Examination.objects.get()
    assert (row.finished_at, row.findings) == (None, [])


def test_old_examinations_are_forgotten(checks: Settings) -> None:
    for _ in range(examining.KEPT + 3):
        examining.ask(by="jane")
        examining.examine_due()
    assert Examination.objects.count() == examining.KEPT


def test_the_page_waits_for_nobody_and_shows_how_far_it_is(staff: Client, checks: Settings) -> None:
    assert "Not examined yet" in staff.get("/settings/doctor/").content.decode()
    asked = staff.post("/settings/doctor/examine/", headers={"HX-Request": "true"}).content.decode()
    assert "waiting for a reconciler" in asked and 'hx-trigger="every 2s"' in asked and "<html" not in asked
    Examination.objects.update(started_at=timezone.now(), seen_at=timezone.now(), done=1, total=2)
    assert "1 of 2 checks" in staff.get("/settings/doctor/").content.decode()


def test_the_page_says_each_finding_in_words_with_what_to_do(staff: Client, checks: Settings) -> None:
    assert staff.post("/settings/doctor/examine/").status_code == 302
    examining.examine_due()
    text = staff.get("/settings/doctor/").content.decode()
    assert "1 finding" in text and "pve/5001" in text and "its guest is still there" in text
    assert "holds it in quarantine" in text and "every 2s" not in text


def test_the_page_says_when_everything_holds(staff: Client, checks: Settings) -> None:
    checks.ALMA_INVARIANTS = [f"{HERE}.sound"]
    examining.examine_due()
    assert "Everything holds" in staff.get("/settings/doctor/").content.decode()


def test_the_findings_of_all_organizations_are_for_staff_alone(client: Client) -> None:
    client.force_login(make_user("admin"))
    assert client.get("/settings/doctor/").status_code == 403
    assert "Doctor" not in client.get("/settings/keys/").content.decode()
    assert client.post("/settings/doctor/examine/").status_code == 403
    assert not Examination.objects.exists()


def test_every_code_has_a_remedy() -> None:
    """Codes as the checks write them, in the modules that the settings name."""
    modules = {name.rpartition(".")[0] for name in django_settings.ALMA_INVARIANTS}
    texts = [(Path(django_settings.BASE_DIR) / f"{name.replace('.', '/')}.py").read_text() for name in modules]
    codes = {code for text in texts for code in re.findall(r'"([A-Z]+(?:_[A-Z]+)+|ORPHAN)"', text)}
    assert codes and codes <= set(REMEDIES)
    assert remedy({"code": "NEVER_SEEN", "severity": "drift"}).startswith("Somebody changed it")
