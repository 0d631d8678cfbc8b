"""ALMA as people run it: `manage.py up` in a folder and on ports of its own, with real signals."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import proxmoxer
import psutil

from tests.fixtures.ports import free_port

ROOT = Path(__file__).resolve().parent.parent.parent


class Alma:
    """One installation; it survives `kill_everything` and is started again with `start`."""

    def __init__(self, folder: Path, *, rate_limits: int = 0, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.rate_limits = rate_limits
        self.settings = dict(settings or {})
        self.http_port = free_port(2)
        self.sandbox_port = self.http_port + 1
        self.url = f"http://127.0.0.1:{self.http_port}"
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder / "up.log"

    def start(self, *, timeout: float = 90.0) -> float:
        """Start and wait for the line that says ready; the seconds it took."""
        environment = {
            "PATH": os.environ["PATH"], "ALMA_DATA_DIR": str(self.folder / "data"),
            "ALMA_HTTP_PORT": str(self.http_port), "ALMA_SANDBOX_PORT": str(self.sandbox_port),
            "ALMA_RATE_LIMITS": str(self.rate_limits), **self.settings,
        }  # fmt: skip
        began = time.monotonic()
        offset = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"], cwd=ROOT, env=environment, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        try:
            wait_until(lambda: "\nready http" in "\n" + self.log.read_text()[offset:], timeout, self.log)
        except AssertionError:
            self.end()  # whoever did not get ready would run on without its test
            raise
        return time.monotonic() - began

    def stop(self, sign: int = signal.SIGINT, *, timeout: float = 20.0) -> int:
        """End it as Ctrl-C does; its exit status."""
        assert self.process is not None
        self.process.send_signal(sign)
        return self.process.wait(timeout)

    def end(self) -> None:
        """kill -9 to all of it, and see that nothing is left."""
        self.kill()
        wait_until(lambda: not self.processes(), 15)
        if self.process is not None:
            self.process.wait(5)

    def processes(self, *words: str) -> list[psutil.Process]:
        """Living processes of this installation whose command line has all the words."""
        found = []
        for process in psutil.process_iter(["cmdline", "environ", "status"]):
            environ, command = process.info["environ"] or {}, process.info["cmdline"] or []
            is_ours = environ.get("ALMA_DATA_DIR") == str(self.folder / "data")
            if is_ours and process.info["status"] != psutil.STATUS_ZOMBIE and set(words) <= set(command):
                found.append(process)
        return found

    def kill(self, *words: str) -> int:
        """kill -9 to those processes, all at once; how many there were."""
        victims = self.processes(*words)
        for victim in victims:
            try:
                victim.kill()
            except psutil.NoSuchProcess:
                continue
        return len(victims)

    @property
    def secrets(self) -> dict[str, str]:
        """What bootstrap.json says."""
        content: dict[str, str] = json.loads((self.folder / "data" / "bootstrap.json").read_text())
        return content

    def client(self) -> httpx.Client:
        """A client with the management key."""
        return httpx.Client(base_url=self.url, headers={"X-API-Key": self.secrets["api_key"]}, timeout=20)

    def cluster(self) -> Any:
        """An independent client of the sandbox, logged in by password over verified TLS."""
        known = self.secrets
        return proxmoxer.ProxmoxAPI(
            "127.0.0.1", port=self.sandbox_port, user=known["sandbox_user"], password=known["sandbox_password"],
            verify_ssl=known["sandbox_ca"],
        )  # fmt: skip

    def guests(self) -> dict[str, dict[str, Any]]:
        """Guests of the sandbox by name, as the independent client sees them; a name seen twice is an error."""
        rows = [row for row in self.cluster().cluster.resources.get(type="vm") if not row.get("template")]
        names = [row["name"] for row in rows]
        assert len(names) == len(set(names)), f"duplicate guests: {names}"
        return {row["name"]: row for row in rows}


def wait_until(check: Callable[[], bool], timeout: float, log: Path | None = None, *, pause: float = 0.1) -> None:
    """Wait for a condition, looked at so often; on time-out the tail of the log is shown."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if check():
            return
        time.sleep(pause)
    tail = log.read_text()[-3000:] if log and log.exists() else ""
    raise AssertionError(f"did not happen within {timeout:.0f} s\n{tail}")
