"""Real servers for tests: started on a free port with a database of their own, ended for certain."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings

MANAGE = [sys.executable, str(settings.BASE_DIR / "manage.py")]
HEALTH = "/api/v1/monitoring/health"


def environment(folder: Path, **more: object) -> dict[str, str]:
    """A process environment for an installation in a folder."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("ALMA_")}
    return {
        **mine, "ALMA_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "alma.settings", "PYTHONUNBUFFERED": "1",
        "ALMA_RATE_LIMITS": "0",
        **{name: str(value) for name, value in more.items()},
    }  # fmt: skip


def manage(*arguments: str, env: dict[str, str]) -> str:
    """Run a management command to its end; its output."""
    done = subprocess.run([*MANAGE, *arguments], env=env, capture_output=True, text=True, timeout=300, check=True)
    return done.stdout


def get(port: int, path: str = HEALTH) -> tuple[int, bytes]:
    """Status and body of a GET."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def wait_for(condition: object, seconds: float = 20.0, what: str = "it") -> None:
    """Until a callable returns something true."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.05)


def answers(port: int) -> bool:
    """Whether a server answers its health check there."""
    try:
        return get(port)[0] == 200
    except OSError:
        return False


@contextmanager
def running(command: list[str], env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own; its whole group is gone at the end."""
    process = subprocess.Popen(command, env=env, start_new_session=True, cwd=settings.BASE_DIR)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
