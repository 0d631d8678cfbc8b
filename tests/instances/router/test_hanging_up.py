"""A client that hangs up frees the instance, before and after the first token; what it began stands in the log as cancelled."""

import re
import socket

import pytest

from tests.bench.proxy import SLOT, Sides, sides_of
from tests.instances.router.installation import Installation, chat, wait
from tests.instances.serving import ask

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def sides(installation: Installation) -> Sides:
    return sides_of(installation, installation.create("hanging", parallel=1))


def busy(sides: Sides) -> int:
    text = ask(sides.direct.port, "/metrics", key=sides.direct.key)[1]
    found = re.search(rf"{SLOT.decode()}(\d)", text)
    assert found
    return int(found[1])


def record(installation: Installation, is_stream: bool) -> tuple[object, ...]:
    sql = (
        "SELECT state, http_status, completion_tokens FROM instances_requestrecord WHERE model = ? AND is_streamed = ?"
    )
    return installation.row(f"{sql} ORDER BY id DESC", "hanging", is_stream)


@pytest.mark.parametrize("is_stream", [True, False])
def test_a_hang_up_travels_to_the_instance_at_once(installation: Installation, sides: Sides, is_stream: bool) -> None:
    body = sides.bodies(max_tokens=8_000, ignore_eos=True, stream=is_stream)[1]
    with socket.create_connection(("127.0.0.1", sides.routed.port)) as one:
        if is_stream:
            one.sendall(body)
            told = b""
            while b"data: " not in told:
                told += one.recv(65_536)
        with installation.paused("hanging"):
            if not is_stream:
                one.sendall(body)
                wait(lambda: installation.upstream(sides.direct.port) == 1, lambda: "a connection to the instance")
            one.close()
            wait(lambda: installation.upstream(sides.direct.port) == 0, lambda: "no connection", seconds=3)
    wait(lambda: busy(sides) == 0, lambda: "a free slot", pause=0.5)
    wait(
        lambda: record(installation, is_stream)[:2] == ("cancelled", 499), lambda: f"{record(installation, is_stream)}"
    )
    tokens = record(installation, is_stream)[2]
    assert isinstance(tokens, int)
    assert 0 < tokens < 8_000 if is_stream else tokens == 0, "a stream that was cut is counted by its events"


def test_requests_in_flight_can_be_seen(installation: Installation, sides: Sides) -> None:
    sql = "SELECT count(*) FROM instances_requestrecord WHERE model = 'hanging' AND state = 'in_flight'"
    with installation.paused("hanging"), socket.create_connection(("127.0.0.1", sides.routed.port)) as one:
        one.sendall(sides.bodies()[1])
        wait(lambda: installation.row(sql) == (1,), lambda: "one in flight")
    wait(lambda: installation.row(sql) == (0,), lambda: "none in flight")


def test_an_instance_that_closes_after_each_stream_serves_the_next_request(
    installation: Installation, sides: Sides
) -> None:
    with installation.http() as client:
        for number in range(30):
            answer = client.post("/v1/chat/completions", json=chat("hanging", str(number), stream=number % 2 == 0))
            assert answer.status_code == 200
