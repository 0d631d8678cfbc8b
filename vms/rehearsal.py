"""Steps tried on a sandbox that is a snapshot of their cluster: the code that will run, with no effect on cluster or ledger."""

from collections.abc import Iterable
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from django.db import transaction

from alma.events.models import Event
from alma.jobs import engine
from alma.jobs.models import Job, Step
from alma.jobs.services import StepSpec, create_job
from vms.models import Cluster
from vms.proxmox.client import carried_by
from vms.sandbox import importing
from vms.sandbox.core.clock import ManualClock
from vms.sandbox.core.core import Core
from vms.sandbox.core.model import Grant
from vms.sandbox.core.world import Options
from vms.sandbox.credentials import SandboxCredentials
from vms.sandbox.inprocess import SandboxAdapter
from vms.sandbox.opening import build

KIND = "rehearsal"
NOT_ON_A_COPY = frozenset({"guest.await"})
"""What a copy cannot show: its guests have no systems that could come up or stay away."""
SLOT_SECONDS = 1.0
MOST_SLOTS = 30
"""The database is written to all the while and nothing of it is seen: what takes longer is not rehearsed to its end."""


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """How it went: `seconds` is the time that a cluster of this size would take, `error` the code and message of a failure.

    `left_out` says what of the cluster could not be read or is not modelled, and so was not rehearsed against."""

    is_completed: bool
    error: dict[str, Any] | None
    log: tuple[str, ...]
    seconds: float
    left_out: tuple[str, ...]


class _TakenBack(Exception):
    """Ends the transaction of a rehearsal, so that nothing of it stays."""


def rehearse(cluster: Cluster, steps: Iterable[StepSpec]) -> Rehearsal:
    """Read the cluster, and run the steps on what was read. Raises Unknown and Refusal when it gives no clear answer."""
    return on_copy(cluster, importing.read(cluster), steps)


def on_copy(cluster: Cluster, made: importing.Import, steps: Iterable[StepSpec]) -> Rehearsal:
    """Run the steps on a snapshot, within a transaction that is taken back."""
    core = core_of(made, cluster)
    found: list[tuple[Job, tuple[str, ...]]] = []
    try:
        with transaction.atomic(), carried_by(cluster, SandboxAdapter(core, is_hurried=True)):
            found.append(_run(cluster, list(steps)))
            raise _TakenBack
    except _TakenBack:
        job, log = found[0]
    return Rehearsal(
        is_completed=job.state == Job.State.COMPLETED, error=job.error, log=log,
        seconds=round(core.world.now() - made.at, 1), left_out=tuple(made.left_out),
    )  # fmt: skip


def core_of(made: importing.Import, cluster: Cluster) -> Core:
    """A sandbox on a clock of its own. The cluster's token may do all there: what it lacks is said by the test of the
    connection, not by a rehearsal."""
    user = cluster.token_id.partition("!")[0]
    secrets = SandboxCredentials(user, "", cluster.token_id, cluster.token_secret, token_hex(32), "")
    core = build(made.state, ManualClock(made.at), Options(), secrets)
    core.state.grants.put(Grant("/", "user", user, "Administrator"))
    return core


def _run(cluster: Cluster, steps: list[StepSpec]) -> tuple[Job, tuple[str, ...]]:
    shown = [step for step in steps if step.kind not in NOT_ON_A_COPY]
    job = create_job(KIND, shown, organization_id=cluster.organization_id, title="Rehearsal")
    _advance(job)
    job.refresh_from_db()
    lines = Event.objects.of(job.stream).filter(kind=f"{KIND}.log").order_by("pk")
    said = [str(event.data.get("message", "")) for event in lines]
    unseen = [f"{step.title}: that shows on the cluster only." for step in steps if step.kind in NOT_ON_A_COPY]
    log = (*said, *unseen)
    if job.is_active:
        waiting = job.steps.filter(state=Step.State.RUNNING).first()
        title, last = waiting.title if waiting else "The rehearsal", log[-1] if log else ""
        job.error = {"code": "REHEARSAL_STUCK", "message": f"{title} does not end. {last}".strip()}
    return job, log


def _advance(job: Job) -> None:
    """Until it has ended, or nothing has moved for a slot: on the copy nobody else works, so nothing ever will."""
    before: list[Any] = []
    for _ in range(MOST_SLOTS):
        if engine.advance(job.pk, slot_seconds=SLOT_SECONDS) == "ended":
            return
        now = list(job.steps.order_by("ordinal").values_list("state", "journal"))
        if now == before:
            return
        before = now
