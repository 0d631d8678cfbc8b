"""What is refused before a view is reached, in the dialect of the path and with an id."""

import re

import pytest
from django.test import Client

from tests.alma.dialect_bodies import get, said
from tests.alma.dialect_site import FAMILIES
from tests.factories.accounts import PASSWORD, make_key, make_organization, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.alma.dialect_site")]
NAMES = list(FAMILIES)


@pytest.fixture(autouse=True)
def _organization() -> None:
    make_organization()


# fmt: off
PROTOCOL = {
    405: {"alma": "METHOD_NOT_ALLOWED", "alumia": "METHOD_NOT_ALLOWED", "proxmox": "METHOD_NOT_ALLOWED",
          "llamactl-old": "METHOD_NOT_ALLOWED", "llamactl": None, "openai": "method_not_allowed",
          "anthropic": "invalid_request_error"},
    406: {"alma": "NOT_ACCEPTABLE", "alumia": "NOT_ACCEPTABLE", "proxmox": "NOT_ACCEPTABLE",
          "llamactl-old": "NOT_ACCEPTABLE", "llamactl": None, "openai": "not_acceptable",
          "anthropic": "invalid_request_error"},
    415: {"alma": "UNSUPPORTED_MEDIA_TYPE", "alumia": "UNSUPPORTED_MEDIA_TYPE", "proxmox": "UNSUPPORTED_MEDIA_TYPE",
          "llamactl-old": "UNSUPPORTED_MEDIA_TYPE", "llamactl": None, "openai": "unsupported_media_type",
          "anthropic": "invalid_request_error"},
    400: {"alma": "INVALID_JSON", "alumia": "BAD_REQUEST", "proxmox": "VALIDATION_ERROR",
          "llamactl-old": "INVALID_JSON", "llamactl": None, "openai": "invalid_json",
          "anthropic": "invalid_request_error"},
}
# fmt: on


@pytest.mark.parametrize("family", NAMES)
@pytest.mark.parametrize("status", PROTOCOL)
def test_what_http_refuses(client: Client, family: str, status: int) -> None:
    path = FAMILIES[family][1]
    response = {
        405: lambda: client.put(path),
        406: lambda: client.get(path, headers={"Accept": "image/png"}),
        415: lambda: client.post(path, "a=b", content_type="application/x-www-form-urlencoded"),
        400: lambda: client.post(path, "{", content_type="application/json"),
    }[status]()
    assert (response.status_code, said(family, response)[0]) == (status, PROTOCOL[status][family])
    if status == 405:
        assert {"GET", "POST"} <= set(response["Allow"].split(", "))


@pytest.mark.parametrize("family", NAMES)
def test_a_missing_and_a_wrong_key(client: Client, family: str) -> None:
    status = 403 if family == "alma" else 401
    missing = client.post(f"{FAMILIES[family][1]}/raises/NotFound")
    wrong = get(client, family, "/one", Authorization="Bearer alm_live_wrong")
    assert missing.status_code == wrong.status_code == status
    assert said(family, missing) == said(family, wrong)
    assert missing.get("WWW-Authenticate") == wrong.get("WWW-Authenticate") == ("Bearer" if status == 401 else None)


@pytest.mark.parametrize("family", NAMES)
def test_a_key_without_the_right_is_403_in_every_family(client: Client, family: str) -> None:
    key = make_key(frozenset({"vm:read"}))[1]
    response = client.post(f"{FAMILIES[family][1]}/raises/NotFound", headers={"Authorization": f"Bearer {key}"})
    assert response.status_code == 403
    assert "WWW-Authenticate" not in response


@pytest.mark.parametrize("family", NAMES)
def test_a_session_without_the_token_against_forgery(family: str) -> None:
    person = make_user("admin")
    client = Client(enforce_csrf_checks=True)
    assert client.login(username=person.username, password=PASSWORD)
    response = client.post(FAMILIES[family][1], "{}", content_type="application/json")
    assert response.status_code == 403
    assert "CSRF" in said(family, response)[1]


def test_forms_without_their_token_are_answered_by_a_page_or_in_the_dialect() -> None:
    client = Client(enforce_csrf_checks=True)
    page = client.post("/form/")
    assert (page.status_code, page["Content-Type"]) == (403, "text/html; charset=utf-8")
    assert "another site" in page.text
    api = client.post("/graphql/form")
    assert (api.status_code, api.json()["error_code"]) == (403, "CSRF")


@pytest.mark.parametrize("family", NAMES)
def test_unknown_paths_below_a_prefix(client: Client, family: str) -> None:
    code = {
        "alumia": "NOT_FOUND", "proxmox": "RESOURCE_NOT_FOUND", "llamactl": None, "openai": "not_found",
        "anthropic": "not_found_error",
    }  # fmt: skip
    for method in ("get", "post", "put", "patch", "delete"):
        response = getattr(client, method)(f"{FAMILIES[family][1]}/nothing/here")
        assert (response.status_code, said(family, response)[0]) == (404, code.get(family, "NOT_FOUND"))


def test_a_host_that_is_not_ours_is_refused_in_the_dialect(client: Client) -> None:
    response = client.get("/v1/vms", headers={"Host": "evil.example"})
    assert (response.status_code, said("proxmox", response)[0]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("family", NAMES)
@pytest.mark.parametrize("given", ["", "mine-1", "not mine\r\n", "x" * 65, "\u00e9"])
def test_request_ids(client: Client, family: str, given: str) -> None:
    for path in ("/one", "/raises/NotFound", "/nothing", "/text"):
        answered = get(client, family, path, X_Request_ID=given)["X-Request-ID"]
        assert answered == given if given == "mine-1" else re.fullmatch(r"[0-9a-f]{32}", answered)


def test_streams_bear_the_id_too(client: Client) -> None:
    response = client.post("/v1/notes/stream", "{}", content_type="application/json", headers={"X-Request-ID": "mine"})
    assert response.streaming
    assert response["X-Request-ID"] == "mine"
