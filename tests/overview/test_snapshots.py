"""The dashboard and Mission Control: real numbers of one tenant, and its event log narrowed by every filter."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from alma.accounts.scopes import INFERENCE
from alma.events.services import emit
from blueprints import projects
from iprs.models import IPR, Deployment
from tests.factories.accounts import make_actor, make_key, make_organization, make_project
from tests.factories.blueprints import make_blueprint
from tests.factories.iprs import make_deployment, make_ipr
from tests.factories.vms import make_cluster, make_guest

pytestmark = pytest.mark.django_db
OVERVIEW, MISSION = "/api/v1/dashboard/overview", "/api/v1/mission-control"


@pytest.fixture
def api() -> Client:
    return Client(headers={"Authorization": f"Bearer {make_key()[1]}"})


def data_of(response: Any) -> dict[str, Any]:
    body = response.json()
    assert (response.status_code, body["success"]) == (200, True), body
    return body["data"]


def kinds(client: Client, query: str = "") -> list[str]:
    return [row["kind"] for row in data_of(client.get(f"{MISSION}?{query}"))["items"]]


@pytest.fixture
def world() -> IPR:
    """One project with a deployed blueprint, one without, two guests, and another tenant with a canary."""
    author = make_actor()
    project = make_project()
    blueprint = make_blueprint(by=author, name="shop")
    projects.place(blueprint, project, by=author)
    blueprint.refresh_from_db()
    make_blueprint(by=author, name="lonely")
    ipr = make_ipr(by=author, blueprint=blueprint, title="Ship the Größe")
    make_deployment(ipr, Deployment.Status.COMPLETED)
    make_deployment(ipr, Deployment.Status.FAILED)
    cluster = make_cluster(organization=project.organization)
    make_guest(cluster, name="web-1", vmid=5001, status="running")
    make_guest(cluster, name="web-2", vmid=5002, status="stopped")
    emit(cluster.stream, "vm.created", organization_id=cluster.organization_id, name="web-1", vmid=5001, node="pve1")
    job = ipr.deployments.first().job
    emit(job.stream, "deployment.step", organization_id=job.organization_id, key="web-1", title="Create VM web-1")
    other = make_actor(organization=make_organization("other"))
    make_ipr(by=other, title="canary")
    return ipr


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_overview_counts_rows(api: Client, world: IPR, slash: str) -> None:
    data = data_of(api.get(OVERVIEW + slash))
    assert data.keys() == {
        "organization", "catalogue", "iprs", "deployments", "machines", "clusters", "agents", "spending",
        "recentActivity", "generatedAt",
    }  # fmt: skip
    assert data["organization"] == {"slug": "default", "name": "Default"}
    assert data["catalogue"] == {"projects": 1, "blueprints": 2}
    assert (data["iprs"]["total"], data["iprs"]["byStatus"]["pending"]) == (1, 1)
    runs = data["deployments"]
    assert (runs["total"], runs["running"], runs["successRate"]) == (2, 0, 0.5)
    assert runs["byStatus"] == {status: int(status in {"completed", "failed"}) for status in Deployment.Status.values}
    machines = data["machines"]
    assert (machines["total"], machines["running"], machines["stopped"], machines["managed"]) == (2, 1, 1, 0)
    assert data["agents"] == {"total": 0, "active": 0, "items": []}
    assert data["spending"]["monthlyCommitted"] > 0
    assert {"ipr.opened", "project.blueprint_added"} <= {row["kind"] for row in data["recentActivity"]}
    assert data["generatedAt"].endswith("Z")


def test_an_empty_organization_has_zeros(api: Client) -> None:
    data = data_of(api.get(OVERVIEW))
    assert (data["iprs"]["total"], data["deployments"]["successRate"], data["recentActivity"]) == (0, None, [])
    assert (data["machines"]["memoryBytes"], data["spending"]["monthlyBudget"]) == (0, None)
    assert data_of(api.get(MISSION))["items"] == []


def test_mission_control(api: Client, world: IPR) -> None:
    data = data_of(api.get(MISSION))
    assert data.keys() == {"agents", "stats", "machines", "items", "page", "limit", "nextCursor", "hasMore"}
    assert data["stats"].keys() == {"iprs", "deployments", "machines", "events"}
    assert [row["name"] for row in data["machines"]] == ["web-1", "web-2"]
    assert data["stats"]["events"]["byArea"]["ipr"] == 1
    first = next(row for row in data["items"] if row["kind"] == "ipr.opened")
    assert first.keys() == {"id", "kind", "actor", "message", "target", "tone", "createdAt"}
    assert (first["id"], first["message"]) == (f"ipr:{world.pk}/1", "opened")
    assert "Ship the Größe" in first["target"]
    assert "deployment.step" not in {row["kind"] for row in data["items"]}


FILTERS = [
    ("kind=ipr", {"ipr.opened"}),
    ("kind=ipr.opened", {"ipr.opened"}),
    ("kind=vm", {"vm.created"}),
    ("kind=deployment.step", {"deployment.step"}),
    ("kind=webhook", set()),
    ("machine=web-1", {"vm.created", "deployment.step"}),
    ("machine=web-2", set()),
    ("machine=web-1&kind=vm", {"vm.created"}),
    ("search=gr%C3%B6%C3%9Fe", {"ipr.opened"}),
    ("search=WEB-1", {"vm.created"}),
    ("search=100%25", set()),
    ("agentId=6f1c9a52-3a0e-4c7e-9d4b-0f6f7a2b9c11", set()),
]


@pytest.mark.parametrize(("query", "expected"), FILTERS)
def test_filters(api: Client, world: IPR, query: str, expected: set[str]) -> None:
    assert set(kinds(api, query)) == expected


def test_an_assistant_is_known_by_what_its_events_say(api: Client, world: IPR) -> None:
    agent = uuid.uuid4()
    emit(
        world.stream, "ipr.commented", organization_id=world.organization_id, ipr=world.pk, title="x", agent=str(agent)
    )
    assert kinds(api, f"agentId={agent}") == ["ipr.commented"]


def test_a_project_is_all_that_belongs_to_it(api: Client, world: IPR) -> None:
    project = world.blueprint.project
    found = data_of(api.get(f"{MISSION}?projectId={project.public_id}"))["items"]
    assert {row["kind"] for row in found} == {"project.blueprint_added", "blueprint.created", "ipr.opened"}
    assert "lonely" not in {row["target"] for row in found}
    assert kinds(api, f"projectId={project.public_id}&kind=deployment.step") == ["deployment.step"]


def test_machines_are_narrowed_too(api: Client, world: IPR) -> None:
    (row,) = data_of(api.get(f"{MISSION}?machine=web-2"))["machines"]
    assert (row["vmid"], row["status"], row["isManaged"]) == (5002, "stopped", False)


def pages(client: Client, query: str) -> Iterator[list[str]]:
    cursor = ""
    while cursor is not None:
        data = data_of(client.get(f"{MISSION}?{query}{cursor and f'&cursor={cursor}'}"))
        yield [row["id"] for row in data["items"]]
        assert data["hasMore"] is (data["nextCursor"] is not None)
        cursor = data["nextCursor"]


def test_the_feed_is_read_on_from_its_cursor(api: Client, world: IPR) -> None:
    everything = [row["id"] for row in data_of(api.get(MISSION))["items"]]
    found = list(pages(api, "limit=2"))
    assert max(map(len, found)) == 2
    assert [one for page in found for one in page] == everything
    assert len(everything) > 4


def test_a_cursor_is_good_for_its_own_filters_only(api: Client, world: IPR) -> None:
    cursor = data_of(api.get(f"{MISSION}?limit=1"))["nextCursor"]
    for query in (f"limit=1&kind=ipr&cursor={cursor}", f"cursor={cursor}x", "cursor=x"):
        response = api.get(f"{MISSION}?{query}")
        assert (response.status_code, response.json()["error"]["code"]) == (400, "BAD_REQUEST")


WRONG = [
    "limit=0", "limit=201", "limit=-1", "page=0", "page=x", "kind=IPR", "kind=a.b.c", "kind=%00", "agentId=7",
    "projectId=shop", "search=" + "x" * 101, "machine=%00",
]  # fmt: skip


@pytest.mark.parametrize("query", WRONG)
def test_wrong_filters(api: Client, query: str) -> None:
    response = api.get(f"{MISSION}?{query}")
    assert (response.status_code, response.json()["error"]["code"]) == (400, "BAD_REQUEST")


def test_a_foreign_project_does_not_exist(api: Client) -> None:
    foreign = make_project(organization=make_organization("other"))
    answers = [api.get(f"{MISSION}?projectId={who}") for who in (foreign.public_id, uuid.uuid4())]
    assert [row.status_code for row in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize("path", [OVERVIEW, MISSION, f"{MISSION}?search=canary", f"{MISSION}?kind=ipr"])
def test_nothing_of_another_tenant_is_told(api: Client, world: IPR, path: str) -> None:
    assert b"canary" not in api.get(path).content


@pytest.mark.parametrize("path", [OVERVIEW, MISSION])
def test_who_may(client: Client, path: str) -> None:
    make_organization()
    response = client.get(path)
    assert (response.status_code, response.json()["error"]["code"]) == (401, "UNAUTHORIZED")
    headers = {"Authorization": f"Bearer {make_key(INFERENCE)[1]}"}
    response = client.get(path, headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert client.post(path, headers=headers).status_code == 405


@pytest.mark.parametrize(("path", "number"), [(OVERVIEW, 16), (MISSION, 11), (f"{MISSION}?kind=ipr&search=x", 11)])
def test_the_number_of_queries(
    api: Client, world: IPR, django_assert_num_queries: DjangoAssertNumQueries, path: str, number: int
) -> None:
    api.get(path)
    for index in range(3):
        emit(world.stream, "ipr.commented", organization_id=world.organization_id, ipr=world.pk, title=f"x{index}")
    with django_assert_num_queries(number):
        api.get(path)
