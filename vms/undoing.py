"""How a run is undone: inverse steps computed from its journal and the ledger, and in words what cannot be undone."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, TypeVar

from django.conf import settings

from alma.jobs.models import Job, Step
from alma.jobs.services import StepSpec
from vms.models import GuestClaim

FIRST_LEVEL = 10
LEVELS = 4
"""Stop, restore, start, and drop what was taken for safety."""
MARGIN = 5
Row = dict[str, Any]
T = TypeVar("T")
_DISK = re.compile(r"scsi(?!30)\d+|mp\d+")
"""Places of further disks; scsi30 is one for cloud-init."""


@dataclass(frozen=True)
class Undo:
    """What undoing a run does: `removes` and `restores` name guests (key, vmid, node), `lost` are sentences."""

    steps: tuple[StepSpec, ...] = ()
    removes: tuple[Row, ...] = ()
    restores: tuple[Row, ...] = ()
    lost: tuple[str, ...] = ()


@dataclass
class _Trail:
    """What a run left in the journal of one resource."""

    key: str
    steps: list[Step]
    claims: Mapping[str, GuestClaim]
    lost: list[str] = field(default_factory=list)

    def of(self, kind: str) -> list[Step]:
        """Its steps of a kind that were begun."""
        return [step for step in self.steps if step.kind == kind and step.journal]

    def created(self) -> GuestClaim | None:
        """The row of the guest that the run made, if it may still stand for one."""
        return next((claim for step in self.of("guest.create") if (claim := self._row(step))), None)

    def changed(self) -> GuestClaim | None:
        """The row of the guest that the run found, if it is still there."""
        return next((claim for step in self.steps if (claim := self._row(step))), None)

    def _row(self, step: Step) -> GuestClaim | None:
        claim = self.claims.get(step.journal.get("claim") or "")
        return claim if claim and claim.is_active else None

    def options(self) -> Row:
        """What options of the config were before the run changed them."""
        return {
            k: v for step in reversed(self.of("guest.configure")) for k, v in step.journal.get("before", {}).items()
        }

    def power(self) -> str:
        """How the guest was before the run first touched its power; empty when it did not."""
        kinds = {"guest.stop": "running", "guest.reboot": "running", "guest.start": "stopped"}
        meant = (kinds[step.kind] for step in self.steps if step.kind in kinds and step.journal.get("intent"))
        return next(meant, "")


def undo_of(job: Job) -> Undo:
    """How the guests of a run become what they were before it; reads the journal and the ledger, not the cluster."""
    steps = list(job.steps.order_by("ordinal"))
    named = {step.journal["claim"] for step in steps if step.journal.get("claim")}
    claims = {str(claim.pk): claim for claim in GuestClaim.objects.filter(pk__in=named)}
    by_key: dict[str, list[Step]] = {}
    for step in steps:
        if step.kind.startswith("guest."):
            by_key.setdefault(step.key, []).append(step)
    return _joined([_Trail(key, rows, claims) for key, rows in by_key.items()], _settle(steps))


def created_by(job: Job) -> list[Row]:
    """The guests that a run made and that may still be there, by the ledger: key, vmid, node."""
    return list(undo_of(job).removes)


def _joined(trails: list[_Trail], first: list[StepSpec]) -> Undo:
    """What was made last is undone first."""
    depths = sorted({trail.steps[0].level for trail in trails}, reverse=True)
    found = [_undo(trail, FIRST_LEVEL + LEVELS * depths.index(trail.steps[0].level)) for trail in trails]
    steps = _flat(undo.steps for undo in found)
    return Undo(
        steps=(*first, *steps) if steps else (), removes=_flat(undo.removes for undo in found),
        restores=_flat(undo.restores for undo in found), lost=_flat(undo.lost for undo in found),
    )  # fmt: skip


def _flat(parts: Iterable[Iterable[T]]) -> tuple[T, ...]:
    return tuple(chain.from_iterable(parts))


def _undo(trail: _Trail, level: int) -> Undo:
    lost = tuple(_lost(trail))
    made = trail.created()
    if made is not None:
        title = f"Remove {_called(made)}"
        step = StepSpec("guest.discard", trail.key, title, level, 3, _params(made))
        return Undo((step,), removes=(_row(made),), lost=lost)
    found = trail.changed()
    if found is None or _intends(trail, "guest.delete"):
        return Undo(lost=lost)
    steps = _restoring(trail, found, level)
    return Undo(tuple(steps), restores=(_row(found),) if steps else (), lost=lost)


def _restoring(trail: _Trail, claim: GuestClaim, level: int) -> list[StepSpec]:
    """Stopped when it must be, then its options, then running when it was; last goes a snapshot that the run took."""
    options, power, params = trail.options(), trail.power(), _params(claim)
    name = _called(claim)
    steps = []
    if power == "stopped" or (power and options):
        steps.append(StepSpec("guest.stop", trail.key, f"Stop {name}", level, 2, params))
    if options:
        restore = params | {"options": options}
        steps.append(StepSpec("guest.restore", trail.key, f"Restore {name}", level + 1, 2, restore))
    if power == "running":
        steps.append(StepSpec("guest.start", trail.key, f"Start {name}", level + 2, 2, params))
    for taken in trail.of("guest.snapshot"):
        if taken.journal.get("intent"):
            dropped = params | {"snapshot": taken.params["snapshot"]}
            title = f"Delete the snapshot of {name}"
            steps.append(StepSpec("guest.snapshot_drop", trail.key, title, level + 3, 1, dropped))
    return steps


def _lost(trail: _Trail) -> Iterable[str]:
    """What cannot be undone, in sentences."""
    for step in trail.of("guest.delete"):
        vmid = step.journal.get("vmid")
        if step.state in Step.DONE and vmid:
            yield f"{trail.key} (VMID {vmid}) was deleted; its disks are gone and it does not come back."
        elif step.journal.get("intent"):
            yield f"{trail.key} (VMID {vmid}) was about to be deleted; if it is still there, it stays stopped."
    if trail.created() is not None:
        return
    for step in trail.of("guest.configure"):
        for slot in _added_disks(step):
            yield f"{trail.key}: the disk {slot} was added; it is taken off and kept as an unused disk, with what is on it."
        if step.journal.get("intent") == "resize":
            yield f"{trail.key}: its disk was made larger; a disk cannot shrink, so it keeps that size."
        elif step.journal.get("intent") and "before" not in step.journal:
            yield f"{trail.key}: what its settings were was not recorded; they stay as they are."


def _added_disks(step: Step) -> list[str]:
    before = step.journal.get("before", {})
    return sorted(name for name, was in before.items() if was is None and _DISK.fullmatch(name))


def _intends(trail: _Trail, kind: str) -> bool:
    return any(step.journal.get("intent") for step in trail.of(kind))


def _settle(steps: list[Step]) -> list[StepSpec]:
    """First of all, the end of what a forced cancel did not wait for."""
    cut = [
        step for step in steps if step.state == Step.State.CANCELLED and step.finished_at and step.params.get("cluster")
    ]
    if not cut:
        return []
    longest = settings.ALMA_CLUSTER_CONNECT_SECONDS + settings.ALMA_CLUSTER_TOTAL_SECONDS + MARGIN
    params = {
        "cluster": cut[0].params["cluster"],
        "tasks": [step.journal["task"] for step in cut if step.journal.get("task")],
        "until": max(step.finished_at.timestamp() for step in cut if step.finished_at) + longest,
    }
    return [StepSpec("guest.settle", "", "Let what was in flight come to its end", 0, 1, params)]


def _params(claim: GuestClaim) -> Row:
    return {
        "cluster": claim.cluster_id, "owner": claim.owner, "node": claim.node, "kind": claim.kind, "claim": str(claim.pk),
    }  # fmt: skip


def _row(claim: GuestClaim) -> Row:
    return {"key": claim.key, "vmid": claim.vmid, "node": claim.node}


def _called(claim: GuestClaim) -> str:
    return f"{'container' if claim.kind == 'lxc' else 'VM'} {claim.key} (VMID {claim.vmid})"
