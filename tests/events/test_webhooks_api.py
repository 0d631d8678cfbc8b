"""Webhooks over the API: with a key as the Proxmox AI document shows them, in person as the Alumia document asks."""

import hashlib
import hmac
import json
import uuid
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from alma.accounts.scopes import EVERYTHING, READ
from alma.events.models import WebhookDelivery, WebhookEndpoint
from alma.events.webhooks.attempts import claim, record, send
from alma.events.webhooks.services import MOST_ENDPOINTS
from tests.factories.accounts import make_key, make_organization, make_user, sign_in
from tests.factories.webhooks import URL, make_event, make_webhook
from tests.fixtures.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)
KEYED, IN_PERSON = "/v1/webhooks", "/api/v1/webhooks"
DOCUMENTED = {
    "url": "https://your-app.com/webhooks/proxmox-ai",
    "events": ["vm.created", "vm.status_changed"],
    "secret": "your-webhook-secret",
    "active": True,
}
DOCUMENTED_EVENTS = [
    "vm.created", "vm.deleted", "vm.status_changed", "backup.completed", "security.scan_completed", "job.completed",
    "system.alert",
]  # fmt: skip
ROW = {
    "id", "url", "events", "description", "active", "disabled_reason", "disabled_at", "created_at", "created_by",
}  # fmt: skip
BODY = {"id", "url", "events", "description", "active", "disabledReason", "disabledAt", "createdBy", "createdAt"}
CONFIRM = "/account/confirm/"


def ask(client: Client, method: str, path: str, body: Any = None) -> Any:
    more = {} if body is None else {"data": body, "content_type": "application/json"}
    return getattr(client, method)(path, **more)


def keyed(scopes: frozenset[str] = EVERYTHING, **key: Any) -> Client:
    return Client(headers={"Authorization": f"Bearer {make_key(scopes, **key)[1]}"})


@pytest.fixture
def person(client: Client) -> Client:
    """An administrator in the browser."""
    return sign_in(client, make_user("admin"))


# -- the Proxmox AI document ------------------------------------------------------------------------
@pytest.mark.parametrize("slash", ["", "/"])
def test_the_documented_configuration(slash: str) -> None:
    client = keyed()
    answer = ask(client, "post", KEYED + slash, DOCUMENTED)
    body = answer.json()
    assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
    assert (body["success"], set(body), set(body["meta"])) == (
        True,
        {"success", "data", "meta"},
        {"request_id", "timestamp"},
    )
    webhook = body["data"]["webhook"]
    assert webhook.keys() == {*ROW, "secret"}
    assert {name: webhook[name] for name in DOCUMENTED} == DOCUMENTED
    assert answer["Location"] == f"{KEYED}/{webhook['id']}"
    shown = ask(client, "get", answer["Location"] + slash).json()["data"]["webhook"]
    assert shown == {name: value for name, value in webhook.items() if name != "secret"}
    assert webhook["secret"] not in ask(client, "get", KEYED).content.decode()


@pytest.mark.parametrize("name", DOCUMENTED_EVENTS)
def test_every_documented_event_can_be_asked_for(name: str) -> None:
    answer = ask(keyed(), "post", KEYED, {**DOCUMENTED, "events": [name]})
    assert (answer.status_code, answer.json()["data"]["webhook"]["events"]) == (201, [name])


def test_without_a_secret_one_is_made_and_shown_once() -> None:
    client = keyed()
    made = ask(client, "post", KEYED, {"url": URL, "events": ["*"]}).json()["data"]["webhook"]
    assert made["secret"].startswith("whsec_")
    assert WebhookEndpoint.objects.get().signing_secrets() == [made["secret"]]


