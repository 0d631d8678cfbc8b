"""What goes wrong in a storm: to processes, to the database, and to the cluster."""

import contextlib
import os
import random
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psutil

from tests.chaos import world

PAUSE = world.LEASE + 2.0
PATHS = ("/nodes/*/qemu", "/nodes/*/qemu/*/clone", "/nodes/*/qemu/*/config", "/nodes/*/qemu/*/status/start", "*")
WHOLE_GROUP = world.WORKERS + 4
"""Processes of the worker role when all are there: its main one, sentinel, pusher, monitor, and the workers."""
LATE = "late"
"""What is in the names of guests that came too late."""


@dataclass
class Storm:
    """So many faults of all kinds, in an order that a seed chooses; counts what it did."""

    supervisor: int
    """The process id of `manage.py up`."""
    dice: random.Random
    on_death: Callable[[set[int]], None]
    """Told the ids of processes of the worker role right before they are killed."""
    size: int
    done: Counter[str] = field(default_factory=Counter)
    timers: list[threading.Timer] = field(default_factory=list)
    ahead: deque[Callable[["Storm"], bool]] = field(init=False)

    def __post_init__(self) -> None:
        faults = dealt(self.size)
        self.dice.shuffle(faults)
        self.ahead = deque(faults)

    def strike(self) -> None:
        """The next fault. One that cannot be had now, as nobody is there to be killed, comes later again."""
        fault = self.ahead.popleft()
        if fault(self):
            self.done[fault.__name__.strip("_")] += 1
        else:
            self.ahead.append(fault)

    def roles(self, role: str) -> list[psutil.Process]:
        """The living processes of a role, its main process first."""
        found = []
        for process in psutil.Process(self.supervisor).children(recursive=True):
            with _gone():
                if process.cmdline()[-1:] == [role]:  # a zombie has none
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


def _kill(victims: list[psutil.Process]) -> bool:
    for victim in victims:
        with _gone():
            victim.kill()
    return bool(victims)


def _group(storm: Storm) -> list[psutil.Process]:
    """The worker role once all of it is there: one that only begins has nothing to lose."""
    group = storm.roles("worker")
    return group if len(group) >= WHOLE_GROUP else []


def _kill_worker(storm: Storm) -> bool:
    victims = [storm.dice.choice(group)] if (group := _group(storm)) else []
    storm.on_death({victim.pid for victim in victims})
    return _kill(victims)


def _kill_sentinel(storm: Storm) -> bool:
    group = _group(storm)
    storm.on_death({process.pid for process in group})  # none of them outlives it
    return _kill(group[1:2])


def _kill_group(storm: Storm) -> bool:
    group = _group(storm)
    storm.on_death({process.pid for process in group})
    return _kill(group)


def _kill_web(storm: Storm) -> bool:
    return _kill(storm.roles("web"))


def _kill_reconciler(storm: Storm) -> bool:
    return _kill(storm.roles("reconciler"))


def _pause_worker(storm: Storm) -> bool:
    """Stand still longer than the lease, then go on as if nothing had been: the late writer."""
    group = _group(storm)[2:]
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


def _late(storm: Storm) -> bool:
    """A guest comes to be after its number was given up, as when the call that makes it was stuck in the network."""
    from django.db import transaction

    from alma.jobs.models import Job
    from vms import ledger
    from vms.models import Cluster, GuestClaim

    job = Job.objects.exclude(state__in=Job.ACTIVE).first()
    if job is None:
        return False
    with transaction.atomic():
        pk = Cluster.objects.values_list("pk", flat=True)[0]
        claim = ledger.reserve(pk, owner=LATE, key=LATE, kind="vm", node="pve1", job=job)
        claim.move(GuestClaim.State.RELEASED)
    name = f"storm-{LATE}-{claim.vmid}"
    return world.asked(
        lambda to: to.nodes("pve1").qemu.post(vmid=claim.vmid, name=name, description=claim.marker, tags="alma")
    )


def _heal() -> bool:
    return world.asked(lambda to: to.sandbox.faults.delete())


def _inject(fault: dict[str, Any]) -> bool:
    return world.asked(lambda to: to.sandbox.faults.post(**fault))


SHARES: dict[Callable[[Storm], bool], int] = {
    _kill_worker: 12, _kill_sentinel: 3, _kill_group: 3, _kill_web: 4, _kill_reconciler: 3, _pause_worker: 8,
    _disconnect: 8, _stall: 4, _late: 3,
}  # fmt: skip
"""Of a hundred faults; the rest befalls the calls to the cluster."""


def dealt(size: int) -> list[Callable[[Storm], bool]]:
    """So many faults: those that this database knows, each at least once."""
    from django.db import connection

    known = {fault: share for fault, share in SHARES.items() if fault != _disconnect or connection.vendor != "sqlite"}
    faults = [fault for fault, share in known.items() for _ in range(max(1, round(share * size / 100)))]
    return (faults + [_cluster] * size)[:size]
