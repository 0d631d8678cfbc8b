"""Each family answers as its document shows: envelope, error body, status, headers, times."""

import pytest
from django.test import Client
from pytest_django import Settings

from alma import errors
from alma.api.dialects import DIALECTS, PROXMOX
from tests.alma.dialect_bodies import TIME, get, said
from tests.alma.dialect_site import FAMILIES, SECOND
from tests.factories.accounts import make_organization

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.alma.dialect_site")]
BARE = ["alma", "llamactl-old", "llamactl", "openai", "anthropic"]
NAMES = list(FAMILIES)


@pytest.fixture(autouse=True)
def _organization() -> None:
    make_organization()


# -- success --------------------------------------------------------------------------------------
@pytest.mark.parametrize("family", BARE)
def test_bare_families_answer_with_the_data(client: Client, family: str) -> None:
    at = SECOND if family in {"llamactl", "openai"} else "2025-07-29T12:00:00Z"
    assert get(client, family, "/one").json() == {"name": "web", "at": at}


def test_alumia_wraps_data(client: Client) -> None:
    response = get(client, "alumia", "/one")
    assert response.json() == {"success": True, "data": {"name": "web", "at": "2025-07-29T12:00:00Z"}}


def test_proxmox_wraps_data_and_tells_of_the_exchange(client: Client) -> None:
    response = get(client, "proxmox", "/one", X_Request_ID="req_1234567890")
    body = response.json()
    assert list(body) == ["success", "data", "meta"]
    assert (body["success"], body["data"]) == (True, {"name": "web", "at": "2025-07-29T12:00:00Z"})
    assert body["meta"]["request_id"] == response["X-Request-ID"] == "req_1234567890"
    assert TIME.fullmatch(body["meta"]["timestamp"])
    assert set(body["meta"]) == {"request_id", "timestamp"}
    assert response["API-Version"] == "v1"


def test_proxmox_tells_how_long_a_list_took(client: Client) -> None:
    milliseconds = get(client, "proxmox").json()["meta"]["execution_time_ms"]
    assert isinstance(milliseconds, int)
    assert milliseconds >= 0


def test_more_about_the_exchange(client: Client) -> None:
    body = get(client, "proxmox", "/said").json()
    assert body["data"] == {"code": "x"}
    assert (body["meta"]["ai_model"], body["meta"]["tokens_used"]) == ("planner", 7)
    assert get(client, "alma", "/said").json() == {"code": "x"}


MESSAGES = {
    **dict.fromkeys(BARE, {"message": "Revoked"}),
    "alumia": {"success": True, "data": {"message": "Revoked"}},
    "proxmox": {"success": True, "message": "Revoked"},
}


@pytest.mark.parametrize("family", NAMES)
def test_a_message_alone(client: Client, family: str) -> None:
    body = client.delete(f"{FAMILIES[family][1]}/said").json()
    body.pop("meta", None)
    assert body == MESSAGES[family]


@pytest.mark.parametrize("family", NAMES)
def test_no_content_is_no_content_in_every_family(client: Client, family: str) -> None:
    response = client.delete(f"{FAMILIES[family][1]}/one")
    assert (response.status_code, response.content) == (204, b"")
    assert "Content-Type" not in response


@pytest.mark.parametrize("family", NAMES)
@pytest.mark.parametrize("accept", ["text/plain", "text/event-stream", "*/*", "application/json"])
def test_text_is_served_whatever_is_asked_for_and_its_errors_are_json(client: Client, family: str, accept: str) -> None:
    response = get(client, family, "/text", Accept=accept)
    assert (response.content, response["Content-Type"]) == (b"Version: 1", "text/plain; charset=utf-8")
    failed = get(client, family, "/text?fail=1", Accept=accept)
    assert (failed.status_code, failed["Content-Type"]) == (404, "application/json")
    said(family, failed)


@pytest.mark.parametrize("family", ["alumia", "proxmox"])
def test_people_see_the_envelope_too(client: Client, family: str) -> None:
    response = get(client, family, "/one", Accept="text/html")
    assert response.status_code == 200
    assert "&quot;success&quot;" in response.text


