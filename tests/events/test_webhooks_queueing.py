"""Deliveries are written with their event, for every webhook that wants it and for no other."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from alma.errors import WrongState
from alma.events.models import Outcome, WebhookDelivery
from alma.events.webhooks.kinds import GROUPS, NAMES, WILDCARDS, chosen, public_names, unknown
from tests.concurrency import together
from tests.factories.accounts import make_actor, make_organization
from tests.factories.webhooks import make_delivery, make_event, make_webhook

State = WebhookDelivery.State
DOCUMENTED = {
    "vm.created", "vm.deleted", "vm.status_changed", "backup.completed", "security.scan_completed", "job.completed",
    "system.alert",
}  # fmt: skip


# -- names ------------------------------------------------------------------------------------------
def test_the_documented_events_and_our_own_can_be_asked_for() -> None:
    assert set(NAMES) >= DOCUMENTED
    assert {name.partition(".")[0] for name in set(NAMES) - DOCUMENTED} == {"ipr", "deployment", "vm", "instance"}
    assert len(NAMES) == len(set(NAMES)) == sum(len(kinds) for _, kinds in GROUPS)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("vm.created", ["vm.created"]),
        ("vm.status_changed", ["vm.status_changed"]),
        ("backup.completed", ["backup.completed", "job.completed"]),
        ("security.scan_completed", ["security.scan_completed", "job.completed"]),
        ("queue.frozen", ["system.alert"]),
        ("queue.moving", []),
        ("doctor.alarmed", ["system.alert"]),
        ("security.scan_failed", ["system.alert"]),
        ("ipr.approved", ["ipr.approved"]),
        ("ipr.failed", ["ipr.failed"]),
        ("deployment.completed", ["deployment.completed", "job.completed"]),
        ("deployment.failed", ["deployment.failed", "system.alert"]),
        ("plan.completed", ["job.completed"]),
        ("plan.failed", ["system.alert"]),
        ("cluster.unreachable", ["system.alert"]),
        ("webhook.disabled", ["system.alert"]),
        ("deployment.log", []),
        ("deployment.step", []),
        ("cluster.reachable", []),
        ("cluster.read", []),
        ("blueprint.created", []),
        ("webhook.test", []),
        ("webhook.secret_replaced", []),
    ],
)
def test_what_an_event_is_called_outside(kind: str, names: list[str]) -> None:
    assert list(public_names(kind)) == names


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ([], "deployment.completed"),
        (["*"], "deployment.completed"),
        (["deployment.*"], "deployment.completed"),
        (["deployment.completed", "job.completed"], "deployment.completed"),
        (["job.completed"], "job.completed"),
        (["job.*"], "job.completed"),
        (["vm.created"], ""),
        (["deployment.failed"], ""),
    ],
)
def test_under_which_name_a_webhook_is_told(wanted: list[str], name: str) -> None:
    assert chosen(public_names("deployment.completed"), wanted) == name


def test_unknown_names() -> None:
    assert unknown([*NAMES, *WILDCARDS, "*"]) == []
    assert unknown(["vm.created", "vm.exploded", "webhook.test", "x.*"]) == ["vm.exploded", "webhook.test", "x.*"]


# -- with the event ---------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_an_event_that_is_rolled_back_is_told_to_nobody() -> None:
    make_webhook()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        make_event()
        raise ZeroDivisionError
    assert not WebhookDelivery.objects.exists()
    make_event()
    assert WebhookDelivery.objects.get().event.seq == 1


@pytest.mark.django_db
def test_each_webhook_gets_what_it_asked_for() -> None:
    everything, machines = make_webhook(), make_webhook(kinds=["vm.*"])
    created = make_webhook(kinds=["vm.created"])
    make_webhook(kinds=["ipr.*", "system.alert"])
    make_webhook(is_active=False)
    make_webhook(organization=make_organization("other"))
    event = make_event()
    found = {delivery.endpoint: delivery.kind for delivery in event.deliveries.all()}
    assert found == dict.fromkeys([everything, machines, created], "vm.created")
    delivery = event.deliveries.first()
    assert (delivery.state, delivery.attempt, delivery.next_at) == (State.PENDING, 0, event.at)


@pytest.mark.django_db
def test_message_ids_are_of_their_own_and_tell_nothing() -> None:
    for _ in range(3):
        make_webhook()
    ids = [delivery.message_id for delivery in make_event().deliveries.all()]
    assert len(set(ids)) == 3
    assert all(len(one) == 36 and one.startswith("msg_") for one in ids)


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "looks"), [("deployment.log", 0), ("vm.created", 1)])
def test_an_organization_without_webhooks_pays_one_look_at_most(kind: str, looks: int) -> None:
    make_webhook(organization=make_organization("other"))
    make_event(kind)
    with CaptureQueriesContext(connection) as asked:
        make_event(kind)
    assert len([query for query in asked if "webhook" in query["sql"]]) == looks
    assert not WebhookDelivery.objects.exists()


@pytest.mark.django_db
def test_the_look_uses_an_index() -> None:
    make_webhook()
    with CaptureQueriesContext(connection) as asked:
        make_event()
    (look,) = [query["sql"] for query in asked if query["sql"].startswith("SELECT") and "webhook" in query["sql"]]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{look}")
        assert "organization_id_" in str(cursor.fetchall())


@pytest.mark.django_db(transaction=True)
def test_eight_writers_queue_each_event_once() -> None:
    endpoint = make_webhook()

    def write(_: int) -> None:
        for _ in range(20):
            make_event()

    together(8, write)
    assert endpoint.deliveries.count() == 160
    assert endpoint.deliveries.values("event").distinct().count() == 160


# -- states -----------------------------------------------------------------------------------------
ALLOWED = {
    ("pending", "delivered"), ("pending", "retrying"), ("pending", "dead"), ("retrying", "retrying"),
    ("retrying", "delivered"), ("retrying", "dead"), ("delivered", "pending"), ("dead", "pending"),
}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("to", State.values)
@pytest.mark.parametrize("was", State.values)
def test_every_pair_of_states(was: str, to: str) -> None:
    delivery = make_delivery()
    way = {"pending": [], "retrying": ["retrying"], "delivered": ["delivered"], "dead": ["dead"]}
    due = delivery.next_at
    for state in way[was]:
        delivery.move(State(state), next_at=due if state == "retrying" else None)
    if (was, to) in ALLOWED:
        delivery.move(State(to), **({"next_at": due} if to in State.values[::2] else {}))
        assert delivery.state == to
        return
    with pytest.raises(WrongState):
        delivery.move(State(to), next_at=due)
    delivery.refresh_from_db()
    assert delivery.state == was


@pytest.mark.django_db
def test_a_delivery_that_moved_on_is_not_moved_again() -> None:
    delivery = make_delivery()
    stale = WebhookDelivery.objects.get(pk=delivery.pk)
    delivery.move(State.RETRYING, next_at=delivery.next_at)
    with pytest.raises(WrongState):
        stale.move(State.DELIVERED)


@pytest.mark.django_db
def test_many_are_moved_along_the_same_table() -> None:
    endpoint = make_webhook()
    open_, done = make_delivery(endpoint), make_delivery(endpoint)
    done.move(State.DELIVERED)
    assert WebhookDelivery.objects.filter(endpoint=endpoint).move(State.DEAD, Outcome.DISABLED) == 1
    open_.refresh_from_db()
    done.refresh_from_db()
    assert (open_.state, open_.last_outcome, open_.next_at) == (State.DEAD, Outcome.DISABLED, None)
    assert done.state == State.DELIVERED


@pytest.mark.django_db
def test_nothing_of_another_organization_is_visible() -> None:
    delivery = make_delivery()
    other = make_actor(organization=make_organization("other"))
    assert list(WebhookDelivery.objects.visible_to(make_actor())) == [delivery]
    for actor in (other, make_actor(role=None)):
        assert not WebhookDelivery.objects.visible_to(actor).exists()
        assert not type(delivery.endpoint).objects.visible_to(actor).exists()
