"""Limits over real processes: exact whoever asks whom, and deaf to addresses that callers make up."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings

from tests.concurrency import together
from tests.fixtures.ports import free_port
from tests.server.running import MANAGE, answers, environment, manage, running, wait_for

pytestmark = pytest.mark.processes
PROCESSES, THREADS, EACH = 2, 10, 20
TAKER = f"""
import sys
from concurrent.futures import ThreadPoolExecutor
import django
django.setup()
from django.db import connections
from alma.api.limits import limiter
from alma.api.limits.classes import OPERATIONS
kept = limiter.current()
def take(_):
    try:
        return sum(kept._line[0].take(OPERATIONS, sys.argv[2], int(sys.argv[1])).is_allowed for _ in range({EACH}))
    finally:
        connections.close_all()
print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor({THREADS}) as pool:
    print(sum(pool.map(take, range({THREADS}))))
"""
NOW = 1_800_000_000_000_000
BURST = 100


def allowed_of(env: dict[str, str]) -> int:
    """What several processes of many threads were given together, at one moment of the clock."""
    command = [sys.executable, "-c", TAKER, str(NOW), uuid4().hex]
    takers = [
        subprocess.Popen(
            command, env=env, cwd=settings.BASE_DIR, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(PROCESSES)
    ]
    try:
        for taker in takers:
            assert taker.stdout and taker.stdout.readline() == "ready\n"
        for taker in takers:
            assert taker.stdin
            taker.stdin.write("\n")
            taker.stdin.flush()
        return sum(int(taker.communicate(timeout=120)[0]) for taker in takers)
    finally:
        for taker in takers:
            taker.kill()
            taker.wait()


def test_sqlite_gives_what_the_bucket_holds(tmp_path: Path) -> None:
    env = environment(tmp_path, ALMA_RATE_LIMITS=1)
    manage("migrate", "api", "--verbosity", "0", env=env)
    assert allowed_of(env) == BURST


def test_postgresql_gives_what_the_bucket_holds_and_waits_for_no_disk(tmp_path: Path, postgresql_url: str) -> None:
    name = f"limits_{uuid4().hex[:12]}"
    with psycopg.connect(postgresql_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            url = f"{postgresql_url.rpartition('/')[0]}/{name}"
            env = environment(tmp_path, ALMA_RATE_LIMITS=1, ALMA_DATABASE_URL=url)
            manage("migrate", "api", "--verbosity", "0", env=env)
            assert allowed_of(env) == BURST
            with psycopg.connect(url) as database:
                kind = database.execute("SELECT relpersistence FROM pg_class WHERE relname = 'api_ratebucket'")
                assert kind.fetchone() == ("u",)
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_redis_gives_what_the_bucket_holds(tmp_path: Path, redis_url: str) -> None:
    assert allowed_of(environment(tmp_path, ALMA_RATE_LIMITS=1, ALMA_REDIS_URL=redis_url)) == BURST


@pytest.fixture(scope="module")
def ports(installation: Path) -> Iterator[tuple[int, int]]:
    """Two web processes over one database, with the documented limits: one that anybody reaches, one behind a proxy."""
    with ExitStack() as stack:
        served = []
        for more in ({}, {"ALMA_BEHIND_PROXY": 1, "ALMA_PROXY_ADDRESSES": "127.0.0.1,10.0.0.0/8"}):
            port = free_port()
            env = environment(installation, **{"ALMA_HTTP_PORT": port, "ALMA_RATE_LIMITS": 1, **more})
            stack.enter_context(running([*MANAGE, "web"], env))
            served.append(port)
            wait_for(lambda port=port: answers(port), what="the web role")
        yield served[0], served[1]


def ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """One request over a connection of its own: status, headers, body."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def test_two_servers_and_two_hundred_callers(ports: tuple[int, int]) -> None:
    """Ten an hour: none comes back while the test runs."""
    seen = together(100, lambda _: [ask(port, "/v1/ai/nothing", "POST")[0] for port in ports])
    statuses = [status for pair in seen for status in pair]
    assert (statuses.count(404), statuses.count(429)) == (10, 190)
    found = json.loads(ask(ports[0], "/api/v1/monitoring/rate-limit/stats")[2])
    row = found["endpoint_stats"]["/v1/ai/generate"]
    assert (row["limit"], row["active_clients"]) == (10, 1)
    assert row["rejected_requests"] <= row["total_requests"] <= 200
    assert found["rate_limited_clients"] >= 1


def left(port: int, path: str, *forwarded: str) -> list[int]:
    """What is left after each request that claims to come from one of these addresses; it comes back by the hour."""
    answered = [ask(port, path, "POST", **{"X-Forwarded-For": text}) for text in forwarded]
    return [int(headers["x-ratelimit-remaining"]) for _, headers, _ in answered]


def test_a_made_up_address_is_not_believed(ports: tuple[int, int]) -> None:
    first, *others = left(ports[0], "/v1/nothing", *(f"203.0.113.{n}" for n in range(5)))
    assert [first - rest for rest in others] == [1, 2, 3, 4]


def test_behind_a_proxy_the_last_address_that_is_not_a_proxy_counts(ports: tuple[int, int]) -> None:
    assert left(ports[1], "/v1/ai/nothing", *(f"203.0.113.{n}, 192.0.2.1, 10.0.0.7" for n in range(3))) == [9, 8, 7]
    assert left(ports[1], "/v1/ai/nothing", "192.0.2.2", "192.0.2.3") == [9, 9]


def test_what_the_guard_refuses_counts_as_well(ports: tuple[int, int]) -> None:
    status, headers, _ = ask(ports[0], "/api/v1/ipr", "POST", **{"Content-Length": "9999999"})
    assert (status, headers["x-ratelimit-limit"]) == (413, "60")
    refused = [ask(ports[0], "/api/v1/ipr", "POST", **{"Content-Encoding": "gzip"}) for _ in range(30)]
    assert {status for status, _, _ in refused} == {415, 429}
    status, headers, body = next(answer for answer in refused if answer[0] == 429)
    assert (headers["x-ratelimit-remaining"], headers["retry-after"]) == ("0", "1")
    assert json.loads(body)["detail"] == "Rate limit exceeded. Try again in 1 second."
