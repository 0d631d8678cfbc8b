"""Logs that are followed: what stands there, what comes, what is left out, and the end."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from instances import logs
from instances.api import following
from instances.models import Instance
from tests.factories.accounts import make_key
from tests.factories.instances import make_instance

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS = 5


def write(pk: int, *lines: str) -> None:
    path = logs.path_of(pk)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write("".join(f"{line}\n" for line in lines))


async def opened(instance: Instance, secret: str, query: str) -> Any:
    headers = {"Authorization": f"Bearer {secret}", "Accept": "text/event-stream"}
    return await AsyncClient().get(f"/api/instances/{instance.name}/logs?{query}", headers=headers)


async def line_of(parts: AsyncIterator[bytes]) -> str:
    while True:
        part = await asyncio.wait_for(anext(parts), SECONDS)
        if part.startswith(b"data: "):
            return str(json.loads(part.removeprefix(b"data: "))["message"])


@pytest.fixture
def quick(monkeypatch, settings, tmp_path) -> None:
    settings.ALMA_DATA_DIR = tmp_path
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.02)


def stage() -> tuple[Instance, str]:
    key, secret = make_key(frozenset({"instance:read"}))
    return make_instance(organization=key.organization), secret


async def test_follow_says_what_stands_and_what_comes(quick: None) -> None:
    instance, secret = await sync_to_async(stage)()
    write(instance.pk, "one", "two", "three")
    answer = await opened(instance, secret, "follow=true&lines=2")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
    parts = answer.streaming_content
    assert [await line_of(parts), await line_of(parts)] == ["two", "three"]
    write(instance.pk, "four", "five")
    assert [await line_of(parts), await line_of(parts)] == ["four", "five"]
    waiting = asyncio.ensure_future(line_of(parts))
    logs.path_of(instance.pk).write_text("")  # cut from outside
    await asyncio.sleep(0.2)
    write(instance.pk, "six")
    assert await waiting == "six"
    logs.forget(instance.pk)
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(anext(parts), SECONDS)


async def test_follow_leaves_out_other_levels_and_half_lines(quick: None) -> None:
    instance, secret = await sync_to_async(stage)()
    write(instance.pk, "an error", "fine")
    answer = await opened(instance, secret, "follow=1&level=error")
    parts = answer.streaming_content
    assert await line_of(parts) == "an error"
    with logs.path_of(instance.pk).open("a") as file:
        file.write("fine\nerror in ")
        file.flush()
        await asyncio.sleep(0.1)
        file.write("two halves\n")
    assert await line_of(parts) == "error in two halves"
    await parts.aclose()


@pytest.mark.parametrize("query", ["follow=perhaps", "follow=true&level=loud", "follow=true&lines=-7"])
async def test_follow_that_is_refused(quick: None, query: str) -> None:
    instance, secret = await sync_to_async(stage)()
    answer = await opened(instance, secret, query)
    assert (answer.status_code, set(answer.json())) == (400, {"error", "code", "details"})
