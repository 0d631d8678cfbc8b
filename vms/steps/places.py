"""Networks and storages: each step leads from what is there to a goal, and back to what was before when that fails.

What is configured is read before each call, so a step goes on wherever a process before it stopped."""

from collections.abc import Callable
from typing import Any, NoReturn

from django.utils import timezone

from alma.failpoints import failpoint
from alma.jobs.context import StepContext
from alma.jobs.kinds import StepFailed, Wait
from vms.models import PlaceClaim
from vms.proxmox import interfaces, sdn, tasks
from vms.proxmox.answers import Refusal, text, whole
from vms.steps.base import GuestStep
from vms.steps.work import Work

MAX_CALLS = 40
"""Changes that a step makes at most, on its way and back."""
Goal = dict[str, Any] | None
LOCKED = (
    "Somebody has locked the virtual networks of this cluster. Wait until they are released; whoever knows that nobody "
    "works on them releases them with: pvesh delete /cluster/sdn/lock --force 1"
)
DOCS = "docs/operations.md says which role a token needs for networks and storages."


class TakenBack(StepFailed):
    """It did not work, and everything is as it was before."""


class PlaceStep(GuestStep):
    """The base. Parameters: `cluster`, `claim` (a row of the ledger), `goal` and `before`: what shall be, and what was, each
    None for nothing."""

    deadline = 900.0

    def begin(self, context: StepContext) -> None:
        """A step that is taken up again tries anew; what it had meant before may be there."""
        super().begin(context)
        context.note(failed=None, asked=False, applied=False, calls=0)

    def run(self, context: StepContext) -> None:
        """One turn. What failed after something was done is taken back first. Raises Wait, Unknown, StepFailed."""
        try:
            super().run(context)
        except TakenBack:
            raise
        except StepFailed as failure:
            self._turn_back(context, failure)

    def _turn_back(self, context: StepContext, failure: StepFailed) -> NoReturn:
        journal = context.journal
        if journal.get("failed"):
            first = journal["failed"]
            words = f"{first['message']} Taking it back failed as well: {failure.message}"
            raise StepFailed(first["code"], words) from failure
        if not journal.get("meant"):
            raise TakenBack(failure.code, failure.message) from failure
        context.log(f"{failure.message} Taking back what was begun.", "error")
        context.record(
            failed={"code": failure.code, "message": failure.message}, task=None, exit=None, asked=False, applied=False,
            begun=timezone.now().timestamp(), refusals=0,
        )  # fmt: skip
        raise Wait

    def turn(self, work: Work) -> None:
        """Go one step towards the goal, or end. Raises Wait, Unknown, StepFailed, Refusal."""
        claim, failed = claim_of(work), work.journal.get("failed")
        goal: Goal = work.params["before" if failed else "goal"]
        try:
            evidence = self.converge(work, claim, goal)
        except Refusal as error:
            if error.status == 403:
                words = f"The token of {work.cluster} may not do this: {error.text}. {DOCS}"
                raise StepFailed("MISSING_PRIVILEGE", words) from error
            if "lock token" in error.text:
                raise StepFailed("SDN_LOCKED", LOCKED) from error
            raise
        self.settle(work, claim, goal)
        if failed:
            raise TakenBack(failed["code"], f"{failed['message'].rstrip('.')}. What was begun was taken back.")
        work.context.succeed(**evidence)

    def settle(self, work: Work, claim: PlaceClaim, goal: Goal) -> None:
        """The ledger learns what is there now."""
        to = PlaceClaim.State.LIVE if goal is not None else PlaceClaim.State.RELEASED
        if claim.state != to:
            with work.context.fenced():
                claim.move(to)

    def converge(self, work: Work, claim: PlaceClaim, goal: Goal) -> dict[str, Any]:
        """Act and raise Wait, or return what was read back once the goal is reached. Raises StepFailed, Unknown, Refusal."""
        raise NotImplementedError

    def act(self, work: Work, words: str, call: Callable[[], object]) -> NoReturn:
        """One change: meant, then made. Raises Wait, or what the call raises."""
        calls = work.journal.get("calls", 0) + 1
        if calls > MAX_CALLS:
            raise StepFailed("CHANGE_NOT_TAKEN", f"{words}: done again and again without effect.")
        with work.context.fenced():
            work.context.log(f"{words[:1].upper()}{words[1:]}.")
            work.context.record(meant=words, calls=calls, applied=False)
        failpoint("work.intended")
        work.context.renew()
        failpoint("work.renewed")
        call()
        failpoint("work.called")
        raise Wait

    def apply(self, work: Work, words: str, call: Callable[[], object]) -> NoReturn:
        """Begin the task that makes what is configured run. Raises Wait, or what the call raises."""
        with work.context.fenced():
            work.context.log(f"{words[:1].upper()}{words[1:]}.")
            work.context.record(asked=True, exit=None)
        failpoint("work.intended")
        work.context.renew()
        failpoint("work.renewed")
        upid = tasks.started(call())
        failpoint("work.called")
        work.begun(upid)
        raise Wait

    def follow(self, work: Work) -> None:
        """Wait for the task that applies. Raises Wait while it runs, StepFailed in Proxmox's words when it failed."""
        task = work.follow()
        work.refuse_failed(task)
        if task is not None and not work.journal.get("applied"):
            work.context.note(applied=True, asked=False)


