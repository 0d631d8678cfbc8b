"""Where people agree first: an operation becomes a job that waits, and they are asked about exactly its steps."""

import json
from dataclasses import dataclass
from typing import Any

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.errors import WrongState
from alma.jobs import gate
from alma.jobs.kinds import StepFailed
from alma.jobs.models import Job
from alma.jobs.services import StepSpec, create_job, create_waiting_job
from vms.models import Backup, GuestClaim
from vms.operations.rights import key_of

MOST_TWINS = 20


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A job about one machine, or about a backup of it, before it is written."""

    kind: str
    claim: GuestClaim
    title: str
    steps: tuple[StepSpec, ...]
    params: dict[str, Any]
    of_backup: str = ""
    """The key under which a backup is worked on, where it is about one."""

    @property
    def key(self) -> str:
        """At most one job that has not ended has it."""
        return self.of_backup or key_of(self.claim)

    def begin(self, *, by: Actor) -> Job:
        """Write it. Raises WrongState while another one works on the machine."""
        return create_job(
            self.kind, self.steps, organization_id=self.claim.organization_id, title=self.title, params=self.params,
            exclusive_key=self.key, by=by.label,
        )  # fmt: skip

    def wait(self, *, by: Actor) -> Job:
        """Write it for the time when people have agreed."""
        return create_waiting_job(
            self.kind, self.steps, organization_id=self.claim.organization_id, title=self.title, params=self.params,
            exclusive_key=self.key, created_by=by.label,
        )  # fmt: skip

    def is_same(self, job: Job) -> bool:
        """Whether a job does the very same."""
        wanted = [(step.kind, step.key, json.loads(json.dumps(step.params))) for step in self.steps]
        return job.kind == self.kind and [(step.kind, step.key, step.params) for step in job.steps.all()] == wanted


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What people are asked about: what a job would do to one machine. `key` is what the ledger calls it, `reason` says
    why it is asked for where that is known."""

    title: str
    key: str
    environment: Environment
    reason: str = ""


def propose(wish: Wish, environment: Environment, *, by: Actor, reason: str = "") -> Job:
    """The job of an operation, which waits until people have agreed. To ask for the same once more is to have asked once.

    Inside a transaction. Raises Refused, Invalid, and WrongState where something else is proposed for a number that is not
    in use yet."""
    claim = GuestClaim.objects.select_for_update().get(pk=wish.claim.pk)
    waiting = _waiting(wish)
    twin = next((job for job in waiting if wish.is_same(job)), None)
    if twin is not None:
        return twin
    if waiting and claim.state == GuestClaim.State.RESERVED:
        raise _proposed_already(claim, waiting[0])
    job = wish.wait(by=by)
    gate.propose(job, Operation(title=wish.title, key=claim.key, environment=environment, reason=reason), by=by)
    job.refresh_from_db()
    return job


def _waiting(wish: Wish) -> list[Job]:
    rows = Job.objects.waiting().filter(organization_id=wish.claim.organization_id, exclusive_key=wish.key)
    return list(rows.prefetch_related("steps").order_by("-pk")[:MOST_TWINS])


def _proposed_already(claim: GuestClaim, first: Job) -> WrongState:
    """Of a machine that is yet to be made there can be one proposal."""
    return WrongState(
        f"{claim.key} is proposed already: {first.public_id} waits for approval. Cancel it to ask for another one.",
        code="GUEST_BUSY",
        details={"job_id": first.public_id, "type": first.kind, **gate.decided_at(first.params)},
    )


def check_agreed(job: Job) -> None:
    """Make sure, right before a job that people have agreed to begins, that its machine or backup is still the one they saw.

    Raises StepFailed."""
    rows = GuestClaim.objects.filter(organization_id=job.organization_id, pk=job.params.get("claim"))
    claim = rows.first()
    if is_about_backup(job):
        if not Backup.objects.there().filter(pk=job.params["backup"], claim=claim).exclude(claim=None).exists():
            raise StepFailed("BACKUP_NOT_THERE", "The backup of this operation is there no more.")
    elif claim is None or not claim.is_active or key_of(claim) != job.exclusive_key:
        raise StepFailed("GUEST_NOT_OURS", "The ledger has given up the machine of this operation; it is left alone.")


def is_about_backup(job: Job) -> bool:
    """Whether it works on a backup, and not on the machine in it, which may be gone."""
    return job.exclusive_key.startswith("backup:")
