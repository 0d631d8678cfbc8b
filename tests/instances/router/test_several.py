"""Several web processes in front of the same instances: what is counted is counted for all of them together."""

import asyncio
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import openai
import pytest

from tests.fixtures.ports import free_port
from tests.instances.router.installation import Installation, chat, wait
from tests.processes.alma import ROOT
from tests.server.running import MANAGE

pytestmark = pytest.mark.processes
REVOKE = """
from alma.accounts.models import ApiKey
from alma.accounts.actors import for_service
from alma.accounts.desk.keys import end
import time
end(ApiKey.objects.get(digest=ApiKey.digest_of({secret!r})), by=for_service("test"))
print(time.time())
"""


@contextmanager
def another(installation: Installation, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A second web process of the installation."""
    env = {"PATH": os.environ["PATH"], "ALMA_DATA_DIR": str(installation.folder / "data"), "ALMA_RATE_LIMITS": "0"}
    env |= {"ALMA_HTTP_PORT": str(port), **installation.settings}
    process = subprocess.Popen([*MANAGE, "web"], cwd=ROOT, env=env)
    try:
        wait(lambda: status_of(f"http://127.0.0.1:{port}/livez") < 500, lambda: "a second web process")
        yield process
    finally:
        process.kill()
        process.wait(10)


def status_of(url: str) -> int:
    try:
        return httpx.get(url, timeout=2).status_code
    except httpx.HTTPError:
        return 599


@pytest.fixture(scope="module")
def urls(installation: Installation) -> Iterator[list[str]]:
    port = free_port()
    with another(installation, port):
        living = "SELECT count(*) FROM instances_router WHERE seen_at > datetime('now', '-5 seconds')"
        wait(lambda: installation.row(living)[0] == 2, lambda: "two routers")
        yield [installation.url, f"http://127.0.0.1:{port}"]


def client(url: str, key: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60)


@contextmanager
def under_way(installation: Installation, urls: list[str], key: str, name: str) -> Iterator[None]:
    """Within it one request of the key is under way in each process; they end with it."""
    port = installation.row("SELECT port FROM instances_instance WHERE name = ?", name)[0]
    answers: list[int] = []

    def ask(url: str) -> None:
        with client(url, key) as one:
            answers.append(one.post("/v1/chat/completions", json=chat(name)).status_code)

    threads = [threading.Thread(target=ask, args=(url,)) for url in urls]
    with installation.paused(name):
        for thread in threads:
            thread.start()
        wait(lambda: installation.upstream(port) == len(urls), lambda: f"{installation.upstream(port)} under way")
        yield
    for thread in threads:
        thread.join()
    assert answers == [200] * len(urls)


def test_a_cold_model_is_started_once_for_all(installation: Installation, urls: list[str]) -> None:
    name = installation.create("cold-for-two", starts=False)

    async def ask() -> list[int]:
        async with httpx.AsyncClient(
            headers={"Authorization": f"Bearer {installation.secrets['inference_key']}"}, timeout=60
        ) as one:
            path = "/v1/chat/completions"
            answers = await asyncio.gather(*(one.post(urls[n % 2] + path, json=chat(name)) for n in range(40)))
            return [answer.status_code for answer in answers]

    assert asyncio.run(ask()) == [200] * 40
    assert installation.row("SELECT run, restarts FROM instances_instance WHERE name = ?", name) == (1, 0)


def test_requests_at_once_of_a_key(installation: Installation, urls: list[str]) -> None:
    name, key = installation.create("shared"), installation.key(requests_at_once=2)
    with under_way(installation, urls, key, name):
        for url in urls:
            with client(url, key) as one:
                refused = one.post("/v1/chat/completions", json=chat(name))
                assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many_at_once"), refused.text
                assert refused.headers["Retry-After"] == "1"
    with client(urls[0], key) as one:
        ended = "SELECT sum(inside) FROM instances_keyload"
        wait(lambda: installation.row(ended)[0] == 0, lambda: f"{installation.row(ended)}")
        assert one.post("/v1/chat/completions", json=chat(name)).status_code == 200


def test_tokens_of_a_day_and_requests_a_minute(installation: Installation, urls: list[str]) -> None:
    name = installation.create("rationed")
    for limits, words in (({"tokens_per_day": 20}, "for a day"), ({"requests_per_minute": 1}, "1 times a minute")):
        key = installation.key(**limits)
        first, second = (openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0) for url in urls)
        first.chat.completions.create(**chat(name))
        if "tokens_per_day" in limits:  # what the first process has not written yet is at most a second old
            wait(lambda: installation.row("SELECT max(day) FROM instances_tokenuse")[0], lambda: "use")
            time.sleep(1.2)
        with pytest.raises(openai.RateLimitError, match=words):
            second.chat.completions.create(**chat(name))


def test_concurrency_of_an_instance_is_shared(installation: Installation, urls: list[str]) -> None:
    name, key = installation.create("narrow-for-two", concurrency=2), installation.key()
    line = "SELECT count(*) FROM instances_waiter w JOIN instances_instance i ON i.id = w.instance_id WHERE i.name = ?"
    late: list[int] = []

    def ask(url: str) -> None:
        with client(url, key) as one:
            late.append(one.post("/v1/chat/completions", json=chat(name)).status_code)

    with under_way(installation, urls, key, name):
        threads = [threading.Thread(target=ask, args=(url,)) for url in urls]
        for thread in threads:
            thread.start()
        wait(lambda: installation.row(line, name)[0] == 2, lambda: f"{installation.row(line, name)} wait")
    for thread in threads:
        thread.join()
    assert late == [200, 200]


def test_a_revoked_key_is_refused_everywhere_within_two_seconds(installation: Installation, urls: list[str]) -> None:
    name, key = installation.create("closing"), installation.key()
    for url in urls:
        with client(url, key) as one:  # both know the key now
            assert one.post("/v1/chat/completions", json=chat(name)).status_code == 200
    revoked_at = float(installation.shell(REVOKE.format(secret=key)).split()[-1])
    for url in urls:
        with client(url, key) as one:
            wait(lambda: one.get("/v1/models").status_code == 401, lambda: "a refusal", pause=0.01)
    assert time.time() - revoked_at < 2
