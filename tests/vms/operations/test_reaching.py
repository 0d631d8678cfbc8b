"""Direct writes while Proxmox is down: a sandbox that is a process of its own, killed, frozen and started again."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from alma.accounts.scopes import EVERYTHING
from alma.jobs.models import Job
from tests.factories.accounts import make_environment, make_key
from tests.factories.vms import make_claim, make_cluster, make_guest
from tests.vms.operations.conftest import see
from tests.vms.sandbox.process import Process
from vms.machines import public_id
from vms.models import Cluster, Guest
from vms.operations import reaching
from vms.proxmox.client import disconnect

pytestmark = [pytest.mark.django_db, pytest.mark.processes]
DEADLINE = 2.0
SLACK = 0.7
"""Seconds that two busy cores may add."""


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path)
    yield process
    if process.is_alive:
        process.end(signal.SIGKILL)
    disconnect()


@pytest.fixture
def cluster(sandbox: Process, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    settings.ALMA_CLUSTER_PROBE_SECONDS = DEADLINE
    monkeypatch.setattr(reaching, "_heard", {})
    monkeypatch.setattr(reaching, "_silent", {})
    secrets = sandbox.secrets
    cluster = make_cluster(
        host="127.0.0.1", port=sandbox.port, ca_pem=Path(secrets.ca_path).read_text(encoding="ascii"), is_sandbox=True,
        token_id=secrets.token_id, token_secret=secrets.token_secret,
    )  # fmt: skip
    see(cluster)
    return cluster


@pytest.fixture
def site(cluster: Cluster) -> Client:
    return Client(headers={"Authorization": f"Bearer {make_key(EVERYTHING, organization=cluster.organization)[1]}"})


@pytest.fixture
def machine(cluster: Cluster) -> Guest:
    place = make_environment("development", organization=cluster.organization)
    claim = make_claim(cluster, owner=f"env:{place.pk}/direct", state="live")
    return make_guest(cluster, vmid=claim.vmid, claim=claim, environment=place, name="web")


def write(site: Client, path: str, body: Any = None) -> tuple[int, dict[str, Any], float]:
    began = time.monotonic()
    answer = site.post(path, body, content_type="application/json")
    return answer.status_code, answer.json(), time.monotonic() - began


def let_pass() -> None:
    """An answer counts for a moment."""
    time.sleep(reaching.FRESH)


@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_a_write_is_refused_from_the_first_second_on_and_reads_go_on(
    sandbox: Process, cluster: Cluster, site: Client, machine: Guest, way: signal.Signals
) -> None:
    start, new = f"/v1/vms/{public_id(machine)}/start", {"name": "new", "template": "debian-12"}
    let_pass()
    assert write(site, "/v1/vms", new)[0] == 201
    let_pass()
    sandbox.send(way)
    if way == signal.SIGKILL:
        sandbox.end(way)
    for path, body in ((start, None), ("/v1/vms", {**new, "name": "another"}), ("/v1/backups", {"vm_id": "vm-1"})):
        if path == "/v1/backups":
            body = {"vm_id": public_id(machine)}
        status, told, seconds = write(site, path, body)
        assert (status, told["success"]) == (503, False), told
        assert told["error"]["details"]["reason"] == "cluster_unreachable"
        assert seconds < DEADLINE + SLACK
    assert Job.objects.count() == 1
    listed = site.get("/v1/vms").json()
    assert {"web", "gitlab"} <= {row["name"] for row in listed["data"]["vms"]}
    assert listed["meta"]["age_seconds"] >= 2
    if way == signal.SIGSTOP:
        sandbox.send(signal.SIGCONT)
        time.sleep(reaching.QUIET)
        assert write(site, start)[0] == 200, "it is taken as soon as the cluster answers again"


def test_one_answer_serves_the_writes_of_a_moment(cluster: Cluster) -> None:
    cluster.refresh_from_db()
    reaching.reach(cluster)
    assert not reaching._heard, "the reconciler has just heard it"
    let_pass()
    reaching.reach(cluster)
    heard = dict(reaching._heard)
    reaching.reach(cluster)
    assert set(heard) == {cluster.pk} and reaching._heard == heard
    let_pass()
    reaching.reach(cluster)
    assert reaching._heard[cluster.pk] > heard[cluster.pk]
