"""Every kind of secret goes through a whole journey, and is then in no answer, event, log line or row but where it is
shown once or sealed."""

import base64
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django_q.models import OrmQ
from pytest_django import Settings

from alma.accounts.models import ApiKey
from tests.access.callers import Caller
from tests.access.conftest import EXPECTED, KNOWN
from tests.access.judging import filled
from tests.access.world import OURS, furnish
from tests.factories.accounts import make_organization, make_user, sign_in
from vms.models import Cluster

pytestmark = pytest.mark.django_db
MARK = "pl4nted"
"""In every secret that we choose; those that ALMA makes are noted when they are shown."""
PASSWORD, NEW_PASSWORD = f"{MARK} old horse 81", f"{MARK} new horse 92"
WRONG, IN_NAME, IN_URL = f"{MARK}-wrong-password", f"{MARK}-typed-as-name", f"{MARK}-key-in-address"
SECRET_KEY, OLD_KEY = f"{MARK}-secret-key-" + "k" * 50, f"{MARK}-older-key-" + "o" * 50
ENVIRONMENT_KEY, BEARER, JWT = f"{MARK}-environment-key", f"{MARK}-bearer", f"eyJ{MARK}.eyJhIjoxfQ.c2ln"
CLUSTER_TOKEN, WEBHOOK = f"{MARK}-0000-4000-8000-cluster", f"{MARK}-webhook-secret-of-a-receiver"
CHOSEN = [
    PASSWORD,
    NEW_PASSWORD,
    WRONG,
    IN_NAME,
    IN_URL,
    SECRET_KEY,
    OLD_KEY,
    ENVIRONMENT_KEY,
    BEARER,
    JWT,
    CLUSTER_TOKEN,
    WEBHOOK,
]


@dataclass
class Journey:
    """What was said, and which secrets were shown on the way."""

    said: list[bytes] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    def hear(self, response: Any, *once: str) -> Any:
        """An answer; these secrets may be in it, this once, and in none after it."""
        text = f"{dict(response.items())}\n".encode() + (b"" if response.streaming else response.content)
        for secret in once:
            assert secret.encode() in text or secret in response.cookies.output()
            text = text.replace(secret.encode(), b"")
        self.said.append(text)
        self.shown += once
        return response

    @property
    def secrets(self) -> list[str]:
        """All of them."""
        return [*CHOSEN, *self.shown]


@pytest.fixture
def journey(settings: Settings, caplog: pytest.LogCaptureFixture) -> Journey:
    caplog.set_level(logging.DEBUG)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = SECRET_KEY, [OLD_KEY]
    settings.ALMA_API_KEYS = [ENVIRONMENT_KEY]
    return Journey()


def as_json(client: Client, journey: Journey, path: str, body: dict[str, Any], **headers: str) -> Any:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(path, body, content_type="application/json", headers=names)


def sign_in_by_every_way(journey: Journey, username: str) -> Client:
    """Pages, the login for programs, Basic, and each of them with what is wrong."""
    client = Client()
    for name, password in ((username, WRONG), (IN_NAME, WRONG)):
        page = client.post("/login/", {"username": name, "password": password})
        journey.hear(page, *([IN_NAME] if name == IN_NAME else []))  # the form keeps what was typed as a name
        journey.hear(as_json(client, journey, "/api/auth/login", {"username": name, "password": password}))
    answer = client.post("/login/", {"username": username, "password": PASSWORD})
    journey.hear(answer, client.session.session_key or "")
    tokens = as_json(client, journey, "/api/auth/login", {"username": username, "password": PASSWORD})
    once = [tokens.json()["token"], tokens.json()["refresh_token"]]
    journey.hear(tokens, *once)
    for header in ({"X-API-Key": BEARER}, {"Authorization": f"Bearer {BEARER}"}, {"Authorization": f"Bearer {JWT}"}):
        for path in (
            "/api/v1/blueprints",
            "/v1/auth/tokens",
            f"/api/v1/iprs?api_key={IN_URL}",
            f"/nothing?token={IN_URL}",
        ):
            journey.hear(Client().get(path, headers=header))
    for key in (ENVIRONMENT_KEY, once[0]):
        journey.hear(Client().get("/api/v1/blueprints", headers={"X-API-Key": key}))
    return client


