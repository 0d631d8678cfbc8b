"""MCP as people configure it: `manage.py mcp` started by a client, and a real web server at a real port."""

import asyncio
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from django.conf import settings
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from blueprints import tools
from tests.fixtures.ports import free_port
from tests.server.conftest import installation
from tests.server.running import MANAGE, answers, environment, running, wait_for

__all__ = ["installation"]
pytestmark = pytest.mark.processes
KEY = "alm_live_" + "a1" * 24


def _server(folder: Path, key: str) -> StdioServerParameters:
    env = environment(folder, ALMA_API_KEYS=KEY, ALMA_MCP_KEY=key)
    return StdioServerParameters(command=sys.executable, args=[str(settings.BASE_DIR / "manage.py"), "mcp"], env=env)


_ENVIRONMENT = (
    "from alma.accounts.models import *; "
    "Environment.objects.create(organization=Organization.objects.get_or_create(slug='default')[0], slug='staging', name='Staging')"
)


async def test_over_stdin_and_stdout(installation: Path) -> None:
    make = [*MANAGE, "shell", "--no-imports", "-c", _ENVIRONMENT]
    await asyncio.to_thread(subprocess.run, make, env=environment(installation, ALMA_API_KEYS=KEY), check=True)
    async with Client(stdio_client(_server(installation, KEY))) as client:
        names = [one.name for one in (await client.list_tools()).tools]
        found = await client.call_tool("suggest_architecture", {"requirements": "a shop with a database"})
        wrong = await client.call_tool("forecast_metrics", {})
        draft = (await client.call_tool("create_blueprint", {"description": "two web servers"})).structured_content
        opened = await client.call_tool("open_ipr", {"title": "Web servers", "blueprint": draft["draft"]})
    assert names == [*tools.NAMES, "open_ipr"]
    assert found.structured_content["suggestions"]
    assert wrong.is_error
    assert not opened.is_error, opened.content
    assert opened.structured_content["is_new"]


async def test_a_wrong_key_ends_it(installation: Path) -> None:
    with pytest.raises(Exception):  # noqa: B017  the process ends before it speaks
        async with Client(stdio_client(_server(installation, "wrong"))) as client:
            await client.list_tools()


async def test_over_http(installation: Path) -> None:
    port = free_port()
    with running([*MANAGE, "web"], environment(installation, ALMA_HTTP_PORT=port, ALMA_API_KEYS=KEY)):
        await asyncio.to_thread(wait_for, lambda: answers(port), what="the web role")
        http = httpx2.AsyncClient(headers={"authorization": f"Bearer {KEY}"})
        async with http, Client(streamable_http_client(f"http://127.0.0.1:{port}/mcp", http_client=http)) as client:
            names = [one.name for one in (await client.list_tools()).tools]
            found = await client.call_tool("estimate_resources", {"peak_users": 50})
    assert names == [*tools.NAMES, "open_ipr"]
    assert found.structured_content["cpu_cores"] > 0
