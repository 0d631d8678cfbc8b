"""The one process of `manage.py up`: prepares the database, starts the roles, keeps them alive, ends with all of them."""

import fcntl
import logging
import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from django.conf import settings

from alma.jobs import beats
from alma.server import readiness
from alma.server.output import Terminal
from alma.server.processes import kill_survivors
from alma.server.roles import Role

logger = logging.getLogger(__name__)

READY_SECONDS = 90.0
STOP_SECONDS = 4.0
TICK = 0.1
WATCH_SECONDS = 1.0
BEATING = (beats.WORKER, beats.RECONCILER, beats.INSTANCES)
START_SECONDS = 120.0
"""Within which a role says for the first time that it works."""
WORKER_SILENCE = 8.0
"""Seconds: the process that looks after the workers says so twice a second, and does nothing for which it would wait."""


class CannotStart(Exception):
    """Why `up` does not start; a sentence for the person who typed it."""


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """At most one supervisor per data directory. Raises CannotStart."""
    path = data_dir / "up.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise CannotStart(f"ALMA is running already in {data_dir} (process {holder}).") from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


class Supervisor:
    """Starts, watches and ends the roles."""

    def __init__(self, names: list[str], environment: dict[str, str], terminal: Terminal) -> None:
        self.terminal = terminal
        folder = settings.ALMA_DATA_DIR / "logs"
        self.roles = [Role(name, environment, terminal, folder) for name in names]
        self.is_stopping = False
        self._is_hurried = False
        self._watch_at = 0.0

    def catch_signals(self) -> None:
        """SIGINT, SIGTERM and a closed terminal end everything; a second one does so at once."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)

    def _asked_to_stop(self, signum: int, frame: FrameType | None) -> None:
        self._is_hurried = self.is_stopping
        self.is_stopping = True

    def run(self) -> int:
        """Until a signal; the exit code."""
        try:
            for role in self.roles:
                role.start()
            if not self._wait_until_ready():
                return 0 if self.is_stopping else 1
            self.terminal.say(f"ready {readiness.url()}")
            while not self.is_stopping:
                self._turn()
            return 0
        finally:
            self._stop()

    # -- becoming ready -------------------------------------------------------------------------------
    def _wait_until_ready(self) -> bool:
        waiting = list(self.roles)
        deadline = time.monotonic() + READY_SECONDS
        while waiting and not self.is_stopping:
            self._turn()
            waiting = [role for role in waiting if not self._answers(role)]
            if time.monotonic() > deadline:
                names = ", ".join(role.name for role in waiting)
                self.terminal.say(f"not ready after {READY_SECONDS:.0f} s: {names}; see {settings.ALMA_DATA_DIR}/logs")
                return False
        return not self.is_stopping

    def _answers(self, role: Role) -> bool:
        if role.process is None:
            return False
        if role.name in BEATING:
            return readiness.has_beaten(role.name, within=role.age)
        check = _CHECKS.get(role.name)
        return check() if check else True

    # -- keeping alive --------------------------------------------------------------------------------
    def _turn(self) -> None:
        """Pass on output, start again what has ended, and end what is stuck so that it is started again."""
        self._relay(TICK)
        for role in self.roles:
            if role.has_ended():
                how = role.clear_away()
                self.terminal.say(f"{role.name} {how}, starting it again")
            elif role.process is None and time.monotonic() >= role.due_at:
                role.start()
        if time.monotonic() >= self._watch_at:
            self._watch_at = time.monotonic() + WATCH_SECONDS
            self._end_stuck()

    def _relay(self, seconds: float) -> None:
        running = {role.pipe: role for role in self.roles if role.process is not None}
        for pipe in select.select(list(running), [], [], seconds)[0]:
            if not running[pipe].read():
                time.sleep(TICK / 10)  # the pipe is at its end, and the process about to be

    def _end_stuck(self) -> None:
        """One at a look, workers first: on SQLite a role that stands still may hold the lock that the others wait for."""
        for role in sorted(self.roles, key=lambda role: role.name != beats.WORKER):
            if role.process is not None and self._is_stuck(role):
                self.terminal.say(f"{role.name} shows no sign of life")
                role.kill()
                return

    def _is_stuck(self, role: Role) -> bool:
        """Whether it has not said for too long that it works, or its workers have done nothing for very long."""
        if role.name not in SILENCES:
            return False
        silence = role.ear.silence()
        if silence is None:
            return role.age > START_SECONDS
        if silence > SILENCES[role.name]:
            return True
        return role.name == beats.WORKER and role.age > IDLE_SECONDS and readiness.is_silent(role.name, IDLE_SECONDS)

    # -- ending ---------------------------------------------------------------------------------------
    def _stop(self) -> None:
        """Ask all at once, wait a little, then insist. Whatever is cut short is taken up at the next start."""
        if any(role.process for role in self.roles):
            self.terminal.say("stopping")
        for role in self.roles:
            role.ask_to_end()
        deadline = time.monotonic() + STOP_SECONDS
        while self._left() and time.monotonic() < deadline and not self._is_hurried:
            self._relay(TICK)
        for role in self.roles:
            if role.process is not None:
                role.clear_away()
            role.log.close()
            role.ear.close()
        kill_survivors(settings.ALMA_DATA_DIR)

    def _left(self) -> bool:
        return any(role.process is not None and not role.has_ended() for role in self.roles)


def _sandbox_answers() -> bool:
    return readiness.port_answers(settings.ALMA_SANDBOX_HOST, settings.ALMA_SANDBOX_PORT)


SILENCES = {
    beats.WORKER: WORKER_SILENCE, beats.RECONCILER: settings.ALMA_STALE_SECONDS, "web": settings.ALMA_STALE_SECONDS,
    beats.INSTANCES: settings.ALMA_STALE_SECONDS,
}  # fmt: skip
"""Seconds for which a role may say nothing. The reconciler may wait for the database, and says nothing meanwhile."""
IDLE_SECONDS = settings.ALMA_STALE_SECONDS + settings.ALMA_SLOT_SECONDS
"""Seconds for which no worker may begin or end a task: longer than the longest, for canaries come all the time."""
_CHECKS: dict[str, Callable[[], bool]] = {"web": readiness.web_answers, "sandbox": _sandbox_answers}
