"""A cluster that is away, in each of the ways in which one can be: reads tell what was last known and how old that is, writes are
refused at once in the family's own words, and nothing waits longer than its deadline."""

import socket
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from alma.accounts.models import Environment
from alma.jobs import engine
from alma.jobs.models import Job
from tests.factories.accounts import make_environment, make_key
from tests.factories.vms import make_claim, make_cluster, make_guest
from tests.vms.proxmox.conftest import Impostor
from vms import details, inventory, metrics, networks
from vms.machines import public_id
from vms.models import (
    Cluster,
    ClusterNetwork,
    ClusterNode,
    ClusterStorage,
    Guest,
    GuestDetails,
    GuestSnapshot,
    KeptSeries,
)
from vms.operations import reaching
from vms.proxmox.client import disconnect

pytestmark = pytest.mark.django_db
OLD = timedelta(minutes=5)


def refuses(folder: Path) -> Iterator[tuple[int, str]]:
    """Nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    yield port, ""


def black_hole(folder: Path) -> Iterator[tuple[int, str]]:
    """Connections are taken, and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1], ""


def drips(folder: Path) -> Iterator[tuple[int, str]]:
    """An answer that comes byte by byte, and never to its end."""
    impostor = Impostor(folder)
    impostor.pieces = [b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n", *[b" "] * 90_000]
    impostor.pause = 0.05
    yield impostor.port, impostor.ca_pem
    impostor.close()


@pytest.fixture(params=[refuses, black_hole, drips], ids=["refuses", "black-hole", "drips"])
def cluster(request: pytest.FixtureRequest, tmp_path: Path, settings: Settings) -> Iterator[Cluster]:
    """One that was read five minutes ago, and is away since."""
    settings.ALMA_CLUSTER_CONNECT_SECONDS, settings.ALMA_CLUSTER_TOTAL_SECONDS = 0.5, 1.0
    cache.clear()
    ways: Iterator[tuple[int, str]] = request.param(tmp_path)
    port, ca_pem = next(ways)
    yield make_cluster(port=port, ca_pem=ca_pem, is_sandbox=True, last_read_at=timezone.now() - OLD)
    disconnect()
    cache.clear()
    next(ways, None)


@pytest.fixture
def environment(cluster: Cluster) -> Environment:
    return make_environment(organization=cluster.organization)


@pytest.fixture
def machine(cluster: Cluster, environment: Environment) -> Guest:
    """A machine of ours, and all that was known around it."""
    then = timezone.now() - OLD
    claim = make_claim(cluster, owner=f"env:{environment.pk}/direct", state="live")
    guest = make_guest(cluster, vmid=claim.vmid, claim=claim, environment=environment, seen_at=then)
    GuestDetails.objects.create(guest=guest, os_type="debian-12", snapshots_read_at=then, read_at=then)
    GuestSnapshot.objects.create(guest=guest, name="before", taken_at=then)
    make_guest(cluster, name="debian-12", is_template=True)
    ClusterNode.objects.create(cluster=cluster, name="pve1", is_online=True, cores=8, seen_at=then)
    ClusterNetwork.objects.create(
        cluster=cluster, node="pve1", bridge="vmbr0", name="vmbr0", kind="bridge", seen_at=then
    )
    ClusterStorage.objects.create(cluster=cluster, node="pve1", name="local", plugin="dir", is_active=True)
    return guest


@pytest.fixture
def site(cluster: Cluster) -> Client:
    return Client(headers={"Authorization": f"Bearer {make_key(organization=cluster.organization)[1]}"})


@pytest.fixture
def noticed(cluster: Cluster, machine: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reconciler's chores have found the cluster silent, and each of them came to its end."""
    monkeypatch.setattr(inventory, "SECOND_LOOK", 0.0)
    inventory.refresh_all()
    details.read_due()
    networks.read_due()
    cluster.refresh_from_db()
    assert cluster.unreachable_since is not None and cluster.last_error


READS: dict[str, Callable[[Any], Any]] = {
    "/v1/vms": lambda data: data["vms"],
    "/v1/vms/{vm}": lambda data: [data["vm"]],
    "/v1/vms/{vm}/snapshots": lambda data: data["snapshots"],
    "/v1/networks": lambda data: data["networks"],
    "/v1/storage": lambda data: data["storage"],
    "/v1/monitoring/metrics": lambda data: data["series"]["cpu"],
}


@pytest.mark.usefixtures("noticed")
def test_reads_tell_what_was_known_and_how_old_it_is(site: Client, machine: Guest) -> None:
    for path, rows in READS.items():
        answer = site.get(path.format(vm=public_id(machine)))
        body = answer.json()
        assert (answer.status_code, body["success"]) == (200, True), path
        assert rows(body["data"]), path
        assert body["meta"]["age_seconds"] >= OLD.total_seconds(), path
        assert body["meta"]["unreachable_clusters"] == [machine.cluster.slug], path
    (row,) = site.get("/v1/vms").json()["data"]["vms"]
    assert (row["status"], row["last_status"], row["os_type"]) == ("unknown", "running", "debian-12")


WRITES = {
    "start": ("post", "/v1/vms/{vm}/start", None),
    "stop": ("post", "/v1/vms/{vm}/stop", {"graceful": True, "timeout_seconds": 300}),
    "restart": ("post", "/v1/vms/{vm}/restart", None),
    "change": ("put", "/v1/vms/{vm}", {"description": "New words"}),
    "delete": ("delete", "/v1/vms/{vm}", None),
    "snapshot": ("post", "/v1/vms/{vm}/snapshots", {"name": "another"}),
    "restore": ("post", "/v1/vms/{vm}/snapshots/{snapshot}/restore", None),
    "drop": ("delete", "/v1/vms/{vm}/snapshots/{snapshot}", None),
    "clone": ("post", "/v1/vms/{vm}/clone", {"name": "copy"}),
    "migrate": ("post", "/v1/vms/{vm}/migrate", {"target_node": "pve2"}),
    "console": ("post", "/v1/vms/{vm}/console", None),
    "create": ("post", "/v1/vms", {"name": "new", "template": "debian-12"}),
}


@pytest.mark.usefixtures("noticed")
def test_writes_are_refused_at_once_in_the_words_of_the_family(site: Client, machine: Guest) -> None:
    ids = {"vm": public_id(machine), "snapshot": f"snap-{machine.snapshots.get().pk:03d}"}
    for name, (method, path, body) in WRITES.items():
        answer = getattr(site, method)(path.format(**ids), body, content_type="application/json")
        told = answer.json()
        assert (answer.status_code, told["success"]) == (503, False), (name, told)
        assert told["error"]["code"] == "SERVICE_UNAVAILABLE", name
        assert told["error"]["details"]["reason"] == "cluster_unreachable", name
        assert told["meta"].keys() >= {"request_id", "timestamp"}, name
    assert not Job.objects.exists()


@pytest.fixture
def asks_first(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """As installations do, and tests of rows do not."""
    settings.ALMA_CLUSTER_PROBE_SECONDS = 1
    monkeypatch.setattr(reaching, "_heard", {})
    monkeypatch.setattr(reaching, "_silent", {})


@pytest.mark.usefixtures("asks_first")
def test_writes_are_refused_before_anybody_has_noticed(site: Client, machine: Guest) -> None:
    ids = {"vm": public_id(machine), "snapshot": f"snap-{machine.snapshots.get().pk:03d}"}
    for name, (method, path, body) in WRITES.items():
        began = time.monotonic()
        answer = getattr(site, method)(path.format(**ids), body, content_type="application/json")
        told = answer.json()
        assert (answer.status_code, told["error"]["code"]) == (503, "SERVICE_UNAVAILABLE"), (name, told)
        assert told["error"]["details"]["reason"] == "cluster_unreachable", name
        assert time.monotonic() - began < 2.5, name
    assert not Job.objects.exists()
    machine.cluster.refresh_from_db()
    assert machine.cluster.last_error == "", "one lost answer is no news of the whole cluster"


def test_a_job_that_was_taken_waits_and_guesses_nothing(site: Client, machine: Guest) -> None:
    """Within the second after the last answer a write is taken; its job asks, is told nothing, and goes on waiting."""
    answer = site.post(f"/v1/vms/{public_id(machine)}/start")
    assert answer.status_code == 200, answer.content
    job = Job.objects.get()
    engine.advance(job.pk)
    job.refresh_from_db()
    assert (job.is_active, job.error) == (True, None)
    assert site.get(f"/v1/jobs/{job.public_id}").json()["data"]["job"]["status"] == "running"


def test_the_past_of_a_machine_has_its_own_deadline(
    site: Client, machine: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "DEADLINE", 0.5)
    path = f"/v1/monitoring/vms/{public_id(machine)}/metrics?period=1h&metrics=cpu"
    answer = site.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
    moment = [1_700_000_000, *([0.5] * len(metrics.FIGURES))]
    KeptSeries.objects.create(guest=machine, period="1h", moments=[moment], read_at=timezone.now() - OLD)
    body = site.get(path).json()
    assert [point["usage_percent"] for point in body["data"]["metrics"]["cpu"]] == [50.0]
    assert body["meta"]["is_stale"] is True and body["meta"]["age_seconds"] >= OLD.total_seconds()
