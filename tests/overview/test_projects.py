"""Projects over the API: made, changed, filled, deleted, and never seen by another tenant."""

import uuid
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from alma.accounts.actors import for_service
from alma.accounts.models import Project
from alma.accounts.scopes import REQUESTER, VIEWER
from alma.events.models import Event
from blueprints import projects
from tests.factories.accounts import make_actor, make_key, make_organization, make_project
from tests.factories.blueprints import make_blueprint

pytestmark = pytest.mark.django_db
LIST = "/api/v1/projects"
FIELDS = {
    "id", "slug", "name", "description", "currency", "monthlyBudget", "monthlyCommitted", "blueprintCount", "metadata",
    "settings", "createdAt", "updatedAt",
}  # fmt: skip


class Caller:
    """A client with a key."""

    def __init__(self, **key: Any) -> None:
        self.headers = {"Authorization": f"Bearer {make_key(**key)[1]}"}
        self.client = Client(headers=self.headers)

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        more = {} if body is None else {"data": body, "content_type": "application/json"}
        return getattr(self.client, method)(path, **more)


@pytest.fixture
def call() -> Caller:
    return Caller()


def path_of(project: Project, rest: str = "") -> str:
    return f"{LIST}/{project.public_id}{rest}"


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"x": value}
    return value


@pytest.mark.parametrize("slash", ["", "/"])
def test_create_and_read(call: Caller, slash: str) -> None:
    response = call("post", LIST + slash, {"name": "Web shop", "monthlyBudget": 99.5, "metadata": {"team": "shop"}})
    data = response.json()["data"]
    assert (response.status_code, response["Location"]) == (201, f"{LIST}/{data['id']}")
    assert data.keys() == FIELDS
    assert uuid.UUID(data["id"]).version == 4
    assert (data["slug"], data["monthlyBudget"], data["monthlyCommitted"]) == ("web-shop", 99.5, 0.0)
    assert call("get", f"{LIST}/{data['id']}{slash}").json() == {"success": True, "data": data}


def test_a_patch_changes_what_it_names(call: Caller) -> None:
    project = make_project()
    data = call("patch", path_of(project), {"monthlyBudget": 10}).json()["data"]
    assert (data["name"], data["monthlyBudget"]) == ("Shop", 10.0)
    data = call("patch", path_of(project), {"monthlyBudget": None, "name": "Store"}).json()["data"]
    assert (data["name"], data["monthlyBudget"], data["slug"]) == ("Store", None, "shop")
    kinds = (
        Event.objects.filter(stream__name=f"project:{project.public_id}")
        .order_by("seq")
        .values_list("kind", "data__fields")
    )
    assert list(kinds) == [("project.updated", ["monthly_budget"]), ("project.updated", ["monthly_budget", "name"])]


WRONG = [
    ({}, 400, "BAD_REQUEST"),
    ([], 400, "BAD_REQUEST"),
    ("{", 400, "BAD_REQUEST"),
    ({"name": 7}, 400, "BAD_REQUEST"),
    ({"name": "x", "organization": 2}, 400, "BAD_REQUEST"),
    ({"name": "x", "metadata": []}, 400, "BAD_REQUEST"),
    ({"name": "x", "monthlyBudget": "much"}, 400, "BAD_REQUEST"),
    ({"name": "x", "monthlyBudget": "5"}, 400, "BAD_REQUEST"),
    ({"name": "x", "monthlyBudget": True}, 400, "BAD_REQUEST"),
    ({"name": "x", "monthlyBudget": 0.001}, 422, "VALIDATION_ERROR"),
    ({"name": " "}, 422, "VALIDATION_ERROR"),
    ({"name": "x" * 101}, 422, "VALIDATION_ERROR"),
    ({"name": "–"}, 422, "VALIDATION_ERROR"),
    ({"name": "x", "slug": "No Slug"}, 422, "VALIDATION_ERROR"),
    ({"name": "x", "monthlyBudget": -1}, 422, "VALIDATION_ERROR"),
    ({"name": "x", "monthlyBudget": 1e300}, 422, "VALIDATION_ERROR"),
    ({"name": "x", "metadata": {"x": "y" * 33_000}}, 422, "VALIDATION_ERROR"),
    ({"name": "x", "metadata": nested(13)}, 422, "VALIDATION_ERROR"),
    ({"name": "x", "settings": {"x": "y" * 9_000}}, 422, "VALIDATION_ERROR"),
    ({"name": "x", "slug": "shop"}, 409, "CONFLICT"),
]


@pytest.mark.parametrize(("body", "status", "code"), WRONG)
def test_wrong_bodies(call: Caller, body: Any, status: int, code: str) -> None:
    make_project("shop")
    response = call("post", LIST, body)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert Project.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "status"), [({}, 400), ({"name": None}, 400), ({"slug": "taken"}, 409), ({"slug": ""}, 422)]
)
def test_wrong_patches(call: Caller, body: Any, status: int) -> None:
    make_project("taken")
    project = make_project("shop")
    assert call("patch", path_of(project), body).status_code == status
    project.refresh_from_db()
    assert (project.slug, project.name) == ("shop", "Shop")


def test_metadata_of_the_allowed_depth(call: Caller) -> None:
    assert call("post", LIST, {"name": "x", "metadata": nested(12)}).status_code == 201


