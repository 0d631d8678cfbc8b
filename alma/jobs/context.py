"""What a running step may do: read its parameters, write its journal, tell what happens, and end."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from alma.events.services import Told, emit_all
from alma.failpoints import failpoint
from alma.jobs.kinds import job_kind
from alma.jobs.leases import Lease
from alma.jobs.models import Job, Step
from alma.jobs.tally import Tally

MOST_UNWRITTEN = 0.25
"""Seconds for which what steps left may wait for more to be written with it."""
ENDS = ("state", "journal", "evidence", "error", "attempts", "started_at", "finished_at")
RECENT = 1.0
"""Seconds for which a lease that was just renewed needs no renewal: far less than it holds."""


class StepContext:
    """A step under a lease. Every write is fenced: a process that lost the lease cannot leave a trace.

    Fenced parts may stand in one another: all that is written in the outermost one is one transaction, and what it
    tells is written at its end, in order. With a `batch`, what may be lost with this process, such as the end of a step
    that was read back, is left to it: it writes for many steps at once.
    """

    def __init__(self, lease: Lease, job: Job, step: Step, batch: "Batch | None" = None) -> None:
        self.lease = lease
        self.job = job
        self.step = step
        self.batch = batch
        self._told: list[Told] = []
        self._is_noted = False
        self._is_ended = False
        self._is_fenced = False
        self._renewed_at = 0.0

    @property
    def params(self) -> dict[str, Any]:
        """What the plan says; never changed."""
        return self.step.params

    @property
    def journal(self) -> dict[str, Any]:
        """What was meant and learned so far."""
        return self.step.journal

    @property
    def is_noted(self) -> bool:
        """Whether something is known that is not written down yet."""
        return self._is_noted or self._is_ended or bool(self._told)

    @contextmanager
    def fenced(self) -> Iterator[Job]:
        """A fenced transaction for rows of the app itself, such as the ledger. It renews the lease."""
        if self._is_fenced:
            yield self.job
            return
        before = len(self._told)
        self._is_fenced = True
        try:
            with self.lease.held():
                yield self.job
                self._tell(self.write_down())
        except BaseException:
            del self._told[before:]
            raise
        finally:
            self._is_fenced = False
        self._renewed_at = time.monotonic()

    @property
    def tally(self) -> Tally:
        """How far the job is."""
        return self.batch.tally if self.batch else Tally(self.job)

    def write_down(self) -> list[Told]:
        """Write what was noted, inside a transaction that holds the lease; returns what is to be told."""
        if self._is_ended:
            self.step.save(update_fields=ENDS)
            self.lease.show_progress(self.job)
            failpoint("step.succeeding")
        elif self._is_noted:
            self._write_journal()
        self._is_noted = self._is_ended = False
        told, self._told = self._told, []
        return told

    def _write_journal(self) -> None:
        """Write the journal, and tell once that the step has begun."""
        if self.step.state == Step.State.PENDING:
            self.step.move(Step.State.RUNNING)
            self.tell("step", percentage=self.tally.progress(), **self.step.describe())
        else:
            self.step.save(update_fields=["journal"])
        self._is_noted = False

    def _tell(self, told: list[Told]) -> None:
        if told:
            tell_all(self.job, told, self.tally)

    def renew(self) -> None:
        """Make sure of the lease; the last thing before an effect. Raises LeaseLost."""
        if time.monotonic() - self._renewed_at > RECENT:
            self.lease.renew()
            self._renewed_at = time.monotonic()

    def note(self, **values: Any) -> None:
        """Add to the journal what may be lost with this process: it is written with whatever is recorded next, and at the
        latest when this pass over the steps ends."""
        self.step.journal = {**self.step.journal, **values}
        self._is_noted = True

    def record(self, **values: Any) -> None:
        """Write to the journal."""
        with self.fenced():
            self.note(**values)
            if self.step.state == Step.State.PENDING:
                self._write_journal()

    def log(self, message: str, level: str = "info") -> None:
        """Tell a line of the step's log."""
        with self.fenced():
            self.note_line(message, level)

    def note_line(self, message: str, level: str = "info") -> None:
        """A line of the step's log that is told with whatever is recorded next."""
        self.tell("log", message=message, level=level, step=self.step.ordinal, key=self.step.key)

    def succeed(self, *, warnings: bool = False, **evidence: Any) -> None:
        """End the step well, with what was read back as proof."""
        with nullcontext() if self.batch else self.fenced():
            self._begin()
            self.step.evidence = evidence
            self._end(Step.State.WARNED if warnings else Step.State.SUCCEEDED)
            tally = self.tally
            is_whole = tally.done(self.step)
            self.tell("step", percentage=tally.progress(), **self.step.describe())
            if is_whole:
                self.tell("resource", percentage=tally.progress(), **{**self.step.describe(), "evidence": evidence})

    def fail(self, code: str, message: str) -> None:
        """End the step badly."""
        with self.fenced():
            self._begin()
            self.step.error = {"code": code, "message": message}
            self._end(Step.State.FAILED)
            self.tell("step", percentage=self.tally.progress(), **self.step.describe())
            self.tell("error", code=code, message=message, step=self.step.ordinal, key=self.step.key)

    def _begin(self) -> None:
        """A step that ends in the turn in which it began is told to have begun as well."""
        if self._is_noted and self.step.state == Step.State.PENDING:
            self.step.move(Step.State.RUNNING, is_kept=True)
            self.tell("step", percentage=self.tally.progress(), **self.step.describe())

    def _end(self, to: Step.State) -> None:
        self.step.move(to, is_kept=True)
        self._is_ended = True

    def tell(self, what: str, **data: Any) -> None:
        """An event of the job's stream, written when the fenced part ends."""
        self._told.append((job_kind(self.job.kind).event(self.job, what), data))


def tell_all(job: Job, told: Sequence[Told], tally: Tally) -> None:
    """Events of a job's stream, inside a transaction that holds its lease. What lanes tell late does not go back."""
    for _, data in told:
        if "percentage" in data:
            data["percentage"] = tally.told(data["percentage"])
    emit_all(job.stream, told, organization_id=job.organization_id)


class Batch:
    """What many steps leave to be written together, by the one process that holds the lease of their job."""

    def __init__(self, lease: Lease, job: Job) -> None:
        self._lease = lease
        self._job = job
        self._lock = threading.Lock()
        self._noted: list[StepContext] = []
        self._written_at = time.monotonic()
        self._tally: Tally | None = None
        self.rows: dict[Any, Any] = {}
        """Rows that steps of this pass share, such as the one that says where their cluster is."""

    @property
    def tally(self) -> Tally:
        """How far the job is, with what is not written yet."""
        with self._lock:
            self._tally = self._tally or Tally(self._job)
            return self._tally

    def add(self, context: StepContext) -> None:
        """After a turn: remember what it left, and write it all down when the first of it is no longer young."""
        with self._lock:
            if context.is_noted:
                self._noted.append(context)
            is_due = time.monotonic() - self._written_at > MOST_UNWRITTEN
        if is_due:
            self.write()

    def write(self) -> None:
        """Everything, in one transaction. Raises LeaseLost."""
        with self._lock:
            noted, self._noted = self._noted, []
            self._written_at = time.monotonic()
        if noted:
            self._write(noted)
            failpoint("step.succeeded")

    def _write(self, noted: list[StepContext]) -> None:
        with self._lease.held():
            told = [event for context in noted for event in context.write_down()]
            if told:
                tell_all(self._job, told, self.tally)
