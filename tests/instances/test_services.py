"""What people want of instances is written down, within the limits, once."""

from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.errors import Invalid, NotFound, Refused, WrongState
from alma.events.models import Event
from instances import services
from instances.models import AT_ONCE, Instance
from instances.services import Draft
from tests.concurrency import together
from tests.factories.accounts import make_actor, make_organization
from tests.factories.instances import make_instance

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("others")]
Status, Wish = Instance.Status, Instance.Wish


@pytest.fixture
def actor() -> Actor:
    return make_actor("operator")


def create(actor: Actor, name: str = "one", *, starts: bool = False, **more: Any) -> Instance:
    return services.create(Draft(name=name, model="tiny.gguf", **more), by=actor, starts=starts)


def kinds(row: Instance) -> list[str]:
    return list(Event.objects.of(row.stream).values_list("kind", flat=True))


def test_create_without_a_start(actor: Actor) -> None:
    row = create(actor, options={"context_size": 2048, "gpu_layers": 0})
    row.refresh_from_db()
    assert (row.wanted, row.shown_status, row.port) == (Wish.STOPPED, "stopped", 8081)
    assert row.options == {"ctx_size": 2048, "gpu_layers": 0}
    assert (row.created_by, kinds(row)) == (actor.label, ["instance.created"])


def test_create_with_a_start(actor: Actor) -> None:
    row = create(actor, starts=True)
    assert (row.wanted, row.wanted_run, row.shown_status) == (Wish.RUNNING, 1, "starting")


