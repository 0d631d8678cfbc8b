"""Processes of instances, known by more than their number: a number is given anew, the time of a start and a mark are not."""

import os
import resource
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

OWNER, MARKER = "ALMA_INSTANCES_OF", "ALMA_INSTANCE"
"""In the environment of each: the data directory whose supervisor started it, and the name of this start."""
_LIMITS = ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_NOFILE, 8192))
_PROC = Path("/proc")
_STATE, _GROUP, _STARTED = 0, 2, 19
"""Positions in /proc/PID/stat behind the name."""


@dataclass(frozen=True)
class Usage:
    """What a group of processes takes: resident bytes, and of the processor per cent of one core."""

    memory_bytes: int
    cpu_percent: float


@dataclass
class Held:
    """The first process of an instance and its group: a child of ours, or one that an earlier supervisor left."""

    pid: int
    started: int
    marker: str
    child: subprocess.Popen[bytes] | None = None
    _watched: dict[int, psutil.Process] = field(default_factory=dict)

    @classmethod
    def of(cls, child: subprocess.Popen[bytes], marker: str) -> "Held":
        """A process that we have just started."""
        return cls(child.pid, started_at(child.pid) or 0, marker, child)

    def is_alive(self) -> bool:
        """Whether this very process is there and has not ended; a child that has is reaped."""
        if self.child is not None:
            return self.child.poll() is None
        return started_at(self.pid) == self.started

    def exit_words(self) -> str:
        """How it ended, in words."""
        code = self.child.poll() if self.child is not None else None
        if code is None:
            return "has ended"
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def signal(self, number: signal.Signals) -> None:
        """To the whole group: no worker of a backend outlives it. Only while a process of ours leads or is in it."""
        if not any(True for _ in self.members()):
            return
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return

    def members(self) -> Iterator[int]:
        """The living processes of the group that bear our mark. A number that was given anew leads no such group."""
        for pid in _numbers():
            stat = _stat(pid)
            if stat and int(stat[_GROUP]) == self.pid and stat[_STATE] != "Z" and marks(pid).get(MARKER) == self.marker:
                yield pid

    def listens(self, port: int) -> bool:
        """Whether one of the group listens there: who answers on a port need not be who was started for it."""
        return any(_listens(pid, port) for pid in self.members())

    def usage(self) -> Usage:
        """What the group takes now; the processor since the last time this was asked."""
        pids = set(self.members())
        self._watched = {pid: self._watched.get(pid) or psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)}
        memory, cpu = 0, 0.0
        for process in self._watched.values():
            try:
                memory += process.memory_info().rss
                cpu += process.cpu_percent()
            except psutil.Error:
                continue
        return Usage(memory, cpu)


def spawn(command: list[str], environment: dict[str, str], output: int, folder: Path) -> subprocess.Popen[bytes]:
    """A process in a group and session of its own. Raises OSError when there is no such program."""
    child = subprocess.Popen(
        command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    for what, most in _LIMITS:
        try:
            resource.prlimit(child.pid, what, (most, most))
        except (ProcessLookupError, PermissionError, ValueError):
            break
    return child


def left_behind(owner: str) -> dict[str, int]:
    """The processes that a supervisor of this data directory started: by marker the leader of the group."""
    found: dict[str, int] = {}
    for pid in _numbers():
        mine = marks(pid)
        stat = _stat(pid) if mine.get(OWNER) == owner else None
        if stat and stat[_STATE] != "Z" and (marker := mine.get(MARKER)):
            found[marker] = int(stat[_GROUP])
    return found


def marks(pid: int) -> dict[str, str]:
    """Our marks in the environment of a process; none when it is gone or not ours to read."""
    try:
        data = (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return {}
    parts = (part.partition(b"=") for part in data.split(b"\0"))
    return {name.decode(): value.decode() for name, _, value in parts if name in {OWNER.encode(), MARKER.encode()}}


def started_at(pid: int) -> int | None:
    """When a process was started, in clock ticks since boot; None when there is none that lives."""
    stat = _stat(pid)
    return int(stat[_STARTED]) if stat and stat[_STATE] != "Z" else None


def _stat(pid: int) -> list[str] | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _numbers() -> Iterator[int]:
    return (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())


def _listens(pid: int, port: int) -> bool:
    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:
        return False
    return any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in connections)
