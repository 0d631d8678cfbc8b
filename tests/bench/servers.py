"""Server processes for measurements, each in a process group of its own that ends with the measurement."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fixtures.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 30


@contextmanager
def uvicorn(application: str, data_dir: Path, **environment: str) -> Iterator[int]:
    """One uvicorn process as the web role starts it; yields its port."""
    port = free_port()
    command = [
        sys.executable, "-m", "uvicorn", application, "--host", "127.0.0.1", "--port", str(port),
        "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning",
    ]  # fmt: skip
    values = {**os.environ, "ALMA_DATA_DIR": str(data_dir), "ALMA_RATE_LIMITS": "0", **environment}
    process = subprocess.Popen(command, cwd=ROOT, env=values, start_new_session=True)
    try:
        _wait(process, port)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(READY_SECONDS)


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode} before it was ready")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"the server did not listen on port {port} within {READY_SECONDS} s")
