"""proxmox-ai-api.txt, its sections of authentication, errors and pages: each example is asked and compared."""

import base64
from typing import Any

import pytest
from django.test import Client

from alma.accounts.models import ApiKey
from alma.accounts.scopes import EVERYTHING, READ
from tests.factories.accounts import PASSWORD, make_key, make_organization, make_user
from tests.shapes import lacks

pytestmark = pytest.mark.django_db
TOKENS = "/v1/auth/tokens"
META = {"request_id": "req_1234567890", "timestamp": "2025-07-29T12:00:00Z"}
REQUEST = {
    "name": "deployment-automation",
    "description": "Token for CI/CD deployment automation",
    "expires_in": 2592000,
    "permissions": ["vm:read", "vm:write", "network:read"],
}
RESPONSE = {
    "success": True,
    "data": {
        "token_id": "tok_1234567890abcdef",
        "access_token": "pxa_1234567890abcdef1234567890abcdef",
        "token_type": "bearer",
        "expires_at": "2025-08-29T12:00:00Z",
        "permissions": ["vm:read", "vm:write", "network:read"],
    },
    "meta": META,
}
REFUSED = {
    "success": False,
    "error": {
        "code": "INVALID_CREDENTIALS",
        "message": "Invalid username or password",
        "details": {"field": "password", "reason": "authentication_failed"},
    },
    "meta": META,
}
REVOKED = {"success": True, "message": "Token revoked successfully", "meta": META}
INVALID = {
    "success": False,
    "error": {
        "code": "VALIDATION_ERROR",
        "message": "One or more validation errors occurred",
        "details": {"field": "memory_mb", "reason": "must_be_positive_integer", "provided_value": -1024},
    },
    "meta": META,
}
PAGINATION = {
    "total": 1500, "limit": 50, "offset": 100, "pages": 30, "current_page": 3, "has_next": True, "has_previous": True,
    "next_cursor": "eyJ0", "previous_cursor": "eyJ0",
}  # fmt: skip


def basic(password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"ana:{password}".encode()).decode()}


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def ask(method: str, path: str, headers: dict[str, str], body: Any = None) -> Any:
    more = {} if body is None else {"data": body, "content_type": "application/json"}
    return getattr(Client(), method)(path, headers=headers, **more)


def mint(**changes: Any) -> Any:
    return ask("post", TOKENS, basic(), {**REQUEST, **changes})


@pytest.mark.parametrize("slash", ["", "/"])
def test_generate_an_api_token(slash: str) -> None:
    make_user(username="ana")
    answer = ask("post", TOKENS + slash, basic(), REQUEST)
    body = answer.json()
    assert (answer.status_code, answer["API-Version"], lacks(RESPONSE, body)) == (201, "v1", [])
    assert (body.keys(), body["data"].keys()) == (RESPONSE.keys(), RESPONSE["data"].keys())  # type: ignore[attr-defined]
    assert body["data"]["permissions"] == REQUEST["permissions"]
    assert body["meta"]["request_id"] == answer["X-Request-ID"]


def test_its_error_response() -> None:
    make_user(username="ana")
    answer = ask("post", TOKENS, basic("wrong"), REQUEST)
    body = answer.json()
    assert (answer.status_code, lacks(REFUSED, body)) == (401, [])
    assert body["error"] == REFUSED["error"]


def test_revoke_an_api_token_and_again() -> None:
    make_user(username="ana")
    data = mint().json()["data"]
    path, admin = f"{TOKENS}/{data['token_id']}", bearer(make_key(EVERYTHING)[1])
    for headers in (bearer(data["access_token"]), admin, admin):
        answer = ask("delete", path, headers)
        assert (answer.status_code, lacks(REVOKED, answer.json())) == (200, [])
        assert answer.json().keys() == REVOKED.keys()
        assert answer.json()["message"] == REVOKED["message"]
    assert ask("get", TOKENS, bearer(data["access_token"])).json()["error"]["code"] == "INVALID_TOKEN"


