"""The compliance score: the share of what was assessed that passed, weighed by severity, in whole percent, rounded down.

    score = 100 * (weight of the rules that passed) // (weight of the rules that were assessed)

A rule that was not assessed, or has nothing to say of a subject, counts on neither side. Where nothing was assessed there is
no score. A score of 100 therefore means that nothing that was assessed and weighs anything failed, and no less.
"""

from collections.abc import Iterable, Mapping

from vms.scans.controls import CONTROLS
from vms.scans.findings import Severity
from vms.scans.rules import REGISTER

WEIGHTS = {Severity.CRITICAL: 10, Severity.HIGH: 5, Severity.MEDIUM: 2, Severity.LOW: 1, Severity.INFO: 0}
Tally = Mapping[str, Mapping[str, int]]
"""By id of a rule, how often it passed, failed, and was not assessed."""
OUTCOMES = ("passed", "failed", "unassessed")


def score(tally: Tally) -> int | None:
    """The score of a subject, or of all subjects of a scan together. Rules that no longer exist count no more."""
    known = [(WEIGHTS[REGISTER[name].severity], row) for name, row in tally.items() if name in REGISTER]
    passed = sum(weight * row.get("passed", 0) for weight, row in known)
    failed = sum(weight * row.get("failed", 0) for weight, row in known)
    return 100 * passed // (passed + failed) if passed + failed else None


def add(tallies: Iterable[Tally]) -> dict[str, dict[str, int]]:
    """Several tallies as one."""
    total: dict[str, dict[str, int]] = {}
    for tally in tallies:
        for name, row in tally.items():
            into = total.setdefault(name, dict.fromkeys(OUTCOMES, 0))
            for outcome in OUTCOMES:
                into[outcome] += row.get(outcome, 0)
    return total


def controls(tally: Tally) -> list[dict[str, object]]:
    """Each control with what its rules found: failed when one failed, passed when all were assessed and passed, else not
    assessed. One whose rules had nothing to say is left out."""
    rows = []
    for control in CONTROLS.values():
        rules = [name for name, rule in REGISTER.items() if control.id in rule.controls and name in tally]
        counts = {outcome: sum(tally[name].get(outcome, 0) for name in rules) for outcome in OUTCOMES}
        if any(counts.values()):
            status = "failed" if counts["failed"] else "not_assessed" if counts["unassessed"] else "passed"
            said = {"id": control.number, "framework": control.framework, "title": control.title, "status": status}
            rows.append({**said, **counts, "rules": rules})
    return rows


def counts(tally: Tally) -> dict[str, int]:
    """Findings of each severity, and what was not assessed."""
    found = {severity.value: 0 for severity in Severity} | {"unassessed": 0}
    for name, row in tally.items():
        if name in REGISTER:
            found[REGISTER[name].severity.value] += row.get("failed", 0)
            found["unassessed"] += row.get("unassessed", 0)
    return found
