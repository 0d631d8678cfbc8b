"""alumia-api.txt, section by section: what each of them shows is asked of the server and compared."""

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from pytest_django import Settings

from alma.accounts.scopes import SERVICE, VIEWER
from alma.api.dialects import ALUMIA
from alma.errors import PaymentRequired
from alma.overview import figures
from alma.server.limits import limit_of
from tests.alma.test_dialects_below import LENGTHLESS
from tests.alma.test_dialects_below import ask as ask_guard
from tests.factories.accounts import make_key, make_organization, make_project
from tests.factories.assistants import make_assistant, make_conversation
from tests.factories.webhooks import make_webhook
from tests.fixtures.limits import Clock
from tests.shapes import lacks

pytestmark = pytest.mark.django_db
V1 = "/api/v1"
ERROR = {"success": False, "error": {"code": "NOT_FOUND", "message": "Project not found"}}
PAGE = {"page": 1, "limit": 50, "hasMore": False}


def ask(client: Client, method: str, path: str, body: Any = None) -> Any:
    more = {} if body is None else {"data": body, "content_type": "application/json"}
    return getattr(client, method)(V1 + path, **more)


def keyed(scopes: frozenset[str] = SERVICE, **key: Any) -> Client:
    return Client(headers={"Authorization": f"Bearer {make_key(scopes, **key)[1]}"})


@pytest.fixture
def client() -> Client:
    return keyed()


# -- Authentication, Quickstart ---------------------------------------------------------------------
@pytest.mark.parametrize("lane", ["live", "test"])
def test_the_format_of_a_key(lane: str) -> None:
    key, secret = make_key(SERVICE, lane=lane)
    start, random = secret[:9], secret[9:]
    assert (start, len(random), set(random) <= set("0123456789abcdef")) == (f"alm_{lane}_", 48, True)
    assert (key.prefix, len(key.prefix), len(key.digest)) == (secret[:12], 12, 64)


def test_the_quickstart(client: Client) -> None:
    make_assistant()
    answer = ask(client, "get", "/agents")
    assert (answer.status_code, answer.json()["success"]) == (200, True)
    assert lacks({"items": [{"id": "x", "name": "x"}], **PAGE}, answer.json()["data"]) == []


# -- Response envelope ------------------------------------------------------------------------------
def test_the_documented_error_to_the_letter(client: Client) -> None:
    answer = ask(client, "get", f"/projects/{uuid.uuid4()}")
    assert (answer.status_code, answer.json()) == (404, ERROR)


LISTS = ["/agents", "/projects", "/sessions", "/mission-control"]


@pytest.mark.parametrize("path", LISTS)
def test_lists_have_items_and_beside_them_where_they_are(client: Client, path: str) -> None:
    body = ask(client, "get", path).json()
    assert body.keys() == {"success", "data"}
    assert lacks({"items": [], **PAGE}, body["data"]) == []
    assert body["data"]["nextCursor"] is None


# -- Error codes ------------------------------------------------------------------------------------
def _duplicate(client: Client) -> Any:
    make_project("shop")
    return ask(client, "post", "/projects", {"name": "Shop", "slug": "shop"})


PROVOKED: list[tuple[str, int, Callable[[Client], Any]]] = [
    ("BAD_REQUEST", 400, lambda client: ask(client, "post", "/agents", {})),
    ("BAD_REQUEST", 400, lambda client: ask(client, "post", "/agents", {"name": 5})),
    ("BAD_REQUEST", 400, lambda client: client.post(V1 + "/agents", b"", content_type="application/json")),
    ("UNAUTHORIZED", 401, lambda client: ask(Client(), "get", "/agents")),
    ("UNAUTHORIZED", 401, lambda client: Client().get(V1 + "/agents", headers={"Authorization": "Bearer alm_live_0"})),
    ("FORBIDDEN", 403, lambda client: ask(keyed(VIEWER), "post", "/agents", {"name": "x"})),
    ("FORBIDDEN", 403, lambda client: ask(client, "get", "/webhooks")),
    ("NOT_FOUND", 404, lambda client: ask(client, "get", f"/agents/{uuid.uuid4()}")),
    ("NOT_FOUND", 404, lambda client: ask(client, "get", "/agents/no/such/route")),
    ("CONFLICT", 409, _duplicate),
    ("VALIDATION_ERROR", 422, lambda client: ask(client, "post", "/agents", {"name": "x" * 101})),
]


