"""Answers that hold for as long as nothing was written to the database.

SQLite says so for the price of one look: a connection sees when any other one has committed (`PRAGMA data_version`) and
counts what it changed itself. So an answer is kept with that state and given again while the state is the same, exactly as
if it had been read again. Elsewhere, and inside a transaction, which may be rolled back, answers are always read.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import connection

MOST = 8
"""Answers kept by each connection."""

Answer = TypeVar("Answer")


@dataclass
class _Kept:
    driver: object
    state: tuple[int, int]
    answers: dict[Hashable, Any] = field(default_factory=dict)


def remembered(key: Hashable, read: Callable[[], Answer]) -> Answer:
    """What `read` gives, from the last time when nothing was written since. It must depend on key and database alone."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return read()
    answers = _kept().answers
    if key not in answers:
        if len(answers) >= MOST:
            del answers[next(iter(answers))]
        answers[key] = read()
    answer: Answer = answers[key]
    return answer


def _kept() -> _Kept:
    """The answers of this thread's connection, none when something was written since they were read."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA data_version")
        state = cursor.fetchone()[0], connection.connection.total_changes
    kept: _Kept | None = getattr(connection, "alma_kept", None)
    if kept is None or kept.driver is not connection.connection or kept.state != state:
        kept = _Kept(connection.connection, state)
        connection.alma_kept = kept  # type: ignore[attr-defined]
    return kept
