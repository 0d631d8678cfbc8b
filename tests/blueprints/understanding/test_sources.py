"""Where models are, and what of it is refused."""

import socket
from pathlib import Path
from typing import Any

import pytest

from alma.accounts.actors import Actor
from blueprints.checks import is_address, model_endpoint
from blueprints.pricing import default_list
from blueprints.understanding import Asking, asking, draft
from blueprints.understanding.asking import ask_here
from blueprints.understanding.proposals import question
from blueprints.understanding.reading import read
from blueprints.understanding.sources import Source
from tests.blueprints.understanding.scripted import part, proposal, says
from tests.fixtures.certificates import Authority
from tests.fixtures.receiver import Receiver, listening

BY = Actor(1, "ana")


@pytest.mark.parametrize(
    ("address", "is_right"),
    [
        ("http://127.0.0.1:11434/v1", True), ("https://api.example.com/v1", True), ("http://[::1]:8000/v1", True),
        ("api.example.com", False), ("ftp://example.com", False), ("http://", False), ("http://[::1", False),
        ("http://user:word@example.com", False), ("http://example.com:99999", False),
    ],
)  # fmt: skip
def test_an_endpoint_is_an_address(settings: Any, address: str, is_right: bool) -> None:
    assert is_address(address) is is_right
    settings.ALMA_MODEL_URL = address
    assert [one.id for one in model_endpoint()] == ([] if is_right else ["blueprints.E001"])


def status_of(source: Source) -> tuple[str, str]:
    badge = ask_here(source, question(read("a web server", None, default_list()))).badge
    return badge.status.value, badge.reason


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:{}/v1", "http://localhost:{}/v1", "http://169.254.169.254/v1", "https://10.0.0.1/v1",
     "http://[::ffff:127.0.0.1]:{}/v1", "http://0x7f000001:{}/v1"],
)  # fmt: skip
def test_an_endpoint_that_a_tenant_names_is_none_of_our_network(receiver: Receiver, url: str) -> None:
    status, reason = status_of(Source("m", BY, url.format(receiver.port)))
    assert status == "down"
    assert reason
    assert receiver.requests == []


def test_tls_of_an_endpoint_is_verified_for_its_name(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, authority = socket.getaddrinfo, Authority(tmp_path)
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: real("127.0.0.1", *rest, **more))
    with listening(authority.server_context("models.example.org")) as receiver:
        receiver.respond = says(proposal(part("web-server")))
        settings.ALMA_OUTBOUND_ALLOW, settings.ALMA_OUTBOUND_CA = ["127.0.0.1:*"], str(authority.path)
        assert status_of(Source("m", BY, f"https://models.example.org:{receiver.port}/v1")) == ("used", "")
        assert status_of(Source("m", BY, f"https://other.example.org:{receiver.port}/v1"))[0] == "down"
        settings.ALMA_OUTBOUND_CA = ""
        assert status_of(Source("m", BY, f"https://models.example.org:{receiver.port}/v1"))[0] == "down"
        assert [one.headers["host"] for one in receiver.requests] == [f"models.example.org:{receiver.port}"]


def test_half_of_the_threads_are_left_for_pages(scripted: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    slots = asking.BoundedSemaphore(1)
    monkeypatch.setattr(asking, "_slots", lambda: slots)
    scripted.respond = says(proposal(part("web-server")))
    with slots:
        assert draft("a web server", about=Asking(BY, default_list()))["metadata"]["model"]["status"] == "busy"
    assert draft("a web server", about=Asking(BY, default_list()))["metadata"]["model"]["status"] == "used"
