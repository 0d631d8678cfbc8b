"""One instance in the hands of the supervisor: each turn it is looked at, and at most one thing is done about it."""

import logging
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from django.conf import settings
from django.utils import timezone

from instances import logs
from instances.backends import containers
from instances.backends.kinds import BACKENDS, Backend, Kind
from instances.models import AT_ONCE, KEY, Instance, Node
from instances.supervisor import starting
from instances.supervisor.probing import Health, Prober, probe
from instances.supervisor.processes import Held, spawn

logger = logging.getLogger(__name__)

Status, Wish = Instance.Status, Instance.Wish
PROBE_SECONDS = {Status.STARTING: 0.1, Status.RUNNING: 5.0, Status.UNHEALTHY: 1.0}
SILENCES = 3
"""Questions without an answer after which an instance is unhealthy."""
STEADY_SECONDS = 300.0
"""An instance that has served for so long has not crashed in a loop."""
MEASURE_SECONDS = 5.0
LONGEST_PAUSE = 300.0
GRACE_SECONDS = 10.0
"""Until one whose requests have ended, and that was asked to end, is killed."""
STARTS = 9
"""How many are remembered."""
NO_PROCESS: dict[str, Any] = {
    "pid": None, "pid_started": None, "memory_bytes": None, "cpu_percent": None, "draining_since": None,
}  # fmt: skip


