"""Live events: in order, without gap or repetition, whatever is lost or slow on the way."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from alma.accounts.models import Organization
from alma.events import consumers, doorbell, reading
from alma.events import hub as hubs
from alma.events.feeds import KEPT_ROWS, Feed
from alma.events.hub import Hub
from alma.events.models import Event, Stream
from alma.events.reading import EventRow, Head
from alma.events.subscribers import RowSubscriber
from tests.events.site import RENDERED, RunsConsumer, opened, seqs, settled, write_soon
from tests.factories.accounts import make_organization
from tests.plans import plan_of

pytestmark = pytest.mark.django_db(transaction=True)


async def test_an_event_arrives_without_being_asked_for(hub: Hub, organization: Organization) -> None:
    socket = await opened()
    await write_soon("run:a", organization.pk, kind="began", percent=3)
    frame = await socket.receive_json_from(2)
    assert frame == {"stream": "run:a", "seq": 1, "kind": "began", "percent": 3}
    await socket.disconnect()


async def test_what_happened_before_is_not_told_unasked(hub: Hub, organization: Organization) -> None:
    await write_soon("run:a", organization.pk, 3)
    socket = await opened()
    await write_soon("run:a", organization.pk)
    assert await seqs(socket, 1) == [4]
    await socket.disconnect()


async def test_of_streams_that_had_been_still_only_what_is_new_is_told(hub: Hub, organization: Organization) -> None:
    """Their heads are not read beforehand: a socket costs as much in an old installation as in a new one."""
    await write_soon("run:old", organization.pk, 3)
    await write_soon("run:recent", organization.pk, 2)
    long_ago = timezone.now() - timedelta(hours=1)
    await Event.objects.filter(stream__name="run:old").aupdate(at=long_ago)
    await Stream.objects.filter(name="run:old").aupdate(touched_at=long_ago)
    socket = await opened()
    await settled(socket)
    assert set(hub.feeds) == {"run:recent"}
    for stream in ("run:old", "run:recent", "run:new"):
        await write_soon(stream, organization.pk)
    frames = [await socket.receive_json_from(5) for _ in range(3)]
    assert sorted((frame["stream"], frame["seq"]) for frame in frames) == [
        ("run:new", 1),
        ("run:old", 4),
        ("run:recent", 3),
    ]
    assert await socket.receive_nothing(0.1)
    await socket.disconnect()


def test_a_watch_reads_what_moves_however_much_there_is(organization: Organization) -> None:
    now = timezone.now()
    Stream.objects.bulk_create(Stream(name=f"run:{number}", organization=organization) for number in range(3_000))
    Stream.objects.update(touched_at=now - timedelta(days=1))
    foreign = make_organization("foreign")
    for name, owner in (("run:moving", organization), ("job:moving", organization), ("run:foreign", foreign)):
        Stream.objects.create(name=name, organization=owner, last_seq=1)
    found: list[Head] = []
    plan = plan_of(lambda: found.extend(reading.heads_in(organization.pk, "run:", now - timedelta(minutes=2))))
    assert [head.name for head in found] == ["run:moving"]
    assert "events_stream_touched_at" in plan


@pytest.mark.parametrize(
    ("last_seq", "expected"), [(None, [1, 2, 3, 4, 5]), (0, [1, 2, 3, 4, 5]), (3, [4, 5]), (4, [5])]
)
async def test_a_subscription_resumes_exactly(
    hub: Hub, organization: Organization, last_seq: int | None, expected: list[int]
) -> None:
    await write_soon("run:a", organization.pk, 4)
    socket = await opened()
    await socket.send_json_to(
        {"action": "subscribe", "run": "a", **({} if last_seq is None else {"last_seq": last_seq})}
    )
    assert await seqs(socket, len(expected) - 1) == expected[:-1]
    await write_soon("run:a", organization.pk)
    assert await seqs(socket, 1) == expected[-1:]
    assert await socket.receive_nothing(0.1)
    await socket.disconnect()


async def test_subscribing_does_not_repeat_what_came_unasked(hub: Hub, organization: Organization) -> None:
    socket = await opened()
    await write_soon("run:a", organization.pk, 2)
    assert await seqs(socket, 2) == [1, 2]
    await socket.send_json_to({"action": "subscribe", "run": "a"})
    await write_soon("run:a", organization.pk)
    assert await seqs(socket, 1) == [3]
    await socket.disconnect()


async def test_who_subscribes_at_once_gets_nothing_unasked(hub: Hub, organization: Organization) -> None:
    """Or a client that resumes would see the newest event before those that it missed."""
    await write_soon("run:a", organization.pk, 4)
    socket = await opened()
    await write_soon("run:a", organization.pk)
    await write_soon("run:b", organization.pk)
    await socket.send_json_to({"action": "subscribe", "run": "a", "last_seq": 2})
    assert await seqs(socket, 3) == [3, 4, 5]
    assert await socket.receive_nothing(0.6)
    await socket.disconnect()


async def test_a_subscription_narrows(hub: Hub, organization: Organization) -> None:
    socket = await opened()
    await socket.send_json_to({"action": "subscribe", "run": "a"})
    await settled(socket)
    await write_soon("run:a", organization.pk)
    assert await seqs(socket, 1) == [1]
    await write_soon("run:b", organization.pk, 5)
    await write_soon("run:a", organization.pk)
    frame = await socket.receive_json_from(2)
    assert (frame["stream"], frame["seq"]) == ("run:a", 2)
    await socket.disconnect()


async def test_a_run_may_be_followed_before_its_first_event(hub: Hub, organization: Organization) -> None:
    socket = await opened()
    await socket.send_json_to({"action": "subscribe", "run": "later"})
    await settled(socket)
    await write_soon("run:later", organization.pk, 3)
    assert await seqs(socket, 3) == [1, 2, 3]
    await socket.disconnect()


async def test_unsubscribing_ends_it(hub: Hub, organization: Organization) -> None:
    socket = await opened()
    for run in ("a", "b"):
        await socket.send_json_to({"action": "subscribe", "run": run})
    await socket.send_json_to({"action": "unsubscribe", "run": "a"})
    await settled(socket)
    await write_soon("run:a", organization.pk, 2)
    await write_soon("run:b", organization.pk)
    assert (await socket.receive_json_from(2))["stream"] == "run:b"
    assert await socket.receive_nothing(0.1)
    await socket.disconnect()


async def test_rows_without_words_leave_no_gap_behind_them(hub: Hub, organization: Organization) -> None:
    socket = await opened()
    await write_soon("run:a", organization.pk)
    await write_soon("run:a", organization.pk, kind="secret")
    await write_soon("run:a", organization.pk)
    assert await seqs(socket, 2) == [1, 3]
    await socket.disconnect()


async def test_a_row_that_cannot_be_worded_is_logged_and_passed_over(
    hub: Hub, organization: Organization, caplog: pytest.LogCaptureFixture
) -> None:
    socket = await opened()
    for kind in ("tick", "unspeakable", "tick"):
        await write_soon("run:a", organization.pk, kind=kind)
    assert await seqs(socket, 2) == [1, 3]
    assert [record.getMessage() for record in caplog.records] == ["event run:a#2 cannot be worded"]
    await socket.disconnect()


async def test_a_long_story_comes_whole_and_in_order(hub: Hub, organization: Organization) -> None:
    count = KEPT_ROWS + 300
    stream = await sync_to_async(Stream.objects.create)(name="run:long", organization=organization, last_seq=count)
    rows = [Event(stream=stream, seq=seq, kind="tick", at=stream.touched_at) for seq in range(1, count + 1)]
    await sync_to_async(Event.objects.bulk_create)(rows)
    socket = await opened()
    await socket.send_json_to({"action": "subscribe", "run": "long"})
    assert await seqs(socket, count) == list(range(1, count + 1))
    await socket.disconnect()


async def test_rows_that_were_pruned_do_not_hold_up_the_rest(hub: Hub, organization: Organization) -> None:
    await write_soon("run:a", organization.pk, 5)
    await sync_to_async(Event.objects.filter(seq__lte=3).delete)()
    socket = await opened()
    await socket.send_json_to({"action": "subscribe", "run": "a", "last_seq": 1})
    assert await seqs(socket, 2) == [4, 5]
    await write_soon("run:a", organization.pk)
    assert await seqs(socket, 1) == [6]
    await socket.disconnect()


async def test_another_organization_hears_nothing(hub: Hub, organization: Organization) -> None:
    other = await sync_to_async(make_organization)("other")
    socket = await opened()
    await socket.send_json_to({"action": "subscribe", "run": "theirs"})  # does not exist yet
    await settled(socket)
    await write_soon("run:theirs", other.pk, 3)
    await write_soon("run:more", other.pk, 3)
    assert await socket.receive_nothing(0.3)
    await socket.disconnect()


async def test_a_lost_ring_delays_and_loses_nothing(
    hub: Hub, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "POLL", 0.3)
    socket = await opened()
    await socket.send_json_to({"action": "subscribe", "run": "a"})
    await settled(socket)
    monkeypatch.setattr(doorbell, "ring", lambda *_: None)
    await write_soon("run:a", organization.pk, 3)
    assert await seqs(socket, 3) == [1, 2, 3]
    await socket.disconnect()


async def test_the_next_ring_brings_what_a_lost_one_would_have(
    hub: Hub, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "POLL", 60.0)
    socket = await opened()
    await asyncio.sleep(0.1)
    with monkeypatch.context() as silent:
        silent.setattr(doorbell, "ring", lambda *_: None)
        await write_soon("run:a", organization.pk)
    await write_soon("run:b", organization.pk)
    frames = [await socket.receive_json_from(2) for _ in range(2)]
    assert {frame["stream"] for frame in frames} == {"run:a", "run:b"}
    await socket.disconnect()


async def test_each_row_is_worded_once_for_all_sockets(hub: Hub, organization: Organization) -> None:
    sockets = [await opened() for _ in range(12)]
    await write_soon("run:a", organization.pk, 5)
    for socket in sockets:
        assert await seqs(socket, 5) == [1, 2, 3, 4, 5]
        await socket.disconnect()
    assert set(RENDERED.values()) == {1}


async def test_200_sockets_resume_without_gap_while_writers_write(
    hub: Hub, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writers in threads of their own, clients that go away and come back at random with what they saw last."""
    monkeypatch.setattr(consumers, "GRACE_SECONDS", 60.0)  # nothing unasked, however long a busy machine takes to hear
    runs, events = 4, 60
    dice = random.Random(7)
    seen: list[list[int]] = [[] for _ in range(200)]

    async def client(number: int) -> None:
        got = seen[number]
        while len(got) < events:
            socket = await opened()
            await socket.send_json_to({"action": "subscribe", "run": str(number % runs), "last_seq": len(got)})
            for _ in range(min(events - len(got), dice.randint(1, events))):
                got.append((await socket.receive_json_from(20))["seq"])
            await socket.disconnect()

    writers = [write_soon(f"run:{run}", organization.pk, events) for run in range(runs)]
    await asyncio.gather(*writers, *(client(number) for number in range(200)))
    assert [got for got in seen if got != list(range(1, events + 1))] == []
    assert not hub.subscribers


