"""The lease of a job: one holder at a time by the database's clock, and a token that fences off late writers."""

import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.db.models.sql import UpdateQuery

from alma.jobs.models import Job

LONGEST_PAUSE = 15


class LeaseLost(Exception):
    """Somebody else works on this job now; whatever we wanted to write must not be written."""


def ttl() -> timedelta:
    """How long a lease holds without being renewed."""
    return timedelta(seconds=settings.ALMA_LEASE_SECONDS)


def _world() -> str:
    """Where a process id means one process: this boot of this machine, and the namespace that numbers its processes."""
    boot, namespace = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    if not (boot.exists() and namespace.exists()):
        return f"{psutil.boot_time():.0f}"
    return f"{boot.read_text()[:8]}.{namespace.stat().st_ino}"


def owner_name() -> str:
    """host|world|pid|start time|nonce of this process: enough to tell later whether it still lives."""
    process = psutil.Process()
    host = socket.gethostname()[:60]
    return f"{host}|{_world()}|{os.getpid()}|{process.create_time():.2f}|{secrets.token_hex(4)}"


def is_dead(owner: str) -> bool:
    """Whether the owner of a lease is certainly gone: only processes numbered as ours are can be looked up from here.

    Of any other machine, container or boot nothing is known, and its lease has to run out."""
    parts = owner.split("|")
    if len(parts) != 5 or parts[:2] != [socket.gethostname()[:60], _world()]:
        return False
    try:
        process = psutil.Process(int(parts[2]))
        return f"{process.create_time():.2f}" != parts[3] or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False


def free() -> Q:
    """Jobs whose lease nobody holds now."""
    return Q(lease_until=None) | Q(lease_until__lt=Now())


_WRITING = threading.Lock()
"""The lanes of a process write in turn: the row of the job would make them wait for each other anyway, and less fairly."""
_JOB, _TOKEN = 8_000_000_000_000_000_001, 8_000_000_000_000_001_001
"""Stand for the values in the statement that renews a lease."""


@cache
def _renewal(alias: str, seconds: int) -> tuple[str, tuple[Any, ...]]:
    """The statement that renews a lease, written once: it runs with every transaction of every step."""
    held = Job.objects.filter(pk=_JOB, lease_token=_TOKEN, lease_until__gt=Now())
    query: Any = held.query.chain(UpdateQuery)
    query.add_update_values({"lease_until": Now() + timedelta(seconds=seconds)})
    sql, params = query.get_compiler(alias).as_sql()
    return sql, tuple(params)


@dataclass(frozen=True)
class Lease:
    """The right to work on one job, until it is lost."""

    job_id: int
    token: int

    @classmethod
    def acquire(cls, job_id: int) -> "Lease | None":
        """Take the lease of an active job, or None when another holds it or there is nothing left to do."""
        owner = owner_name()
        taken = (
            Job.objects.active()
            .filter(free(), pk=job_id)
            .update(
                lease_owner=owner, lease_token=F("lease_token") + 1, lease_until=Now() + ttl(),
                kicked_at=None, due_at=None, deaths=F("deaths") + 1,
            )
        )  # fmt: skip
        if not taken:
            return None
        token = Job.objects.filter(pk=job_id, lease_owner=owner).values_list("lease_token", flat=True).first()
        return cls(job_id, token) if token is not None else None

    def _held(self) -> Q:
        return Q(pk=self.job_id, lease_token=self.token, lease_until__gt=Now())

    def renew(self) -> None:
        """Hold on for another period; called right before each effect. Raises LeaseLost."""
        sql, params = _renewal(connection.alias, settings.ALMA_LEASE_SECONDS)
        given: dict[Any, Any] = {_JOB: self.job_id, _TOKEN: self.token}
        with connection.cursor() as cursor:
            cursor.execute(sql, [given.get(param, param) for param in params])
            if not cursor.rowcount:
                raise LeaseLost

    @contextmanager
    def fenced(self) -> Iterator[Job]:
        """A transaction in which the job's row is locked and ours. Raises LeaseLost before anything is written."""
        with transaction.atomic():
            job = Job.objects.select_for_update().filter(self._held()).first()
            if job is None:
                raise LeaseLost
            yield job

    @contextmanager
    def held(self) -> Iterator[None]:
        """The same for those who know their job: it costs one statement, and it renews the lease with all that is written.

        Right after it an effect may begin, as after `renew`. Raises LeaseLost before anything is written."""
        with _WRITING, transaction.atomic():
            self.renew()
            yield

    def show_progress(self, job: Job) -> None:
        """Inside `held`: a step has ended, so those who died before did not die of this job. It counts as held once."""
        if job.deaths > 1:
            Job.objects.filter(pk=job.pk).update(deaths=1)
            job.deaths = 1

    def release(self, *, pause: float = 0.0) -> None:
        """Give the lease back alive; the job is due again after `pause` seconds."""
        due = Now() + timedelta(seconds=pause) if pause else None
        Job.objects.filter(self._held()).update(
            lease_until=None, lease_owner="", kicked_at=None, deaths=0, due_at=due
        )  # fmt: skip

    def give_up(self) -> None:
        """Give the lease back after a fault of ours: counted as a death, and not tried again at once."""
        held = Job.objects.filter(self._held())
        deaths = held.values_list("deaths", flat=True).first() or 0
        due = Now() + timedelta(seconds=min(LONGEST_PAUSE, deaths))
        held.update(lease_until=None, lease_owner="", kicked_at=None, due_at=due)
