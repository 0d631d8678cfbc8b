"""Which URLs and addresses may be called: nothing of our own network, however it is spelled."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from alma.errors import Invalid
from alma.events.checks import outbound_settings
from alma.outbound import Unreached, parse, post
from alma.outbound.addresses import Allowance, may_connect
from alma.outbound.errors import Reason
from tests.fixtures.receiver import Receiver, answer

FORBIDDEN = [
    "127.0.0.1", "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "169.254.169.254", "172.16.0.1", "192.0.0.1",
    "192.0.0.9", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1",
    "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1",
    "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:7f00:1::", "fe80::1", "fe80::1%lo", "fec0::1", "fc00::1",
    "fd00:ec2::254", "ff02::1", "2001:db8::1", "100::1", "5f00::1", "3fff::1", "4000::1",
]  # fmt: skip
PUBLIC = [
    "8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::1", "2620:fe::fe",
]  # fmt: skip
SPELLINGS = [
    "localhost", "127.1", "127.0.1", "0", "0x7f000001", "0x7f.1", "2130706433", "017700000001", "0177.0.0.1",
    "①②⑦.⓪.⓪.①", "127。0。0。1", "[::ffff:7f00:1]", "[fe80::1%lo]",
]  # fmt: skip
Lookup = Callable[..., list[Any]]


def answers(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """A resolver that gives these addresses for every name; the names it was asked for."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        kinds = {False: socket.AF_INET, True: socket.AF_INET6}
        return [(kinds[":" in one], socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


# -- addresses --------------------------------------------------------------------------------------
def test_the_list_is_as_long_as_it_says() -> None:
    assert (len(set(FORBIDDEN)), len(SPELLINGS)) == (42, 13)


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_that_is_not_public_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not may_connect("hooks.example.org", address, 443)
    answers(monkeypatch, address)
    with pytest.raises(Unreached) as refused:
        post("https://hooks.example.org/", b"", {})
    assert refused.value.reason == Reason.NO_ADDRESS


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_in_the_url_is_refused_before_anything_is_looked_up(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answers(monkeypatch, "8.8.8.8")
    with pytest.raises(Invalid):
        post(f"https://[{address}]/" if ":" in address else f"https://{address}/", b"", {})
    assert asked == []


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_taken(address: str) -> None:
    assert may_connect("hooks.example.org", address, 443)
    assert not may_connect("hooks.example.org", address, 22)


@pytest.mark.parametrize("bad", ["127.0.0.1", "10.0.0.1", "::1", "fd00::1"])
def test_one_public_and_one_private_answer_are_refused(bad: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for addresses in (["8.8.8.8", bad], [bad, "8.8.8.8"]):
        answers(monkeypatch, *addresses)
        with pytest.raises(Unreached) as refused:
            post("https://mixed.example.org/", b"", {})
        assert refused.value.reason == Reason.NO_ADDRESS


def test_a_name_without_an_address_says_no_more_than_a_forbidden_one(monkeypatch: pytest.MonkeyPatch) -> None:
    said = []
    for addresses in ([], ["10.0.0.1"]):
        answers(monkeypatch, *addresses)
        with pytest.raises(Unreached) as refused:
            post("https://maybe.example.org/", b"", {})
        said.append((refused.value.message, refused.value.reason, refused.value.code))
    assert said[0] == said[1]


# -- loopback under any name ------------------------------------------------------------------------
@pytest.mark.parametrize("host", SPELLINGS)
def test_no_spelling_of_loopback_is_reached(host: str, receiver: Receiver, settings: Settings) -> None:
    settings.ALMA_OUTBOUND_PORTS = [receiver.port]
    with pytest.raises((Invalid, Unreached)) as refused:
        post(f"http://{host}:{receiver.port}/", b"", {})
    assert getattr(refused.value, "reason", Reason.NO_ADDRESS) == Reason.NO_ADDRESS
    assert receiver.requests == []


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "2130706433", "localhost"])
def test_the_same_spellings_reach_it_once_the_operator_allows(
    host: str, receiver: Receiver, settings: Settings
) -> None:
    settings.ALMA_OUTBOUND_ALLOW = [f"127.0.0.0/8:{receiver.port}", f"[::1]:{receiver.port}"]
    assert post(f"http://{host}:{receiver.port}/", b"", {}).status == 204
    assert len(receiver.requests) == 1


def test_the_own_host_name_is_not_reached(receiver: Receiver, settings: Settings) -> None:
    settings.ALMA_OUTBOUND_PORTS = [receiver.port]
    with pytest.raises((Invalid, Unreached)):
        post(f"http://{socket.gethostname()}:{receiver.port}/", b"", {})
    assert receiver.requests == []


def test_a_name_that_changes_its_answer_is_looked_up_once(
    receiver: Receiver, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Public when it is checked, loopback ever after: what was checked is what is connected to."""
    settings.ALMA_OUTBOUND_PORTS = [receiver.port]
    asked = answers(monkeypatch, "8.8.8.8")
    tried: list[Any] = []

    def connect(address: Any, timeout: float) -> socket.socket:
        tried.append(address)
        answers(monkeypatch, "127.0.0.1")
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Unreached) as refused:
        post(f"http://rebind.example.org:{receiver.port}/", b"", {})
    assert (asked, tried) == (["rebind.example.org"], [("8.8.8.8", receiver.port)])
    assert refused.value.reason == Reason.NO_CONNECTION
    with pytest.raises(Unreached) as refused:
        post(f"http://rebind.example.org:{receiver.port}/", b"", {})
    assert refused.value.reason == Reason.NO_ADDRESS
    assert (len(tried), receiver.requests) == (1, [])


@pytest.mark.parametrize("status", ["301", "302", "303", "307", "308"])
def test_a_redirect_to_loopback_is_not_followed(status: str, allowed_receiver: Receiver) -> None:
    allowed_receiver.respond = answer(int(status), Location=f"http://127.0.0.1:{allowed_receiver.port}/inner")
    assert post(allowed_receiver.url, b"", {}).status == int(status)
    assert [request.path for request in allowed_receiver.requests] == ["/hook"]


# -- URLs -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "url",
    [
        "http://good@127.0.0.1/", "http://127.0.0.1#@good.example.org/", "http://127.0.0.1\\@good.example.org/",
        "https://user:secret@example.org/", "https://example.org/#part", "https://example.org/#",
        "file:///etc/passwd", "gopher://example.org/", "ftp://example.org/", "data:text/plain,x", "unix:/run/x.sock",
        "javascript:alert(1)", "//example.org/", "example.org", "", "https://", "https:///path", "https:example.org",
        "https://exa mple.org/", "https://example.org/\r\nX-Evil: 1", "https://example.org/\x00", "\thttps://example.org/",
        "https://exämple.org/", "https://ex%61mple.org/", "https://example..org/", "https://.example.org/",
        "https://-example.org/", "https://[::1", "https://[example.org]/", "https://example.org:https/",
        "https://example.org:0/", "https://example.org:22/", "https://example.org:8443/", "https://example.org:99999/",
        "http://example.org/", "http://example.org:80/", "https://" + "a" * 300 + ".org/", "https://example.org/" + "a" * 2000,
    ],
)  # fmt: skip
def test_a_url_that_is_not_called(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(url)
    assert dict(refused.value.details or {})["field"] == "url"


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("https://Example.org", "example.org", "/"),
        ("https://example.org:443/a?b=c&d", "example.org", "/a?b=c&d"),
        ("https://xn--exmple-cua.org./hooks/%20", "xn--exmple-cua.org", "/hooks/%20"),
        ("https://[2606:4700::1111]/", "[2606:4700::1111]", "/"),
        ("https://8.8.8.8/", "8.8.8.8", "/"),
    ],
)
def test_a_url_that_is_called(url: str, authority: str, path: str) -> None:
    target = parse(url)
    assert (target.authority, target.path, target.is_tls, target.port) == (authority, path, True, 443)


def test_the_operator_opens_ports(settings: Settings) -> None:
    settings.ALMA_OUTBOUND_PORTS = [443, 80, 8443]
    assert parse("http://example.org/").port == 80
    assert parse("https://example.org:8443/").authority == "example.org:8443"


# -- the operator's list ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("entry", "host", "address", "port", "is_allowed"),
    [
        ("10.1.0.0/16", "any.example.org", "10.1.2.3", 443, True),
        ("10.1.0.0/16", "any.example.org", "10.2.0.1", 443, False),
        ("10.1.0.0/16", "any.example.org", "10.1.2.3", 8080, False),
        ("10.1.2.3:8080", "any.example.org", "10.1.2.3", 8080, True),
        ("10.1.2.3:8080", "any.example.org", "10.1.2.3", 443, False),
        ("127.0.0.1:*", "any.example.org", "127.0.0.1", 31337, True),
        ("fd00::/8", "any.example.org", "fd12::1", 443, True),
        ("[fd00::/8]:9000", "any.example.org", "fd12::1", 9000, True),
        ("::1", "any.example.org", "::1", 443, True),
        ("hooks.lan", "hooks.lan", "192.168.1.9", 443, True),
        ("hooks.lan:8080", "hooks.lan", "192.168.1.9", 8080, True),
        ("hooks.lan", "other.lan", "192.168.1.9", 443, False),
        ("hooks.lan", "hooks.lan", "127.0.0.1", 443, False),
        ("hooks.lan", "hooks.lan", "169.254.169.254", 443, False),
        ("hooks.lan", "hooks.lan", "::1", 443, False),
        ("0.0.0.0/0", "any.example.org", "::1", 443, False),
    ],
)
def test_allowance(entry: str, host: str, address: str, port: int, is_allowed: bool, settings: Settings) -> None:
    settings.ALMA_OUTBOUND_ALLOW = [entry]
    assert may_connect(host, address, port) is is_allowed


@pytest.mark.parametrize(
    "entry", ["10.0.0.0/33", "10.0.0.1/8", "hooks.lan:0", "hooks.lan:70000", "300.1.1.1", "a b", "http://x", "/"]
)
def test_an_entry_that_cannot_be_read_stops_the_start(entry: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="ALMA_OUTBOUND_ALLOW"):
        Allowance.parse(entry)


def test_the_checks_name_the_setting(settings: Settings, tmp_path: Path) -> None:
    assert outbound_settings() == []
    (tmp_path / "empty.pem").write_text("nothing")
    settings.ALMA_OUTBOUND_ALLOW = ["10.0.0.0/99"]
    for path in ("missing.pem", "empty.pem"):
        settings.ALMA_OUTBOUND_CA = str(tmp_path / path)
        found = outbound_settings()
        assert [message.id for message in found] == ["events.E001", "events.E002"]
        assert "ALMA_OUTBOUND_ALLOW" in found[0].msg
        assert "ALMA_OUTBOUND_CA" in found[1].msg
