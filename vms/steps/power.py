"""Starting and stopping."""

from collections.abc import Callable

from django.utils import timezone

from alma.jobs.kinds import StepFailed, Wait
from vms.models import GuestClaim
from vms.proxmox import guests
from vms.proxmox.answers import Refusal, Verdict
from vms.proxmox.guests import Seen
from vms.proxmox.readings import GuestReading
from vms.proxmox.tasks import Outcome, TaskReading
from vms.steps.base import GuestStep
from vms.steps.work import Work

SETTLE = 15.0
"""Seconds within which a guest whose task ended well must show it."""
DONE = frozenset({Outcome.OK, Outcome.WARNED})


def settle(work: Work, task: TaskReading | None, complaint: str) -> None:
    """After a task that ended well, wait for its effect to show. Raises Wait, or StepFailed when it never does."""
    if task is None or task.outcome not in DONE:
        return
    if timezone.now().timestamp() - work.journal.get("exit_at", 0) > SETTLE:
        raise StepFailed("NO_EFFECT", complaint)
    raise Wait


class StartGuest(GuestStep):
    """Start the guest and see it running. No parameters beside the common ones."""

    def turn(self, work: Work) -> None:
        """Running is success, whoever started it."""
        claim = work.own_claim()
        task = work.follow()
        reading = work.ours(claim)
        if reading.status == "running":
            work.succeed(claim, reading, task)
            return
        work.refuse_failed(task)
        settle(work, task, f"VMID {claim.vmid} was started and stopped again at once.")
        here = guests.path(reading)
        work.submit(claim, lambda: work.api.post(*here, "status", "start"), intent="start")


class StopGuest(GuestStep):
    """Shut the guest down, and stop it hard when it does not heed. A guest that does not exist is stopped.

    Optional parameters: `timeout` in seconds (60), `graceful`, false to stop it hard at once, and `insists`, false to fail
    when it does not heed.
    """

    deadline = 180.0

    def turn(self, work: Work) -> None:
        """Ask first; insist when asking has failed."""
        claim = work.claim()
        seen = self._seen(work, claim)
        if claim is None or seen is None:
            work.context.succeed(status="absent")
        elif seen.status != "running":
            work.succeed(claim, seen)
        elif work.journal.get("phase") == "stop" or not work.params.get("graceful", True):
            self._stop(work, claim, seen)
        else:
            self._shut_down(work, claim, seen)

    def _seen(self, work: Work, claim: GuestClaim | None) -> GuestReading | None:
        """Our guest, or None when there certainly is none. Raises Wait, StepFailed."""
        if claim is None or not claim.is_active:
            return None
        work.follow()
        seen = guests.observe(work.api, claim)
        if seen.seen == Seen.ABSENT:
            return None
        work.refuse_foreign(claim, seen)
        work.wait_for_lock(seen)
        return seen.reading

    def _shut_down(self, work: Work, claim: GuestClaim, reading: GuestReading) -> None:
        task = work.follow()
        if task is not None and task.outcome == Outcome.FAILED:
            self._insist(work, f"VMID {claim.vmid} did not shut down ({task.text})")
        settle(work, task, f"VMID {claim.vmid} shut down and runs again.")
        seconds = int(work.params.get("timeout", 60))
        try:
            work.submit(claim, self._call(work, reading, "shutdown", seconds), intent="shutdown", phase="shutdown")
        except Refusal as error:
            if error.verdict == Verdict.UNCLEAR:
                self._insist(work, f"VMID {claim.vmid} cannot be shut down ({error.text})")
            raise

    def _stop(self, work: Work, claim: GuestClaim, reading: GuestReading) -> None:
        task = work.follow()
        work.refuse_failed(task)
        settle(work, task, f"VMID {claim.vmid} was stopped and runs again.")
        work.submit(claim, self._call(work, reading, "stop", None), intent="stop")

    def _insist(self, work: Work, what: str) -> None:
        if not work.params.get("insists", True):
            raise StepFailed("NOT_SHUT_DOWN", f"{what}; it runs on. Stop it without grace, or allow to force it.")
        with work.context.fenced():
            work.context.log(f"{what}; stopping it.", "warning")
            work.context.record(phase="stop", task=None, exit=None, tries=0)
        raise Wait

    def _call(self, work: Work, reading: GuestReading, verb: str, timeout: int | None) -> Callable[[], object]:
        return lambda: work.api.post(*guests.path(reading), "status", verb, timeout=timeout)
