"""Bodies that are too large, too slow or dishonest, sent over real sockets."""

import gzip
import json
import socket
import time

import psutil
import pytest
from asgiref.testing import ApplicationCommunicator

from alma.asgi_types import Receive, Scope, Send
from alma.server import guard, limits
from tests.server.running import answers

pytestmark = pytest.mark.processes
API = "/api/v1/conversation/chat"


def talk(port: int, *parts: bytes, pause: float = 0.0) -> tuple[int, dict[str, str], bytes]:
    """Send some bytes and read what comes back: status, headers, body; status 0 when nothing does."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        try:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
        except ConnectionError:
            pass
        received = b""
        try:
            while data := connection.recv(65536):
                received += data
        except (ConnectionError, TimeoutError):
            pass
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    return int(lines[0].split()[1]) if lines[0] else 0, headers, body


def head(path: str = API, *lines: str, method: str = "POST") -> bytes:
    """A request's head."""
    return "\r\n".join(
        [f"{method} {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *lines, "", ""]
    ).encode()


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def test_a_body_announced_as_too_large_is_refused_in_the_words_of_the_api(web_port: int) -> None:
    status, headers, body = talk(web_port, head(API, "Content-Length: 131073", "X-Request-ID: mine-1"))
    assert status == 413
    assert headers["x-request-id"] == "mine-1"
    assert headers["connection"] == "close"
    assert set(json.loads(body)) == {"detail", "error_code", "timestamp"}
    assert json.loads(body)["error_code"] == "PAYLOAD_TOO_LARGE"


def test_where_json_rpc_is_spoken_it_is_refused_in_its_words(web_port: int) -> None:
    status, headers, body = talk(web_port, head("/mcp", "Content-Length: 1048577"))
    told = json.loads(body)
    assert (status, headers["content-type"], told["jsonrpc"], told["error"]["code"]) == (
        413,
        "application/json",
        "2.0",
        -32600,
    )
    assert "1,048,576" in told["error"]["message"]


def test_a_body_of_the_limit_passes(web_port: int) -> None:
    status, _, _ = talk(web_port, head(API, "Content-Length: 131072", "Connection: close"), b" " * 131072)
    assert status not in {0, 413}


def test_blueprints_and_pages_may_be_larger(web_port: int) -> None:
    for path in ("/api/v1/blueprints", "/api/v1/blueprints/1", "/admin/login/"):
        assert talk(web_port, head(path, "Content-Length: 500000", "Connection: close"), b" " * 500_000)[0] != 413
        assert talk(web_port, head(path, "Content-Length: 1048577"))[0] == 413


def test_a_page_is_refused_in_plain_words(web_port: int) -> None:
    status, headers, body = talk(web_port, head("/login/", "Content-Length: 1000000"))
    assert (status, headers["content-type"]) == (413, "text/plain; charset=utf-8")
    assert b"larger than" in body


def test_a_chunked_body_is_stopped_when_it_passes_the_limit(web_port: int) -> None:
    status, _, body = talk(
        web_port, head(API, "Transfer-Encoding: chunked"), *[chunk(b"x" * 50_000)] * 3, chunk(b""), pause=0.02
    )
    assert status == 413
    assert json.loads(body)["error_code"] == "PAYLOAD_TOO_LARGE"


def test_300_megabytes_in_chunks_move_no_memory(web_port: int) -> None:
    server = next(
        process for process in psutil.process_iter(["cmdline"]) if (process.info["cmdline"] or [])[-1:] == ["web"]
        and process.environ().get("ALMA_HTTP_PORT") == str(web_port)
    )  # fmt: skip
    before, most, piece, sent = server.memory_info().rss, 0, chunk(b"x" * 1_000_000), 0
    with socket.create_connection(("127.0.0.1", web_port), timeout=10) as connection:
        connection.sendall(head(API, "Transfer-Encoding: chunked"))
        try:
            for _ in range(300):
                connection.sendall(piece)
                sent += 1
                most = max(most, server.memory_info().rss)
        except OSError:
            pass
    assert sent < 50
    assert most - before < 10_000_000
    assert answers(web_port)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("Content-Length: -1",), {400}),
        (("Content-Length: 1e3",), {400}),
        (("Content-Length: 99999999999999999999999",), {400, 413}),
        (("Content-Length: 5", "Content-Length: 6"), {400}),
        (("Content-Length: 5", "Transfer-Encoding: chunked"), {400}),
        (("Content-Length: 0x10",), {400}),
    ],
)
def test_a_dishonest_length_is_refused(web_port: int, lines: tuple[str, ...], expected: set[int]) -> None:
    assert talk(web_port, head(API, *lines), b"12345")[0] in expected