@dataclass
class Keeper:
    """Keeps one instance as somebody wants it."""

    row: Instance
    prober: Prober
    node: Node
    held: Held | None = None
    may_start: bool = True
    """Whether there is room for it now."""
    is_drained: bool = False
    """Whether its last request has ended, and nobody sends another."""
    due_at: float = 0.0
    silences: int = 0
    _kill_at: float | None = None
    _probe_at: float = 0.0
    _measure_at: float = 0.0
    _asked: "Future[Health] | None" = None

    @property
    def is_wanted(self) -> bool:
        """Whether the process that there is, or would be, is what somebody wants."""
        return self.row.wanted == Wish.RUNNING

    @property
    def backend(self) -> Backend:
        """What kind of program it is."""
        return BACKENDS[cast(Kind, self.row.backend)]

    def clear(self) -> None:
        """Remove the container of its last start; the command that ran it may have been killed, and cannot any more."""
        if program := self.backend.container_program:
            self.prober.pool.submit(containers.remove, program, self.row.marker)

    def rests(self) -> bool:
        """Whether it is as it shall be, and there is nothing to wait for."""
        if self.held is None:
            return self.row.status in {Status.STOPPED, Status.FAILED} and (not self.is_wanted or self.row.has_failed)
        return self.row.takes_requests and self.held.is_alive() and self._asked is None

    def turn(self) -> None:
        """Look, and do what is due."""
        if self.held is None:
            self._without_process()
        elif not self.held.is_alive():
            self._ended()
        elif self._kill_at is not None or not self.is_wanted or not self.row.is_up_to_date:
            self._end()
        else:
            self._watch()

    # -- no process ----------------------------------------------------------------------------------
    def _without_process(self) -> None:
        status = Status(self.row.status)
        if status in Instance.ALIVE:
            self._lost()
        elif not self.is_wanted:
            self._rest(status)
        elif status == Status.FAILED and self.row.is_up_to_date:
            return
        elif self.may_start and (time.monotonic() >= self.due_at or not self.row.is_up_to_date):
            self._start()

    def _rest(self, status: "Instance.Status") -> None:
        """Nothing runs, and nothing shall."""
        if status != Status.STOPPED:
            self.row.move(Status.STOPPED)
        if self.row.wanted == Wish.REMOVED:
            pk = self.row.pk
            self.row.delete()
            logs.forget(pk)

    def _lost(self) -> None:
        """The row tells of a process that is not there: it ended while nobody looked."""
        self.clear()
        if self.row.status == Status.STOPPING or not self.is_wanted:
            self.row.move(Status.STOPPED, **NO_PROCESS)
        else:
            self._fell("ended while nobody looked after it")

    # -- starting ------------------------------------------------------------------------------------
    def _start(self) -> None:
        """Write down what is about to be, then do it: a death in between leaves a mark that is found again."""
        is_asked, last = not self.row.is_up_to_date, self.row.marker
        restarts = 0 if is_asked or self.row.status == Status.STOPPED else self.row.restarts
        try:
            start = starting.prepared(self.row, self.node)
        except starting.CannotStart as error:
            self.row.move(Status.FAILED, reason=error.message, run=self.row.wanted_run, restarts=restarts)
            return
        self.row.move(
            Status.STARTING, run=self.row.wanted_run, restarts=restarts, marker=start.marker, key_sealed=KEY.seal(start.key),
            started_at=timezone.now(), ready_at=None, **NO_PROCESS,
        )  # fmt: skip
        if program := self.backend.container_program:
            containers.remove(program, last)
        self._probe_at, self.silences, self._kill_at, self._asked = 0.0, 0, None, None
        if not starting.is_free(self.node.address, self.row.port):
            self._fell(f"was not started: port {self.row.port} is in use by another program")
            return
        self._spawn(start)

    def _spawn(self, start: starting.Start) -> None:
        logs.keep_small(self.row.pk)
        output = logs.open_log(self.row.pk)
        try:
            child = spawn(start.command, start.environment, output, settings.BASE_DIR)
        except OSError as error:
            self._fell(f"was not started: {error}")
            return
        finally:
            os.close(output)
        self.held = Held.of(child, start.marker)
        self.row.note(pid=self.held.pid, pid_started=self.held.started)

    # -- watching ------------------------------------------------------------------------------------
    def _watch(self) -> None:
        assert self.held is not None
        if self.row.pid != self.held.pid:
            self.row.note(pid=self.held.pid, pid_started=self.held.started)
        if self._asked is None and time.monotonic() >= self._probe_at:
            self._asked = self.prober.ask(self._question())
        elif self._asked is not None and self._asked.done():
            health, self._asked = self._asked.result(), None
            self._heard(health)
            self._probe_at = time.monotonic() + PROBE_SECONDS.get(Status(self.row.status), 1.0)
        if time.monotonic() >= self._measure_at:
            self._measure()
        if self.row.status == Status.STARTING and self._age() > settings.ALMA_INSTANCE_START_SECONDS:
            logger.warning("an instance is not ready in time", extra={"instance": self.row.pk})
            self.held.signal(signal.SIGKILL)

    def _question(self) -> Callable[[], Health]:
        guarded_path = self.backend.guarded_path if self.backend.is_container else ""
        where = (self.node.address, self.row.port)
        return partial(probe, *where, path="/health", key=self.row.key, guarded_path=guarded_path)

    def _heard(self, health: Health) -> None:
        is_ready = health == Health.READY and self._is_ours()
        self.silences = 0 if is_ready else self.silences + 1
        if is_ready and self.row.status == Status.STARTING:
            self._ready()
        elif is_ready and self.row.status == Status.UNHEALTHY:
            self.row.move(Status.RUNNING, checked_at=timezone.now())
        elif self.row.status == Status.RUNNING and self.silences >= SILENCES:
            self.row.move(Status.UNHEALTHY, reason="does not answer", checked_at=timezone.now())

    def _ready(self) -> None:
        starts = [*self.row.last_starts, round(self._age(), 2)][-STARTS:]
        now = timezone.now()
        self.row.move(Status.RUNNING, ready_at=now, checked_at=now, last_starts=starts)

    def _is_ours(self) -> bool:
        """Whether who answers is who was started. A container is no process of ours; its key has told it apart already."""
        assert self.held is not None
        return self.backend.is_container or self.held.listens(self.row.port)

    def _measure(self) -> None:
        assert self.held is not None
        self._measure_at = time.monotonic() + MEASURE_SECONDS
        usage = self.held.usage()
        self.row.note(memory_bytes=usage.memory_bytes, cpu_percent=usage.cpu_percent, checked_at=timezone.now())
        logs.keep_small(self.row.pk)

    def _age(self) -> float:
        return (timezone.now() - self.row.started_at).total_seconds() if self.row.started_at else 0.0

    # -- ending --------------------------------------------------------------------------------------
    def _end(self) -> None:
        """Have its requests end, then itself, and kill it when it has not in time."""
        assert self.held is not None
        if self._kill_at is None and not self._may_end():
            self._watch()
        elif self._kill_at is None:
            if self.row.status != Status.STOPPING:
                self.row.move(Status.STOPPING)
            self._kill_at = time.monotonic() + (0.0 if self.row.stop_by == AT_ONCE else GRACE_SECONDS)
            self.held.signal(signal.SIGTERM)
        elif time.monotonic() >= self._kill_at or self.row.stop_by == AT_ONCE:
            self.held.signal(signal.SIGKILL)

    def _may_end(self) -> bool:
        """Whether none of its requests is under way, or those that are have had their time."""
        if self.row.status not in Instance.SERVING or self.row.stop_by == AT_ONCE:
            return True
        if self.row.draining_since is None:
            self.row.drain()
            return False
        return self.is_drained or (self.row.stop_by is not None and timezone.now() >= self.row.stop_by)

    def _ended(self) -> None:
        assert self.held is not None
        held, self.held, self._kill_at, self._asked = self.held, None, None, None
        held.signal(signal.SIGKILL)  # what its main process has left behind
        self.clear()
        if self.row.status == Status.STOPPING or not self.is_wanted:
            self.row.move(Status.STOPPED, **NO_PROCESS)
        else:
            self._fell(held.exit_words())

    def _fell(self, how: str) -> None:
        """It is not there although it should be: try again after a pause, or give up and keep its last words."""
        served = (timezone.now() - self.row.ready_at).total_seconds() if self.row.ready_at else 0.0
        restarts = 0 if served > STEADY_SECONDS else self.row.restarts
        words = logs.last_words(self.row.pk)
        reason = f"{self.row.name} {how}" + (f"\n{words}" if words else "")
        if not self.row.restarts_itself or restarts >= self.row.max_restarts:
            self.row.move(Status.FAILED, reason=reason, restarts=restarts, **NO_PROCESS)
            return
        self.due_at = time.monotonic() + min(LONGEST_PAUSE, self.row.restart_seconds * 2**restarts)
        self.row.move(Status.RESTARTING, reason=reason, restarts=restarts + 1, **NO_PROCESS)
