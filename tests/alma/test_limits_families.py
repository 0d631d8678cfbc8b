"""Each family's documented limits, as a client of it meets them: headers, burst, refusal, and when it may come back."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from alma.accounts.models import ApiKey
from alma.api.limits.classes import (
    AI,
    ALMA,
    ALUMIA,
    ASK,
    AUTHENTICATION,
    BLUEPRINTS,
    CHAT,
    EXECUTE,
    GENERATE,
    INQUIRE,
    INTENSIVE,
    OPERATIONS,
    PROBES,
    READS,
    REGULAR,
    SENSITIVE,
    STRANGERS,
    RateClass,
)
from alma.api.limits.limiter import current
from tests.alma.dialect_site import EFFECTS
from tests.factories.accounts import make_key, make_user
from tests.fixtures.limits import Clock

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.alma.dialect_site")]
ADDRESS = "address:127.0.0.1"
HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


@dataclass(frozen=True)
class Case:
    """What a document says of a route."""

    method: str
    path: str
    kind: RateClass
    figures: tuple[int, int, int]
    """Limit, seconds, burst."""
    status: int = 429
    code: str = "RATE_LIMIT_EXCEEDED"
    shape: str = "detail"
    headers: tuple[str, ...] = HEADERS


def alumia(method: str, path: str, kind: RateClass, figures: tuple[int, int, int]) -> Case:
    return Case(method, path, kind, figures, 429, "TOO_MANY_REQUESTS", "error.message", ())


def proxmox(method: str, path: str, kind: RateClass, figures: tuple[int, int, int]) -> Case:
    return Case(method, path, kind, figures, shape="error.message", headers=(*HEADERS, "X-RateLimit-Window"))


CASES = [
    Case("GET", "/api/v1/notes", ALMA, (60, 60, 10)),
    Case("GET", "/api/v1/nowhere", ALMA, (60, 60, 10)),
    Case("PUT", "/api/v1/notes", ALMA, (60, 60, 10)),
    Case("POST", "/graphql", ALMA, (60, 60, 10)),
    Case("GET", "/api/v1/ipr/", ALMA, (60, 60, 10)),
    Case("POST", "/api/v1/conversation/chat", CHAT, (20, 60, 5)),
    Case("POST", "/api/v1/conversation/chat-stream", CHAT, (20, 60, 5)),
    Case("POST", "/api/v1/blueprints/generate-blueprint", GENERATE, (30, 60, 8)),
    Case("POST", "/api/v1/blueprints/generate-blueprint-stream/", GENERATE, (30, 60, 8)),
    Case("POST", "/api/v1/tools/execute", EXECUTE, (40, 60, 10)),
    Case("GET", "/api/v1/blueprints", BLUEPRINTS, (100, 60, 15)),
    Case("DELETE", "/api/v1/blueprints/7/", BLUEPRINTS, (100, 60, 15)),
    Case("GET", "/api/v1/monitoring/health", PROBES, (600, 60, 100)),
    alumia("GET", "/api/v1/projects", ALUMIA, (100, 60, 20)),
    alumia("POST", "/api/v1/docs/ask", ASK, (20, 60, 5)),
    alumia("POST", "/api/v1/enterprise-inquiry", INQUIRE, (10, 60, 5)),
    Case("POST", "/api/v1/webhooks", SENSITIVE, (10, 60, 5), 400, "BAD_REQUEST", "error.message", ()),
    proxmox("GET", "/v1/notes", READS, (1000, 3600, 1000)),
    proxmox("POST", "/v1/vms", OPERATIONS, (100, 3600, 100)),
    proxmox("GET", "/v1/auth/tokens", AUTHENTICATION, (10, 60, 10)),
    proxmox("POST", "/v1/ai/generate", AI, (10, 3600, 10)),
    Case("GET", "/api/system/notes", REGULAR, (100, 60, 100), shape="error"),
    Case("POST", "/api/auth/login", INTENSIVE, (10, 60, 10), shape="error"),
    Case("POST", "/api/instances/web/start", INTENSIVE, (10, 60, 10), shape="error"),
    Case("GET", "/api/instances", REGULAR, (100, 60, 100), shape="error"),
    Case("GET", "/api/v1/server/nowhere", STRANGERS, (60, 60, 10), code="", shape="error", headers=()),
    Case("GET", "/v1/models/notes", STRANGERS, (60, 60, 10), code="rate_limit_exceeded", shape="error.message", headers=()),
]  # fmt: skip


def ask(client: Client, case: Case, **headers: Any) -> Any:
    """One request of a case."""
    return client.generic(case.method, case.path, b"", content_type="application/json", **headers)


def sent(answer: Any, names: tuple[str, ...]) -> list[int]:
    """Those of the headers of an allowance that are there must be the documented ones."""
    assert {name for name in answer.headers if name.startswith("X-RateLimit")} == set(names)
    return [int(answer[name]) for name in names]


def words(body: Any, path: str) -> str:
    for name in path.split("."):
        body = body[name]
    assert isinstance(body, str)
    return body


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.method} {case.path}")
def test_a_burst_is_answered_and_no_more_until_retry_after(limits_clock: Clock, case: Case) -> None:
    limit, window, burst = case.figures
    client = Client(raise_request_exception=False)
    first = ask(client, case)
    full = limits_clock.now // 1_000_000 + -(-window // limit)
    assert sent(first, case.headers) == [limit, burst - 1, full, window][: len(case.headers)]
    for _ in range(burst - 2):
        current().charge(case.kind, ADDRESS)
    last = ask(client, case)
    assert "Retry-After" not in last.headers
    assert sent(last, case.headers)[1:2] in ([0], [])
    refused = ask(client, case)
    wait = -(-window // limit)
    assert (refused.status_code, refused["Retry-After"]) == (case.status, str(wait))
    assert sent(refused, case.headers)[:2] in ([limit, 0], [])
    is_sensitive = case.kind.is_sensitive
    told = "Too many requests. Try again in" if is_sensitive else "Rate limit exceeded. Try again in"
    assert words(refused.json(), case.shape) == f"{told} {wait} second{'s' * (wait > 1)}."
    assert case.code in refused.content.decode()
    early = window / limit - 0.001
    limits_clock.forward(early)
    assert "Retry-After" in ask(client, case).headers
    limits_clock.forward(wait - early)
    assert "Retry-After" not in ask(client, case).headers


def test_every_answer_of_the_alma_family_says_what_is_left(limits_clock: Clock) -> None:
    client, (_, key) = Client(raise_request_exception=False), make_key()
    answers = [
        client.get("/api/v1/notes"),
        client.get("/api/v1/raises/NotFound"),
        client.get("/api/v1/notes/raises/fault"),
        client.get("/api/v1/notes", headers={"X-API-Key": "wrong"}),
        client.get("/api/v1/notes", headers={"X-API-Key": "one", "Authorization": "Bearer two"}),
        client.get("/api/v1/notes", headers={"Accept": "application/xml"}),
        client.get("/api/v1/notes", headers={"Host": "elsewhere.example"}),
        client.put("/api/v1/notes"),
        client.post("/api/v1/notes/stream"),
        client.options("/api/v1/notes", headers={"X-API-Key": key}),
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 500, 403, 400, 406, 400, 405, 200, 200]
    left = [int(answer["X-RateLimit-Remaining"]) for answer in answers]
    assert left == [9, 8, 7, 6, 5, 4, 3, 2, 1, 9]


def test_a_key_has_an_allowance_of_its_own_wherever_it_is_used_from(limits_clock: Clock) -> None:
    client, (_, first), (_, second) = Client(), make_key(), make_key()

    def left(secret: str, address: str = "127.0.0.1") -> str:
        return str(client.get("/api/v1/notes", headers={"X-API-Key": secret}, REMOTE_ADDR=address)[HEADERS[1]])

    assert [left(first), left(first, "192.0.2.7"), left(second), left(first)] == ["9", "8", "9", "7"]
    assert client.get("/api/v1/notes")[HEADERS[1]] == "9"


def test_keys_of_the_environment_are_told_apart(limits_clock: Clock, settings: Settings) -> None:
    settings.ALMA_API_KEYS = ["one-of-them", "another-one"]
    client = Client()
    answers = [
        client.get("/api/v1/notes", headers={"X-API-Key": key}) for key in (*settings.ALMA_API_KEYS, "one-of-them")
    ]
    assert [answer[HEADERS[1]] for answer in answers] == ["9", "9", "8"]


def test_who_is_signed_in_is_one_client_on_every_device(limits_clock: Clock) -> None:
    user = make_user()
    answers = []
    for address in ("127.0.0.1", "192.0.2.7"):
        client = Client(REMOTE_ADDR=address)
        client.force_login(user)
        answers.append(client.get("/api/v1/notes")[HEADERS[1]])
    assert answers == ["9", "8"]


def test_the_sandbox_lane_has_ten_times_as_much(limits_clock: Clock) -> None:
    _, key = make_key(lane=ApiKey.Lane.TEST)
    answer = Client().get("/api/v1/notes", headers={"X-API-Key": key})
    assert [answer[name] for name in HEADERS[:2]] == ["600", "99"]


def test_operators_may_give_more_or_set_no_limits(limits_clock: Clock, settings: Settings) -> None:
    settings.ALMA_RATE_LIMITS = 5
    assert [Client().get("/api/v1/notes")[name] for name in HEADERS[:2]] == ["300", "48"]
    settings.ALMA_RATE_LIMITS = 0
    assert not any(name.startswith("X-RateLimit") for name in Client().get("/api/v1/notes").headers)


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded"])
def test_an_address_that_the_caller_made_up_changes_nothing(limits_clock: Clock, header: str) -> None:
    client = Client()
    statuses = [
        client.get(
            "/api/v1/notes", headers={header: f"for=203.0.113.{n}" if header == "Forwarded" else f"203.0.113.{n}"}
        ).status_code
        for n in range(15)
    ]
    assert statuses == [200] * 10 + [429] * 5


def test_wrong_keys_count_against_their_address_whatever_they_are(limits_clock: Clock) -> None:
    client = Client()
    statuses = [client.get("/api/v1/notes", headers={"X-API-Key": f"guess-{n}"}).status_code for n in range(12)]
    assert statuses == [403] * 10 + [429] * 2
    assert client.get("/api/v1/notes").status_code == 429
    assert client.get("/api/v1/notes", headers={"X-API-Key": make_key()[1]}).status_code == 200
    assert client.get("/api/v1/notes", REMOTE_ADDR="192.0.2.7").status_code == 200


def test_a_missing_right_counts_for_the_key(limits_clock: Clock) -> None:
    _, key = make_key(frozenset())
    client = Client()
    statuses = [client.post("/api/v1/notes/raises/fault", headers={"X-API-Key": key}).status_code for _ in range(11)]
    assert statuses == [403] * 10 + [429]


def test_neighbours_of_an_ipv6_network_are_one_client_and_so_are_both_spellings_of_ipv4(limits_clock: Clock) -> None:
    def left(address: str) -> str:
        return str(Client().get("/api/v1/notes", REMOTE_ADDR=address)[HEADERS[1]])

    assert [left("2001:db8::1"), left("2001:db8::ffff:2"), left("2001:db8:0:1::1")] == ["9", "8", "9"]
    assert [left("192.0.2.9"), left("::ffff:192.0.2.9"), left("::ffff:192.0.2.10")] == ["9", "8", "9"]


def test_a_sensitive_route_counts_a_person_at_each_address(limits_clock: Clock) -> None:
    _, key = make_key()
    client = Client()

    def ask_from(address: str) -> int:
        return client.post("/api/v1/connections", headers={"X-API-Key": key}, REMOTE_ADDR=address).status_code

    assert [ask_from("127.0.0.1") for _ in range(6)] == [404] * 5 + [400]
    assert ask_from("192.0.2.7") == 404
    assert client.get("/api/v1/connections").status_code == 404


def test_what_is_refused_has_no_effect(limits_clock: Clock) -> None:
    EFFECTS.clear()
    client = Client()
    statuses = [
        client.post(
            "/api/v1/notes", {}, content_type="application/json", headers={"Idempotency-Key": f"k{n}"}
        ).status_code
        for n in range(12)
    ]
    assert statuses == [201] * 10 + [429] * 2
    assert len(EFFECTS) == 10
    limits_clock.forward(1)
    again = client.post("/api/v1/notes", {}, content_type="application/json", headers={"Idempotency-Key": "k11"})
    assert (again.status_code, len(EFFECTS)) == (201, 11)


def test_a_view_that_is_not_ours_is_counted_before_it_runs(limits_clock: Clock) -> None:
    for _ in range(10):
        current().charge(ALMA, ADDRESS)
    refused = Client().get("/graphql/form")
    assert (refused.status_code, refused["Retry-After"]) == (429, "1")
    assert refused.json()["error_code"] == "RATE_LIMIT_EXCEEDED"


def test_pages_static_files_and_metrics_are_not_limited(limits_clock: Clock) -> None:
    client = Client()
    for path in ("/form/", "/login/", "/static/app.css", "/metrics", "/nowhere"):
        answers = [client.get(path) for _ in range(12)]
        assert 429 not in {answer.status_code for answer in answers}
        assert not any(name.startswith("X-RateLimit") for name in answers[-1].headers)
    assert client.get("/api/v1/notes")[HEADERS[1]] == "9"


def test_openai_and_llamactl_do_not_limit_who_has_a_credential(limits_clock: Clock) -> None:
    _, key = make_key()
    for path in ("/v1/models/notes", "/api/v1/server/notes"):
        statuses = {Client().get(path, headers={"Authorization": f"Bearer {key}"}).status_code for _ in range(12)}
        assert statuses == {200}
    assert [Client().get("/v1/models/notes").status_code for _ in range(11)] == [200] * 10 + [429]
