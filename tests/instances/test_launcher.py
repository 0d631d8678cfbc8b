"""The real llama.cpp serves the tiny model: chats, streams, schemas, tools, embeddings, and ends when it is told."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from instances.tiny import model
from tests.instances.serving import SECONDS, Served, served
from tests.source import ROOT

pytestmark = pytest.mark.processes
KEY = "the-key-of-this-start"
MESSAGES = [{"role": "user", "content": "the green house"}]
SCHEMA = {
    "type": "object", "required": ["name", "size", "tags"], "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "maxLength": 20}, "size": {"type": "integer", "minimum": 0, "maximum": 9},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 1, "maxItems": 2},
    },
}  # fmt: skip
TOOL = {"type": "function", "function": {"name": "make", "parameters": SCHEMA}}


@pytest.fixture(scope="module")
def server(tiny: Path) -> Iterator[Served]:
    words = ("--alias", "tiny", "-np", "2", "-c", "8192", "--no-slots", "--no-webui", "--metrics")
    with served(tiny, *words, key=KEY) as server:
        yield server


def chat(server: Served, **more: object) -> dict:
    status, answer = server.ask("/v1/chat/completions", {"messages": MESSAGES, "max_tokens": 1500, **more})
    assert status == 200, answer
    return answer


def test_it_answers_in_words_and_counts_them(server: Served) -> None:
    answer = chat(server, max_tokens=20)
    assert answer["model"] == "tiny"
    assert 0 < answer["usage"]["completion_tokens"] <= 20
    assert answer["choices"][0]["message"]["content"].strip()


def test_nobody_without_the_key_is_answered(server: Served) -> None:
    stranger = Served(server.process, server.port, "another")
    assert stranger.ask("/props")[0] == 401
    assert stranger.ask("/v1/chat/completions", {"messages": MESSAGES})[0] == 401
    assert server.ask("/props")[0] == 200


def test_prompts_of_others_and_the_page_are_not_shown(server: Served) -> None:
    assert server.ask("/slots")[0] in {404, 501}
    assert server.ask("/")[0] == 404
    assert server.ask("/metrics")[0] == 200


@pytest.mark.parametrize("seed", range(5))
def test_answer_keeps_a_schema(server: Served, seed: int) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "thing", "schema": SCHEMA}}
    answer = chat(server, response_format=form, seed=seed)
    jsonschema.validate(json.loads(answer["choices"][0]["message"]["content"]), SCHEMA)


@pytest.mark.parametrize("seed", range(5))
def test_tool_is_called_with_what_it_takes(server: Served, seed: int) -> None:
    answer = chat(server, tools=[TOOL], tool_choice="required", seed=seed)
    call = answer["choices"][0]["message"]["tool_calls"][0]["function"]
    assert call["name"] == "make"
    jsonschema.validate(json.loads(call["arguments"]), SCHEMA)


def test_embeddings(tiny: Path) -> None:
    with served(tiny, "--embedding", "--pooling", "mean", "-c", "512") as server:
        status, answer = server.ask("/v1/embeddings", {"input": ["the house", "the river"]})
    assert status == 200
    assert [len(row["embedding"]) for row in answer["data"]] == [model.WIDTH, model.WIDTH]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it(tiny: Path, number: signal.Signals) -> None:
    with served(tiny, "-c", "512") as server:
        server.process.send_signal(number)
        assert server.process.wait(SECONDS) == -number
        with pytest.raises(OSError), socket.create_connection(("127.0.0.1", server.port), timeout=5):
            pass


def test_file_that_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF" + b"\xff" * 100)
    done = subprocess.run(
        [sys.executable, "-m", "instances.launcher", "-m", str(path), "--port", "21999"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS,
    )  # fmt: skip
    assert done.returncode == 1
    assert b"error: " in done.stdout
