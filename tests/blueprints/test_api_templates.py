"""Templates over the API: as documented, and a draft that can be created as it is."""

from typing import Any

import pytest
from django.test import Client

from tests.blueprints.test_api import assert_error, send
from tests.factories.accounts import make_key, make_organization

pytestmark = pytest.mark.django_db
URL = "/api/v1/templates"
DOCUMENTED = {
    "instance_count": 3, "cpu_per_instance": 4, "memory_per_instance": "8GB", "environment": "production",
}  # fmt: skip


@pytest.mark.parametrize("suffix", ["", "/"])
def test_the_list_is_as_documented(client: Client, suffix: str) -> None:
    body = client.get(URL + suffix).json()
    assert set(body) == {"templates", "count"}
    assert body["count"] == len(body["templates"]) >= 10
    first = body["templates"][0]
    assert {"id", "name", "description", "complexity", "estimated_cost"} <= set(first)
    assert (first["id"], first["complexity"]) == ("simple-web-app", "low")
    assert first["estimated_cost"].startswith("$")
    assert first["estimated_cost"].endswith("/month")


def test_a_template_is_a_whole_blueprint_that_can_be_created(client: Client) -> None:
    make_organization()
    template = client.get(f"{URL}/ha-web-app").json()
    assert template["metadata"]["parameter_schema"]["instance_count"]["minimum"] == 2
    created = send(client, "post", "/api/v1/blueprints", template, **{"X-API-Key": make_key()[1]})
    assert created.status_code == 201, created.content
    assert created.json()["resources"] == template["resources"]


@pytest.mark.parametrize("parameters", [DOCUMENTED, {"instance_count": 5, "environment": "production"}, {}, None])
def test_customising_answers_a_blueprint_and_leaves_the_template(client: Client, parameters: Any) -> None:
    before = client.get(f"{URL}/ha-web-app").json()
    answer = send(client, "post", f"{URL}/ha-web-app/customize", {"parameters": parameters})
    assert answer.status_code == 200, answer.content
    specs = next(row["specs"] for row in answer.json()["resources"] if row["name"] == "web")
    assert specs["count"] == (parameters or {}).get("instance_count", 3)
    assert client.get(f"{URL}/ha-web-app").json() == before


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({"parameters": []}, "BAD_REQUEST", "must be an object"),
        ({"parameters": {"instance_count": -1}}, "VALIDATION_ERROR", "2 to 50"),
        ({"instance_count": 3}, "BAD_REQUEST", "values belong in parameters"),
        ([], "INVALID_JSON", "object"),
    ],
)
def test_a_body_that_makes_no_sense_is_refused(client: Client, body: Any, code: str, words: str) -> None:
    response = send(client, "post", f"{URL}/ha-web-app/customize", body)
    assert words in assert_error(response, 400, code)["detail"]


@pytest.mark.parametrize(("method", "path"), [("get", "nothing"), ("post", "nothing/customize"), ("get", "%00")])
def test_an_unknown_template_is_not_found(client: Client, method: str, path: str) -> None:
    answer = client.get(f"{URL}/{path}") if method == "get" else send(client, method, f"{URL}/{path}", {})
    assert_error(answer, 404, "TEMPLATE_NOT_FOUND")
