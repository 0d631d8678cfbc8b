"""Supervisor, arbiter and the real llama.cpp together; the routers are rows, as routers write them."""

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.events import doorbell
from alma.events.models import Event
from instances import logs, queueing, services
from instances.models import Instance, Load, Router, Waiter
from instances.supervisor import keeper as keeping
from instances.supervisor.supervising import Supervisor
from tests.factories.accounts import make_actor
from tests.factories.routing import make_load, make_router, make_waiter
from tests.instances.serving import ask
from tests.instances.test_supervisor import create, program, statuses, turn_to, turn_until

pytestmark = [pytest.mark.django_db, pytest.mark.processes]
Status, Wish = Instance.Status, Instance.Wish


@pytest.fixture(autouse=True)
def installation(models: Path, tmp_path: Path, settings, monkeypatch) -> None:
    settings.ALMA_DATA_DIR = tmp_path
    settings.ALMA_INSTANCE_PORTS = (20_000, 32_000)
    monkeypatch.setattr(keeping, "PROBE_SECONDS", dict.fromkeys(Status, 0.05))


@pytest.fixture
def actor() -> Actor:
    return make_actor("operator")


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    one = Supervisor()
    yield one
    one.end_all()


@pytest.fixture
def router() -> Router:
    return make_router()


def hear(router: Router) -> None:
    """The router lives and has read what the instances are."""
    now = timezone.now()
    Router.objects.filter(pk=router.pk).update(seen_at=now, read_at=now)


def turn_for(supervisor: Supervisor, seconds: float, router: Router) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        hear(router)
        supervisor.turn()
        time.sleep(0.02)


def kinds(row: Instance) -> list[str]:
    return list(Event.objects.of(row.stream).values_list("kind", flat=True))


def test_cold_model_is_started_once_for_all_who_wait(supervisor: Supervisor, actor: Actor, router: Router) -> None:
    row = create(actor, starts=False)
    entries = [queueing.Entry(f"r{number}", "key", timezone.now()) for number in range(100)]
    waiters = queueing.join(router.pk, row, entries)
    turn_to(supervisor, row, Status.RUNNING)
    assert ask(row.port, "/health")[0] == 200
    queueing.leave(waiter.pk for waiter in waiters)
    assert (statuses(row), row.wanted_run) == (["starting", "running"], 1)
    assert len(row.last_starts) == 1
    assert kinds(row).count("instance.queue_joined") == kinds(row).count("instance.queue_left") == 100


def test_another_is_let_go_only_when_its_requests_have_ended(
    supervisor: Supervisor, actor: Actor, router: Router, settings
) -> None:
    """Weak point 4: what is under way is not cut, however long it takes and whatever a stop would wait."""
    settings.ALMA_INSTANCES_RUNNING = 1
    old = create(actor, "old", stop_seconds=0)
    turn_to(supervisor, old, Status.RUNNING)
    load = make_load(old, router, outstanding=2)
    new = create(actor, "newer", starts=False)
    make_waiter(new, router)
    turn_for(supervisor, 0.5, router)
    old.refresh_from_db()
    assert old.draining_since is not None
    assert (old.status, old.takes_requests, old.shown_status) == (Status.RUNNING, False, "stopping")
    assert ask(old.port, "/health")[0] == 200
    Load.objects.filter(pk=load.pk).update(outstanding=1)
    turn_for(supervisor, 0.3, router)
    assert psutil.pid_exists(old.pid or 0)
    Load.objects.filter(pk=load.pk).update(outstanding=0, ended_at=timezone.now())
    hear(router)
    turn_to(supervisor, new, Status.RUNNING)
    old.refresh_from_db()
    assert (old.status, old.draining_since, old.wanted) == (Status.STOPPED, None, Wish.STOPPED)
    assert not psutil.pid_exists(old.pid or 0)


def test_they_take_turns_and_everybody_who_waits_is_served(
    supervisor: Supervisor, actor: Actor, router: Router, settings
) -> None:
    """ABAB with room for one: who comes for a line serves that line before it makes room."""
    settings.ALMA_INSTANCES_RUNNING = 1
    rows = [create(actor, name, starts=False) for name in ("a", "b")]
    for number in range(4):
        make_waiter(rows[number % 2], router, seconds=10 - number)
    served: list[str] = []

    def serve() -> bool:
        hear(router)
        for waiter in Waiter.objects.select_related("instance"):
            if waiter.instance.takes_requests:
                served.append(waiter.instance.name)
                waiter.delete()
        return not Waiter.objects.exists()

    turn_until(supervisor, serve, what="service")
    assert served == ["a", "a", "b", "b"]


def test_idle_one_rests_and_comes_again(supervisor: Supervisor, actor: Actor, router: Router) -> None:
    row = create(actor, idle_seconds=1)
    turn_to(supervisor, row, Status.RUNNING)
    load = make_load(row, router)
    turn_for(supervisor, 1.5, router)
    row.refresh_from_db()
    assert row.takes_requests  # weak point 4: a request that takes longer than that is not cut
    Load.objects.filter(pk=load.pk).update(outstanding=0, ended_at=timezone.now())
    turn_for(supervisor, 0.5, router)
    row.refresh_from_db()
    assert row.takes_requests  # counted from its end, not from its beginning
    router.delete()
    turn_to(supervisor, row, Status.STOPPED)
    waiter = make_waiter(row)
    turn_to(supervisor, row, Status.RUNNING)
    waiter.delete()


