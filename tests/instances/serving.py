"""The embedded llama.cpp as a process of a test."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from tests.fixtures.ports import free_port
from tests.source import ROOT

SECONDS = 60


@dataclass
class Served:
    """A server and how to ask it."""

    process: subprocess.Popen[bytes]
    port: int
    key: str = ""

    def ask(self, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        """Status and body, as JSON where it is."""
        return ask(self.port, path, body, self.key)


def ask(
    port: int, path: str, body: dict[str, Any] | None = None, key: str = "", *, address: str = "127.0.0.1"
) -> tuple[int, Any]:
    """Ask a server of this machine. Raises OSError when none listens."""
    server = HTTPConnection(address, port, timeout=SECONDS)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    server.request("POST" if body else "GET", path, json.dumps(body) if body else None, headers)
    answer = server.getresponse()
    text = answer.read().decode()
    server.close()
    return answer.status, json.loads(text) if text.startswith(("{", "[")) else text


@contextmanager
def served(model: Path, *words: str, key: str = "") -> Iterator[Served]:
    """The launcher with a model, once it answers; killed at the end."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "instances.launcher", "--model", str(model), "--port", str(port), "-t", "1", *words],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin", "LLAMA_API_KEY": key}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    server = Served(process, port, key)
    try:
        _await(server)
        yield server
    finally:
        process.kill()
        process.communicate()


def _await(server: Served) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        assert server.process.poll() is None, server.process.communicate()[0].decode()
        try:
            if server.ask("/health")[0] == 200:
                return
        except (OSError, HTTPException):
            time.sleep(0.05)
    raise AssertionError("the server does not answer")
