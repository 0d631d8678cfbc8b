"""The loop of the role: one process, and all that is started is started from its main thread."""

import fcntl
import logging
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connections

from alma import liveness
from alma.errors import DomainError
from alma.jobs import beats
from instances.models import Instance
from instances.supervisor import starting
from instances.supervisor.keeper import Keeper
from instances.supervisor.probing import Prober
from instances.supervisor.processes import Held, left_behind, marks, started_at

logger = logging.getLogger(__name__)

TICK = 0.1
BEAT_SECONDS = 2.0
END_SECONDS = 2.5
"""For all processes to end when the role does; `manage.py up` waits for 4."""
Status = Instance.Status


class AlreadyRunning(Exception):
    """Another supervisor of this data directory lives; a sentence for the person who typed it."""


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """At most one supervisor per data directory. Raises AlreadyRunning."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "instances.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(f"Another supervisor looks after the instances of {data_dir}.") from error
        yield


class Supervisor:
    """Keeps all instances of this node as they are wanted."""

    def __init__(self) -> None:
        self.keepers: dict[int, Keeper] = {}
        self.prober = Prober()
        self.is_stopping = False
        self._beat_at = 0.0

    def run(self) -> None:
        """Until SIGTERM or SIGINT; then everything that it started ends. Signals are noted and not blocked, for what is
        started would inherit that and could not be asked to end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked_to_stop)
        self.recover()
        self.turn()
        liveness.is_ready()
        while not self.is_stopping:
            time.sleep(TICK)
            close_old_connections()
            self.turn()
            liveness.show_life()
        self.end_all()
        connections.close_all()

    def _asked_to_stop(self, signum: int, frame: FrameType | None) -> None:
        self.is_stopping = True

    # -- after a death of our own --------------------------------------------------------------------
    def recover(self) -> None:
        """Take back the processes that an earlier supervisor left and that a row stands for; end the others."""
        rows = {row.marker: row for row in self._rows() if row.marker}
        for marker, leader in left_behind(starting.owner()).items():
            held = Held(leader, started_at(leader) or 0, marker)
            row = rows.get(marker)
            if row is not None and row.status in Instance.ALIVE and self._is_same(row, held):
                self.keepers[row.pk] = Keeper(row, self.prober, held)
                logger.info("took back a process", extra={"instance": row.pk, "pid": leader})
            else:
                held.signal(signal.SIGKILL)
                logger.warning("ended a process that nobody stands for", extra={"marker": marker, "pid": leader})

    def _is_same(self, row: Instance, held: Held) -> bool:
        """Whether this is the process of the row, as far as that was written down before the death."""
        is_marked = bool(marks(held.pid))
        return is_marked and (row.pid is None or (row.pid, row.pid_started) == (held.pid, held.started))

    # -- at work -------------------------------------------------------------------------------------
    def turn(self) -> None:
        """Read what is wanted, and let each keeper do what is due. Without the database everything goes on as it is."""
        try:
            self._read()
            if time.monotonic() >= self._beat_at:
                self._beat_at = time.monotonic() + BEAT_SECONDS
                beats.beat(beats.INSTANCES)
        except DatabaseError:
            logger.warning("the database cannot be used, trying again", exc_info=True)
            return
        for keeper in list(self.keepers.values()):
            self._turn(keeper)

    def _rows(self) -> list[Instance]:
        return list(Instance.objects.filter(node=settings.ALMA_NODE))

    def _read(self) -> None:
        rows = {row.pk: row for row in self._rows()}
        for pk, row in rows.items():
            self.keepers.setdefault(pk, Keeper(row, self.prober)).row = row
        for pk in self.keepers.keys() - rows.keys():  # the row was deleted, with its organization for instance
            keeper = self.keepers.pop(pk)
            if keeper.held is not None:
                keeper.held.signal(signal.SIGKILL)

    def _turn(self, keeper: Keeper) -> None:
        try:
            keeper.turn()
        except DatabaseError:
            logger.warning("the database cannot be used, trying again", exc_info=True)
        except DomainError as error:
            logger.warning("an instance was passed over", extra={"instance": keeper.row.pk, "error": error.message})
        except Exception:  # one instance must not stop the others
            logger.exception("looking after an instance failed", extra={"instance": keeper.row.pk})

    # -- the end -------------------------------------------------------------------------------------
    def end_all(self) -> None:
        """Ask all at once, wait a little, then insist; what shall run is started by the next supervisor."""
        held = [keeper.held for keeper in self.keepers.values() if keeper.held is not None]
        for number, seconds in ((signal.SIGTERM, END_SECONDS), (signal.SIGKILL, 1.0)):
            for one in held:
                one.signal(number)
            _await_end(held, seconds)
        self._write_end()
        self.prober.close()

    def _write_end(self) -> None:
        """What was ended here has not failed."""
        for keeper in self.keepers.values():
            row = keeper.row
            try:
                if keeper.held is not None and row.status in Instance.ALIVE:
                    row.move(Status.STOPPED, pid=None, pid_started=None)
            except (DatabaseError, DomainError):
                logger.warning("the end of an instance could not be written", extra={"instance": row.pk}, exc_info=True)


def _await_end(held: list[Held], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and [one for one in held if one.is_alive()]:
        time.sleep(TICK / 5)
