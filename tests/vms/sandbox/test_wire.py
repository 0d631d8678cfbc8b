"""What stands on the wire: status lines, headers, bodies, and how parameters may come."""

import json
import socket
import time
from urllib.parse import quote

import pytest

from tests.fixtures.sandbox import RunningSandbox
from tests.vms.sandbox.raw import Wire, ask, token

VERSION = "GET /api2/json/version"


def test_success_headers_and_keep_alive(sandbox: RunningSandbox) -> None:
    with Wire(sandbox) as wire:
        first, second = wire.send(VERSION, token(sandbox)), wire.send(VERSION, token(sandbox))
    assert first.line == second.line == "HTTP/1.1 200 OK"
    assert first.headers["content-type"] == "application/json;charset=UTF-8"
    assert first.headers["cache-control"] == "max-age=0"
    assert first.headers["connection"] == "Keep-Alive"
    assert first.headers["pragma"] == "no-cache"
    assert first.headers["server"] == "pve-api-daemon/3.0"
    assert first.headers["expires"] == first.headers["date"]
    assert first.json == {"data": {"version": "9.2.4", "release": "9.2", "repoid": "5e5ae681198514d4"}}


def test_the_reason_phrase_is_the_message_and_the_connection_ends(sandbox: RunningSandbox) -> None:
    with Wire(sandbox) as wire:
        answer = wire.send("GET /api2/json/nodes/pve1/qemu/999/config", token(sandbox))
        text = "Configuration file 'nodes/pve1/qemu-server/999.conf' does not exist"
        assert answer.line == f"HTTP/1.1 500 {text}"
        assert answer.headers["connection"] == "close"
        assert answer.json == {"data": None, "message": f"{text}\n"}
        assert wire.is_closed


def test_validation_errors_on_the_wire(sandbox: RunningSandbox) -> None:
    answer = ask(sandbox, "GET /api2/json/cluster/nextid?vmid=99", token(sandbox))
    assert answer.line == "HTTP/1.1 400 Parameter verification failed."
    assert answer.json == {
        "data": None, "message": "Parameter verification failed.\n",
        "errors": {"vmid": "invalid format - value does not look like a valid VM ID\n"},
    }  # fmt: skip


def test_extjs_answers_200_always(sandbox: RunningSandbox) -> None:
    good = ask(sandbox, "GET /api2/extjs/version", token(sandbox))
    assert good.json["success"] == 1 and good.json["data"]["release"] == "9.2"
    bad = ask(sandbox, "GET /api2/extjs/nodes/pve1/qemu/999/config", token(sandbox))
    assert bad.line == "HTTP/1.1 200 OK"
    assert (bad.json["success"], bad.json["status"], bad.json["data"]) == (0, 500, None)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("X-Nothing: 1", "No ticket"),
        ("Authorization: PVEAPIToken=root@pam!alma=00000000-0000-0000-0000-000000000000", "Authentication failed!"),
        ("Authorization: PVEAPIToken=nonsense", "Authentication failed!"),
        ("Authorization: PVEAuthCookie=PVE:root@pam:6A4BB5C8::AAAA", "Authentication failed!"),
        ("Cookie: PVEAuthCookie=PVE%3Aroot%40pam%3A6A4BB5C8%3A%3A%C3%A4", "Authentication failed!"),
        ("Cookie: PVEAuthCookie=\xe4\xff", "Authentication failed!"),
    ],
)
def test_unauthorized_has_a_reason_and_no_body(sandbox: RunningSandbox, header: str, reason: str) -> None:
    answer = ask(sandbox, VERSION, header)
    assert answer.line == f"HTTP/1.1 401 {reason}"
    assert answer.body == b"" and answer.headers["content-length"] == "0"


def _login(sandbox: RunningSandbox) -> tuple[str, str]:
    form = f"username=root%40pam&password={quote(sandbox.password, safe='')}".encode()
    data = ask(
        sandbox, "POST /api2/json/access/ticket", "Content-Type: application/x-www-form-urlencoded", body=form
    ).json["data"]
    return data["ticket"], data["CSRFPreventionToken"]


