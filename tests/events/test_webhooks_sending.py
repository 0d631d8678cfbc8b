"""The sender: slow receivers hold up nobody else, and whatever dies, everything arrives."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler

import pytest
from django.conf import settings as live_settings
from django.db import connection, connections
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks import Webhook

from alma.events.models import WebhookDelivery, new_secret
from alma.events.services import emit
from alma.events.webhooks import sending
from alma.events.webhooks.sending import Sender
from tests.factories.accounts import make_organization
from tests.factories.webhooks import make_delivery, make_webhook
from tests.fixtures.receiver import Receiver, Request, answer, listening
from tests.source import ROOT

pytestmark = pytest.mark.django_db(transaction=True)
State = WebhookDelivery.State
QUICK = (0.0, *[0.05] * 20)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    yield
    connections.close_all()


def run(sender: Sender, *, seconds: float = 30.0) -> None:
    """Turn after turn until nothing is open any more."""
    deadline = time.monotonic() + seconds
    while WebhookDelivery.objects.open().exists():
        assert time.monotonic() < deadline, Counter(WebhookDelivery.objects.values_list("state", "attempt"))
        sender.turn()
        time.sleep(0.05)
    assert sender.wait(5)


def test_what_is_due_is_sent_and_the_threads_go(allowed_receiver: Receiver) -> None:
    endpoint = make_webhook(url=allowed_receiver.url)
    for _ in range(30):
        make_delivery(endpoint)
    run(Sender())
    assert endpoint.deliveries.filter(state=State.DELIVERED, attempt=1).count() == 30
    assert len(allowed_receiver.requests) == 30


def test_a_turn_without_work_starts_nothing() -> None:
    sender = Sender()
    assert sender.turn() == 0
    assert sender.wait(0)


def test_the_chore_returns_at_once(allowed_receiver: Receiver) -> None:
    release = threading.Event()
    allowed_receiver.respond = lambda request, handler: release.wait(10) and answer()(request, handler)
    make_delivery(make_webhook(url=allowed_receiver.url))
    began = time.monotonic()
    sending.send_due()
    assert time.monotonic() - began < 1
    release.set()
    assert sending._sender.wait(5)
    assert WebhookDelivery.objects.get().state == State.DELIVERED


def test_the_chores_are_in_the_settings() -> None:
    chores = dict(live_settings.ALMA_CHORES)
    assert chores["alma.events.webhooks.sending.send_due"] <= 2
    assert "alma.events.webhooks.sending.forget_old" in chores


def test_a_receiver_that_hangs_holds_up_only_its_own(settings: Settings) -> None:
    """Two threads of eight for a receiver, four for a tenant."""
    release, together, most = threading.Event(), Counter[str](), Counter[str]()
    lock = threading.Lock()

    def hang(request: Request, handler: BaseHTTPRequestHandler) -> None:
        with lock:
            together[request.path] += 1
            together["all"] += 1
            for key in (request.path, "all"):
                most[key] = max(most[key], together[key])
        release.wait(20)
        with lock:
            together[request.path] -= 1
            together["all"] -= 1
        answer()(request, handler)

    with listening() as slow, listening() as quick:
        settings.ALMA_OUTBOUND_ALLOW = ["127.0.0.1:*"]
        slow.respond = hang
        for number in range(3):
            endpoint = make_webhook(url=f"{slow.url}/{number}", kinds=["vm.created"])
        for _ in range(5):
            make_delivery(endpoint)
        other = make_webhook(url=quick.url, organization=make_organization("other"))
        for _ in range(20):
            make_delivery(other)
        sender = Sender()
        deadline = time.monotonic() + 10
        while other.deliveries.open().exists():
            assert time.monotonic() < deadline
            sender.turn()
            time.sleep(0.05)
        assert most["all"] == 4
        assert sender.turn() == 0, "what may not be taken now starts no thread"
        assert {path: count for path, count in most.items() if path != "all" and count > 2} == {}
        release.set()
        run(sender)


def test_two_senders_send_each_once(allowed_receiver: Receiver) -> None:
    endpoint = make_webhook(url=allowed_receiver.url)
    for _ in range(60):
        make_delivery(endpoint)
    senders = [Sender(per_endpoint=4), Sender(per_endpoint=4)]
    for sender in senders:
        sender.turn()
    for sender in senders:
        run(sender)
    assert Counter(request.headers["webhook-id"] for request in allowed_receiver.requests).most_common(1)[0][1] == 1
    assert endpoint.deliveries.filter(state=State.DELIVERED).count() == 60


def test_a_fault_costs_one_thread_and_its_lease_runs_out(
    allowed_receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    delivery = make_delivery(make_webhook(url=allowed_receiver.url))
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    with monkeypatch.context() as broken:
        broken.setattr(sending, "send", lambda _: 1 / 0)
        sender = Sender(lease=timedelta(seconds=0.2))
        assert sender.turn() == 1
        assert sender.wait(5)
    assert "could not be tried" in caplog.text
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempt) == (State.PENDING, 1)
    time.sleep(0.3)
    run(sender)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempt) == (State.DELIVERED, 2)


def test_what_ended_a_month_ago_is_forgotten() -> None:
    endpoint = make_webhook()
    rows = [make_delivery(endpoint) for _ in range(3)]
    for row in rows[:2]:
        row.move(State.DELIVERED)
    WebhookDelivery.objects.filter(pk=rows[0].pk).update(ended_at=timezone.now() - timedelta(days=31))
    assert sending.forget_old() == 1
    assert set(WebhookDelivery.objects.all()) == set(rows[1:])
    assert sending.forget_old() == 0


# -- the whole of it --------------------------------------------------------------------------------
class Flaky:
    """Fails every other request on average, never more than six times for one message, and checks each signature."""

    def __init__(self, secret: str) -> None:
        self.random = random.Random(4)
        self.verifier = Webhook(secret)
        self.failures: Counter[str] = Counter()
        self.events: dict[str, set[str]] = defaultdict(set)
        self.accepted: Counter[str] = Counter()
        self.requests = 0
        self.lock = threading.Lock()

    def __call__(self, request: Request, handler: BaseHTTPRequestHandler) -> None:
        message = self.verifier.verify(request.body, request.headers)
        key = message["data"]["vm"]["name"]
        with self.lock:
            self.requests += 1
            self.events[key].add(request.headers["webhook-id"])
            fails = self.random.random() < 0.5 and self.failures[key] < 6
            (self.failures if fails else self.accepted)[key] += 1
        answer(self.random.choice([400, 500, 503]) if fails else 204)(request, handler)


SENDER = """
import os, time, django
django.setup()
from datetime import timedelta
from alma.events.webhooks.sending import Sender
sender = Sender(per_endpoint=8, per_organization=8, lease=timedelta(seconds=2), schedule=(0.0, *[0.2] * 30))
while True:
    sender.turn()
    time.sleep(0.05)
