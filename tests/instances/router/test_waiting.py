"""Requests for a model that does not serve, or has enough to do, wait in a line that everybody can see."""

import asyncio
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import httpx
import openai
import pytest

from instances.tiny import model
from tests.instances.router.installation import Installation, chat, wait

pytestmark = pytest.mark.processes
STARTS = (
    "SELECT count(*) FROM events_event WHERE kind = 'instance.status_changed'"
    " AND json_extract(data, '$.name') = ? AND json_extract(data, '$.status') = 'starting'"
)
LINE = "SELECT count(*) FROM instances_waiter w JOIN instances_instance i ON i.id = w.instance_id WHERE i.name = ?"


async def test_a_hundred_requests_at_once_start_a_cold_model_once(installation: Installation) -> None:
    name = installation.create("cold", starts=False, parallel=8)
    before = installation.row(STARTS, name)[0]
    client = openai.AsyncOpenAI(
        base_url=f"{installation.url}/v1", api_key=installation.secrets["inference_key"], max_retries=0, timeout=90
    )
    ask = client.chat.completions.with_raw_response.create
    answers = await asyncio.gather(*(ask(**chat(name, f"Number {number}")) for number in range(100)))
    await client.close()
    assert all(answer.parse().choices for answer in answers)
    assert installation.row(STARTS, name)[0] == before + 1
    places = [int(answer.headers["X-Queue-Position"]) for answer in answers]
    assert min(places) == 1
    assert len(set(places)) > 90
    assert all(float(answer.headers["X-Queue-Seconds"]) > 0 for answer in answers)
    wait(lambda: installation.row(LINE, name)[0] == 0, lambda: "an empty line")


@contextmanager
def occupied(installation: Installation, name: str) -> Iterator[None]:
    """Within it the one place that the instance has is taken."""
    body = json.dumps(chat(name)).encode()
    key = installation.secrets["inference_key"]
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(body)}\r\n\r\n"
    port = installation.row("SELECT port FROM instances_instance WHERE name = ?", name)[0]
    with installation.paused(name), socket.create_connection(("127.0.0.1", installation.http_port)) as one:
        one.sendall(head.encode() + body)
        wait(lambda: installation.upstream(port) == 1, lambda: "a request under way")
        yield


def test_a_stream_that_waits_is_told_its_place(installation: Installation) -> None:
    name = installation.create("narrow", concurrency=1)
    with ExitStack() as stack, installation.http() as client:
        busy = stack.enter_context(ExitStack())
        busy.enter_context(occupied(installation, name))
        answer = stack.enter_context(client.stream("POST", "/v1/chat/completions", json=chat(name, stream=True)))
        told = answer.iter_lines()
        assert next(told) == ": position 1"
        assert answer.headers["X-Queue-Position"] == "1"
        rows = installation.admin.get("/api/v1/queue").json()
        assert [row["position"] for row in rows if row["instance"] == name] == [1], rows
        busy.close()
        assert next(line for line in told if line.startswith("data: "))
        assert [line for line in told if line][-1] == "data: [DONE]"


def test_who_hangs_up_while_waiting_leaves_the_line(installation: Installation) -> None:
    name = installation.create("left", concurrency=1)
    with occupied(installation, name), installation.http() as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post("/v1/chat/completions", json=chat(name), timeout=1.5)
        wait(lambda: installation.row(LINE, name)[0] == 0, lambda: "an empty line")
    sql = "SELECT state, http_status, queue_seconds FROM instances_requestrecord WHERE model = ? AND queue_seconds > 0"
    wait(lambda: installation.row(sql, name), lambda: "a record")
    assert installation.row(sql, name)[:2] == ("cancelled", 499)
    assert installation.row(sql, name)[2] > 1


def test_what_is_not_started_on_demand_is_refused_at_once(installation: Installation) -> None:
    name = installation.create("manual", starts=False, on_demand_start=False)
    with pytest.raises(openai.APIStatusError, match="manual is stopped and is not started on demand") as refused:
        installation.openai().chat.completions.create(**chat(name))
    assert (refused.value.status_code, refused.value.code) == (503, "instance_not_running")


def test_what_cannot_start_refuses_all_that_wait_with_its_reason(installation: Installation) -> None:
    name = installation.create("broken", starts=False, auto_restart=False)
    file = installation.folder / "data" / "models" / "gone.gguf"
    model.write(file)
    assert installation.admin.put(f"/api/v1/instances/{name}", json={"model": file.name}).status_code == 200
    file.unlink()
    with pytest.raises(openai.APIStatusError, match=r"gone\.gguf") as refused:
        installation.openai().chat.completions.create(**chat(name))
    assert refused.value.status_code == 503


def test_a_request_for_a_backend_that_was_killed_waits_for_the_next_one(installation: Installation) -> None:
    name = installation.create("killed", restart_delay=0)
    client = installation.openai()
    client.chat.completions.create(**chat(name))
    os.kill(installation.row("SELECT pid FROM instances_instance WHERE name = ?", name)[0], signal.SIGKILL)
    began = time.monotonic()
    assert client.chat.completions.create(**chat(name)).choices
    assert time.monotonic() - began < 20


def test_keep_alive_keeps_an_instance_and_lets_it_go(installation: Installation) -> None:
    name = installation.create("kept")
    sql = "SELECT kept_until FROM instances_instance WHERE name = ?"
    client = installation.openai()
    for keep_alive, begin in ((-1, "9999"), ("1.5h", "20")):
        client.chat.completions.create(**chat(name), extra_body={"keep_alive": keep_alive})
        wait(lambda begin=begin: (installation.row(sql, name)[0] or "").startswith(begin), lambda: "kept")
    client.chat.completions.create(**chat(name), extra_body={"keep_alive": 0})
    installation.wait_for(name, "stopped")
    assert installation.row(sql, name)[0] is None
    with pytest.raises(openai.BadRequestError, match="keep_alive"):
        client.chat.completions.create(**chat(name), extra_body={"keep_alive": "long"})


def test_a_drained_instance_gets_nobody_new_and_loses_nobody(installation: Installation) -> None:
    name = installation.create("drained", stop_seconds=60, on_demand_start=False)
    client = installation.openai()
    with ThreadPoolExecutor() as threads, installation.paused(name):
        under_way = threads.submit(client.chat.completions.create, **chat(name))
        sql = "SELECT count(*) FROM instances_requestrecord WHERE model = ? AND state = 'in_flight'"
        wait(lambda: installation.row(sql, name) == (1,), lambda: "a request under way")
        installation.admin.post(f"/api/v1/instances/{name}/stop")
        wait(lambda: client.models.retrieve(name).status == "stopping", lambda: "the router to know")  # type: ignore[attr-defined]
        with pytest.raises(openai.APIStatusError) as refused:
            client.chat.completions.create(**chat(name))
        assert refused.value.status_code == 503
        assert not under_way.done()
    assert under_way.result().choices
    installation.wait_for(name, "stopped")