@pytest.mark.parametrize(
    "shape",
    [
        "Cookie: PVEAuthCookie={raw}", "Cookie: PVEAuthCookie={escaped}", "Cookie: a=b; PVEAuthCookie={escaped}; c=d",
        "Cookie: PVEAuthCookie={raw}; version=0; path=/; domain=x", "Authorization: PVEAuthCookie={raw}",
        "Authorization: PVEAuthCookie {escaped}",
    ],
)  # fmt: skip
def test_the_ticket_in_every_header_form(sandbox: RunningSandbox, shape: str) -> None:
    ticket, csrf = _login(sandbox)
    header = shape.format(raw=ticket, escaped=quote(ticket, safe=""))
    assert ask(sandbox, VERSION, header).line == "HTTP/1.1 200 OK"
    refused = ask(sandbox, "POST /api2/json/pools", header, body=b"poolid=csrf")
    assert refused.line == "HTTP/1.1 401 Permission denied - invalid csrf token" and refused.body == b""
    passed = ask(
        sandbox,
        "POST /api2/json/sandbox/faults",
        header,
        f"CSRFPreventionToken: {csrf}",
        body=b"kind=latency&seconds=0",
    )
    assert passed.line == "HTTP/1.1 200 OK"


def test_login_refusal_has_a_body(sandbox: RunningSandbox) -> None:
    answer = ask(sandbox, "POST /api2/json/access/ticket", body=b"username=root@pam&password=wrong")
    assert answer.line == "HTTP/1.1 401 authentication failure"
    assert answer.json == {"data": None, "message": "authentication failure\n"}


def test_login_by_query_by_json_and_by_renewal(sandbox: RunningSandbox) -> None:
    query = f"username=root@pam&password={quote(sandbox.password, safe='')}"
    assert ask(sandbox, f"POST /api2/json/access/ticket?{query}", "Content-Length: 0").line == "HTTP/1.1 200 OK"
    body = json.dumps({"username": "root", "realm": "pam", "password": sandbox.password}).encode()
    data = ask(sandbox, "POST /api2/json/access/ticket", "Content-Type: application/json", body=body).json["data"]
    assert data["username"] == "root@pam" and data["cap"]["vms"]["VM.Allocate"] == 1
    renewal = f"username=root%40pam&password={quote(data['ticket'], safe='')}".encode()
    assert ask(sandbox, "POST /api2/json/access/ticket", body=renewal).line == "HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    ("type", "body"),
    [
        ("Content-Type: application/x-www-form-urlencoded", b"poolid=NAME&comment=a+b"),
        ("Content-Type: application/json", b'{"poolid": "NAME", "comment": "a b"}'),
        ("Content-Type: application/json; charset=utf-8", b'{"poolid": "NAME", "comment": "a b"}'),
        ("X-No-Type: 1", b"poolid=NAME&comment=a%20b"),
    ],
)
def test_bodies_of_every_type(fresh_sandbox: RunningSandbox, type: str, body: bytes) -> None:
    answer = ask(fresh_sandbox, "POST /api2/json/pools", token(fresh_sandbox), type, body=body.replace(b"NAME", b"p1"))
    assert answer.line == "HTTP/1.1 200 OK" and answer.json == {"data": None}
    pool = fresh_sandbox.core.state.pools.get("p1")
    assert pool is not None and pool.comment == "a b"


def test_the_query_wins_over_the_body(fresh_sandbox: RunningSandbox) -> None:
    ask(fresh_sandbox, "POST /api2/json/pools?poolid=query&_dc=1", token(fresh_sandbox), body=b"poolid=body")
    assert "query" in fresh_sandbox.core.state.pools and "body" not in fresh_sandbox.core.state.pools


def test_a_repeated_parameter_becomes_a_list(fresh_sandbox: RunningSandbox) -> None:
    ask(fresh_sandbox, "POST /api2/json/pools", token(fresh_sandbox), body=b"poolid=p")
    ask(fresh_sandbox, "PUT /api2/json/pools/p", token(fresh_sandbox), body=b"vms=110&vms=111")
    assert fresh_sandbox.core.state.pools.get("p").vms == [110, 111]  # type: ignore[union-attr]


