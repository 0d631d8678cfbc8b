"""One turn of a step: the cluster, the ledger row, the task that is under way, and the ways to act and to end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from django.utils import timezone

from alma.failpoints import failpoint
from alma.jobs.context import StepContext
from alma.jobs.kinds import StepFailed, Wait
from vms import ledger
from vms.models import Cluster, GuestClaim
from vms.proxmox import guests, tasks
from vms.proxmox.answers import Refusal
from vms.proxmox.client import Api, connect
from vms.proxmox.guests import Observation, Seen
from vms.proxmox.readings import GuestReading
from vms.proxmox.tasks import Outcome, TaskReading

TASK_GRACE = 5.0
"""Seconds for which a new task may not be listed yet."""
LOG_PERIOD = 1.0
MAX_LINES = 100
MAX_TRIES = 5


@dataclass
class Work:
    """What a turn works with."""

    context: StepContext
    cluster: Cluster
    api: Api
    is_first: bool = False
    """Whether this is the turn in which the step begins: nothing of it can exist yet."""
    is_meant: bool = False
    """Whether the intent was committed with the step's begin."""

    @classmethod
    def open(cls, context: StepContext, *, is_first: bool = False) -> "Work":
        """Raises StepFailed when the cluster is gone, Unknown when it cannot be spoken to."""
        cluster = _cluster(context)
        if cluster is None or cluster.organization_id != context.job.organization_id:
            raise StepFailed("CLUSTER_GONE", "The cluster of this step was removed or switched off.")
        return cls(context, cluster, connect(cluster), is_first)

    @property
    def params(self) -> dict[str, Any]:
        """What the plan says."""
        return self.context.params

    @property
    def journal(self) -> dict[str, Any]:
        """What was meant and learned so far."""
        return self.context.journal

    # -- whose guest it is -----------------------------------------------------------------------
    def claim(self) -> GuestClaim | None:
        """The ledger row of this step: the one it took before, or the one that stands for the resource now."""
        taken = self.journal.get("claim")
        if taken:
            return GuestClaim.objects.get(pk=taken)
        if self.params.get("claim"):
            return self._named_claim(self.params["claim"])
        held = ledger.held(self.cluster.pk, owner=self.params["owner"], key=self.context.step.key, job=self.context.job)
        if held is not None:
            self.context.note(claim=str(held.pk), vmid=held.vmid)
            return held
        with self.context.fenced() as job:
            claim = ledger.take(self.cluster.pk, owner=self.params["owner"], key=self.context.step.key, job=job)
            if claim is not None:
                self.context.record(claim=str(claim.pk), vmid=claim.vmid)
        return claim

    def _named_claim(self, claim_id: str) -> GuestClaim:
        with self.context.fenced() as job:
            claim = ledger.take_named(claim_id, job=job)
            self.context.record(claim=str(claim.pk), vmid=claim.vmid)
        return claim

    def own_claim(self) -> GuestClaim:
        """The ledger row. Raises StepFailed when nothing of ours stands for the resource."""
        claim = self.claim()
        if claim is None or not claim.is_active:
            raise StepFailed("GUEST_MISSING", f"{self.context.step.key} has no guest in the ledger of {self.cluster}.")
        return claim

    def ours(self, claim: GuestClaim) -> GuestReading:
        """Our guest, free to be changed. Raises Wait while it is locked, StepFailed when it is gone or not ours."""
        seen = guests.observe(self.api, claim)
        if seen.reading is None:
            raise StepFailed("GUEST_MISSING", f"VMID {claim.vmid} no longer exists; ALMA did not delete it.")
        self.refuse_foreign(claim, seen)
        self.wait_for_lock(seen)
        return seen.reading

    def refuse_foreign(self, claim: GuestClaim, seen: Observation) -> None:
        """Raises StepFailed when the guest does not carry our marker: then it is never touched."""
        if seen.seen == Seen.FOREIGN:
            raise StepFailed(
                "GUEST_NOT_OURS", f"The guest with VMID {claim.vmid} does not carry ALMA's marker; it is left alone."
            )

    def wait_for_lock(self, seen: Observation) -> None:
        """Raises Wait while Proxmox itself works on the guest, and says so once."""
        if seen.seen == Seen.LOCKED and seen.reading is not None:
            self.tell_once(f"Waiting: VMID {seen.reading.vmid} is locked ({seen.reading.lock}).")
            raise Wait

    # -- acting ------------------------------------------------------------------------------------
    def submit(self, claim: GuestClaim, call: Callable[[], object], **intent: Any) -> NoReturn:
        """Begin a task: intent committed and lease renewed, then the effect. Raises Wait, or what the call raises.

        The task's id may be lost with this process, like an answer on its way: the next look shows what has become."""
        if not self.is_meant:
            self.intend(claim, **intent)
        self.is_meant = False
        failpoint("work.intended")
        self.context.renew()
        failpoint("work.renewed")
        upid = tasks.started(call())
        failpoint("work.called")
        self.begun(upid)
        raise Wait

    def find_lost(self, reading: GuestReading, kind: str) -> None:
        """Where the answer of a call was lost, the task that it would have named is followed: `before` in the journal is the
        newest of its kind from before the call, as `newest` told it. Raises Wait when there is one, Unknown, Refusal."""
        before = self.journal.get("before")
        upid = "" if before is None else self.newest(reading, kind)
        if upid not in {"", before}:
            self.begun(upid)
            raise Wait

    def newest(self, reading: GuestReading, kind: str) -> str:
        """The newest task of a kind about a guest, on its node; `qm` stands for its kind of guest. Raises Unknown, Refusal."""
        name = kind.replace("qm", "vz", 1) if reading.kind == "lxc" else kind
        return tasks.newest(self.api, reading.node, reading.vmid, name)

    def begun(self, upid: str) -> None:
        """Note the task that was begun."""
        self.context.note(task=upid, task_at=timezone.now().timestamp(), log_at=0, **self.tried())

    def tried(self) -> dict[str, int]:
        """One more time that Proxmox took what was asked; for the journal."""
        return {"tries": self.journal.get("tries", 0) + 1}

    def intend(self, claim: GuestClaim, **intent: Any) -> None:
        """Commit what is about to be done. Raises StepFailed after too many times, or when the row is no longer ours."""
        if self.journal.get("tries", 0) >= MAX_TRIES:
            raise StepFailed("CHANGE_NOT_TAKEN", f"{self.context.step.title}: done {MAX_TRIES} times without effect.")
        with self.context.fenced() as job:
            row = GuestClaim.objects.select_for_update().active().filter(pk=claim.pk, job=job.public_id)
            if not row.exists():
                raise StepFailed("GUEST_NOT_OURS", f"VMID {claim.vmid} is no longer ours by the ledger.")
            self.context.record(exit=None, **intent)

    def follow(self) -> TaskReading | None:
        """How the last task ended, or None when there was none. Raises Wait while it runs."""
        upid = self.journal.get("task")
        if not upid:
            ended = self.journal.get("exit")
            return TaskReading(Outcome(ended["outcome"]), ended["text"]) if ended else None
        task = tasks.read(self.api, upid)
        is_new = timezone.now().timestamp() - self.journal.get("task_at", 0) < TASK_GRACE
        if task.outcome == Outcome.GONE and is_new:
            raise Wait
        self._forward_log(upid, task)
        if task.outcome == Outcome.RUNNING:
            raise Wait
        failpoint("work.task_ended")
        self.context.note(
            task=None, exit={"outcome": task.outcome.value, "text": task.text}, exit_at=timezone.now().timestamp()
        )
        return task

    def _forward_log(self, upid: str, task: TaskReading) -> None:
        """Tell the task's new lines, each once: the events and the place reached are committed together.

        Of a task that runs they are asked for once a second: its end is looked for more often than people read."""
        told, now = self.journal.get("log_at", 0), timezone.now().timestamp()
        asked = self.journal.get("log_asked", self.journal.get("task_at", 0))
        if told >= MAX_LINES or (task.outcome == Outcome.RUNNING and now - asked < LOG_PERIOD):
            return
        if task.outcome == Outcome.RUNNING:
            self.context.note(log_asked=now)
        try:
            lines = tasks.log(self.api, upid, told)
        except Refusal:
            return
        if lines:
            for _, line in lines:
                self.context.note_line(line)
            self.context.note(log_at=lines[-1][0])

    def tell_once(self, message: str) -> None:
        """A line of the step's log, unless it was the last one told like this."""
        if self.journal.get("told") != message:
            with self.context.fenced():
                self.context.log(message, "warning")
                self.context.record(told=message)

    # -- ending ------------------------------------------------------------------------------------
    def refuse_failed(self, task: TaskReading | None) -> None:
        """Raises StepFailed in Proxmox's words when the last task failed."""
        if task is not None and task.outcome == Outcome.FAILED:
            raise StepFailed("PVE_TASK_FAILED", f"{self.context.step.title}: Proxmox says: {task.text}")

    def succeed(
        self, claim: GuestClaim, reading: GuestReading, task: TaskReading | None = None, *,
        warnings: bool = False, **evidence: Any,
    ) -> None:  # fmt: skip
        """End well with what was read back; the ledger learns that the guest lives, and where."""
        is_warned = warnings or (task is not None and task.outcome == Outcome.WARNED)
        if claim.state == GuestClaim.State.RESERVED or claim.node != reading.node:
            self._settle(claim, reading)
        self.context.succeed(warnings=is_warned, **summary(claim, reading), **evidence)

    def _settle(self, claim: GuestClaim, reading: GuestReading) -> None:
        with self.context.fenced():
            if claim.state == GuestClaim.State.RESERVED:
                claim.move(GuestClaim.State.LIVE)
            if claim.node != reading.node:
                claim.node = reading.node
                claim.save(update_fields=["node", "updated_at"])


def _cluster(context: StepContext) -> Cluster | None:
    """The cluster of a step; read once for the steps of a pass."""
    pk = context.params["cluster"]
    rows = context.batch.rows if context.batch else {}
    if ("cluster", pk) not in rows:
        rows["cluster", pk] = Cluster.objects.enabled().filter(pk=pk).first()
    cluster: Cluster | None = rows["cluster", pk]
    return cluster


def summary(claim: GuestClaim, reading: GuestReading) -> dict[str, Any]:
    """A guest as it was read back, for the evidence of a step."""
    return {
        "claim": str(claim.pk), "vmid": reading.vmid, "kind": reading.kind, "node": reading.node, "name": reading.name,
        "status": reading.status, "cores": reading.cores, "memory_bytes": reading.memory_bytes,
        "disk_bytes": reading.disk_bytes,
    }  # fmt: skip