def test_the_documented_payload_and_signature_arrive(allowed_receiver: Receiver) -> None:
    made = ask(keyed(), "post", KEYED, {**DOCUMENTED, "url": allowed_receiver.url})
    make_event("vm.created", vmid=102, name="app-server-01", status="running")
    make_event("vm.deleted", vmid=103, name="not asked for", status="stopped")
    delivery = claim()
    assert delivery is not None
    assert record(delivery, send(delivery))
    (request,) = allowed_receiver.requests
    signed = f"{request.headers['webhook-timestamp']}.".encode() + request.body
    expected = hmac.new(DOCUMENTED["secret"].encode(), signed, hashlib.sha256).hexdigest()  # type: ignore[attr-defined]
    assert request.headers["x-webhook-signature"] == f"sha256={expected}"
    told = json.loads(request.body)
    assert told["event"] == "vm.created"
    assert told["data"]["vm"].items() >= {"id": "vm-102", "name": "app-server-01", "status": "running"}.items()
    assert told["webhook"] == {"id": made.json()["data"]["webhook"]["id"], "attempt": 1}


def test_what_is_not_known_is_refused_and_changes_nothing() -> None:
    """A secret that seems to be changed and is not would leave a receiver that believes the old one."""
    client = keyed()
    answer = ask(client, "post", KEYED, {**DOCUMENTED, "activ": False})
    assert (answer.status_code, answer.json()["error"]["details"]["field"]) == (400, "activ")
    assert not WebhookEndpoint.objects.exists()
    where = ask(client, "post", KEYED, DOCUMENTED)["Location"]
    answer = ask(client, "put", where, {"active": False, "secret": "another-secret-of-mine"})
    assert (answer.status_code, answer.json()["error"]["details"]["field"]) == (400, "secret")
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.is_active, endpoint.signing_secrets()) == (True, [DOCUMENTED["secret"]])


def test_a_webhook_that_begins_turned_off_is_told_of_nothing() -> None:
    client = keyed()
    made = ask(client, "post", KEYED, {**DOCUMENTED, "active": False}).json()["data"]["webhook"]
    assert made["active"] is False
    make_event()
    assert not WebhookDelivery.objects.exists()
    changed = ask(client, "put", f"{KEYED}/{made['id']}", {"active": True}).json()["data"]["webhook"]
    assert (changed["active"], changed["url"], changed["disabled_reason"]) == (True, DOCUMENTED["url"], None)
    make_event()
    assert WebhookDelivery.objects.count() == 1


def test_changing_what_is_named() -> None:
    endpoint = make_webhook(kinds=["ipr.*"], description="Chat")
    path = f"{KEYED}/{endpoint.public_id}"
    row = ask(keyed(), "put", path, {"events": ["vm.*"]}).json()["data"]["webhook"]
    assert (row["events"], row["url"], row["description"], row["active"]) == (["vm.*"], URL, "Chat", True)


def test_deleting() -> None:
    client, endpoint = keyed(), make_webhook()
    path = f"{KEYED}/{endpoint.public_id}"
    answer = ask(client, "delete", path)
    assert answer.json().keys() == {"success", "message", "meta"}
    assert (answer.status_code, answer.json()["message"]) == (200, "Webhook deleted successfully")
    for method, body in (("delete", None), ("get", None), ("put", {"active": False})):
        assert ask(client, method, path, body).status_code == 404
    make_event()
    assert ask(client, "get", KEYED).json()["data"]["webhooks"] == []
    assert not WebhookDelivery.objects.exists()


WRONG = [
    ({"url": None}, 400), ({"events": None}, 400), ({"url": 5}, 400), ({"events": "vm.created"}, 400),
    ({"events": []}, 422), ({"events": ["vm.exploded"]}, 422), ({"secret": "short"}, 422), ({"active": "yes"}, 400),
    ({"url": "http://127.0.0.1/"}, 422), ({"url": "https://169.254.169.254/"}, 422), ({"url": "file:///x"}, 422),
    ({"url": "https://user:pw@example.org/"}, 422), ({"description": "x" * 201}, 422),
]  # fmt: skip


