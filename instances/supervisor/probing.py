"""Whether a backend answers: asked over HTTP, in threads, so that one that hangs delays no other."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from http.client import HTTPConnection, HTTPException

SECONDS = 2.0
THREADS = 8


class Health(Enum):
    """What a backend says of itself."""

    READY = "ready"
    LOADING = "loading"
    SILENT = "silent"


def probe(address: str, port: int, *, path: str, key: str, guarded_path: str = "") -> Health:
    """Ask once. Who is known by the key alone tells what is guarded to whoever has it, and to nobody else."""
    status = _status(address, port, path, key)
    if status == 200 and guarded_path and not _knows(address, port, guarded_path, key):
        return Health.SILENT
    if status == 200:
        return Health.READY
    return Health.LOADING if status == 503 else Health.SILENT


def _knows(address: str, port: int, path: str, key: str) -> bool:
    return _status(address, port, path, key) == 200 and _status(address, port, path, "x") in {401, 403}


def _status(address: str, port: int, path: str, key: str) -> int | None:
    server = HTTPConnection(address, port, timeout=SECONDS)
    try:
        server.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
        return server.getresponse().status
    except (OSError, HTTPException):
        return None
    finally:
        server.close()


@dataclass
class Prober:
    """Asks in threads; at most one question is under way for each instance."""

    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(THREADS, "probe"))

    def ask(self, question: Callable[[], Health]) -> "Future[Health]":
        """Begin to ask."""
        return self.pool.submit(question)

    def close(self) -> None:
        """Wait for none of them."""
        self.pool.shutdown(wait=False, cancel_futures=True)
