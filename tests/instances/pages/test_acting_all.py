"""Start all and stop all: what they would do is said first."""

from typing import Any

import pytest
from django.test import Client

from alma.accounts.models import Organization
from instances.models import Instance, Limit
from tests.factories.accounts import make_organization
from tests.factories.instances import make_instance

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
RUNS: dict[str, Any] = {"wanted": Instance.Wish.RUNNING, "status": Instance.Status.RUNNING, "wanted_run": 1, "run": 1}


def text(site: Client, path: str, **headers: Any) -> str:
    return site.get(path, **headers).content.decode()


def wanted() -> dict[str, str]:
    return dict(Instance.objects.values_list("name", "wanted"))


def test_start_all_names_them_and_starts_as_far_as_the_limit_reaches(site: Client, organization: Organization) -> None:
    make_instance("runs", organization=organization, **RUNS)
    for name in ("first", "second"):
        make_instance(name, organization=organization)
    make_instance("theirs", organization=make_organization("else"))
    Limit.objects.create(organization=organization, group="", most=2)
    said = text(site, "/instances/start-all/", headers=HTMX)
    assert "2 instances are asked to start" in said and "first" in said and "1 of 2 that may run do" in said
    assert "runs" not in said.replace("that may run do", "") and "theirs" not in said
    assert site.post("/instances/start-all/").headers["Location"] == "/instances/"
    assert wanted() == {"runs": "running", "first": "running", "second": "stopped", "theirs": "stopped"}
    refused = site.post("/instances/start-all/")
    assert refused.status_code == 409 and "At most 2 instances" in refused.content.decode()


def test_stop_all(site: Client, organization: Organization) -> None:
    make_instance("runs", organization=organization, **RUNS)
    make_instance("rests", organization=organization)
    assert "1 instance is asked to stop" in text(site, "/instances/stop-all/")
    site.post("/instances/stop-all/")
    assert wanted() == {"runs": "stopped", "rests": "stopped"}
    assert "There is nothing to stop" in text(site, "/instances/stop-all/")
    assert site.post("/instances/stop-all/").status_code == 302


def test_buttons_are_there_for_whoever_may(site: Client, organization: Organization) -> None:
    assert "/instances/start-all/" not in text(site, "/instances/"), "nothing to start"
    make_instance("one", organization=organization)
    assert "/instances/start-all/" in text(site, "/instances/")