@pytest.mark.parametrize(("change", "status"), WRONG, ids=str)
def test_what_is_refused(change: dict[str, Any], status: int, person: Client) -> None:
    body = {name: value for name, value in {**DOCUMENTED, **change}.items() if value is not None}
    answer = ask(keyed(), "post", KEYED, body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["details"]["field"].split(".")[0]) == (
        status,
        "VALIDATION_ERROR",
        next(iter(change)),
    )
    if change not in ({"events": None}, {"events": []}):
        said = {400: "BAD_REQUEST", 422: "VALIDATION_ERROR"}[status]
        answer = ask(person, "post", IN_PERSON, body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, said)
    assert not WebhookEndpoint.objects.exists()


def test_there_are_twenty_at_most() -> None:
    client = keyed()
    for _ in range(MOST_ENDPOINTS):
        make_webhook()
    answer = ask(client, "post", KEYED, DOCUMENTED)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "RESOURCE_CONFLICT")
    ask(client, "delete", f"{KEYED}/{WebhookEndpoint.objects.first().public_id}")  # type: ignore[union-attr]
    assert ask(client, "post", KEYED, DOCUMENTED).status_code == 201


ROUTES = [("get", None), ("put", {"active": False}), ("delete", None)]


def test_who_may_with_a_key() -> None:
    endpoint = make_webhook()
    path = f"{KEYED}/{endpoint.public_id}"
    for method, body in ROUTES:
        answers = [ask(client, method, path, body) for client in (Client(), keyed(READ))]
        assert [(row.status_code, row.json()["error"]["code"]) for row in answers] == [
            (401, "INVALID_TOKEN"),
            (403, "INSUFFICIENT_PERMISSIONS"),
        ]
    assert ask(keyed(READ), "post", KEYED, DOCUMENTED).status_code == 403
    assert ask(keyed(frozenset({"webhook:write"})), "post", KEYED, DOCUMENTED).status_code == 201


@pytest.mark.parametrize(("method", "body"), ROUTES)
def test_what_is_anothers_does_not_exist(method: str, body: Any) -> None:
    foreign = make_webhook(organization=make_organization("other"), url="https://canary.example.org/")
    client = keyed()
    answers = [ask(client, method, f"{KEYED}/{who}", body) for who in (foreign.public_id, "webhook-999", "x")]
    assert {(row.status_code, row.json()["error"]["code"]) for row in answers} == {(404, "RESOURCE_NOT_FOUND")}
    assert {row.json()["error"]["message"] for row in answers[:2]} == {"Webhook not found"}
    assert ask(client, "get", KEYED).json()["data"]["webhooks"] == []
    foreign.refresh_from_db()
    assert (foreign.is_active, foreign.deleted_at) == (True, None)