def claim_of(work: Work) -> PlaceClaim:
    """The row of the ledger. Raises StepFailed when another run took it."""
    claim = PlaceClaim.objects.get(pk=work.params["claim"])
    if claim.job != work.context.job.public_id:
        raise StepFailed("PLACE_NOT_OURS", f"{claim.name} was taken over by {claim.job}.")
    return claim


def refuse_unmarked(claim: PlaceClaim, row: dict[str, Any] | None, where: str) -> None:
    """Raises StepFailed for something of its name that does not bear the mark of its row."""
    if row is not None and claim.marker not in text(row, where):
        raise StepFailed("PLACE_NOT_OURS", f"{claim.handle} does not bear ALMA's marker; it is left alone.")


class VirtualNetwork(PlaceStep):
    """A virtual network with its subnet, and its zone where that is ALMA's. Further parameter: `zone`, the name of ALMA's.

    Applying publishes whatever is configured, so nothing of others may wait then: that is looked at before the first change
    and right before the end. Proxmox's lock of all of SDN is not taken, for nobody could open it if its key got lost."""

    def converge(self, work: Work, claim: PlaceClaim, goal: Goal) -> dict[str, Any]:
        """Objects one by one, then all applied."""
        self.follow(work)
        seen = sdn.look(work.api, claim.handle)
        row = seen.vnets.get(claim.handle)
        refuse_unmarked(claim, row, "alias")
        mine = self._mine(seen, claim, work.params)
        call = sdn.next_call(seen, goal, claim.handle, work.params["zone"])
        if call is not None:
            if not work.journal.get("meant"):
                self._refuse_others(sdn.waiting(work.api) - mine)
            self.act(work, call.words, lambda: call.make(work.api))
        if not work.journal.get("applied"):
            found = sdn.waiting(work.api)
            if found & mine or work.journal.get("asked"):
                self._refuse_others(found - mine)
                self.apply(work, "apply the configuration", lambda: work.api.put(*sdn.HERE))
        return {"handle": claim.handle, "configured": row or {}, "subnets": sorted(seen.subnets)}

    @staticmethod
    def _mine(seen: sdn.Seen, claim: PlaceClaim, params: dict[str, Any]) -> set[sdn.Part]:
        """What may wait because of this step: its vnet, its zone, and the subnets of the two."""
        layouts = [layout for layout in (params["goal"], params["before"]) if layout]
        zones = {layout["vnet"]["zone"] for layout in layouts} | {params["zone"]}
        cidrs = {layout["subnet"]["subnet"] for layout in layouts if layout["subnet"]} | set(seen.subnets)
        subnets = {("subnet", f"{zone}-{cidr.replace('/', '-')}") for zone in zones for cidr in cidrs}
        return {("vnet", claim.handle), ("zone", params["zone"])} | subnets

    @staticmethod
    def _refuse_others(found: set[sdn.Part]) -> None:
        if found:
            named = ", ".join(f"{kind} {name}" for kind, name in sorted(found)[:5])
            raise StepFailed(
                "PENDING_CHANGES",
                f"Changes of somebody else wait to be applied ({named}), and applying would publish them. "
                "Apply them or roll them back in Proxmox first.",
            )


class NodeInterface(PlaceStep):
    """A bridge of one node. Its parameters are those of every place; `goal` holds the values of the interface."""

    def converge(self, work: Work, claim: PlaceClaim, goal: Goal) -> dict[str, Any]:
        """The interface, then the network of its node loaded anew."""
        self.follow(work)
        seen = interfaces.look(work.api, claim.node)
        row = seen.rows.get(claim.handle)
        refuse_unmarked(claim, row, "comments")
        if (row is None) != (goal is None):
            if not work.journal.get("meant"):
                self._refuse_others(claim, seen.waiting() - {claim.handle})
            self._change(work, claim, goal)
        if not work.journal.get("applied"):
            waiting = seen.waiting()
            if claim.handle in waiting or work.journal.get("asked"):
                self._refuse_others(claim, waiting - {claim.handle})
                self.apply(
                    work, f"load the network of {claim.node}", lambda: work.api.put("nodes", claim.node, "network")
                )
        if row is not None and not whole(row, "active"):
            raise StepFailed("INTERFACE_DOWN", f"{claim.handle} is configured on {claim.node} and does not come up.")
        return {"handle": claim.handle, "configured": row or {}}

    def _change(self, work: Work, claim: PlaceClaim, goal: Goal) -> NoReturn:
        here = ("nodes", claim.node, "network")
        if goal is None:
            self.act(work, f"remove {claim.handle}", lambda: work.api.delete(*here, claim.handle))
        self.act(work, f"make {claim.handle}", lambda: work.api.post(*here, **goal))

    @staticmethod
    def _refuse_others(claim: PlaceClaim, found: set[str]) -> None:
        if found:
            named = ", ".join(sorted(name or "an interface" for name in found)[:5])
            raise StepFailed(
                "PENDING_CHANGES",
                f"Changes of somebody else wait on {claim.node} ({named}), and loading its network would publish them. "
                "Apply or revert them in Proxmox first.",
            )