# -- errors ---------------------------------------------------------------------------------------
# fmt: off
ERRORS: dict[str, dict[str, tuple[int, str | None]]] = {
    "BadRequest": {
        "alma": (400, "BAD_REQUEST"), "alumia": (400, "BAD_REQUEST"), "proxmox": (400, "VALIDATION_ERROR"),
        "llamactl-old": (400, "BAD_REQUEST"), "llamactl": (400, None), "openai": (400, "bad_request"),
        "anthropic": (400, "invalid_request_error"),
    },
    "Invalid": {
        "alma": (422, "VALIDATION_ERROR"), "alumia": (422, "VALIDATION_ERROR"), "proxmox": (422, "VALIDATION_ERROR"),
        "llamactl-old": (400, "VALIDATION_ERROR"), "llamactl": (400, None), "openai": (400, "validation_error"),
        "anthropic": (400, "invalid_request_error"),
    },
    "NotAuthenticated": {
        "alma": (403, "INVALID_API_KEY"), "alumia": (401, "UNAUTHORIZED"), "proxmox": (401, "INVALID_TOKEN"),
        "llamactl-old": (401, "INVALID_API_KEY"), "llamactl": (401, None), "openai": (401, "invalid_api_key"),
        "anthropic": (401, "authentication_error"),
    },
    "bad password": {
        "alma": (403, "INVALID_CREDENTIALS"), "alumia": (401, "UNAUTHORIZED"), "proxmox": (401, "INVALID_CREDENTIALS"),
        "llamactl-old": (401, "INVALID_CREDENTIALS"), "llamactl": (401, None), "openai": (401, "invalid_credentials"),
        "anthropic": (401, "authentication_error"),
    },
    "PaymentRequired": {
        "alma": (402, "PAYMENT_REQUIRED"), "alumia": (402, "PAYMENT_REQUIRED"),
        "proxmox": (403, "RESOURCE_LIMIT_EXCEEDED"), "llamactl-old": (403, "RESOURCE_LIMIT_EXCEEDED"),
        "llamactl": (403, None), "openai": (429, "insufficient_quota"),
        "anthropic": (429, "rate_limit_error"),
    },
    "Refused": {
        "alma": (403, "FORBIDDEN"), "alumia": (403, "FORBIDDEN"), "proxmox": (403, "INSUFFICIENT_PERMISSIONS"),
        "llamactl-old": (403, "FORBIDDEN"), "llamactl": (403, None), "openai": (403, "forbidden"),
        "anthropic": (403, "permission_error"),
    },
    "NotFound": {
        "alma": (404, "NOTE_NOT_FOUND"), "alumia": (404, "NOT_FOUND"), "proxmox": (404, "RESOURCE_NOT_FOUND"),
        "llamactl-old": (404, "NOTE_NOT_FOUND"), "llamactl": (404, None), "openai": (404, "note_not_found"),
        "anthropic": (404, "not_found_error"),
    },
    "WrongState": {
        "alma": (400, "WRONG_STATE"), "alumia": (409, "CONFLICT"), "proxmox": (409, "RESOURCE_CONFLICT"),
        "llamactl-old": (409, "WRONG_STATE"), "llamactl": (409, None), "openai": (409, "wrong_state"),
        "anthropic": (409, "invalid_request_error"),
    },
    "LengthRequired": {
        "alma": (411, "LENGTH_REQUIRED"), "alumia": (411, "LENGTH_REQUIRED"), "proxmox": (411, "LENGTH_REQUIRED"),
        "llamactl-old": (411, "LENGTH_REQUIRED"), "llamactl": (411, None), "openai": (411, "length_required"),
        "anthropic": (411, "invalid_request_error"),
    },
    "TooLarge": {
        "alma": (413, "PAYLOAD_TOO_LARGE"), "alumia": (413, "PAYLOAD_TOO_LARGE"), "proxmox": (413, "PAYLOAD_TOO_LARGE"),
        "llamactl-old": (413, "PAYLOAD_TOO_LARGE"), "llamactl": (413, None), "openai": (413, "payload_too_large"),
        "anthropic": (413, "request_too_large"),
    },
    "too big": {
        "alma": (413, "PAYLOAD_TOO_LARGE"), "alumia": (413, "PAYLOAD_TOO_LARGE"), "proxmox": (413, "PAYLOAD_TOO_LARGE"),
        "llamactl-old": (413, "PAYLOAD_TOO_LARGE"), "llamactl": (413, None), "openai": (413, "payload_too_large"),
        "anthropic": (413, "request_too_large"),
    },
    "RateLimited": {
        "alma": (429, "RATE_LIMIT_EXCEEDED"), "alumia": (429, "TOO_MANY_REQUESTS"),
        "proxmox": (429, "RATE_LIMIT_EXCEEDED"), "llamactl-old": (429, "RATE_LIMIT_EXCEEDED"), "llamactl": (429, None),
        "openai": (429, "rate_limit_exceeded"),
        "anthropic": (429, "rate_limit_error"),
    },
    "Unavailable": {
        "alma": (502, "UNAVAILABLE"), "alumia": (503, "SERVICE_UNAVAILABLE"), "proxmox": (503, "SERVICE_UNAVAILABLE"),
        "llamactl-old": (503, "UNAVAILABLE"), "llamactl": (503, None), "openai": (503, "unavailable"),
        "anthropic": (503, "overloaded_error"),
    },
    "DomainError": {
        "alma": (400, "DOMAIN_ERROR"), "alumia": (400, "BAD_REQUEST"), "proxmox": (400, "VALIDATION_ERROR"),
        "llamactl-old": (400, "DOMAIN_ERROR"), "llamactl": (400, None), "openai": (400, "domain_error"),
        "anthropic": (400, "invalid_request_error"),
    },
    "http404": {
        "alma": (404, "NOT_FOUND"), "alumia": (404, "NOT_FOUND"), "proxmox": (404, "RESOURCE_NOT_FOUND"),
        "llamactl-old": (404, "NOT_FOUND"), "llamactl": (404, None), "openai": (404, "not_found"),
        "anthropic": (404, "not_found_error"),
    },
    "csrf": {
        "alma": (403, "FORBIDDEN"), "alumia": (403, "FORBIDDEN"), "proxmox": (403, "INSUFFICIENT_PERMISSIONS"),
        "llamactl-old": (403, "FORBIDDEN"), "llamactl": (403, None), "openai": (403, "forbidden"),
        "anthropic": (403, "permission_error"),
    },
    "fault": {
        "alma": (500, "INTERNAL_ERROR"), "alumia": (500, "INTERNAL_ERROR"), "proxmox": (500, "INTERNAL_ERROR"),
        "llamactl-old": (500, "INTERNAL_ERROR"), "llamactl": (500, None), "openai": (500, "internal_error"),
        "anthropic": (500, "api_error"),
    },
}
ERRORS["denied"] = ERRORS["csrf"]
# fmt: on
CELLS = [(name, family, *expected) for name, row in ERRORS.items() for family, expected in row.items()]


