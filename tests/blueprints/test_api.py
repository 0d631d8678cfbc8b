"""The Blueprints API: documented shapes, refusals in the documented body, bounded lists, no request that breaks it."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from alma.accounts.models import ApiKey
from alma.accounts.scopes import VIEWER
from blueprints.models import Blueprint
from tests.factories.accounts import PASSWORD, make_actor, make_key, make_organization, make_user
from tests.factories.blueprints import make_blueprint, make_document, make_resource

pytestmark = pytest.mark.django_db
URL = "/api/v1/blueprints"
DOCUMENTED = {"id", "version", "name", "description", "resources", "metadata", "created_at", "updated_at"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture
def api(client: Client) -> Client:
    """A client with a key of the default organization."""
    client.defaults["HTTP_X_API_KEY"] = make_key()[1]
    return client


def send(client: Client, method: str, url: str, body: Any, **headers: str) -> Any:
    return getattr(client, method)(url, json.dumps(body), content_type="application/json", headers=headers)


def assert_error(response: Any, status: int, code: str) -> dict[str, Any]:
    """The document's error body, nothing of Django's."""
    assert response.status_code == status, response.content[:300]
    body: dict[str, Any] = response.json()
    assert {"detail", "error_code", "timestamp"} <= set(body)
    assert body["error_code"] == code
    assert body["detail"]
    assert TIME.fullmatch(body["timestamp"])
    return body


@pytest.mark.parametrize("url", [URL, f"{URL}/"])
def test_create_answers_as_documented(api: Client, url: str) -> None:
    response = send(api, "post", url, make_document())
    body = response.json()
    assert response.status_code == 201
    assert set(body) >= DOCUMENTED
    assert {key: body[key] for key in make_document()} == make_document()
    assert TIME.fullmatch(body["created_at"])
    assert body["created_at"] == body["updated_at"]
    assert response["Location"] == f"{URL}/{body['id']}"
    assert api.get(response["Location"]).json() == body


def test_create_takes_the_sdk_examples(api: Client) -> None:
    """The document's Python and TypeScript samples, one without a disk, one of type kubernetes."""
    python = {"name": "web-server-1", "type": "vm", "specs": {"cpu": 4, "memory": "8GB"}}
    typescript = {"name": "k8s-cluster", "type": "kubernetes", "specs": {"nodes": 5, "cpu_per_node": 4}}
    for resource in (python, typescript):
        response = send(api, "post", URL, make_document(resources=[resource]))
        assert response.status_code == 201, response.content
        assert response.json()["resources"] == [resource]


@pytest.mark.parametrize("suffix", ["", "/"])
def test_read_is_public(client: Client, suffix: str) -> None:
    blueprint = make_blueprint()
    assert client.get(f"{URL}/{blueprint.pk}{suffix}").json()["name"] == blueprint.name
    assert [row["id"] for row in client.get(f"{URL}{suffix}").json()] == [blueprint.pk]


def test_read_is_not_public_when_that_is_switched_off(client: Client, settings: Settings) -> None:
    settings.ALMA_PUBLIC_READ = False
    assert_error(client.get(URL), 403, "INVALID_API_KEY")


@pytest.mark.parametrize(("method", "path"), [("post", ""), ("put", "/1"), ("patch", "/1"), ("delete", "/1")])
def test_writes_need_a_key(client: Client, method: str, path: str) -> None:
    make_organization()
    body = assert_error(send(client, method, f"{URL}{path}", make_document()), 403, "INVALID_API_KEY")
    assert body["detail"] == "Invalid API key"
    wrong = send(client, method, f"{URL}{path}", make_document(), **{"X-API-Key": "alm_live_wrong"})
    assert_error(wrong, 403, "INVALID_API_KEY")
    assert not Blueprint.objects.exists()


def test_writes_need_the_scope(client: Client) -> None:
    response = send(client, "post", URL, make_document(), **{"X-API-Key": make_key(VIEWER)[1]})
    assert_error(response, 403, "MISSING_SCOPE")


