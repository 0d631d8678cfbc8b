"""`/api/ws`: its three types of messages, for whom they are, and narrowing to one instance."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.db import connections
from django.utils import timezone

from alma.events.hub import Hub, current_hub
from alma.events.services import emit
from instances import watching
from instances.consumers import InstancesConsumer
from instances.models import Instance
from tests.factories.accounts import make_key, make_organization
from tests.factories.instances import make_instance

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS = 5


@pytest_asyncio.fixture
async def hub(transactional_db: None) -> AsyncIterator[Hub]:
    hub = current_hub()
    hub.start()
    yield hub
    await hub.stop()
    await sync_to_async(connections.close_all)()


def stage() -> tuple[str, Instance, Instance, Instance]:
    key, secret = make_key(frozenset({"instance:read"}))
    ours = [make_instance(name, organization=key.organization) for name in ("first", "second")]
    return secret, *ours, make_instance("foreign", organization=make_organization("theirs"))


async def connected(secret: str) -> WebsocketCommunicator:
    headers = [(b"host", b"localhost"), (b"authorization", f"Bearer {secret}".encode())]
    communicator = WebsocketCommunicator(InstancesConsumer.as_asgi(), "/api/ws", headers=headers)
    assert (await communicator.connect(SECONDS))[0]
    return communicator


async def heard(communicator: WebsocketCommunicator) -> Any:
    return json.loads(await communicator.receive_from(SECONDS))


def begin(*instances: Instance) -> None:
    for instance in instances:
        instance.move(Instance.Status.STARTING)
    connections.close_all()


def measure(*instances: Instance) -> None:
    for instance in instances:
        instance.note(memory_bytes=4096, cpu_percent=25.5, checked_at=timezone.now(), started_at=timezone.now())
    connections.close_all()


async def test_status_is_told_to_its_organization(hub: Hub) -> None:
    secret, first, _, foreign = await sync_to_async(stage)()
    communicator = await connected(secret)
    await sync_to_async(begin)(foreign, first)
    told = await heard(communicator)
    assert told.pop("timestamp").endswith("Z") and told.pop("seq") == 1
    assert told == {
        "type": "instance_status_changed", "name": "first", "status": "starting", "previous_status": "stopped", "reason": "",
    }  # fmt: skip
    assert await communicator.receive_nothing(0.3)
    await communicator.disconnect()


async def test_stats_are_told_once_for_each_measurement(hub: Hub, monkeypatch) -> None:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.05)
    secret, first, _, foreign = await sync_to_async(stage)()
    communicator = await connected(secret)
    await sync_to_async(measure)(first, foreign)
    told = await heard(communicator)
    assert (told["type"], told["name"], told["stats"]["memory_usage"], told["stats"]["cpu_usage"]) == (
        "instance_stats_updated", "first", 4096, 25.5,
    )  # fmt: skip
    assert await communicator.receive_nothing(0.4)
    await communicator.disconnect()


async def test_many_sockets_ask_the_database_once(hub: Hub, monkeypatch) -> None:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.05)
    secret, first, _, foreign = await sync_to_async(stage)()
    looks: list[object] = []
    read = watching.read
    monkeypatch.setattr(watching, "read", lambda found: (looks.append(found), read(found))[1])
    sockets = [await connected(secret) for _ in range(8)]
    await sync_to_async(measure)(first, foreign)
    looks.clear()
    assert {(await heard(one))["name"] for one in sockets} == {"first"}
    assert 1 <= len(looks) <= 3, "and not once for each socket"
    for one in sockets:
        await one.disconnect()
    await asyncio.sleep(0.1)
    looks.clear()
    await asyncio.sleep(0.2)
    assert looks == [], "nobody listens, nobody looks"


async def test_alerts_are_told(hub: Hub) -> None:
    secret, first, _, foreign = await sync_to_async(stage)()
    communicator = await connected(secret)

    def alarm() -> None:
        for pk, silence in ((foreign.organization_id, 99), (first.organization_id, 31)):
            emit(f"installation:{pk}", "queue.frozen", organization_id=pk, waiting_jobs=1, silent_seconds=silence)
        connections.close_all()

    await sync_to_async(alarm)()
    told = await heard(communicator)
    assert (told["type"], told["level"]) == ("system_alert", "error")
    assert "31 s" in told["message"]
    await communicator.disconnect()


async def test_subscription_narrows_to_one(hub: Hub, monkeypatch) -> None:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.05)
    secret, first, second, foreign = await sync_to_async(stage)()
    communicator = await connected(secret)
    await communicator.send_json_to({"action": "subscribe", "name": "second"})
    for name in ("foreign", "", 5):
        await communicator.send_json_to({"action": "subscribe", "name": name})
        assert (await heard(communicator))["code"] in {"INSTANCE_NOT_FOUND", "INVALID_PARAMETER"}
    await sync_to_async(begin)(first, second)
    assert (await heard(communicator))["name"] == "second"
    await sync_to_async(measure)(first, second)
    assert (await heard(communicator))["name"] == "second"
    assert await communicator.receive_nothing(0.3)
    await communicator.disconnect()


async def test_right_is_needed(hub: Hub) -> None:
    _, secret = await sync_to_async(make_key)(frozenset({"vm:read"}))
    for key in (secret, "wrong", ""):
        headers = [(b"host", b"localhost"), *([(b"authorization", f"Bearer {key}".encode())] if key else [])]
        communicator = WebsocketCommunicator(InstancesConsumer.as_asgi(), "/api/ws", headers=headers)
        assert not (await communicator.connect(SECONDS))[0]
