"""`/v1/monitoring`: what was last read, and the past of one machine within a short deadline."""

import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from tests.factories.accounts import make_key
from tests.factories.vms import GIB, make_cluster, make_guest
from tests.fixtures.sandbox import RunningSandbox
from vms import inventory, metrics, recording
from vms.models import Cluster, ClusterNode, ClusterStorage, Guest, KeptSeries
from vms.proxmox.history import read_history

pytestmark = pytest.mark.django_db
FIGURES = {
    "cpu": {"timestamp", "usage_percent"},
    "memory": {"timestamp", "usage_percent", "used_bytes", "total_bytes"},
    "disk": {"timestamp", "usage_percent", "used_bytes", "total_bytes", "read_bytes_per_second",
             "write_bytes_per_second"},
    "network": {"timestamp", "rx_mbps", "tx_mbps"},
}  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def site(cluster: Cluster) -> Client:
    key = make_key(frozenset({"vm:read"}), organization=cluster.organization)
    return Client(headers={"Authorization": f"Bearer {key[1]}"})


def path(guest: Guest, query: str = "") -> str:
    return f"/v1/monitoring/vms/vm-{guest.pk:03d}/metrics?{query}"


@pytest.fixture
def guest(cluster: Cluster) -> Guest:
    """One that runs on the sandbox."""
    inventory.refresh_all()
    return Guest.objects.select_related("cluster").machines().filter(status="running", kind="vm").order_by("vmid")[0]


@pytest.mark.parametrize(("period", "seconds"), [(period, seconds) for period, (_, seconds) in metrics.PERIODS.items()])
def test_a_period_is_told_whole_and_in_order(cluster: Cluster, guest: Guest, period: str, seconds: int) -> None:
    answer = site(cluster).get(path(guest, f"period={period}&metrics=cpu,memory,disk,network"))
    body = answer.json()
    assert answer.status_code == 200, body
    assert (body["data"]["vm_id"], body["data"]["period"]) == (f"vm-{guest.pk:03d}", period)
    for name, keys in FIGURES.items():
        points = body["data"]["metrics"][name]
        times = [point["timestamp"] for point in points]
        assert points and all(point.keys() == keys for point in points)
        assert times == sorted(set(times))
    assert any(point["usage_percent"] is not None for point in body["data"]["metrics"]["cpu"])
    assert (body["meta"]["is_stale"], body["meta"]["age_seconds"]) == (False, 0)


@pytest.mark.parametrize(("query", "names"), [("", set(FIGURES)), ("metrics=cpu", {"cpu"}), ("metrics=disk,cpu", {"cpu", "disk"})])  # fmt: skip
def test_only_what_was_asked_for(cluster: Cluster, guest: Guest, query: str, names: set[str]) -> None:
    assert site(cluster).get(path(guest, query)).json()["data"]["metrics"].keys() == names


@pytest.mark.parametrize(("query", "field"), [("period=2h", "period"), ("metrics=heat", "metrics"), ("metrics=", "metrics")])  # fmt: skip
def test_what_makes_no_sense(query: str, field: str) -> None:
    guest = make_guest(make_cluster())
    answer = site(guest.cluster).get(path(guest, query))
    assert (answer.status_code, answer.json()["error"]["details"]["field"]) == (400, field)