@pytest.mark.parametrize(
    ("draft", "code"),
    [
        ({"name": "start-all"}, "INVALID_NAME"),
        ({"name": "../x"}, "INVALID_NAME"),
        ({"name": ""}, "INVALID_NAME"),
        ({"options": {"rpc": "evil"}}, "INVALID_OPTIONS"),
        ({"backend": "ollama"}, "BACKEND_MISSING"),
        ({"backend": "vllm"}, "BACKEND_MISSING"),
        ({"model": "../../etc/passwd"}, "INVALID_MODEL"),
        ({"model": ""}, "INVALID_MODEL"),
        ({"port": 80}, "INVALID_PORT"),
        ({"port": 40_000}, "INVALID_PORT"),
        ({"settings": {"max_restarts": 5000}}, "VALIDATION_ERROR"),
        ({"settings": {"restart_seconds": -1}}, "VALIDATION_ERROR"),
        ({"settings": {"group": "x" * 60}}, "VALIDATION_ERROR"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(actor: Actor, draft: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as caught:
        services.create(Draft(**{"name": "one", "model": "tiny.gguf"} | draft), by=actor, starts=False)
    assert caught.value.code == code
    assert not Instance.objects.exists()


def test_name_and_port_are_taken_once(actor: Actor) -> None:
    create(actor, port=8090)
    with pytest.raises(WrongState) as caught:
        create(actor)
    assert caught.value.code == "INSTANCE_EXISTS"
    with pytest.raises(WrongState) as caught:
        create(actor, "two", port=8090)
    assert caught.value.code == "PORT_TAKEN"
    assert create(actor, "two").port == 8081
    assert create(actor, "three").port == 8082


def test_ports_end(actor: Actor, settings) -> None:
    settings.ALMA_INSTANCE_PORTS = (8081, 8081)
    create(actor)
    with pytest.raises(WrongState, match="taken"):
        create(actor, "two")


def test_limit_of_instances(actor: Actor, settings) -> None:
    settings.ALMA_INSTANCES = 1
    create(actor)
    with pytest.raises(WrongState) as caught:
        create(actor, "two")
    assert caught.value.code == "MAX_INSTANCES_REACHED"


def test_limit_of_those_that_run(actor: Actor, settings) -> None:
    settings.ALMA_INSTANCES_RUNNING = 1
    create(actor, starts=True)
    two = create(actor, "two")
    for verb in (services.start, services.restart):
        with pytest.raises(WrongState) as caught:
            verb(two, by=actor)
        assert caught.value.code == "MAX_INSTANCES_REACHED"
    with pytest.raises(WrongState):
        create(actor, "three", starts=True)
    services.stop(services.find("one", by=actor), by=actor)
    assert services.start(two, by=actor).shown_status == "starting"


def test_limit_is_that_of_the_own_organization(actor: Actor, settings) -> None:
    settings.ALMA_INSTANCES_RUNNING = 1
    create(actor, starts=True)
    create(make_actor("operator", organization=make_organization("other")), starts=True)


def test_start_twice_is_one_start(actor: Actor) -> None:
    row = create(actor)
    services.start(row, by=actor)
    again = services.start(row, by=actor)
    assert again.wanted_run == 1
    assert kinds(row) == ["instance.created", "instance.start_asked"]


def test_start_of_what_has_failed_tries_anew(actor: Actor) -> None:
    row = make_instance(wanted=Wish.RUNNING, wanted_run=2, run=2, status=Status.FAILED)
    assert services.start(row, by=actor).wanted_run == 3


def test_stop_twice_is_one_stop(actor: Actor) -> None:
    row = make_instance(wanted=Wish.RUNNING, status=Status.RUNNING)
    assert services.stop(row, by=actor, seconds=3).shown_status == "stopping"
    again = services.stop(row, by=actor)
    assert (again.wanted, again.stop_seconds, kinds(row)) == (Wish.STOPPED, 30, ["instance.stop_asked"])
    assert again.stop_by is not None
    assert 0 < (again.stop_by - timezone.now()).total_seconds() <= 3
    assert services.stop(row, by=actor, seconds=0).stop_by == AT_ONCE


def test_restart_is_asked_once_until_it_has_begun(actor: Actor) -> None:
    row = make_instance(wanted=Wish.RUNNING, wanted_run=1, run=1, status=Status.RUNNING)
    assert services.restart(row, by=actor).shown_status == "restarting"
    assert services.restart(row, by=actor).wanted_run == 2


def test_restart_of_what_is_stopped_starts_it(actor: Actor) -> None:
    assert services.restart(create(actor), by=actor).shown_status == "starting"


@pytest.mark.parametrize("status", ["starting", "running", "stopping", "unhealthy"])
def test_remove_while_it_runs(actor: Actor, status: str) -> None:
    row = make_instance("one", wanted=Wish.RUNNING, status=status)
    with pytest.raises(WrongState) as caught:
        services.remove(row, by=actor, stops_first=False)
    assert caught.value.code == "INSTANCE_RUNNING"
    services.remove(row, by=actor, stops_first=True)
    with pytest.raises(NotFound):
        services.find("one", by=actor)
    assert Instance.objects.get(pk=row.pk).wanted == Wish.REMOVED
    assert create(actor).port != row.port


def test_change_is_partial(actor: Actor) -> None:
    row = create(actor, options={"threads": 4, "ctx_size": 2048, "gpu_layers": 0})
    needs_restart = services.change(
        row, by=actor, options={"threads": 8, "context_size": 4096, "ngl": None}, changes={"group": "small"}
    )
    row.refresh_from_db()
    assert (needs_restart, row.options, row.group) == (False, {"threads": 8, "ctx_size": 4096}, "small")
    assert row.model == "tiny.gguf"


@pytest.mark.parametrize(
    ("change", "needs_restart"),
    [({"options": {"threads": 8}}, True), ({"model": "b.gguf"}, True), ({"changes": {"group": "x"}}, False),
     ({"options": {}}, False)],
    ids=str,
)  # fmt: skip
def test_change_of_what_runs(actor: Actor, change: dict[str, Any], needs_restart: bool) -> None:
    row = make_instance(wanted=Wish.RUNNING, status=Status.RUNNING)
    assert services.change(row, by=actor, **change) is needs_restart


@pytest.mark.parametrize("value", ["evil", None])
def test_refused_change_changes_nothing(actor: Actor, value: str | None) -> None:
    """To take away what is no option is a mistake as well."""
    row = create(actor, options={"threads": 4})
    with pytest.raises(Invalid, match="no_such is not a known option"):
        services.change(row, by=actor, options={"threads": 8, "no_such": value})
    row.refresh_from_db()
    assert row.options == {"threads": 4}


def test_all_at_once(actor: Actor, settings) -> None:
    settings.ALMA_INSTANCES_RUNNING = 2
    rows = [create(actor, name) for name in ("a", "b", "c")]
    make_instance("theirs", organization=make_organization("other"), wanted=Wish.RUNNING)
    assert [row.name for row in services.start_all(by=actor)] == ["a", "b"]
    with pytest.raises(WrongState):
        services.start_all(by=actor)
    assert [row.name for row in services.stop_all(by=actor)] == ["a", "b"]
    assert services.stop_all(by=actor) == []
    assert Instance.objects.get(name="theirs").wanted == Wish.RUNNING
    assert len(rows) == 3


@pytest.mark.parametrize("name", ["none", "a\0b", "../x"])
def test_instance_that_is_not_there(actor: Actor, name: str) -> None:
    make_instance("mine", organization=make_organization("other"))
    with pytest.raises(NotFound):
        services.find(name, by=actor)
    with pytest.raises(NotFound):
        services.find("mine", by=actor)


def test_who_may_only_look(actor: Actor) -> None:
    row, viewer = create(actor), make_actor("viewer")
    for verb in (services.start, services.stop, services.restart, services.change):
        with pytest.raises(Refused):
            verb(row, by=viewer)
    with pytest.raises(Refused):
        services.remove(row, by=viewer, stops_first=True)
    with pytest.raises(Refused):
        create(viewer, "two")
    with pytest.raises(Refused):
        services.stop_all(by=viewer)


@pytest.mark.django_db(transaction=True)
def test_limit_holds_for_many_at_once(settings) -> None:
    settings.ALMA_INSTANCES_RUNNING = 3
    actor = make_actor("operator")
    rows = [create(actor, f"m{number}") for number in range(8)]

    def start(number: int) -> bool:
        try:
            services.start(rows[number], by=actor)
        except WrongState:
            return False
        return True

    assert sum(together(8, start)) == 3
    assert Instance.objects.wanted().count() == 3
    assert connection.vendor in {"sqlite", "postgresql"}
