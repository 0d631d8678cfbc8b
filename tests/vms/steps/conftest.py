"""Things that happen to the sandbox while a job runs."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.fixtures.sandbox import RunningSandbox
from vms.models import Cluster
from vms.services import GuestRef


class Meddler:
    """Does something in the sandbox again and again from another thread, or once after a while."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def again_and_again(self, act: Callable[[], Any], *, pause: float = 0.002) -> None:
        self._begin(lambda: self._loop(act, pause))

    def later(self, seconds: float, act: Callable[[], Any]) -> None:
        self._begin(lambda: None if self._stop.wait(seconds) else act())

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(10)

    def _begin(self, target: Callable[[], Any]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _loop(self, act: Callable[[], Any], pause: float) -> None:
        while not self._stop.wait(pause):
            act()


@pytest.fixture
def meddler(fresh_sandbox: RunningSandbox) -> Iterator[Meddler]:
    meddler = Meddler()
    yield meddler
    meddler.stop()


CREATE = "/nodes/{node}/qemu"


def ours(sandbox: RunningSandbox) -> list[int]:
    """The guests in the sandbox that carry a marker of ours, without asking our own code."""
    guests = sandbox.core.state.guests
    return sorted(guest.vmid for guest in guests if str(guest.config.get("description", "")).startswith("alma:"))


def ref(cluster: Cluster) -> GuestRef:
    return GuestRef(cluster=cluster.pk, owner="test", key="web", node="pve1")