def test_the_error_response_format() -> None:
    make_user(username="ana")
    body = mint(expires_in=-1024).json()
    assert lacks(INVALID, body) == []
    assert body["error"]["details"]["field"] == "expires_in"
    assert body["error"]["details"]["provided_value"] == -1024
    named = mint(permissions=["world:rule"]).json()
    assert named["error"]["details"]["reason"] == "unknown_permission"
    assert "there is no world:rule" in named["error"]["message"]


def test_a_token_of_the_test_environment_stays_in_the_sandbox_lane() -> None:
    make_user(username="ana")
    assert mint(environment="test").status_code == 201
    assert ApiKey.objects.get().lane == ApiKey.Lane.TEST
    refused = mint(environment="staging")
    assert (refused.status_code, refused.json()["error"]["details"]["field"]) == (422, "environment")


def test_what_is_said_back_is_no_secret() -> None:
    login = Client().post("/api/auth/login", {"username": "", "password": "canary"}, content_type="application/json")
    webhook = {"url": "https://example.org/", "events": ["vm.created"], "secret": "canary"}
    key = bearer(make_key(EVERYTHING)[1])
    for answer in (login, ask("post", "/v1/webhooks", key, webhook)):
        assert answer.status_code in {400, 422}
        assert "canary" not in answer.content.decode()


def _codes() -> list[tuple[str, int, str, str, dict[str, str], Any]]:
    own, reader = bearer(make_key(EVERYTHING)[1]), bearer(make_key(READ)[1])
    other = make_key(organization=make_organization("other"))[0].token_id
    return [
        ("INVALID_TOKEN", 401, "get", TOKENS, {}, None),
        ("INVALID_TOKEN", 401, "get", TOKENS, bearer("pxa_1234567890abcdef1234567890abcdef"), None),
        ("INSUFFICIENT_PERMISSIONS", 403, "post", TOKENS, own, REQUEST),
        ("INSUFFICIENT_PERMISSIONS", 403, "delete", f"{TOKENS}/{other}", reader, None),
        ("RESOURCE_NOT_FOUND", 404, "delete", f"{TOKENS}/{other}", own, None),
        ("RESOURCE_NOT_FOUND", 404, "delete", f"{TOKENS}/tok_0000000000000000", own, None),
        ("RESOURCE_NOT_FOUND", 404, "delete", f"{TOKENS}/nothing", own, None),
        ("VALIDATION_ERROR", 400, "get", f"{TOKENS}?limit=201", own, None),
        ("VALIDATION_ERROR", 400, "get", f"{TOKENS}?offset=-1", own, None),
        ("VALIDATION_ERROR", 400, "get", f"{TOKENS}?cursor=forged", own, None),
        ("VALIDATION_ERROR", 400, "post", "/v1/webhooks", own, {"url": 5}),
        ("VALIDATION_ERROR", 422, "post", "/v1/webhooks", own, {"url": "x", "events": ["vm.created"]}),
    ]


def test_the_table_of_codes() -> None:
    for code, status, method, path, headers, body in _codes():
        answer = ask(method, path, headers, body)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (status, code), f"{method} {path}"
        assert (
            lacks(
                {"success": False, "error": {"code": "x", "message": "x", "details": {}}, "meta": META}, answer.json()
            )
            == []
        )


def test_pagination() -> None:
    headers = bearer(make_key(EVERYTHING)[1])
    for _ in range(4):
        make_key(READ)
    first = ask("get", f"{TOKENS}?limit=2", headers).json()
    middle = ask("get", f"{TOKENS}?limit=2&offset=2", headers).json()["data"]
    assert lacks({"data": {"tokens": [{"token_id": "x"}], "pagination": PAGINATION}}, {"data": middle}) == []
    assert "execution_time_ms" in first["meta"]
    figures = middle["pagination"]
    assert (figures["total"], figures["pages"], figures["current_page"]) == (5, 3, 2)
    ids = [row["token_id"] for row in middle["tokens"]]
    by_cursor = ask("get", f"{TOKENS}?limit=2&cursor={first['data']['pagination']['next_cursor']}", headers).json()
    assert [row["token_id"] for row in by_cursor["data"]["tokens"]] == ids
    back = ask("get", f"{TOKENS}?limit=2&cursor={figures['previous_cursor']}", headers).json()["data"]
    assert back["tokens"] == first["data"]["tokens"]
