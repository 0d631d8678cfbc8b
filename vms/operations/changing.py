"""Changing a machine: its description, its tags, and how large it is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from alma.accounts.actors import Actor
from alma.jobs.models import Job
from vms.backups.plans import Plan
from vms.models import ClusterNode, Guest
from vms.operations.jobs import begin, step
from vms.operations.reaching import begins_work
from vms.operations.rights import held_claim
from vms.proxmox.values import GIB, MIB
from vms.refusing import invalid
from vms.room import Growth, Room, lacking

MOST_CORES, MOST_MEMORY, MOST_DISK, MOST_TAGS = 768, 16 * 1024**2, 64 * 1024, 30
"""Cores, MiB and GiB: what Proxmox can have at most; and tags."""
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What shall be otherwise; what is None stays. `memory_mib` is in MiB, `disk_gib` the size of the first disk in GiB."""

    description: str | None = None
    tags: Sequence[str] | None = None
    cores: int | None = None
    memory_mib: int | None = None
    disk_gib: int | None = None
    backup: Plan | None = None

    @property
    def resizes(self) -> bool:
        """Whether the machine itself becomes another one."""
        return any(size is not None for size in (self.cores, self.memory_mib, self.disk_gib))

    def params(self) -> dict[str, Any]:
        """The parameters of the step: those that are given."""
        values = {
            "description": self.description, "tags": None if self.tags is None else list(self.tags), "cores": self.cores,
            "memory_bytes": self.memory_mib and self.memory_mib * MIB, "disk_bytes": self.disk_gib and self.disk_gib * GIB,
        }  # fmt: skip
        given = {name: value for name, value in values.items() if value is not None}
        return given | ({"exact_tags": True} if self.tags is not None else {})

    def growth(self, guest: Guest) -> Growth:
        """What the machine would need more."""
        return Growth(
            kind=guest.kind, cores=guest.cores, memory_bytes=guest.memory_bytes, wanted_cores=self.cores,
            wanted_memory=self.memory_mib and self.memory_mib * MIB,
        )  # fmt: skip

    def waits_for_restart(self, guest: Guest) -> list[str]:
        """The fields, as the document calls them, that a running machine takes up at its next start only."""
        if guest.status != "running" or guest.kind == "lxc":
            return []
        cores = self.cores is not None and self.cores != guest.cores
        memory = self.memory_mib is not None and self.memory_mib * MIB != guest.memory_bytes
        return ["cpu_cores"] * cores + ["memory_mb"] * memory


def check_plan(plan: Plan) -> None:
    """Raises Invalid for what can be no schedule."""
    problem = plan.problem()
    if problem:
        raise invalid("backup.schedule", problem, plan.schedule[:100], reason="invalid_schedule")


@begins_work
def change(guest: Guest, wish: Change, *, by: Actor) -> Job:
    """Bring a machine to what is wanted. Raises Refused, WrongState, Unavailable, and Invalid for a disk that would shrink and for
    a size with which its node could not start it."""
    claim = held_claim(guest, by=by)
    now = guest.disk_bytes // GIB
    if wish.disk_gib is not None and wish.disk_gib * GIB < guest.disk_bytes - GIB // 2:
        words = f"a disk only grows; it has {now} GiB"
        raise invalid("configuration.storage_gb", words, wish.disk_gib, reason="disk_cannot_shrink")
    growth = wish.growth(guest)
    _check_room(guest, growth)
    sizes = {name: value for name, value in wish.params().items() if name in {"cores", "memory_bytes"}}
    steps = [step("guest.room", guest, claim, "See that there is room for", **sizes)] if growth.grows else []
    if wish.params():
        steps.append(step("guest.configure", guest, claim, "Change", len(steps), **wish.params()))
    if wish.backup is not None:
        check_plan(wish.backup)
        steps.append(step("backup.schedule", guest, claim, "Schedule backups of", len(steps), **wish.backup.params()))
    status = "resizing" if wish.resizes else guest.status
    return begin("vm_update", guest, claim, steps, by=by, verb="update", status=status)


def _check_room(guest: Guest, growth: Growth) -> None:
    """By the last reading of its node; where nothing was read, or the node is away, the job sees. Raises Invalid."""
    node = ClusterNode.objects.filter(cluster=guest.cluster_id, name=guest.node, is_online=True).first()
    if node is None:
        return
    taken = guest.memory_used if guest.status == "running" else 0
    room = Room(
        node=node.name, cores=node.cores, memory_bytes=node.memory_bytes, memory_used=node.memory_used, taken=taken
    )
    found = lacking(growth, room)
    if found is not None:
        raise invalid(f"configuration.{found[0]}", found[1], reason="no_room")
