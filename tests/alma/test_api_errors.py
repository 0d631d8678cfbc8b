"""Whatever goes wrong, the API says it in the body that its document shows, and never with a page."""

import json
import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from alma.api.exceptions import invalid
from alma.api.parsers import loads
from tests.alma.site import WRITES
from tests.factories.accounts import make_key, make_organization

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.alma.site")]
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
STATUSES = {
    "BadRequest": (400, "BAD_REQUEST"),
    "Invalid": (422, "VALIDATION_ERROR"),
    "NotAuthenticated": (403, "INVALID_API_KEY"),
    "NotFound": (404, "NOT_FOUND"),
    "Refused": (403, "FORBIDDEN"),
    "TooLarge": (413, "PAYLOAD_TOO_LARGE"),
    "Unavailable": (502, "UNAVAILABLE"),
    "WrongState": (400, "WRONG_STATE"),
}


@pytest.fixture
def key() -> str:
    WRITES.clear()
    return make_key()[1]


def body_of(response: Any) -> dict[str, Any]:
    """The documented error body, checked."""
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert {"detail", "error_code", "timestamp"} <= body.keys()
    assert TIMESTAMP.fullmatch(body["timestamp"])
    assert isinstance(body["detail"], str)
    assert body["detail"]
    return body


def post(client: Client, key: str, content: bytes | str, content_type: str = "application/json") -> Any:
    return client.post("/api/v1/notes", data=content, content_type=content_type, headers={"X-API-Key": key})


@pytest.mark.parametrize(("name", "expected"), STATUSES.items())
def test_domain_errors(client: Client, name: str, expected: tuple[int, str]) -> None:
    make_organization()
    response = client.get(f"/api/v1/raises/{name}")
    body = body_of(response)
    assert (response.status_code, body["error_code"]) == expected
    assert (body["detail"], body["hint"]) == (f"It is {name}.", "try again")


@pytest.mark.parametrize(("name", "status"), [("http404", 404), ("denied", 403)])
def test_errors_of_the_framework(client: Client, name: str, status: int) -> None:
    assert client.get(f"/api/v1/raises/{name}").status_code == status
    body_of(client.get(f"/api/v1/raises/{name}"))


