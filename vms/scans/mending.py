"""Mending what a scan has found: where ALMA can, as an operation that people agree to; where it cannot, saying why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from django.db import transaction

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.errors import Invalid, WrongState
from alma.jobs.gate import decided_at
from alma.jobs.models import Job
from alma.jobs.services import StepSpec
from vms.models import Guest, GuestClaim, ScanFinding
from vms.operations.eligibility import footings
from vms.operations.jobs import step, wish_of
from vms.operations.proposing import propose
from vms.operations.rights import environment_of, held_claim
from vms.scans.rules import REGISTER
from vms.scans.services import READ

KIND = "vm_fix"
MOST_SNAPSHOTS = 10
_MENDS: Mapping[str, tuple[str, ...]] = {
    "GUEST-AGENT-001": ("agent",),
    "GUEST-AUTH-001": ("no_password",),
    "GUEST-AUTH-002": ("no_password",),
    "GUEST-CT-002": ("plain_features",),
    "GUEST-DISK-003": ("safe_cache",),
    "GUEST-NET-002": ("guarded_cards",),
    "GUEST-OPT-001": ("protection",),
}
"""By rule, what of `vms.steps.mends` makes it hold."""
_FIREWALL, _SNAPSHOTS, _AGENT = "GUEST-NET-001", "GUEST-SNAP-001", "GUEST-AGENT-001"
_SNAPSHOT = "snapshot "
_WHY_NOT: Mapping[str, str] = {
    "GUEST-AUTH-003": "ALMA does not know whose keys may sign in; give them in the blueprint, or to cloud-init in Proxmox.",
    "GUEST-AUTH-004": "Whoever wrote the password there has to change it as well; ALMA cannot do that for them.",
    "GUEST-BACKUP-001": "A backup is made under Backups, not by a change of settings.",
    "GUEST-BACKUP-002": "A backup is made under Backups, not by a change of settings.",
    "GUEST-BACKUP-003": "Backup jobs are set up under Backups, not by a change of settings.",
    "GUEST-CT-001": "A container cannot be made unprivileged later: it is restored anew from a backup.",
    "GUEST-NET-003": "Only people know from which addresses it is managed; narrow the rule in Proxmox.",
    "GUEST-NET-004": "Only people know what it has to let in before everything else is dropped.",
    "GUEST-NET-005": "Its firewall and those of its cards are mended first, each by its own finding.",
    "GUEST-RES-001": "Only people know how much it needs; change its size.",
    "GUEST-OS-001": "The system within the guest has to be upgraded, or replaced by a newer one.",
}
_ANY_REASON = "What mends it lies within the guest or on its hosts; ALMA has no operation for it."
_ELSEWHERE = "It is about what guests stand on. ALMA changes machines of its own, and neither nodes nor clusters."
_GONE = "The machine is no longer there."


@dataclass(frozen=True)
class Chance:
    """Whether a finding can be mended by an IPR: if not, `reason` says why; `ipr_id` and `ipr_url` name one that is open."""

    reason: str = ""
    ipr_id: int | None = None
    ipr_url: str | None = None

    @property
    def is_possible(self) -> bool:
        """Whether it may be asked for."""
        return not self.reason


def chances(findings: Iterable[ScanFinding], *, by: Actor) -> dict[int, Chance]:
    """By the number of each finding, which comes with its subject: five queries, whatever their number."""
    rows = list(findings)
    guests = _guests(rows)
    known = footings(guests.values(), by=by)
    proposed = _proposed(guests)
    found = {}
    for row in rows:
        guest = guests.get(row.subject.guest_id or 0)
        reason = obstacle(row, guest) or (known[guest.pk].reason if guest else "")
        asked = decided_at(proposed.get((guest.pk, row.rule), {}) if guest else {})
        found[row.pk] = Chance(reason, **asked)
    return found


def _guests(rows: list[ScanFinding]) -> dict[int, Guest]:
    """Only those of findings that ALMA could mend."""
    wanted = {row.subject.guest_id for row in rows if not obstacle(row, None, is_there=True)} - {None}
    return Guest.objects.select_related("cluster").in_bulk(wanted) if wanted else {}


def _proposed(guests: Mapping[int, Guest]) -> dict[tuple[int, str], dict[str, object]]:
    """The parameters of jobs that mend something and have not ended, by machine and rule."""
    if not guests:
        return {}
    jobs = Job.objects.filter(kind=KIND, state__in=Job.OPEN, params__guest__in=list(guests))
    return {(params["guest"], params["rule"]): params for params in jobs.values_list("params", flat=True)}


def obstacle(finding: ScanFinding, guest: Guest | None, *, is_there: bool = False) -> str:
    """Why ALMA cannot mend it, whoever asks; empty where it can. `is_there`: the machine is not looked at."""
    if finding.unassessed:
        return "It could not be judged, so there is nothing to mend."
    if finding.subject.kind != "guest":
        return _ELSEWHERE
    if finding.rule == _AGENT and finding.fix is None:
        return "It is switched on, and nothing answers: install or start qemu-guest-agent within the guest."
    if finding.rule not in {*_MENDS, _FIREWALL, _SNAPSHOTS}:
        return _WHY_NOT.get(finding.rule, _ANY_REASON)
    is_gone = guest is None or guest.missing_since is not None
    return _GONE if is_gone and not is_there else ""


@transaction.atomic
def fix(finding: ScanFinding, *, by: Actor) -> Job:
    """Propose what mends a finding, and nothing else, for its machine; in every environment it is an IPR. To ask again while
    that is open leads to the same one. Raises Refused, Unavailable, and WrongState where ALMA cannot mend it."""
    by.require(READ)
    by.require("vm:write")
    guest = Guest.objects.select_related("cluster").filter(pk=finding.subject.guest_id or 0).first()
    reason = obstacle(finding, guest)
    if reason or guest is None:
        raise WrongState(reason or _GONE, code="NOT_MENDABLE", details={"rule": finding.rule})
    claim = held_claim(guest, by=by)
    wish = wish_of(
        KIND, guest, claim, _steps(finding, guest, claim), verb="fix", status=guest.status, rule=finding.rule,
        finding=finding.pk,
    )  # fmt: skip
    title = REGISTER[finding.rule].title
    wish = replace(wish, title=f"{wish.title}: {title}"[:200])
    return propose(wish, _environment(claim), by=by, reason=_why(finding, title))


def _steps(finding: ScanFinding, guest: Guest, claim: GuestClaim) -> list[StepSpec]:
    if finding.rule == _FIREWALL:
        return [step("guest.firewall", guest, claim, "Switch the firewall on of")]
    if finding.rule == _SNAPSHOTS:
        return [
            step("guest.snapshot_drop", guest, claim, f"Delete the snapshot {name} of", level, snapshot=name)
            for level, name in enumerate(_snapshots(finding))
        ]
    return [step("guest.mend", guest, claim, "Change the settings of", mends=list(_MENDS[finding.rule]))]


def _snapshots(finding: ScanFinding) -> list[str]:
    """The old ones, as the evidence names them."""
    told = [str(one["setting"]) for one in finding.evidence]
    return [text.removeprefix(_SNAPSHOT) for text in told if text.startswith(_SNAPSHOT)][:MOST_SNAPSHOTS]


def _environment(claim: GuestClaim) -> Environment:
    """Where people decide about a machine: for which it was declared, or the first of its organization."""
    found = environment_of(claim) or Environment.objects.filter(organization_id=claim.organization_id).first()
    if found is None:
        raise Invalid("Your organization has no environment yet.", details={"field": "environment"})
    return found


def _why(finding: ScanFinding, title: str) -> str:
    scan = finding.subject.scan
    return f"{scan.public_id} found on {finding.subject.name}: {title} ({finding.rule}, {finding.severity})."
