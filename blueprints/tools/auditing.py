"""security_audit and check_compliance: the rules of the scanner, on the machines of a blueprint as they would be made, and on real
machines as the last scan of them judged them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _
from pydantic import BaseModel, BeforeValidator, Field, model_validator

from alma.accounts.actors import Actor
from blueprints.schema import BlueprintDocument
from blueprints.sentences import term
from blueprints.tools.register import Result, tool
from blueprints.tools.subjects import MachineIds, OfBlueprint, document_if_any, guests_of, plain
from blueprints.tools.wanted import judged
from vms.machines import public_id
from vms.models import Guest, ScanFinding, ScanSubject
from vms.scans import scoring
from vms.scans.controls import CIS, SOC2
from vms.scans.findings import Severity
from vms.scans.judging import Verdict
from vms.scans.rules import REGISTER
from vms.scans.wanted import tally_of

SECURITY_READ = "security:read"
MOST_FINDINGS = 500
FRAMEWORKS = {"cis": CIS, "soc2": SOC2}
_AS_WRITTEN = BeforeValidator(lambda value: value.lower().replace(" ", "") if isinstance(value, str) else value)
"""Frameworks are written "CIS" and "SOC 2" elsewhere."""
_IN_DOCUMENT = {
    "GUEST-NET-002": "specs.network.firewall: true", "GUEST-AUTH-003": "specs.ssh_keys: [the public keys]",
    "GUEST-BACKUP-003": "specs.backup: daily", "GUEST-OS-001": "specs.os: a version that is supported",
    "GUEST-OPT-001": "specs.protected: true", "GUEST-NET-005": "a private address in specs.ip",
}  # fmt: skip
"""What a blueprint can say against a finding."""
_ABOUT = "give blueprint_id, blueprint or vm_ids"
_RANK = {severity.value: number for number, severity in enumerate(Severity)}


class AuditArguments(OfBlueprint):
    """A blueprint, machines, or both."""

    vm_ids: MachineIds = Field(default_factory=list)
    severity: Annotated[
        Literal["critical", "high", "medium", "low", "info"], Field(description="The least severe that is told")
    ] = "info"

    @model_validator(mode="after")
    def _about_something(self) -> "AuditArguments":
        if self.blueprint_id is None and self.blueprint is None and not self.vm_ids:
            raise ValueError(_ABOUT)
        return self


class Proof(BaseModel):
    """Which setting had which value."""

    setting: str
    value: str


class AuditFinding(BaseModel):
    """A rule that is broken, and how one sees it."""

    subject: str = Field(description="The machine, as the blueprint or the cluster names it")
    rule: str
    title: str
    severity: str
    evidence: list[Proof]
    remedy: str
    in_document: str | None = Field(default=None, description="What the blueprint can say against it")


class NotJudged(BaseModel):
    """A rule that could not be judged; it never counts as passed."""

    subject: str
    rule: str
    reason: str


class AuditResult(Result):
    """What is wrong. The score is 100 × weight of the rules that passed / weight of those that were assessed."""

    score: int | None
    counts: dict[str, int]
    findings: list[AuditFinding]
    not_assessed: list[NotJudged]
    rules: int = Field(description="Rules that had something to say")


class ComplianceArguments(OfBlueprint):
    """A blueprint, machines, or both, against a framework."""

    vm_ids: MachineIds = Field(default_factory=list)
    framework: Annotated[Literal["all", "cis", "soc2"], _AS_WRITTEN, Field(description="CIS Controls v8 or SOC 2")] = (
        "all"
    )

    @model_validator(mode="after")
    def _about_something(self) -> "ComplianceArguments":
        if self.blueprint_id is None and self.blueprint is None and not self.vm_ids:
            raise ValueError(_ABOUT)
        return self


class ControlStanding(BaseModel):
    """One control: failed when one of its rules failed anywhere, passed when all were assessed and passed."""

    id: str
    framework: str
    title: str
    status: str
    passed: int
    failed: int
    unassessed: int
    rules: list[str]
    evidence: list[str]


class ComplianceResult(Result):
    """How the controls stand."""

    compliant: bool | None = Field(description="null where a control could not be assessed and none failed")
    score: int | None
    controls: list[ControlStanding]
    passed: int
    failed: int
    not_assessed: int


@dataclass
class Judgement:
    """All that was judged."""

    findings: list[AuditFinding] = field(default_factory=list)
    not_assessed: list[NotJudged] = field(default_factory=list)
    tallies: list[scoring.Tally] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def tally(self) -> dict[str, dict[str, int]]:
        return scoring.add(self.tallies)


@tool(
    "security_audit", "Security audit",
    "Judge the machines of a blueprint, as they would be made, or real machines, as the last scan saw them, by the rules of "
    "the security scanner: findings with evidence and remedy, what could not be assessed, and the score.",
    example={"vm_ids": ["vm-101"], "severity": "medium"},
    rights=(SECURITY_READ,),
)  # fmt: skip
def security_audit(arguments: AuditArguments, by: Actor) -> AuditResult:
    """Raises NotFound, Refused, Invalid."""
    found = _judge(document_if_any(arguments, by), guests_of(arguments.vm_ids, by) if arguments.vm_ids else [], by)
    least = _RANK[arguments.severity]
    told = [row for row in found.findings if _RANK[row.severity] <= least][:MOST_FINDINGS]
    counts = Counter(row.severity for row in found.findings)
    score = scoring.score(found.tally)
    said = [
        _("%(count)s %(severity)s") % {"count": counts[one.value], "severity": term(one.value)} for one in Severity if counts[one.value]
    ]  # fmt: skip
    worst = ", ".join(said) or _("none")
    judged_as = _("The score is %(score)s.") % {"score": score} if score is not None else _("Nothing was assessed.")
    return AuditResult(
        summary=" ".join((_("Findings: %(worst)s.") % {"worst": worst}, judged_as)),
        assumptions=found.notes, score=score, counts={one.value: counts[one.value] for one in Severity}, findings=told,
        not_assessed=found.not_assessed[:MOST_FINDINGS], rules=len(found.tally),
    )  # fmt: skip


@tool(
    "check_compliance", "Check compliance",
    "The controls of CIS v8 and SOC 2 that the scanner's rules bear on, for a blueprint or real machines: which passed, failed "
    "or could not be assessed, with the evidence of each resource.",
    example={"blueprint_id": 1, "framework": "cis"},
    rights=(SECURITY_READ,),
)  # fmt: skip
def check_compliance(arguments: ComplianceArguments, by: Actor) -> ComplianceResult:
    """Raises NotFound, Refused, Invalid."""
    found = _judge(document_if_any(arguments, by), guests_of(arguments.vm_ids, by) if arguments.vm_ids else [], by)
    rows = [_control(row, found.findings) for row in scoring.controls(found.tally)]
    wanted = [row for row in rows if arguments.framework == "all" or row.framework == FRAMEWORKS[arguments.framework]]
    states = Counter(row.status for row in wanted)
    is_met = False if states["failed"] else None if states["not_assessed"] or not wanted else True
    return ComplianceResult(
        summary=_("%(failed)s controls failed, %(passed)s passed, %(open)s could not be assessed.")
        % {"failed": states["failed"], "passed": states["passed"], "open": states["not_assessed"]},
        assumptions=[*found.notes, "Only controls that a configuration can show; policies and people are not looked at."],
        compliant=is_met, score=scoring.score(found.tally), controls=wanted, passed=states["passed"], failed=states["failed"],
        not_assessed=states["not_assessed"],
    )  # fmt: skip


def _control(row: Mapping[str, Any], findings: list[AuditFinding]) -> ControlStanding:
    evidence = [
        f"{one.subject}: {proof.setting} = {proof.value}"
        for one in findings if one.rule in row["rules"] for proof in one.evidence
    ]  # fmt: skip
    return ControlStanding(**row, evidence=evidence[:50])


def judge_document(document: BlueprintDocument, by: Actor) -> "Judgement":
    """What the rules say of the machines of a blueprint, as ALMA would make them."""
    return _judge(document, [], by)


# -- judging --------------------------------------------------------------------------------------
def _judge(document: BlueprintDocument | None, guests: list[Guest], by: Actor) -> Judgement:
    found = Judgement()
    if document is not None:
        found.notes.append(
            "Machines of the blueprint are judged as ALMA would make them; firewalls of a new guest are off."
        )
        for machine, verdicts in judged(document, by):
            _take_verdicts(found, machine.key, verdicts)
    if guests:
        _take_guests(found, guests)
    found.findings.sort(key=lambda row: (_RANK[row.severity], row.rule, row.subject))
    return found


def _take_verdicts(found: Judgement, name: str, verdicts: list[Verdict]) -> None:
    found.tallies.append(tally_of(verdicts))
    for one in verdicts:
        if one.finding:
            evidence = [Proof(setting=proof.setting, value=plain(proof.value)) for proof in one.finding.evidence]
            found.findings.append(_finding(name, one.rule.id, evidence, _IN_DOCUMENT.get(one.rule.id)))
        elif one.unassessed:
            found.not_assessed.append(NotJudged(subject=name, rule=one.rule.id, reason=plain(one.unassessed)))


def _finding(name: str, rule: str, evidence: list[Proof], hint: str | None = None) -> AuditFinding:
    known = REGISTER[rule]
    return AuditFinding(
        subject=name, rule=rule, title=known.title, severity=known.severity.value, evidence=evidence, remedy=known.remedy,
        in_document=hint,
    )  # fmt: skip


def _take_guests(found: Judgement, guests: list[Guest]) -> None:
    """What the last scan of each said. One that was never scanned is named, and counts for nothing."""
    subjects = _last_subjects(guests)
    for guest in guests:
        subject, name = subjects.get(guest.pk), f"{public_id(guest)} {plain(guest.name, 100)}".strip()
        if subject is None:
            found.notes.append(f"{name} was never scanned: begin a security scan of it.")
            continue
        found.notes.append(f"{name}: judged by the scan of {subject.assessed_at:%Y-%m-%d %H:%M} UTC.")
        found.tallies.append({rule: row for rule, row in subject.tally.items() if rule in REGISTER})
        for row in _known(subject.findings.all()):
            if row.unassessed:
                found.not_assessed.append(NotJudged(subject=name, rule=row.rule, reason=plain(row.unassessed)))
            else:
                proofs = [Proof(setting=plain(one["setting"]), value=plain(one["value"])) for one in row.evidence]
                found.findings.append(_finding(name, row.rule, proofs))


def _last_subjects(guests: list[Guest]) -> dict[int, ScanSubject]:
    rows = ScanSubject.objects.filter(guest__in=[guest.pk for guest in guests], assessed_at__isnull=False)
    newest = rows.order_by("guest_id", "assessed_at", "pk").prefetch_related("findings")
    return {row.guest_id: row for row in newest if row.guest_id is not None}


def _known(rows: Iterable[ScanFinding]) -> Iterator[ScanFinding]:
    return (row for row in rows if row.rule in REGISTER)
