"""The data plane in the OpenAPI document: every route, with what it takes and how it refuses."""

from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator

from instances.router.routes import MODEL, PROXY, ROUTES

pytestmark = pytest.mark.django_db
CHAT = "/v1/chat/completions"


@pytest.fixture(scope="module")
def document(django_db_setup: None, django_db_blocker: Any) -> Any:
    with django_db_blocker.unblock():
        return Client().get("/api/v1/schema/", headers={"Accept": "application/json"}).json()


def test_every_route_of_the_router_stands_there(document: Any) -> None:
    for route in (*ROUTES.values(), MODEL, PROXY):
        described = document["paths"][route.template]
        methods = {method.lower() for method in route.methods} - {"head"}
        assert set(described) == methods, route.template
        for operation in described.values():
            assert {"200", "default"} <= operation["responses"].keys()
            assert operation["tags"] == ["inference"]
    ids = [one["operationId"] for path in document["paths"].values() for one in path.values()]
    assert len(ids) == len(set(ids)), "names of a generated client's functions"


@pytest.mark.parametrize(
    ("body", "is_right"),
    [
        ({"model": "m", "messages": [{"role": "user", "content": "Hi"}]}, True),
        ({"model": "m", "messages": [], "stream": True, "temperature": 0.5, "anything": {}}, True),
        ({"messages": []}, False),
        ({"model": "m"}, False),
        ({"model": 5, "messages": []}, False),
    ],
)
def test_body_of_a_chat(document: Any, body: Any, is_right: bool) -> None:
    schema = document["paths"][CHAT]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert Draft202012Validator(schema).is_valid(body) is is_right


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        (CHAT, {"error": {"message": "m", "type": "t", "param": None, "code": None}}),
        ("/v1/messages", {"type": "error", "error": {"type": "t", "message": "m"}, "request_id": "r"}),
    ],
)
def test_refusals_have_the_shape_of_their_family(document: Any, path: str, fault: Any) -> None:
    schema = document["paths"][path]["post"]["responses"]["default"]["content"]["application/json"]["schema"]
    Draft202012Validator({**schema, "components": document["components"]}).validate(fault)