"""


def start_sender(port: int) -> subprocess.Popen[bytes]:
    database = connection.settings_dict
    url = (
        f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    )
    environment = {
        "PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "alma.settings", "PYTHONPATH": str(ROOT),
        "ALMA_DATA_DIR": str(live_settings.ALMA_DATA_DIR), "ALMA_OUTBOUND_ALLOW": f"127.0.0.1:{port}",
        "ALMA_SECRET_KEY": live_settings.SECRET_KEY,
    }  # fmt: skip
    code = SENDER
    if connection.vendor == "postgresql":
        environment["ALMA_DATABASE_URL"] = url
    else:
        name = str(database["NAME"])
        code = code.replace(
            "django.setup()",
            f"from django.conf import settings\nsettings.DATABASES['default']['NAME'] = {name!r}\ndjango.setup()",
        )
    return subprocess.Popen([sys.executable, "-c", code], env=environment, cwd=ROOT, start_new_session=True)


@pytest.mark.processes
@pytest.mark.timeout(300)
def test_a_thousand_events_all_arrive_whatever_fails_and_whoever_dies(allowed_receiver: Receiver) -> None:
    secret = new_secret()
    flaky = allowed_receiver.respond = Flaky(secret)
    endpoint = make_webhook(url=allowed_receiver.url, secret=secret, kinds=["vm.created"])
    wanted = [f"vm-{number}" for number in range(1_000)]
    process, kills, written = start_sender(allowed_receiver.port), 0, 0
    chance = random.Random(7)
    deadline = time.monotonic() + 240
    next_kill = time.monotonic() + 2
    try:
        while written < len(wanted) or endpoint.deliveries.open().exists():
            assert time.monotonic() < deadline, Counter(endpoint.deliveries.values_list("state", flat=True))
            for name in wanted[written : written + 20]:
                emit("cluster:1", "vm.created", organization_id=endpoint.organization_id, name=name, vmid=1)
            written += 20
            if kills < 20 and time.monotonic() > next_kill:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(5)
                kills += 1
                process = start_sender(allowed_receiver.port)
                next_kill = time.monotonic() + chance.uniform(1.2, 2.5)
            time.sleep(0.05)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)
    states = Counter(endpoint.deliveries.values_list("state", flat=True))
    sys.stdout.write(f"\n{flaky.requests} requests, {kills} kills, {sum(flaky.failures.values())} failures, {states}\n")
    assert states == {"delivered": 1_000}
    assert set(flaky.accepted) == set(wanted)
    assert {len(ids) for ids in flaky.events.values()} == {1}, "the id is the same at every attempt"
    assert len({message for ids in flaky.events.values() for message in ids}) == 1_000
    assert kills >= 5
    assert sum(flaky.failures.values()) > 400
    assert flaky.requests - sum(flaky.failures.values()) - 1_000 <= kills * 8, "told twice only when a sender died"
