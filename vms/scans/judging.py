"""Applying the rules to a subject."""

from dataclasses import dataclass

from vms.scans.facts import Facts, NotApplicable, NotAssessed
from vms.scans.findings import Finding, Rule
from vms.scans.rules import REGISTER


@dataclass(frozen=True)
class Verdict:
    """What became of one rule: passed when there is neither a finding nor a reason why it was not assessed."""

    rule: Rule
    finding: Finding | None = None
    unassessed: str = ""


def judge(facts: Facts) -> list[Verdict]:
    """A verdict for each rule that has something to say of the subject, in the order of the register."""
    found = (_apply(rule, facts) for rule in REGISTER.values() if rule.is_about(facts))
    return [verdict for verdict in found if verdict is not None]


def _apply(rule: Rule, facts: Facts) -> Verdict | None:
    try:
        return Verdict(rule, finding=rule.check(facts))
    except NotApplicable:
        return None
    except NotAssessed as error:
        return Verdict(rule, unassessed=str(error)[:300])
