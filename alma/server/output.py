"""Where the output of roles goes: a bounded log file each, and the terminal with the role's name before each line."""

import os
import select
from pathlib import Path

MAX_LINE = 4_000
MAX_FILE = 8 * 1024 * 1024


class RoleLog:
    """`<role>.log`, and `<role>.log.1` once it has grown to 8 MB; never more than these two."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)
        self._size = path.stat().st_size

    def write(self, line: bytes) -> None:
        """Add a line. A full disk loses lines of the log and nothing else."""
        try:
            if self._size > MAX_FILE:
                self._turn()
            self._size += self._file.write(line) or 0
        except OSError:
            return

    def _turn(self) -> None:
        self._file.close()
        self.path.replace(self.path.with_name(f"{self.path.name}.1"))
        self._file = self.path.open("ab", buffering=0)
        self._size = 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Lines:
    """Cuts a stream of bytes into lines; one that never ends is cut at 4,000 bytes."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are complete by now."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        while len(self._rest) > MAX_LINE:
            whole.append(self._rest[:MAX_LINE])
            self._rest = self._rest[MAX_LINE:]
        return [line[start : start + MAX_LINE] for line in whole for start in range(0, max(1, len(line)), MAX_LINE)]

    def flush(self) -> list[bytes]:
        """What is left at the end."""
        rest, self._rest = self._rest, b""
        return [rest] if rest else []


class Terminal:
    """Standard output of the supervisor. When nobody reads it, lines are dropped: they are in the logs as well."""

    def __init__(self, descriptor: int = 1) -> None:
        self.descriptor = descriptor
        self._is_open = True

    def say(self, line: str) -> None:
        """A line of the supervisor's own; waits a moment for room, for somebody may wait for it."""
        self._write(line.encode() + b"\n", wait=2.0)

    def relay(self, role: str, line: bytes) -> None:
        """A line of a role."""
        self._write(f"{role:<10} | ".encode() + line + b"\n", wait=0.0)

    def _write(self, content: bytes, wait: float) -> None:
        if not self._is_open:
            return
        try:
            if select.select([], [self.descriptor], [], wait)[1]:
                os.write(self.descriptor, content)
        except OSError:  # the reader is gone
            self._is_open = False
