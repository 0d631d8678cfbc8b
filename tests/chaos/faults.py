"""What goes wrong in a storm: to processes, to the database, and to the cluster."""

import contextlib
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psutil

from tests.chaos import world

PAUSE = world.LEASE + 2.0
PATHS = ("/nodes/*/qemu", "/nodes/*/qemu/*/clone", "/nodes/*/qemu/*/config", "/nodes/*/qemu/*/status/start", "*")


@dataclass
class Storm:
    """Faults of all kinds, chosen by a seed; counts what it did."""

    folder: str
    dice: random.Random
    on_death: Callable[[set[int]], None]
    """Told the ids of processes of the worker role right before they are killed."""
    done: Counter[str] = field(default_factory=Counter)
    timers: list[threading.Timer] = field(default_factory=list)

    def strike(self) -> None:
        """One fault."""
        fault = self.dice.choice(self.faults())
        if fault(self):
            self.done[fault.__name__.strip("_")] += 1

    def faults(self) -> list[Callable[["Storm"], bool]]:
        """Those that this database and machine know."""
        from django.db import connection

        database = [_disconnect] if connection.vendor == "postgresql" else []
        return [_kill_worker, _kill_sentinel, _kill_group, _kill_web, _pause_worker, *database, _stall, *[_cluster] * 4]

    def roles(self, role: str) -> list[psutil.Process]:
        """The living processes of a role, its main process first."""
        found = []
        for process in psutil.process_iter(["cmdline", "environ", "status"]):
            is_ours = (process.info["environ"] or {}).get("ALMA_DATA_DIR") == self.folder
            words = process.info["cmdline"] or []
            if is_ours and words[-1:] == [role] and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(process)
        return sorted(found, key=lambda process: process.pid)

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        """What ends a fault."""
        timer = threading.Timer(seconds, act)
        timer.start()
        self.timers.append(timer)

    def end(self) -> None:
        """Let nobody stand still any longer, and heal the cluster."""
        for timer in self.timers:
            timer.join()
        world.wait(_heal, 60, "the healing of the cluster")


@contextlib.contextmanager
def _gone() -> Iterator[None]:
    with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
        yield


def _kill(storm: Storm, victims: list[psutil.Process]) -> bool:
    if victims and victims[0].pid in {process.pid for process in storm.roles("worker")}:
        storm.on_death({victim.pid for victim in victims})
    for victim in victims:
        with _gone():
            victim.kill()
    return bool(victims)


def _kill_worker(storm: Storm) -> bool:
    return _kill(storm, [storm.dice.choice(group)] if (group := storm.roles("worker")) else [])


def _kill_sentinel(storm: Storm) -> bool:
    group = storm.roles("worker")
    with _gone():
        sentinel = group[0].children()[:1] if group else []
        if sentinel:
            storm.on_death({process.pid for process in group})  # none of them outlives it
        return _kill(storm, sentinel)
    return False


def _kill_group(storm: Storm) -> bool:
    return _kill(storm, storm.roles("worker"))


def _kill_web(storm: Storm) -> bool:
    return _kill(storm, storm.roles("web"))


def _pause_worker(storm: Storm) -> bool:
    """Stand still longer than the lease, then go on as if nothing had been: the late writer."""
    group = storm.roles("worker")[2:]
    if not group:
        return False
    victim = storm.dice.choice(group)
    with _gone():
        victim.suspend()
        storm.later(PAUSE, lambda: _resume(victim))
        return True
    return False


def _resume(victim: psutil.Process) -> None:
    with _gone():
        os.kill(victim.pid, signal.SIGCONT)


def _disconnect(storm: Storm) -> bool:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return bool(cursor.fetchone()[0])


def _cluster(storm: Storm) -> bool:
    """The cluster resets connections before or after the effect, answers 5xx, or lets a task fail."""
    where: dict[str, Any] = {"method": "*", "path": storm.dice.choice(PATHS), "count": storm.dice.randint(1, 4)}
    fault = storm.dice.choice(
        [
            {"kind": "lose_request", **where},
            {"kind": "lose_answer", **where},
            {"kind": "answer", "status": storm.dice.choice([500, 503, 595, 596]), **where},
            {"kind": "fail_task", "type": storm.dice.choice(["qmclone", "qmstart", "*"]), "count": 1},
        ]
    )
    return _inject(fault)


def _stall(storm: Storm) -> bool:
    """For a while every answer takes longer than a call waits."""
    if not _inject({"kind": "latency", "seconds": 3}):
        return False
    storm.later(2.0, lambda: _inject({"kind": "latency", "seconds": 0}))
    return True


def _heal() -> bool:
    try:
        world.client().sandbox.faults.delete()
    except Exception:  # noqa: BLE001 - the last of the faults
        return False
    return True


def _inject(fault: dict[str, Any]) -> bool:
    try:
        world.client().sandbox.faults.post(**fault)
    except Exception:  # noqa: BLE001 - a fault that meets a fault
        return False
    return True
