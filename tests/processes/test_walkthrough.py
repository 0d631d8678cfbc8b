"""The documented walk-through, verbatim but for the port, against a fresh start with the documented limits."""

import asyncio
import base64
import json
import re
import sqlite3
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from tests.processes.alma import Alma, wait_until

pytestmark = pytest.mark.processes

SCRIPT = r"""
# 1. Generate blueprint with AI
curl -X POST http://localhost:8000/api/v1/blueprints/generate-blueprint \
  -H "X-API-Key: $API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "description": "Production web app with HA database",
    "constraints": {"max_cost": 1000}
  }'
echo
# 2. Create IPR for review
curl -X POST http://localhost:8000/api/v1/ipr/ \
  -H "X-API-Key: $API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "title": "Production web app deployment",
    "blueprint_id": 1
  }'
echo
# 3. Review and approve (public endpoint)
curl -X POST http://localhost:8000/api/v1/ipr/1/review \
  -H "Content-Type: application/json" \
  -d '{
    "action": "approve",
    "reviewer": "ops-team"
  }'
echo
# 4. Deploy (requires auth)
curl -X POST http://localhost:8000/api/v1/ipr/1/deploy \
  -H "X-API-Key: $API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "engine": "proxmox",
    "dry_run": false
  }'
"""


@pytest.fixture(scope="module")
def alma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alma]:
    running = Alma(tmp_path_factory.mktemp("walk"), rate_limits=1)
    running.start()
    yield running
    running.end()


POLL_SECONDS = 1.1
"""As often as the limit of 60 requests a minute lets a key ask for ever."""


def finished(alma: Alma, deployment_id: str) -> dict[str, Any]:
    """The deployment once it has ended."""
    answer: dict[str, Any] = {}

    def has_ended() -> bool:
        with alma.client() as client:
            answer.update(client.get(f"/api/v1/deployments/{deployment_id}").raise_for_status().json())
        return answer["status"] in {"completed", "failed", "cancelled"}

    wait_until(has_ended, 90, alma.log, pause=POLL_SECONDS)
    return answer


def test_create_and_deploy_infrastructure(alma: Alma) -> None:
    script = SCRIPT.replace("localhost:8000", f"localhost:{alma.http_port}")
    environment = {"API_KEY": alma.secrets["api_key"], "PATH": "/usr/bin:/bin:/usr/local/bin"}
    done = subprocess.run(
        ["bash", "-euc", script.replace("curl ", "curl -sS ")],
        env=environment,
        capture_output=True,
        timeout=60,
        check=True,
    )
    blueprint, ipr, review, deployment = (json.loads(line) for line in done.stdout.splitlines())
    assert set(blueprint) >= {"version", "name", "description", "resources", "metadata"}
    assert blueprint["metadata"]["estimated_cost"] <= 1000
    assert (ipr["blueprint_id"], ipr["title"]) == (1, "Production web app deployment")
    assert (review["id"], review["status"]) == (1, "approved")
    assert deployment["deployment_id"].startswith("deploy-")
    assert deployment["status"] == "in_progress"
    assert finished(alma, deployment["deployment_id"])["status"] == "completed"
    guests = alma.guests()
    assert {guests[name]["status"] for name in ("wiki-db", "wiki-app", "wiki-proxy")} == {"running"}


def test_the_python_sample(alma: Alma) -> None:
    headers = {"X-API-Key": alma.secrets["api_key"], "Content-Type": "application/json"}
    with httpx.Client(base_url=f"{alma.url}/api/v1", headers=headers, timeout=20) as client:
        document = {
            "version": "1.0", "name": "production-web-app", "description": "HA web application",
            "resources": [{"name": "web-server-1", "type": "vm", "specs": {"cpu": 4, "memory": "8GB"}}],
        }  # fmt: skip
        blueprint = client.post("/blueprints/", json=document).json()
        ipr = client.post(
            "/ipr/", json={"title": "Deploy production infrastructure", "blueprint_id": blueprint["id"]}
        ).json()
        result = client.post(f"/ipr/{ipr['id']}/deploy", json={"engine": "proxmox", "dry_run": False}).json()
    assert result["status"] == "in_progress"
    assert finished(alma, result["deployment_id"])["status"] == "completed"
    assert alma.guests()["web-server-1"]["maxcpu"] == 4


async def listen(alma: Alma, deployment_id: str, last_seq: int = 0) -> list[dict[str, Any]]:
    """The documented client: subscribe, read until complete."""
    messages = []
    async with websockets.connect(f"ws://127.0.0.1:{alma.http_port}/ws/deployments") as socket:
        await socket.send(json.dumps({"action": "subscribe", "deployment_id": deployment_id, "last_seq": last_seq}))
        async for frame in socket:
            messages.append(json.loads(frame))
            if messages[-1]["type"] in {"complete", "error"}:
                break
    return messages


