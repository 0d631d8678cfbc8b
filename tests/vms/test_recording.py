"""How busy clusters are is written down each minute, averaged, kept for a while, and told with its gaps."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from alma.accounts.actors import Actor
from alma.accounts.scopes import SERVICE
from tests.factories.vms import GIB, make_cluster, make_guest
from vms import past, recording
from vms.models import Cluster, ClusterMoment, ClusterNode, ClusterStorage, KeptSeries
from vms.recording import HOUR, MINUTE, QUARTER

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 21, 12, 0, 5, tzinfo=UTC)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the clock."""

    def set_clock(moment: datetime) -> datetime:
        monkeypatch.setattr(timezone, "now", lambda: moment)
        return moment

    return set_clock


def busy(cluster: Cluster, load: float, now: datetime) -> None:
    """The cluster was read now, with two nodes that are busy and one that is off."""
    Cluster.objects.filter(pk=cluster.pk).update(last_read_at=now)
    for name, is_online in (("pve1", True), ("pve2", True), ("pve3", False)):
        ClusterNode.objects.update_or_create(
            cluster=cluster, name=name, defaults={
                "is_online": is_online, "cores": 8, "cpu_load": load, "memory_bytes": 16 * GIB, "memory_used": 4 * GIB,
                "seen_at": now,
            },
        )  # fmt: skip


def as_actor(cluster: Cluster) -> Actor:
    return Actor(cluster.organization_id, "ana", SERVICE)


def test_a_minute_is_written_once_by_however_many_copies(at: Any) -> None:
    cluster = make_cluster()
    busy(cluster, 0.5, at(NOON))
    for name in ("pve1", "pve2"):
        ClusterStorage.objects.create(
            cluster=cluster,
            node=name,
            name="ceph",
            plugin="rbd",
            is_shared=True,
            is_active=True,
            total_bytes=100,
            used_bytes=25,
        )
    make_guest(cluster, rx_rate=1000.0, tx_rate=10.0)
    make_guest(cluster, rx_rate=500.0, tx_rate=None)
    recording.record()
    recording.record()
    row = ClusterMoment.objects.get(step=MINUTE)
    assert (row.at, row.cores, row.cpu_load) == (NOON.replace(second=0), 16, 8.0)
    assert (row.memory_bytes, row.memory_used) == (32 * GIB, 8 * GIB)
    assert (row.storage_bytes, row.storage_used, row.rx_rate, row.tx_rate) == (100, 25, 1500.0, 10.0)


def test_averages_follow_the_minutes(at: Any) -> None:
    cluster = make_cluster()
    for minute, load in ((0, 0.2), (1, 0.4), (20, 0.9)):
        busy(cluster, load, at(NOON + timedelta(minutes=minute)))
        recording.record()
    quarters = ClusterMoment.objects.filter(step=QUARTER).order_by("at")
    assert [(row.at.minute, pytest.approx(row.cpu_load)) for row in quarters] == [(0, 4.8), (15, 14.4)]
    hour = ClusterMoment.objects.get(step=HOUR)
    assert (hour.at.minute, pytest.approx(hour.cpu_load)) == (0, 8.0)


@pytest.mark.parametrize("why", ["silent", "off", "old"])
def test_a_cluster_that_was_not_read_has_a_gap(at: Any, why: str) -> None:
    now = at(NOON)
    cluster = make_cluster(is_enabled=why != "off")
    busy(cluster, 0.5, now)
    changes = {"silent": {"unreachable_since": now}, "off": {}, "old": {"last_read_at": now - timedelta(minutes=2)}}
    Cluster.objects.filter(pk=cluster.pk).update(**changes[why])
    recording.record()
    assert not ClusterMoment.objects.exists()


def test_the_past_has_no_holes_and_no_guesses(at: Any) -> None:
    cluster, other = make_cluster(), make_cluster()
    twin = make_cluster(organization=cluster.organization)
    for minute in (0, 3):
        for one, load in ((cluster, 0.5), (twin, 0.1), (other, 1.0)):
            busy(one, load, at(NOON + timedelta(minutes=minute)))
        recording.record()
    told = past.system_past(as_actor(cluster), "1h")
    assert len(told) == 60
    assert [(one.at.minute, one.told["cpu_load"], one.told["cores"]) for one in told[-4:]] == [
        (0, pytest.approx(9.6), 32), (1, None, None), (2, None, None), (3, pytest.approx(9.6), 32),
    ]  # fmt: skip
    assert all(one.told == past.GAP for one in told[:-4])


def test_the_present_moment_is_no_gap_before_it_was_written(at: Any) -> None:
    cluster = make_cluster()
    busy(cluster, 0.5, at(NOON))
    recording.record()
    at(NOON + timedelta(minutes=1))
    told = past.system_past(as_actor(cluster), "1h")
    assert (told[-1].at, told[-1].told["cores"], len(told)) == (NOON.replace(second=0), 16, 59)


@pytest.mark.parametrize(("period", "count"), [("1h", 60), ("24h", 96), ("7d", 168), ("30d", 720)])
def test_a_period_is_bounded_and_one_query(
    at: Any, period: str, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    cluster = make_cluster()
    busy(cluster, 0.5, at(NOON))
    recording.record()
    with django_assert_num_queries(1):
        told = past.system_past(as_actor(cluster), period)
    assert len(told) == count
    assert {(later.at - earlier.at).total_seconds() for earlier, later in zip(told, told[1:], strict=False)} == {
        past.SPANS[period][0]
    }


def test_what_is_old_is_forgotten(at: Any) -> None:
    cluster, now = make_cluster(), at(NOON)
    guest = make_guest(cluster)
    values = dict.fromkeys(recording.FIGURES, 1.0)
    for step, kept in recording.KEPT.items():
        for age in (kept - timedelta(minutes=1), kept + timedelta(minutes=1)):
            ClusterMoment.objects.create(cluster=cluster, step=step, at=now - age, **values)
    for period, age in (("1h", timedelta(days=6)), ("24h", timedelta(days=8))):
        KeptSeries.objects.create(guest=guest, period=period, read_at=now - age)
    recording.record()
    assert sorted(ClusterMoment.objects.values_list("step", flat=True)) == [MINUTE, QUARTER, HOUR]
    assert KeptSeries.objects.get().period == "1h"
    longest = {step: timedelta(seconds=step * count) for step, count in past.SPANS.values()}
    assert all(recording.KEPT[step] > longest[step] for step in longest), "what can be asked for is still there"
