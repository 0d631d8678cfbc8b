"""The socket of a console: a browser's frames reach the screen of the right machine through ALMA, and nobody else's does."""

import struct
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.db import connections

from alma.accounts.models import Organization
from alma.accounts.scopes import EVERYTHING
from alma.events.hub import Hub, current_hub
from alma.events.models import Event
from tests.factories.accounts import make_environment, make_key, make_organization
from tests.factories.vms import make_claim, make_cluster, make_guest
from tests.fixtures.sandbox import RunningSandbox
from vms.consumers import ConsoleConsumer
from vms.models import Cluster, Guest
from vms.sandbox.core.world import Options
from vms.sandbox.screen import HEIGHT, VERSION, WIDTH, Screen, response_to

pytestmark = pytest.mark.django_db(transaction=True)
PICTURE = 16 + WIDTH * HEIGHT * 4


@pytest.fixture
def organization(transactional_db: None) -> Iterator[Organization]:
    yield make_organization()
    connections.close_all()


@pytest_asyncio.fixture
async def hub(organization: Organization) -> AsyncIterator[Hub]:
    hub = current_hub()
    hub.start()
    yield hub
    await hub.stop()
    await sync_to_async(connections.close_all)()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningSandbox]:
    """By the clock of the world: a ticket is good for ten seconds of it."""
    sandbox = RunningSandbox(tmp_path, Options(unauthorized_delay=0.0)).start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def machine(running: RunningSandbox, organization: Organization) -> Guest:
    """A machine of ours that runs, by the ledger, the inventory and its mark."""
    cluster = make_cluster(running, organization=organization)
    place = make_environment("development", organization=organization)
    claim = make_claim(cluster, vmid=7001, owner=f"env:{place.pk}/direct", state="live")
    client = running.proxmoxer()
    running.wait(client.nodes("pve1").qemu.post(vmid=7001, name="web", description=claim.marker))
    running.wait(client.nodes("pve1").qemu(7001).status.start.post())
    client._store["session"].close()
    return make_guest(cluster, vmid=7001, claim=claim, environment=place, name="web")


async def knock(organization: Organization, scopes: Any = EVERYTHING) -> WebsocketCommunicator:
    key = (await sync_to_async(make_key)(scopes, organization=organization))[1]
    headers = [(b"host", b"localhost"), (b"x-api-key", key.encode())]
    communicator = WebsocketCommunicator(ConsoleConsumer.as_asgi(), "/ws/console", headers=headers)
    assert (await communicator.connect(5))[0]
    return communicator


async def ask(communicator: WebsocketCommunicator, number: object) -> Any:
    await communicator.send_json_to({"action": "open", "vm": number})
    return await communicator.receive_json_from(10)


async def read(communicator: WebsocketCommunicator, count: int) -> bytes:
    found = b""
    while len(found) < count:
        found += await communicator.receive_from(5)
    assert len(found) == count
    return found


async def test_what_is_typed_reaches_the_screen_and_what_it_shows_comes_back(
    hub: Hub, organization: Organization, machine: Guest
) -> None:
    socket = await knock(organization)
    ready = await ask(socket, machine.pk)
    assert ready["type"] == "ready" and len(ready["password"]) >= 8, ready
    assert await read(socket, 12) == VERSION
    await socket.send_to(bytes_data=VERSION)
    assert await read(socket, 2) == bytes([1, 2])
    await socket.send_to(bytes_data=bytes([2]))
    challenge = await read(socket, 16)
    await socket.send_to(bytes_data=response_to(challenge, ready["password"]))
    assert await read(socket, 4) == bytes(4)
    await socket.send_to(bytes_data=bytes([1]))
    head = await socket.receive_from(5)
    assert struct.unpack(">HH", head[:4]) == (WIDTH, HEIGHT) and b"/qemu/7001/" in head[24:]
    request = struct.pack(">BBHHHH", 3, 0, 0, 0, WIDTH, HEIGHT)
    await socket.send_to(bytes_data=request)
    before = await read(socket, PICTURE)
    await socket.send_to(bytes_data=struct.pack(">BBxxI", 4, 1, ord("a")) + request)
    after = await read(socket, PICTURE)
    assert before[:16] == after[:16] and before[16:20] != after[16:20], "the key was pressed"
    await socket.disconnect()
    told = await sync_to_async(
        lambda: list(Event.objects.filter(kind="vm.console_opened").values_list("data", flat=True))
    )()
    assert [row["vmid"] for row in told] == [7001] and ready["password"] not in str(told)


async def test_a_second_console_and_words_among_frames_are_refused(
    hub: Hub, organization: Organization, machine: Guest
) -> None:
    socket = await knock(organization)
    assert (await ask(socket, machine.pk))["type"] == "ready"
    await read(socket, 12)
    await socket.send_json_to({"action": "open", "vm": machine.pk})
    assert (await socket.receive_json_from(5))["code"] == "FRAME_TOO_LARGE"
    assert (await socket.receive_output(5))["type"] == "websocket.close"


async def test_who_may_not_is_told_so_and_the_socket_stays(
    hub: Hub, organization: Organization, machine: Guest
) -> None:
    foreign = await sync_to_async(make_organization)("theirs")
    socket = await knock(foreign)
    assert (await ask(socket, machine.pk))["code"] == "VM_NOT_FOUND"
    assert await ask(socket, machine.pk) == await ask(socket, 2**40)
    for nonsense in (None, True, "1", -1, 0):
        assert (await ask(socket, nonsense))["code"] == "INVALID_PARAMETER"
    await socket.disconnect()
    own = await knock(organization)
    await sync_to_async(Guest.objects.filter(pk=machine.pk).update)(status="stopped")
    assert (await ask(own, machine.pk))["code"] == "GUEST_STOPPED"
    await own.disconnect()


async def test_a_pinned_certificate_is_compared_before_anything_is_sent(
    hub: Hub, organization: Organization, machine: Guest
) -> None:
    await sync_to_async(Cluster.objects.update)(fingerprint=":".join(["AB"] * 32))
    socket = await knock(organization)
    assert (await ask(socket, machine.pk))["code"] == "CLUSTER_UNREACHABLE"
    await socket.disconnect()


def test_a_screen_refuses_another_password_and_takes_bytes_one_by_one() -> None:
    screen = Screen("x", "secret12")
    assert screen.take() == VERSION
    said = b"".join(screen.take(bytes([byte])) for byte in VERSION + bytes([2]))
    challenge = said[2:]
    assert said[:2] == bytes([1, 2]) and len(challenge) == 16
    assert screen.take(response_to(challenge, "another1")).endswith(b"Authentication failed")
    assert screen.is_over and screen.take(b"anything") == b""