def test_a_fault_of_ours_tells_nothing_of_its_cause() -> None:
    response = Client(raise_request_exception=False).get("/api/v1/raises/fault")
    assert response.status_code == 500
    body_of(response)
    assert b"ZeroDivision" not in response.content
    assert b"ours" not in response.content


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/", "/api/v1/notes/nothing", "/api/v1/%00"])
def test_unknown_routes(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert body_of(response)["error_code"] == "NOT_FOUND"


@pytest.mark.parametrize("method", ["put", "patch", "trace"])
def test_wrong_methods(client: Client, method: str) -> None:
    response = getattr(client, method)("/api/v1/notes")
    assert response.status_code == 405
    assert body_of(response)["error_code"] == "METHOD_NOT_ALLOWED"
    assert {"GET", "POST", "DELETE"} <= set(response["Allow"].split(", "))


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded"])
def test_wrong_media_types(client: Client, key: str, content_type: str) -> None:
    response = post(client, key, "name=web", content_type)
    assert response.status_code == 415
    assert body_of(response)["error_code"] == "UNSUPPORTED_MEDIA_TYPE"
    assert WRITES == []


def test_an_answer_that_nobody_can_read_is_json_all_the_same(client: Client) -> None:
    response = client.get("/api/v1/notes", headers={"Accept": "image/png"})
    assert response.status_code == 406
    body_of(response)


BROKEN = {
    "half": (b'{"name": "web"', "INVALID_JSON"),
    "twice": (b'{"name": "web"} {}', "INVALID_JSON"),
    "no JSON": (b"name=web", "INVALID_JSON"),
    "NaN": (b'{"name": NaN}', "INVALID_JSON"),
    "infinite": (b'{"name": 1e999}', "INVALID_JSON"),
    "no UTF-8": (b'{"name": "\xff"}', "INVALID_JSON"),
    "half a surrogate": (b'{"name": "\\ud800"}', "INVALID_JSON"),
    "NUL": (b'{"name": "a\\u0000b"}', "INVALID_CHARACTER"),
    "NUL in a key": (b'{"a\\u0000b": 1}', "INVALID_CHARACTER"),
    "very deep": (b"[" * 100_000 + b"]" * 100_000, "INVALID_JSON"),
    "deep": (b"[" * 40 + b"]" * 40, "JSON_TOO_DEEP"),
    "many": (b"[" + b"0," * 10_000 + b"0]", "JSON_TOO_LARGE"),
    "endless number": (b'{"name": "a", "tags": [%s]}' % (b"1" * 100_000), "INVALID_JSON"),
    "a list": (b"[]", "INVALID_JSON"),
    "a string": (b'"web"', "INVALID_JSON"),
    "null": (b"null", "INVALID_JSON"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_bodies(client: Client, key: str, name: str) -> None:
    content, code = BROKEN[name]
    response = post(client, key, content)
    assert (response.status_code, body_of(response)["error_code"]) == (400, code)
    assert WRITES == []


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**64, 10**30])
def test_whole_numbers_beyond_64_bits(client: Client, key: str, number: int) -> None:
    response = post(client, key, json.dumps({"name": "web", "tags": [number]}))
    assert (response.status_code, body_of(response)["error_code"]) == (422, "VALIDATION_ERROR")
    assert WRITES == []


def test_the_largest_numbers_and_what_only_looks_like_them() -> None:
    value = {"a": 2**63 - 1, "b": -(2**63), "c": "1" * 40, "d": 1e300, "e": 0.1234567890123456789012345}
    assert loads(json.dumps(value).encode()) == value


def test_fields_that_break_a_rule_are_all_named(client: Client, key: str) -> None:
    response = post(client, key, '{"name": "too long", "tags": [1, "x"]}')
    body = body_of(response)
    assert (response.status_code, body["error_code"]) == (422, "VALIDATION_ERROR")
    assert [row["field"] for row in body["errors"]] == ["name", "tags.1"]
    assert body["detail"].startswith("name: ")
    assert WRITES == []


@pytest.mark.parametrize("content", ["{}", ""])
def test_a_missing_field_is_named(client: Client, key: str, content: str) -> None:
    response = post(client, key, content)
    assert response.status_code == 422
    assert body_of(response)["errors"][0]["field"] == "name"


def test_a_right_body_is_written(client: Client, key: str) -> None:
    assert post(client, key, '{"name": "web"}').status_code == 201
    assert WRITES == [{"name": "web"}]


def test_errors_without_a_field_and_none_at_all() -> None:
    error = invalid({"non_field_errors": ["Not so."], "a": {"b": ["Wrong."]}})
    assert error.details == [{"field": "", "message": "Not so."}, {"field": "a.b", "message": "Wrong."}]
    assert invalid({}).message == "The request is not valid."


def test_the_request_id_of_the_caller_is_kept_when_it_is_one(client: Client) -> None:
    assert client.get("/api/v1/nothing", headers={"X-Request-ID": "my-id_7"})["X-Request-ID"] == "my-id_7"
    for bad in ("a b", "x" * 65, "<script>", ""):
        given = client.get("/api/v1/nothing", headers={"X-Request-ID": bad})["X-Request-ID"]
        assert re.fullmatch(r"[0-9a-f]{32}", given)


# -- paging ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", (0, 100)),
        ("?skip=5", (5, 105)),
        ("?limit=1", (0, 1)),
        ("?skip=10000000&limit=200", (10_000_000, 10_000_200)),
    ],
)
def test_windows(client: Client, query: str, expected: tuple[int, int]) -> None:
    make_organization()
    body = client.get(f"/api/v1/notes{query}").json()
    assert (body["start"], body["stop"]) == expected


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=-1", "limit=x", "limit=", "limit=1e2", "limit=٣", "limit=9999999999999",
     "skip=-1", "skip=10000001", "skip=1.5", "skip=%00"],
)  # fmt: skip
def test_windows_out_of_bounds(client: Client, query: str) -> None:
    response = client.get(f"/api/v1/notes?{query}")
    assert response.status_code == 400
    assert body_of(response)["error_code"] == "INVALID_PARAMETER"


# -- pages ----------------------------------------------------------------------------------------
PAGES = STATUSES | {"NotAuthenticated": (401, ""), "WrongState": (409, "")}


@pytest.mark.parametrize(("name", "status"), [(name, status) for name, (status, _) in PAGES.items()])
def test_domain_errors_of_pages_are_pages_and_parts(client: Client, name: str, status: int) -> None:
    response = client.get(f"/pages/{name}")
    assert response.status_code == status
    assert f"It is {name}." in response.text
    assert "<html" in response.text
    part = client.get(f"/pages/{name}", headers={"HX-Request": "true"})
    assert part.status_code == status
    assert f"It is {name}." in part.text
    assert "<html" not in part.text


def test_a_fault_on_a_page_tells_nothing_of_its_cause(settings: Settings) -> None:
    response = Client(raise_request_exception=False).get("/pages/fault")
    assert response.status_code == 500
    assert "ZeroDivision" not in response.text


def test_unknown_pages_are_pages(client: Client) -> None:
    response = client.get("/nothing-here")
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/pages/http404", "/api/v1/notes", "/login/"])
def test_policy_of_every_answer(client: Client, path: str) -> None:
    policy = client.get(path)["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
