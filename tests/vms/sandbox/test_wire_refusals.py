"""What the HTTP server of the sandbox refuses, in the words and in the order of Proxmox's."""

import pytest

from tests.fixtures.sandbox import RunningSandbox
from tests.vms.sandbox.raw import Wire, ask, token

VERSION = "GET /api2/json/version"


@pytest.mark.parametrize(
    ("head", "line"),
    [
        ("PATCH /api2/json/version", "HTTP/1.1 501 method 'PATCH' not available"),
        ("OPTIONS /api2/json/version", "HTTP/1.1 501 method 'OPTIONS' not available"),
        ("HEAD /api2/json/version", "HTTP/1.1 501 method 'HEAD' not available"),
        ("GET /api2/yaml/version", "HTTP/1.1 501 no formatter for uri /version, yaml"),
        ("GET /api2", "HTTP/1.1 501 no such uri"),
        ("GET /nothing", "HTTP/1.1 501 no such file '/nothing'"),
        ("GET //api2/json/version", "HTTP/1.1 501 no such file '//api2/json/version'"),
        ("GET /api2/json/%zz", "HTTP/1.1 501 Method 'GET /%zz' not implemented"),
        (f"GET /api2/json/{'a' * 20_000}", f"HTTP/1.1 501 Method 'GET /{'a' * 20_000}' not implemented"),
        (f"GET /api2/json/nodes/pve1/qemu/{'9' * 5000}/config", "HTTP/1.1 400 Parameter verification failed."),
        ("GET /api2/json", "HTTP/1.1 200 OK"),
        ("GET /api2/json//nodes//pve1/", "HTTP/1.1 200 OK"),
        ("GET /api2/json/foo", "HTTP/1.1 501 Method 'GET /foo' not implemented"),
        ("POST /api2/json/nodes/pve1/execute", "HTTP/1.1 501 Method 'POST /nodes/pve1/execute' not implemented"),
        (
            "GET /api2/json/nodes/nosuch/qemu",
            "HTTP/1.1 500 hostname lookup 'nosuch' failed - failed to get address info for: nosuch: Name or service not known",
        ),
    ],
)
def test_refused_heads(sandbox: RunningSandbox, head: str, line: str) -> None:
    assert ask(sandbox, head, token(sandbox)).line == line


@pytest.mark.parametrize(
    ("head", "header", "body", "line"),
    [
        ("DELETE /api2/json/pools/x", "X-A: 1", b"a=1", "501 Unexpected content for method 'DELETE'"),
        ("GET /api2/json/version", "X-A: 1", b"a=1", "501 Unexpected content for method 'GET'"),
        ("POST /api2/json/pools", "Content-Length: 600000", b"", "501 for data too large"),
        ("POST /api2/json/pools", "Content-Type: text/xml", b"<a/>", "506 upload 'Content-Type 'text/xml' not implemented"),
        ("POST /api2/json/pools", "Content-Type: \xff", b"a=1", "506 upload 'Content-Type '?' not implemented"),
        ("POST /api2/json/pools", "Transfer-Encoding: chunked", b"", "501 chunked transfer encoding not supported"),
        ("POST /api2/json/pools", "Content-Type: application/json", b"{", '500 malformed JSON string, neither tag, array, '
         'object, number, string or atom, at character offset 0 (before "{")'),
        ("POST /api2/json/pools", "Content-Type: application/json", b"[1]", "500 Not a HASH reference"),
    ],
)  # fmt: skip
def test_refused_bodies(sandbox: RunningSandbox, head: str, header: str, body: bytes, line: str) -> None:
    answer = ask(sandbox, head, token(sandbox), header, body=body)
    assert answer.line == f"HTTP/1.1 {line}" and answer.headers["connection"] == "close"
    assert answer.body.decode() == line.partition(" ")[2]


@pytest.mark.parametrize("method", ["FOO", "get", "PROPFIND"])
def test_methods_that_nobody_has_heard_of(sandbox: RunningSandbox, method: str) -> None:
    answer = ask(sandbox, f"{method} /api2/json/version", token(sandbox))
    assert answer.line.partition(" ")[2] == f"501 method '{method}' not available"


@pytest.mark.parametrize(
    "value", [f"balloon={2**63}", f"cores={'9' * 5000}", "cores=%D9%A1", f"scsi5=local-lvm:{'9' * 400}"]
)
def test_a_number_of_more_than_64_bits_harms_nobody_after_it(fresh_sandbox: RunningSandbox, value: str) -> None:
    line = ask(
        fresh_sandbox, "PUT /api2/json/nodes/pve1/qemu/101/config", token(fresh_sandbox), body=value.encode()
    ).line
    assert not line.endswith("internal error")
    assert ask(fresh_sandbox, VERSION, token(fresh_sandbox)).line == "HTTP/1.1 200 OK"