def test_a_body_longer_than_announced_is_no_second_request(web_port: int) -> None:
    status, _, body = talk(
        web_port, head(API, "Content-Length: 2", "Connection: close"), b"{}GET /login/ HTTP/1.1\r\n\r\n"
    )
    assert status != 200
    assert b"Sign in" not in body


def test_a_compressed_body_is_refused(web_port: int) -> None:
    body = gzip.compress(b"x" * 1_000_000)
    status, _, answer = talk(web_port, head(API, "Content-Encoding: gzip", f"Content-Length: {len(body)}"), body)
    assert status == 415
    assert json.loads(answer)["error_code"] == "UNSUPPORTED_ENCODING"


def test_who_waits_for_100_continue_is_refused_before_sending(web_port: int) -> None:
    status, _, _ = talk(web_port, head(API, "Content-Length: 9999999", "Expect: 100-continue"))
    assert status == 413


def test_a_head_that_is_too_large_is_refused(web_port: int) -> None:
    status, _, _ = talk(web_port, b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * 70_000)
    assert status == 431


def test_many_small_headers_are_refused_as_well(web_port: int) -> None:
    lines = b"".join(f"X-{number}: {'v' * 50}\r\n".encode() for number in range(2_000))
    assert talk(web_port, b"GET / HTTP/1.1\r\nHost: localhost\r\n" + lines)[0] == 431


def test_the_table_of_limits() -> None:
    for path in ("/api/v1/blueprints/3", "/api/v1/tools/execute-direct", "/tools/compare_blueprints/", "/mcp"):
        assert limits.limit_of(path) == limits.MEGABYTE, "it takes a blueprint as YAML, or two"
    assert limits.limit_of("/api/v1/ipr") == limits.DEFAULT
    assert limits.limit_of("/api/v1/blueprintsX") == limits.limit_of("/api/v1/projects/7/blueprints") == limits.DEFAULT
    assert limits.limit_of("/api/v1/webhooks") == limits.limit_of("/v1/webhooks/7") == 256 * limits.KILOBYTE
    assert limits.limit_of("/v1/chat/completions") == limits.limit_of("/v1/embeddings") == 32 * limits.MEGABYTE
    assert limits.limit_of("/api/v1/instances/a/proxy/v1/chat/completions") == 32 * limits.MEGABYTE
    assert limits.limit_of("/api/v1/instances/a") == limits.limit_of("/v1/vms") == limits.DEFAULT
    assert limits.limit_of("/iprs/3/review") == limits.MEGABYTE
    assert limits.limit_of("//api/v1/blueprints") == limits.DEFAULT


async def test_a_body_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.05)
    monkeypatch.setattr(guard, "LINGER_SECONDS", 0.05)

    async def reads(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            continue

    scope = {"type": "http", "method": "POST", "path": API, "headers": [(b"transfer-encoding", b"chunked")]}
    communicator = ApplicationCommunicator(guard.BodyGuard(reads), scope)
    await communicator.send_input({"type": "http.request", "body": b"{", "more_body": True})
    assert (await communicator.receive_output(2))["status"] == 408
    assert json.loads((await communicator.receive_output(2))["body"])["error_code"] == "REQUEST_TIMEOUT"
    await communicator.wait()


async def test_what_is_not_http_passes_untouched() -> None:
    seen = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope, receive, send))

    await guard.BodyGuard(app)({"type": "websocket"}, print, print)  # type: ignore[arg-type]
    assert seen == [({"type": "websocket"}, print, print)]
