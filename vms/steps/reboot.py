"""Restarting a guest, so that what waits for its next start takes effect."""

from typing import NoReturn

from django.utils import timezone

from alma.jobs.context import StepContext
from alma.jobs.kinds import Wait
from vms.models import GuestClaim
from vms.proxmox import guests
from vms.proxmox.readings import GuestReading
from vms.proxmox.tasks import Outcome, TaskReading
from vms.steps.base import GuestStep
from vms.steps.power import DONE, SETTLE
from vms.steps.work import Work


class RebootGuest(GuestStep):
    """Restart a guest by Proxmox's own reboot, and see it running again. One that does not heed is stopped hard and started;
    one that is stopped is started.

    Optional parameter: `timeout`, the seconds that its system may take to go down (60). What its programs had in memory alone is
    gone and does not come back; its power is undone by leaving it as it runs.
    """

    deadline = 300.0

    def begin(self, context: StepContext) -> None:
        """Begin with a reboot, also after an earlier try."""
        super().begin(context)
        context.note(phase=None)

    def turn(self, work: Work) -> None:
        """Observe, then do the next that is needed: reboot, stop, or start."""
        claim = work.own_claim()
        task = work.follow()
        reading = work.ours(claim)
        phase, is_running = work.journal.get("phase"), reading.status == "running"
        if is_running and (phase == "start" or (phase == "reboot" and task is not None and task.outcome in DONE)):
            work.succeed(claim, reading, task)
        elif phase != "reboot":
            self._go_on(work, claim, reading, task)
        elif task is not None and task.outcome == Outcome.FAILED:
            self._insist(work, claim, task)
        elif task is not None and task.outcome in DONE:
            self._start_soon(work, claim, reading)
        else:
            work.find_lost(reading, "qmreboot")  # a second reboot would be one too many
            self._go_on(work, claim, reading, task)

    def _go_on(self, work: Work, claim: GuestClaim, reading: GuestReading, task: TaskReading | None) -> None:
        """Begin, also where a first call never arrived, or do what comes after a reboot that was not heeded."""
        is_running = reading.status == "running"
        if work.journal.get("phase") in {"stop", "start"}:
            work.refuse_failed(task)
            self._call(work, claim, reading, "stop" if is_running else "start")
        self._call(work, claim, reading, "reboot" if is_running else "start")

    def _start_soon(self, work: Work, claim: GuestClaim, reading: GuestReading) -> None:
        """It is down. Proxmox starts it again by itself a moment after its task has ended; if not, it is started here."""
        if timezone.now().timestamp() - work.journal.get("exit_at", 0) < SETTLE:
            raise Wait
        self._call(work, claim, reading, "start")

    def _insist(self, work: Work, claim: GuestClaim, task: TaskReading) -> None:
        with work.context.fenced():
            work.context.log(f"VMID {claim.vmid} did not go down ({task.text}); stopping it.", "warning")
            work.context.record(phase="stop", task=None, exit=None, tries=0)
        raise Wait

    def _call(self, work: Work, claim: GuestClaim, reading: GuestReading, verb: str) -> NoReturn:
        seconds = int(work.params.get("timeout", 60)) if verb == "reboot" else None
        before = work.newest(reading, "qmreboot") if verb == "reboot" else None
        here = guests.path(reading)
        work.submit(
            claim, lambda: work.api.post(*here, "status", verb, timeout=seconds), intent=verb, phase=verb, before=before
        )
