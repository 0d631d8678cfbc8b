"""From a cause in a real cluster to the receiver of a webhook: each documented event, in the documented shape, signed."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone
from standardwebhooks import Webhook

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.events.models import WebhookEndpoint
from alma.events.webhooks import attempts
from alma.jobs import alarms, beats
from alma.jobs.findings import Finding, breach
from alma.jobs.models import Beat, Job
from alma.monitoring import examining
from tests.factories.accounts import make_user
from tests.factories.webhooks import make_webhook
from tests.fixtures.receiver import Receiver, receiver
from tests.fixtures.receiver import allowed_receiver as listener
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.backups.conftest import look
from tests.vms.operations.conftest import by, environment, finish, make_machine, see
from vms import inventory
from vms.backups import services as backups
from vms.machines import public_id
from vms.models import Cluster, Guest
from vms.operations import making, power, removal
from vms.scans import services as scans

__all__ = ["by", "environment", "finish", "listener", "make_machine", "receiver"]
pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "whsec_" + "c2VjcmV0IG9mIGEgdGVzdCwgMzIgYnl0ZXMgb2YgaXQu"
Told = Callable[..., list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    yield
    connections.close_all()


@pytest.fixture
def told(cluster: Cluster, listener: Receiver) -> Told:
    """What arrives at a receiver that asks for these events, once everything is sent; signatures are checked on the way."""

    def arrived(*kinds: str) -> list[dict[str, Any]]:
        WebhookEndpoint.objects.update(kinds=list(kinds))
        while (delivery := attempts.claim()) is not None:
            attempts.record(delivery, attempts.send(delivery))
        return [checked(request.headers, request.body) for request in listener.requests]

    make_webhook(
        url=listener.url,
        organization=cluster.organization,
        secret=SECRET,
        kinds=["vm.*", "job.*", "security.*", "system.*"],
    )
    return arrived


def checked(headers: dict[str, str], body: bytes) -> dict[str, Any]:
    """A body whose two signatures are right, and whose outer shape is the documented one."""
    Webhook(SECRET).verify(body, headers)
    signed = headers["webhook-timestamp"].encode() + b"." + body
    mine = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["x-webhook-signature"] == f"sha256={mine}"
    message: dict[str, Any] = json.loads(body)
    assert message.keys() >= {"event", "timestamp", "data", "webhook"}
    assert message["timestamp"].endswith("Z")
    assert message["webhook"] == {"id": message["webhook"]["id"], "attempt": 1}
    assert message["webhook"]["id"].startswith("webhook-")
    return message


def only(messages: list[dict[str, Any]], event: str) -> list[dict[str, Any]]:
    return [message["data"] for message in messages if message["event"] == event]


def machine_as_documented(guest: Guest, status: str) -> dict[str, str]:
    return {"id": public_id(guest), "name": guest.name, "status": status}


def told_of(data: dict[str, Any]) -> dict[str, Any]:
    return {name: data["vm"][name] for name in ("id", "name", "status")}


def test_a_machine_is_made_stopped_and_deleted(
    cluster: Cluster, environment: Environment, by: Actor, finish: Callable[[Job], Job], told: Told
) -> None:
    see(cluster)
    guest, job = making.create(making.Machine(name="app-server-01", template="debian-12"), by=by)
    assert finish(job).error is None
    guest.refresh_from_db()
    assert finish(power.stop(guest, power.Stop(is_graceful=False), by=by)).error is None
    guest.refresh_from_db()
    assert finish(removal.delete(guest, is_forced=True, keeps_backups=True, by=by)).error is None
    see(cluster)
    messages = told("vm.created", "vm.deleted", "vm.status_changed", "job.completed")
    assert [told_of(data) for data in only(messages, "vm.created")] == [machine_as_documented(guest, "running")]
    changed = only(messages, "vm.status_changed")
    assert [told_of(data) for data in changed] == [machine_as_documented(guest, "stopped")]
    assert [data["vm"]["was"] for data in changed] == ["running"]
    assert [told_of(data)["id"] for data in only(messages, "vm.deleted")] == [public_id(guest)]
    jobs = [data["job"] for data in only(messages, "job.completed")]
    assert [(one["type"], one["status"]) for one in jobs] == [
        ("vm_creation", "completed"), ("vm_stop", "completed"), ("vm_deletion", "completed"),
    ]  # fmt: skip
    assert [one["id"] for one in jobs] == list(Job.objects.order_by("pk").values_list("public_id", flat=True))


def test_what_happens_on_the_cluster_itself(
    cluster: Cluster, observer: Any, fresh_sandbox: RunningSandbox, told: Told
) -> None:
    inventory.refresh_all()
    fresh_sandbox.wait(observer.nodes("pve1").qemu(101).status.stop.post())
    inventory.refresh_all()
    fresh_sandbox.wait(observer.nodes("pve1").qemu(101).delete())
    inventory.refresh_all()
    guest = Guest.objects.get(vmid=101)
    messages = told("vm.*")
    assert [(message["event"], told_of(message["data"])) for message in messages] == [
        ("vm.status_changed", machine_as_documented(guest, "stopped")),
        ("vm.deleted", machine_as_documented(guest, "stopped")),
    ]


@pytest.mark.parametrize("event", ["security.scan_completed", "job.completed"])
def test_a_scan_has_ended(cluster: Cluster, by: Actor, finish: Callable[[Job], Job], told: Told, event: str) -> None:
    inventory.refresh_all()
    scan = scans.start(by=by, guests=list(Guest.objects.machines().order_by("vmid")[:1]))
    WebhookEndpoint.objects.update(kinds=[event])
    finish(scan.job)
    scan.refresh_from_db()
    (data,) = only(told(event), event)
    if event == "security.scan_completed":
        assert (data["security"]["id"], data["security"]["score"]) == (scan.public_id, scan.score)
    else:
        assert (data["job"]["id"], data["job"]["status"]) == (scan.job.public_id, "completed")
        assert data["job"]["security"]["id"] == scan.public_id


@pytest.mark.parametrize("event", ["backup.completed", "job.completed"])
def test_a_machine_was_backed_up(
    make_machine: Callable[..., Guest], by: Actor, finish: Callable[[Job], Job], told: Told, event: str
) -> None:
    machine = make_machine()
    look()
    WebhookEndpoint.objects.update(kinds=[event])
    row, job = backups.take(machine, backups.Wish(), by=by)
    assert finish(job).error is None
    row.refresh_from_db()
    *_, data = only(told(event), event)
    about = data["backup"] if event == "backup.completed" else data["job"]["backup"]
    assert (about["id"], about["vm_id"], about["status"]) == (row.public_id, public_id(machine), "completed")
    assert about["size_bytes"] == row.size_bytes
    if event == "job.completed":
        assert (data["job"]["id"], data["job"]["type"], data["job"]["status"]) == (job.public_id, "backup", "completed")


def test_a_job_that_fails_is_an_alert(
    make_machine: Callable[..., Guest], by: Actor, finish: Callable[[Job], Job], observer: Any, told: Told
) -> None:
    machine = make_machine()
    observer.nodes(machine.node).qemu(machine.vmid).config.put(description="mine now")
    job = finish(power.stop(machine, power.Stop(), by=by))
    (data,) = only(told("system.alert"), "system.alert")
    assert (data["alert"]["type"], data["alert"]["subject"]) == ("vm_stop.failed", job.stream)
    assert data["alert"]["code"] == "GUEST_NOT_OURS"


def test_a_cluster_that_cannot_be_read_is_an_alert_once(
    cluster: Cluster, fresh_sandbox: RunningSandbox, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "SECOND_LOOK", 0.0)
    inventory.refresh_all()
    fresh_sandbox.stop()
    inventory.refresh_all()
    inventory.refresh_all()
    (data,) = only(told("system.alert"), "system.alert")
    assert (data["alert"]["type"], data["alert"]["cluster"]) == ("cluster.unreachable", cluster.slug)


def test_a_frozen_queue_is_an_alert_once(cluster: Cluster, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarms, "_began", time.monotonic())
    alarms.watch_queue()
    Beat.objects.create(name=beats.WORKER, at=timezone.now() - timedelta(hours=1))
    alarms.watch_queue()
    assert told("system.alert") == [], "a reconciler that has only just begun waits for the workers"
    monkeypatch.setattr(alarms, "_began", time.monotonic() - 3600)
    alarms.watch_queue()
    alarms.watch_queue()
    (data,) = only(told("system.alert"), "system.alert")
    assert (data["alert"]["type"], data["alert"]["waiting_jobs"]) == ("queue.frozen", 0)
    assert data["alert"]["silent_seconds"] >= 3600
    beats.beat(beats.WORKER)
    alarms.watch_queue()
    Beat.objects.filter(name=beats.WORKER).update(at=timezone.now() - timedelta(hours=1))
    alarms.watch_queue()
    assert len(only(told("system.alert"), "system.alert")) == 2, "the next one is told anew"


def sick() -> Iterator[Finding]:
    yield breach("ORPHAN", "pve/5001", "web of a tenant was given up, and its guest is still there.")


@pytest.mark.parametrize("is_staff", [True, False])
def test_what_must_not_be_is_an_alert_for_staff_alone(
    cluster: Cluster, told: Told, settings: Any, is_staff: bool
) -> None:
    settings.ALMA_INVARIANTS = [f"{__name__}.sick"]
    make_user(organization=cluster.organization, is_staff=is_staff)
    for _ in range(2):
        examining.ask(by="ana")
        examining.examine_due()
    alerts = [data["alert"] for data in only(told("system.alert"), "system.alert")]
    assert [(one["type"], one["findings"], one["codes"]) for one in alerts] == [
        ("doctor.alarmed", 1, ["ORPHAN"])
    ] * is_staff
    assert "5001" not in json.dumps(alerts)
