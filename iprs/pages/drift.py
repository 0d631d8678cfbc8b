"""What the drift page of a cluster shows."""

from dataclasses import dataclass
from typing import Any

from alma.accounts.actors import Actor
from alma.templatetags.ui import size
from iprs.models import IPR, DriftAnswer
from iprs.rights import check_edit, check_open, refusal
from iprs.services import drift_obstacle
from vms.models import Cluster, Drift, Stray

MOST = 50
ENDED = 10
_SIZES = frozenset({"memory", "disk"})
_KINDS = {
    Stray.Kind.ORPHAN: "It carries ALMA's mark, and the ledger has given it up.",
    Stray.Kind.UNKNOWN: "It carries a mark that is in no ledger here: another installation's, or the database was restored "
    "from before it was made. ALMA does not touch it.",
    Stray.Kind.COPY: "It carries the mark of another guest: somebody copied that one. ALMA does not touch it.",
    Stray.Kind.STRANGER: "It has a number of ALMA's range and no mark: somebody else made it. ALMA does not touch it.",
}  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """A button, or the reason why there is none."""

    kind: str
    label: str
    icon: str
    words: str
    reason: str


@dataclass(frozen=True)
class DriftView:
    """One drift, with its rows and what can be done about it."""

    drift: Drift
    rows: tuple[tuple[str, str, str], ...]
    choices: tuple[Choice, ...]
    ipr: IPR | None


def drift_context(cluster: Cluster, actor: Actor) -> dict[str, Any]:
    """Open drifts with their answers, strays with what they are, and what ended last."""
    drifts = Drift.objects.visible_to(actor).filter(cluster=cluster).select_related("claim", "cluster")
    found = list(drifts.open()[: MOST + 1])
    answers = DriftAnswer.objects.standing().filter(drift__in=found).select_related("ipr")
    iprs = {answer.drift_id: answer.ipr for answer in answers}
    strays = Stray.objects.visible_to(actor).filter(cluster=cluster)
    return {
        "cluster": cluster,
        "drifts": [_view(drift, iprs.get(drift.pk), actor) for drift in found[:MOST]],
        "is_cut": len(found) > MOST,
        "strays": [(stray, _KINDS[Stray.Kind(stray.kind)]) for stray in strays.open()[:MOST]],
        "settled": drifts.filter(state=Drift.State.SETTLED).order_by("-settled_at")[:ENDED],
        "ended": strays.exclude(state__in=Stray.OPEN).order_by("-ended_at")[:ENDED],
        "may_decide": actor.has("vm:write"),
    }


def _view(drift: Drift, ipr: IPR | None, actor: Actor) -> DriftView:
    rows = tuple(
        (row["field"], _value(row["field"], row["before"]), _value(row["field"], row["after"])) for row in drift.changes
    )
    return DriftView(drift, rows, () if ipr else tuple(_choices(drift, actor)), ipr)


def _choices(drift: Drift, actor: Actor) -> list[Choice]:
    is_gone = drift.kind == Drift.Kind.GONE
    restore = (
        "makes it anew, under a new number, with empty disks" if is_gone else "brings it back to what was approved"
    )
    adopt = "takes it out of the blueprint" if is_gone else "changes the blueprint to what is there"
    may = refusal(lambda: check_open(by=actor))
    reasons = {kind: may or drift_obstacle(drift, kind, by=actor) for kind in DriftAnswer.Kind.values}
    if not may and not reasons["adopt"]:
        reasons["adopt"] = refusal(lambda: check_edit(by=actor))
    if reasons["adopt"] and reasons["adopt"] == reasons["restore"]:
        return [Choice("", "Neither restore nor adopt", "", "", reasons["adopt"])]
    return [
        Choice("restore", "Restore", "undo", f"An IPR that {restore}.", reasons["restore"]),
        Choice("adopt", "Adopt", "blueprint", f"An IPR that {adopt}.", reasons["adopt"]),
    ]


def _value(field: str, value: object) -> str:
    """In words; empty where there is nothing."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if value is None:
        return ""
    return size(value) if field.partition(" ")[0] in _SIZES and isinstance(value, int) else str(value)
