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


def probe(port: int, *, path: str, key: str) -> Health:
    """Ask once."""
    server = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        server.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
        status = server.getresponse().status
    except (OSError, HTTPException):
        return Health.SILENT
    finally:
        server.close()
    if status == 200:
        return Health.READY
    return Health.LOADING if status == 503 else Health.SILENT


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
