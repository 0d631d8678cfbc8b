"""An operation on one machine, or on a backup of it, as something that people agree to: its plan, and what becomes of the
job that waits for it."""

from dataclasses import dataclass

from alma.errors import NotFound, Unavailable, WrongState
from alma.jobs import services as jobs
from alma.jobs.context import StepContext
from alma.jobs.kinds import StepFailed, Unknown
from alma.jobs.models import Job
from alma.jobs.services import StepSpec
from iprs.models import IPR, Plan
from iprs.planner import Draft, Item
from iprs.planner.draft import change
from iprs.planner.facts import ABSENT, guest_fact
from vms.backups.services import archive_of
from vms.models import Backup, GuestClaim
from vms.operations.effects import action_of, effects_of, warnings_of
from vms.operations.proposing import is_about_backup
from vms.services import GuestReading, OwnedGuest, owned_guest

ASKED = "asked for"
"""The cause of all that an operation changes."""
_ENDINGS = {
    IPR.Status.REJECTED: ("IPR_REJECTED", "rejected"),
    IPR.Status.CANCELLED: ("IPR_WITHDRAWN", "withdrawn"),
}
"""What the error of the waiting job says, by how its proposal ended."""


def steps_of(job: Job) -> list[StepSpec]:
    """What a job does, as it was asked for."""
    return [
        StepSpec(step.kind, step.key, step.title, step.level, step.weight, step.params)
        for step in job.steps.order_by("ordinal")
    ]


def claim_of(job: Job) -> GuestClaim:
    """The ledger row of the machine that a job is about."""
    return GuestClaim.objects.select_related("cluster").get(pk=job.params["claim"])


def operation_steps(plan: Plan) -> list[StepSpec]:
    """The steps of the operation that a plan is made from."""
    assert plan.ipr.operation is not None
    return steps_of(plan.ipr.operation)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What an operation is about, as it is now: a machine, or a backup of one. `facts` are all that it relies on, `problem` says
    why nothing can be done, empty where something can."""

    key: str
    kind: str
    node: str
    vmid: int | None
    facts: dict[str, str]
    problem: str
    reading: GuestReading | None = None


def read_subject(plan: Plan, context: StepContext) -> Subject:
    """What the operation of a plan is about, read now. Raises Unknown, StepFailed."""
    job = plan.ipr.operation
    assert job is not None
    try:
        return _backup(job, context) if is_about_backup(job) else _machine(job, context)
    except NotFound as error:
        raise StepFailed(error.code, error.message) from error
    except (Unavailable, WrongState) as error:
        raise Unknown(error.message) from error


def _machine(job: Job, context: StepContext) -> Subject:
    claim = claim_of(job)
    guest = owned_guest(claim.cluster, str(claim.pk), pulse=context.renew)
    return Subject(
        key=guest.key, kind=guest.kind, node=guest.node, vmid=guest.vmid if guest.reading else None,
        facts={f"guest/{guest.key}": guest_fact(guest)}, reading=guest.reading,
        problem=_problem(guest, is_new=action_of(steps_of(job)) == "create"),
    )  # fmt: skip


def _backup(job: Job, context: StepContext) -> Subject:
    """Whether it is there, and free to be deleted; its machine is not asked after, and may be gone."""
    row = Backup.objects.there().select_related("cluster", "claim", "guest").filter(pk=job.params["backup"]).first()
    if row is None or row.claim is None:
        raise NotFound("The backup of this operation is there no more.", code="BACKUP_NOT_THERE")
    found = archive_of(row, pulse=context.renew)
    problem = "" if found else f"{row.volume} is on {row.storage} no more."
    if found is not None and found.is_protected:
        problem = f"{row.volume} is protected in Proxmox; take that away there first."
    fact = f"{found.size_bytes} bytes of {found.taken_at.isoformat()}" if found else ABSENT
    return Subject(
        key=row.claim.key, kind=row.guest_kind, node=row.node, vmid=row.vmid, problem=problem,
        facts={f"backup/{row.volume}": fact},
    )  # fmt: skip


def draft_operation(steps: list[StepSpec], subject: Subject) -> Draft:
    """The plan of an operation: these steps, to the letter, and what they change as it is now. Pure."""
    if subject.problem:
        return Draft((), (subject.problem,), ())
    kinds = {step.kind for step in steps}
    now = subject.reading
    item = Item(
        action_of(steps), subject.key, subject.kind, subject.node, subject.vmid,
        changes=tuple(change(one.field, one.before, one.after, ASKED) for one in effects_of(steps, now)),
        needs_restart={"guest.stop", "guest.start"} <= kinds, reasons=tuple(warnings_of(steps)),
        facts=subject.facts, steps=tuple(steps),
    )  # fmt: skip
    return Draft((item,), (), ())


def _problem(guest: OwnedGuest, *, is_new: bool) -> str:
    """Why nothing can be done to a machine as it is; empty where something can."""
    if is_new:
        is_free = guest.reading is None and guest.state == "reserved"
        return "" if is_free else f"{guest.key}: VMID {guest.vmid} is there already."
    if guest.reading is None:
        return f"{guest.key}: VMID {guest.vmid} is no longer on the cluster."
    return "" if guest.is_ours else f"{guest.key}: VMID {guest.vmid} no longer carries ALMA's mark; it is not touched."


def let_go(ipr: IPR, *, by: str, why: str = "") -> None:
    """End the job that waited for an IPR which people turned down, with their reason; in the transaction of their decision."""
    ending = _ENDINGS.get(IPR.Status(ipr.status))
    job = ipr.operation
    if ending is None or job is None or job.state != Job.State.WAITING:
        return
    code, did = ending
    reason = f": {why.strip()[:500]}" if why.strip() else "."
    jobs.dismiss(job, code=code, message=f"IPR #{ipr.pk} was {did} by {by}{reason}", by=by)