@pytest.mark.parametrize(
    ("code", "status", "provoke"), PROVOKED, ids=[f"{row[0]}-{n}" for n, row in enumerate(PROVOKED)]
)
def test_the_table_of_codes(client: Client, code: str, status: int, provoke: Callable[[Client], Any]) -> None:
    answer = provoke(client)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert lacks(ERROR, answer.json()) == []


def test_too_many_requests(client: Client, limits_clock: Clock) -> None:
    answers = [ask(client, "get", "/agents") for _ in range(70)]
    refused = next(answer for answer in answers if answer.status_code != 200)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "TOO_MANY_REQUESTS")
    assert lacks(ERROR, refused.json()) == []
    limits_clock.forward(int(refused["Retry-After"]))
    assert ask(client, "get", "/agents").status_code == 200


def test_what_is_needed_and_does_not_answer(settings: Settings) -> None:
    """Here the identity provider: nobody listens on its port."""
    settings.ALMA_OIDC_ISSUER, settings.ALMA_OIDC_AUDIENCE = "http://127.0.0.1:9", "alma"
    claims = {"iss": settings.ALMA_OIDC_ISSUER, "aud": "alma", "exp": int(time.time()) + 60, "sub": "ana"}
    token = jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), "ES256", headers={"kid": "first"})
    answer = ask(Client(headers={"Authorization": f"Bearer {token}"}), "get", "/agents")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert lacks(ERROR, answer.json()) == []


def test_a_budget_that_is_used_up() -> None:
    """No route of this family deploys: tests/iprs/test_budgets.py has the one that does answer 402."""
    error = PaymentRequired("The budget is used up.")
    assert (ALUMIA.status(error), ALUMIA.error_body(error)["error"]["code"]) == (402, "PAYMENT_REQUIRED")


def test_a_fault_of_ours_says_nothing_of_itself(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(actor: Any) -> None:
        raise RuntimeError("the canary of a stack trace")

    monkeypatch.setattr(figures, "organization", fail)
    client.raise_request_exception = False
    answer = ask(client, "get", "/dashboard/overview")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "INTERNAL_ERROR")
    assert "canary" not in answer.content.decode()


# -- Request body limits ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "limit"), [("/projects", 128), ("/agents", 128), ("/sessions", 128), ("/webhooks", 256)]
)
async def test_bodies_are_capped_before_they_are_read(path: str, limit: int) -> None:
    assert limit_of(V1 + path) == limit * 1024
    for size, status in ((limit * 1024, 200), (limit * 1024 + 1, 413)):
        found, _, body = await ask_guard(V1 + path, [(b"content-length", str(size).encode())], b"x" * size)
        assert found == status
    assert json.loads(body)["error"]["code"] == "PAYLOAD_TOO_LARGE"


@pytest.mark.parametrize("path", ["/projects", "/agents", "/sessions", "/webhooks", "/docs/ask", "/enterprise-inquiry"])
async def test_a_post_says_how_long_it_is(path: str) -> None:
    status, _, body = await ask_guard(V1 + path, LENGTHLESS, b"{}")
    assert (status, json.loads(body)["error"]["code"]) == (411, "LENGTH_REQUIRED")


def nested(depth: int) -> dict[str, Any]:
    return {} if depth == 1 else {"x": nested(depth - 1)}


CAPS = [("/projects", "metadata", 32, 12), ("/projects", "settings", 8, 8), ("/agents", "metadata", 32, 8)]


@pytest.mark.parametrize(("path", "field", "kilobytes", "depth"), CAPS)
def test_caps_of_what_people_keep_beside_things(
    client: Client, path: str, field: str, kilobytes: int, depth: int
) -> None:
    fits, too_long = ({"x": "y" * (kilobytes * 1024 - len('{"x":""}') + more)} for more in (0, 1))
    for value, status in ((fits, 201), (too_long, 422), (nested(depth), 201), (nested(depth + 1), 422)):
        assert ask(client, "post", path, {"name": uuid.uuid4().hex, field: value}).status_code == status


