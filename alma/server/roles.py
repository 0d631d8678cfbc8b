"""The processes of `manage.py up`: one per role, each with its process group, log and history of ends."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from django.conf import settings

from alma import liveness
from alma.server.hearing import Ear
from alma.server.output import Lines, RoleLog, Terminal
from alma.server.processes import marked

SHORTEST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
STEADY_SECONDS = 30.0


def commandline(role: str) -> list[str]:
    """How a role is started: a management command of the same name."""
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), role]


@dataclass
class Role:
    """One role, running or between two runs."""

    name: str
    environment: dict[str, str]
    terminal: Terminal
    log_folder: Path
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    due_at: float = 0.0
    pause: float = SHORTEST_PAUSE
    lines: Lines = field(default_factory=Lines)

    def __post_init__(self) -> None:
        self.log = RoleLog(self.log_folder / f"{self.name}.log")
        self.ear = Ear(self.name)

    @property
    def pipe(self) -> IO[bytes]:
        """Where the output of the running process arrives."""
        assert self.process is not None
        assert self.process.stdout is not None
        return self.process.stdout

    @property
    def age(self) -> float:
        """Seconds since the start of the running process."""
        return time.monotonic() - self.started_at

    def start(self) -> None:
        """Start it in a session, and so a process group, of its own: the terminal's Ctrl-C is for the supervisor alone."""
        self.process = subprocess.Popen(
            commandline(self.name), env=self._environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, cwd=settings.BASE_DIR,
        )  # fmt: skip
        os.set_blocking(self.pipe.fileno(), False)
        self.started_at = time.monotonic()
        self.ear.forget()

    def _environment(self) -> dict[str, str]:
        environment = {**self.environment, liveness.SOCKET: self.ear.address}
        return marked(environment, settings.ALMA_DATA_DIR)

    def read(self) -> bool:
        """Pass on what the process has written; False at the end of its output."""
        try:
            data = os.read(self.pipe.fileno(), 65536)
        except BlockingIOError:
            return True
        self._pass_on(self.lines.feed(data))
        return bool(data)

    def has_ended(self) -> bool:
        """Whether the main process has ended."""
        return self.process is not None and self.process.poll() is not None

    def clear_away(self) -> str:
        """After the main process: end the rest of its group, pass on its last words, and say how it ended."""
        assert self.process is not None
        self.kill()
        self.read_rest()
        how = ending(self.process.wait())
        has_worked = self.age > STEADY_SECONDS or self.ear.silence() is not None
        self.pause = SHORTEST_PAUSE if has_worked else min(LONGEST_PAUSE, self.pause * 2)
        self.due_at = time.monotonic() + self.pause
        self.process = None
        return how

    def read_rest(self) -> None:
        """The output up to its end."""
        try:
            while data := os.read(self.pipe.fileno(), 65536):
                self._pass_on(self.lines.feed(data))
        except BlockingIOError:
            pass
        self._pass_on(self.lines.flush())
        self.pipe.close()

    def ask_to_end(self) -> None:
        """SIGTERM to the main process, which knows how to end the others."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL to the whole group."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                return

    def _pass_on(self, lines: list[bytes]) -> None:
        for line in lines:
            self.log.write(line + b"\n")
            self.terminal.relay(self.name, line)


def ending(code: int) -> str:
    """How a process ended, in words."""
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