class Told:
    """An API that has these rows."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    def get(self, *path: str | int, **query: Any) -> Any:
        return self.rows


def test_a_gap_is_a_moment_without_figures() -> None:
    rows = [{"time": 60, "cpu": 0.5}, {"time": 120}, {"time": 300, "cpu": 0.25}]
    found = read_history(Told(rows), make_guest(make_cluster()), "hour")  # type: ignore[arg-type]
    assert [(moment, told["cpu"]) for moment, told in found] == [
        (60, 0.5), (120, None), (180, None), (240, None), (300, 0.25),
    ]  # fmt: skip
    assert found[1][1]["maxmem"] is None


def test_a_machine_that_is_off_has_gaps(cluster: Cluster, guest: Guest, fresh_sandbox: RunningSandbox) -> None:
    fresh_sandbox.wait(fresh_sandbox.proxmoxer().nodes(guest.node).qemu(guest.vmid).status.stop.post())
    points = site(cluster).get(path(guest, "period=1h")).json()["data"]["metrics"]["network"]
    assert points and all((point["rx_mbps"], point["tx_mbps"]) == (None, None) for point in points)


def test_the_last_known_figures_outlive_the_cluster(
    cluster: Cluster, guest: Guest, fresh_sandbox: RunningSandbox
) -> None:
    client = site(cluster)
    first = client.get(path(guest, "period=1h")).json()
    series = metrics.series_of(guest, "1h")
    metrics.keep(guest, "1h", metrics.Series(series.moments, timezone.now() - timedelta(minutes=3)))
    cache.clear()  # as after a restart: nothing is left in the memory of the process
    fresh_sandbox.stop()
    answer = client.get(path(guest, "period=1h"))
    body = answer.json()
    assert (answer.status_code, body["data"]) == (200, first["data"])
    assert body["meta"]["is_stale"] is True and body["meta"]["age_seconds"] >= 180


@pytest.mark.parametrize("is_known_silent", [True, False])
def test_figures_that_nobody_ever_knew(is_known_silent: bool) -> None:
    cluster = make_cluster(is_sandbox=True, unreachable_since=timezone.now() if is_known_silent else None)
    answer = site(cluster).get(path(make_guest(cluster)))
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")


def test_a_cluster_that_says_nothing_is_waited_for_no_longer_than_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metrics, "DEADLINE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        guest = make_guest(make_cluster(port=mute.getsockname()[1], is_sandbox=True))
        began = time.monotonic()
        answer = site(guest.cluster).get(path(guest))
    assert answer.status_code == 503
    assert "in time" in answer.json()["error"]["message"]
    assert time.monotonic() - began < 15  # the deadline of a call for which nobody waits is longer


def test_the_whole_system() -> None:
    cluster = make_cluster(last_read_at=timezone.now())
    now = timezone.now()
    for name, is_online in (("pve1", True), ("pve2", True), ("pve3", False)):
        ClusterNode.objects.create(
            cluster=cluster, name=name, is_online=is_online, cores=8, cpu_load=0.5, memory_bytes=16 * GIB,
            memory_used=4 * GIB, seen_at=now,
        )  # fmt: skip
        ClusterStorage.objects.create(
            cluster=cluster, node=name, name="ceph", plugin="rbd", is_shared=True, is_active=True,
            total_bytes=100 * GIB, used_bytes=25 * GIB,
        )  # fmt: skip
    ClusterStorage.objects.create(
        cluster=cluster,
        node="pve1",
        name="local",
        plugin="dir",
        is_active=True,
        total_bytes=100 * GIB,
        used_bytes=25 * GIB,
    )
    make_guest(cluster)
    make_guest(cluster, status="stopped")
    make_guest(cluster, lock="backup")
    make_guest(cluster, is_template=True)
    make_guest(make_cluster())
    body = site(cluster).get("/v1/monitoring/metrics").json()
    found = body["data"]["metrics"]
    assert found["nodes"] == {
        "total": 3, "online": 2, "cpu_cores": 16, "cpu_usage_percent": 50.0, "memory_total_bytes": 32 * GIB,
        "memory_used_bytes": 8 * GIB, "memory_usage_percent": 25.0,
    }  # fmt: skip
    assert found["vms"] == {
        "total": 3, "running": 1, "stopped": 1, "paused": 0, "other": 1, "cpu_cores": 6, "memory_bytes": 6 * GIB,
    }  # fmt: skip
    assert found["storage"] == {
        "total": 2, "total_bytes": 200 * GIB, "used_bytes": 50 * GIB, "usage_percent": 25.0,
    }  # fmt: skip
    assert found["clusters"] == {"total": 1, "unreachable": 0}
    assert found["jobs"] == {"running": 0, "queued": 0, "completed_24h": 0, "failed_24h": 0}
    assert body["meta"]["age_seconds"] >= 0


def test_the_past_of_the_whole_system() -> None:
    cluster = make_cluster(last_read_at=timezone.now())
    ClusterNode.objects.create(
        cluster=cluster, name="pve1", is_online=True, cores=8, cpu_load=0.5, memory_bytes=16 * GIB, memory_used=4 * GIB,
        seen_at=timezone.now(),
    )  # fmt: skip
    make_guest(cluster, rx_rate=125_000.0, tx_rate=250_000.0)
    recording.record()
    body = site(cluster).get("/v1/monitoring/metrics?period=24h&metrics=cpu,memory,disk,network").json()["data"]
    assert (body["period"], body["series"].keys()) == ("24h", FIGURES.keys())
    last = {name: points[-1] for name, points in body["series"].items()}
    assert (last["cpu"]["usage_percent"], last["memory"]["usage_percent"]) == (50.0, 25.0)
    assert (last["disk"]["usage_percent"], last["disk"]["total_bytes"]) == (None, 0)
    assert (last["network"]["rx_mbps"], last["network"]["tx_mbps"]) == (1.0, 2.0)
    first = {name: points[0] for name, points in body["series"].items()}
    assert {value for point in first.values() for key, value in point.items() if key != "timestamp"} == {None}
    hour = site(cluster).get("/v1/monitoring/metrics?metrics=cpu").json()["data"]
    assert (hour["period"], hour["series"].keys(), len(hour["series"]["cpu"])) == ("1h", {"cpu"}, 60)
    assert (
        site(make_cluster()).get("/v1/monitoring/metrics").json()["data"]["series"]["cpu"][-1]["usage_percent"] is None
    )


@pytest.mark.parametrize(("query", "field"), [("period=2h", "period"), ("metrics=heat", "metrics")])
def test_what_makes_no_sense_of_the_system(query: str, field: str) -> None:
    answer = site(make_cluster()).get(f"/v1/monitoring/metrics?{query}")
    assert (answer.status_code, answer.json()["error"]["details"]["field"]) == (400, field)


def test_what_was_told_is_written_down_once_a_minute(cluster: Cluster, guest: Guest) -> None:
    metrics.series_of(guest, "1h")
    kept = KeptSeries.objects.get()
    cache.clear()
    metrics.series_of(guest, "1h")
    assert KeptSeries.objects.get().read_at == kept.read_at
    KeptSeries.objects.update(read_at=kept.read_at - timedelta(minutes=2))
    cache.clear()
    series = metrics.series_of(guest, "1h")
    assert (KeptSeries.objects.get().read_at, series.is_stale) == (series.read_at, False)


def test_a_system_of_which_nothing_is_known() -> None:
    found = site(make_cluster()).get("/v1/monitoring/metrics").json()["data"]["metrics"]
    assert (found["nodes"]["cpu_usage_percent"], found["storage"]["usage_percent"], found["vms"]["total"]) == (
        None,
        None,
        0,
    )
