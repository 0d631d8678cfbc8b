"""The state file: SQLite with full synchronisation, one transaction per batch of changes."""

import fcntl
import sqlite3
from pathlib import Path
from types import TracebackType

from vms.sandbox.core.state import Change, State

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS documents"
    " (kind TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID"
)


class StoreInUse(Exception):
    """Another sandbox process has this state file open."""


class Store:
    """Belongs to one process at a time; what `write` returned from survives any crash."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = path.with_suffix(".lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            raise StoreInUse(f"{path} is in use by another sandbox") from error
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self._connection.execute(f"PRAGMA {pragma}").fetchall()
        self._connection.execute(_SCHEMA)

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def load(self) -> State:
        state = State()
        for kind, body in self._connection.execute("SELECT kind, body FROM documents"):
            state.restore(kind, body)
        return state

    def write(self, changes: list[Change]) -> None:
        """All of the changes or none of them."""
        gone = [(change.kind, change.key) for change in changes if change.body is None]
        kept = [(change.kind, change.key, change.body) for change in changes if change.body is not None]
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("DELETE FROM documents WHERE kind = ? AND key = ?", gone)
            self._connection.executemany("INSERT OR REPLACE INTO documents (kind, key, body) VALUES (?, ?, ?)", kept)

    def close(self) -> None:
        self._connection.close()
        self._lock.close()
