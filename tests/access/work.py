"""What a request has the database do. Time is not measured here: what is the same work takes the same time."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

_WRITING = re.compile(r'(?:INSERT (?:OR \w+ )?INTO|UPDATE|DELETE FROM) "?(\w+)"?')
_READING = ("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK", "PRAGMA", "BEGIN", "COMMIT", "LISTEN", "SET", "FETCH")
Work = list[tuple[str, str]]
"""Statements with their values, as text."""


@contextmanager
def watched() -> Iterator[Work]:
    """Every statement that runs in here, but for savepoints."""
    work: Work = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "SAVEPOINT" not in sql:
            work.append((sql, str(params)))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield work


def kinds(work: Work) -> list[str]:
    """The statements without their values."""
    return [sql for sql, _ in work]


def tables_written(work: Work) -> set[str]:
    """Where something may have been changed. Raises AssertionError for a statement that is not understood."""
    written = [sql for sql, _ in work if not sql.lstrip("( ").startswith(_READING) or _WRITING.search(sql)]
    found = {table for sql in written for table in _WRITING.findall(sql)}
    assert len(found) > 0 or not written, written
    return found
