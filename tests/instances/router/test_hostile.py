"""Clients that do not behave, and what must not pass in either direction."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from tests.instances.router.installation import Installation, chat, wait

pytestmark = pytest.mark.processes


class Backend(BaseHTTPRequestHandler):
    """In the place of an instance: it notes what reaches it, and answers with more than it should."""

    protocol_version = "HTTP/1.1"
    seen: list[dict[str, Any]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.seen.append({"path": self.path, "headers": dict(self.headers), "body": body, "method": self.command})
        self.send_response(200)
        for name, value in (
            ("Access-Control-Allow-Origin", "*"),
            ("Set-Cookie", "a=b"),
            ("Server", "x"),
            ("X-Secret", "y"),
        ):
            self.send_header(name, value)
        answer = b'{"object":"x","usage":{"prompt_tokens":3,"completion_tokens":4}}'
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_DELETE = do_PUT = do_POST

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def seen(installation: Installation) -> Iterator[list[dict[str, Any]]]:
    """What reaches the instance `noting`, which is a server of this test: its row says that it runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Backend)
    installation.create("noting", starts=False, aliases=["note"], request_defaults={"temperature": 0, "seed": 5})
    threading.Thread(target=server.serve_forever, daemon=True).start()
    installation.shell(
        "from instances.models import KEY, Instance\n"
        "Instance.objects.filter(name='noting').update(node='elsewhere', status='running', wanted='running', wanted_run=1, run=1,"
        f" marker='m', key_sealed=KEY.seal('backend-key'))\n"
        "from django.db import connection\n"
        "connection.cursor().execute('PRAGMA ignore_check_constraints = 1')\n"
        f"Instance.objects.filter(name='noting').update(port={server.server_port})\n"
    )
    name = {"model": "noting", "messages": []}
    with installation.http() as client:
        wait(lambda: client.post("/v1/chat/completions", json=name).status_code == 200, lambda: "an answer", pause=0.3)
    Backend.seen.clear()
    yield Backend.seen
    server.shutdown()


def test_the_key_of_the_client_stays_here_and_that_of_the_instance_goes_there(
    installation: Installation, seen: list[Any]
) -> None:
    secret = installation.secrets["inference_key"]
    with installation.http() as client:
        answer = client.post(
            "/v1/chat/completions", json=chat("note"),
            headers={"X-API-Key": secret, "Cookie": "sessionid=s", "X-Forwarded-For": "6.6.6.6", "Connection": "X-Odd", "X-Odd": "1"},
        )  # fmt: skip
    assert answer.status_code == 200
    told = seen[-1]
    assert told["headers"]["Authorization"] == "Bearer backend-key"
    assert secret not in json.dumps({**told, "body": ""})
    assert {"Cookie", "X-API-Key", "X-Forwarded-For", "X-Odd"}.isdisjoint(told["headers"])
    assert {"set-cookie", "x-secret", "access-control-allow-origin"}.isdisjoint(answer.headers)
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_numbers_arrive_as_they_were_sent_and_defaults_fill_what_is_missing(
    installation: Installation, seen: list[Any]
) -> None:
    raw = b'{"model":"note","seed":18446744073709551615,"top_p":0.10,"messages":[],"n_discard":-5,"keep_alive":"5m"}'
    with installation.http() as client:
        answer = client.post("/v1/chat/completions", content=raw, headers={"Content-Type": "application/json"})
    assert answer.headers["X-Dropped-Fields"] == "n_discard"
    body = seen[-1]["body"]
    assert b'"seed":18446744073709551615' in body
    assert b'"top_p":0.10' in body
    assert json.loads(body) == {
        "model": "noting", "seed": 2**64 - 1, "top_p": 0.1, "messages": [], "temperature": 0,
    }  # fmt: skip


def test_a_form_with_a_file_goes_through(installation: Installation, seen: list[Any]) -> None:
    with installation.http() as client:
        answer = client.post(
            "/v1/audio/transcriptions",
            data={"model": "note"},
            files={"file": ("a.wav", bytes(range(256)), "audio/wav")},
        )
    assert answer.status_code == 200
    assert (seen[-1]["path"], bytes(range(256)) in seen[-1]["body"]) == ("/v1/audio/transcriptions", True)
    assert b"noting" in seen[-1]["body"]