def test_writes_stop_with_revocation(api: Client) -> None:
    ApiKey.objects.get().revoke()
    assert_error(send(api, "post", URL, make_document()), 403, "INVALID_API_KEY")


def test_writes_by_session_need_the_csrf_token() -> None:
    """A page of somebody else cannot write with the cookie of a signed-in person."""
    user = make_user()
    client = Client(enforce_csrf_checks=True)
    assert client.login(username=user.username, password=PASSWORD)
    assert_error(send(client, "post", URL, make_document()), 403, "FORBIDDEN")


def test_foreign_blueprints_are_not_found(api: Client) -> None:
    theirs = make_blueprint(by=make_actor(organization=make_organization("other")))
    for method in ("get", "put", "patch", "delete"):
        response = send(api, method, f"{URL}/{theirs.pk}", make_document()) if method != "get" else None
        assert_error(response or api.get(f"{URL}/{theirs.pk}"), 404, "BLUEPRINT_NOT_FOUND")
    assert api.get(URL).json() == []


@pytest.mark.parametrize(
    "path", ["/999", "/0", "/-1", "/1e3", "/abc", "/%00", "/%C2%B2", "/" + "9" * 30, "/1.0", "/ 1"]
)
def test_unknown_ids_are_not_found(api: Client, path: str) -> None:
    assert_error(api.get(f"{URL}{path}"), 404, "BLUEPRINT_NOT_FOUND")
    assert_error(send(api, "put", f"{URL}{path}", make_document()), 404, "BLUEPRINT_NOT_FOUND")
    assert_error(api.delete(f"{URL}{path}"), 404, "BLUEPRINT_NOT_FOUND")
    assert_error(api.get(f"{URL}{path}/revisions"), 404, "BLUEPRINT_NOT_FOUND")


@pytest.mark.parametrize(
    ("change", "resource", "field"),
    [
        ({"resources": [make_resource(specs={"memory": 8})]}, "web-server-1", "specs.memory"),
        ({"resources": [make_resource(specs={"cpu": "four"})]}, "web-server-1", "specs.cpu"),
        ({"resources": [make_resource(dependencies=["db"])]}, "web-server-1", "dependencies[0]"),
        ({"resources": [make_resource(), make_resource()]}, "web-server-1", "name"),
        ({"resources": [make_resource(wheels=4)]}, "web-server-1", "wheels"),
        ({"resources": {"web": {}}}, None, "resources"),
        ({"name": 7}, None, "name"),
        ({"name": None}, None, "name"),
        ({"colour": "blue"}, None, "colour"),
        ({"version": 1}, None, "version"),
    ],
)
def test_invalid_documents_name_resource_and_field(
    api: Client, change: dict[str, Any], resource: str | None, field: str
) -> None:
    body = assert_error(send(api, "post", URL, make_document(**change)), 422, "VALIDATION_ERROR")
    assert (body["errors"][0]["resource"], body["errors"][0]["field"]) == (resource, field)
    assert field in body["detail"]
    assert not Blueprint.objects.exists()


def test_circles_are_refused(api: Client) -> None:
    resources = [make_resource("a", dependencies=["b"]), make_resource("b", dependencies=["a"])]
    body = assert_error(send(api, "post", URL, make_document(resources=resources)), 422, "VALIDATION_ERROR")
    assert "circle" in body["detail"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "INVALID_JSON"),
        (b"[]", "INVALID_JSON"),
        (b'"text"', "INVALID_JSON"),
        (b"null", "INVALID_JSON"),
        (b'{"name": "\xff"}', "INVALID_JSON"),
        (b'{"name": NaN}', "INVALID_JSON"),
        (b'{"name": "\\ud800"}', "INVALID_JSON"),
        (b"[" * 100_000, "INVALID_JSON"),
        (b'{"metadata": ' + b"[" * 40 + b"]" * 40 + b"}", "JSON_TOO_DEEP"),
        (b'{"name": "a\\u0000b"}', "INVALID_CHARACTER"),
        (b'{"metadata": [' + b"1," * 30_000 + b"1]}", "JSON_TOO_LARGE"),
    ],
)
@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_broken_bodies_are_bad_requests(api: Client, method: str, body: bytes, code: str) -> None:
    url = URL if method == "post" else f"{URL}/{make_blueprint().pk}"
    before = Blueprint.objects.count()
    assert_error(getattr(api, method)(url, body, content_type="application/json"), 400, code)
    assert Blueprint.objects.count() == before