def test_stop_waits_for_requests_as_long_as_it_may(supervisor: Supervisor, actor: Actor, router: Router) -> None:
    row = create(actor, stop_seconds=1)
    turn_to(supervisor, row, Status.RUNNING)
    make_load(row, router)
    services.stop(row, by=actor)
    began = time.monotonic()
    turn_for(supervisor, 0.6, router)
    row.refresh_from_db()
    assert (row.status, row.draining_since is not None) == (Status.RUNNING, True)
    turn_to(supervisor, row, Status.STOPPED)
    assert time.monotonic() - began >= 1


def test_stop_by_force_waits_for_nobody(supervisor: Supervisor, actor: Actor, router: Router) -> None:
    row = create(actor, stop_seconds=600)
    turn_to(supervisor, row, Status.RUNNING)
    make_load(row, router)
    services.stop(row, by=actor)
    turn_for(supervisor, 0.3, router)
    services.stop(row, by=actor, seconds=0)
    turn_to(supervisor, row, Status.STOPPED)


def test_restart_lets_requests_end(supervisor: Supervisor, actor: Actor, router: Router) -> None:
    row = create(actor)
    turn_to(supervisor, row, Status.RUNNING)
    first, load = row.pid, make_load(row, router)
    services.restart(row, by=actor)
    turn_for(supervisor, 0.4, router)
    row.refresh_from_db()
    assert (row.status, row.pid, row.shown_status) == (Status.RUNNING, first, "restarting")
    load.delete()
    hear(router)
    turn_to(supervisor, row, Status.STARTING)
    turn_to(supervisor, row, Status.RUNNING)
    assert row.takes_requests


def test_crash_loop_tells_those_who_wait_why(
    supervisor: Supervisor, actor: Actor, router: Router, settings, tmp_path: Path
) -> None:
    settings.ALMA_LLAMA_COMMAND = program(tmp_path, "echo 'error: no memory for this'; exit 3")
    row = create(actor, starts=False, max_restarts=1)
    make_waiter(row, router)
    turn_to(supervisor, row, Status.FAILED)
    assert row.has_failed
    assert row.reason == "one ended with exit code 3\nerror: no memory for this"
    turn_for(supervisor, 0.3, router)
    assert statuses(row) == ["starting", "restarting", "starting", "failed"]  # whoever waits does not start it again


def test_limit_of_processes_holds_while_one_ends(
    supervisor: Supervisor, actor: Actor, router: Router, settings
) -> None:
    """Who stops one and starts another at once has the first one's place when it is free."""
    settings.ALMA_INSTANCES_RUNNING = 1
    old, new = create(actor, "old"), create(actor, "newer", starts=False)
    turn_to(supervisor, old, Status.RUNNING)
    load = make_load(old, router)
    services.stop(old, by=actor)
    services.start(new, by=actor)
    turn_for(supervisor, 0.4, router)
    new.refresh_from_db()
    assert (new.status, new.shown_status) == (Status.STOPPED, "starting")
    load.delete()
    hear(router)
    turn_to(supervisor, new, Status.RUNNING)


def test_preloaded_one_runs_from_the_beginning(supervisor: Supervisor, actor: Actor) -> None:
    row = create(actor, starts=False, is_preloaded=True)
    supervisor.begin()
    turn_to(supervisor, row, Status.RUNNING)


def test_log_outlives_instance_and_supervisor(supervisor: Supervisor, actor: Actor) -> None:
    """Weak point 8: llamactl knows no log of what rests once it was started anew itself."""
    row = create(actor)
    turn_to(supervisor, row, Status.RUNNING)
    services.stop(row, by=actor, seconds=0)
    turn_to(supervisor, row, Status.STOPPED)
    supervisor.end_all()
    heir = Supervisor()
    heir.begin()
    assert any("model loaded" in line for line in logs.tail(row.pk))
    heir.end_all()


def test_it_looks_again_when_somebody_rings_or_something_moves(supervisor: Supervisor, actor: Actor) -> None:
    """While all is as it shall be it asks the database once a second, and not ten times."""
    row, bell = create(actor, starts=False), doorbell.Listener(doorbell.EVENTS)
    supervisor.turn()

    def paused() -> float:
        began = time.monotonic()
        supervisor.pause(bell)
        return time.monotonic() - began

    assert paused() >= 0.9
    ringing = threading.Timer(0.2, doorbell.ring, (doorbell.EVENTS, "x"))
    ringing.start()
    assert paused() < 0.8
    ringing.join()
    services.start(row, by=actor)
    turn_to(supervisor, row, Status.STARTING)
    assert paused() < 0.5
    turn_to(supervisor, row, Status.RUNNING)
    turn_until(supervisor, lambda: supervisor.keepers[row.pk].rests(), what="rest")
    supervisor.keepers[row.pk].held.signal(signal.SIGKILL)  # type: ignore[union-attr]
    assert paused() < 0.8
    bell.close()
