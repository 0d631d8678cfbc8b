"""Idempotency-Key with real server processes: several at once, and one that is killed in the middle."""

import json
import sqlite3
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from tests.factories.blueprints import make_document
from tests.fixtures.ports import free_port
from tests.server.running import MANAGE, answers, environment, manage, running, wait_for

pytestmark = pytest.mark.processes
PREPARE = """
from alma.accounts.models import ApiKey, Environment, Organization
from alma.accounts.scopes import SERVICE
organization = Organization.objects.create(slug="default", name="Default")
Environment.objects.create(organization=organization, slug="development", name="Development", required_approvals=0)
print(ApiKey.mint(organization, "tests", SERVICE)[1])
"""


@pytest.fixture
def own(data: Path) -> tuple[Path, str]:
    """An installation of this test alone, and a key."""
    return data, manage("shell", "--no-imports", "-c", PREPARE, env=environment(data)).strip()


def database(folder: Path, sql: str) -> list[Any]:
    with sqlite3.connect(folder / "alma.sqlite3", timeout=20) as connection:
        rows = connection.execute(sql).fetchall()
    connection.close()
    return rows


def post(port: int, path: str, secret: str, body: Any) -> tuple[int, dict[str, str], bytes]:
    """A POST under a key: status, headers, body."""
    headers = {"Content-Type": "application/json", "X-API-Key": secret, "Idempotency-Key": "k1"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, _named(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, _named(error.headers), error.read()


def hopeless(*asked: Any) -> None:
    """A POST whose server is about to die."""
    with suppress(OSError, HTTPException):
        post(*asked)


def _named(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@pytest.fixture
def two_ports(own: tuple[Path, str]) -> Iterator[list[int]]:
    """Two web processes over one database."""
    ports: list[int] = []
    folder, _ = own
    first = free_port()
    with running([*MANAGE, "web"], environment(folder, ALMA_HTTP_PORT=first)):
        wait_for(lambda: answers(first), what="the first web role")
        second = free_port()
        with running([*MANAGE, "web"], environment(folder, ALMA_HTTP_PORT=second)):
            wait_for(lambda: answers(second), what="the second web role")
            ports += [first, second]
            yield ports


def test_fifty_over_two_processes_make_one_blueprint(own: tuple[Path, str], two_ports: list[int]) -> None:
    folder, secret = own
    document = make_document()
    with ThreadPoolExecutor(50) as pool:
        found = list(
            pool.map(lambda n: post(two_ports[n % 2], "/api/v1/blueprints", secret, document), range(50))
        )  # fmt: skip
    statuses = Counter(status for status, _, _ in found)
    assert set(statuses) <= {201, 409}
    assert statuses[201] >= 1
    assert len({body for status, _, body in found if status == 201}) == 1
    assert database(folder, "SELECT count(*) FROM blueprints_blueprint") == [(1,)]
    assert all(post(port, "/api/v1/blueprints", secret, document)[0] == 201 for port in two_ports)
    revoke = "from alma.accounts.models import ApiKey; ApiKey.objects.get().revoke()"
    manage("shell", "--no-imports", "-c", revoke, env=environment(folder))
    assert {post(port, "/api/v1/blueprints", secret, document)[0] for port in two_ports} == {403}  # at once, everywhere


def test_a_request_whose_process_is_killed_can_be_repeated(own: tuple[Path, str]) -> None:
    folder, secret = own
    port = free_port()
    env = environment(folder, ALMA_HTTP_PORT=port)
    with running([*MANAGE, "web"], env) as server:
        wait_for(lambda: answers(port), what="the web role")
        blueprint = json.loads(post(port, "/api/v1/blueprints", secret, make_document())[2])["id"]
        wish = {"title": "Web", "blueprint_id": blueprint}
        caller = threading.Thread(target=hopeless, args=[port, "/api/v1/ipr", secret, wish])
        caller.start()  # waits for a plan, which nobody makes here
        wait_for(lambda: database(folder, "SELECT 1 FROM api_keptanswer WHERE http_status IS NULL"), what="the claim")
        server.kill()
        caller.join(10)
    with running([*MANAGE, "web"], env):
        wait_for(lambda: answers(port), what="the web role again")
        status, headers, _ = post(port, "/api/v1/ipr", secret, wish)
        assert (status, headers["retry-after"]) == (409, "1")
        database(
            folder, "UPDATE api_keptanswer SET claimed_at = strftime('%Y-%m-%d %H:%M:%f', claimed_at, '-2 minutes')"
        )
        status, headers, body = post(port, "/api/v1/ipr", secret, wish)
        assert (status, "idempotency-replayed" in headers) == (201, False)
        again = post(port, "/api/v1/ipr", secret, wish)
        assert (again[0], again[1]["idempotency-replayed"], again[2]) == (201, "true", body)
