"""Creating a guest: at most once, whatever is lost on the way."""

from typing import Any

from django.utils import timezone

from alma.failpoints import failpoint
from alma.jobs.context import StepContext
from alma.jobs.kinds import Full, StepFailed, Wait
from vms import ledger
from vms.models import GuestClaim
from vms.proxmox import guests
from vms.proxmox.answers import Refusal, Verdict
from vms.proxmox.guests import Seen
from vms.proxmox.readings import GuestReading
from vms.proxmox.tasks import Outcome, TaskReading
from vms.steps import payloads
from vms.steps.base import FRESH, GuestStep
from vms.steps.work import Work

MAX_TAKEN = 3
"""How often «already exists» may meet a number that shows no guest before it counts as somebody else's."""


class CreateGuest(GuestStep):
    """Create a VM or container, from scratch or as a clone.

    Parameters beside the common ones: `name`, `cores`, `memory_bytes`, `disk_bytes`, `storage`, `bridge`, `vlan`?, `tags`,
    `note`, `cloud_init`? {user, ssh_keys, ip, gateway, nameserver}; for a clone `template_vmid`, `template_node`,
    `full_clone`; for a container from an archive `ostemplate`; for a VM from an image `import_from` or `cdrom`.

    The number is reserved in the ledger first and is the key of idempotency: Proxmox never makes two guests of one number.
    """

    deadline = 1800.0

    def begin(self, context: StepContext) -> None:
        """Begin when the cluster has room for one more, and the container to copy is free. Raises Wait."""
        params = context.params
        with context.fenced():
            if not ledger.has_room(params["cluster"]):
                raise Full
            if params["kind"] == "lxc" and params.get("template_vmid"):
                self._wait_for_source(params["cluster"], params["template_vmid"])
            context.record(begun=timezone.now().timestamp(), taken=0, **FRESH)
            self._reserve(context)
        failpoint("create.reserved")

    def _wait_for_source(self, cluster_id: int, template_vmid: int) -> None:
        """One copy of a container at a time. Raises Wait."""
        if ledger.is_being_copied(cluster_id, template_vmid):
            raise Wait

    def _reserve(self, context: StepContext) -> None:
        """A number for a resource that has none, with the intent to use it: one transaction for both."""
        params = context.params
        if context.journal.get("claim") or ledger.is_claimed(
            params["cluster"], owner=params["owner"], key=context.step.key
        ):
            return
        claim = self._new_claim(context)
        context.note(claim=str(claim.pk), vmid=claim.vmid, intent="create")

    def turn(self, work: Work) -> None:
        """Reserve, follow, observe; then adopt what is ours, leave what is not, and create only what is absent."""
        claim = self._reserved(work)
        task = work.follow()
        is_new = work.is_first and claim.state == GuestClaim.State.RESERVED
        work.is_meant = is_new and work.journal.get("intent") == "create" and not work.journal.get("tries")
        seen = guests.observe(work.api, claim, is_new=is_new)
        if seen.seen == Seen.FOREIGN:
            self._give_up(work, claim)
        if seen.seen == Seen.OURS and seen.reading is not None:
            self.adopt(work, claim, seen.reading, task)
            return
        work.refuse_failed(task)
        work.wait_for_lock(seen)
        if claim.state == GuestClaim.State.LIVE:
            self._let_go(work, claim)
        if task is not None and task.outcome != Outcome.GONE:
            raise StepFailed("GUEST_MISSING", f"VMID {claim.vmid} was created, but somebody has deleted it since.")
        self._create(work, claim)

    def _reserved(self, work: Work) -> GuestClaim:
        claim = work.claim()
        if claim is not None and claim.is_active:
            return claim
        with work.context.fenced():
            claim = self._new_claim(work.context)
            work.context.record(claim=str(claim.pk), vmid=claim.vmid)
        failpoint("create.reserved")
        return claim

    def _new_claim(self, context: StepContext) -> GuestClaim:
        params = context.params
        claim = ledger.reserve(
            params["cluster"], owner=params["owner"], key=context.step.key, kind=params["kind"], node=params["node"],
            job=context.job,
        )  # fmt: skip
        failpoint("create.reserving")
        return claim

    def _create(self, work: Work, claim: GuestClaim) -> None:
        path, values = self.request(work, claim)
        if (claim.node, claim.kind) != (work.params["node"], work.params["kind"]):
            claim.node, claim.kind = work.params["node"], work.params["kind"]
            with work.context.fenced():
                claim.save(update_fields=["node", "kind", "updated_at"])
        try:
            work.submit(claim, lambda: work.api.post(*path, **values), intent="create")
        except Refusal as error:
            if error.verdict == Verdict.TAKEN:
                self._taken(work, claim)
            raise

    def request(self, work: Work, claim: GuestClaim) -> payloads.Call:
        """Path and values of the call that makes the guest. Raises StepFailed, Unknown, Refusal."""
        return payloads.creation(work.params, claim)

    def _taken(self, work: Work, claim: GuestClaim) -> None:
        """Either our own earlier request won, which the next look shows, or a guest that we may not see has the number."""
        taken = work.journal.get("taken", 0) + 1
        if taken >= MAX_TAKEN:
            self._give_up(work, claim)
        work.context.record(taken=taken)
        raise Wait

    def _give_up(self, work: Work, claim: GuestClaim) -> None:
        """Leave the number to whoever has it, and begin again with another."""
        if claim.state == GuestClaim.State.LIVE:
            raise StepFailed(
                "GUEST_NOT_OURS", f"The guest with VMID {claim.vmid} has lost ALMA's marker; it is left alone."
            )
        with work.context.fenced():
            claim.move(GuestClaim.State.FOREIGN)
            work.context.log(f"VMID {claim.vmid} is taken by a guest that is not ours; taking another.", "warning")
            work.context.record(**self._forget())
        raise Wait

    def _let_go(self, work: Work, claim: GuestClaim) -> None:
        """A guest of an earlier run was deleted behind our back, and the plan says create: under a new number."""
        with work.context.fenced():
            claim.move(GuestClaim.State.RELEASED)
            work.context.log(f"VMID {claim.vmid} of an earlier run is gone.", "warning")
            work.context.record(**self._forget())
        raise Wait

    def _forget(self) -> dict[str, Any]:
        return {"claim": None, "vmid": None, "taken": 0, "task": None, "exit": None, "tries": 0}

    def adopt(self, work: Work, claim: GuestClaim, reading: GuestReading, task: TaskReading | None) -> None:
        """End with the guest that is ours. Raises StepFailed when it is not what it should be."""
        if task is not None and task.outcome == Outcome.FAILED and claim.state == GuestClaim.State.RESERVED:
            with work.context.fenced():
                claim.move(GuestClaim.State.LIVE)
        work.refuse_failed(task)
        if reading.kind != work.params["kind"]:
            raise StepFailed(
                "GUEST_KIND", f"VMID {claim.vmid} is a {reading.kind}, the plan says {work.params['kind']}."
            )
        work.succeed(claim, reading, task)
