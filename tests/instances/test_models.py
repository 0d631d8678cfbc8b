"""Instances as rows: their states, their names, who sees them, and the status that the API shows."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from alma.accounts.actors import Actor
from alma.errors import WrongState
from alma.events.models import Event
from instances.models import KEY, Instance
from tests.factories.accounts import make_actor, make_organization
from tests.factories.instances import make_instance

pytestmark = pytest.mark.django_db
Status, Wish = Instance.Status, Instance.Wish
ALLOWED = {
    ("stopped", "starting"), ("stopped", "failed"),
    ("starting", "running"), ("starting", "stopping"), ("starting", "restarting"), ("starting", "failed"), ("starting", "stopped"),
    ("running", "unhealthy"), ("running", "stopping"), ("running", "restarting"), ("running", "failed"), ("running", "stopped"),
    ("unhealthy", "running"), ("unhealthy", "stopping"), ("unhealthy", "restarting"), ("unhealthy", "failed"), ("unhealthy", "stopped"),
    ("stopping", "stopped"), ("stopping", "failed"),
    ("restarting", "starting"), ("restarting", "stopped"), ("restarting", "failed"),
    ("failed", "starting"), ("failed", "stopped"),
}  # fmt: skip


@pytest.mark.parametrize("to", Status.values)
@pytest.mark.parametrize("was", Status.values)
def test_move_along_the_table_and_no_other(was: str, to: str) -> None:
    row = make_instance(status=was)
    if (was, to) in ALLOWED:
        row.move(Status(to))
    else:
        with pytest.raises(WrongState):
            row.move(Status(to))
    row.refresh_from_db()
    assert row.status == (to if (was, to) in ALLOWED else was)


def test_move_is_told_and_stamped() -> None:
    row = make_instance()
    before = row.status_at
    row.move(Status.STARTING, pid=12, run=3)
    row.move(Status.FAILED, reason="it ended with exit code 1\nsecret words of its log")
    events = Event.objects.of(row.stream)
    assert [(event.kind, event.data["was"], event.data["status"], event.data["reason"]) for event in events] == [
        ("instance.status_changed", "stopped", "starting", ""),
        ("instance.status_changed", "starting", "failed", "it ended with exit code 1"),
    ]
    row.refresh_from_db()
    assert (row.pid, row.run, row.reason.count("\n")) == (12, 3, 1)
    assert row.status_at > before


def test_move_from_a_state_that_is_no_more() -> None:
    row = make_instance()
    same = Instance.objects.get(pk=row.pk)
    same.move(Status.STARTING)
    with pytest.raises(WrongState, match="meanwhile"):
        row.move(Status.FAILED)
    assert Event.objects.of(row.stream).count() == 1


@pytest.mark.parametrize(
    "name", ["a", "llama2-7b", "qwen2.5", "A_b", "x" * 50, "1", "my-model.v1_2"]
)  # fmt: skip
def test_name_that_may_be(name: str) -> None:
    make_instance(name).clean_fields()


@pytest.mark.parametrize(
    "name", ["", ".", "..", "-x", "x-", "a..b", "a/b", "x" * 51, "a b", "a\n", "a\0", "ä", "_a", "a_", ".a", "a%2f"]
)
def test_name_that_can_be_none(name: str) -> None:
    with pytest.raises(ValidationError):
        Instance(organization=make_organization(), name=name, model="m", node="main", port=8081).clean_fields()


def test_name_is_taken_until_it_is_deleted() -> None:
    first = make_instance("one")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_instance("one")
    Instance.objects.filter(pk=first.pk).update(wanted=Wish.REMOVED)
    make_instance("one")
    make_instance("one", organization=make_organization("other"))


@pytest.mark.parametrize("port", [80, 1023, 32_768, 60_000])
def test_port_that_is_not_for_instances(port: int) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make_instance(port=port)


def test_port_is_given_once_on_each_node() -> None:
    make_instance(port=8081)
    make_instance(port=8081, node="second")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_instance(port=8081)


def test_only_the_own_living_ones_are_seen() -> None:
    mine, theirs = make_instance("mine"), make_instance("theirs", organization=make_organization("other"))
    make_instance("gone", wanted=Wish.REMOVED)
    assert list(Instance.objects.visible_to(make_actor())) == [mine]
    assert list(Instance.objects.visible_to(make_actor(organization=theirs.organization))) == [theirs]
    assert list(Instance.objects.visible_to(Actor(None, "nobody"))) == []


@pytest.mark.parametrize(
    ("wanted", "status", "is_up_to_date", "shown"),
    [
        ("running", "stopped", False, "starting"),
        ("running", "stopped", True, "starting"),
        ("running", "starting", True, "starting"),
        ("running", "running", True, "running"),
        ("running", "unhealthy", True, "running"),
        ("running", "running", False, "restarting"),
        ("running", "stopping", False, "restarting"),
        ("running", "restarting", True, "restarting"),
        ("running", "failed", True, "failed"),
        ("running", "failed", False, "starting"),
        ("stopped", "running", True, "stopping"),
        ("stopped", "starting", True, "stopping"),
        ("stopped", "stopping", True, "stopping"),
        ("stopped", "restarting", True, "stopped"),
        ("stopped", "failed", True, "stopped"),
        ("stopped", "stopped", True, "stopped"),
    ],
)
def test_status_that_is_shown(wanted: str, status: str, is_up_to_date: bool, shown: str) -> None:
    row = Instance(wanted=wanted, status=status, wanted_run=4, run=4 if is_up_to_date else 3)
    assert row.shown_status == shown


def test_key_is_sealed() -> None:
    row = make_instance(key_sealed=KEY.seal("the key"))
    assert "the key" not in row.key_sealed
    assert Instance.objects.get(pk=row.pk).key == "the key"


def test_uptime_is_known_while_it_serves() -> None:
    row = make_instance()
    assert row.uptime_seconds is None
    row.status, row.started_at = "running", row.created_at
    assert row.uptime_seconds == 0
