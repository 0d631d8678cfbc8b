"""The definition of a storage, made and removed. What lies on it is never touched."""

import json
from typing import Any

from django.utils import timezone

from alma.jobs.kinds import StepFailed, Wait
from alma.jobs.models import Step
from vms.models import SECRETS, PlaceClaim
from vms.proxmox.answers import rows, text, whole
from vms.steps.places import Goal, PlaceStep
from vms.steps.work import Work

SETTLING = 60.0
"""Seconds in which a new storage becomes active on its nodes."""
MOST_NODES = 16
"""Nodes that are asked how a storage stands there."""
_IDENTITY = ("type", "path", "server", "export", "share", "datastore", "vgname", "thinpool", "pool")
_DISKS = frozenset({"images", "rootdir"})
_NAMED = 5


class StorageDefinition(PlaceStep):
    """Its parameters are those of every place; `goal` holds the values of the definition but for its secrets, which are
    sealed in the ledger until it is made."""

    def converge(self, work: Work, claim: PlaceClaim, goal: Goal) -> dict[str, Any]:
        """Defined or not, and active where it is defined."""
        found = {text(row, "storage"): row for row in rows(work.api.get("storage"), "storages")}
        row = found.get(claim.handle)
        if row is not None:
            self._refuse_foreign(work, claim, row)
        if goal is None and row is not None:
            self._refuse_full(work, claim, row)
            self.act(work, f"forget the storage {claim.handle}", lambda: work.api.delete("storage", claim.handle))
        if goal is not None and row is None:
            self.act(
                work, f"define the storage {claim.handle}", lambda: work.api.post("storage", **goal, **_hidden(claim))
            )
        return self._read_back(work, claim) if goal is not None else {"handle": claim.handle}

    def _refuse_foreign(self, work: Work, claim: PlaceClaim, row: dict[str, Any]) -> None:
        """A storage bears no mark: ours is what a run of this row of the ledger has defined, while it is defined like that."""
        definition = claim.wish["definition"]
        is_same = all(text(row, name) == str(definition.get(name) or text(row, name)) for name in _IDENTITY)
        runs = Step.objects.filter(kind="storage.definition", params__claim=str(claim.pk))
        has_defined = claim.state == PlaceClaim.State.LIVE or any(
            journal.get("meant") for journal in runs.values_list("journal", flat=True)
        )
        if not is_same or not (has_defined or work.journal.get("meant")):
            raise StepFailed(
                "PLACE_NOT_OURS", f"The storage {claim.handle} is not the one that ALMA made; it is left alone."
            )

    def _refuse_full(self, work: Work, claim: PlaceClaim, row: dict[str, Any]) -> None:
        """Raises StepFailed while disks lie on it, wherever it can be looked at."""
        owners: set[int] = set()
        for node in self._active(work, claim):
            path = ("nodes", node, "storage", claim.handle, "content")
            listed = rows(work.api.get(*path), "content")
            owners |= {whole(one, "vmid") for one in listed if text(one, "content") in _DISKS}
        if owners:
            named = ", ".join(str(vmid) for vmid in sorted(owners)[:_NAMED])
            raise StepFailed("IN_USE", f"Disks of {named} lie on {claim.handle}; move or delete them first.")

    def _active(self, work: Work, claim: PlaceClaim) -> list[str]:
        """The nodes on which it is active."""
        nodes = sorted(
            text(row, "node") for row in rows(work.api.get("nodes"), "nodes") if text(row, "status") == "online"
        )
        wanted = [name for name in text(claim.wish["definition"], "nodes").split(",") if name]
        return [
            node for node in nodes[:MOST_NODES] if not wanted or node in wanted if self._is_active(work, claim, node)
        ]

    @staticmethod
    def _is_active(work: Work, claim: PlaceClaim, node: str) -> bool:
        told = rows(work.api.get("nodes", node, "storage", storage=claim.handle), "storages")
        return any(text(row, "storage") == claim.handle and whole(row, "active") for row in told)

    def _read_back(self, work: Work, claim: PlaceClaim) -> dict[str, Any]:
        active = self._active(work, claim)
        if not active:
            if timezone.now().timestamp() - work.journal.get("begun", 0) < SETTLING:
                raise Wait
            raise StepFailed("STORAGE_INACTIVE", f"{claim.handle} is defined and becomes active on no node.")
        return {"handle": claim.handle, "active_on": active}


def _hidden(claim: PlaceClaim) -> dict[str, str]:
    """The secrets, at the moment in which they are sent. Raises Unavailable when they cannot be opened any more."""
    told: dict[str, str] = json.loads(SECRETS.unseal(claim.secrets_sealed) or "{}")
    return told
