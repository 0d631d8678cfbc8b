"""A stream of server-sent events ends with the right of its caller."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connections
from django.test import AsyncClient, Client
from pytest_django import Settings

from alma.accounts.models import Membership
from alma.api import streaming
from tests.factories.accounts import make_key, make_organization, make_user, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/api/v1/blueprints/generate-blueprint-stream"
BODY = {"description": "three web servers behind a load balancer"}


@pytest.fixture(autouse=True)
def asked_each_time(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert streaming.RECHECK_SECONDS + streaming.HEARTBEAT_SECONDS <= 30
    monkeypatch.setattr(streaming, "RECHECK_SECONDS", 0.0)
    settings.ALMA_PUBLIC_DRAFTS = False


@pytest_asyncio.fixture(autouse=True)
async def left_behind() -> AsyncIterator[None]:
    """The thread that serves the requests of a test ends without a request that would tidy up after it."""
    yield
    await sync_to_async(connections.close_all)()


def by_key() -> tuple[dict[str, str], Callable[[], Any]]:
    key, secret = make_key(organization=make_organization())
    return {"X-API-Key": secret}, key.revoke


def by_key_of_who_leaves() -> tuple[dict[str, str], Callable[[], Any]]:
    person = make_user(organization=make_organization())
    _, secret = make_key(owner=person)
    return {"X-API-Key": secret}, Membership.objects.filter(user=person).delete


def by_session_of_who_is_disabled() -> tuple[dict[str, str], Callable[[], Any]]:
    person = make_user(organization=make_organization())
    cookie = sign_in(Client(), person).cookies.output(header="", attrs=[]).strip()
    return {"Cookie": cookie}, lambda: User.objects.filter(pk=person.pk).update(is_active=False)


async def events(headers: dict[str, str], end: Callable[[], Any] | None) -> list[dict[str, Any]]:
    """What comes, when the right ends after the first event."""
    client = AsyncClient()
    client.cookies.load(headers.pop("Cookie", ""))
    response = await client.post(PATH, BODY, content_type="application/json", headers=headers)
    assert response.status_code == 200
    found: list[dict[str, Any]] = []
    async for part in response.streaming_content:
        found.append(json.loads(part.removeprefix(b"data: ")))
        if end is not None and len(found) == 1:
            await sync_to_async(end)()
    return found


@pytest.mark.parametrize("way", [by_key, by_key_of_who_leaves, by_session_of_who_is_disabled])
async def test_a_stream_ends_with_the_right(way: Callable[[], tuple[dict[str, str], Callable[[], Any]]]) -> None:
    headers, end = await sync_to_async(way)()
    told = await events(headers, end)
    assert [event.get("error_code") for event in told] == [None, "RIGHT_ENDED"]


@pytest.mark.parametrize("way", [by_key, by_session_of_who_is_disabled])
async def test_a_stream_goes_on_while_the_right_stands(
    way: Callable[[], tuple[dict[str, str], Callable[[], Any]]],
) -> None:
    headers, _ = await sync_to_async(way)()
    told = await events(headers, None)
    assert told[-1]["type"] == "complete"
    assert len(told) > 3


async def test_a_stream_keeps_no_connection_to_the_database() -> None:
    """Its threads are none of those that answer requests, and nobody would look after what they keep."""
    used = []

    def asking() -> Iterator[dict[str, Any]]:
        for number in range(3):
            used.append(connections["default"])
            yield {"type": "token", "content": str(User.objects.count() + number)}

    assert len([part async for part in streaming.frames(asking())]) == 3
    assert [wrapper.connection for wrapper in used] == [None] * 3