def test_wrong_content_types_are_refused(api: Client) -> None:
    assert_error(api.post(URL, "name: x", content_type="application/yaml"), 415, "UNSUPPORTED_MEDIA_TYPE")
    assert_error(api.post(URL, {"name": "x"}), 415, "UNSUPPORTED_MEDIA_TYPE")


def test_an_empty_body_is_invalid(api: Client) -> None:
    assert_error(api.post(URL, b"", content_type="application/json"), 422, "VALIDATION_ERROR")


def test_wrong_methods_are_refused(api: Client) -> None:
    response = api.delete(URL)
    assert_error(response, 405, "METHOD_NOT_ALLOWED")
    assert set(response["Allow"].split(", ")) >= {"GET", "POST"}
    assert_error(send(api, "post", f"{URL}/1", make_document()), 405, "METHOD_NOT_ALLOWED")


def test_head_and_options_answer(client: Client) -> None:
    make_organization()
    assert client.head(URL).status_code == 200
    assert client.options(URL).status_code == 200


def test_put_replaces_and_keeps_the_revision(api: Client) -> None:
    blueprint = make_blueprint()
    Blueprint.objects.update(updated_at=blueprint.updated_at - timedelta(days=1))
    response = send(api, "put", f"{URL}/{blueprint.pk}/", make_document(name="renamed", metadata={}))
    body = response.json()
    assert (response.status_code, body["name"], body["metadata"], body["revision"]) == (200, "renamed", {}, 2)
    assert body["updated_at"] >= body["created_at"]
    assert api.get(f"{URL}/{blueprint.pk}").json() == body


def test_put_needs_the_whole_document(api: Client) -> None:
    blueprint = make_blueprint()
    assert_error(send(api, "put", f"{URL}/{blueprint.pk}", {"description": "x"}), 422, "VALIDATION_ERROR")


def test_put_of_the_same_document_makes_no_revision(api: Client) -> None:
    blueprint = make_blueprint()
    assert send(api, "put", f"{URL}/{blueprint.pk}", make_document()).json()["revision"] == 1


def test_patch_merges(api: Client) -> None:
    blueprint = make_blueprint()
    body = send(api, "patch", f"{URL}/{blueprint.pk}", {"metadata": {"owner": "platform-team"}}).json()
    assert body["metadata"] == {"environment": "production", "owner": "platform-team"}
    assert body["resources"] == make_document()["resources"]


def test_delete_answers_as_documented(api: Client) -> None:
    url = f"{URL}/{make_blueprint().pk}"
    response = api.delete(url)
    assert (response.status_code, response.json()) == (200, {"message": "Blueprint deleted successfully"})
    assert_error(api.delete(url), 404, "BLUEPRINT_NOT_FOUND")
    assert_error(api.get(url), 404, "BLUEPRINT_NOT_FOUND")
    assert api.get(URL).json() == []


def test_delete_says_what_uses_it(api: Client, settings: Settings) -> None:
    settings.ALMA_BLUEPRINT_GUARDS = ["tests.blueprints.test_services.in_use"]
    body = assert_error(api.delete(f"{URL}/{make_blueprint().pk}"), 400, "BLUEPRINT_IN_USE")
    assert body["used_by"] == ["IPR 7 proposes web-app-production"]


