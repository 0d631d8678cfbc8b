"""The queue in the database: first in, first out, claimed in one statement, and woken by the doorbell."""

import logging
import multiprocessing
import os
import time
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import OperationalError, connections, transaction
from django.db.models import Min
from django.db.models.functions import Now
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ

from alma.events import doorbell
from alma.jobs.gauge import Mark, gauge

logger = logging.getLogger(__name__)

IDLE_POLL = 1.0
PAUSE_AFTER_FAILURE = 1.0
LONG_AGO = timedelta(days=1)
"""A new task is marked as free since then, so that clocks that differ between machines do not hold it back."""
LONGER_AGO = timedelta(days=3)
"""And an urgent one since then: it is claimed before the others."""
_BETWEEN = timedelta(days=2)


class DoorbellBroker(ORM):
    """django-q2's ORM broker without its sleeping poll and without a connection per poll."""

    _listener: doorbell.Listener | None = None
    _pid = 0
    _parent = 0
    _free_since = LONG_AGO

    @classmethod
    def urgent(cls) -> "DoorbellBroker":
        """What is queued by this one is claimed before what others have queued."""
        broker = cls()
        broker._free_since = LONGER_AGO
        return broker

    def enqueue(self, task: str) -> int:
        """Write a task with the caller's transaction, and ring for a worker once that is committed."""
        row = OrmQ.objects.using(Conf.ORM).create(
            key=self.list_key or Conf.CLUSTER_NAME, payload=task, lock=Now() - self._free_since
        )
        transaction.on_commit(partial(doorbell.ring, doorbell.QUEUE), using=Conf.ORM)
        return int(row.pk)

    def dequeue(self) -> list[tuple[int, str]] | None:
        """The next tasks, or None after a wait without any. Runs in django-q2's pusher."""
        self._settle()
        gauge.mark(Mark.ASKING)
        try:
            claimed = self._claim()
        except OperationalError:
            logger.warning("the queue cannot be read, trying again", exc_info=True)
            connections[Conf.ORM].close()
            gauge.mark(Mark.ASKED)
            time.sleep(PAUSE_AFTER_FAILURE)
            return None
        gauge.mark(Mark.ASKED)
        if claimed:
            gauge.mark(Mark.HANDED)
        if not claimed and self._listener:
            self._listener.wait(IDLE_POLL)
        return claimed or None

    def _settle(self) -> None:
        """A forked process listens for itself, from before its first look at the queue, and ends with its parent."""
        if self._pid != os.getpid():
            parent = multiprocessing.parent_process()  # who made us, even if that has ended before we asked
            self._pid, self._parent = os.getpid(), os.getppid() if parent is None else parent.pid or 0
            self._listener = doorbell.Listener(doorbell.QUEUE)
        if os.getppid() != self._parent:
            os._exit(0)

    def _claim(self) -> list[tuple[int, str]]:
        connection = connections[Conf.ORM]
        connection.close_if_unusable_or_obsolete()
        now = timezone.now()
        waiting = OrmQ.objects.using(Conf.ORM).filter(key=self.list_key, lock__lt=now)
        if connection.vendor != "postgresql" and not waiting.exists():
            return []  # an UPDATE takes SQLite's write lock even when it finds nothing
        with connection.cursor() as cursor:
            cursor.execute(_CLAIM[connection.vendor], self._parameters(connection, now))
            return sorted(cursor.fetchall())

    def _parameters(self, connection: Any, now: Any) -> list[Any]:
        stamp = connection.ops.adapt_datetimefield_value
        return [stamp(now + timedelta(seconds=Conf.RETRY)), self.list_key, stamp(now), stamp(now - _BETWEEN), Conf.BULK]


def oldest_waiting(*, is_urgent: bool = False) -> datetime | None:
    """By the database's clock, when the task was queued that comes next, of the urgent ones or of the others."""
    now = timezone.now()
    waiting = OrmQ.objects.using(Conf.ORM).filter(key=Conf.CLUSTER_NAME, lock__lt=now)
    of_kind = waiting.filter(lock__lt=now - _BETWEEN) if is_urgent else waiting.filter(lock__gte=now - _BETWEEN)
    oldest = of_kind.aggregate(oldest=Min("lock"))["oldest"]
    return None if oldest is None else oldest + (LONGER_AGO if is_urgent else LONG_AGO)


def _claim_statement(locking: str) -> str:
    table = OrmQ._meta.db_table
    order = "CASE WHEN lock < %s THEN 0 ELSE 1 END, id"
    free = f"SELECT id FROM {table} WHERE key = %s AND lock < %s ORDER BY {order} LIMIT %s{locking}"
    return f"UPDATE {table} SET lock = %s WHERE id IN ({free}) RETURNING id, payload"


_CLAIM = {"sqlite": _claim_statement(""), "postgresql": _claim_statement(" FOR UPDATE SKIP LOCKED")}
