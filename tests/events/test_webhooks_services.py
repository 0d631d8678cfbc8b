"""What people do with webhooks, and that each of it is told with a name."""

from typing import Any

import pytest
from django.db import transaction
from pytest_django import Settings

from alma.errors import DomainError, Invalid, NotFound, Refused, WrongState
from alma.events.models import Event, Outcome, WebhookDelivery, WebhookEndpoint
from alma.events.webhooks import services
from alma.events.webhooks.services import MOST_ENDPOINTS
from tests.factories.accounts import make_actor, make_organization
from tests.factories.webhooks import URL, make_delivery, make_event, make_webhook

pytestmark = pytest.mark.django_db
State = WebhookDelivery.State


def told() -> list[tuple[str, str]]:
    return list(Event.objects.filter(kind__startswith="webhook.").order_by("pk").values_list("kind", "actor"))


def test_a_new_webhook_and_its_secret() -> None:
    jane = make_actor()
    endpoint, secret = services.create(URL, by=jane, kinds=["vm.created", "ipr.*", "vm.created"], description="Chat")
    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.kinds, endpoint.is_active) == (URL, ["vm.created", "ipr.*"], True)
    assert secret.startswith("whsec_")
    assert endpoint.signing_secrets() == [secret]
    assert told() == [("webhook.created", jane.label)]
    assert secret not in str(list(Event.objects.values()))


def test_a_secret_may_be_brought_along() -> None:
    endpoint, secret = services.create(URL, by=make_actor(), secret="your-webhook-secret")
    assert endpoint.signing_secrets() == [secret] == ["your-webhook-secret"]


@pytest.mark.parametrize("secret", ["short", "x" * 201, "sécret-sécret-sécret", "line\nline\nline\nline"])
def test_a_bad_secret(secret: str) -> None:
    with pytest.raises(Invalid) as refused:
        services.create(URL, by=make_actor(), secret=secret)
    assert dict(refused.value.details or {})["field"] == "secret"


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "https://169.254.169.254/", "file:///x", "https://x:22/", "x"])
def test_a_url_that_may_not_be_called(url: str) -> None:
    endpoint = make_webhook()
    with pytest.raises(Invalid):
        services.create(url, by=make_actor())
    with pytest.raises(Invalid):
        services.change(endpoint, by=make_actor(), url=url, kinds=[], description="")
    assert WebhookEndpoint.objects.get().url == URL


def test_an_event_that_does_not_exist() -> None:
    with pytest.raises(Invalid, match=r"vm\.exploded"):
        services.create(URL, by=make_actor(), kinds=["vm.exploded"])


def test_there_are_twenty_at_most() -> None:
    jane = make_actor()
    make_webhook(organization=make_organization("other"))
    for _ in range(MOST_ENDPOINTS):
        services.create(URL, by=jane)
    with pytest.raises(WrongState, match="at most 20"):
        services.create(URL, by=jane)


def verbs(endpoint: WebhookEndpoint, delivery: WebhookDelivery, by: Any) -> list[Any]:
    return [
        lambda: services.change(endpoint, by=by, url=URL, kinds=[], description=""),
        lambda: services.rotate(endpoint, by=by),
        lambda: services.turn_off(endpoint, by=by),
        lambda: services.turn_on(endpoint, by=by),
        lambda: services.send_test(endpoint, by=by),
        lambda: services.redeliver(delivery, by=by),
        lambda: services.delete(endpoint, by=by),
    ]


@pytest.mark.parametrize(("role", "slug", "error"), [
    ("viewer", "default", Refused), ("deployer", "default", Refused), ("admin", "other", NotFound), (None, "default", Refused),
])  # fmt: skip
def test_nobody_else_may(role: str | None, slug: str, error: type[DomainError]) -> None:
    delivery = make_delivery()
    by = make_actor(role, organization=make_organization(slug))
    before = list(WebhookEndpoint.objects.values())
    for verb in verbs(delivery.endpoint, delivery, by):
        with pytest.raises(error), transaction.atomic():
            verb()
    if role != "admin":
        with pytest.raises(error):
            services.create(URL, by=by)
    assert list(WebhookEndpoint.objects.values()) == before
    assert told() == []


def test_a_new_secret_takes_over_from_the_old() -> None:
    endpoint, old = services.create(URL, by=make_actor())
    new = services.rotate(endpoint, by=make_actor())
    endpoint.refresh_from_db()
    assert endpoint.signing_secrets() == [new, old]
    assert endpoint.is_overlapping
    assert told()[-1][0] == "webhook.secret_replaced"


def test_off_and_on() -> None:
    jane, delivery = make_actor(), make_delivery(make_webhook(dead_count=7))
    endpoint = delivery.endpoint
    services.turn_off(endpoint, by=jane)
    with pytest.raises(WrongState):
        services.turn_off(endpoint, by=jane)
    endpoint.refresh_from_db()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.last_outcome) == (State.DEAD, Outcome.DISABLED)
    assert jane.label in endpoint.disabled_reason
    for verb in (services.send_test, lambda row, by: services.redeliver(delivery, by=by)):
        with pytest.raises(WrongState, match="off"):
            verb(endpoint, by=jane)
    services.turn_on(endpoint, by=jane)
    with pytest.raises(WrongState):
        services.turn_on(endpoint, by=jane)
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.disabled_reason, endpoint.dead_count) == (True, "", 0)
    assert [kind for kind, _ in told()] == ["webhook.turned_off", "webhook.turned_on"]


def test_a_test_goes_to_this_webhook_alone() -> None:
    endpoint, other = make_webhook(kinds=["ipr.*"]), make_webhook()
    delivery = services.send_test(endpoint, by=make_actor())
    assert (delivery.kind, delivery.state) == ("webhook.test", State.PENDING)
    assert not other.deliveries.exists()


@pytest.mark.parametrize("state", [State.DELIVERED, State.DEAD])
def test_a_delivery_that_ended_is_sent_again_under_its_id(state: WebhookDelivery.State) -> None:
    delivery = make_delivery()
    WebhookDelivery.objects.filter(pk=delivery.pk).update(attempt=10)
    delivery.refresh_from_db()
    delivery.move(state)
    message_id = delivery.message_id
    services.redeliver(delivery, by=make_actor())
    delivery.refresh_from_db()
    assert (delivery.state, delivery.message_id) == (State.PENDING, message_id)
    assert (delivery.attempt, delivery.tries) == (10, 0)
    assert delivery in WebhookDelivery.objects.due()


def test_a_delivery_on_its_way_is_not_sent_again() -> None:
    with pytest.raises(WrongState):
        services.redeliver(make_delivery(), by=make_actor())


def test_deleting_forgets_deliveries_and_keeps_the_story() -> None:
    endpoint = make_webhook()
    make_delivery(endpoint)
    services.delete(endpoint, by=make_actor())
    make_event()
    assert not WebhookEndpoint.objects.living().exists()
    assert not WebhookEndpoint.objects.visible_to(make_actor()).exists()
    assert WebhookEndpoint.objects.get().secret_sealed == ""
    assert not WebhookDelivery.objects.exists()
    assert told()[-1][0] == "webhook.deleted"


def test_an_operator_may_open_loopback(settings: Settings) -> None:
    settings.ALMA_OUTBOUND_ALLOW = ["127.0.0.1:9000"]
    endpoint, _ = services.create("http://127.0.0.1:9000/", by=make_actor())
    assert endpoint.url == "http://127.0.0.1:9000/"
