"""Signatures and payloads, checked by an independent receiver: the published verifier of Standard Webhooks."""

import base64
import hashlib
import hmac
import json
import random
import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from alma.events.models import WebhookDelivery, new_secret
from alma.events.services import emit
from alma.events.webhooks.payload import MOST_BYTES, body_of
from alma.events.webhooks.signing import headers_of
from tests.factories.webhooks import make_delivery, make_event, make_webhook

RANDOM = random.Random(20)
SECRET = new_secret()


def random_body() -> bytes:
    letters = 'abc é漢字😀"\\\n\t{}[]<>&\u2028'
    text = "".join(RANDOM.choice(letters) for _ in range(RANDOM.randrange(200)))
    return json.dumps({"event": text, "data": {text: RANDOM.random()}}, ensure_ascii=RANDOM.random() < 0.5).encode()


def test_a_thousand_random_bodies_are_verified() -> None:
    for number in range(1_000):
        secret, body = new_secret(), random_body()
        headers = headers_of(f"msg_{number}", int(time.time()), body, [secret])
        assert Webhook(secret).verify(body, headers) == json.loads(body)


def test_any_flipped_bit_is_noticed() -> None:
    """Each single bit of a body, and one of each of a thousand others."""
    bodies = [random_body() for _ in range(1_000)]
    first = [(bodies[0], place) for place in range(8 * len(bodies[0]))]
    for body, place in [*first, *((body, RANDOM.randrange(8 * len(body))) for body in bodies)]:
        headers = headers_of("msg_1", int(time.time()), body, [SECRET])
        changed = bytearray(body)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises((WebhookVerificationError, UnicodeDecodeError)):
            Webhook(SECRET).verify(bytes(changed), headers)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_changed_header_is_noticed(name: str) -> None:
    secret = new_secret()
    headers = headers_of("msg_1", int(time.time()), b"{}", [secret])
    other = headers_of("msg_2", int(time.time()) - 1, b"[]", [secret])
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(b"{}", {**headers, name: other[name]})


def test_an_old_delivery_is_noticed() -> None:
    secret = new_secret()
    old = headers_of("msg_1", int(time.time()) - 301, b"{}", [secret])
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(secret).verify(b"{}", old)


def test_another_secret_does_not_verify() -> None:
    headers = headers_of("msg_1", int(time.time()), b"{}", [new_secret()])
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(b"{}", headers)


def test_both_secrets_verify_while_one_replaces_the_other() -> None:
    new, old = new_secret(), new_secret()
    headers = headers_of("msg_1", int(time.time()), b"{}", [new, old])
    assert headers["webhook-signature"].count("v1,") == 2
    for secret in (new, old):
        Webhook(secret).verify(b"{}", headers)


def test_the_documented_signature() -> None:
    headers = headers_of("msg_1", 1_700_000_000, b'{"a":1}', ["your-webhook-secret"])
    expected = hmac.new(b"your-webhook-secret", b'1700000000.{"a":1}', hashlib.sha256).hexdigest()
    assert headers["X-Webhook-Signature"] == f"sha256={expected}"
    assert headers["webhook-timestamp"] == "1700000000"


def test_a_secret_is_256_random_bits_and_not_stored_as_it_is(db: None) -> None:
    secret = new_secret()
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    endpoint = make_webhook(secret=secret)
    assert secret not in str(type(endpoint).objects.values().get())
    assert type(endpoint).objects.get().signing_secrets() == [secret]


def test_the_old_secret_signs_for_a_day(db: None) -> None:
    endpoint = make_webhook(secret="the old secret of it")
    endpoint.replace_secret("the new secret of it")
    assert endpoint.signing_secrets() == ["the new secret of it", "the old secret of it"]
    endpoint.previous_until = timezone.now() - timedelta(seconds=1)
    assert endpoint.signing_secrets() == ["the new secret of it"]


# -- payloads ---------------------------------------------------------------------------------------
def payload(kind: str, **data: Any) -> dict[str, Any]:
    make_webhook()
    make_event(kind, **data)
    return json.loads(body_of(WebhookDelivery.objects.select_related("event__stream", "endpoint").get()))


def test_the_documented_payload(db: None) -> None:
    found = payload("vm.created", vmid=102, name="app-server-01", status="running")
    assert found["event"] == "vm.created"
    assert len(found["timestamp"]) == len("2025-07-29T12:00:00Z")
    assert found["timestamp"].endswith("Z")
    assert found["data"]["vm"].items() >= {"id": "vm-102", "name": "app-server-01", "status": "running"}.items()
    assert set(found["webhook"]) == {"id", "attempt"}
    assert found["webhook"]["id"].startswith("webhook-")
    assert found["id"].startswith("msg_")


@pytest.mark.parametrize(
    ("kind", "data", "noun", "expected"),
    [
        ("ipr.approved", {"ipr": 12, "title": "Cache"}, "ipr", {"id": 12, "title": "Cache"}),
        ("plan.completed", {"seconds": 4}, "job", {"type": "plan", "status": "completed", "seconds": 4}),
        ("cluster.unreachable", {"reason": "timeout"}, "alert", {"type": "cluster.unreachable", "reason": "timeout"}),
        ("backup.completed", {"size": 1}, "backup", {"size": 1}),
    ],
)
def test_what_is_said_of_each_kind(
    kind: str, data: dict[str, Any], noun: str, expected: dict[str, Any], db: None
) -> None:
    found = payload(kind, **data)
    assert found["data"][noun].items() >= expected.items()


def test_a_deployment_is_named_as_the_api_names_it(db: None) -> None:
    endpoint = make_webhook()
    stream = "deployment:deploy-4f6c1b0a9d3e"
    emit(stream, "deployment.completed", organization_id=endpoint.organization_id, resources_created=3)
    found = json.loads(body_of(WebhookDelivery.objects.get()))
    assert found["data"]["deployment"].items() >= {"id": "deploy-4f6c1b0a9d3e", "resources_created": 3}.items()
    assert (found["stream"], found["seq"]) == (stream, 1)


def test_a_long_story_is_cut_to_what_it_is_about(db: None) -> None:
    found = payload("ipr.planned", ipr=7, title="T" * 2_000, summary=["x" * 1_000] * 40)
    assert found["data"]["truncated"] is True
    assert found["data"]["ipr"]["id"] == "7"
    assert len(found["data"]["ipr"]["title"]) == 500


@pytest.mark.parametrize("size", [0, 10_000, 19_000, 25_000, 1_000_000])
def test_a_payload_is_never_longer_than_20_kb(size: int, db: None) -> None:
    delivery = make_delivery(make_webhook(), name="漢" * (size // 3))
    assert len(body_of(delivery)) <= MOST_BYTES
