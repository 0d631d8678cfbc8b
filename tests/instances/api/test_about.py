"""What is told of the server as plain text: by the program that would serve, asked once."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.factories.accounts import make_key
from tests.source import ROOT

pytestmark = pytest.mark.django_db
SERVER = "/api/v1/server"
BACKEND = "/api/v1/backends/llama-cpp"


@pytest.fixture
def client() -> Client:
    return Client(headers={"Authorization": f"Bearer {make_key()[1]}"})


def told(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    return answer.content.decode()


def test_version_has_the_documented_lines(client: Client) -> None:
    lines = told(client, "/api/v1/version").splitlines()
    assert [line.partition(": ")[0] for line in lines] == ["Version", "Commit", "Build Time"]


def test_embedded_server_tells_of_itself(client: Client) -> None:
    assert "--ctx-size N" in told(client, f"{SERVER}/help")
    assert "version:" in told(client, f"{SERVER}/version/")
    assert told(client, f"{SERVER}/devices").startswith("Available devices:")


def test_both_spellings_say_the_same(client: Client) -> None:
    for word in ("help", "version", "devices"):
        assert told(client, f"{BACKEND}/{word}") == told(client, f"{SERVER}/{word}")


def test_version_of_a_clone_is_that_of_git(client: Client) -> None:
    done = subprocess.run(["git", "log", "-1", "--format=%h"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"Commit: {done.stdout.strip()}\n" in told(client, "/api/v1/version")


def paste(client: Client, backend: str, command: Any) -> Any:
    path = f"/api/v1/backends/{backend}/parse-command"
    return client.post(path, {"command": command}, content_type="application/json")


def test_pasted_command_becomes_options(client: Client) -> None:
    command = "CUDA_VISIBLE_DEVICES=0 llama-server -m '/models/my model.gguf' \\\n -ngl 0 --seed -1 --port 8090 --host 0.0.0.0"
    answer = paste(client, "llama-cpp", command)
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body["backend_options"] == {"model": "/models/my model.gguf", "gpu_layers": 0, "seed": -1}
    assert (body["backend_type"], body["port"]) == ("llama_cpp", 8090)
    assert [row["flag"] for row in body["left_out"]] == ["--host"]


@pytest.mark.parametrize(
    ("backend", "command", "words"),
    [
        ("llama-cpp", "llama-server --gpulayers 3", "did you mean gpu_layers?"),
        ("llama-cpp", "llama-server -m 'x", "quotation"),
        ("llama-cpp", "", "command"),
        ("llama-cpp", 5, "command"),
        ("llama-cpp", "llama-server -ngl many", "whole number"),
        ("mlx", "mlx_lm.server --model x", "not set up"),
        ("vllm", "vllm serve x", "not set up"),
    ],
    ids=str,
)
def test_pasted_command_that_is_refused(client: Client, backend: str, command: Any, words: str) -> None:
    answer = paste(client, backend, command)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert words in answer.json()["error"]


def test_program_of_the_operator_is_asked(client: Client, settings, tmp_path: Path) -> None:
    path = tmp_path / "llama-server"
    path.write_text('#!/bin/sh\necho "mine says $1 <b>"\n')
    path.chmod(0o755)
    settings.ALMA_LLAMA_COMMAND = str(path)
    assert told(client, f"{SERVER}/help") == "mine says --help <b>\n"
    assert told(client, f"{SERVER}/devices") == "mine says --list-devices <b>\n"


@pytest.mark.parametrize("word", ["help", "version", "devices"])
def test_program_that_does_not_say(client: Client, settings, word: str) -> None:
    settings.ALMA_LLAMA_COMMAND = "/nowhere/llama-server"
    answer = client.get(f"{SERVER}/{word}")
    assert (answer.status_code, list(answer.json())) == (503, ["error"])


@pytest.mark.parametrize("path", ["/api/v1/version", f"{SERVER}/help"])
def test_without_a_key(path: str) -> None:
    assert Client().get(path).status_code == 401
