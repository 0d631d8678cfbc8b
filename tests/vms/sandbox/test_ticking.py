"""The clock of the sandbox goes on, whatever happens to one of its turns."""

import threading

import pytest

from tests.fixtures.sandbox import RunningSandbox
from vms.sandbox import server


def test_a_fault_stops_no_clock(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fresh_sandbox: RunningSandbox
) -> None:
    went_on, turns, tick = threading.Event(), iter(range(3)), fresh_sandbox.core.tick

    def failing() -> None:
        turn = next(turns, None)
        if turn == 0:
            raise RuntimeError("a fault of ours")
        if turn is None:
            went_on.set()
        tick()

    monkeypatch.setattr(server, "_LONGEST_NAP", 0.05)
    monkeypatch.setattr(fresh_sandbox.core, "tick", failing)
    assert went_on.wait(20)
    assert [record.message for record in caplog.records if record.name == server.__name__] == [
        "the sandbox could not tick"
    ]
