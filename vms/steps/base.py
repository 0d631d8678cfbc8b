"""What all steps about a guest share: begin once, follow the task, end in time, and read a refusal right."""

from typing import Any

from django.utils import timezone

from alma.jobs.context import StepContext
from alma.jobs.kinds import StepFailed, StepKind, Unknown, Wait
from alma.jobs.models import Step
from vms.proxmox.answers import Refusal, Verdict
from vms.proxmox.client import disconnect
from vms.steps.work import Work

FRESH: dict[str, Any] = {"task": None, "exit": None, "log_at": 0, "refusals": 0, "tries": 0, "unknown_since": None}
"""What a step that begins, or begins again after it failed, must not remember of its last run."""
MAX_REFUSALS = 5


class GuestStep(StepKind):
    """One step about one guest. Its parameters are `cluster`, `owner`, `node`, `kind`, and what the kind adds.

    The step's key is the resource's; the guest is found through the ledger by (cluster, owner, key).
    """

    deadline = 300.0
    """Seconds from the step's begin after which it no longer waits."""

    def run(self, context: StepContext) -> None:
        """One turn; a clear no is retried, waited out or final by its verdict. Raises Wait, Unknown, StepFailed."""
        is_first = context.step.state == Step.State.PENDING
        if is_first:
            self.begin(context)
        try:
            self._turn(context, is_first=is_first)
        except Wait:
            self._still_in_time(context)
            raise

    def leave(self) -> None:
        """Close the connections to clusters."""
        disconnect()

    def begin(self, context: StepContext) -> None:
        """Note that the step begins. Raises Wait when it may not yet."""
        context.note(begun=timezone.now().timestamp(), **FRESH)

    def turn(self, work: Work) -> None:
        """Observe, then act or end. Raises Wait, Unknown, StepFailed, Refusal."""
        raise NotImplementedError

    def _turn(self, context: StepContext, *, is_first: bool) -> None:
        try:
            self.turn(Work.open(context, is_first=is_first))
        except Refusal as error:
            _weigh(context, error)

    def _still_in_time(self, context: StepContext) -> None:
        seconds = timezone.now().timestamp() - context.journal.get("begun", 0)
        limit = self.deadline + float(context.params.get("timeout", 0))
        if seconds > limit:
            vmid = context.journal.get("vmid")
            left = f" VMID {vmid} may hold a guest of this run." if vmid else ""
            raise StepFailed("STEP_TIMEOUT", f"{context.step.title}: not done after {int(limit)} s.{left}") from None


def _weigh(context: StepContext, error: Refusal) -> None:
    """Wait for what passes, fail on what is final, and on a text nobody knows ask again a few times."""
    if error.verdict in {Verdict.LOCKED, Verdict.CHANGED, Verdict.TAKEN, Verdict.ABSENT}:
        raise Wait from error
    refusals = context.journal.get("refusals", 0) + 1
    if error.verdict == Verdict.UNCLEAR and refusals < MAX_REFUSALS:
        context.record(refusals=refusals)
        raise Unknown(error.text) from error
    raise StepFailed("PVE_REFUSED", f"Proxmox refused: {error.text}") from error