async def test_a_slow_client_keeps_nothing_waiting_but_its_cursor(hub: Hub, organization: Organization) -> None:
    """A socket that takes nothing for a while gets all of it afterwards, in order."""
    taken: list[dict[str, Any]] = []
    may_go_on = asyncio.Event()

    async def send(frame: dict[str, Any]) -> None:
        await may_go_on.wait()
        taken.append(frame)

    subscriber = RowSubscriber(hub, organization.pk, send, RunsConsumer.render)
    hub.join(subscriber)
    await hub.follow(subscriber, "run:a", 0)
    pump = asyncio.create_task(subscriber.pump())
    quick = await opened()
    await write_soon("run:a", organization.pk, 50)
    assert await seqs(quick, 50) == list(range(1, 51))  # the slow one delays nobody
    assert taken == []
    may_go_on.set()
    await asyncio.wait_for(_filled(taken, 50), 5)
    assert [f'"seq": {number}' in frame["text"] for number, frame in enumerate(taken, 1)] == [True] * 50
    pump.cancel()
    hub.leave(subscriber)
    await quick.disconnect()


async def _filled(frames: list[Any], count: int) -> None:
    while len(frames) < count:
        await asyncio.sleep(0.01)


async def test_a_hub_without_listeners_starts_anew(hub: Hub, organization: Organization) -> None:
    first = await opened()
    await write_soon("run:a", organization.pk, 2)
    assert await seqs(first, 2) == [1, 2]
    await first.disconnect()
    assert not hub.subscribers
    await write_soon("run:a", organization.pk, 3)
    second = await opened()
    await write_soon("run:a", organization.pk)
    assert await seqs(second, 1) == [6]
    await second.disconnect()


def test_kept_rows_are_given_only_when_they_are_complete() -> None:
    feed = Feed("run:a")
    rows = [_row(seq) for seq in range(4, 8)]
    feed.advance(_head(7), rows)
    assert [row.seq for row in feed.recent_after(5) or []] == [6, 7]
    assert [row.seq for row in feed.recent_after(3) or []] == [4, 5, 6, 7]
    assert feed.recent_after(2) is None
    feed.advance(_head(9), None)  # nobody wanted rows 8 and 9
    assert feed.recent_after(7) is None
    feed.advance(_head(10), [_row(10)])
    assert [row.seq for row in feed.recent_after(9) or []] == [10]
    assert feed.recent_after(8) is None


def _row(seq: int) -> EventRow:
    return EventRow("run:a", 1, seq, "tick", {}, "", datetime.now(UTC))


def _head(seq: int) -> Head:
    return Head(1, "run:a", 1, seq)