PATHS = [
    "/../../v1/x", "/%2e%2e/x", "/..%2fx", "/%252e%252e/x", "//other/x", "/a\\b", "/a%00b", "/a%0d%0ab", "/./x",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_can_be_read_in_two_ways_goes_nowhere(
    installation: Installation, seen: list[Any], path: str
) -> None:
    before = len(seen)
    key = installation.secrets["api_key"]
    with socket.create_connection(("127.0.0.1", installation.http_port)) as one:
        head = f"GET /api/v1/instances/noting/proxy{path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nConnection: close\r\n\r\n"
        one.sendall(head.encode())
        status = one.recv(4096).split(b" ")[1]
    assert status in {b"400", b"404"}
    assert len(seen) == before


def test_who_may_ask_an_instance_directly(installation: Installation, seen: list[Any]) -> None:
    base = "/api/v1/instances/noting/proxy"
    with installation.http() as inference:
        statuses = [
            inference.get(f"{base}/health").status_code, inference.get(f"{base}/v1/models").status_code,
            inference.post(f"{base}/completion", json={"prompt": "x", "n_discard": 1}).status_code,
            inference.get(f"{base}/slots").status_code, inference.post(f"{base}/props", json={}).status_code,
            inference.delete(f"{base}/health").status_code,
        ]  # fmt: skip
    assert statuses == [200, 200, 200, 403, 403, 403]
    assert seen[-1]["body"] == b'{"prompt":"x"}'
    assert installation.admin.get(f"{base}/slots?a=b%20c").status_code == 200
    assert seen[-1]["path"] == "/slots?a=b%20c"
    assert installation.admin.put(f"{base}/any/thing", content=b"\xff raw").status_code == 200
    assert (seen[-1]["method"], seen[-1]["body"]) == ("PUT", b"\xff raw")


BODIES = {
    "no JSON": (b"{", 400, "invalid_json"), "no object": (b"[1]", 400, "invalid_json"), "no model": (b"{}", 400, "missing_model"),
    "a number for a model": (b'{"model":5}', 400, "validation_error"), "too deep": (b'{"a":' + b"[" * 90_000, 400, "invalid_json"),
    "a NUL": (b'{"model":"a\\u0000b"}', 404, "model_not_found"), "half a character": (b'{"model":"\\ud800"}', 400, "validation_error"),
    "too large": (b" " * (33 * 1024 * 1024), 413, "payload_too_large"),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_bodies_that_are_refused(installation: Installation, name: str) -> None:
    body, status, code = BODIES[name]
    with installation.http() as client:
        answer = client.post("/v1/chat/completions", content=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
        if status != 413:
            twin = client.post("/v1/messages", content=body).json()
            assert (twin["type"], set(twin["error"])) == ("error", {"type", "message"})


def test_methods_keys_and_routes_of_others(installation: Installation) -> None:
    with installation.http() as client:
        assert client.get("/v1/chat/completions").status_code == 405
        assert client.post("/v1/models").status_code == 405
        assert client.get("/v1/info").json()["success"] is True, "the routes of the other family stay where they are"
        assert client.get("/v1/models", headers={"X-API-Key": "another"}).status_code == 400
        assert client.get("/v1/models?api_key=x", headers={"Authorization": ""}).status_code == 401
        answer = client.options("/v1/chat/completions", headers={"Origin": "https://evil.example"})
        assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (204, False)
    nothing = httpx.post(f"{installation.url}/v1/chat/completions", json=chat("noting"))
    assert (nothing.status_code, nothing.headers["www-authenticate"]) == (401, "Bearer")


def test_the_model_of_another_organization_is_as_if_there_were_none(installation: Installation) -> None:
    installation.create("secret-model", starts=False)
    key = installation.shell(
        "from alma.accounts.models import ApiKey, Organization\n"
        "other = Organization.objects.get_or_create(slug='other', name='Other')[0]\n"
        "print(ApiKey.mint(other, 'theirs', frozenset(['inference:use', 'instance:write', 'instance:read']))[1])"
    ).split()[-1]
    with installation.http(key) as client:
        there, nowhere = (
            client.post("/v1/chat/completions", json=chat(name)) for name in ("secret-model", "no-such-model")
        )
        assert there.status_code == nowhere.status_code == 404
        assert there.text.replace("secret-model", "no-such-model") == nowhere.text
        assert client.get("/api/v1/instances/secret-model/proxy/health").status_code == 404
        assert client.get("/v1/models").json()["data"] == []
        assert "secret" not in client.get("/api/v1/requests").text.replace("secret-model", "", 2)