def test_deleting_hides_and_frees_and_can_be_repeated(call: Caller) -> None:
    project = make_project()
    blueprint = make_blueprint()
    projects.place(blueprint, project, by=make_actor())
    first, again = call("delete", path_of(project)), call("delete", path_of(project))
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert first.json()["data"].keys() == {"id", "deletedAt"}
    for method, body in (("get", None), ("patch", {"name": "x"})):
        assert call(method, path_of(project), body).status_code == 404
    assert call("get", LIST).json()["data"]["items"] == []
    blueprint.refresh_from_db()
    assert blueprint.project is None
    assert Event.objects.filter(kind="project.deleted").count() == 1
    assert call("post", LIST, {"name": "Shop", "slug": "shop"}).status_code == 201


def test_pages(call: Caller) -> None:
    for letter in "abc":
        make_project(letter)
    first = call("get", f"{LIST}?limit=2").json()["data"]
    assert first.keys() == {"items", "page", "limit", "nextCursor", "hasMore"}
    assert [row["slug"] for row in first["items"]] == ["a", "b"]
    assert (first["page"], first["limit"], first["hasMore"]) == (1, 2, True)
    last = call("get", f"{LIST}?limit=2&cursor={first['nextCursor']}").json()["data"]
    assert ([row["slug"] for row in last["items"]], last["hasMore"], last["nextCursor"]) == (["c"], False, None)
    assert call("get", f"{LIST}?limit=2&page=2").json()["data"]["items"] == last["items"]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "page=0", "cursor=forged"])
def test_wrong_pages(call: Caller, query: str) -> None:
    response = call("get", f"{LIST}?{query}")
    assert (response.status_code, response.json()["error"]["code"]) == (400, "BAD_REQUEST")


def test_blueprints_are_put_in_and_taken_out(call: Caller) -> None:
    project, blueprint = make_project(), make_blueprint()
    inside = path_of(project, "/blueprints")
    response = call("post", inside, {"blueprintId": blueprint.pk})
    assert (response.status_code, response.json()["data"]["blueprintId"]) == (201, blueprint.pk)
    assert call("get", inside).json()["data"]["items"] == [response.json()["data"]]
    assert call("get", path_of(project)).json()["data"]["blueprintCount"] == 1
    assert call("delete", f"{inside}/{blueprint.pk}").status_code == 204
    assert call("delete", f"{inside}/{blueprint.pk}").status_code == 404
    assert call("get", inside).json()["data"]["items"] == []


def test_nobody_leaves_a_budget_without_the_right_to_set_it() -> None:
    requester, project, other = Caller(scopes=REQUESTER), make_project("a"), make_project("b")
    blueprint = make_blueprint()
    body = {"blueprintId": blueprint.pk}
    assert requester("post", path_of(project, "/blueprints"), body).status_code == 201
    assert requester("post", path_of(other, "/blueprints"), body).status_code == 403
    assert requester("delete", path_of(project, f"/blueprints/{blueprint.pk}")).status_code == 403
    blueprint.refresh_from_db()
    assert blueprint.project == project


ROUTES = [
    ("get", "", None), ("patch", "", {"name": "x"}), ("delete", "", None), ("get", "/blueprints", None),
    ("post", "/blueprints", {"blueprintId": 1}), ("delete", "/blueprints/1", None),
]  # fmt: skip


@pytest.mark.parametrize(("method", "rest", "body"), ROUTES)
def test_what_is_anothers_does_not_exist(call: Caller, method: str, rest: str, body: Any) -> None:
    foreign = make_project("secret", organization=make_organization("other"))
    responses = [call(method, f"{LIST}/{who}{rest}", body) for who in (foreign.public_id, uuid.uuid4(), "x")]
    assert {(row.status_code, row.json()["error"]["code"]) for row in responses} == {(404, "NOT_FOUND")}
    assert responses[0].json() == responses[1].json()
    foreign.refresh_from_db()
    assert (foreign.name, foreign.deleted_at) == ("Secret", None)


def test_a_blueprint_of_another_tenant_cannot_be_put_in(call: Caller) -> None:
    project = make_project()
    blueprint = make_blueprint(by=make_actor(organization=make_organization("other")))
    assert call("post", path_of(project, "/blueprints"), {"blueprintId": blueprint.pk}).status_code == 404


@pytest.mark.parametrize(("method", "rest", "body"), [("get", None, None), ("post", None, {"name": "x"}), *ROUTES])
def test_everything_needs_a_key(client: Client, method: str, rest: str | None, body: Any) -> None:
    path = LIST if rest is None else path_of(make_project(), rest)
    response = getattr(client, method)(path, data=body, content_type="application/json")
    assert (response.status_code, response.json()["error"]["code"]) == (401, "UNAUTHORIZED")


def test_viewers_look_only() -> None:
    call, project = Caller(scopes=VIEWER), make_project()
    assert call("get", path_of(project)).status_code == 200
    for method, path, body in (("post", LIST, {"name": "x"}), ("patch", path_of(project), {"name": "x"}),
                               ("delete", path_of(project), None)):  # fmt: skip
        response = call(method, path, body)
        assert (response.status_code, response.json()["error"]["code"]) == (403, "FORBIDDEN")


def test_a_list_costs_the_same_however_long(call: Caller, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    call("get", LIST)
    for number in range(3):
        projects.place(make_blueprint(name=f"b{number}"), make_project(f"p{number}"), by=for_service("tests"))
    with django_assert_num_queries(PINNED):
        assert len(call("get", LIST).json()["data"]["items"]) == 3


PINNED = 4
"""The key, the projects, the price book, and what was deployed of them, which is nothing."""


def test_the_home_page_tells_of_projects(client: Client) -> None:
    actor = make_actor()
    projects.create(by=actor, name="Web shop")
    client.force_login(actor.user)
    page = client.get("/").content.decode()
    assert "created the project" in page
    assert "Web shop" in page