def test_large_answers_are_compressed_for_those_who_accept_it(sandbox: RunningSandbox) -> None:
    head = "GET /api2/json/cluster/resources"
    packed = ask(sandbox, head, token(sandbox), "Accept-Encoding: gzip, deflate")
    plain = ask(sandbox, head, token(sandbox))
    assert packed.headers["content-encoding"] == "gzip" and len(packed.body) < len(plain.body)
    assert {row["id"] for row in packed.json["data"]} == {row["id"] for row in plain.json["data"]}
    assert "content-encoding" not in ask(sandbox, VERSION, token(sandbox), "Accept-Encoding: gzip").headers


def test_answers_do_not_wait_for_delayed_acknowledgements(sandbox: RunningSandbox) -> None:
    with Wire(sandbox) as wire:
        wire.send(VERSION, token(sandbox))
        begin = time.perf_counter()
        for _ in range(50):
            wire.send(VERSION, token(sandbox))
        assert (time.perf_counter() - begin) / 50 < 0.02


def test_task_log_as_text(sandbox: RunningSandbox) -> None:
    client = sandbox.proxmoxer()
    upid = client.nodes("pve3").qemu(130).status.stop.post()
    sandbox.wait(upid)
    answer = ask(sandbox, f"GET /api2/json/nodes/pve3/tasks/{quote(upid, safe='')}/log?download=1", token(sandbox))
    assert answer.body == b"TASK OK\n" and answer.headers["content-type"].startswith("text/plain")


def test_lost_answers_and_lost_requests(fresh_sandbox: RunningSandbox) -> None:
    create = "POST /api2/json/nodes/pve1/qemu"
    fresh_sandbox.core.faults.lose_request("POST", "/nodes/*/qemu")
    assert ask(fresh_sandbox, create, token(fresh_sandbox), body=b"vmid=300").line == ""
    assert 300 not in fresh_sandbox.core.state.guests
    fresh_sandbox.core.faults.lose_answer("POST", "/nodes/*/qemu")
    assert ask(fresh_sandbox, create, token(fresh_sandbox), body=b"vmid=300").line == ""
    assert 300 in fresh_sandbox.core.state.guests
    assert fresh_sandbox.count("POST", "/nodes/{node}/qemu", 300) == 2


def test_expired_in_mid_flight(fresh_sandbox: RunningSandbox) -> None:
    fresh_sandbox.core.faults.answer_next(401, "Authentication failed!", "GET", "/version")
    answer = ask(fresh_sandbox, VERSION, token(fresh_sandbox))
    assert answer.line == "HTTP/1.1 401 Authentication failed!" and answer.body == b""
    assert ask(fresh_sandbox, VERSION, token(fresh_sandbox)).line == "HTTP/1.1 200 OK"


@pytest.mark.parametrize(("method", "status"), [("GET", 301), ("HEAD", 301), ("POST", 308)])
def test_plain_http_is_sent_to_https(sandbox: RunningSandbox, method: str, status: int) -> None:
    with socket.create_connection((sandbox.host, sandbox.port), timeout=5) as plain:
        plain.sendall(f"{method} /api2/json/version?a=1 HTTP/1.1\r\nHost: localhost:{sandbox.port}\r\n\r\n".encode())
        answer = plain.makefile().read()
    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert f"Location: https://localhost:{sandbox.port}/api2/json/version?a=1\n" in answer


def test_noise_does_not_hurt(sandbox: RunningSandbox) -> None:
    for noise in (b"\x00\x01\x02\r\n", b"\x16\x03\x01broken", b""):
        with socket.create_connection((sandbox.host, sandbox.port), timeout=5) as plain:
            plain.sendall(noise)
    assert ask(sandbox, VERSION, token(sandbox)).line == "HTTP/1.1 200 OK"
