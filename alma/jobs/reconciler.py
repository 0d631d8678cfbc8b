"""The role that finishes what others left: kicks stalled jobs and runs chores. Any number of copies may run."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connections
from django.utils.module_loading import import_string

from alma import liveness
from alma.jobs import beats
from alma.jobs.services import kick_stalled

logger = logging.getLogger(__name__)

PERIOD = 2.0
LOG_AGAIN = 60.0
ENDING = (signal.SIGTERM, signal.SIGINT)


@dataclass
class Chore:
    """A function without arguments, named by its dotted path, and the seconds between its runs."""

    name: str
    period: float
    failing_since: float | None = None

    def run(self) -> None:
        """Once. Whatever it raises is logged: one failing chore must not stop the others."""
        close_old_connections()
        try:
            work: Callable[[], object] = import_string(self.name)
            work()
        except Exception:  # noqa: BLE001 - logged in _failed
            self._failed()
        else:
            self.failing_since = None

    def _failed(self) -> None:
        """Log the first failure in full, and after that one a minute."""
        now = time.monotonic()
        if self.failing_since is None or now - self.failing_since > LOG_AGAIN:
            self.failing_since = now
            logger.exception("the chore %s failed", self.name)

    def repeat(self, stopping: threading.Event) -> None:
        """Until told to stop."""
        while True:
            self.run()
            if stopping.wait(self.period):
                connections.close_all()
                return


class Reconciler:
    """One copy of the role. Chores have threads of their own: one that waits for a cluster delays no job."""

    def __init__(self, chores: list[Chore]) -> None:
        self.chores = chores
        self.stopping = threading.Event()
        self._is_first = True

    @classmethod
    def from_settings(cls) -> "Reconciler":
        """With the chores of ALMA_CHORES."""
        return cls([Chore(name, period) for name, period in settings.ALMA_CHORES])

    def run(self) -> None:
        """Until SIGTERM or SIGINT. Both are blocked and waited for, in the threads as well: no turn is cut short."""
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        for chore in self.chores:
            threading.Thread(target=chore.repeat, args=[self.stopping], name=chore.name, daemon=True).start()
        self.turn()
        liveness.is_ready()
        while signal.sigtimedwait(ENDING, PERIOD) is None:
            self.turn()
            liveness.show_life()
        self.stopping.set()
        connections.close_all()

    def turn(self) -> None:
        """Kick what stands still, show life, and see whether the workers are alive."""
        close_old_connections()
        try:
            kick_stalled()
            beats.beat(beats.RECONCILER)
            beats.send_canary(at_once=self._is_first)
            self._is_first = False
        except DatabaseError:
            logger.warning("the database cannot be used, trying again", exc_info=True)
