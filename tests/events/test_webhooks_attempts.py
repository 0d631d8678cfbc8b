"""One attempt after another: what counts as delivered, when it is tried again, and when a webhook is turned off."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks import Webhook

from alma.events.models import Event, Outcome, WebhookDelivery, WebhookEndpoint, new_secret
from alma.events.models.webhooks import MOST_DEAD
from alma.events.webhooks.attempts import claim, record, send
from alma.events.webhooks.schedule import SCHEDULE, bucket_of, pause_after, seconds_of
from alma.events.webhooks.services import delete
from tests.concurrency import together
from tests.factories.accounts import make_actor, make_organization
from tests.factories.webhooks import make_delivery, make_event, make_webhook
from tests.fixtures.receiver import Receiver, answer, raw

pytestmark = pytest.mark.django_db(transaction=True)
State = WebhookDelivery.State


def try_now(delivery: WebhookDelivery, **options: Any) -> WebhookDelivery:
    """One attempt, whenever it was due."""
    WebhookEndpoint.objects.update(resume_at=None)
    WebhookDelivery.objects.exclude(next_at=None).update(next_at=Now() + timedelta(days=1))
    WebhookDelivery.objects.filter(pk=delivery.pk).exclude(next_at=None).update(next_at=Now())
    mine = claim()
    assert mine is not None
    assert record(mine, send(mine), **options)
    delivery.refresh_from_db()
    return delivery


def waits(delivery: WebhookDelivery) -> float:
    assert delivery.next_at is not None
    return (delivery.next_at - timezone.now()).total_seconds()


# -- what a receiver gets ---------------------------------------------------------------------------
def test_a_delivery_arrives_signed_and_counted(allowed_receiver: Receiver) -> None:
    secret = new_secret()
    delivery = make_delivery(make_webhook(url=allowed_receiver.url, secret=secret))
    try_now(delivery)
    assert (delivery.state, delivery.attempt, delivery.last_outcome) == (State.DELIVERED, 1, Outcome.SUCCESS)
    (request,) = allowed_receiver.requests
    message = Webhook(secret).verify(request.body, request.headers)
    assert message["webhook"] == {"id": delivery.endpoint.public_id, "attempt": 1}
    assert request.headers["webhook-id"] == message["id"] == delivery.message_id
    assert request.headers["x-webhook-signature"].startswith("sha256=")
    assert request.headers["content-type"] == "application/json"


def test_the_attempt_changes_and_the_id_does_not(allowed_receiver: Receiver) -> None:
    secret = new_secret()
    delivery = make_delivery(make_webhook(url=allowed_receiver.url, secret=secret))
    allowed_receiver.respond = answer(500)
    try_now(delivery)
    try_now(delivery)
    allowed_receiver.respond = answer(200)
    try_now(delivery)
    messages = [Webhook(secret).verify(one.body, one.headers) for one in allowed_receiver.requests]
    assert [message["webhook"]["attempt"] for message in messages] == [1, 2, 3]
    assert {one.headers["webhook-id"] for one in allowed_receiver.requests} == {delivery.message_id}
    assert len({json.dumps({**message, "webhook": 0}) for message in messages}) == 1
    assert [entry["outcome"] for entry in delivery.history] == ["5xx", "5xx", "2xx"]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "2xx"), (204, "2xx"), (299, "2xx"), (301, "3xx"), (304, "3xx"), (307, "3xx"), (400, "4xx"), (404, "4xx"),
     (500, "5xx"), (503, "5xx"), (600, "odd"), (103, "odd")],
)  # fmt: skip
def test_only_2xx_is_success(status: int, outcome: str, allowed_receiver: Receiver) -> None:
    allowed_receiver.respond = answer(status, Location="http://127.0.0.1/elsewhere")
    delivery = try_now(make_delivery(make_webhook(url=allowed_receiver.url)))
    assert delivery.last_outcome == outcome
    assert delivery.state == (State.DELIVERED if outcome == "2xx" else State.RETRYING)
    assert len(allowed_receiver.requests) == 1


def test_of_the_answer_nothing_but_its_class_is_kept(allowed_receiver: Receiver) -> None:
    allowed_receiver.respond = raw(b"HTTP/1.1 418 canary-a\r\nX-B: canary-b\r\nContent-Length: 8\r\n\r\ncanary-c")
    delivery = try_now(make_delivery(make_webhook(url=allowed_receiver.url)))
    stored = [
        WebhookDelivery.objects.values().get(),
        list(Event.objects.values()),
        WebhookEndpoint.objects.values().get(),
    ]
    assert "canary" not in str(stored)
    assert delivery.history[0].keys() == {"attempt", "at", "outcome", "took"}


@pytest.mark.parametrize(
    ("url", "outcome"),
    [("https://127.0.0.1/", "not_called"), ("https://localhost/", "no_address"), ("file:///etc/passwd", "not_called")],
)
def test_a_forbidden_address_is_refused_at_each_attempt(url: str, outcome: str) -> None:
    delivery = try_now(make_delivery(make_webhook(url=url)))
    assert (delivery.state, delivery.last_outcome) == (State.RETRYING, outcome)


def test_the_operator_may_take_an_address_back(allowed_receiver: Receiver, settings: Settings) -> None:
    delivery = make_delivery(make_webhook(url=allowed_receiver.url))
    settings.ALMA_OUTBOUND_ALLOW = []
    assert try_now(delivery).last_outcome == Outcome.NOT_CALLED
    assert allowed_receiver.requests == []


# -- when it is tried again -------------------------------------------------------------------------
def test_the_schedule_is_three_days_long() -> None:
    assert timedelta(seconds=sum(SCHEDULE)) == timedelta(hours=75, minutes=35, seconds=5)
    assert len(SCHEDULE) == 10


@pytest.mark.parametrize("tries", range(1, len(SCHEDULE)))
def test_each_pause_is_as_planned_and_spread(tries: int) -> None:
    pauses = {pause_after(tries, 0).total_seconds() for _ in range(50)}
    assert min(pauses) >= SCHEDULE[tries]
    assert max(pauses) <= SCHEDULE[tries] * 1.2
    assert len(pauses) == 50


def test_it_is_given_up_after_the_last_attempt(allowed_receiver: Receiver) -> None:
    allowed_receiver.respond = answer(500)
    delivery = make_delivery(make_webhook(url=allowed_receiver.url))
    for number, pause in enumerate(SCHEDULE[1:], start=1):
        assert try_now(delivery).state == State.RETRYING
        assert delivery.attempt == number
        assert pause - 2 < waits(delivery) <= pause * 1.2
    assert try_now(delivery).state == State.DEAD
    assert (delivery.attempt, delivery.next_at) == (10, None)
    assert len(allowed_receiver.requests) == 10
    assert WebhookEndpoint.objects.get().dead_count == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_retry_after_is_honoured(status: int, allowed_receiver: Receiver) -> None:
    allowed_receiver.respond = answer(status, Retry_After="1800")
    assert 1790 < waits(try_now(make_delivery(make_webhook(url=allowed_receiver.url)))) <= 1800


def test_retry_after_does_not_shorten_a_pause(allowed_receiver: Receiver) -> None:
    allowed_receiver.respond = answer(500, Retry_After="1")
    delivery = make_delivery(make_webhook(url=allowed_receiver.url))
    try_now(delivery)
    assert waits(try_now(delivery)) > 290


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7), (" 7 ", 7), ("0", 0), ("-5", 0), ("soon", 0), ("", 0), ("1e9", 0), ("²", 0), ("9" * 5000, 86_400),
        ("Sat, 21 Nov 2026 00:01:00 GMT", 60), ("Sat, 21 Nov 2026 00:01:00", 60), ("Fri, 20 Nov 2026 00:00:00 GMT", 0),
        ("Sat, 21 Nov 2099 00:00:00 GMT", 86_400), ("Sat, 99 Nov 2026 00:01:00 GMT", 0),
    ],
)  # fmt: skip
def test_what_retry_after_says(text: str, seconds: float) -> None:
    assert seconds_of(text, datetime(2026, 11, 21, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(("status", "rests"), [(429, True), (502, True), (504, True), (500, False), (404, False)])
def test_an_overloaded_receiver_is_left_alone_with_everything(
    status: int, rests: bool, allowed_receiver: Receiver
) -> None:
    allowed_receiver.respond = answer(status)
    endpoint = make_webhook(url=allowed_receiver.url)
    make_delivery(endpoint)
    make_delivery(endpoint)
    first = claim()
    record(first, send(first))
    assert (claim() is None) is rests
    if rests:
        other = make_delivery(make_webhook(organization=make_organization("other")))
        assert claim() == other, "others are not held up"


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "under 1 s"), (1.0, "1–5 s"), (14.0, "over 5 s")])
def test_time_is_told_in_three_words(seconds: float, words: str) -> None:
    assert bucket_of(seconds) == words


# -- when a webhook is turned off -------------------------------------------------------------------
def alerts() -> list[str]:
    return [event.data["reason"] for event in Event.objects.filter(kind="webhook.disabled")]


def test_gone_turns_it_off(allowed_receiver: Receiver) -> None:
    allowed_receiver.respond = answer(410)
    endpoint = make_webhook(url=allowed_receiver.url)
    first, second = make_delivery(endpoint), make_delivery(endpoint)
    assert (try_now(first).state, first.last_outcome) == (State.DEAD, Outcome.REFUSED)
    endpoint.refresh_from_db()
    second.refresh_from_db()
    assert (endpoint.is_active, second.state, second.last_outcome) == (False, State.DEAD, Outcome.DISABLED)
    assert "410" in endpoint.disabled_reason
    assert alerts() == [endpoint.disabled_reason]
    make_event()
    assert endpoint.deliveries.count() == 2


def test_twenty_dead_in_a_row_turn_it_off_and_others_are_alerted(allowed_receiver: Receiver) -> None:
    allowed_receiver.respond = answer(500)
    endpoint = make_webhook(url=allowed_receiver.url, kinds=["vm.created"])
    watcher = make_webhook(kinds=["system.alert"])
    for number in range(MOST_DEAD):
        endpoint.refresh_from_db()
        assert (endpoint.is_active, endpoint.dead_count) == (True, number)
        assert try_now(make_delivery(endpoint), schedule=(0.0,)).state == State.DEAD
    endpoint.refresh_from_db()
    assert not endpoint.is_active
    assert "20 deliveries in a row" in endpoint.disabled_reason
    assert len(alerts()) == 1
    assert watcher.deliveries.get().kind == "system.alert"


def test_one_success_begins_the_count_anew(allowed_receiver: Receiver) -> None:
    endpoint = make_webhook(url=allowed_receiver.url, dead_count=MOST_DEAD - 1)
    try_now(make_delivery(endpoint))
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.dead_count) == (True, 0)


def test_a_secret_that_cannot_be_opened_turns_it_off(allowed_receiver: Receiver, settings: Settings) -> None:
    delivery = make_delivery(make_webhook(url=allowed_receiver.url))
    settings.SECRET_KEY = "another one"
    assert try_now(delivery).last_outcome == Outcome.NO_SECRET
    assert allowed_receiver.requests == []
    assert not WebhookEndpoint.objects.get().is_active


def test_what_was_queued_while_it_was_turned_off_is_not_sent(allowed_receiver: Receiver) -> None:
    delivery = make_delivery(make_webhook(url=allowed_receiver.url))
    WebhookEndpoint.objects.update(is_active=False)
    assert (try_now(delivery).state, delivery.last_outcome) == (State.DEAD, Outcome.DISABLED)
    assert allowed_receiver.requests == []
    assert WebhookEndpoint.objects.get().dead_count == 0


# -- one at a time ----------------------------------------------------------------------------------
def test_a_delivery_is_claimed_by_one() -> None:
    endpoint = make_webhook()
    wanted = {make_delivery(endpoint).pk for _ in range(12)}

    def take(_: int) -> list[int]:
        found = []
        while (mine := claim()) is not None:
            found.append(mine.pk)
        return found

    taken = [pk for found in together(6, take) for pk in found]
    assert sorted(taken) == sorted(wanted)


def test_an_attempt_that_was_taken_over_records_nothing(allowed_receiver: Receiver) -> None:
    make_delivery(make_webhook(url=allowed_receiver.url))
    slow = claim(lease=timedelta(0))
    quick = claim()
    assert record(quick, send(quick))
    assert not record(slow, send(slow))
    found = WebhookDelivery.objects.get()
    assert (found.state, found.attempt) == (State.DELIVERED, 2)
    assert [entry["outcome"] for entry in found.history] == ["interrupted", "2xx"]


@pytest.mark.parametrize("late_first", [True, False])
def test_of_two_attempts_that_both_failed_the_later_claim_counts(late_first: bool, allowed_receiver: Receiver) -> None:
    allowed_receiver.respond = answer(500)
    make_delivery(make_webhook(url=allowed_receiver.url))
    slow = claim(lease=timedelta(0))
    quick = claim()
    recorded = {one.attempt: record(one, send(one)) for one in ((slow, quick) if late_first else (quick, slow))}
    assert recorded == {1: False, 2: True}
    assert [entry["attempt"] for entry in WebhookDelivery.objects.get().history] == [1, 2]


def test_a_webhook_that_was_deleted_meanwhile(allowed_receiver: Receiver) -> None:
    make_delivery(make_webhook(url=allowed_receiver.url))
    mine = claim()
    delete(WebhookEndpoint.objects.get(), by=make_actor())
    assert not record(mine, send(mine))


def test_a_delivery_that_always_ends_its_sender_is_given_up() -> None:
    delivery = make_delivery()
    for _ in range(3 * len(SCHEDULE)):
        assert claim(lease=timedelta(0)) is not None
    assert try_now(delivery).state == State.DEAD
    assert delivery.last_outcome == Outcome.INTERRUPTED


def test_only_what_may_be_taken_is_taken() -> None:
    first = make_delivery()
    other = make_delivery(make_webhook(organization=make_organization("other")))
    due = WebhookDelivery.objects.due()
    assert claim(due.exclude(endpoint_id=first.endpoint_id)) == other
    assert claim(due.exclude(endpoint__organization_id=first.endpoint.organization_id)) is None
    assert claim() == first
