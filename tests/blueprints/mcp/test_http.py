"""The tools over MCP and HTTP, asked by the client of the `mcp` package through the product's own ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from asgiref.sync import sync_to_async
from django.test import override_settings
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from alma.accounts.scopes import INFERENCE, SERVICE
from alma.asgi import application
from alma.events.models import Event
from blueprints import tools
from blueprints.models import Blueprint
from tests.factories.accounts import make_actor, make_key, make_organization
from tests.factories.blueprints import make_blueprint, make_document

pytestmark = pytest.mark.django_db(transaction=True)
URL = "http://testserver/mcp"
HELLO = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


def client_of(**headers: str) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=application)
    return httpx2.AsyncClient(transport=transport, headers=headers, base_url="http://testserver")


@asynccontextmanager
async def connected(secret: str) -> AsyncIterator[Client]:
    async with (
        client_of(authorization=f"Bearer {secret}") as http,
        Client(streamable_http_client(URL, http_client=http)) as client,
    ):
        yield client


async def key(scopes: frozenset[str] = SERVICE, **more: Any) -> str:
    return (await sync_to_async(make_key)(scopes, **more))[1]


async def test_the_same_thirteen_tools_and_one_that_proposes() -> None:
    async with connected(await key()) as client:
        *found, proposal = (await client.list_tools()).tools
    assert [one.name for one in found] == list(tools.NAMES)
    assert (proposal.name, proposal.annotations.read_only_hint) == ("open_ipr", False)  # type: ignore[union-attr]
    assert tools.REGISTER.keys() == set(tools.NAMES)
    for one in found:
        assert one.input_schema == tools.find(one.name).schema()
        assert one.annotations is not None
        assert (one.annotations.read_only_hint, one.annotations.destructive_hint) == (True, False)


async def test_a_call_answers_as_rest_does_and_saves_nothing() -> None:
    events = await Event.objects.acount()
    async with connected(await key()) as client:
        found = await client.call_tool("estimate_resources", {"requests_per_second": 100, "workload": "api"})
        draft = await client.call_tool("create_blueprint", {"description": "two web servers"})
    assert (found.is_error, found.structured_content["cpu_cores"]) == (False, 8)
    assert draft.structured_content["draft"]["resources"]
    assert not await Blueprint.objects.aexists()
    assert await Event.objects.acount() == events


async def test_refusals_are_results_in_words() -> None:
    foreign = await sync_to_async(lambda: make_blueprint(by=make_actor(organization=make_organization("other"))))()
    async with connected(await key()) as client:
        for name, arguments, code in (
            ("estimate_resources", {"peak_users": -1}, "VALIDATION_ERROR"),
            ("validate_blueprint", {"blueprint_id": foreign.pk}, "BLUEPRINT_NOT_FOUND"),
            ("deploy_everything", {}, "TOOL_NOT_FOUND"),
        ):
            found = await client.call_tool(name, arguments)
            assert found.is_error
            assert found.content[0].text.startswith(code)  # type: ignore[union-attr]


async def test_each_call_has_the_rights_of_its_key() -> None:
    async with connected(await key(frozenset({"tool:read"}))) as client:
        sent = await client.call_tool("validate_blueprint", {"blueprint": make_document()})
        kept = await client.call_tool("validate_blueprint", {"blueprint_id": 1})
    assert (sent.is_error, kept.is_error) == (False, True)
    assert "blueprint:read" in kept.content[0].text  # type: ignore[union-attr]


async def test_who_is_turned_away() -> None:
    good, narrow = await key(), await key(INFERENCE)
    for headers, status in (
        ({}, 401),
        ({"authorization": "Bearer alm_live_nonsense"}, 401),
        ({"x-api-key": narrow}, 403),
        ({"x-api-key": good, "origin": "https://evil.example"}, 403),
        ({"x-api-key": good, "host": "evil.example"}, 403),
        ({"x-api-key": good, "authorization": "Bearer other"}, 400),
    ):
        async with client_of(**headers) as http:
            answer = await http.post("/mcp", json=HELLO)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, -32600)
        assert answer.headers["x-request-id"]
        assert (answer.headers.get("www-authenticate") == "Bearer") is (status == 401)


async def test_bodies_and_methods_that_are_none() -> None:
    async with client_of(**{"x-api-key": await key(), "accept": "application/json, text/event-stream"}) as http:
        assert (await http.get("/mcp")).status_code == 405
        for body in (b"{", b"[]", b'"x"', b"\xff", b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call"}'):
            answer = await http.post("/mcp", content=body, headers={"content-type": "application/json"})
            assert 200 <= answer.status_code < 500
            assert "error" in answer.json()
        assert (await http.post("/mcp", content=b"x" * 3_000_000)).status_code == 413


@override_settings(ALMA_RATE_LIMITS=1)
async def test_calls_are_counted(limits_clock: Any) -> None:
    async with client_of(**{"x-api-key": await key(), "accept": "application/json"}) as http:
        answers = [(await http.post("/mcp", json=HELLO)).status_code for _ in range(11)]
    assert answers[-1] == 429
    assert 429 not in answers[:10]


async def test_a_mount_hands_on_what_is_not_its_own() -> None:
    async with client_of() as http:
        assert (await http.get("/mcpx")).status_code == 404
