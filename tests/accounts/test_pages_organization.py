"""The pages of an organization: its name and the rules of its environments."""

from typing import Any

import pytest
from django.test import Client

from alma.accounts.models import Environment, Organization
from alma.events.models import Event
from iprs.gates import missing
from tests.factories.accounts import make_environment, make_organization, make_project, make_user, sign_in
from tests.factories.iprs import make_ipr

pytestmark = pytest.mark.django_db

PLACE = "/settings/organization/environments/production/"


@pytest.fixture
def browser(client: Client) -> Client:
    make_environment("production", required_approvals=1, is_protected=True)
    make_environment("foreign", organization=make_organization("other"))
    make_project("shop")
    make_project("theirs", organization=make_organization("other"))
    return sign_in(client, make_user("admin", username="ana"))


def told() -> list[tuple[str, dict[str, Any]]]:
    return list(Event.objects.filter(kind__startswith="policy.").order_by("seq").values_list("kind", "data"))


def test_what_there_is(browser: Client) -> None:
    page = browser.get("/settings/organization/").content.decode()
    for words in ("Production", "Verified people", "Shop", "Rename"):
        assert words in page
    assert "Foreign" not in page
    assert "Theirs" not in page


def test_a_rule_is_changed_and_told(browser: Client) -> None:
    assert browser.post(PLACE, {"required_approvals": "3"}).url == "/settings/organization/"
    row = Environment.objects.get(slug="production")
    assert (row.required_approvals, row.is_protected) == (3, False)
    change = {
        "environment": "production",
        "was": {"required_approvals": 1, "is_protected": True},
        "now": {"required_approvals": 3, "is_protected": False},
    }
    assert told() == [("policy.environment_changed", change)]
    browser.post(PLACE, {"required_approvals": "3"})
    assert len(told()) == 1


def test_a_rule_holds_for_what_waits_already(browser: Client) -> None:
    ipr = make_ipr(environment=Environment.objects.get(slug="production"))
    assert "APPROVALS" in {gate.code for gate in missing(ipr)}
    browser.post(PLACE, {"required_approvals": "0"})
    ipr.environment.refresh_from_db()
    assert "APPROVALS" not in {gate.code for gate in missing(ipr)}


@pytest.mark.parametrize("value", ["", "-1", "11", "many"])
def test_a_rule_that_makes_no_sense_is_refused(browser: Client, value: str) -> None:
    assert browser.post(PLACE, {"required_approvals": value}).status_code == 422
    assert Environment.objects.get(slug="production").required_approvals == 1
    assert told() == []


@pytest.mark.parametrize("slug", ["foreign", "nowhere"])
def test_environments_of_others_are_not_there(browser: Client, slug: str) -> None:
    path = f"/settings/organization/environments/{slug}/"
    assert browser.get(path).status_code == browser.post(path, {"required_approvals": "5"}).status_code == 404
    assert Environment.objects.get(slug="foreign").required_approvals == 0


def test_another_name(browser: Client) -> None:
    browser.post("/settings/organization/name/", {"name": "  Example Ltd "})
    assert Organization.objects.get(slug="default").name == "Example Ltd"
    assert told() == [("policy.organization_renamed", {"was": "Default", "now": "Example Ltd"})]
    assert b"Example Ltd" in browser.get("/").content
    browser.post("/settings/organization/name/", {"name": "Example Ltd"})
    assert len(told()) == 1


@pytest.mark.parametrize("name", ["", "  ", "a" * 101, "a\u202eb"])
def test_a_name_that_makes_no_sense_is_refused(browser: Client, name: str) -> None:
    assert browser.post("/settings/organization/name/", {"name": name}).status_code == 422
    assert Organization.objects.get(slug="default").name == "Default"
