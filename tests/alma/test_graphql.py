"""GraphQL: the documented query, mirrors that say what the API says, and errors that say no more than that."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from graphql import get_introspection_query
from pytest_django import DjangoAssertNumQueries, Settings

from alma.accounts.actors import Actor
from alma.accounts.scopes import EVERYTHING, INFERENCE
from alma.events.models import Event
from tests.factories.accounts import make_actor, make_key, make_organization, make_user
from tests.factories.blueprints import make_blueprint
from tests.factories.iprs import make_deployment, make_ipr
from tests.factories.vms import make_claim, make_cluster, make_guest

pytestmark = pytest.mark.django_db
URL = "/graphql"


def post(client: Client, query: object, key: str = "", path: str = URL, **more: Any) -> Any:
    headers = {"X-API-Key": key} if key else {}
    return client.post(path, {"query": query, **more}, content_type="application/json", headers=headers)


def data(client: Client, query: str, key: str = "", **more: Any) -> Any:
    answer = post(client, query, key, **more)
    assert answer.status_code == 200, answer.content
    assert "errors" not in answer.json(), answer.json()
    return answer.json()["data"]


def errors(client: Client, query: str, key: str = "", **more: Any) -> list[tuple[str, str]]:
    """Paths and codes of what failed in a query that ran."""
    answer = post(client, query, key, **more)
    assert answer.status_code == 200
    return [(".".join(map(str, error["path"])), error["extensions"]["code"]) for error in answer.json()["errors"]]


# -- the document ---------------------------------------------------------------------------------
@pytest.mark.parametrize("path", [URL, f"{URL}/"])
def test_the_documented_query(client: Client, path: str) -> None:
    query = "query {\n  systemStatus {\n    status\n    uptimeSeconds\n    activeConnections\n  }\n}"
    status = data(client, query, path=path)["systemStatus"]
    assert set(status) == {"status", "uptimeSeconds", "activeConnections"}
    assert status["status"] == "healthy"
    assert isinstance(status["uptimeSeconds"], int)
    assert status["activeConnections"] == 0


def test_the_status_is_that_of_the_health_check(client: Client, settings: Settings) -> None:
    settings.ALMA_LANGUAGE_PROBE = ("blueprints.generation.generate", "")
    assert data(client, "{ systemStatus { status } }") == {"systemStatus": {"status": "degraded"}}


# -- mirrors --------------------------------------------------------------------------------------
def test_a_blueprint_reads_as_in_the_api(client: Client) -> None:
    blueprint = make_blueprint()
    fields = "id version name description resources metadata createdAt updatedAt createdBy revision"
    api = client.get(f"/api/v1/blueprints/{blueprint.pk}").json()
    expected = {_camel(name): value for name, value in api.items()}
    assert data(client, f"{{ blueprint(id: {blueprint.pk}) {{ {fields} }} }}")["blueprint"] == expected
    assert data(client, f"{{ blueprints {{ {fields} }} }}")["blueprints"] == [expected]
    assert data(client, "{ blueprint(id: 99) { id } }") == {"blueprint": None}


def test_an_ipr_reads_as_in_the_api_with_its_plan(client: Client) -> None:
    ipr = make_ipr()
    deployment = make_deployment(ipr)
    query = """query One($id: Int!) { ipr(id: $id) {
        id title description blueprintId status environment createdBy createdAt updatedAt changesSummary
        plan { number status hash blueprintRevision summary problems remarks estimatedSeconds computedAt }
        blueprint { name } deployments { deploymentId ipr { id } } } }"""
    found = data(client, query, variables={"id": ipr.pk})["ipr"]
    api = client.get(f"/api/v1/iprs/{ipr.pk}").json()
    assert found.pop("blueprint") == {"name": ipr.blueprint.name}
    assert found.pop("deployments") == [{"deploymentId": deployment.job.public_id, "ipr": {"id": ipr.pk}}]
    plan = {_camel(name): value for name, value in api["plan"].items()}
    assert found.pop("plan") == {name: plan[name] for name in plan if name in _PLAN}
    assert found == {name: value for name, value in ((_camel(key), api[key]) for key in api) if name in found}
    assert data(client, '{ iprs(status: "pending") { id } }') == {"iprs": [{"id": ipr.pk}]}
    assert data(client, '{ iprs(status: "deployed") { id } }') == {"iprs": []}


_PLAN = {
    "number", "status", "hash", "blueprintRevision", "summary", "problems", "remarks", "estimatedSeconds", "computedAt"
}  # fmt: skip


def test_an_ipr_without_a_plan_or_with_a_deleted_blueprint(client: Client) -> None:
    ipr = make_ipr(plan=False)
    ipr.blueprint.deleted_at = datetime.now(UTC)
    ipr.blueprint.save()
    query = "{ iprs { plan { status } blueprint { name } deployments { status } } }"
    assert data(client, query) == {"iprs": [{"plan": None, "blueprint": None, "deployments": []}]}


def test_a_deployment_reads_as_in_the_api(client: Client) -> None:
    deployment = make_deployment(make_ipr())
    deployment.job.steps.filter(ordinal=1).update(state="succeeded")
    name = deployment.job.public_id
    fields = (
        "deploymentId iprId status dryRun engine createdBy createdAt startedAt finishedAt error leftovers percentage"
    )
    steps = "steps(limit: 3) { ordinal kind key title state attempts startedAt finishedAt }"
    found = data(client, f'{{ deployment(deploymentId: "{name}") {{ {fields} {steps} }} }}')["deployment"]
    api = client.get(f"/api/v1/deployments/{name}").json()
    assert [step["ordinal"] for step in found["steps"]] == [1, 2, 3]
    assert [step["state"] for step in found.pop("steps")] == ["succeeded", "pending", "pending"]
    assert found["percentage"] == api["percentage"] > 0
    assert found == {_camel(key): api[key] for key in api if _camel(key) in found}
    assert len(found) == len(fields.split())


def test_guests_are_those_of_the_last_reading(client: Client) -> None:
    key, secret = make_key()
    cluster = make_cluster(organization=key.organization, slug="pve")
    make_guest(cluster, vmid=101, name="a", tags="web;blue", memory_bytes=2**36, claim=make_claim(cluster))
    make_guest(cluster, vmid=102, name="b", status="stopped")
    make_guest(cluster, vmid=103, missing_since=datetime.now(UTC))
    query = "{ vms { vmid name cluster status memoryBytes tags isManaged seenAt } }"
    first, second = data(client, query, secret)["vms"]
    assert first["seenAt"].endswith("Z")
    assert {**first, "seenAt": ""} == {
        "vmid": 101, "name": "a", "cluster": "pve", "status": "running", "memoryBytes": 2**36, "tags": ["web", "blue"],
        "isManaged": True, "seenAt": "",
    }  # fmt: skip
    assert (second["vmid"], second["tags"], second["isManaged"]) == (102, [], False)
    assert data(client, '{ vms(status: "stopped") { vmid } }', secret) == {"vms": [{"vmid": 102}]}


def test_events_are_newest_first_and_of_one_stream_when_asked(client: Client) -> None:
    _, secret = make_key()
    ipr = make_ipr()
    ipr.tell("ipr.noted", by="ana", remark="hello")
    query = "query Log($stream: String) { events(stream: $stream) { stream seq kind actor at data } }"
    first, second = data(client, query, secret, variables={"stream": ipr.stream})["events"]
    assert (first["seq"], first["kind"], first["actor"], second["seq"]) == (2, "ipr.noted", "ana", 1)
    assert first["data"]["remark"] == "hello"
    assert len(data(client, query, secret)["events"]) == Event.objects.count()


@pytest.mark.parametrize(
    ("arguments", "names"),
    [("", "abc"), ("(limit: 2)", "ab"), ("(skip: 1)", "bc"), ("(skip: 2, limit: 1)", "c"), ("(skip: 3)", "")],
)
def test_lists_are_paged(client: Client, arguments: str, names: str) -> None:
    actor = make_actor()
    for name in "abc":
        make_blueprint(by=actor, name=name)
    assert (
        "".join(row["name"] for row in data(client, f"{{ blueprints{arguments} {{ name }} }}")["blueprints"]) == names
    )


@pytest.mark.parametrize("arguments", ["limit: 0", "limit: 201", "skip: -1", "skip: 10000001", 'status: "lost"'])
def test_a_page_that_is_none_is_refused(client: Client, arguments: str) -> None:
    assert errors(client, f"{{ iprs({arguments}) {{ id }} }}") == [("iprs", "INVALID_PARAMETER")]


# -- who sees what --------------------------------------------------------------------------------
EVERY_NAME = """{
  blueprints { name iprs { title } } iprs { title blueprint { name } deployments { deploymentId } }
  deployments { deploymentId ipr { title } } vms { name } events { stream data }
}"""


def test_nothing_of_another_organization_is_seen(client: Client) -> None:
    other = make_organization("other")
    stranger = make_actor(organization=other)
    ipr = make_ipr(by=stranger, title="canary-ipr", blueprint=make_blueprint(by=stranger, name="canary-blueprint"))
    deployment = make_deployment(ipr)
    make_guest(make_cluster(organization=other, slug="canary-cluster"), name="canary-guest")
    ours, secret = make_key(EVERYTHING)
    assert ours.organization != other
    answer = post(client, EVERY_NAME, secret)
    assert set(map(str, answer.json()["data"].values())) == {"[]"}
    name = deployment.job.public_id
    one = f'{{ ipr(id: {ipr.pk}) {{ id }} blueprint(id: {ipr.blueprint_id}) {{ id }} deployment(deploymentId: "{name}") {{ iprId }} }}'
    assert data(client, one, secret) == {"ipr": None, "blueprint": None, "deployment": None}
    _, theirs = make_key(EVERYTHING, organization=other)
    assert post(client, EVERY_NAME, theirs).content.count(b"canary") >= 5


@pytest.mark.parametrize(
    ("scopes", "codes"),
    [
        (None, {"vms": "INVALID_API_KEY", "events": "INVALID_API_KEY"}),
        (INFERENCE, {"vms": "MISSING_SCOPE", "events": "MISSING_SCOPE"}),
        (frozenset({"vm:read"}), {"events": "MISSING_SCOPE"}),
        (EVERYTHING, {}),
    ],
)
def test_what_is_not_public_needs_rights(client: Client, scopes: frozenset[str] | None, codes: dict[str, str]) -> None:
    make_organization()
    secret = make_key(scopes)[1] if scopes else ""
    for field in ("vms", "events"):
        body = post(client, f"{{ blueprints {{ name }} {field} {{ __typename }} }}", secret).json()
        expected = [codes[field]] if field in codes else []
        assert [error["extensions"]["code"] for error in body.get("errors", [])] == expected


FIELDS = {
    "blueprint:read": "{ blueprints { name } }", "ipr:read": "{ iprs { title } }", "deployment:read": "{ deployments { status } }",
    "vm:read": "{ vms { name } }", "job:read": "{ systemStatus { status } }",
}  # fmt: skip


@pytest.mark.parametrize("scope", FIELDS)
def test_each_field_needs_its_own_right(client: Client, settings: Settings, scope: str) -> None:
    settings.ALMA_PUBLIC_READ = False
    _, secret = make_key(frozenset({scope}))
    refused = {name for name, query in FIELDS.items() if "errors" in post(client, query, secret).json()}
    assert refused == FIELDS.keys() - {scope}


def test_what_hangs_on_a_field_needs_its_own_right(client: Client, settings: Settings) -> None:
    settings.ALMA_PUBLIC_READ = False
    make_deployment(make_ipr())
    _, secret = make_key(frozenset({"ipr:read"}))
    for inner in ("blueprint { name }", "deployments { status }"):
        (error,) = post(client, f"{{ iprs {{ title {inner} }} }}", secret).json()["errors"]
        assert error["extensions"]["code"] == "MISSING_SCOPE"


def test_credentials_are_those_of_the_api(client: Client, settings: Settings) -> None:
    query = "{ blueprints { name } }"
    assert post(client, query).status_code == 200
    assert post(client, query, "alm_live_wrong").status_code == 403
    settings.ALMA_PUBLIC_READ = False
    assert post(client, query).status_code == 403
    assert post(client, query, make_key()[1]).status_code == 200


def test_a_session_needs_the_token_of_its_page() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user("viewer"))
    assert post(client, "{ vms { name } }").status_code == 403
    client.get("/")
    headers = {"X-CSRFToken": client.cookies["csrftoken"].value}
    answer = client.post(URL, {"query": "{ vms { name } }"}, content_type="application/json", headers=headers)
    assert answer.json() == {"data": {"vms": []}}


def test_introspection_needs_a_credential(client: Client) -> None:
    for query in (get_introspection_query(), '{ a: __type(name: "Ipr") { name } }'):
        refusal = post(client, query)
        assert (refusal.status_code, refusal.json()["error_code"]) == (403, "INTROSPECTION_REFUSED")
        assert data(client, query, make_key()[1])
    assert data(client, "{ __typename }") == {"__typename": "Query"}


# -- cost -----------------------------------------------------------------------------------------
NESTED = """{ iprs { plan { number } blueprint { name iprs { id } }
  deployments(limit: 2) { percentage steps(limit: 2) { title } ipr { blueprint { name } } } } }"""


@pytest.mark.parametrize("count", [1, 6])
def test_queries_do_not_grow_with_rows(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    actor = make_actor()
    for _ in range(count):
        ipr = make_ipr(by=actor)
        for _ in range(3):
            make_deployment(ipr, "completed")
    _, secret = make_key()
    post(client, "{ __typename }", secret)
    with django_assert_num_queries(10):  # the key, IPRs, plans, blueprints, theirs, runs, journals, shares, and back up
        found = data(client, NESTED, secret)["iprs"]
    assert len(found) == count
    assert all(len(ipr["deployments"]) == 2 for ipr in found)
    assert all(run["ipr"]["blueprint"] for ipr in found for run in ipr["deployments"])


@pytest.mark.parametrize("field", ["blueprints { name }", "iprs { title }", "deployments { status }"])
def test_a_list_is_one_query(client: Client, django_assert_num_queries: DjangoAssertNumQueries, field: str) -> None:
    make_deployment(make_ipr())
    with django_assert_num_queries(2):  # whose organization is public, and the list
        data(client, f"{{ {field} }}")


# -- errors ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "INVALID_JSON"),
        (b'[{"query": "{ __typename }"}]', 400, "INVALID_JSON"),
        (b'"{ __typename }"', 400, "INVALID_JSON"),
        (b"{}", 400, "VALIDATION_ERROR"),
        (b'{"query": 7}', 400, "VALIDATION_ERROR"),
        (b'{"query": " "}', 400, "VALIDATION_ERROR"),
        (b'{"query": "{ __typename }", "variables": []}', 400, "VALIDATION_ERROR"),
        (b'{"query": "{ __typename }", "operationName": 7}', 400, "VALIDATION_ERROR"),
        (b'{"query": "{ __typename }", "operationName": "Other"}', 400, "GRAPHQL_OPERATION"),
        (b'{"query": "query A { __typename } query B { __typename }"}', 400, "GRAPHQL_OPERATION"),
        (b'{"query": "{ blueprints"}', 400, "GRAPHQL_SYNTAX"),
        (b'{"query": "# nothing"}', 400, "GRAPHQL_SYNTAX"),
        (b'{"query": "type A { b: Int }"}', 400, "GRAPHQL_OPERATION"),
        (b'{"query": "{ blueprints { nam } }"}', 400, "GRAPHQL_INVALID"),
        (b'{"query": "{ blueprint(id: \\"x\\") { name } }"}', 400, "GRAPHQL_INVALID"),
        (b'{"query": "query A($n: Int!) { ipr(id: $n) { id } }"}', 400, "GRAPHQL_INVALID"),
        (b'{"query": "query A($n: Int!) { ipr(id: $n) { id } }", "variables": {"n": 1e30}}', 400, "GRAPHQL_INVALID"),
        (b'{"query": "mutation { drop }"}', 400, "GRAPHQL_READ_ONLY"),
        (b'{"query": "subscription { events { seq } }"}', 400, "GRAPHQL_READ_ONLY"),
    ],
)
def test_what_cannot_run_is_refused_in_the_words_of_the_api(
    client: Client, body: bytes, status: int, code: str
) -> None:
    answer = client.post(URL, body, content_type="application/json")
    said = answer.json()
    assert (answer.status_code, said["error_code"]) == (status, code)
    assert {"detail", "error_code", "timestamp"} <= set(said)
    assert "Did you mean" not in said["detail"]
    assert all(error["message"] for error in said.get("errors", []))


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_there_is_nothing_but_post(client: Client, method: str) -> None:
    answer = getattr(client, method)(URL)
    assert answer.status_code == 405
    assert "error_code" in answer.json()


def test_a_form_is_no_query(client: Client) -> None:
    assert client.post(URL, {"query": "{ __typename }"}).status_code == 415


def test_a_fault_of_ours_says_nothing_of_itself(
    client: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ALMA_LANGUAGE_PROBE = ("nowhere.secret_function", "x")
    answer = post(client, "{ systemStatus { status } blueprints { name } }")
    assert answer.status_code == 200
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": "INTERNAL_ERROR"}
    assert answer["X-Request-ID"] in error["message"]
    assert b"nowhere" not in answer.content
    assert "a GraphQL field failed" in caplog.text


def test_an_actor_without_an_organization_sees_nothing(client: Client) -> None:
    make_ipr()
    client.force_login(make_user(None))
    answer = post(client, EVERY_NAME).json()
    assert answer["data"] is None
    client.logout()
    assert Actor(None, "nobody").organization_id is None


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.title, rest))