@pytest.mark.parametrize("name", ["%00", "a%0d%0aX-Other:%201", "%1b%5b31m", "%ff%fe"])
def test_control_characters_stay_out_of_the_head(sandbox: RunningSandbox, name: str) -> None:
    answer = ask(sandbox, f"GET /api2/json/nodes/{name}/qemu", token(sandbox))
    assert answer.line.startswith(("HTTP/1.1 500 hostname lookup", "HTTP/1.1 501 Method")) and answer.body
    assert "x-other" not in answer.headers and answer.line.isprintable()


def test_whoever_is_unknown_is_told_so_before_the_body_is_looked_at(sandbox: RunningSandbox) -> None:
    answer = ask(sandbox, "POST /api2/json/pools", "Content-Type: text/xml", body=b"<a/>")
    assert answer.line == "HTTP/1.1 401 No ticket" and answer.body == b""


def test_too_many_headers_are_hung_up_on(sandbox: RunningSandbox) -> None:
    assert ask(sandbox, VERSION, token(sandbox), *(f"X-{number}: 1" for number in range(60))).line == "HTTP/1.1 200 OK"
    assert ask(sandbox, VERSION, token(sandbox), *(f"X-{number}: 1" for number in range(61))).line == ""
    assert ask(sandbox, VERSION, token(sandbox), f"X-Long: {'a' * 5000}", f"X-Longer: {'a' * 4000}").line == ""


def test_other_versions_of_http_and_noise_are_refused(sandbox: RunningSandbox) -> None:
    with Wire(sandbox) as wire:
        assert (
            wire.speak("GET /api2/json/version HTTP/2.0").line == "HTTP/1.0 506 http protocol version 2.0 not supported"
        )
    with Wire(sandbox) as wire:
        assert wire.speak("what is this").line == "HTTP/1.0 400 bad request"
    with Wire(sandbox) as wire:
        assert wire.speak("GET /api2/json/\0 HTTP/1.1").line == "HTTP/1.0 400 bad request"
    with Wire(sandbox) as wire:
        old = wire.speak("GET /api2/json/version HTTP/1.0", token(sandbox))
        assert old.headers["connection"] == "close" and wire.is_closed


def test_a_client_that_wants_to_close_is_closed(sandbox: RunningSandbox) -> None:
    with Wire(sandbox) as wire:
        assert wire.send(VERSION, token(sandbox), "Connection: close").headers["connection"] == "close"
        assert wire.is_closed


def test_the_other_formats(sandbox: RunningSandbox) -> None:
    framed = ask(sandbox, "GET /api2/htmljs/version", token(sandbox))
    assert framed.headers["content-type"] == "text/html;charset=UTF-8" and b"&quot;success&quot;:1" in framed.body
    viewer = ask(sandbox, "GET /api2/spiceconfig/version", token(sandbox))
    assert viewer.body.startswith(b"[virt-viewer]\n") and b"release=9.2\n" in viewer.body
    page = ask(sandbox, "GET /api2/html/nodes", token(sandbox))
    assert b'<a href="/api2/html/nodes/pve1">pve1</a>' in page.body
    login = ask(sandbox, "GET /api2/html/nodes")
    assert login.line == "HTTP/1.1 301 Moved" and login.headers["location"] == "/api2/html/access/ticket"
    assert ask(sandbox, "GET /api2/png/version", token(sandbox)).headers["content-type"] == "image/png"


def test_a_message_that_perl_did_not_die_of_has_no_newline(sandbox: RunningSandbox) -> None:
    refused = ask(sandbox, "GET /api2/json/foo", token(sandbox)).json
    assert refused == {"data": None, "message": "Method 'GET /foo' not implemented"}
    assert ask(sandbox, "GET /api2/json/nodes/nosuch/qemu", token(sandbox)).json["message"].endswith("known\n")


def test_an_offline_node_has_no_body(fresh_sandbox: RunningSandbox) -> None:
    fresh_sandbox.core.faults.take_offline("pve2")
    answer = ask(fresh_sandbox, "GET /api2/json/nodes/pve2/status", token(fresh_sandbox))
    assert answer.line == "HTTP/1.1 595 No route to host" and answer.body == b""


def test_a_placeholder_may_be_repeated_with_the_same_value_alone(sandbox: RunningSandbox) -> None:
    head = "GET /api2/json/nodes/pve1/qemu?node="
    assert ask(sandbox, f"{head}pve1", token(sandbox)).line == "HTTP/1.1 200 OK"
    refused = ask(sandbox, f"{head}pve2", token(sandbox))
    assert refused.line == "HTTP/1.1 400 Parameter verification failed."
    assert refused.json["errors"] == {"node": "duplicate parameter (already defined in URI) with conflicting values!"}
