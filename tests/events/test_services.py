"""Writing to the log: no gaps, no duplicates, in the order of commits, together with what is told."""

from collections import Counter

import pytest
from django.db import transaction

from alma.events import doorbell
from alma.events.models import Event, Stream
from alma.events.services import emit
from tests.concurrency import together
from tests.factories.accounts import make_actor, make_organization

pytestmark = pytest.mark.django_db(transaction=True)


def seqs(stream: str) -> list[int]:
    return list(Event.objects.of(stream).values_list("seq", flat=True))


def test_an_event_says_who_what_and_when() -> None:
    event = emit("ipr:1", "ipr.approved", organization_id=make_organization().pk, actor="jane", was="pending")
    event.refresh_from_db()
    assert (event.stream.name, event.seq, event.kind, event.actor) == ("ipr:1", 1, "ipr.approved", "jane")
    assert event.data == {"was": "pending"}
    assert event.stream.touched_at == event.at


def test_streams_count_for_themselves() -> None:
    organization_id = make_organization().pk
    for stream in ("ipr:1", "ipr:2", "ipr:1", "ipr:1"):
        emit(stream, "ipr.seen", organization_id=organization_id)
    assert (seqs("ipr:1"), seqs("ipr:2")) == ([1, 2, 3], [1])


def test_what_is_rolled_back_leaves_no_gap_and_rings_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    rings: list[str] = []
    monkeypatch.setattr(doorbell, "ring", lambda topic, payload="": rings.append(payload))
    organization_id = make_organization().pk
    emit("ipr:1", "ipr.seen", organization_id=organization_id)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        emit("ipr:1", "ipr.seen", organization_id=organization_id)
        raise ZeroDivisionError
    with transaction.atomic():
        emit("ipr:1", "ipr.seen", organization_id=organization_id)
        assert rings == ["ipr:1#1"]
    assert seqs("ipr:1") == [1, 2]
    assert rings == ["ipr:1#1", "ipr:1#2"]


@pytest.mark.parametrize("streams", [1, 3])
def test_eight_writers_at_once_leave_no_gap(streams: int) -> None:
    organization_id = make_organization().pk
    each = 25

    def write(writer: int) -> None:
        for number in range(each):
            with transaction.atomic():
                emit(f"run:{number % streams}", "tick", organization_id=organization_id, writer=writer, number=number)

    together(8, write)
    assert Event.objects.count() == 8 * each
    for stream in range(streams):
        found = seqs(f"run:{stream}")
        assert found == list(range(1, len(found) + 1))
        assert Stream.objects.get(name=f"run:{stream}").last_seq == len(found)
        for writer in range(8):
            own = Event.objects.of(f"run:{stream}").filter(data__writer=writer)
            numbers = [event.data["number"] for event in own]
            assert numbers == sorted(numbers)


def test_writers_that_fail_leave_no_gap() -> None:
    organization_id = make_organization().pk

    def write(writer: int) -> None:
        for number in range(20):
            try:
                with transaction.atomic():
                    emit("run:1", "tick", organization_id=organization_id, writer=writer)
                    if number % 3 == 0:
                        raise ZeroDivisionError
            except ZeroDivisionError:
                continue

    together(8, write)
    assert seqs("run:1") == list(range(1, 8 * 13 + 1))
    assert Counter(Event.objects.values_list("data__writer", flat=True)) == dict.fromkeys(range(8), 13)


def test_visible_to_the_organization_of_the_stream_alone() -> None:
    event = emit("ipr:1", "ipr.seen", organization_id=make_organization().pk)
    other = make_actor(organization=make_organization("other"))
    assert list(Event.objects.visible_to(make_actor())) == [event]
    assert not Event.objects.visible_to(other).exists()
    assert not Event.objects.visible_to(make_actor(role=None)).exists()
    assert not Stream.objects.visible_to(other).exists()


def test_a_stream_stays_with_its_organization() -> None:
    emit("ipr:1", "ipr.seen", organization_id=make_organization().pk)
    emit("ipr:1", "ipr.seen", organization_id=make_organization("other").pk)
    assert Stream.objects.get().organization == make_organization()
