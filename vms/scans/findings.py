"""What a rule says: a finding with its evidence and its remedy, and the register in which all rules stand."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from vms.scans.facts import ClusterFacts, Facts, GuestFacts, NodeFacts


class Severity(StrEnum):
    """How bad it is. What is for information alone weighs nothing."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


@dataclass(frozen=True)
class Evidence:
    """Which setting had which value. A secret is never a value."""

    setting: str
    value: str


@dataclass(frozen=True)
class Fix:
    """The remedy as one call of the Proxmox VE API; `path` begins at the node."""

    method: str
    path: str
    values: Mapping[str, str | int] = field(default_factory=dict)

    def command(self) -> str:
        """The same for a shell on a node."""
        verb = {"PUT": "set", "POST": "create", "DELETE": "delete"}[self.method]
        options = [f"--{name} {_quoted(str(value))}" for name, value in self.values.items()]
        return " ".join(["pvesh", verb, self.path, *options])


def _quoted(value: str) -> str:
    return value if value.replace(".", "").replace("/", "").isalnum() else "'" + value.replace("'", "'\\''") + "'"


@dataclass(frozen=True)
class Finding:
    """That a rule is broken, and how one sees it."""

    evidence: tuple[Evidence, ...]
    fix: Fix | None = None

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        fix = asdict(self.fix) | {"command": self.fix.command()} if self.fix else None
        return {"evidence": [asdict(one) for one in self.evidence], "fix": fix}


Check = Callable[[Any], Finding | None]
Checked = TypeVar("Checked", bound=Check)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of the register. `check` raises NotAssessed and NotApplicable."""

    id: str
    title: str
    severity: Severity
    of: type[Facts]
    kind: str
    """The kind of guest that it is about, empty for both."""
    controls: tuple[str, ...]
    remedy: str
    check: Check

    def is_about(self, facts: Facts) -> bool:
        """Whether it says anything of such a subject."""
        return isinstance(facts, self.of) and self.kind in {"", getattr(facts, "kind", "")}


REGISTER: dict[str, Rule] = {}
"""By id, in the order of the files; `vms.scans.rules` fills it."""
_SUBJECTS: Mapping[str, type[Facts]] = {"GUEST": GuestFacts, "NODE": NodeFacts, "CLUSTER": ClusterFacts}


def rule(
    rule_id: str, title: str, severity: Severity, *, controls: str, remedy: str, kind: str = ""
) -> Callable[[Checked], Checked]:
    """Enter a function under an id, whose first word is the subject; `controls` are ids of `vms.scans.controls`."""

    def enter(check: Checked) -> Checked:
        assert rule_id not in REGISTER, rule_id
        REGISTER[rule_id] = Rule(
            id=rule_id, title=title, severity=severity, of=_SUBJECTS[rule_id.partition("-")[0]], kind=kind,
            controls=tuple(controls.split()), remedy=remedy, check=check,
        )  # fmt: skip
        return check

    return enter


def finding(*evidence: tuple[str, object], fix: Fix | None = None) -> Finding:
    """A finding from pairs of a setting and its value."""
    return Finding(tuple(Evidence(setting, str(value)[:200]) for setting, value in evidence), fix)
