"""The tools over REST: the list, calls by name and by question, and what is refused."""

from typing import Any

import pytest
from django.test import Client

from alma.accounts.scopes import SERVICE
from blueprints import tools
from blueprints.models import Blueprint
from tests.factories.accounts import make_actor, make_key, make_organization
from tests.factories.assistants import make_assistant
from tests.factories.blueprints import make_blueprint, make_document

pytestmark = pytest.mark.django_db
LIST, EXECUTE, DIRECT = "/api/v1/tools", "/api/v1/tools/execute", "/api/v1/tools/execute-direct"


def keyed(scopes: frozenset[str] = SERVICE, **key: Any) -> Client:
    return Client(headers={"X-API-Key": make_key(scopes, **key)[1]})


def ask(path: str, body: Any, client: Client | None = None) -> Any:
    return (client or keyed()).post(path, body, content_type="application/json")


@pytest.mark.parametrize("slash", ["", "/"])
def test_each_tool_has_a_schema(slash: str) -> None:
    answer = Client().get(LIST + slash).json()
    assert [row["name"] for row in answer["tools"]] == list(tools.NAMES)
    assert (answer["count"], len(answer["tools"])) == (13, 13)
    for row in answer["tools"]:
        assert row.keys() == {"name", "description", "parameters"}
        assert (row["parameters"]["type"], row["parameters"]["additionalProperties"]) == ("object", False)
        assert len(row["description"]) > 40


def test_the_documented_call() -> None:
    body = {
        "query": "Estimate resources for high traffic web application",
        "context": {"blueprint_id": 5, "usage_pattern": "high_traffic", "peak_users": 10000},
    }
    answer = ask(EXECUTE, body)
    told = answer.json()
    assert (answer.status_code, told["success"], told["tool"]) == (200, True, "estimate_resources")
    for name in ("cpu_cores", "memory_gb", "storage_tb", "estimated_cost_monthly"):
        assert isinstance(told["result"][name], int | float)
        assert told["result"][name] > 0
    assert len(told["timestamp"]) == len("2025-11-20T10:30:00Z")
    assert any("no blueprint 5" in reason for reason in told["reasons"])


def test_a_blueprint_of_the_caller_is_taken_and_of_another_is_not() -> None:
    mine, other = make_blueprint(), make_blueprint(by=make_actor(organization=make_organization("other")))
    client = keyed()
    asked = {"query": "Estimate resources for this blueprint"}
    told = ask(EXECUTE, {**asked, "context": {"blueprint_id": mine.pk}}, client).json()
    assert told["result"]["cpu_cores"] == 4
    answer = ask(EXECUTE, {**asked, "context": {"blueprint_id": other.pk}}, client)
    assert (answer.status_code, answer.json()["error_code"]) == (404, "BLUEPRINT_NOT_FOUND")
    direct = ask(DIRECT, {"tool": "estimate_resources", "arguments": {"blueprint_id": other.pk}}, client)
    assert direct.json()["detail"] == f"Blueprint {other.pk} not found"


