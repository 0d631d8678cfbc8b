"""The real process, killed at any moment and started again."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.fixtures.sandbox import wait_for_task
from tests.vms.sandbox.process import MANAGE, Process
from vms.sandbox import credentials
from vms.sandbox.core.clock import WallClock
from vms.sandbox.core.consistency import check_consistency
from vms.sandbox.core.core import Core
from vms.sandbox.core.world import Options
from vms.sandbox.opening import build
from vms.sandbox.store import Store, StoreInUse

pytestmark = pytest.mark.processes


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[Process]]:
    """Processes that a test starts; what is left of them is killed."""
    processes: list[Process] = []
    yield processes
    for process in processes:
        if process.is_alive:
            process.end(signal.SIGKILL)


def test_a_kill_loses_no_answer_and_running_tasks_can_finish_after_it(tmp_path: Path, started: list[Process]) -> None:
    started.append(Process(tmp_path, "--resume-after-kill"))
    client = started[0].client()
    finished = client.nodes("pve3").qemu(130).status.start.post()
    assert wait_for_task(client, finished) == "OK"
    made = client.nodes("pve1").qemu.post(vmid=300, name="made", scsi0="local-lvm:1", start=1)
    cloned = client.nodes("pve1").qemu(9000).clone.post(newid=301, name="cloned", full=1)
    started[0].end(signal.SIGKILL)

    started.append(Process(tmp_path, "--resume-after-kill"))
    client = started[1].client()
    assert client.nodes("pve3").tasks(finished).status.get()["exitstatus"] == "OK"
    assert client.nodes("pve3").qemu(130).status.current.get()["status"] == "running"
    assert wait_for_task(client, made) == "OK" and wait_for_task(client, cloned) == "OK"
    assert client.nodes("pve1").qemu(300).status.current.get()["status"] == "running"
    assert client.nodes("pve1").qemu(301).config.get()["name"] == "cloned"
    counted = client.sandbox.requests.get(method="POST", vmid=300)
    assert [row["count"] for row in counted] == [1]


def test_a_kill_is_the_reset_of_a_node(tmp_path: Path, started: list[Process]) -> None:
    """What ended has ended; what ran is interrupted, and its guest keeps the lock, which on a node takes `qm unlock`."""
    started.append(Process(tmp_path))
    client = started[0].client()
    finished = client.nodes("pve3").qemu(130).status.start.post()
    assert wait_for_task(client, finished) == "OK"
    client.sandbox.faults.post(kind="slow_tasks", factor=100)
    ran = client.nodes("pve1").qemu.post(vmid=300, scsi0="local-lvm:1")
    started[0].end(signal.SIGKILL)

    started.append(Process(tmp_path))
    client = started[1].client()
    assert client.nodes("pve3").tasks(finished).status.get()["exitstatus"] == "OK"
    assert client.nodes("pve3").qemu(130).status.current.get()["status"] == "running"
    assert client.nodes("pve1").tasks(ran).status.get()["exitstatus"] == "unexpected status"
    assert client.nodes("pve1").qemu(300).config.get()["lock"] == "create"

    suspended = client.nodes("pve1").qemu.post(vmid=301, scsi0="local-lvm:1")
    assert started[1].end(signal.SIGTERM) == 0, "a clean stop suspends the simulation instead"
    started.append(Process(tmp_path))
    assert wait_for_task(started[2].client(), suspended) == "OK"


class Writer(threading.Thread):
    """Makes, changes and removes guests of its own until the connection breaks, and remembers what it was told."""

    def __init__(self, process: Process, vmid: int, rng: random.Random) -> None:
        super().__init__(daemon=True)
        self.client, self.vmid, self.rng = process.client(), vmid, rng
        self.begun: list[str] = []
        self.ended: dict[str, str] = {}
        self.told: dict[int, str] = {}

    def run(self) -> None:
        with contextlib.suppress(requests.RequestException):
            while True:
                self._one()
                self.vmid += 1

    def _one(self) -> None:
        node = self.client.nodes("pve2")
        self._task(node.qemu.post(vmid=self.vmid, scsi0="local-lvm:1", net0="virtio,bridge=vmbr0"))
        words = f"note {self.rng.random()}"
        node.qemu(self.vmid).config.put(description=words, scsi1="shared:1")
        self.told[self.vmid] = words
        if self.rng.random() < 0.7:
            self._task(node.qemu(self.vmid).status.start.post())
        else:
            self.told.pop(self.vmid)
            self._task(node.qemu(self.vmid).delete())

    def _task(self, upid: str) -> None:
        self.begun.append(upid)
        self.ended[upid] = wait_for_task(self.client, upid)


def reopened(data_dir: Path) -> Core:
    """The state as the next process will find it, before it changes anything."""
    with Store(credentials.folder_of(data_dir) / "state.sqlite3") as store:
        return build(
            store.load(), WallClock(), Options(is_reset_realistic=True, time_scale=40), credentials.ensure(data_dir)
        )


def test_kills_at_random_moments_under_writes(tmp_path: Path, started: list[Process]) -> None:
    seed = random.randrange(10**6)
    rng = random.Random(seed)
    writers: list[Writer] = []
    for number in range(3):
        process = Process(tmp_path, "--time-scale", "40")
        started.append(process)
        mine = [Writer(process, 20_000 + 1000 * (3 * number + index), rng) for index in range(3)]
        for writer in mine:
            writer.start()
        enough = rng.randint(3, 9)
        while sum(len(writer.ended) for writer in mine) < enough and any(writer.is_alive() for writer in mine):
            time.sleep(rng.uniform(0.001, 0.05))
        process.end(signal.SIGKILL)
        for writer in mine:
            writer.join(20)
        writers += mine
        _assert_kept(reopened(tmp_path), writers, seed)
    assert sum(len(writer.ended) for writer in writers) >= 9


def _assert_kept(core: Core, writers: list[Writer], seed: int) -> None:
    assert check_consistency(core) == [], seed
    for writer in writers:
        for upid in writer.begun:
            task = core.state.tasks.get(upid)
            assert task is not None and not task.is_running, (seed, upid)
            assert task.exitstatus in {"OK", "unexpected status"}
            assert writer.ended.get(upid) in {None, task.exitstatus}, (seed, upid)
        for vmid, words in writer.told.items():
            assert core.state.guests.get(vmid).config["description"] == words, (seed, vmid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_with_clients_connected(tmp_path: Path, started: list[Process], number: int) -> None:
    started.append(Process(tmp_path))
    client = started[0].client()
    client.version.get()
    assert started[0].end(number) == 0, "within the time that a client's connection is given"


def test_a_second_sandbox_on_the_same_state_is_refused(tmp_path: Path) -> None:
    with Store(tmp_path / "state.sqlite3"), pytest.raises(StoreInUse):
        Store(tmp_path / "state.sqlite3")


def test_a_reset_by_command_while_it_runs_and_while_it_does_not(tmp_path: Path, started: list[Process]) -> None:
    started.append(Process(tmp_path, "--time-scale", "100"))
    client = started[0].client()
    client.nodes("pve1").qemu(101).config.put(description="mine")
    upid = client.nodes("pve1").qemu.post(vmid=300)
    wait_for_task(client, upid)
    _reset(tmp_path)
    assert "description" not in client.nodes("pve1").qemu(101).config.get()
    assert [row["vmid"] for row in client.nodes("pve1").qemu.get() if row["vmid"] == 300] == []
    client.nodes("pve1").qemu.post(vmid=300)
    started[0].end(signal.SIGKILL)
    _reset(tmp_path)
    assert reopened(tmp_path).state.guests.get(300) is None


def _reset(data_dir: Path) -> None:
    command = [sys.executable, str(MANAGE), "sandbox", "--reset", "--data-dir", str(data_dir)]
    subprocess.run(command, check=True, timeout=60, env=os.environ | {"ALMA_DATA_DIR": str(data_dir)})
