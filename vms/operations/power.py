"""Starting, stopping and restarting a machine."""

from dataclasses import dataclass

from alma.accounts.actors import Actor
from alma.jobs.models import Job
from alma.jobs.services import StepSpec
from vms.models import Guest, GuestClaim
from vms.operations.jobs import begin, step
from vms.operations.reaching import begins_work
from vms.operations.rights import held_claim

LONGEST = 3600
"""Seconds that a system may be given to shut down."""


@dataclass(frozen=True, kw_only=True)
class Stop:
    """How a machine is stopped. With grace its system is asked to shut down and has that many seconds; one that does not
    heed keeps running and the job fails, unless it is `forced`. Without grace the power is cut at once."""

    is_graceful: bool = True
    seconds: int = 300
    is_forced: bool = False

    def step(self, guest: Guest, claim: GuestClaim, level: int = 0) -> StepSpec:
        """The step that does it."""
        return step(
            "guest.stop", guest, claim, "Stop", level, timeout=self.seconds, graceful=self.is_graceful,
            insists=self.is_forced,
        )  # fmt: skip


@begins_work
def start(guest: Guest, *, by: Actor) -> Job:
    """Start a machine; one that runs is left as it is. Raises Refused, WrongState, Unavailable."""
    claim = held_claim(guest, by=by)
    steps = [step("guest.start", guest, claim, "Start")]
    return begin("vm_start", guest, claim, steps, by=by, verb="start", status="starting")


@begins_work
def stop(guest: Guest, how: Stop, *, by: Actor) -> Job:
    """Stop a machine; one that is stopped is left as it is. Raises Refused, WrongState, Unavailable."""
    claim = held_claim(guest, by=by)
    steps = [how.step(guest, claim)]
    return begin("vm_stop", guest, claim, steps, by=by, verb="stop", status="stopping")


@begins_work
def restart(guest: Guest, how: Stop, *, by: Actor) -> Job:
    """Stop a machine and start it, so that what waits for its next start takes effect. Raises Refused, WrongState,
    Unavailable."""
    claim = held_claim(guest, by=by)
    steps = [how.step(guest, claim), step("guest.start", guest, claim, "Start", 1)]
    return begin("vm_restart", guest, claim, steps, by=by, verb="restart", status="restarting")