def test_list_pages_in_order(client: Client) -> None:
    ids = [make_blueprint(name=f"number-{number}").pk for number in range(5)]
    assert [row["id"] for row in client.get(URL, {"skip": 1, "limit": 3}).json()] == ids[1:4]
    assert client.get(URL, {"skip": 5}).json() == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=-1", "limit=201", "limit=x", "skip=-1", "skip=1.5", "skip=9e9", "limit=%C2%B2", "skip="]
)
def test_list_refuses_windows_without_sense(client: Client, query: str) -> None:
    make_organization()
    assert_error(client.get(f"{URL}?{query}"), 400, "INVALID_PARAMETER")


def make_many(count: int) -> None:
    """Rows alone, quickly."""
    first = make_blueprint()
    fields = {"organization_id": first.organization_id, "version": "1.0", "created_by": "x"}
    Blueprint.objects.bulk_create([Blueprint(name=f"bulk-{n}", **fields) for n in range(count - 1)], batch_size=1000)


def queries_of(client: Client, url: str) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return [query["sql"] for query in captured]


def test_list_costs_the_same_for_many(client: Client) -> None:
    """As many queries for 10,000 rows as for 10, 100 rows at most unless asked, and never a count."""
    make_many(10)
    few = queries_of(client, URL)
    make_many(10_000)
    many = queries_of(client, f"{URL}?skip=9900")
    assert len(few) == len(many) == 2
    assert "COUNT(" not in "".join(many).upper()
    assert len(client.get(URL).json()) == 100


def test_list_reads_only_the_index_for_skipped_rows() -> None:
    """The plan of the page's ids touches no row of the table."""
    make_many(20)
    plan = Blueprint.objects.visible_to(make_actor()).page(slice(10, 20)).explain()
    assert "blueprint_living" in plan
    assert connection.vendor != "sqlite" or "COVERING INDEX blueprint_living" in plan


def test_get_costs_two_queries(client: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """Who everybody is, and the row."""
    url = f"{URL}/{make_blueprint().pk}"
    with django_assert_num_queries(2):
        client.get(url)


def test_revisions_are_listed_newest_first(api: Client) -> None:
    url = f"{URL}/{make_blueprint().pk}"
    send(api, "put", url, make_document(description="Larger"))
    newest, oldest = api.get(f"{url}/revisions").json()
    assert (newest["number"], oldest["number"]) == (2, 1)
    assert (newest["document"]["description"], oldest["document"]) == ("Larger", make_document())
    assert api.get(f"{url}/revisions/1/").json() == oldest


@pytest.mark.parametrize("number", ["2", "0", "x", "9" * 40, "%00"])
def test_unknown_revisions_are_not_found(client: Client, number: str) -> None:
    blueprint = make_blueprint()
    assert_error(client.get(f"{URL}/{blueprint.pk}/revisions/{number}"), 404, "REVISION_NOT_FOUND")


def test_browsable_pages_show_the_list(client: Client) -> None:
    """A person with a browser sees the rows, stored JSON included."""
    make_blueprint()
    response = client.get(URL, headers={"Accept": "text/html"})
    assert response.status_code == 200
    page = response.content.decode()
    assert "web-server-1" in page
    assert "<style" not in page, "the content security policy forbids it"
    assert '<link rel="icon"' in page
    assert "/login/?next=/api/v1/blueprints" in page


@pytest.mark.django_db(transaction=True)
def test_list_is_never_old() -> None:
    """Outside a transaction, as it is served: each write shows in the next list, over the same page."""
    client = Client(headers={"X-API-Key": make_key()[1]})
    names: list[str] = []
    for name in ("one", "two", "three"):
        send(client, "post", URL, make_document(name=name))
        names.append(name)
        assert [[row["name"] for row in client.get(URL).json()] for _ in range(2)] == [names, names]
    pk = Blueprint.objects.get(name="two").pk
    send(client, "patch", f"{URL}/{pk}", {"name": "second"})
    assert [row["name"] for row in client.get(URL).json()] == ["one", "second", "three"]
    Blueprint.objects.filter(name="three").update(name="third")
    assert [row["name"] for row in client.get(URL).json()] == ["one", "second", "third"]
    client.delete(f"{URL}/{pk}")
    assert [row["name"] for row in client.get(URL).json()] == ["one", "third"]
