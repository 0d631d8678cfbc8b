"""Waiting until a guest that others need is up, before they begin. It reads and changes nothing."""

from dataclasses import dataclass

from django.utils import timezone

from alma.jobs.context import StepContext
from alma.jobs.kinds import StepFailed, Wait
from vms.knocking import knock, objection
from vms.models import GuestClaim
from vms.proxmox import agent
from vms.proxmox.agent import Answer
from vms.proxmox.readings import GuestReading
from vms.steps.base import GuestStep
from vms.steps.work import Work


@dataclass(frozen=True)
class Sign:
    """Who was asked, and what that showed. `who` is empty when there is nobody; `said` says why, or why not yet."""

    who: str
    is_up: bool = False
    said: str = ""


class AwaitGuest(GuestStep):
    """See the guest up: its agent answers where one is configured, else the port of its role accepts a connection.

    Parameters beside the common ones: `timeout`, the budget in seconds; `has_system`, false for an empty disk, on which
    nobody will ever answer; `port`, or null where its role names none; `address`, or empty where the network gives one.
    Time in which the cluster did not answer is not the guest's. Where nobody can be asked, running is enough, and it says so.
    """

    def begin(self, context: StepContext) -> None:
        """Begin to count, anew after a retry."""
        super().begin(context)
        context.note(waits_for=None, told=None)

    def turn(self, work: Work) -> None:
        """Look, and end when it is up or its time is over. Raises Wait, Unknown, StepFailed."""
        claim = work.own_claim()
        reading = work.ours(claim)
        sign = self._look(work, reading)
        self._excuse(work)
        if reading.status == "running" and (sign.is_up or not sign.who):
            self._end(work, claim, reading, sign)
            return
        self._still_hoping(work, claim, sign)
        raise Wait

    def _look(self, work: Work, reading: GuestReading) -> Sign:
        if reading.status != "running":
            return Sign("its power", said=f"it is {reading.status}")
        said = self._ask_agent(work, reading)
        return said if said.who else self._ask_port(work, reading, said.said)

    def _ask_agent(self, work: Work, reading: GuestReading) -> Sign:
        if not work.params["has_system"]:
            return Sign("", said="its disk is empty")
        if not agent.is_configured(reading):
            return Sign("", said="it has no guest agent")
        answer, words = agent.ask(work.api, reading)
        if answer == Answer.FORBIDDEN:
            work.tell_once(f"The guest agent may not be asked: {words}")
            return Sign("", said="the token may not ask its guest agent")
        return Sign("its guest agent", answer == Answer.UP, words)

    def _ask_port(self, work: Work, reading: GuestReading, why: str) -> Sign:
        port = work.params["port"] if work.params["has_system"] else None
        if port is None:
            return Sign("", said=f"{why}, and no port is known at which it would answer")
        if work.cluster.is_sandbox:
            return Sign("", said=f"{why}, and the guests of a sandbox have no network")
        address = work.params["address"] or agent.address_of(work.api, reading)
        if not address:
            return Sign("", said=f"{why}, and its address is not known")
        refusal = objection(address)
        if refusal:
            return Sign("", said=f"{why}, and its port is not tried: {refusal}")
        words = knock(address, port)
        return Sign(f"port {port} at {address}", not words, words)

    def _excuse(self, work: Work) -> None:
        """Add the time in which nothing was known of the cluster to the guest's budget."""
        since = work.journal.get("unknown_since")
        if since is not None:
            work.context.note(begun=work.journal["begun"] + timezone.now().timestamp() - since, unknown_since=None)

    def _still_hoping(self, work: Work, claim: GuestClaim, sign: Sign) -> None:
        """Say once for whom it waits. Raises StepFailed when the budget is used up."""
        budget, said = work.params["timeout"], sign.said or "no answer"
        if _waited(work) > budget:
            raise StepFailed(
                "GUEST_NOT_UP",
                f"{work.context.step.key} (VMID {claim.vmid}) was not up after {budget} s. Asked was {sign.who}: {said}.",
            )
        if work.journal.get("waits_for") != sign.who:
            with work.context.fenced():
                work.context.log(f"Waiting for {sign.who}, at most {budget} s: {said}.")
                work.context.record(waits_for=sign.who)

    def _end(self, work: Work, claim: GuestClaim, reading: GuestReading, sign: Sign) -> None:
        seconds = round(_waited(work), 1)
        if sign.is_up:
            work.context.note_line(f"Up after {seconds:.0f} s: {sign.who} answers.", "success")
        else:
            work.context.note_line(
                f"It runs; whether it is up cannot be asked: {sign.said}. What needs it begins now.", "warning"
            )
        is_kept_from_asking = bool(work.journal.get("told")) and not sign.is_up
        work.succeed(
            claim, reading, warnings=is_kept_from_asking, answered=sign.who, waited_seconds=seconds,
            unasked="" if sign.is_up else sign.said,
        )  # fmt: skip


def _waited(work: Work) -> float:
    """Seconds since it was begun, without those in which the cluster was silent."""
    return max(0.0, timezone.now().timestamp() - float(work.journal["begun"]))
