"""How busy live events are."""

from dataclasses import replace

from asgiref.sync import sync_to_async

from alma.accounts.models import Organization
from alma.events import gauges
from alma.events.hub import Hub
from tests.events.site import opened, seqs, settled, write_soon


async def test_open_sockets_are_those_that_have_not_left(hub: Hub, organization: Organization) -> None:
    before = gauges.open_sockets()
    first, second = await opened(), await opened()
    assert gauges.open_sockets() == before + 2
    await first.disconnect()
    assert gauges.open_sockets() == before + 1
    await second.disconnect()
    assert gauges.open_sockets() == before


async def test_lag_is_what_the_hub_has_not_read(hub: Hub, organization: Organization) -> None:
    await write_soon("run:a", organization.pk)
    assert (await sync_to_async(gauges.lag)()).events == 0  # nobody listens
    socket = await opened()
    await settled(socket)
    await write_soon("run:a", organization.pk)
    assert await seqs(socket, 1) == [2]
    assert await sync_to_async(gauges.lag)() == gauges.Lag(0, 0.0)
    feed = hub.feeds["run:a"]
    assert feed.head is not None
    feed.head = replace(feed.head, seq=0)
    lag = await sync_to_async(gauges.lag)()
    assert lag.events == 2
    assert lag.seconds > 0
    await socket.disconnect()