WRONG: list[tuple[str, Any, int, str]] = [
    (DIRECT, {}, 400, "VALIDATION_ERROR"),
    (DIRECT, [], 400, "INVALID_JSON"),
    (DIRECT, {"tool": 7}, 400, "VALIDATION_ERROR"),
    (DIRECT, {"tool": "rm -rf"}, 404, "TOOL_NOT_FOUND"),
    (DIRECT, {"tool": "estimate_resources", "arguments": []}, 400, "VALIDATION_ERROR"),
    (DIRECT, {"tool": "estimate_resources", "args": {}}, 400, "VALIDATION_ERROR"),
    (DIRECT, {"tool": "estimate_resources", "arguments": {"peak_users": -1}}, 400, "VALIDATION_ERROR"),
    (DIRECT, {"tool": "estimate_resources", "arguments": {"peak_users": 10**30}}, 422, "VALIDATION_ERROR"),
    (
        DIRECT,
        {"tool": "estimate_resources", "arguments": {"service_ms": 600000, "requests_per_second": 1e7}},
        400,
        "TOO_LARGE",
    ),
    (DIRECT, {"tool": "estimate_resources", "arguments": {"blueprint": {"name": "x"}}}, 422, "VALIDATION_ERROR"),
    (DIRECT, {"tool": "estimate_resources", "arguments": {"colour": 1}}, 400, "VALIDATION_ERROR"),
    (DIRECT, {"tool": "validate_blueprint", "arguments": {}}, 400, "NO_BLUEPRINT"),
    (DIRECT, {"tool": "compare_blueprints", "arguments": {"blueprint_id": 1}}, 400, "VALIDATION_ERROR"),
    (DIRECT, {"tool": "estimate_resources", "agent_id": "x"}, 404, "AGENT_NOT_FOUND"),
    (EXECUTE, {}, 400, "VALIDATION_ERROR"),
    (EXECUTE, {"query": " "}, 400, "VALIDATION_ERROR"),
    (EXECUTE, {"query": 5}, 400, "VALIDATION_ERROR"),
    (EXECUTE, {"query": "x" * 8001}, 400, "VALIDATION_ERROR"),
    (EXECUTE, {"query": "good morning"}, 400, "NO_TOOL_FITS"),
    (EXECUTE, {"query": "estimate resources", "context": []}, 400, "VALIDATION_ERROR"),
    (EXECUTE, {"query": "estimate resources", "context": {"peak_users": "many"}}, 400, "VALIDATION_ERROR"),
    (EXECUTE, {"query": "validate blueprint 99999999"}, 404, "BLUEPRINT_NOT_FOUND"),
]


@pytest.mark.parametrize(("path", "body", "status", "code"), WRONG, ids=lambda value: str(value)[:60])
def test_what_is_refused(path: str, body: Any, status: int, code: str) -> None:
    answer = ask(path, body)
    told = answer.json()
    assert (answer.status_code, told["error_code"]) == (status, code)
    assert {"detail", "timestamp"} <= told.keys()


def test_who_may_not() -> None:
    assert ask(DIRECT, {"tool": "validate_blueprint"}, Client()).status_code == 403
    for path, body in (
        (EXECUTE, {"query": "estimate resources for 5 users"}),
        (DIRECT, {"tool": "validate_blueprint"}),
    ):
        answer = ask(path, body, keyed(frozenset({"blueprint:read"})))
        assert (answer.status_code, answer.json()["error_code"]) == (403, "MISSING_SCOPE")
    narrow = keyed(frozenset({"tool:read"}))
    refused = ask(DIRECT, {"tool": "validate_blueprint", "arguments": {"blueprint_id": make_blueprint().pk}}, narrow)
    assert (refused.status_code, refused.json()["error_code"]) == (403, "MISSING_SCOPE")
    assert (
        ask(DIRECT, {"tool": "validate_blueprint", "arguments": {"blueprint": make_document()}}, narrow).status_code
        == 200
    )


def test_an_agent_uses_the_tools_that_it_names() -> None:
    agent = str(make_assistant(tools=["validate_blueprint"]).uid)
    given = {"agent_id": agent, "arguments": {"blueprint": make_document()}}
    assert ask(DIRECT, {"tool": "validate_blueprint", **given}).status_code == 200
    for answer in (
        ask(DIRECT, {"tool": "estimate_resources", "agent_id": agent}),
        ask(EXECUTE, {"query": "estimate resources for 10 users", "agent_id": agent}),
    ):
        assert (answer.status_code, answer.json()["error_code"]) == (403, "TOOL_NOT_ALLOWED")


def test_nothing_is_saved() -> None:
    for name in tools.REGISTER:
        ask(DIRECT, {"tool": name, "arguments": {}})
    assert not Blueprint.objects.exists()
