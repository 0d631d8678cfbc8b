"""The queue: first in, first out, once each, woken at commit, and its processes end with their parents."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import OrmQ
from django_q.tasks import async_task

from alma.events import doorbell
from alma.jobs import broker as brokers
from alma.jobs.broker import DoorbellBroker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[DoorbellBroker]:
    monkeypatch.setattr(brokers, "IDLE_POLL", 0.2)
    broker = DoorbellBroker("alma")
    yield broker
    if broker._listener:
        broker._listener.close()


def test_the_settings_name_this_broker() -> None:
    assert type(get_broker()) is DoorbellBroker


def test_tasks_come_in_the_order_in_which_they_were_written(broker: DoorbellBroker) -> None:
    for number in range(5):
        broker.enqueue(f"task {number}")
    taken = [task for _ in range(5) for _, task in broker.dequeue() or []]
    assert taken == [f"task {number}" for number in range(5)]
    assert broker.dequeue() is None


def test_what_is_urgent_comes_first_and_in_its_order(broker: DoorbellBroker) -> None:
    for number in range(2):
        broker.enqueue(f"task {number}")
        DoorbellBroker.urgent().enqueue(f"urgent {number}")
    taken = [task for _ in range(4) for _, task in broker.dequeue() or []]
    assert taken == ["urgent 0", "urgent 1", "task 0", "task 1"]


def test_the_oldest_that_waits_is_known_by_its_time(broker: DoorbellBroker) -> None:
    assert brokers.oldest_waiting() is None
    DoorbellBroker.urgent().enqueue("urgent")
    assert brokers.oldest_waiting() is None
    assert brokers.oldest_waiting(is_urgent=True) is not None
    before = timezone.now() - timedelta(seconds=1)
    broker.enqueue("first")
    OrmQ.objects.filter(payload="first").update(lock=F("lock") - timedelta(seconds=30))
    broker.enqueue("second")
    assert (brokers.oldest_waiting() or before) < before
    broker.dequeue()  # the urgent one
    assert brokers.oldest_waiting(is_urgent=True) is None
    broker.dequeue()
    assert (brokers.oldest_waiting() or before) > before


def test_a_task_is_offered_again_only_after_its_time(broker: DoorbellBroker) -> None:
    pk = broker.enqueue("task")
    assert broker.dequeue() == [(pk, "task")]
    assert broker.dequeue() is None
    OrmQ.objects.update(lock=timezone.now() - timedelta(seconds=1))
    assert broker.dequeue() == [(pk, "task")]
    broker.acknowledge(pk)
    assert not OrmQ.objects.exists()


def test_other_queues_are_left_alone(broker: DoorbellBroker) -> None:
    DoorbellBroker("another").enqueue("theirs")
    assert broker.dequeue() is None


def test_a_producer_whose_clock_is_ahead_does_not_hold_a_task_back(
    broker: DoorbellBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = timezone.now() + timedelta(hours=3)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(brokers.timezone, "now", lambda: ahead)
        broker.enqueue("task")
    assert broker.dequeue()


def test_a_task_of_a_transaction_that_failed_was_never_there(broker: DoorbellBroker) -> None:
    listener = doorbell.Listener(doorbell.QUEUE)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        broker.enqueue("task")
        raise ZeroDivisionError
    assert not listener.wait(0.1)
    assert broker.dequeue() is None
    with transaction.atomic():
        async_task("alma.jobs.tasks.advance", 0)
        assert not listener.wait(0.1)  # not before the commit
    assert listener.wait(1)
    listener.close()


def test_a_waiting_worker_is_woken_by_the_commit(broker: DoorbellBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brokers, "IDLE_POLL", 20.0)
    taken: list[object] = []

    def work() -> None:
        broker.dequeue()  # waits
        taken.append(broker.dequeue())
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.2)
    started = time.monotonic()
    DoorbellBroker("alma").enqueue("task")
    thread.join(10)
    assert time.monotonic() - started < 2
    assert taken
    assert taken[0]


def test_many_workers_take_each_task_once() -> None:
    with transaction.atomic():
        for number in range(60):
            DoorbellBroker("alma").enqueue(f"task {number}")

    def take_all(_: int) -> list[int]:
        broker, taken = DoorbellBroker("alma"), []
        while claimed := broker._claim():
            taken += [pk for pk, _ in claimed]
        connections.close_all()
        return taken

    with ThreadPoolExecutor(6) as threads:
        taken = [pk for part in threads.map(take_all, range(6)) for pk in part]
    assert len(taken) == 60
    assert len(set(taken)) == 60


def test_an_idle_look_is_one_read_on_the_connection_that_is_there(broker: DoorbellBroker) -> None:
    broker.dequeue()
    before = connection.connection
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert broker.dequeue() is None
    assert len(queries) == 1
    assert connection.connection is before


def test_a_database_that_is_away_does_not_end_the_worker(
    broker: DoorbellBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(brokers, "PAUSE_AFTER_FAILURE", 0.0)

    def away() -> None:
        raise OperationalError("away")

    with monkeypatch.context() as outage:
        outage.setattr(broker, "_claim", away)
        assert broker.dequeue() is None
    broker.enqueue("task")
    assert broker.dequeue()


@pytest.mark.processes
def test_a_pusher_ends_with_its_parent() -> None:
    """A parent that is killed leaves no process behind that goes on taking tasks."""
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    queue = fork.SimpleQueue()

    def push() -> None:
        broker = DoorbellBroker("alma")
        queue.put(os.getpid())
        while True:
            broker.dequeue()

    def parent() -> None:
        fork.Process(target=push).start()
        signal.pause()

    process = fork.Process(target=parent)
    process.start()
    pusher = queue.get()
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    deadline = time.monotonic() + 10
    while _is_alive(pusher):
        assert time.monotonic() < deadline, "the pusher lives on"
        time.sleep(0.05)


def _is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