@pytest.mark.parametrize(("name", "family", "status", "code"), CELLS, ids=[f"{row[0]}-{row[1]}" for row in CELLS])
def test_errors(name: str, family: str, status: int, code: str | None) -> None:
    response = get(Client(raise_request_exception=False), family, f"/raises/{name}")
    found, message = said(family, response)
    assert (response.status_code, found) == (status, code)
    assert message
    assert response["Content-Type"] == "application/json"
    assert response["X-Request-ID"]
    assert response.get("WWW-Authenticate") == ("Bearer" if status == 401 else None)
    assert response.get("Retry-After") == ("30" if name == "RateLimited" else None)
    assert b"ZeroDivision" not in response.content


def test_the_log_knows_a_fault_by_the_id_that_the_caller_has(caplog: pytest.LogCaptureFixture) -> None:
    response = get(Client(raise_request_exception=False), "proxmox", "/raises/fault", X_Request_ID="mine-1")
    assert "mine-1" in response.json()["error"]["message"]
    assert "mine-1" in caplog.text


def test_every_kind_of_error_of_the_domain_stands_in_the_table() -> None:

    kinds = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
    assert kinds <= set(ERRORS)
    assert all(set(row) == set(FAMILIES) == {dialect.name for dialect in DIALECTS} for row in ERRORS.values())


def test_proxmox_details_name_the_field_and_the_reason(client: Client) -> None:
    details = get(client, "proxmox", "/raises/Invalid").json()["error"]["details"]
    assert details == {
        "field": "name", "reason": "invalid_value", "provided_value": None, "errors": [{"field": "name", "message": "too long"}],
    }  # fmt: skip
    assert get(client, "proxmox", "/raises/WrongState").json()["error"]["details"] == {
        "reason": "wrong_state", "status": "running",
    }  # fmt: skip
    assert get(client, "proxmox", "/raises/bad password").json()["error"]["details"] == {}


def test_details_of_the_other_families(client: Client) -> None:
    assert get(client, "alma", "/raises/Invalid").json()["errors"] == [{"field": "name", "message": "too long"}]
    assert get(client, "alma", "/raises/WrongState").json()["status"] == "running"
    assert get(client, "alumia", "/raises/WrongState").json()["error"]["details"] == {"status": "running"}
    assert get(client, "llamactl-old", "/raises/Invalid").json()["details"] == "name: too long"
    assert get(client, "llamactl-old", "/raises/WrongState").json()["details"] == "status: running"
    assert get(client, "openai", "/raises/Invalid").json()["error"]["param"] == "name"


OPENAI_TYPES = {
    "BadRequest": "invalid_request_error", "NotAuthenticated": "authentication_error", "Refused": "permission_error",
    "NotFound": "not_found_error", "RateLimited": "rate_limit_error", "Unavailable": "service_unavailable_error",
    "fault": "server_error", "WrongState": "conflict_error",
}  # fmt: skip


@pytest.mark.parametrize(("name", "kind"), OPENAI_TYPES.items())
def test_types_of_openai_errors(name: str, kind: str) -> None:
    response = get(Client(raise_request_exception=False), "openai", f"/raises/{name}")
    assert response.json()["error"]["type"] == kind


def test_openai_errors_may_be_text_as_the_llamactl_document_shows_them(client: Client, settings: Settings) -> None:
    settings.ALMA_OPENAI_ERRORS = "string"
    assert get(client, "openai", "/raises/NotFound").json() == {"error": "Note 7 not found"}


# -- headers of limits ----------------------------------------------------------------------------
def test_headers_of_limits() -> None:
    for dialect in DIALECTS:
        headers = dialect.rate_headers(limit=1000, remaining=999, reset=1627834800, window=3600)
        documented = {
            "X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "999", "X-RateLimit-Reset": "1627834800",
        }  # fmt: skip
        assert headers == documented | ({"X-RateLimit-Window": "3600"} if dialect is PROXMOX else {})