async def test_the_websocket_tells_it_live_and_again(alma: Alma) -> None:
    with alma.client() as client:
        resources = [{"name": "live-1", "type": "vm", "specs": {"cpu": 1, "memory": "1GB", "disk": "10GB"}}]
        body = {"version": "1.0", "name": "live", "resources": resources}
        blueprint = client.post("/api/v1/blueprints", json=body).json()
        started = client.post(f"/api/v1/blueprints/{blueprint['id']}/deploy", json={}).json()
    deployment_id = started["deployment_id"]
    messages = await asyncio.wait_for(listen(alma, deployment_id), 60)
    assert [message["seq"] for message in messages] == list(range(1, len(messages) + 1))
    assert {message["type"] for message in messages} == {"status_change", "progress", "log", "complete"}
    assert {"DeploymentStarted", "ResourceProvisioned", "DeploymentCompleted"} <= {m["event"] for m in messages}
    assert (messages[-1]["resources_created"], messages[-1]["duration_seconds"] >= 0) == (1, True)
    assert await asyncio.wait_for(listen(alma, deployment_id, last_seq=4), 20) == messages[4:]
    with alma.client() as client:
        assert client.get(f"/api/v1/deployments/{deployment_id}/events").json() == messages


# -- what was secret in all of it ---------------------------------------------------------------------
def plant(alma: Alma) -> tuple[list[str], list[str]]:
    """Secrets that this run was given and gave out, by the ways in which people use them; and what was said after."""
    known, wrong, hook = alma.secrets, "pl4nted-wrong-password", "pl4nted-secret-of-a-receiver"
    person = (known["username"], known["password"])
    with alma.client() as client, httpx.Client(base_url=alma.url, timeout=20) as nobody:
        login = {"username": person[0], "password": person[1]}
        refused = nobody.post("/api/auth/login", json={**login, "password": wrong})
        tokens = nobody.post("/api/auth/login", json=login).raise_for_status().json()
        wish = {"name": "p", "permissions": ["webhook:read", "webhook:write"]}
        minted = nobody.post("/v1/auth/tokens", auth=person, json=wish).raise_for_status().json()["data"]
        body = {"url": "https://hooks.example.org/x", "events": ["deployment.completed"], "secret": hook}
        client.post("/v1/webhooks", json=body).raise_for_status()
        paths = (
            "/v1/webhooks",
            "/v1/auth/tokens",
            "/api/v1/deployments",
            "/metrics",
            "/api/v1/monitoring/health/detailed",
        )
        said = [refused.text, *(client.get(path).text for path in paths), nobody.get(f"/nothing?api_key={wrong}").text]
    given = [known[name] for name in ("password", "api_key", "inference_key", "sandbox_password")]
    own = (alma.folder / "data" / "secret_key").read_text().strip()
    bearer = [tokens["token"], tokens["refresh_token"], minted["access_token"]]
    return [*given, known["sandbox_token"].partition("=")[2], own, wrong, hook, *bearer], said


def cells(database: Path) -> Iterator[tuple[str, str]]:
    """Every value of every table as text, and what is packed in it unpacked."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                text = " ".join(value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in row)
                yield table, f"{text} {' '.join(map(unpacked, PACKED.findall(text)))}"


PACKED = re.compile(r"[A-Za-z0-9+/_-]{40,}")


def unpacked(text: str) -> str:
    """What base 64, perhaps compressed, says: so the queue keeps what it is to do."""
    packed = base64.urlsafe_b64decode(text.replace("+", "-").replace("/", "_")[: len(text) // 4 * 4])
    try:
        return zlib.decompress(packed).decode("latin-1")
    except zlib.error:
        return packed.decode("latin-1")


def test_no_secret_of_this_run_is_anywhere(alma: Alma) -> None:
    """In no answer, row, queue or log of the processes that ran all of the above."""
    secrets, said = plant(alma)
    places = [*(("an answer", text) for text in said), ("the log", alma.log.read_text())]
    places += cells(alma.folder / "data" / "alma.sqlite3")
    found = {f"{where}: {secret[:9]}…" for where, text in places for secret in secrets if secret in text}
    assert not found
    assert {"events_event", "django_q_task", "accounts_apikey"} <= {where for where, _ in places}
    assert (len(secrets), len(set(secrets))) == (11, 11)
    assert unpacked(base64.urlsafe_b64encode(zlib.compress(secrets[0].encode() * 9)).decode()).startswith(secrets[0])
