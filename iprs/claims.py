"""The claim check: what the author says of a proposal against what its plan does."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from iprs.models import IPR, PlanItem

_SAYS = {
    "create": ("added", "add", "create", "created", "new"),
    "update": ("modified", "modify", "changed", "update", "updated"),
    "delete": ("removed", "remove", "deleted", "delete", "destroyed"),
}
_DOES = {"create": ("create",), "update": ("update", "replace"), "delete": ("delete",)}
_NO_DOWNTIME = re.compile(r"\b(no|without|zero)[ -](downtime|interruption|restarts?|reboots?|outage)\b", re.IGNORECASE)
_ORDINAL = re.compile(r"-\d+$")
_VERBS = {"delete": "deletes", "replace": "replaces"}


@dataclass(frozen=True)
class Finding:
    """One difference between words and plan."""

    is_grave: bool
    message: str


@dataclass(frozen=True)
class ClaimCheck:
    """The author's numbers, where there are any, and every difference."""

    said: Mapping[str, int] | None
    findings: tuple[Finding, ...]

    @property
    def is_grave(self) -> bool:
        """Whether something is lost or interrupted that nobody mentioned."""
        return any(finding.is_grave for finding in self.findings)


def check_claims(ipr: IPR, items: Iterable[PlanItem], other_environments: Iterable[str] = ()) -> ClaimCheck:
    """Compare title, description and `changes_summary` with the computed items. Pure."""
    rows = list(items)
    said = _claimed(ipr.changes_summary)
    text = f"{ipr.title}\n{ipr.description}"
    findings = [
        *_unmentioned(rows, said, text),
        *_interruptions(rows, text),
        *_elsewhere(ipr, text, other_environments),
        *_unplanned(rows, said),
        *_unclaimed(rows, said),
    ]
    has_claims = any(said.values())
    return ClaimCheck({verb: len(names) for verb, names in said.items()} if has_claims else None, tuple(findings))


def _claimed(summary: object) -> dict[str, list[str]]:
    """The names per kind of change, out of whatever shape the caller sent."""
    given = {str(key).lower(): value for key, value in summary.items()} if isinstance(summary, Mapping) else {}
    return {verb: [name for word in words for name in _names(given.get(word))] for verb, words in _SAYS.items()}


def _names(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        return []
    return [str(row.get("name", "")) if isinstance(row, Mapping) else str(row) for row in value]


def _is_about(name: str, key: str) -> bool:
    """`redis` and `redis-2` both speak of the guest redis-2."""
    spoken = name.strip().lower()
    return spoken in {key.lower(), _ORDINAL.sub("", key.lower())}


def _is_mentioned(key: str, names: Iterable[str], text: str) -> bool:
    if any(_is_about(name, key) for name in names):
        return True
    spoken = {re.escape(key), re.escape(_ORDINAL.sub("", key))}
    return re.search(rf"(?<![\w-])({'|'.join(spoken)})(?![\w-])", text, re.IGNORECASE) is not None


def _unmentioned(rows: list[PlanItem], said: dict[str, list[str]], text: str) -> list[Finding]:
    names = [*said["delete"], *said["update"]]
    return [
        Finding(True, f"The plan {_VERBS[row.action]} {row.key}, which the author does not mention.")
        for row in rows
        if row.is_destructive and not _is_mentioned(row.key, names, text)
    ]


def _interruptions(rows: list[PlanItem], text: str) -> list[Finding]:
    down = [row.key for row in rows if row.needs_restart or row.is_destructive]
    if not down or not _NO_DOWNTIME.search(text):
        return []
    return [Finding(True, f"The author promises no interruption; the plan takes down {', '.join(down)}.")]


def _elsewhere(ipr: IPR, text: str, others: Iterable[str]) -> list[Finding]:
    here = {ipr.environment.slug.lower(), ipr.environment.name.lower()}
    named = [name for name in others if name.lower() not in here and _is_mentioned(name, (), text)]
    if not named or any(_is_mentioned(name, (), text) for name in here):
        return []
    return [Finding(False, f"The author writes of {named[0]}; this plan is for {ipr.environment.name}.")]


def _unplanned(rows: list[PlanItem], said: dict[str, list[str]]) -> list[Finding]:
    found = []
    for verb, names in said.items():
        keys = [row.key for row in rows if row.action in _DOES[verb]]
        missing = [name for name in names if not any(_is_about(name, key) for key in keys)]
        if missing:
            found.append(Finding(False, f"The author says it will {verb} {', '.join(missing)}; the plan does not."))
    return found


def _unclaimed(rows: list[PlanItem], said: dict[str, list[str]]) -> list[Finding]:
    """Creations and updates beside those that were listed; only where the author listed anything."""
    if not any(said.values()):
        return []
    names = [name for listed in said.values() for name in listed]
    extra = [
        row for row in rows if row.action in {"create", "update"} and not any(_is_about(n, row.key) for n in names)
    ]
    return (
        [Finding(False, f"Not on the author's list: {', '.join(f'{row.action} {row.key}' for row in extra)}.")]
        if extra
        else []
    )
