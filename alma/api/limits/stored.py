"""Buckets as rows: in a file beside the SQLite database, or in a table of PostgreSQL.

Not in the SQLite database itself: there every request would wait for the one writer and for the disk, and would end the
life of every answer that is kept until something is written.
"""

import os
import sqlite3
import threading
from pathlib import Path
from typing import Any

from django.db import DatabaseError, connection

from alma.api.limits.buckets import FORGOTTEN_AFTER, Known, Reading, by_class
from alma.api.limits.classes import RateClass
from alma.api.models import RateBucket

PATIENCE_SECONDS = 5.0
Values = dict[str, str | int | None]
# One statement: the row is locked, judged by the clock after the wait for it, and moved on, or left as it is.
_TAKE = """
INSERT INTO {table} (key, rate_class, client, ready_at)
VALUES ({key}, {name}, {client}, {moment} - {unused} + {interval})
ON CONFLICT (key) DO UPDATE
SET ready_at = {greatest}({table}.ready_at, {moment} - {unused}) + {interval}
WHERE {table}.ready_at <= {moment}
RETURNING ready_at, {moment}
"""
_LOOK = "SELECT ready_at, {moment} FROM {table} WHERE key = {key}"
_NAMES = ("key", "name", "client", "now", "unused", "interval")


def _values(allowance: RateClass, client: str, now: int | None) -> Values:
    return {
        "key": f"{allowance.name} {client}", "name": allowance.name, "client": client, "now": now,
        "unused": allowance.depth - allowance.interval, "interval": allowance.interval,
    }  # fmt: skip


_SQLITE = {
    "table": "buckets", "greatest": "MAX", **{name: f":{name}" for name in _NAMES},
    "moment": "COALESCE(:now, CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))",
}  # fmt: skip
_FILE = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=NORMAL;
CREATE TABLE IF NOT EXISTS buckets (
    key TEXT PRIMARY KEY, rate_class TEXT NOT NULL, client TEXT NOT NULL, ready_at INTEGER NOT NULL
) WITHOUT ROWID;
"""


class FileBuckets:
    """Shared by the processes of one machine. The threads of one wait in line; SQLite would let them sleep and try."""

    faults: tuple[type[Exception], ...] = (sqlite3.Error, OSError)
    _take, _look = _TAKE.format(**_SQLITE), _LOOK.format(**_SQLITE)

    def __init__(self, path: Path) -> None:
        self._path = path
        self._line = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._pid = 0

    def take(self, allowance: RateClass, client: str, now: int | None) -> Reading:
        """A refusal writes nothing."""
        values = _values(allowance, client, now)
        with self._line:
            rows = self._rows(self._take, values)
            if rows:
                return Reading(True, *rows[0])
            return Reading(False, *self._rows(self._look, values)[0])

    def known(self, now: int | None) -> tuple[Known, int]:
        """All rows."""
        with self._line:
            rows = self._rows("SELECT rate_class, client, ready_at FROM buckets", {})
            return by_class(rows), self._moment(now)

    def sweep(self, now: int | None) -> None:
        """A bucket that is full is as good as none."""
        with self._line:
            self._rows("DELETE FROM buckets WHERE ready_at < :oldest", {"oldest": self._moment(now) - FORGOTTEN_AFTER})

    def _moment(self, now: int | None) -> int:
        moment: int = self._rows(f"SELECT {_SQLITE['moment']}", {"now": now})[0][0]
        return moment

    def _rows(self, sql: str, values: Values) -> list[tuple[Any, ...]]:
        """Over a connection of this process, and over a new one after whatever went wrong."""
        try:
            if self._connection is None or self._pid != os.getpid():
                self._connection, self._pid = _opened(self._path), os.getpid()
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error:
            self._connection = None
            raise


def _opened(path: Path) -> sqlite3.Connection:
    opened = sqlite3.connect(path, timeout=PATIENCE_SECONDS, isolation_level=None, check_same_thread=False)
    opened.executescript(_FILE)
    return opened


_POSTGRESQL = {
    "table": RateBucket._meta.db_table, "greatest": "GREATEST", **{name: f"%({name})s" for name in _NAMES},
    "moment": "COALESCE(%(now)s::bigint, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)",
}  # fmt: skip


class TableBuckets:
    """Shared by all machines. The table is unlogged: nobody waits for a disk, and after a crash all buckets are full."""

    faults: tuple[type[Exception], ...] = (DatabaseError,)
    _take, _look = _TAKE.format(**_POSTGRESQL), _LOOK.format(**_POSTGRESQL)

    def take(self, allowance: RateClass, client: str, now: int | None) -> Reading:
        """A refusal writes nothing."""
        values = _values(allowance, client, now)
        row = _row(self._take, values)
        if row is not None:
            return Reading(True, *row)
        return Reading(False, *(_row(self._look, values) or (0, 0)))

    def known(self, now: int | None) -> tuple[Known, int]:
        """One query for the rows, one for the time."""
        return by_class(RateBucket.objects.values_list("rate_class", "client", "ready_at")), self._moment(now)

    def sweep(self, now: int | None) -> None:
        """A bucket that is full is as good as none."""
        RateBucket.objects.filter(ready_at__lt=self._moment(now) - FORGOTTEN_AFTER).delete()

    def _moment(self, now: int | None) -> int:
        return (_row(f"SELECT {_POSTGRESQL['moment']}", {"now": now}) or (0,))[0]


def _row(sql: str, values: Values) -> tuple[int, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        row: tuple[int, ...] | None = cursor.fetchone()
        return row
