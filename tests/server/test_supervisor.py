"""`manage.py up` with real processes and real signals."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest

from alma.server.processes import MARKER, kill_survivors, survivors
from tests.fixtures.ports import free_port
from tests.server.running import MANAGE, answers, environment, get, wait_for

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]
ROLES = ("web", "worker", "reconciler", "instances", "sandbox")


class Up:
    """A running supervisor and what it has printed."""

    def __init__(self, folder: Path, **more: object) -> None:
        self.folder, self.port = folder, free_port()
        self.env = environment(folder, ALMA_HTTP_PORT=self.port, ALMA_SANDBOX_PORT=free_port(), **more)
        self.output = folder / "output"
        folder.mkdir(exist_ok=True)
        with self.output.open("wb") as file:
            self.process = subprocess.Popen(
                [*MANAGE, "up"], env=self.env, stdout=file, stderr=file, start_new_session=True
            )

    def said(self) -> list[str]:
        return self.output.read_text().splitlines()

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.said()
        return any(line.startswith("ready ") for line in self.said())

    def wait_until_ready(self) -> "Up":
        wait_for(self.is_ready, 60, "ready")
        return self

    def processes(self) -> dict[str, psutil.Process]:
        """The main process of each role."""
        children = psutil.Process(self.process.pid).children()
        named = {_last_word(child): child for child in children if _lives(child)}
        return {role: named[role] for role in ROLES if role in named}

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(10)


@contextmanager
def up(folder: Path, **more: object) -> Iterator[Up]:
    one = Up(folder, **more)
    try:
        yield one
    finally:
        one.process.kill()
        one.process.wait()
        kill_survivors(folder)


def nothing_left(folder: Path) -> bool:
    return not list(survivors(folder))


def test_up_starts_everything_and_ends_without_a_trace(tmp_path: Path) -> None:
    with up(tmp_path / "data") as one:
        one.wait_until_ready()
        assert [line for line in one.said() if line.startswith("ready")] == [f"ready http://127.0.0.1:{one.port}"]
        assert set(one.processes()) == set(ROLES)
        assert get(one.port)[0] == 200
        components = json.loads(get(one.port, "/api/v1/monitoring/health/detailed")[1])["components"]
        assert components.pop("rate_limits") == "unknown"  # off here: nothing to ask
        assert set(components.values()) == {"up"}
        assert json.loads((one.folder / "bootstrap.json").read_text())["url"] == f"http://127.0.0.1:{one.port}"
        assert {path.name for path in (one.folder / "logs").iterdir()} == {f"{role}.log" for role in ROLES}
        started = time.monotonic()
        assert one.end() == 0
        assert time.monotonic() - started < 6
        assert nothing_left(one.folder)
        assert not any("Traceback" in line for line in one.said())


def test_a_role_that_is_killed_is_started_again_with_its_whole_group(data: Path) -> None:
    with up(data, ALMA_ROLES="web,worker,reconciler") as one:
        before = one.wait_until_ready().processes()
        group = before["worker"].children(recursive=True)
        assert len(group) > 4
        for role in ("worker", "web"):
            before[role].kill()
        wait_for(lambda: set(one.processes()) == {"web", "worker", "reconciler"}, what="the restart")
        wait_for(lambda: answers(one.port), what="the web role")
        wait_for(lambda: not any(_lives(process) for process in group), 5, "the end of the old group")
        assert one.processes()["reconciler"].pid == before["reconciler"].pid
        assert sum("was ended by SIGKILL, starting it again" in line for line in one.said()) == 2
        assert one.end(signal.SIGTERM) == 0


def test_the_sentinel_of_the_workers_may_be_killed(data: Path) -> None:
    """Its workers must not go on without it, and a new group must take their place."""
    with up(data, ALMA_ROLES="worker,reconciler") as one:
        worker = one.wait_until_ready().processes()["worker"]
        [sentinel] = [child for child in worker.children() if child.children()]
        orphans = sentinel.children(recursive=True)
        sentinel.kill()
        wait_for(lambda: not any(_lives(process) for process in orphans), 5, "the end of the workers")
        wait_for(lambda: one.processes().get("worker", worker) != worker, what="a new worker role")


def test_a_queue_that_a_killed_worker_has_frozen_is_started_anew(data: Path) -> None:
    """One of four idle workers holds the lock under which tasks are taken, and takes it into its grave."""
    with up(data, ALMA_ROLES="worker,reconciler") as one:
        main = one.wait_until_ready().processes()["worker"]
        [sentinel] = [child for child in main.children() if child.children()]
        wait_for(lambda: len(sentinel.children()) == 6, what="four workers, monitor and pusher")
        for worker in sorted(sentinel.children(), key=lambda child: child.pid)[:4]:
            worker.kill()
        killed = time.monotonic()
        wait_for(lambda: any("none takes it" in line for line in one.said()), 60, "the watch")
        assert time.monotonic() - killed < 40  # 8 s on a machine that does nothing else
        wait_for(lambda: one.processes().get("worker", main) != main, 60, "a new group")


def test_workers_that_are_alive_but_stuck_are_started_anew(data: Path) -> None:
    with up(data, ALMA_ROLES="worker,reconciler") as one:
        before = one.wait_until_ready().processes()
        wait_for(lambda: suspended_without_lock(before["worker"], one.folder), what="workers that hold no lock")
        wait_for(lambda: "worker shows no sign of life" in one.said(), 40, "the watchdog")
        wait_for(lambda: one.processes().get("worker", before["worker"]) != before["worker"], what="new workers")
        assert one.processes()["reconciler"] == before["reconciler"]


def suspended_without_lock(worker: psutil.Process, folder: Path) -> bool:
    """Stop a group where it stands, unless it holds SQLite's only lock, for which every other role would wait too."""
    group = (worker, *worker.children(recursive=True))
    for process in group:
        process.suspend()
    try:
        with closing(sqlite3.connect(folder / "alma.sqlite3", timeout=1, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        for process in group:
            process.resume()
        return False
    return True


def test_nothing_outlives_a_killed_supervisor_and_up_works_again(data: Path) -> None:
    with up(data, ALMA_ROLES="web,worker,reconciler") as first:
        first.wait_until_ready()
        first.process.kill()
        wait_for(lambda: nothing_left(first.folder), 5, "the end of all roles")
    with up(data, ALMA_ROLES="web,worker,reconciler") as second:
        started = time.monotonic()
        second.wait_until_ready()
        assert time.monotonic() - started < 45  # 6 s on a machine that does nothing else
        assert second.end() == 0


def test_everything_killed_at_once_starts_again(data: Path) -> None:
    with up(data, ALMA_ROLES="web,worker,reconciler") as first:
        first.wait_until_ready()
        for pid in [first.process.pid, *survivors(first.folder)]:
            os.kill(pid, signal.SIGKILL)
    with up(data, ALMA_ROLES="web,worker,reconciler") as second:
        second.wait_until_ready()


def test_survivors_of_this_directory_are_ended_and_others_are_not(data: Path, tmp_path: Path) -> None:
    ours = {**os.environ, MARKER: str(data)}
    theirs = {**os.environ, MARKER: str(tmp_path / "data2")}
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(sleep, env=ours) as left, subprocess.Popen(sleep, env=theirs) as other:
        wait_for(lambda: list(survivors(data)) == [left.pid], 5, "the marker")
        with up(data, ALMA_ROLES="reconciler,worker") as one:
            one.wait_until_ready()
            assert left.wait(5) == -signal.SIGKILL
            assert other.poll() is None
            assert "ended processes that an earlier start had left behind" in one.said()
        other.kill()


def test_one_supervisor_per_directory(data: Path) -> None:
    with up(data, ALMA_ROLES="reconciler,worker") as one:
        one.wait_until_ready()
        done = subprocess.run([*MANAGE, "up"], env=one.env, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 2
        assert f"running already in {one.folder} (process {one.process.pid})" in done.stderr
        assert set(one.processes()) == {"reconciler", "worker"}


def test_a_taken_port_is_said_before_anything_is_done(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        env = environment(tmp_path / "data", ALMA_HTTP_PORT=taken.getsockname()[1])
        done = subprocess.run([*MANAGE, "up"], env=env, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "is in use by another program" in done.stderr
    assert "ALMA_HTTP_PORT" in done.stderr
    assert not (tmp_path / "data" / "alma.sqlite3").exists()


def test_a_role_that_is_none_is_refused(tmp_path: Path) -> None:
    env = environment(tmp_path / "data", ALMA_ROLES="web,migrate")
    done = subprocess.run([*MANAGE, "up"], env=env, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "ALMA_ROLES names what is no role: migrate" in done.stderr


def test_ctrl_c_while_starting_ends_clean(data: Path) -> None:
    with up(data, ALMA_ROLES="web,worker,reconciler") as one:
        wait_for(lambda: any(line.startswith("starting") for line in one.said()), 30, "the start of roles")
        assert one.end() == 0
        assert nothing_left(one.folder)
        assert not any(line.startswith("ready") for line in one.said())


def _last_word(process: psutil.Process) -> str:
    try:
        return (process.cmdline() or [""])[-1]
    except psutil.NoSuchProcess:  # ended between two looks
        return ""


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