@pytest.mark.parametrize("count", [1, 5])
def test_a_list_costs_the_same_however_long(count: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = keyed()
    ask(client, "get", KEYED)
    for _ in range(count):
        make_webhook()
    with django_assert_num_queries(3):  # the key, the rows, their number
        page = ask(client, "get", KEYED).json()["data"]
    assert (len(page["webhooks"]), page["pagination"]["total"]) == (count, count)


# -- the Alumia document ----------------------------------------------------------------------------
def path_of(endpoint: WebhookEndpoint, rest: str = "") -> str:
    return f"{IN_PERSON}/{endpoint.uid}{rest}"


def calls(endpoint: WebhookEndpoint) -> list[tuple[str, str, Any]]:
    return [
        ("get", IN_PERSON, None), ("post", IN_PERSON, {"url": URL}), ("get", path_of(endpoint), None),
        ("patch", path_of(endpoint), {"active": False}), ("post", path_of(endpoint, "/secret"), None),
        ("delete", path_of(endpoint), None),
    ]  # fmt: skip


def snapshot() -> list[Any]:
    return list(WebhookEndpoint.objects.order_by("pk").values())


def test_no_key_may_whatever_it_may_elsewhere() -> None:
    endpoint, client, before = make_webhook(), keyed(), snapshot()
    for method, path, body in calls(endpoint):
        answer = ask(client, method, path, body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")
        assert (URL in answer.content.decode()) is False
    assert snapshot() == before


@pytest.mark.parametrize("is_recent", [True, False])
def test_a_token_of_a_login_is_a_key(client: Client, is_recent: bool) -> None:
    ana = make_user("admin", username="ana")
    token = ask(
        client, "post", "/api/auth/login", {"username": "ana", "password": "correct horse battery staple"}
    ).json()["token"]
    sign_in(client, ana, is_recent=is_recent)
    assert client.get(IN_PERSON, headers={"Authorization": f"Bearer {token}"}).status_code == 403


def test_a_password_of_long_ago_is_asked_for_again(client: Client) -> None:
    endpoint, before = make_webhook(), snapshot()
    sign_in(client, make_user("admin"), is_recent=False)
    for method, path, body in calls(endpoint):
        answer = ask(client, method, path, body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")
        assert answer.json()["error"]["details"] == {"confirm": CONFIRM}
    assert snapshot() == before


def test_a_page_of_another_site_changes_nothing() -> None:
    client = sign_in(Client(enforce_csrf_checks=True), make_user("admin"))
    assert ask(client, "post", IN_PERSON, {"url": URL}).status_code == 403
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("deployer", 403), ("operator", 200), ("admin", 200)])
def test_who_may_in_person(client: Client, role: str, status: int) -> None:
    assert ask(client, "get", IN_PERSON).status_code == 401
    assert ask(sign_in(client, make_user(role)), "get", IN_PERSON).status_code == status


def test_a_wrong_method_is_said_to_be_one(client: Client) -> None:
    assert ask(client, "put", IN_PERSON, {}).status_code == 405


def test_create_read_change(person: Client) -> None:
    answer = ask(person, "post", IN_PERSON, {"url": URL, "events": ["ipr.*"], "description": " Chat "})
    made = answer.json()["data"]
    assert (answer.status_code, answer["Location"], answer["Cache-Control"]) == (
        201,
        f"{IN_PERSON}/{made['id']}",
        "no-store",
    )
    assert made.keys() == {*BODY, "secret"}
    assert uuid.UUID(made["id"]).version == 4
    shown = {name: value for name, value in made.items() if name != "secret"}
    assert ask(person, "get", answer["Location"] + "/").json() == {"success": True, "data": shown}
    assert ask(person, "get", IN_PERSON).json()["data"] == {
        "items": [shown], "page": 1, "limit": 50, "nextCursor": None, "hasMore": False,
    }  # fmt: skip
    changed = ask(person, "patch", answer["Location"], {"active": False}).json()["data"]
    assert (changed["active"], changed["events"], changed["description"]) == (False, ["ipr.*"], "Chat")
    for body, status in (({}, 400), ({"id": made["id"]}, 400), ({"events": ["x"]}, 422), ({"url": None}, 400)):
        assert ask(person, "patch", answer["Location"], body).status_code == status


def test_a_new_secret(person: Client) -> None:
    endpoint = make_webhook(secret="the secret it had before")
    answer = ask(person, "post", path_of(endpoint, "/secret"))
    assert (answer.status_code, answer.json()["data"].keys()) == (201, {"id", "secret", "previousSecretUntil"})
    endpoint.refresh_from_db()
    assert endpoint.signing_secrets() == [answer.json()["data"]["secret"], "the secret it had before"]


def test_deleting_can_be_repeated(person: Client) -> None:
    endpoint = make_webhook()
    first, again = (ask(person, "delete", path_of(endpoint)) for _ in range(2))
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert first.json()["data"].keys() == {"id", "deletedAt"}
    for method, path, body in calls(endpoint)[2:5]:
        assert ask(person, method, path, body).json()["error"]["code"] == "NOT_FOUND"
    assert ask(person, "get", IN_PERSON).json()["data"]["items"] == []


def test_of_another_tenant_nothing_exists(person: Client) -> None:
    foreign = make_webhook(organization=make_organization("other"))
    before = snapshot()
    for method, path, body in calls(foreign)[2:]:
        unknown = path.replace(str(foreign.uid), str(uuid.uuid4()))
        answers = [ask(person, method, one, body) for one in (path, unknown)]
        assert [row.status_code for row in answers] == [404, 404]
        assert answers[0].json() == answers[1].json()
    assert snapshot() == before