def test_sessions_have_the_caps_of_agents(client: Client) -> None:
    assert ask(client, "post", "/sessions", {"metadata": nested(8)}).status_code == 201
    assert ask(client, "post", "/sessions", {"metadata": nested(9)}).status_code == 422


# -- Browser-only mutations -------------------------------------------------------------------------
def test_what_no_key_may(client: Client) -> None:
    webhook, agent = make_webhook(), make_assistant()
    refused = [
        ask(client, "post", "/webhooks", {"url": "https://example.org/"}),
        ask(client, "patch", f"/webhooks/{webhook.uid}", {"active": False}),
        ask(client, "delete", f"/webhooks/{webhook.uid}"),
        ask(client, "patch", f"/agents/{agent.uid}", {"allowedTools": ["create_blueprint"]}),
        client.post("/settings/members/add/", {"username": "x"}),
        client.post("/settings/organization/name/", {"name": "x"}),
    ]
    assert [answer.status_code for answer in refused] == [403] * 6


# -- Conventions, Idempotency -----------------------------------------------------------------------
def _things(organization: Any = None) -> dict[str, Any]:
    organization = organization or make_organization()
    return {
        f"/agents/{make_assistant(organization=organization).uid}": {"name": "Other"},
        f"/projects/{make_project('p', organization=organization).public_id}": {"name": "Other"},
        f"/sessions/{make_conversation(organization=organization).uid}": {"title": "Other"},
    }


def test_times_and_ids(client: Client) -> None:
    for path in _things():
        data = ask(client, "get", path).json()["data"]
        assert lacks({"createdAt": "2025-07-29T12:00:00Z", "updatedAt": "2025-07-29T12:00:00Z"}, data) == []
        assert (uuid.UUID(data["id"]).version, data["id"]) == (4, path.rpartition("/")[2])


def test_a_patch_changes_what_is_in_it_and_nothing_else(client: Client) -> None:
    for path, change in _things().items():
        before = ask(client, "get", path).json()["data"]
        after = ask(client, "patch", path, change).json()["data"]
        changed = {name for name in after if after[name] != before[name]} - {"updatedAt"}
        assert changed == change.keys()


def test_what_is_deleted_is_gone_and_deleting_it_again_says_the_same(client: Client) -> None:
    for path, change in _things().items():
        first, again = ask(client, "delete", path), ask(client, "delete", path)
        assert (first.status_code, first.json()) == (again.status_code, again.json())
        assert first.status_code == 200
        gone = [ask(client, "get", path), ask(client, "patch", path, change)]
        assert [answer.json()["error"]["code"] for answer in gone] == ["NOT_FOUND"] * 2
        assert ask(client, "get", path.rpartition("/")[0]).json()["data"]["items"] == []


def test_a_key_of_one_organization_reaches_nothing_of_another(client: Client) -> None:
    for path, change in _things(make_organization("other")).items():
        answers = [ask(client, "get", path), ask(client, "patch", path, change), ask(client, "delete", path)]
        assert [answer.status_code for answer in answers] == [404] * 3


# -- Public utilities -------------------------------------------------------------------------------
def test_the_two_that_need_no_key(client: Client) -> None:
    make_organization()
    question = ask(Client(), "post", "/docs/ask", {"question": "How do I run the tests?"})
    assert lacks({"answer": "x", "citations": [{"path": "x"}]}, question.json()["data"]) == []
    inquiry = {"name": "Jane", "email": "jane@example.com", "company": "Example", "message": "We run three clusters."}
    assert ask(Client(), "post", "/enterprise-inquiry", inquiry).json()["success"] is True


@pytest.mark.parametrize(
    "query",
    [
        "kind=ipr",
        f"agentId={uuid.UUID(int=7, version=4)}",
        "machine=web-1",
        "search=x",
        "limit=5",
        "kind=&agentId=&search=",
    ],
)
def test_the_filters_of_mission_control(client: Client, query: str) -> None:
    make_organization()
    data = ask(client, "get", f"/mission-control?{query}").json()["data"]
    assert lacks({"agents": {}, "stats": {}, "machines": [], "items": []}, data) == []
