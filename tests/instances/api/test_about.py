"""What is told of the server as plain text: by the program that would serve, asked once."""

from pathlib import Path

import pytest
from django.test import Client

from tests.factories.accounts import make_key

pytestmark = pytest.mark.django_db
SERVER = "/api/v1/server"


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
