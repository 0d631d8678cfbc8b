"""The arbiter over rows: what it reads is what it decides about, and what it decides is written down and told."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from alma.events.models import Event
from instances import demand
from instances.models import Instance, Limit, Load, Node, Router, Waiter
from instances.supervisor.arbiter import Arbiter, Word, preload
from tests.concurrency import together
from tests.factories.accounts import make_organization
from tests.factories.instances import make_instance
from tests.factories.routing import make_load, make_router, make_waiter

pytestmark = pytest.mark.django_db
Status, Wish = Instance.Status, Instance.Wish


def ago(seconds: float) -> Any:
    return timezone.now() - timedelta(seconds=seconds)


def serving(name: str = "", **overrides: Any) -> Instance:
    values = {
        "wanted": Wish.RUNNING,
        "status": Status.RUNNING,
        "wanted_run": 1,
        "run": 1,
        "ready_at": ago(5000),
        "idle_seconds": 0,
        **overrides,
    }
    return make_instance(name, **values)


def turn() -> Word:
    return Arbiter("main").turn(list(Instance.objects.all()))


def is_wanted(row: Instance) -> bool:
    return Instance.objects.get(pk=row.pk).wanted == Wish.RUNNING


def told(row: Instance) -> list[tuple[str, str, str]]:
    events = Event.objects.of(row.stream).filter(kind__in=("instance.start_asked", "instance.let_go"))
    return [(event.kind, event.actor, event.data["why"]) for event in events]


def test_request_that_waits_starts_it_once() -> None:
    row, router = make_instance(), make_router()
    for _ in range(100):
        make_waiter(row, router)
    assert turn().may_start == {row.pk}
    row.refresh_from_db()
    assert (row.wanted, row.wanted_run, row.shown_status) == (Wish.RUNNING, 1, "starting")
    assert turn().may_start == {row.pk}
    row.refresh_from_db()
    assert (row.wanted_run, told(row)) == (1, [("instance.start_asked", "on demand", "requests wait")])


def test_nobody_waits() -> None:
    row = make_instance()
    turn()
    assert not is_wanted(row)


@pytest.mark.parametrize(
    "values",
    [
        {"starts_on_demand": False},
        {"wanted": Wish.REMOVED},
        {"wanted": Wish.RUNNING, "status": Status.FAILED, "run": 1, "wanted_run": 1},
        {"node": "elsewhere"},
    ],
    ids=str,
)
def test_request_that_cannot_start_it(values: dict[str, Any]) -> None:
    row = make_instance(**values)
    make_waiter(row)
    assert turn().may_start == frozenset()
    assert Instance.objects.get().wanted_run == row.wanted_run


def test_least_lately_used_makes_room_and_is_told_to_drain(settings) -> None:
    settings.ALMA_INSTANCES_RUNNING = 2
    cold, router = make_instance(), make_router()
    old, new = serving(), serving()
    make_load(old, router, outstanding=0, ended_at=ago(60))
    make_load(new, router, outstanding=0, ended_at=ago(30))
    make_waiter(cold, router)
    assert turn().may_start == frozenset()
    assert [is_wanted(row) for row in (cold, old, new)] == [False, False, True]
    assert told(old) == [("instance.let_go", "on demand", "room for another")]
    assert Instance.objects.get(pk=old.pk).stop_by is None  # it waits for its requests for ever
    turn()
    assert is_wanted(new)  # one is enough
    Instance.objects.filter(pk=old.pk).update(status=Status.STOPPED)
    assert turn().may_start == {cold.pk}


def test_without_eviction_what_has_room_starts_and_nobody_is_stopped(settings) -> None:
    """Weak point 1: llamactl starts nothing on demand once eviction is switched off."""
    settings.ALMA_INSTANCE_EVICTION, settings.ALMA_INSTANCES_RUNNING = False, 2
    first, second, old = make_instance(), make_instance(), serving()
    make_waiter(first, seconds=2)
    make_waiter(second, seconds=1)
    assert turn().may_start == {first.pk}
    turn()
    assert [is_wanted(row) for row in (first, second, old)] == [True, False, True]


def test_group_competes_within_itself() -> None:
    Limit.objects.create(organization=make_organization(), group="big", most=1)
    cold = make_instance(group="big")
    small, big = serving(), serving(group="big", last_used_at=ago(1))
    make_waiter(cold)
    turn()
    assert [is_wanted(row) for row in (small, big)] == [True, False]


def test_pinned_and_kept_stay(settings) -> None:
    settings.ALMA_INSTANCES_RUNNING = 3
    cold, pinned, kept = make_instance(), serving(is_pinned=True), serving(kept_until=ago(-60))
    was_kept = serving(kept_until=ago(1), last_used_at=ago(0))
    make_waiter(cold)
    turn()
    assert [is_wanted(row) for row in (pinned, kept, was_kept)] == [True, True, False]


def test_other_organizations_do_not_make_room(settings) -> None:
    settings.ALMA_INSTANCES_RUNNING = 1
    theirs = serving(organization=make_organization("other"))
    cold = make_instance()
    make_waiter(cold)
    turn()
    assert (is_wanted(theirs), is_wanted(cold)) == (True, True)


def test_machine_that_is_lost_makes_no_difference(settings) -> None:
    settings.ALMA_INSTANCES_RUNNING = 1
    Node.objects.create(name="lost", seen_at=ago(60))
    gone, cold = serving(node="lost"), make_instance()
    make_waiter(cold)
    assert turn().may_start == {cold.pk}
    assert is_wanted(gone)


@pytest.mark.parametrize(
    ("values", "load", "goes"),
    [
        ({"idle_seconds": 60}, {"outstanding": 0, "ended_at": 61}, True),
        ({"idle_seconds": 60}, {"outstanding": 0, "ended_at": 50}, False),
        ({"idle_seconds": 60}, {"outstanding": 1, "ended_at": 600}, False),
        ({"idle_seconds": 0}, {"outstanding": 0, "ended_at": 600}, False),
        ({"idle_seconds": 60, "is_pinned": True}, {"outstanding": 0, "ended_at": 600}, False),
        ({"idle_seconds": 60, "kept_until": -60}, {"outstanding": 0, "ended_at": 600}, False),
        ({"idle_seconds": 60, "last_used_at": 30}, {"outstanding": 0}, False),
        ({"idle_seconds": 60, "ready_at": 30}, {"outstanding": 0}, False),
        ({"idle_seconds": 60}, {"outstanding": 0}, True),
    ],
    ids=str,
)
def test_idle(values: dict[str, Any], load: dict[str, Any], goes: bool) -> None:
    times = {"kept_until", "last_used_at", "ready_at", "ended_at"}
    row = serving(**{name: ago(value) if name in times else value for name, value in values.items()})
    make_load(row, **{name: ago(value) if name in times else value for name, value in load.items()})
    turn()
    assert is_wanted(row) is not goes
    assert told(row) == ([("instance.let_go", "on demand", "idle")] if goes else [])


def test_request_may_keep_it_or_let_it_go() -> None:
    row = serving(idle_seconds=60)
    for until, is_kept in ((ago(-60), True), (None, False)):
        demand.keep(row.pk, until)
        turn()
        assert is_wanted(row) is is_kept
    pinned = serving(is_pinned=True)
    demand.keep(pinned.pk, None)
    turn()
    assert is_wanted(pinned)


def test_asked_for_anew_while_it_was_to_go() -> None:
    """What was decided about has changed: a person has asked for a restart meanwhile."""
    row = serving(idle_seconds=60)
    before = list(Instance.objects.all())
    Instance.objects.update(wanted_run=2)
    Arbiter("main").turn(before)
    assert is_wanted(row)


@pytest.mark.parametrize(
    ("routers", "expected"),
    [
        ([], True),
        ([{"read_at": 0}], True),
        ([{"read_at": 20}], False),
        ([{"read_at": 0, "outstanding": 1}], False),
        ([{"read_at": 20, "seen_at": 60, "outstanding": 1}], True),
        ([{"read_at": 9, "node": "elsewhere"}], False),
        ([{"read_at": 7, "node": "elsewhere"}], True),
    ],
    ids=str,
)
def test_drained_as_the_living_routers_say(routers: list[dict[str, Any]], expected: bool) -> None:
    row = serving(wanted=Wish.STOPPED, draining_since=ago(10))
    for values in routers:
        router = make_router(
            node=values.get("node", "main"), read_at=ago(values["read_at"]), seen_at=ago(values.get("seen_at", 0))
        )
        make_load(row, router, outstanding=values.get("outstanding", 0))
    assert (row.pk in turn().is_drained) is expected


def test_router_that_is_gone_is_swept_with_all_it_had() -> None:
    row = make_instance()
    gone, here = make_router(seen_at=ago(11)), make_router()
    make_load(row, gone, outstanding=3)
    make_waiter(row, gone, request_id="lost")
    kept = make_waiter(row, here)
    turn()
    assert (list(Router.objects.all()), list(Load.objects.all()), list(Waiter.objects.all())) == ([here], [], [kept])
    row.refresh_from_db()
    assert row.last_used_at == gone.seen_at  # until then its requests ran
    assert Event.objects.of(row.stream).filter(kind="instance.queue_left", data__request_id="lost").count() == 1


def test_preloaded_as_far_as_there_is_room(settings) -> None:
    settings.ALMA_INSTANCES_RUNNING = 1
    plain = make_instance("a")
    first, second = make_instance("b", is_preloaded=True), make_instance("c", is_preloaded=True)
    preload(Instance.objects.all())
    assert [is_wanted(row) for row in (plain, first, second)] == [False, True, False]


@pytest.mark.django_db(transaction=True)
def test_limit_holds_for_many_supervisors_at_once(settings) -> None:
    """Weak point 4: two cold requests at once must not both find the last place."""
    settings.ALMA_INSTANCES_RUNNING = 3
    rows = [make_instance() for _ in range(8)]
    started = together(8, lambda number: demand.start(rows[number], why="requests wait"))
    assert sum(started) == 3
    assert Instance.objects.wanted().count() == 3
