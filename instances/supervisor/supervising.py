"""The loop of the role: one process, and all that is started is started from its main thread."""

import fcntl
import logging
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connections

from alma import liveness
from alma.errors import DomainError
from alma.events import doorbell
from alma.jobs import beats
from instances.models import Instance, Node
from instances.nodes import Claim
from instances.supervisor import starting
from instances.supervisor.arbiter import Arbiter, preload
from instances.supervisor.keeper import NO_PROCESS, Keeper
from instances.supervisor.probing import Prober
from instances.supervisor.processes import Held, left_behind, marks, started_at

logger = logging.getLogger(__name__)

TICK = 0.1
QUIET_SECONDS = 0.9
BEAT_SECONDS = 2.0
END_SECONDS = 2.5
"""For all processes to end when the role does; `manage.py up` waits for 4."""
Status = Instance.Status


class AlreadyRunning(Exception):
    """Another supervisor of this data directory lives; a sentence for the person who typed it."""


class NodeTaken(Exception):
    """Another supervisor looks after this node now."""


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

    def __init__(self, claim: Claim | None = None) -> None:
        self.claim = claim or Claim(settings.ALMA_NODE, "")
        self.node = Node(name=self.claim.name)
        self.keepers: dict[int, Keeper] = {}
        self.arbiter = Arbiter(self.claim.name)
        self.prober = Prober()
        self.is_stopping = False
        self._beat_at = 0.0

    def run(self) -> None:
        """Until SIGTERM or SIGINT; then everything that it started ends. Signals are noted and not blocked, for what is
        started would inherit that and could not be asked to end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked_to_stop)
        bell = doorbell.Listener(doorbell.EVENTS)
        try:
            self.begin()
            liveness.is_ready()
            while not self.is_stopping:
                self.pause(bell)
                close_old_connections()
                self.turn()
                liveness.show_life()
        except NodeTaken:
            self.end_all(writes=False)
            raise
        self.end_all()
        connections.close_all()

    def pause(self, bell: doorbell.Listener) -> None:
        """Short while something is to be done. While all is as it shall be until somebody rings, one of the processes ends,
        or a while has passed, for a ring may be lost."""
        time.sleep(TICK)
        until = time.monotonic() + QUIET_SECONDS
        while not self.is_stopping and time.monotonic() < until and all(one.rests() for one in self.keepers.values()):
            if bell.wait(TICK):
                return

    def begin(self) -> None:
        """Take back what lives, and have what is preloaded run."""
        self._beat()
        self.recover()
        preload(self._ours(Instance.objects.all()))
        self.turn()

    def _asked_to_stop(self, signum: int, frame: FrameType | None) -> None:
        self.is_stopping = True

    # -- after a death of our own --------------------------------------------------------------------
    def recover(self) -> None:
        """Take back the processes that an earlier supervisor left and that a row stands for; end the others."""
        rows = {row.marker: row for row in self._ours(Instance.objects.all()) if row.marker}
        for marker, leader in left_behind(starting.owner()).items():
            held = Held(leader, started_at(leader) or 0, marker)
            row = rows.get(marker)
            if row is not None and row.status in Instance.ALIVE and self._is_same(row, held):
                self.keepers[row.pk] = Keeper(row, self.prober, self.node, held)
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
            if time.monotonic() >= self._beat_at:
                self._beat()
            self._read()
        except DatabaseError:
            logger.warning("the database cannot be used, trying again", exc_info=True)
            return
        for keeper in list(self.keepers.values()):
            self._turn(keeper)

    def _beat(self) -> None:
        """Show life. Raises NodeTaken when somebody else was told meanwhile that there is none."""
        beats.beat(beats.INSTANCES)
        self._beat_at = time.monotonic() + BEAT_SECONDS
        if self.claim.holder:
            node = self.claim.keep()
            if node is None:
                raise NodeTaken(f"Another supervisor has taken over the node {self.claim.name}.")
            self.node = node

    def _ours(self, rows: Iterable[Instance]) -> list[Instance]:
        return [row for row in rows if row.node == self.claim.name]

    def _read(self) -> None:
        everywhere = list(Instance.objects.all())
        rows = {row.pk: row for row in self._ours(everywhere)}
        for pk, row in rows.items():
            self.keepers.setdefault(pk, Keeper(row, self.prober, self.node)).row = row
        for pk in self.keepers.keys() - rows.keys():  # the row was deleted, with its organization for instance
            keeper = self.keepers.pop(pk)
            if keeper.held is not None:
                keeper.held.signal(signal.SIGKILL)
        word = self.arbiter.turn(everywhere)
        for pk, keeper in self.keepers.items():
            keeper.node, keeper.may_start, keeper.is_drained = self.node, pk in word.may_start, pk in word.is_drained

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
    def end_all(self, *, writes: bool = True) -> None:
        """Ask all at once, wait a little, then insist; what shall run is started by the next supervisor, and where there is
        one already, it alone writes."""
        held = [keeper.held for keeper in self.keepers.values() if keeper.held is not None]
        for number, seconds in ((signal.SIGTERM, END_SECONDS), (signal.SIGKILL, 1.0)):
            for one in held:
                one.signal(number)
            _await_end(held, seconds)
        for keeper in self.keepers.values():
            if keeper.held is not None:
                keeper.clear()
        if writes:
            self._write_end()
        self.prober.close()

    def _write_end(self) -> None:
        """What was ended here has not failed."""
        for keeper in self.keepers.values():
            row = keeper.row
            try:
                if keeper.held is not None and row.status in Instance.ALIVE:
                    row.move(Status.STOPPED, **NO_PROCESS)
            except (DatabaseError, DomainError):
                logger.warning("the end of an instance could not be written", extra={"instance": row.pk}, exc_info=True)


def _await_end(held: list[Held], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and [one for one in held if one.is_alive()]:
        time.sleep(TICK / 5)
