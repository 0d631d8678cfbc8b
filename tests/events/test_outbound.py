"""The one request that leaves: its deadline, its bounds, its TLS, and what is known of the answer."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from alma.outbound import Unreached, post
from alma.outbound.client import MOST_READ
from alma.outbound.errors import Reason
from tests.fixtures.certificates import Authority
from tests.fixtures.receiver import Receiver, answer, listening, raw

HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def mute() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def reason(url: str, seconds: float = 15.0) -> Reason:
    with pytest.raises(Unreached) as failed:
        post(url, b"{}", {}, seconds=seconds)
    return failed.value.reason


def test_what_is_sent_and_what_is_known_of_the_answer(allowed_receiver: Receiver) -> None:
    allowed_receiver.respond = answer(503, Retry_After="7")
    found = post(f"{allowed_receiver.url}?a=1", b'{"a":1}', {"Content-Type": "application/json", "webhook-id": "msg_1"})
    (request,) = allowed_receiver.requests
    assert (request.path, request.body) == ("/hook?a=1", b'{"a":1}')
    assert request.headers["host"] == f"127.0.0.1:{allowed_receiver.port}"
    assert (request.headers["webhook-id"], request.headers["connection"]) == ("msg_1", "close")
    assert (found.status, found.retry_after) == (503, "7")
    assert 0 < found.seconds < 5


def test_proxies_of_the_environment_are_not_used(allowed_receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert post(allowed_receiver.url, b"", {}).status == 204


def test_nobody_listens(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    settings.ALMA_OUTBOUND_ALLOW = [f"127.0.0.1:{port}"]
    assert reason(f"http://127.0.0.1:{port}/") == Reason.NO_CONNECTION


def test_a_second_address_is_tried_when_the_first_takes_no_connection(
    allowed_receiver: Receiver, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = allowed_receiver.port
    settings.ALMA_OUTBOUND_ALLOW = [f"127.0.0.1:{port}", f"[::1]:{port}"]
    infos = [(socket.AF_INET6, 1, 6, "", ("::1", port, 0, 0)), (socket.AF_INET, 1, 6, "", ("127.0.0.1", port))]
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *_, **__: [i for i in infos if host in {"hooks.lan", i[4][0]}]
    )
    assert post(f"http://hooks.lan:{port}/", b"", {}).status == 204


# -- time -------------------------------------------------------------------------------------------
def test_a_receiver_that_says_nothing(mute: int, settings: Settings) -> None:
    settings.ALMA_OUTBOUND_ALLOW = [f"127.0.0.1:{mute}"]
    began = time.monotonic()
    assert reason(f"http://127.0.0.1:{mute}/", 0.5) == Reason.TIMEOUT
    assert time.monotonic() - began < 1.5


def test_the_deadline_is_over_all_of_it_and_not_over_each_byte(allowed_receiver: Receiver) -> None:
    allowed_receiver.respond = raw(*[bytes([byte]) for byte in HEAD], pause=0.2)
    began = time.monotonic()
    assert reason(allowed_receiver.url, 1.0) == Reason.TIMEOUT
    assert time.monotonic() - began < 2


def test_a_name_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(20) and [])
    began = time.monotonic()
    assert reason("https://slow.example.org/", 0.5) == Reason.TIMEOUT
    release.set()
    assert time.monotonic() - began < 1.5


def test_tls_that_never_shakes_hands(mute: int, settings: Settings) -> None:
    settings.ALMA_OUTBOUND_ALLOW = [f"127.0.0.1:{mute}"]
    began = time.monotonic()
    assert reason(f"https://127.0.0.1:{mute}/", 0.5) == Reason.TIMEOUT
    assert time.monotonic() - began < 1.5


def test_a_body_that_never_ends_does_not_keep_us_from_the_answer(allowed_receiver: Receiver) -> None:
    allowed_receiver.respond = raw(HEAD + b"\r\n", *[b"x"] * 100, pause=0.1)
    began = time.monotonic()
    assert post(allowed_receiver.url, b"", {}).status == 200
    assert time.monotonic() - began < 2


# -- size and sense ---------------------------------------------------------------------------------
def test_of_a_huge_answer_64_kb_are_read(allowed_receiver: Receiver) -> None:
    written = 0

    def respond(request: object, handler: object) -> None:
        nonlocal written
        handler.wfile.write(HEAD + b"\r\n")  # type: ignore[attr-defined]
        for _ in range(5_000):
            written += handler.wfile.write(b"x" * 65_536)  # type: ignore[attr-defined]

    allowed_receiver.respond = respond
    assert post(allowed_receiver.url, b"", {}).status == 200
    assert written < 20_000_000, "what the system buffers, not the 300 MB that were offered"
    assert MOST_READ == 65_536


@pytest.mark.parametrize(
    "said",
    [b"", b"hello\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x16\x03\x01", b"HTTP/1.1 99 X\r\n\r\n", HEAD + b"a: b\r\n" * 300],
)  # fmt: skip
def test_an_answer_that_is_no_http(said: bytes, allowed_receiver: Receiver) -> None:
    allowed_receiver.respond = raw(said)
    assert reason(allowed_receiver.url) == Reason.NO_ANSWER


def test_endless_provisional_answers(allowed_receiver: Receiver) -> None:
    allowed_receiver.respond = raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000)
    assert reason(allowed_receiver.url) == Reason.NO_ANSWER


# -- TLS --------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


def resolve_to_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: real("127.0.0.1", *rest, **more))


def test_tls_is_verified_for_the_name_in_the_url(
    authority: Authority, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to_loopback(monkeypatch)
    names: list[str | None] = []
    context = authority.server_context("hooks.example.org")
    context.sni_callback = lambda _, name, __: names.append(name)
    with listening(context) as receiver:
        settings.ALMA_OUTBOUND_ALLOW, settings.ALMA_OUTBOUND_CA = ["127.0.0.1:*"], str(authority.path)
        assert post(f"https://hooks.example.org:{receiver.port}/", b"{}", {}).status == 204
        assert reason(f"https://other.example.org:{receiver.port}/") == Reason.TLS
        assert reason(f"https://127.0.0.1:{receiver.port}/") == Reason.TLS
        settings.ALMA_OUTBOUND_CA = ""
        assert reason(f"https://hooks.example.org:{receiver.port}/") == Reason.TLS
        assert len(receiver.requests) == 1
    assert names[:2] == ["hooks.example.org", "other.example.org"]


def test_a_receiver_without_tls(allowed_receiver: Receiver) -> None:
    assert reason(f"https://127.0.0.1:{allowed_receiver.port}/") == Reason.TLS


def test_the_authority_is_read_from_a_file(authority: Authority) -> None:
    assert isinstance(authority.path, Path)
    assert b"BEGIN CERTIFICATE" in authority.path.read_bytes()