def make_credentials(journey: Journey, client: Client, username: str) -> str:
    """Keys, webhooks and a cluster, by each way in which they are made; the secret of a key that may much."""
    basic = "Basic " + base64.b64encode(f"{username}:{PASSWORD}".encode()).decode()
    wish = {"name": "by password", "permissions": ["vm:read"]}
    minted = as_json(Client(), journey, "/v1/auth/tokens", wish, Authorization=basic, Idempotency_Key="once")
    journey.hear(minted, minted.json()["data"]["access_token"])
    page = client.post(
        "/settings/keys/new/", {"name": "by page", "preset": "management", "lane": "live", "acts_for": "me"}
    )
    secret = page.context["secret"]
    journey.hear(page, secret)
    hook = {"url": "https://hooks.example.org/x", "events": ["vm.created"], "secret": WEBHOOK}
    made = as_json(Client(), journey, "/v1/webhooks", hook, X_API_Key=secret)
    journey.hear(made, WEBHOOK)
    page = client.post("/settings/webhooks/new/", {"url": "https://hooks.example.org/y", "which": "all"})
    journey.hear(page, page.context["secret"])
    cluster = {
        "name": "Planted", "url": "https://nowhere.invalid", "token_id": "root@pam!alma", "token_secret": CLUSTER_TOKEN,
        "vmid_first": "5000", "vmid_last": "6000", "parallel_limit": "2", "verifies_tls": "on",
    }  # fmt: skip
    journey.hear(client.post("/clusters/new/", cluster, follow=True))
    invited = client.post("/settings/members/add/", {"username": "newcomer", "role": "viewer"})
    journey.hear(invited, invited.context["link"].rstrip("/").rpartition("/")[2])
    return str(secret)


def work(journey: Journey, key: str) -> None:
    """Words become a blueprint, that a proposal, that a review and a deployment; and some of it goes wrong."""
    client = Client(headers={"X-API-Key": key, "Prefer": "respond-async"})
    draft = journey.hear(
        as_json(client, journey, "/api/v1/blueprints/generate-blueprint", {"description": "one web server"})
    )
    blueprint = journey.hear(as_json(client, journey, "/api/v1/blueprints", draft.json())).json()
    asked = {"title": "Grow", "blueprint_id": blueprint["id"]}
    ipr = journey.hear(as_json(client, journey, "/api/v1/iprs", asked, Idempotency_Key=f"{MARK}-no-secret")).json()
    for verb, body in (("review", {"action": "approve"}), ("deploy", {}), ("deploy", {"engine": 5}), ("cancel", {})):
        journey.hear(as_json(client, journey, f"/api/v1/iprs/{ipr['id']}/{verb}", body))


def look_everywhere(journey: Journey, client: Client, things: Any) -> None:
    """Every read of the API, every page and all of the administration."""
    caller = Caller("root", "person", client)
    for route in [route for route in KNOWN if route.method == "GET"]:
        journey.hear(caller.call("GET", filled(route, EXPECTED[route.key], things), is_api=False))
    for model in admin.site._registry:
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}"
        for row in model._default_manager.order_by("-pk")[:3]:
            journey.hear(client.get(f"{base}/{row.pk}/change/"))
        journey.hear(client.get(f"{base}/"))
    query = "{ events(limit: 200) { kind data actor } blueprints { name metadata } vms { name } }"
    journey.hear(as_json(client, journey, "/graphql", {"query": query}))


def rows() -> Iterator[tuple[str, str]]:
    """Every column of every row as text, with what is packed in a queue unpacked."""
    for model in apps.get_models():
        hidden = {"session_key"} if model._meta.label_lower == "sessions.session" else set()
        names = [column.attname for column in model._meta.concrete_fields if column.attname not in hidden]
        for row in model._default_manager.values(*names):
            for name, value in row.items():
                yield f"{model._meta.label_lower}.{name}", f"{value} {bytes(value)!r}" if _is_raw(value) else str(value)
    for queued in OrmQ.objects.all():
        yield "django_q.ormq (unpacked)", repr(queued.task)


def _is_raw(value: Any) -> bool:
    return isinstance(value, bytes | memoryview)


def lines(caplog: pytest.LogCaptureFixture) -> Iterator[tuple[str, str]]:
    """What was logged, with all that hangs on a record but the request itself, which no formatter writes."""
    for record in caplog.records:
        extra = {name: value for name, value in record.__dict__.items() if name != "request"}
        yield f"log of {record.name}", f"{record.getMessage()} {extra!r}"
    yield "formatted log", caplog.text


def forms(secret: str) -> list[str]:
    """A secret as it stands, in base 64, and as JSON would write it."""
    plain = secret.encode()
    return [secret, base64.b64encode(plain).decode().rstrip("="), json.dumps(secret)[1:-1]]


def test_no_secret_is_anywhere(journey: Journey, caplog: pytest.LogCaptureFixture) -> None:
    organization = make_organization()
    person = make_user(organization=organization, password=PASSWORD, is_staff=True, is_superuser=True)
    things = furnish(organization, OURS)
    client = sign_in_by_every_way(journey, person.username)
    work(journey, make_credentials(journey, client, person.username))
    passwords = {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    changed = client.post("/account/password/", passwords)
    journey.hear(changed, client.session.session_key or "")
    look_everywhere(journey, sign_in(client, person), things)
    places = [(f"answer {number}", text.decode()) for number, text in enumerate(journey.said)]
    found = {
        f"{where}: {secret[:12]}…"
        for where, text in (*places, *rows(), *lines(caplog))
        for secret in journey.secrets
        if any(form in text for form in forms(secret))
    }
    assert not found, "\n".join(sorted(found))
    assert len(journey.secrets) > 18
    assert len(journey.said) > 150
    assert ApiKey.objects.filter(name="by page").exists()
    assert Cluster.objects.get(name="Planted").token_secret == CLUSTER_TOKEN
