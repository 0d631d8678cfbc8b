"""From words to code, with what was checked of it. Nothing is stored and nothing is run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lark.exceptions import LarkError
from yaml import YAMLError

from alma.accounts.actors import Actor
from alma.errors import BadRequest
from blueprints import understanding
from blueprints.code import ansible, cloud_init, terraform
from blueprints.code.unsaid import unmade, unsaid
from blueprints.pricing.book import price_list
from blueprints.schema import BlueprintDocument, expand, parse_document
from blueprints.tools.auditing import AuditFinding, judge_document
from blueprints.understanding import Asking
from vms.scans import scoring
from vms.scans.rules import REGISTER

_RENDER: Mapping[str, Callable[[BlueprintDocument], str]] = {
    "terraform": terraform.render, "ansible": ansible.render, "cloud-init": cloud_init.render,
}  # fmt: skip
FORMATS = tuple(_RENDER)
UNREADABLE = (LarkError, RuntimeError, YAMLError, LookupError, AttributeError, TypeError, ValueError)
"""What the parsers raise, and what reading raises where what they found has another shape than was written."""
GRAVE = frozenset({"critical", "high"})


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    passed: bool
    detail: str = ""


@dataclass(frozen=True)
class Code:
    """The code, the blueprint that it comes from, and what was found."""

    text: str
    document: BlueprintDocument
    checks: Sequence[Check]
    findings: Sequence[AuditFinding]
    recommendations: Sequence[str]

    @property
    def model(self) -> Mapping[str, Any] | None:
        """What became of asking a model; None where there is none."""
        told = self.document.metadata.get("model")
        return told if isinstance(told, Mapping) else None

    @property
    def score(self) -> int:
        """Percent of the checks that passed."""
        return round(100 * sum(check.passed for check in self.checks) / len(self.checks))

    @property
    def is_safe(self) -> bool:
        """Whether nothing grave was found."""
        return not any(one.severity in GRAVE for one in self.findings)


def make(prompt: str, kind: str, *, environment: str = "", frameworks: Sequence[str] = (), by: Actor) -> Code:
    """The code for what the words ask for. Raises BadRequest when they ask for nothing that can be built."""
    constraints = {"environment": environment} if environment else None
    draft = understanding.draft(prompt, constraints, about=Asking(by, price_list(by.organization_id)))
    if not draft["resources"]:
        raise BadRequest(" ".join(draft["metadata"]["questions"]) or "Say which machines are wanted.")
    document = parse_document(draft)
    text = _RENDER[kind](document)
    found = judge_document(document, by)
    findings = [row for row in found.findings if not frameworks or _bears_on(row.rule, frameworks)]
    wish = expand(document)
    left_out = [*unsaid(prompt), *unmade(wish.machines, kind), *(one.message for one in wish.unsupported)]
    checks = [*_read_back(kind, text, document), *_understood(draft, left_out), _rules(found.tally, findings)]
    return Code(text, document, checks, findings, _recommended(findings, left_out))


def _read_back(kind: str, text: str, document: BlueprintDocument) -> list[Check]:
    """The code is parsed again, and must say the machines that the blueprint says."""
    machines = expand(document).machines
    try:
        if kind == "cloud-init":
            is_same = sorted(cloud_init.hostnames(text)) == sorted(one.key for one in machines)
        else:
            reader = terraform.shapes if kind == "terraform" else ansible.shapes
            is_same = reader(text) == {one.key: (one.cores, one.memory_mib) for one in machines}
    except UNREADABLE as error:
        return [Check("The code can be parsed", False, type(error).__name__)]
    return [Check("The code can be parsed", True), Check("It says the machines of the blueprint, read back", is_same)]


def _understood(draft: Mapping[str, Any], left_out: Sequence[str]) -> list[Check]:
    about = draft["metadata"]
    return [
        Check("No question is open", not about["questions"], " ".join(about["questions"])),
        Check("Nothing of the wish is left out", not left_out, " ".join(left_out)),
        Check("No warning", not about["warnings"], " ".join(about["warnings"])),
    ]


def _rules(tally: Mapping[str, Any], findings: Sequence[AuditFinding]) -> Check:
    score = scoring.score(tally)
    grave = sorted({one.rule for one in findings if one.severity in GRAVE})
    return Check("No grave finding of the security rules", not grave, f"score {score}; {', '.join(grave)}".rstrip("; "))


def _bears_on(rule: str, frameworks: Sequence[str]) -> bool:
    """Whether a rule stands for a control of one of these frameworks."""
    return any(control.startswith(f"{name}-") for control in REGISTER[rule].controls for name in frameworks)


def _recommended(findings: Sequence[AuditFinding], left_out: Sequence[str]) -> list[str]:
    """What to do about each kind of finding, and about what code cannot say."""
    remedies = dict.fromkeys(one.remedy for one in findings)
    return [*left_out, *remedies][:50]
